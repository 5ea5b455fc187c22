"""Refusals of the API: problem documents by RFC 9457, every fault at once, in the reader's language."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    BadRequest,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
    ValidationError,
)
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from ninja.errors import HttpError
from ninja.errors import ValidationError as ParameterError

from yuanmai.core.actions import request_id
from yuanmai.core.api.wording import say
from yuanmai.core.policy import Denied

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a request: where (`pointer` into the body, or the name of a `parameter`), and what."""

    message: str
    rule: str = "invalid"
    pointer: str = ""
    parameter: str = ""


class Problem(Exception):  # noqa: N818  (a name of RFC 9457)
    """A refusal with its status, reason and faults."""

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        code: str = "",
        faults: Iterable[Fault] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.faults = list(faults)
        self.headers = dict(headers or {})
        self.more = dict(more or {})


class Conflict(Problem):
    """409: the request does not fit the present state; `detail` says how."""

    def __init__(self, detail: str) -> None:
        super().__init__(HTTPStatus.CONFLICT, detail, code="conflict")


class Faulty(Problem):
    """422: the content is wrong; every fault at once."""

    def __init__(self, faults: Iterable[Fault], detail: str = "") -> None:
        super().__init__(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            detail or _("The request has faults."),
            code="invalid",
            faults=faults,
        )


def title_of(status: int) -> str:
    """Return what a status means, in the reader's language."""
    return {
        400: _("The request cannot be read"),
        401: _("Sign in first"),
        403: _("Not allowed"),
        404: _("Not found"),
        405: _("This method is not offered here"),
        406: _("This form of answer is not offered"),
        409: _("Conflict with the present state"),
        413: _("Too large"),
        415: _("This type of content is not accepted"),
        422: _("The content has faults"),
        429: _("Too many requests"),
        500: _("The server made a mistake"),
        503: _("Not available right now"),
        507: _("No room left"),
    }.get(status) or HTTPStatus(status).phrase


def document(request: HttpRequest, problem: Problem) -> dict[str, Any]:
    """Return the problem document."""
    body: dict[str, Any] = {
        "type": f"urn:yuanmai:problem:{problem.code}" if problem.code else "about:blank",
        "title": title_of(problem.status),
        "status": problem.status,
        "instance": request.path,
        "request_id": request_id.get(),
    }
    if problem.detail:
        body["detail"] = problem.detail
    if problem.faults:
        body["errors"] = [{k: v for k, v in asdict(fault).items() if v} for fault in problem.faults]
    return {**body, **problem.more}


def respond(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the answer for a problem."""
    response = HttpResponse(
        json.dumps(document(request, problem), ensure_ascii=False, default=_lazy),
        status=problem.status,
        content_type=MEDIA_TYPE,
        headers=problem.headers,
    )
    response["Cache-Control"] = "no-store"
    return response


def _lazy(value: Any) -> str:
    if isinstance(value, Promise):
        return str(value)
    raise TypeError(f"{type(value).__name__} in a problem document")


def unauthenticated() -> Problem:
    """401, with the way in."""
    return Problem(
        401,
        _("Send a token as “Authorization: Bearer …”, or sign in."),
        code="unauthenticated",
        headers={"WWW-Authenticate": 'Bearer realm="yuanmai"'},
    )


def problem_of(error: Exception) -> Problem:
    """Return an exception as a problem; what nobody expected is logged and becomes 500 without details."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, ParameterError):
        return Faulty(parameter_faults(error.errors))
    if isinstance(error, ValidationError):
        return Faulty(field_faults(error))
    if isinstance(error, Denied):
        return Problem(403, str(error.reason), code=error.code if error.code == "csrf" else "denied")
    if isinstance(error, PermissionDenied):
        return Problem(403, str(error), code="denied")
    if isinstance(error, Http404 | ObjectDoesNotExist):
        return Problem(404, _("There is nothing here, or nothing that you may see."), code="not_found")
    if isinstance(error, RequestDataTooBig | TooManyFieldsSent):
        return Problem(413, _("The request is larger than the server accepts."), code="too_large")
    if isinstance(error, BadRequest | SuspiciousOperation):
        return Problem(400, str(error) if isinstance(error, BadRequest) else "", code="bad_request")
    if isinstance(error, HttpError):
        detail = _("The body is not valid JSON.") if error.status_code == 400 else error.message
        return Problem(error.status_code, detail, code="bad_request" if error.status_code == 400 else "")
    logger.exception("the API failed", exc_info=error)
    return Problem(
        500,
        _("Nothing of what you asked for was stored halfway. The fault is recorded under the id below."),
        code="server",
    )


def answer(request: HttpRequest, error: Exception) -> HttpResponse:
    """Return the answer for an exception."""
    return respond(request, problem_of(error))


def for_programs(page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Return an error handler that shows people `page`, and gives programs (``/api/``) a problem document."""

    def handler(request: HttpRequest, exception: Exception | None = None, **more: Any) -> HttpResponse:
        if request.path.startswith("/api/"):
            return respond(request, problem_of(exception) if exception else Problem(500, code="server"))
        return page(request, **more) if exception is None else page(request, exception, **more)

    return handler


def parameter_faults(errors: Iterable[Mapping[str, Any]]) -> list[Fault]:
    """Return the faults that schema validation found; places in the body become JSON pointers (RFC 6901)."""
    faults = []
    for error in errors:
        source, *where = error["loc"]
        # For a single body, the first part is the name of the function's argument, which callers do not know.
        path = [str(part) for part in (where[1:] if source in {"body", "form", "file"} else where)]
        rule, message = str(error["type"]), say(error)
        if source == "body":
            faults.append(Fault(message, rule, pointer="".join(f"/{_escape(part)}" for part in path) or "/"))
        else:
            faults.append(Fault(message, rule, parameter=".".join(path or map(str, where)) or source))
    return faults


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")


def field_faults(error: ValidationError) -> list[Fault]:
    """Return the faults of a Django validation error: by field where it knows the field."""
    if hasattr(error, "error_dict"):
        return [
            Fault(message, item.code or "invalid", pointer="" if name == NON_FIELD_ERRORS else f"/{name}")
            for name, items in error.error_dict.items()
            for item in items
            for message in item.messages
        ]
    return [Fault(message, item.code or "invalid") for item in error.error_list for message in item.messages]
