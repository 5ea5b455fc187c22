"""Accounts locked by wrong passwords: how they are named, for how long, and the answer that says so."""

from datetime import datetime
from typing import Any
from unicodedata import normalize

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone


def account_tried(request: Any, credentials: dict[str, Any] | None = None) -> str:
    """Return the account that a sign-in names, in one spelling: capitals and wide letters do not buy more attempts."""
    name = (credentials or {}).get("login") or (credentials or {}).get("username")
    if not name and request is not None:
        name = getattr(request, "POST", {}).get("login", "")
    return normalize("NFKC", str(name or "")).strip().casefold()[:150]


def locked_until(username: str) -> datetime | None:
    """Return until when an account is locked by wrong passwords, or None."""
    found = AccessAttempt.objects.filter(
        username=normalize("NFKC", username).strip().casefold(),
        attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME,
    ).aggregate(failures=Sum("failures_since_start"), last=Max("attempt_time"))
    if not found["failures"] or found["failures"] < settings.AXES_FAILURE_LIMIT:
        return None
    until: datetime = found["last"] + settings.AXES_COOLOFF_TIME
    return until


def locked_out(request: HttpRequest, original_response: Any = None, credentials: Any = None) -> HttpResponse:
    """Say that the account is locked and for how long."""
    now = timezone.now()
    until = locked_until(account_tried(request, credentials)) or now + settings.AXES_COOLOFF_TIME
    seconds = max(1, int((until - now).total_seconds()))
    context = {"until": until, "minutes": -(-seconds // 60), "failures": settings.AXES_FAILURE_LIMIT}
    response = render(request, "people/locked.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response
