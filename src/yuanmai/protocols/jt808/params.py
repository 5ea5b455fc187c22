"""Parameters of a terminal (0x8103, 0x0104): their names and how their values are written."""

from typing import Any

from yuanmai.protocols.jt808.layout import CODING

# number → (name, form): 1, 2, 4 bytes of a number, or text.
PARAMS: dict[int, tuple[str, int | str]] = {
    0x0001: ("heartbeat_s", 4),
    0x0002: ("tcp_timeout_s", 4),
    0x0003: ("tcp_resends", 4),
    0x0004: ("udp_timeout_s", 4),
    0x0005: ("udp_resends", 4),
    0x0006: ("sms_timeout_s", 4),
    0x0007: ("sms_resends", 4),
    0x0010: ("apn", "text"),
    0x0011: ("apn_user", "text"),
    0x0012: ("apn_password", "text"),
    0x0013: ("server", "text"),
    0x0014: ("backup_apn", "text"),
    0x0015: ("backup_apn_user", "text"),
    0x0016: ("backup_apn_password", "text"),
    0x0017: ("backup_server", "text"),
    0x0018: ("tcp_port", 4),
    0x0019: ("udp_port", 4),
    0x001A: ("ic_server", "text"),
    0x001B: ("ic_tcp_port", 4),
    0x001C: ("ic_udp_port", 4),
    0x001D: ("ic_backup_server", "text"),
    0x0020: ("report_strategy", 4),
    0x0021: ("report_scheme", 4),
    0x0022: ("report_without_driver_s", 4),
    0x0023: ("slave_server", "text"),
    0x0024: ("slave_user", "text"),
    0x0025: ("slave_password", "text"),
    0x0026: ("slave_backup_server", "text"),
    0x0027: ("report_asleep_s", 4),
    0x0028: ("report_in_emergency_s", 4),
    0x0029: ("report_default_s", 4),
    0x002C: ("report_default_m", 4),
    0x002D: ("report_without_driver_m", 4),
    0x002E: ("report_asleep_m", 4),
    0x002F: ("report_in_emergency_m", 4),
    0x0030: ("turn_angle_deg", 4),
    0x0031: ("fence_radius_m", 2),
    0x0032: ("violation_period", 4),
    0x0040: ("platform_phone", "text"),
    0x0041: ("reset_phone", "text"),
    0x0042: ("factory_phone", "text"),
    0x0043: ("sms_phone", "text"),
    0x0044: ("sms_alarm_phone", "text"),
    0x0045: ("answer_strategy", 4),
    0x0046: ("longest_call_s", 4),
    0x0047: ("longest_calls_month_s", 4),
    0x0048: ("listen_phone", "text"),
    0x0049: ("supervisor_phone", "text"),
    0x0050: ("alarm_mask", 4),
    0x0051: ("alarm_sms", 4),
    0x0052: ("alarm_photo", 4),
    0x0053: ("alarm_photo_kept", 4),
    0x0054: ("key_alarms", 4),
    0x0055: ("max_speed_kmh", 4),
    0x0056: ("overspeed_duration_s", 4),
    0x0057: ("longest_driving_s", 4),
    0x0058: ("longest_driving_day_s", 4),
    0x0059: ("least_rest_s", 4),
    0x005A: ("longest_parking_s", 4),
    0x005B: ("overspeed_warning_01kmh", 2),
    0x005C: ("fatigue_warning_s", 2),
    0x005D: ("collision", 2),
    0x005E: ("rollover_deg", 2),
    0x0064: ("photo_by_time", 4),
    0x0065: ("photo_by_distance", 4),
    0x0070: ("quality", 4),
    0x0071: ("brightness", 4),
    0x0072: ("contrast", 4),
    0x0073: ("saturation", 4),
    0x0074: ("chroma", 4),
    0x0080: ("odometer_01km", 4),
    0x0081: ("province", 2),
    0x0082: ("city", 2),
    0x0083: ("plate", "text"),
    0x0084: ("plate_color", 1),
    0x0090: ("gnss_modes", 1),
    0x0091: ("gnss_baud", 1),
    0x0092: ("gnss_output_rate", 1),
    0x0093: ("gnss_sampling_s", 4),
    0x0094: ("gnss_upload", 1),
    0x0095: ("gnss_upload_setting", 4),
    0x0100: ("can_1_interval_ms", 4),
    0x0101: ("can_1_upload_s", 2),
    0x0102: ("can_2_interval_ms", 4),
    0x0103: ("can_2_upload_s", 2),
}
BY_NAME: dict[str, int] = {name: number for number, (name, _form) in PARAMS.items()}


def read(number: int, content: bytes) -> tuple[str, Any] | None:
    """Return name and value of a parameter; nothing for an unknown one or a length that does not fit."""
    known = PARAMS.get(number)
    if known is None:
        return None
    name, form = known
    if isinstance(form, int):
        return (name, int.from_bytes(content, "big")) if len(content) == form else None
    return name, content.strip(b"\0").decode(CODING, "backslashreplace")


def write(name: str, value: Any) -> dict[str, str]:
    """Return a parameter as a record of a body of 0x8103.

    Raises KeyError for an unknown name, ValueError or OverflowError for a value that does not fit.
    """
    number = BY_NAME[name]
    form = PARAMS[number][1]
    packed = int(value).to_bytes(form, "big") if isinstance(form, int) else str(value).encode(CODING)
    if len(packed) > 255:
        raise ValueError(f"{name} has 255 bytes at most")
    return {"id": f"0x{number:04X}", "value_hex": packed.hex()}
