"""The same events for pages that cannot hold a stream open."""

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from yuanmai.core.web.pages import page
from yuanmai.devices.live.feed import Cursor, changes
from yuanmai.devices.live.topics import Topics
from yuanmai.devices.permissions import SEE_DEVICES


@page(SEE_DEVICES)
def live_poll(request: HttpRequest) -> JsonResponse:
    """Return what has changed behind `since` (of an earlier answer) and belongs to `topics`; without `since` only the mark."""
    try:
        topics = Topics.read(request.GET.get("topics", ""))
    except ValueError as error:
        return JsonResponse({"detail": _("There is no topic “%(topic)s”.") % {"topic": error}}, status=400)
    since = Cursor.read(request.GET.get("since", ""))
    if since is None:
        return JsonResponse({"id": str(Cursor.now()), "reset": False, "events": []})
    orgs = request.actor.grants.by_permission.get(SEE_DEVICES, frozenset())  # type: ignore[attr-defined]
    found = changes(since, topics, orgs)
    events = [{"kind": event.kind, "data": event.data} for event in found.events if topics.want(event)]
    return JsonResponse({"id": str(found.cursor), "reset": found.reset, "events": events})
