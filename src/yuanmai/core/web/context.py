"""What every template can rely on: the frame, the navigation, the mode."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from yuanmai.core.web.hooks import menu_of
from yuanmai.core.web.navigation import navigation


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `view_context`, `actor`, `nav`, `demo_mode`."""
    actor = getattr(request, "actor", None)
    return {
        "actor": actor,
        "view_context": getattr(request, "view", None),
        "nav": navigation(actor, request.path) if actor is not None else [],
        "demo_mode": settings.DEMO,
        **(menu_of(request) if actor is not None else {}),
    }
