"""What the pages of rules and alarms share."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _

from yuanmai.devices.models import Alarm, AlarmRule
from yuanmai.devices.permissions import HANDLE_ALARMS, KEEP_RULES, SEE_DEVICES
from yuanmai.devices.registry.views.shared import seen_orgs
from yuanmai.devices.rules.queries import alarm_of, rule_of
from yuanmai.places.models import Park


def writable(request: HttpRequest, permission: str = KEEP_RULES) -> list[tuple[int, str]]:
    """Return the organisations in which the user holds a right, the chosen one first."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    allowed = actor.org_ids(permission)
    chosen = view.org.id if view.org else None
    orgs = [org for org in view.orgs if org.id in allowed]
    return [(org.id, org.name) for org in sorted(orgs, key=lambda org: (org.id != chosen, org.path))]


def parks_of(request: HttpRequest) -> Any:
    """Return the parks that the reader sees on this page."""
    return Park.objects.filter(org_id__in=seen_orgs(request)).defer("geometry").order_by("name")


def alarm_or_404(request: HttpRequest, uid: UUID) -> Alarm:
    """Return an alarm that the reader may see; raises `Http404`."""
    row = alarm_of(uid)
    if row is None or row.org_id not in request.actor.org_ids(SEE_DEVICES):  # type: ignore[attr-defined]
        raise Http404
    return row


def rule_or_404(request: HttpRequest, uid: UUID) -> AlarmRule:
    """Return a rule that the reader may see; raises `Http404`. Rules of organisations above hold below and are seen there."""
    row = rule_of(uid)
    if row is None or row.org_id not in request.actor.org_ids(SEE_DEVICES):  # type: ignore[attr-defined]
        raise Http404
    return row


def may(request: HttpRequest, permission: str, org_id: int | None = None) -> bool:
    """Whether the reader holds a right (in an organisation)."""
    return request.actor.why_not(permission, org_id) is None  # type: ignore[attr-defined]


def frame(request: HttpRequest) -> str:
    """Return the frame of the page as a query string."""
    return urlencode(request.view.parameters)  # type: ignore[attr-defined]


def back(request: HttpRequest, fallback: str) -> HttpResponse:
    """Go where the form came from, where that is on this host."""
    target = request.POST.get("next", "")
    safe = bool(target) and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(target if safe else fallback)


def refused(request: HttpRequest, error: ValidationError) -> None:
    """Tell why something was not done."""
    messages.error(request, " ".join(error.messages))


def tabs(request: HttpRequest, active: str) -> list[dict[str, Any]]:
    """Return the tabs above everything about rules."""
    entries = [
        ("rules", _("Rules"), "adjustments", SEE_DEVICES),
        ("windows", _("Maintenance windows"), "tool", HANDLE_ALARMS),
        ("channels", _("Channels and escalation"), "send", KEEP_RULES),
        ("outbox", _("Outbox"), "mail", KEEP_RULES),
    ]
    query = frame(request)
    return [
        {
            "label": label,
            "url": f"{reverse(f'devices:{name}')}?{query}",
            "icon": icon,
            "active": name == active,
        }
        for name, label, icon, permission in entries
        if may(request, permission)
    ]
