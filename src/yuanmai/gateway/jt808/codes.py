"""Who a terminal is, and the authentication code it is given."""

import base64
import hashlib
import hmac

from yuanmai.protocols.jt808.frame import identify

CODE_SIGNS = 12  # short ASCII: some terminals keep no more than 16


def key_of(phone: str) -> str:
    """Return the key of a terminal in the register: the phone without leading zeros, or the IMEI that some send instead."""
    if phone.isdigit():
        return phone.lstrip("0") or "0"
    who = identify(phone)
    return who.imei or phone.lstrip("0") or "0"


def auth_code(secret: bytes, key: str) -> str:
    """Return the authentication code of a terminal: always the same, and known to every gateway of the installation without a table."""
    digest = hmac.new(secret, b"jt808 authentication code\0" + key.encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:CODE_SIGNS].decode()


def right_code(secret: bytes, key: str, secret_hash: str, shown: str) -> bool:
    """Return whether a terminal shows the code it was given, or the secret of its entry in the register."""
    if hmac.compare_digest(shown.encode(), auth_code(secret, key).encode()):
        return True
    return bool(secret_hash) and hmac.compare_digest(hashlib.sha256(shown.encode()).hexdigest(), secret_hash)
