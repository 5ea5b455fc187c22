"""Contradictions in the library: sums that do not add up, more done than there is, totals stated otherwise."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.actions import Act
from yuanmai.core.figures import FIGURES, Query, Unit, evaluate, get
from yuanmai.core.figures.display import chinese, display_value
from yuanmai.core.findings import Finding, FindingKind, Found, finding_kind
from yuanmai.core.findings_actions import store_findings
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.people.actor import subtree_ids
from yuanmai.people.models import Organisation
from yuanmai.projects.engine.checks import PLAN_TWICE
from yuanmai.projects.models import ProjectState, StatedTotal
from yuanmai.projects.queries import states

SUBPROJECTS_SUM = "projects.subprojects_sum"
DONE_OVER_TOTAL = "projects.done_over_total"
DONE_OVER_PLAN = "projects.done_over_plan"
STATED_TOTAL = "projects.stated_total"
OF_PROJECTS = (SUBPROJECTS_SUM, DONE_OVER_TOTAL, DONE_OVER_PLAN)


def _yuan(value: Any) -> str:
    return yuan_text(Decimal(str(value)), chinese=chinese())


def _subprojects(params: Mapping[str, Any]) -> str:
    return _("“%(name)s”: the sub-projects add up to %(sum)s, the main project says %(total)s.") % {
        "name": params["name"],
        "sum": _yuan(params["sum"]),
        "total": _yuan(params["total"]),
    }


def _over_total(params: Mapping[str, Any]) -> str:
    return _("“%(name)s”: %(done)s done is more than the total investment of %(total)s.") % {
        "name": params["name"],
        "done": _yuan(params["done"]),
        "total": _yuan(params["total"]),
    }


def _over_plan(params: Mapping[str, Any]) -> str:
    return _("“%(name)s”: %(done)s done is more than one and a half times the year's plan of %(plan)s.") % {
        "name": params["name"],
        "done": _yuan(params["done"]),
        "plan": _yuan(params["plan"]),
    }


def _stated(params: Mapping[str, Any]) -> str:
    figure = FIGURES.get(params["figure"])
    unit = figure.unit if figure else Unit.NUMBER
    computed = params.get("computed")
    return _("%(label)s: stated as %(stated)s, the rows give %(computed)s.") % {
        "label": params["label"],
        "stated": display_value(Decimal(params["stated"]), unit),
        "computed": display_value(Decimal(computed) if computed is not None else None, unit),
    }


finding_kind(
    FindingKind(
        SUBPROJECTS_SUM,
        gettext_lazy("Sub-projects do not add up"),
        _subprojects,
        gettext_lazy("Correct the main project's total investment, or add the sub-project that is missing."),
    )
)
finding_kind(
    FindingKind(
        DONE_OVER_TOTAL,
        gettext_lazy("More done than the total investment"),
        _over_total,
        gettext_lazy("Check the unit of the last report; if the project grew, raise its total investment."),
    )
)
finding_kind(
    FindingKind(
        DONE_OVER_PLAN,
        gettext_lazy("Far more done than planned"),
        _over_plan,
        gettext_lazy("Check the unit of the last report and of the year's plan."),
    )
)
finding_kind(
    FindingKind(
        STATED_TOTAL,
        gettext_lazy("Stated total differs from the rows"),
        _stated,
        gettext_lazy("Ask the author of the source which projects it counted."),
    )
)


def evidence(state: ProjectState, value: Any) -> dict[str, Any]:
    """Return a project as a line of evidence."""
    return {
        "label": state.name,
        "url": reverse("projects:record", args=[state.project.uid]),
        "value": None if value is None else str(value),
    }


def refresh_findings(
    org_ids: Iterable[int], as_of: date, act: Act, project_ids: Iterable[int] | None = None
) -> None:
    """Look for contradictions as of a day, inside a running action: open the new ones, close those that are gone.

    `project_ids` limits the look to these projects and their main projects; without it everything is looked at.
    """
    orgs = tuple(sorted(set(org_ids)))
    if not orgs:
        return
    rows = states(Query(orgs, as_of)).select_related("project").order_by()
    looked: set[int] | None = None
    if project_ids is not None:
        looked = set(project_ids)
        parents = rows.filter(project_id__in=looked).exclude(parent=None).values_list("parent_id", flat=True)
        looked |= set(parents)
    found = _of_projects(rows, looked)
    for org_id in orgs:
        here = [item for owner, item in found if owner == org_id]
        keys = None if looked is None else {_key(pk) for pk in looked}
        settle(act, org_id, OF_PROJECTS, here, as_of, keys)
        stated, checked = _stated_totals(org_id, as_of)
        settle(act, org_id, (STATED_TOTAL,), stated, as_of, checked)


def settle(
    act: Act, org_id: int, kinds: Iterable[str], found: Iterable[Found], as_of: date, keys: set[str] | None
) -> None:
    """Store what was found and close what was looked at (`keys`, None for everything) and not found again."""
    found = list(found)
    if found:
        store_findings(act, org_id, found, as_of)
    close_gone(act, org_id, kinds, found, keys)


def close_gone(
    act: Act, org_id: int, kinds: Iterable[str], found: Iterable[Found], keys: set[str] | None
) -> None:
    """Close what was looked at (`keys`, None for everything) and not found again."""
    gone = Finding.objects.filter(org_id=org_id, kind__in=list(kinds), gone_until=KNOWN_FOREVER)
    if keys is not None:
        gone = gone.filter(key__in=keys)
    present = {(item.kind, item.key) for item in found}
    ids = [row.pk for row in gone.only("id", "kind", "key") if (row.kind, row.key) not in present]
    if ids:
        Finding.objects.filter(pk__in=ids).update(gone_until=act.now, state=Finding.State.RESOLVED)


def _key(project_id: int) -> str:
    return f"project-{project_id}"


def _of_projects(rows: Any, looked: set[int] | None) -> list[tuple[int, Found]]:
    wanted = rows if looked is None else rows.filter(project_id__in=looked)
    found: list[tuple[int, Found]] = []
    mains: dict[int, ProjectState] = {}
    for state in wanted.iterator(chunk_size=2000):
        mains[state.project_id] = state
        found += [(state.org_id, item) for item in _of_one(state)]
    children: dict[int, list[ProjectState]] = defaultdict(list)
    parts = rows.filter(main=False)
    if looked is not None:
        parts = parts.filter(parent_id__in=looked)
    for part in parts.iterator(chunk_size=2000):
        children[part.parent_id].append(part)
    for parent_id, members in children.items():
        main = mains.get(parent_id)
        if main is None or main.total_investment is None:
            continue
        if any(part.total_investment is None for part in members):
            continue
        total = sum((part.total_investment for part in members if part.total_investment), Decimal(0))
        if total != main.total_investment:
            params = {"name": main.name, "sum": str(total), "total": str(main.total_investment)}
            lines = [
                evidence(main, main.total_investment),
                *(evidence(p, p.total_investment) for p in members),
            ]
            found.append((main.org_id, Found(SUBPROJECTS_SUM, _key(parent_id), params, lines)))
    return found


def _of_one(state: ProjectState) -> Iterable[Found]:
    total, plan = state.total_investment, state.planned_investment
    done = max(
        (amount for amount in (state.done_total, state.investment_done) if amount is not None), default=None
    )
    if total is not None and done is not None and done > total:
        params = {"name": state.name, "done": str(done), "total": str(total)}
        yield Found(DONE_OVER_TOTAL, _key(state.project_id), params, [evidence(state, done)])
    year = state.investment_done
    if plan and year is not None and year > plan * PLAN_TWICE:
        params = {"name": state.name, "done": str(year), "plan": str(plan)}
        yield Found(DONE_OVER_PLAN, _key(state.project_id), params, [evidence(state, year)], "warning")


def tolerance(value: Decimal) -> Decimal:
    """Return half of the last digit that a stated number shows: 75.70 亿元 may be 75.695 … 75.705 亿元."""
    exponent = value.normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    if value == value.to_integral_value() and abs(value) < 10_000:
        return Decimal(0)  # a count
    return Decimal(1).scaleb(exponent) / 2


def _stated_totals(org_id: int, as_of: date) -> tuple[list[Found], set[str]]:
    """Compare every total that a source states for `org_id` with its figure on the total's own day."""
    rows = list(StatedTotal.objects.filter(org_id=org_id, retracted_at=None))
    if not rows:
        return [], set()
    path = Organisation.objects.values_list("path", flat=True).get(pk=org_id)
    orgs = tuple(sorted(subtree_ids([path])[path]))
    found, checked = [], set()
    for row in rows:
        if row.figure not in FIGURES:
            continue
        key = f"{row.figure}:{row.label}:{row.effective_on}"[:200]
        checked.add(key)
        filters = tuple(sorted((str(name), str(value)) for name, value in row.filters.items()))
        value = evaluate(row.figure, Query(orgs, row.effective_on, None, filters)).value
        if value is not None and abs(value - row.value) <= tolerance(row.value):
            continue
        params = {
            "label": row.label,
            "figure": row.figure,
            "stated": str(row.value.normalize()),
            "computed": None if value is None else str(value),
            "source": row.source,
        }
        lines: list[Mapping[str, Any]] = [
            {"label": row.source or row.label, "url": "", "value": str(row.value)},
            {
                "label": str(get(row.figure).name),
                "url": f"/figures/{row.figure}?as_of={row.effective_on}",
                "value": None if value is None else str(value),
            },
        ]
        found.append(Found(STATED_TOTAL, key, params, lines))
    return found, checked
