"""What the page of a device's secret says: how the device shows it, by protocol, and what holds without one."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.devices.models import Device, Protocol

MQTT = gettext_lazy("It signs in to MQTT with the code %(code)s or its identity as user name, and the secret as password.")  # fmt: skip
SHOWN = {
    Protocol.MQTT: MQTT,
    Protocol.SPARKPLUG: MQTT,
    Protocol.HTTP: gettext_lazy("It sends the secret as the key of its requests (POST /api/v1/readings)."),
    Protocol.HJ212: gettext_lazy("It is the password PW in every message of HJ 212: six letters or digits, to be set at the station."),
    Protocol.JT808: gettext_lazy("The terminal may show it as its authentication code instead of the one it is given when it registers."),
}  # fmt: skip


def how_shown(device: Device) -> str:
    """Return how a device of this protocol shows its secret, or that there is none to show."""
    other = gettext_lazy("This protocol knows no secret: the gateway asks the device by itself, at the address that stands in its identity.")  # fmt: skip
    return str(SHOWN.get(Protocol(device.protocol), other)) % {"code": device.code}


def without_one(device: Device) -> str:
    """Return what holds as long as a device has no secret, "" where that is nothing to worry about."""
    if device.secret_hash or device.protocol not in SHOWN or device.protocol == Protocol.JT808:
        return ""
    if device.protocol == Protocol.HTTP:
        return _("Without a secret only programs with an access token can send for it.")
    return _("Without a secret whoever gives this identity is taken for the device.")
