"""Every request: who acts, which rows may be read, what the page shows (scope switch, as-of date)."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from yuanmai.core.scope import open_scope
from yuanmai.people.actor import UserActor
from yuanmai.people.view_context import view_context


class ActorMiddleware:
    """Set ``request.actor`` and ``request.view`` and open the data scope for signed-in users."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = None  # type: ignore[attr-defined]
        request.view = None  # type: ignore[attr-defined]
        if not request.user.is_authenticated:
            with open_scope([]):
                return self.get_response(request)
        actor = UserActor.of(request.user, address=request.META.get("REMOTE_ADDR", ""))  # type: ignore[arg-type]
        request.actor = actor  # type: ignore[attr-defined]
        with open_scope(actor.org_ids()):
            request.view = view_context(request, actor)  # type: ignore[attr-defined]
            return self.get_response(request)
