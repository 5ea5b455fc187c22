"""What a signed-in user has to do before anything else: a new password, a second factor."""

from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone

from yuanmai.core.audit.log import versions
from yuanmai.people.actor import UserActor
from yuanmai.people.passwords import has_second_factor, must_change

# Open before the password is changed; the second set also before a second factor is there.
ALWAYS = {
    "account_logout",
    "account_change_password",
    "set_language",
    "core:healthz",
    "core:readyz",
    "people:required",
}
FACTOR = {"account_reauthenticate", "mfa_index", "mfa_activate_totp", "mfa_list_webauthn", "mfa_add_webauthn"}
FACTOR |= {
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_reauthenticate",
}


def owns_second_factor(actor: UserActor) -> bool:
    """Whether the user has a second factor; asked of the database once until something changes in the people room."""
    key = f"factor:{actor.user_id}:{versions().get('people', 0)}"
    known = cache.get(key)
    if known is None:
        known = has_second_factor(actor.user)
        cache.set(key, known)
    return bool(known)


def waits_for(actor: UserActor) -> str:
    """Return what the user has to do first: "password", "second_factor", or nothing."""
    if must_change(actor.user):
        return "password"
    if actor.must_have_second_factor and not owns_second_factor(actor):
        return "second_factor"
    return ""


def gate(request: HttpRequest, actor: UserActor) -> HttpResponse | None:
    """Return where to go first, or None where the request may pass."""
    wait = waits_for(actor)
    if not wait:
        return None
    try:
        name = resolve(request.path_info).view_name
    except Resolver404:
        return None
    if name in ALWAYS or (wait == "second_factor" and name in FACTOR):
        return None
    if request.path_info.startswith("/api/"):
        return JsonResponse(
            {"title": wait, "status": 403, "detail": "", "instance": request.path_info},
            status=403,
            content_type="application/problem+json",
        )
    return redirect("account_change_password" if wait == "password" else reverse("people:required"))


def password_days_left(actor: UserActor, days: int) -> int:
    """Return in how many days the password has to be changed, by the rotation of `days`."""
    since = actor.user.password_changed_at or actor.user.date_joined
    return int(max(0, days - (timezone.now() - since).days))
