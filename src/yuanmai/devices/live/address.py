"""Where pages reach the stream of events."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from yuanmai.devices.permissions import SEE_DEVICES


def live_origin(request: HttpRequest) -> str:
    """Return scheme, host and port of the process `live` as this browser reaches it; "" where it is behind the same address."""
    if settings.LIVE_URL or not settings.LIVE_PORT:
        return ""
    host = request.get_host()
    # The port of an address such as [::1]:8000 stands behind the bracket.
    name = host.rpartition(":")[0] if ":" in host.rpartition("]")[2] else host
    return f"{request.scheme}://{name}:{settings.LIVE_PORT}"


def live_url(request: HttpRequest) -> str:
    """Return the address of the stream for pages, or "" where there is none and they shall poll."""
    origin = live_origin(request)
    return f"{origin}/live/" if origin else str(settings.LIVE_URL)


def allow_live(request: HttpRequest, response: HttpResponse) -> None:
    """Let the page connect to the process `live` on its own host, and to nothing else."""
    if origin := live_origin(request):
        update: dict[str, Any] = dict(getattr(response, "_csp_update", None) or {})
        update["connect-src"] = [*update.get("connect-src", []), origin]
        response._csp_update = update  # type: ignore[attr-defined]


def context(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `live` for those who may see devices: where their pages hear of what moves."""
    actor = getattr(request, "actor", None)
    if actor is None or actor.why_not(SEE_DEVICES) is not None:
        return {}
    match = request.resolver_match
    return {
        "live": {"url": live_url(request), "poll": reverse("devices:live_poll")},
        # Pages of devices show this moment, whatever day the figures beside them are asked for.
        "of_the_moment": match is not None and match.app_name == "devices",
    }


class LiveOrigin:
    """Middleware: pages of those who may see devices may connect to the process `live`."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        actor = getattr(request, "actor", None)
        if (
            actor is not None
            and response.headers.get("Content-Type", "").startswith("text/html")
            and actor.why_not(SEE_DEVICES) is None
        ):
            allow_live(request, response)
        return response
