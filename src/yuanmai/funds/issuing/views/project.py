"""The bonds of one project: its parts of tranches, debt service and coverage in each version, head-room, gap years."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from yuanmai.common.working_days import china
from yuanmai.core.figures import Query
from yuanmai.core.web import page
from yuanmai.funds.engine.bonds.coverage import Statement
from yuanmai.funds.engine.bonds.versions import HeadRoom, Version, compare, head_room
from yuanmai.funds.findings.bonds import gap_years
from yuanmai.funds.forms import percent_text
from yuanmai.funds.issuing.idle import batches
from yuanmai.funds.issuing.queries import total
from yuanmai.funds.issuing.service import ISSUED, OPERATING, PLAN, PLANNED, plan_of
from yuanmai.funds.issuing.views.debt import times, tone_of
from yuanmai.funds.issuing.views.shared import framed, light_of, light_text, yi
from yuanmai.funds.models import PlanYear, Reserve
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.funds.reserve.rules import Rules, rules_for
from yuanmai.projects.views.record import shown_project

NEXT = 6  # payments shown


@page(SEE_FUNDS)
def bonds(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Everything about the special bonds of a project."""
    found = shown_project(request, uid, "bonds")
    if isinstance(found, HttpResponse):
        return found
    state, query = found.state, found.context["query"]
    parts = batches(query, [state.project_id])
    reserve = (
        Reserve.objects.filter(project_id=state.project_id, withdrawn_at=None).order_by("year", "pk").last()
    )
    context: dict[str, Any] = {
        **found.context,
        "reserve": reserve,
        "whole": total(part.money for part in parts),
        "lines": [
            {
                "part": part,
                "url": framed(request, "funds:tranche", part.tranche.uid),
                "rate": percent_text(part.tranche.rate),
                "light": light_of(part.standing),
                "light_text": light_text(part.standing),
                "expected": part.standing.expected_of(part.money.allotted),
            }
            for part in parts
        ],
    }
    if reserve is not None:
        context |= _statement(reserve, query, issued=bool(parts))
    return render(request, "funds/issuing/project.html", context)


def _statement(reserve: Reserve, query: Query, *, issued: bool) -> dict[str, Any]:
    operating = PlanYear.objects.filter(reserve=reserve, version=OPERATING).exists()
    versions = [(Version.PLAN, PLAN)]
    if issued:
        versions.append((Version.ISSUED, ISSUED))
    if operating:
        versions.append((Version.OPERATING, OPERATING))
    compared = compare({engine: plan_of(reserve, code, query) for engine, code in versions})
    rules = rules_for(reserve.org_id, query.as_of, query.known_at)
    newest = compared.statements[versions[-1][0]]
    movable = [entry.id for entry in newest.plan.tranches if entry.id.startswith(PLANNED)]
    room = None
    if newest.plan.years:
        room = head_room(newest.plan, rules["coverage_threshold"], movable=movable or None)
    calendar = china()
    coming = sorted(
        (row.date, key, row)
        for key, rows in newest.flows.items()
        for row in rows
        if row.date >= query.as_of and not key.startswith(PLANNED)
    )
    return {
        "versions": [
            {
                "name": PlanYear.Version(code).label,
                "ratios": _four(compared.statements[engine], rules),
                "gaps": gap_years(compared.statements[engine]),
            }
            for engine, code in versions
        ],
        "chart": _chart(newest) if newest.rows else None,
        "rows": newest.rows,
        "coverages": [times(row.year_coverage) for row in newest.rows],
        "table": [(row, times(row.year_coverage), row.cumulative_balance < 0) for row in newest.rows],
        "room": _room(room),
        "planned": bool(movable),
        "gaps": gap_years(newest),
        "coming": [
            {"due": day, "pay": calendar.on_or_after(day), "code": code, "row": row}
            for day, code, row in coming[:NEXT]
        ],
        "threshold": times(rules["coverage_threshold"]),
    }


def _four(found: Statement, rules: Rules) -> list[tuple[str, str]]:
    coverage, least, most = found.coverage, rules["coverage_threshold"], rules["coverage_upper"]
    of_all = rules["coverage_all_debt"] if found.plan.loans else least
    pairs = (
        (coverage.all_interest, least),
        (coverage.operating_period_interest_only, least),
        (coverage.with_issue_fees, least),
        (coverage.all_debt, of_all),
    )
    if not found.plan.years:
        return [("–", "secondary")] * len(pairs)
    return [(times(each.value), tone_of(each.value, lower, most)) for each, lower in pairs]


def _room(room: HeadRoom | None) -> dict[str, Any] | None:
    if room is None:
        return None
    return {
        "holds": room.holds,
        "rate": percent_text(round(room.rate, 6)) if room.rate is not None else "",
        "fall": percent_text(round(room.income_fall, 4)) if room.income_fall is not None else "",
        "rise": percent_text(round(-room.income_fall, 4)) if room.income_fall is not None else "",
    }


def _chart(found: Statement) -> dict[str, Any]:
    return {
        "type": "bar",
        "axis": _("Year"),
        "unit": _("100 million yuan"),
        "categories": [str(row.year) for row in found.rows],
        "series": [
            {"name": _("Net income"), "tone": "success", "data": [yi(row.net_revenue) for row in found.rows]},
            {
                "name": _("Debt service"),
                "tone": "warning",
                "data": [yi(row.debt_service) for row in found.rows],
            },
            {
                "name": _("Cumulative balance"),
                "type": "line",
                "tone": "primary",
                "data": [yi(row.cumulative_balance) for row in found.rows],
            },
        ],
    }
