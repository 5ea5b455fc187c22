"""Every request: who acts, which rows may be read, what the page shows, and what has to be done first."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.audit.moments import remembering
from yuanmai.core.scope import open_scope
from yuanmai.people import sessions, setup
from yuanmai.people.actor import UserActor
from yuanmai.people.addresses import client_address
from yuanmai.people.gates import gate
from yuanmai.people.receivers import leave
from yuanmai.people.view_context import view_context

# What answers also before there is any account.
BEFORE_SETUP = ("/setup/", "/language/", "/static/", "/healthz", "/readyz", "/metrics", "/api/")


class ActorMiddleware:
    """Set ``request.actor`` and ``request.view`` and open the data scope for signed-in users."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = None  # type: ignore[attr-defined]
        request.view = None  # type: ignore[attr-defined]
        with remembering():
            if request.user.is_authenticated:
                if why := sessions.over(request, timezone.now()):
                    return self._ended(request, why)
                return self._as_user(request)
            if not request.path_info.startswith(BEFORE_SETUP) and setup.needed():
                return redirect("people:setup")
            with open_scope([]):
                return self.get_response(request)

    def _as_user(self, request: HttpRequest) -> HttpResponse:
        actor = UserActor.of(request.user, address=client_address(request))  # type: ignore[arg-type]
        request.actor = actor  # type: ignore[attr-defined]
        with open_scope(actor.org_ids()):
            first = gate(request, actor)
            if first is not None:
                return first
            request.view = view_context(request, actor)  # type: ignore[attr-defined]
            if not actor.grants.posts and request.path_info == "/":
                return render(request, "people/no_posts.html")
            return self.get_response(request)

    def _ended(self, request: HttpRequest, why: str) -> HttpResponse:
        """The session is over: sign out and say why."""
        leave("session.expire", request=request, user=request.user, after={"reason": why})  # type: ignore[arg-type]
        logout(request)
        if request.path_info.startswith("/api/"):
            return JsonResponse(
                {"title": _("Your session has ended."), "status": 401},
                status=401,
                content_type="application/problem+json",
            )
        if why == "idle":
            messages.info(
                request, _("You were signed out because nothing happened for a while. Sign in to go on.")
            )
        else:
            messages.info(
                request, _("You were signed out because a working day had passed. Sign in to go on.")
            )
        target = request.get_full_path() if request.method == "GET" else ""
        return redirect(reverse("account_login") + (f"?{urlencode({'next': target})}" if target else ""))
