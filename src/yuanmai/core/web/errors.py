"""Errors that explain themselves, each with the request's id."""

import logging
import uuid
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from yuanmai.core.actions import request_id
from yuanmai.core.policy import Denied
from yuanmai.core.web.hooks import explain

logger = logging.getLogger(__name__)


class RequestIdMiddleware:
    """Give every request an id; it stands in the answer's header, in the audit log and on error pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = request_id.set(uuid.uuid4().hex[:16])
        request.reference = request_id.get()  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
            response["X-Request-Id"] = request_id.get()
            return response
        finally:
            request_id.reset(token)


def _page(
    request: HttpRequest, status: int, reason: str = "", rights: dict[str, Any] | None = None
) -> HttpResponse:
    context = {"status": status, "reason": reason, "rights": rights, "request_id": request_id.get()}
    return render(request, f"{status}.html", context, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """400: say what was wrong."""
    return _page(request, 400, str(exception) if isinstance(exception, BadRequest) else "")


def denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403: say why, which role would be needed, and what the reader's own roles are."""
    if not isinstance(exception, Denied):
        return _page(request, 403)
    return _page(request, 403, exception.reason, explain(request, exception))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404: there is nothing here, or nothing that you may see."""
    return _page(request, 404)


def broken(request: HttpRequest) -> HttpResponse:
    """500: our fault; the id finds the log line."""
    try:
        return _page(request, 500)
    except Exception:
        logger.exception("the error page itself failed")
        return HttpResponse(f"500 · {request_id.get()}", status=500, content_type="text/plain; charset=utf-8")
