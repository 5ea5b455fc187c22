"""What the API needs around its operations: bearer tokens, and refusals that programs can read."""

from collections.abc import Callable
from importlib import import_module

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from yuanmai.core.api import problems
from yuanmai.core.api.problems import Problem
from yuanmai.core.api.throttle import check_rate
from yuanmai.core.policy import Denied
from yuanmai.core.scope import open_scope
from yuanmai.people.view_context import view_context

PREFIX = "/api/"


class ApiMiddleware:
    """For addresses under ``/api/``: let a bearer token act, and give every refusal as a problem document."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        try:
            scheme, _space, bearer = request.headers.get("Authorization", "").partition(" ")
            if scheme.lower() == "bearer" and bearer.strip():
                response = self._as_token(request, bearer.strip())
            else:
                response = self.get_response(request)
        except Exception as error:
            response = problems.answer(request, error)
        return _readable(request, response)

    def _as_token(self, request: HttpRequest, bearer: str) -> HttpResponse:
        from yuanmai.people.tokens import actor_of_token

        address = request.META.get("REMOTE_ADDR", "")
        try:
            actor = actor_of_token(bearer, address)
        except Denied:
            actor = None
        if actor is None:
            check_rate(f"bad-token:{address}", settings.API_BAD_TOKENS_PER_MINUTE)
            raise Problem(
                401,
                _("The token is not valid: unknown, expired or revoked."),
                code="unauthenticated",
                headers={"WWW-Authenticate": 'Bearer realm="yuanmai", error="invalid_token"'},
            )
        request.user = actor.user
        request.actor = actor  # type: ignore[attr-defined]
        request.api_token = True  # type: ignore[attr-defined]
        with open_scope(actor.org_ids()):
            # What a browser's session remembers must not colour the answer to a program.
            session = request.session
            request.session = import_module(settings.SESSION_ENGINE).SessionStore()
            try:
                request.view = view_context(request, actor)  # type: ignore[attr-defined]
            finally:
                request.session = session
            return self.get_response(request)


def _readable(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Turn a refusal that some other layer gave (405, 404, 413 …) into a problem document, keeping its headers."""
    response.headers.setdefault("Cache-Control", "no-store")
    if response.status_code < 400 or response.headers.get("Content-Type", "").startswith(problems.MEDIA_TYPE):
        return response
    answer = problems.respond(request, Problem(response.status_code))
    for name in ("Allow", "Retry-After", "WWW-Authenticate"):
        if name in response.headers:
            answer[name] = response.headers[name]
    return answer
