"""What the pages of the reserve share: the record's frame, money for charts, who may what."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import WAN
from yuanmai.core.figures import Query
from yuanmai.core.findings import Finding
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.figures import facts
from yuanmai.funds.models import Reserve
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS
from yuanmai.funds.reserve.actions.entering import PREPARED
from yuanmai.funds.reserve.actions.reviewing import BODIES, possible, why_no_review
from yuanmai.funds.reserve.queries import state_of
from yuanmai.funds.reserve.workflow import TONES
from yuanmai.projects.models import ProjectState

TABS: tuple[tuple[str, Promise, str, str], ...] = (
    ("overview", gettext_lazy("Overview"), "funds:reserve_record", "layout-grid"),
    ("plan", gettext_lazy("Plan by year"), "funds:reserve_plan", "table"),
    ("coverage", gettext_lazy("Coverage"), "funds:reserve_coverage", "scale"),
    ("stress", gettext_lazy("What if"), "funds:reserve_stress", "adjustments"),
    ("checklist", gettext_lazy("Checklist"), "funds:reserve_checklist", "checklist"),
    ("uses", gettext_lazy("Uses and loans"), "funds:reserve_uses", "coins"),
    ("reviews", gettext_lazy("Reviews"), "funds:reserve_reviews", "gavel"),
    ("history", gettext_lazy("History"), "funds:reserve_history", "history"),
)


@dataclass(frozen=True)
class Shown:
    """The reserve project of a page, and what every tab of it shares."""

    reserve: Reserve
    query: Query
    state: ProjectState | None
    context: dict[str, Any]


def wan(value: Decimal | None) -> Decimal | None:
    """Return yuan as 万元 with two decimals, for charts."""
    return None if value is None else (value / WAN).quantize(Decimal("0.01"))


def frame(request: HttpRequest) -> str:
    """Return organisation and day of the page as URL parameters."""
    return urlencode(request.view.parameters)  # type: ignore[attr-defined]


def reserve_or_404(uid: UUID) -> Reserve:
    """Return a reserve project inside the data scope."""
    found = Reserve.objects.select_related("project", "org").filter(uid=uid).first()
    if found is None:
        raise Http404
    return found


def shown(request: HttpRequest, uid: UUID, tab: str) -> Shown:
    """Return what every tab of a reserve project shows: it as it stands, and as it stood on the page's day."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    reserve = reserve_or_404(uid)
    actor.require(SEE_FUNDS, reserve.org_id)
    query = Query((reserve.org_id,), view.as_of, view.known_at)
    state = state_of(reserve, query)
    then = facts.reserves(query).filter(pk=reserve.pk).values("state_then", "approved_then").first() or {}
    name = state.name if state else str(reserve.project.uid)
    may_keep = actor.why_not(KEEP_RESERVE, reserve.org_id)
    parameters = frame(request)
    steps = possible(reserve, actor)
    reviews = [
        {"body": body, "label": body.label, "why_not": why_no_review(reserve, body, actor)}
        for body, permission in BODIES.items()
        if reserve.state == PREPARED
        and reserve.submitted_at
        and not actor.why_not(permission, reserve.org_id)
    ]
    context: dict[str, Any] = {
        "reserve": reserve,
        "state": state,
        "project": reserve.project,
        "name": name,
        "query": query,
        "tone": TONES[reserve.state],
        "state_then": then.get("state_then"),
        "stood_otherwise": bool(then) and then["state_then"] != reserve.state,
        "state_then_label": Reserve.State(then["state_then"]).label if then else _("not yet in reserve"),
        "stage": stage(reserve),
        "tab": tab,
        "tabs": [
            {
                "label": label,
                "url": f"{reverse(url, args=[uid])}?{parameters}",
                "active": code == tab,
                "icon": icon,
            }
            for code, label, url, icon in TABS
        ],
        "may_keep": may_keep is None,
        "why_not_keep": may_keep or "",
        "open": reserve.state == PREPARED and reserve.submitted_at is None and reserve.withdrawn_at is None,
        "reviews_due": reviews,
        "next_step": next_step(
            reserve, [str(o.transition.name) for o in steps if o.why_not is None], reviews
        ),
        "offers": steps,
        "findings": list(
            Finding.objects.filter(
                org_id=reserve.org_id, key=f"reserve-{reserve.pk}", gone_until=KNOWN_FOREVER
            ).exclude(state="resolved")
        ),
        "breadcrumbs": [
            {"label": _("Bond reserve"), "url": f"{reverse('funds:reserve')}?{parameters}"},
            {"label": name, "url": ""},
        ],
    }
    return Shown(reserve, query, state, context)


def stage(reserve: Reserve) -> str:
    """Return in words where a project in preparation stands; its state's name otherwise."""
    if reserve.withdrawn_at is not None:
        return _("Withdrawn from the reserve")
    if reserve.state != PREPARED:
        return reserve.get_state_display()
    if reserve.submitted_at is not None:
        return _("In review")
    return _("Sent back") if reserve.sent_back_at is not None else _("In preparation")


def next_step(reserve: Reserve, names: list[str], reviews: list[dict[str, Any]]) -> str:
    """Return what the reader should do next, empty where it is somebody else's turn."""
    if any(review["why_not"] is None for review in reviews):
        return _("Review")
    return names[0] if names and not reviews else ""
