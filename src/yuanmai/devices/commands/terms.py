"""What devices call their settings in their answers, in words: terminals of JT/T 808 (table of 0x8103), stations of HJ 212-2017 (annex C)."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TERMS: dict[str, str | Promise] = {
    "heartbeat_s": _("Heartbeat (s)"),
    "tcp_timeout_s": _("Time-out over TCP (s)"),
    "tcp_resends": _("Re-sends over TCP"),
    "apn": _("Access point (APN)"),
    "server": _("Server"),
    "backup_server": _("Second server"),
    "tcp_port": _("TCP port"),
    "udp_port": _("UDP port"),
    "report_strategy": _("Reporting: by time or way"),
    "report_scheme": _("Reporting: by what"),
    "report_default_s": _("Position (s)"),
    "report_default_m": _("Position (m)"),
    "report_asleep_s": _("Position when parked (s)"),
    "report_in_emergency_s": _("Position in an emergency (s)"),
    "report_without_driver_s": _("Position without a driver (s)"),
    "turn_angle_deg": _("Turn that is reported (°)"),
    "fence_radius_m": _("Radius of the fence around a parked vehicle (m)"),
    "platform_phone": _("Phone of the platform"),
    "max_speed_kmh": _("Highest speed (km/h)"),
    "overspeed_duration_s": _("Overspeed lasts (s)"),
    "longest_driving_s": _("Longest driving without a rest (s)"),
    "SystemTime": _("Clock of the station"),
    "RtdInterval": _("Interval of real-time data (s)"),
    "MinInterval": _("Interval of minute data (min)"),
    "OverTime": _("Time-out (s)"),
    "ReCount": _("Re-sends"),
    "VaseNo": _("Bottle"),
    "CstartTime": _("First sample of the day"),
    "Ctime": _("Sampling period (h)"),
    "Stime": _("A sample takes (min)"),
    "PolId": _("Factor (code)"),
    "InfoId": _("Information (code)"),
}
