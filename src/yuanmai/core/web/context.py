"""What every template can rely on: the frame, the navigation, the mode."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from yuanmai.core.permissions import SEE_JOBS
from yuanmai.core.todo import todo_count
from yuanmai.core.web.hooks import menu_of
from yuanmai.core.web.navigation import navigation


def page(request: HttpRequest) -> dict[str, Any]:
    """Context processor: `view_context`, `actor`, `nav`, `todo_count`, `demo_mode`."""
    actor, view = getattr(request, "actor", None), getattr(request, "view", None)
    return {
        "actor": actor,
        "view_context": view,
        "todo_count": todo_count(actor, view.as_of) if actor is not None and view is not None else 0,
        "nav": navigation(actor, request.path) if actor is not None else "",
        "sees_jobs": actor is not None and actor.why_not(SEE_JOBS) is None,
        "demo_mode": settings.DEMO,
        **(menu_of(request) if actor is not None else {}),
    }
