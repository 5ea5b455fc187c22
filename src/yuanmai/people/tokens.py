"""API tokens: how they look, and who acts when one is shown.

A token is ``ym_<prefix>_<secret>``: the prefix finds the row, the secret (256 bits) is compared by its SHA-256.
"""

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.utils import timezone

from yuanmai.people.actor import UserActor
from yuanmai.people.backends import may_sign_in
from yuanmai.people.models import ApiToken
from yuanmai.people.passwords import must_change

TOUCH = timedelta(minutes=5)  # how exact "last used" is


def digest_of(secret: str) -> str:
    """Return the stored form of a token's secret part. A long random text needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_token() -> tuple[str, str, str]:
    """Return a new token's text, its prefix, and the digest to be stored."""
    prefix = secrets.token_hex(5)
    secret = secrets.token_urlsafe(32)
    return f"ym_{prefix}_{secret}", prefix, digest_of(secret)


def actor_of_token(bearer: str, address: str) -> UserActor | None:
    """Return who acts with this token, or None where it is unknown, ended, too old, or its owner locked.

    `bearer` is the text after ``Bearer``; `address` is the caller's network address, for the audit log.
    """
    kind, _sep, rest = bearer.strip().partition("_")
    prefix, _sep, secret = rest.partition("_")
    if kind != "ym" or not secret or len(prefix) > 12:
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=prefix).first()
    if token is None or not hmac.compare_digest(token.digest, digest_of(secret)):
        return None
    now = timezone.now()
    if token.revoked_at is not None or (token.expires_at is not None and token.expires_at <= now):
        return None
    if not may_sign_in(token.user) or must_change(token.user):
        return None
    if token.last_used_at is None or now - token.last_used_at >= TOUCH:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    only = frozenset(token.permissions) if token.permissions else None
    return UserActor.of(token.user, via="api", address=address, only=only)
