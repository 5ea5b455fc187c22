"""The router of a room's API, and the gate that every operation stands behind."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import wraps
from typing import Any, Protocol, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.translation import gettext as _
from ninja import Router as NinjaRouter
from ninja.decorators import decorate_view

from yuanmai.core.api import idempotency, problems
from yuanmai.core.api.problems import Fault, Faulty, Problem
from yuanmai.core.api.throttle import check_rate
from yuanmai.core.figures import Query
from yuanmai.core.policy import PERMISSIONS, Actor

V = TypeVar("V", bound=Callable[..., Any])
FRAME = frozenset({"org", "as_of", "known_at"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
JSON_BODY = frozenset({"application/json"})
FORM_BODY = frozenset({"multipart/form-data", "application/x-www-form-urlencoded"})


class Frame(Protocol):
    """What governs a request: the chosen organisation, the day, the moment of knowledge."""

    org: Any
    as_of: date
    known_at: datetime | None

    @property
    def org_ids(self) -> tuple[int, ...]:
        """Organisations asked about, within the caller's data scope."""

    @property
    def parameters(self) -> dict[str, str]:
        """The frame as URL parameters."""

    def query(self, **filters: str) -> Query:
        """Return the figure query of this request."""


class ApiRequest(HttpRequest):
    """A request as an operation sees it (for types only)."""

    actor: Actor
    view: Frame


@dataclass(frozen=True)
class Route:
    """An operation as declared: read by the gate, the access matrix and the documentation."""

    name: str  # module.function
    method: str
    path: str  # below the router's own prefix
    permission: str  # empty for everybody who is signed in
    writes: bool
    function: Callable[..., Any]


ROUTES: dict[str, Route] = {}


class Router(NinjaRouter):
    """A room's router. Every operation names its permission: ``@router.get("", permission=SEE, response=…)``."""

    def api_operation(
        self, methods: list[str], path: str, *, permission: str | None = None, **options: Any
    ) -> Callable[[V], V]:
        """Declare an operation; raises `TypeError` where no permission is named (``""``: whoever is signed in)."""
        if permission is None:
            raise TypeError(f"{methods} {path}: name the permission")
        declare = super().api_operation(methods, path, **options)

        def decorate(function: V) -> V:
            name = f"{function.__module__}.{function.__qualname__}"
            if name in ROUTES:
                raise ValueError(f"operation {name} is declared twice")
            method = methods[0]
            route = Route(name, method, path, permission, method not in SAFE, function)
            ROUTES[name] = route
            decorate_view(_gate(route))(function)
            return declare(function)

        return decorate

    def get(self, path: str, *, permission: str, **options: Any) -> Callable[[V], V]:  # type: ignore[override]
        """Declare a read."""
        return self.api_operation(["GET"], path, permission=permission, **options)

    def post(self, path: str, *, permission: str, **options: Any) -> Callable[[V], V]:  # type: ignore[override]
        """Declare something that is done once per call; understands ``Idempotency-Key``."""
        return self.api_operation(["POST"], path, permission=permission, **options)

    def put(self, path: str, *, permission: str, **options: Any) -> Callable[[V], V]:  # type: ignore[override]
        """Declare a replacement."""
        return self.api_operation(["PUT"], path, permission=permission, **options)

    def patch(self, path: str, *, permission: str, **options: Any) -> Callable[[V], V]:  # type: ignore[override]
        """Declare a change of parts."""
        return self.api_operation(["PATCH"], path, permission=permission, **options)

    def delete(self, path: str, *, permission: str, **options: Any) -> Callable[[V], V]:  # type: ignore[override]
        """Declare a removal."""
        return self.api_operation(["DELETE"], path, permission=permission, **options)


