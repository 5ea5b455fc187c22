"""Secrets of channels, encrypted with the installation's key: a copy of the database alone does not give them away."""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings


def _box() -> Fernet:
    key = hashlib.sha256(b"yuanmai notification channels:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def seal(secret: str) -> str:
    """Return a secret as it is stored."""
    return _box().encrypt(secret.encode()).decode() if secret else ""


def unseal(stored: str) -> str:
    """Return a stored secret; empty where the installation's key has changed since."""
    if not stored:
        return ""
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken:
        return ""
