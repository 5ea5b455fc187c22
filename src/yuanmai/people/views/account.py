"""Pages about oneself: posts, rights explained, tokens, what has to be done first."""

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from yuanmai.core.permissions import SEE_FIGURES
from yuanmai.core.policy import PERMISSIONS
from yuanmai.core.web import page
from yuanmai.people import actions, permissions, queries
from yuanmai.people.forms import TokenForm, take_errors
from yuanmai.people.gates import owns_second_factor, password_days_left, waits_for
from yuanmai.people.models import ApiToken, Organisation
from yuanmai.people.passwords import rotation_days
from yuanmai.people.receivers import leave


@page()
def me(request: HttpRequest) -> HttpResponse:
    """My account."""
    actor = request.actor  # type: ignore[attr-defined]
    days = rotation_days()
    context = {
        "posts": actor.user.posts.select_related("role", "org").order_by("role__order"),
        "second_factor": owns_second_factor(actor),
        "must_have_second_factor": actor.must_have_second_factor,
        "days_left": password_days_left(actor, days) if days and actor.user.has_usable_password() else None,
        "sessions": UserSession.objects.filter(user=actor.user).count(),
        "tokens": ApiToken.objects.filter(user=actor.user, revoked_at=None).count(),
        "may_subscribe": actor.why_not(SEE_FIGURES) is None,
        "may_use_api": actor.why_not(permissions.USE_API) is None,
    }
    return render(request, "people/me.html", context)


@page()
def rights(request: HttpRequest) -> HttpResponse:
    """Why can I (not) see this: every right, whether I hold it, through which role and where."""
    actor = request.actor  # type: ignore[attr-defined]
    rows = queries.rights_explained(actor)
    wanted = request.GET.get("right", "")
    scope = Organisation.objects.filter(pk__in={post.org_id for post in actor.grants.posts}).order_by("path")
    context = {
        "held": [row for row in rows if row.held],
        "missing": [row for row in rows if not row.held],
        "wanted": next((row for row in rows if row.code == wanted), None),
        "places": scope,
        "count": len(actor.org_ids()),
    }
    return render(request, "people/rights.html", context)


@page()
def required(request: HttpRequest) -> HttpResponse:
    """A role asks for a second factor and there is none yet."""
    actor = request.actor  # type: ignore[attr-defined]
    if waits_for(actor) != "second_factor":
        return redirect(settings.LOGIN_REDIRECT_URL)
    roles = [post.role_name for post in actor.grants.posts if post.second_factor]
    return render(request, "people/second_factor_required.html", {"roles": roles})


@page(permissions.USE_API)
@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """My API tokens; a new one is shown once."""
    actor = request.actor  # type: ignore[attr-defined]
    form = TokenForm(request.POST or None, actor=actor)
    text = ""
    if request.method == "POST" and form.is_valid():
        try:
            _row, text = actions.create_token(actor, **form.cleaned_data)
            form = TokenForm(actor=actor)
        except ValidationError as error:
            take_errors(form, error)
    rows = [
        {"token": row, "rights": [PERMISSIONS[c].name for c in row.permissions if c in PERMISSIONS]}
        for row in ApiToken.objects.filter(user=actor.user).order_by("-created_at")
    ]
    return render(request, "people/tokens.html", {"rows": rows, "form": form, "text": text})


@page(permissions.USE_API)
@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """End a token."""
    row = get_object_or_404(ApiToken, pk=pk, user=request.user)
    actions.revoke_token(request.actor, row)  # type: ignore[attr-defined]
    messages.success(request, _("The token no longer works."))
    return redirect("people:tokens")


@page()
@require_POST
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End one of my sessions."""
    row = get_object_or_404(UserSession, pk=pk, user=request.user)
    if row.session_key == request.session.session_key:
        messages.info(request, _("This is the session you are using; sign out instead."))
    else:
        row.end()
        leave("session.end_other", request=request, user=request.user, after={"address": row.ip})  # type: ignore[arg-type]
        messages.success(request, _("The session was ended."))
    return redirect("usersessions_list")