def _gate(route: Route) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Return what stands around an operation's run: who, whether, how often, in which form, whether a repetition."""

    def decorate(run: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        operation = getattr(run, "__self__", None)

        @wraps(run)
        def guarded(request: HttpRequest, **parameters: Any) -> HttpResponse:
            try:
                actor = getattr(request, "actor", None)
                if actor is None:
                    raise problems.unauthenticated()
                check_rate(f"user:{actor.user_id}", settings.API_RATE_PER_MINUTE)
                if route.writes and getattr(request, "api_token", None) is None:
                    _check_csrf(request)
                _check_permission(actor, route.permission)
                _check_frame(request)
                _check_names(request, operation)
                _check_body(request, operation)
                if route.method == "POST" and (key := request.headers.get("Idempotency-Key")):
                    return idempotency.once(request, actor, key, lambda: run(request, **parameters))
                return run(request, **parameters)
            except Exception as error:
                return problems.answer(request, error)

        return guarded

    return decorate


def _check_permission(actor: Actor, permission: str) -> None:
    if permission:
        if permission not in PERMISSIONS:
            raise KeyError(f"permission {permission} is not declared")
        actor.require(permission)


class _Csrf(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> Any:
        return reason


def _check_csrf(request: HttpRequest) -> None:
    """A session cookie travels by itself, so a change needs the token that only our own pages know."""
    if getattr(
        request, "_dont_enforce_csrf_checks", False
    ):  # Django's test client, unless it asks for checks
        return
    check = _Csrf(lambda _request: HttpResponse())
    check.process_request(request)
    if reason := check.process_view(request, HttpResponse, (), {}):
        raise Problem(
            403, _("The CSRF token is missing or wrong (%(reason)s).") % {"reason": reason}, code="csrf"
        )


def _check_frame(request: HttpRequest) -> None:
    """An organisation that is asked for and cannot be seen must not silently become another one."""
    asked, frame = request.GET.get("org"), getattr(request, "view", None)
    if asked and (frame is None or frame.org is None or frame.org.code != asked):
        message = _("There is no organisation with the code “%(code)s” that you may see.") % {"code": asked}
        raise Problem(404, message, code="not_found", faults=[Fault(message, "unknown", parameter="org")])


def _names(operation: Any) -> Collection[str]:
    names = set(FRAME)
    for model in getattr(operation, "models", ()):
        if model.__ninja_param_source__ == "query":
            names.update(model.__ninja_flatten_map__)
    return names


def _check_names(request: HttpRequest, operation: Any) -> None:
    """A parameter that nobody reads is a mistake: a misspelt filter would answer with everything."""
    known = _names(operation)
    faults = []
    for name, values in request.GET.lists():
        if name not in known:
            message = _("There is no parameter of this name. Known: %(names)s.") % {
                "names": ", ".join(sorted(known))
            }
            faults.append(Fault(message, "unknown", parameter=name))
        elif any("\0" in value for value in values):
            faults.append(Fault(_("This text holds a character that is not allowed."), "nul", parameter=name))
    if faults:
        raise Faulty(faults)


def _sources(operation: Any) -> Mapping[str, bool]:
    return {model.__ninja_param_source__: True for model in getattr(operation, "models", ())}


# JSON's way to write NUL, which PostgreSQL cannot store: an odd number of backslashes before u0000.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def _check_body(request: HttpRequest, operation: Any) -> None:
    """Refuse a body of another type than the operation reads, and text that no database can hold."""
    sources = _sources(operation)
    if "body" not in sources and "form" not in sources and "file" not in sources:
        return
    accepted = JSON_BODY if "body" in sources else FORM_BODY
    if request.content_type not in accepted:
        raise Problem(
            415,
            _("Send the body as %(type)s.") % {"type": ", ".join(sorted(accepted))},
            code="media_type",
            headers={"Accept": ", ".join(sorted(accepted))},
        )
    if accepted is JSON_BODY and (b"\0" in request.body or _NUL.search(request.body)):
        raise Faulty([Fault(_("This text holds a character that is not allowed."), "nul", pointer="/")])
