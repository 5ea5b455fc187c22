"""How long a session lasts: it ends some time after the last request, and some time after signing in in any case."""

from datetime import UTC, datetime, timedelta
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings

STARTED, SEEN = "signed_in_at", "seen_at"
TOUCH = timedelta(seconds=60)  # how exact "last seen" is; saves a write per request


def begin(request: Any, now: datetime) -> None:
    """Start both clocks of the session that was just opened."""
    session = getattr(request, "session", None)
    if session is not None:
        session[STARTED] = session[SEEN] = now.timestamp()


def over(request: Any, now: datetime) -> str:
    """Return why the session has to end ("idle" or "absolute"), or "" where it goes on; moves the idle clock on."""
    session = request.session
    started = _moment(session.get(STARTED))
    seen = _moment(session.get(SEEN))
    if started is None or seen is None:
        begin(request, now)
        return ""
    if why := ended(session, now):
        return why
    if now - seen >= min(TOUCH, settings.SESSION_IDLE / 4) or seen > now:
        session[SEEN] = now.timestamp()
        UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=now)
    return ""


def ended(session: Any, now: datetime) -> str:
    """Return why a session (or the mapping kept of it) has to end, or "" where it goes on; moves no clock."""
    started, seen = _moment(session.get(STARTED)), _moment(session.get(SEEN))
    if started is not None and now - started >= settings.SESSION_ABSOLUTE:
        return "absolute"
    return "idle" if seen is not None and now - seen >= settings.SESSION_IDLE else ""


def _moment(stamp: Any) -> datetime | None:
    return datetime.fromtimestamp(stamp, UTC) if isinstance(stamp, int | float) else None
