"""Headers that every answer carries, beyond what Django and the content security policy set."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# No page uses any of these; the position is asked for by the report form on the phone, from this host only.
PERMISSIONS = "camera=(self), geolocation=(self), microphone=(), payment=(), usb=(), interest-cohort=()"


class HeadersMiddleware:
    """Nothing of ours is embedded elsewhere, and nothing of the browser is used that we do not need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        # Pages show what one person may see; going back after signing out must not show them again.
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
