"""Contradictions of the reserve: the application against the project library, and the plan against itself."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.actions import Act
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese
from yuanmai.core.findings import FindingKind, Found, finding_kind
from yuanmai.funds.engine.bonds.checks import check_plan
from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.review import OWN_GATES
from yuanmai.funds.issuing.service import plans_of
from yuanmai.funds.models import PlanYear, Reserve
from yuanmai.funds.reserve.rules import rules_of
from yuanmai.projects.findings import evidence, settle
from yuanmai.projects.queries import states

TOTAL_DIFFERS = "funds.reserve_total"
PLAN_DISAGREES = "funds.reserve_plan"
KINDS = (TOTAL_DIFFERS, PLAN_DISAGREES)


def _total(params: Mapping[str, Any]) -> str:
    def shown(name: str) -> str:
        return yuan_text(Decimal(str(params[name])), chinese=chinese())

    return _("“%(name)s”: the application states a total investment of %(reserve)s, the project library %(library)s.") % {
        "name": params["name"], "reserve": shown("reserve"), "library": shown("library"),
    }  # fmt: skip


def _plan(params: Mapping[str, Any]) -> str:
    return _("“%(name)s”: %(n)s checks of the financing and income plan fail.") % {
        "name": params["name"],
        "n": len(params["checks"]),
    }


finding_kind(
    FindingKind(
        TOTAL_DIFFERS,
        gettext_lazy("Total investment of application and library differ"),
        _total,
        gettext_lazy(
            "Find out which is right: correct the application, or state the project's total investment anew."
        ),
    )
)
finding_kind(
    FindingKind(
        PLAN_DISAGREES,
        gettext_lazy("Figures of a bond plan disagree"),
        _plan,
        gettext_lazy("Open the reserve project: every check that fails says what to do."),
    )
)


def refresh_reserve(act: Act, reserves: Iterable[Reserve], on: date) -> None:
    """Look for contradictions of these reserve projects as of a day, inside a running action."""
    rows = list(reserves)
    orgs = tuple({row.org_id for row in rows})
    query = Query(orgs, on)
    library = {state.project_id: state for state in states(query).filter(project_id__in=[r.project_id for r in rows]).select_related("project")}  # fmt: skip
    plans = plans_of(rows, PlanYear.Version.PLAN, query)
    rules = rules_of(orgs, on)
    found: dict[int, list[Found]] = {org_id: [] for org_id in orgs}
    for row in rows:
        state = library.get(row.project_id)
        if row.withdrawn_at is not None or state is None:
            continue
        key, url = f"reserve-{row.pk}", reverse("funds:reserve_record", args=[row.uid])
        if state.total_investment is not None and state.total_investment != row.total_investment:
            params = {
                "name": state.name,
                "reserve": str(row.total_investment),
                "library": str(state.total_investment),
            }
            here = {"label": str(_("Application")), "url": url, "value": str(row.total_investment)}
            found[row.org_id].append(
                Found(TOTAL_DIFFERS, key, params, [here, evidence(state, state.total_investment)], "warning")
            )
        plan = plans[row.pk]
        if not plan.years or row.submitted_at is None:
            continue  # still being entered
        checks = check_plan(statement(plan), rules[row.org_id].engine())
        failed = sorted({c.code for c in checks if not c.passed and c.level == "error"} - OWN_GATES)
        if failed:
            lines = [{"label": code, "url": url, "value": ""} for code in failed]
            found[row.org_id].append(
                Found(PLAN_DISAGREES, key, {"name": state.name, "checks": failed}, lines)
            )
    keys = {f"reserve-{row.pk}" for row in rows}
    for org_id, items in found.items():
        settle(act, org_id, KINDS, items, on, keys)
