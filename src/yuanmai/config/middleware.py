"""What the API needs around its operations: bearer tokens, and refusals that programs can read."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from yuanmai.core.api import problems
from yuanmai.core.api.problems import Problem
from yuanmai.core.api.throttle import check_rate
from yuanmai.core.scope import open_scope
from yuanmai.people.addresses import client_address
from yuanmai.people.tokens import actor_of_token
from yuanmai.people.view_context import view_context

PREFIX = "/api/"


class ApiProblems:
    """Outermost for ``/api/``: every refusal, whichever layer gave it, is a complete problem document."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        return _readable(request, response) if request.path.startswith(PREFIX) else response


class ApiTokens:
    """For ``/api/``: let a bearer token act. Stands after the middleware that knows about sessions."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        scheme, _space, bearer = request.headers.get("Authorization", "").partition(" ")
        if not request.path.startswith(PREFIX) or scheme.lower() != "bearer" or not bearer.strip():
            return self.get_response(request)
        try:
            return self._as_token(request, bearer.strip())
        except Exception as error:
            return problems.answer(request, error)

    def _as_token(self, request: HttpRequest, bearer: str) -> HttpResponse:
        address = client_address(request)
        actor = actor_of_token(bearer, address)
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
    if response.status_code < 400:
        return response
    said: dict[str, Any] = {}
    if response.headers.get("Content-Type", "").startswith(problems.MEDIA_TYPE):
        said = json.loads(response.content)
        if "request_id" in said:
            return response
    detail = str(said.get("detail") or said.get("title") or "")
    headers = {
        name: response.headers[name]
        for name in ("Allow", "Retry-After", "WWW-Authenticate")
        if name in response.headers
    }
    answer = problems.respond(request, Problem(response.status_code, detail, headers=headers))
    answer.cookies = response.cookies
    return answer
