"""What a device shows to be let in: made here, shown once, kept as a hash."""

import hashlib
import secrets

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.devices.models import Device
from yuanmai.devices.permissions import KEEP_DEVICES

# The PW of HJ 212-2017 has six signs, terminals of JT/T 808 keep short ASCII codes only; the others take a long one.
SIGNS = {"hj212": 6, "jt808": 12}
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def secret_hash(secret: str) -> str:
    """Return what is kept of a secret: its SHA-256 in hexadecimal digits."""
    return hashlib.sha256(secret.encode()).hexdigest()


@action("devices.new_secret", permission=KEEP_DEVICES, local=True)
def new_secret(act: Act, device: Device) -> str:
    """Give a device a new secret and return it; it is not kept, and the former one is good no more."""
    act.require(device.org_id)
    if device.protocol in SIGNS:
        secret = "".join(secrets.choice(ALPHABET) for _place in range(SIGNS[device.protocol]))
    else:
        secret = secrets.token_urlsafe(24)
    had = bool(device.secret_hash)
    device.secret_hash = secret_hash(secret)
    device.save(update_fields=["secret_hash"])
    act.log(device, before={"secret": had}, after={"secret": True}, name=device.name)
    return secret


@action("devices.revoke_secret", permission=KEEP_DEVICES, local=True)
def revoke_secret(act: Act, device: Device) -> None:
    """Take a device's secret away; raises `ValidationError` where it has none."""
    act.require(device.org_id)
    if not device.secret_hash:
        raise ValidationError(_("This device has no secret."))
    device.secret_hash = ""
    device.save(update_fields=["secret_hash"])
    act.log(device, before={"secret": True}, after={"secret": False}, name=device.name)
