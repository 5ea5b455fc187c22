"""Who listens: the user behind the cookie of a page, and the organisations whose devices they may see."""

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from yuanmai.core.scope import everywhere
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.people import sessions
from yuanmai.people.actor import grants_of
from yuanmai.people.models import User


@dataclass(frozen=True, slots=True)
class Listener:
    """A signed-in user with a right to see devices."""

    user: int
    session: str
    orgs: frozenset[int]


def session_key(cookie_header: str) -> str:
    """Return the key of the session that a Cookie header names, or ""."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(cookie_header)
    except CookieError:
        return ""
    morsel = jar.get(settings.SESSION_COOKIE_NAME)
    return morsel.value if morsel is not None else ""


def listener_of(key: str) -> Listener | None:
    """Return who holds this session, or None where it is over, signed out, or without the right.

    Listening does not keep a session alive: the idle clock is read, not moved.
    """
    if not key or not key.isalnum():
        return None
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore(key)
    data = store.load()
    if SESSION_KEY not in data or data.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    if sessions.ended(data, timezone.now()):
        return None
    with everywhere():
        user = User.objects.filter(pk=data[SESSION_KEY], is_active=True).first()
        if user is None or not _same_password(user, data.get(HASH_SESSION_KEY)):
            return None
        orgs = grants_of(user.pk, timezone.localdate()).by_permission.get(SEE_DEVICES, frozenset())
    return Listener(user.pk, key, orgs) if orgs else None


def _same_password(user: User, kept: str | None) -> bool:
    """A changed password ends all sessions, also those that listen."""
    return bool(kept) and any(
        constant_time_compare(kept or "", wanted)
        for wanted in (user.get_session_auth_hash(), *user.get_session_auth_fallback_hash())
    )
