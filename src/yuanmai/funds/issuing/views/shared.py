"""What the pages of tranches share."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from yuanmai.common.money import YI, to_cents
from yuanmai.core.figures import Query, Unit
from yuanmai.core.figures.display import display_value
from yuanmai.funds.engine.bonds.schedule import maturity
from yuanmai.funds.engine.idle import Light, Stage, Standing
from yuanmai.funds.forms import percent_text
from yuanmai.funds.issuing.service import engine_terms
from yuanmai.funds.models import Tranche
from yuanmai.funds.permissions import ISSUE_BONDS
from yuanmai.projects.queries import states

TONES = {Light.GREEN: "success", Light.YELLOW: "warning", Light.RED: "danger", Light.GREY: "secondary"}


def yi(value: Decimal | None) -> Decimal | None:
    """Return yuan as 亿元 for a chart."""
    return None if value is None else (value / YI).quantize(Decimal("0.0001"))


def amount_text(value: Decimal) -> str:
    """Return yuan as a card shows it: 14.40 亿元."""
    return display_value(to_cents(value), Unit.YUAN)


def tranche_or_404(uid: UUID) -> Tranche:
    """Return a tranche that concerns the reader's data scope."""
    tranche = Tranche.objects.select_related("org").filter(uid=uid).first()
    if tranche is None:
        raise Http404
    return tranche


def framed(request: HttpRequest, name: str, *args: Any, **more: str) -> str:
    """Return an address with the frame of the page (organisation, day)."""
    return f"{reverse(name, args=args)}?{urlencode({**request.view.parameters, **more})}"  # type: ignore[attr-defined]


def query_of(request: HttpRequest) -> Query:
    """Return the question of the page."""
    return request.view.query()  # type: ignore[attr-defined]


def names_of(query: Query, project_ids: Any) -> dict[int, Any]:
    """Return the state of each project (name, uid) on the query's day, by id; one query."""
    rows = states(query).filter(project_id__in=list(project_ids)).select_related("project", "org")
    return {state.project_id: state for state in rows}


def stage_word(stage: Stage) -> str:
    """Return where a batch is in its time, in words."""
    return {
        Stage.SPENT: _("Spent"),
        Stage.RUNNING: _("In time"),
        Stage.IDLE: _("Idle"),
        Stage.TAKE_BACK: _("To be taken back"),
    }[stage]


def light_text(standing: Standing) -> str:
    """Return how a batch stands, in words for its light."""
    if standing.stage in {Stage.IDLE, Stage.TAKE_BACK, Stage.SPENT}:
        return stage_word(standing.stage)
    return word_of(standing.light)


def word_of(light: Light) -> str:
    """Return a light of spending in words."""
    return {
        Light.GREEN: _("On schedule"),
        Light.YELLOW: _("Behind schedule"),
        Light.RED: _("Far behind schedule"),
        Light.GREY: _("Not yet due"),
    }[light]


def light_of(standing: Standing) -> str:
    """Return the light of a batch: what is idle is red whatever the expectation says."""
    if standing.stage in {Stage.IDLE, Stage.TAKE_BACK}:
        return Light.RED.value
    return Light.GREEN.value if standing.stage is Stage.SPENT else standing.light.value


def header(request: HttpRequest, tranche: Tranche, tab: str) -> dict[str, Any]:
    """Return what every tab of a tranche shows: facts, tabs, breadcrumbs, rights."""
    actor = request.actor  # type: ignore[attr-defined]
    refusal = actor.why_not(ISSUE_BONDS, tranche.org_id)
    tabs = (
        ("overview", _("Allotment and spending"), "funds:tranche", "layout-grid"),
        ("service", _("Debt service"), "funds:tranche_service", "calendar-stats"),
        ("chain", _("On-lending"), "funds:tranche_chain", "sitemap"),
    )
    return {
        "tranche": tranche,
        "rate": percent_text(tranche.rate),
        "maturity": maturity(engine_terms(tranche, tranche.amount)),
        "tabs": [
            {"label": label, "url": framed(request, name, tranche.uid), "active": code == tab, "icon": icon}
            for code, label, name, icon in tabs
        ],
        "may_issue": refusal is None,
        "why_no_issue": refusal or "",
        "breadcrumbs": [
            {"label": _("Bonds and tranches"), "url": framed(request, "funds:tranches")},
            {"label": tranche.code, "url": ""},
        ],
    }


def answer(request: HttpRequest, done: str, target: str, call: Any) -> HttpResponse:
    """Run an action behind a button: what it refuses becomes a message, and the page comes back."""
    try:
        call()
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(target)


def issuing_orgs(request: HttpRequest) -> list[tuple[int, str]]:
    """Return the organisations of the user's scope in which they may keep quota and tranches, indented by depth."""
    allowed = request.actor.org_ids(ISSUE_BONDS)  # type: ignore[attr-defined]
    orgs = [org for org in request.view.orgs if org.id in allowed]  # type: ignore[attr-defined]
    top = min((org.depth for org in orgs), default=0)
    return [(org.id, "\u3000" * (org.depth - top) + org.name) for org in orgs]
