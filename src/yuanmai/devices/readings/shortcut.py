"""The quick way in: POST /api/v1/readings with a token or key, before Django's middleware is gone through.

It does what the declared route does, with the same function; requests without `Authorization` (browsers) take the route.
"""

import time
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from django.utils import translation

from yuanmai.core.actions import request_id
from yuanmai.core.api import problems
from yuanmai.core.web.language import best_language
from yuanmai.core.web.metrics import COUNTS
from yuanmai.devices.readings.senders import KNOWN
from yuanmai.devices.readings.taking import MOST_BYTES, REPEATED, Taken, take, too_large
from yuanmai.people.addresses import client_address

PATH = "/api/v1/readings"
VIEW = "api:readings"
Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]
REASONS = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


@dataclass(slots=True)
class _Request:
    """As much of a request as refusals look at."""

    path: str
    META: dict[str, Any]


def with_shortcut(application: App) -> App:
    """Return the application with the quick way in before it."""

    def enter(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if (
            environ.get("PATH_INFO") == PATH
            and environ.get("REQUEST_METHOD") == "POST"
            and environ.get("HTTP_AUTHORIZATION")
            and not environ.get("QUERY_STRING")
        ):
            return answer(environ, start)
        return application(environ, start)

    return enter


def answer(environ: dict[str, Any], start: Start) -> Iterable[bytes]:
    """Take the batch in a request and answer it."""
    began = time.perf_counter()
    reference = uuid.uuid4().hex[:16]
    token = request_id.set(reference)
    headers = [
        ("X-Request-Id", reference),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    try:
        taken, again = _take(environ)
        status, body = 200, orjson.dumps(taken.plain())
        headers.append(("Content-Type", "application/json; charset=utf-8"))
        if again:
            headers.append(("Idempotency-Replayed", "true"))
    except Exception as error:
        with translation.override(best_language(environ.get("HTTP_ACCEPT_LANGUAGE", ""))):
            status, body, more = _refusal(environ, error)
        headers += more
    finally:
        request_id.reset(token)
    headers.append(("Content-Length", str(len(body))))
    COUNTS.add((VIEW, "POST", f"{status // 100}xx"), time.perf_counter() - began)
    start(REASONS.get(status, str(status)), headers)
    return [body]


def _take(environ: dict[str, Any]) -> tuple[Taken, bool]:
    # The words of a refusal are chosen where it arises.
    translation.activate(best_language(environ.get("HTTP_ACCEPT_LANGUAGE", "")))
    request = _Request(PATH, environ)
    sender = KNOWN.sender(environ["HTTP_AUTHORIZATION"], client_address(request))
    body = _body(environ)
    kind, encoding = environ.get("CONTENT_TYPE", ""), environ.get("HTTP_CONTENT_ENCODING", "")
    key = environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None:
        return REPEATED.once(key, body, kind, encoding, sender)
    return take(body, kind, encoding, sender), False


def _body(environ: dict[str, Any]) -> bytes:
    try:
        length = int(environ.get("CONTENT_LENGTH") or -1)
    except ValueError:
        length = -1
    if length > MOST_BYTES:
        raise too_large()
    found: bytes = environ["wsgi.input"].read(length if length >= 0 else MOST_BYTES + 1)
    return found


def _refusal(environ: dict[str, Any], error: Exception) -> tuple[int, bytes, list[tuple[str, str]]]:
    request: Any = _Request(PATH, environ)
    response = problems.respond(request, problems.problem_of(error))
    skipped = {"Cache-Control", "Content-Length"}
    return (
        response.status_code,
        response.content,
        [(name, value) for name, value in response.items() if name not in skipped],
    )
