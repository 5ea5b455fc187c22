"""Coverage in every denominator, by year and by version; checks; what if."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.web import page
from yuanmai.funds.engine.appraisal import mean_rate, returns
from yuanmai.funds.engine.bonds.checks import Check
from yuanmai.funds.engine.bonds.coverage import Statement
from yuanmai.funds.engine.bonds.horizon import fold_beyond
from yuanmai.funds.engine.bonds.stress import Factor, break_even, grid, single
from yuanmai.funds.engine.bonds.terms import Plan
from yuanmai.funds.engine.bonds.versions import Comparison, HeadRoom, Version, compare, head_room
from yuanmai.funds.issuing.service import PLANNED, plan_of
from yuanmai.funds.models import PlanYear
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.funds.reserve.queries import Examined, examine
from yuanmai.funds.reserve.views.shared import Shown, shown, wan
from yuanmai.funds.reserve.wording import percent, times, yuan

ZERO = Decimal(0)
FACTORS = {
    Factor.REVENUE: gettext_lazy("Revenue"),
    Factor.OPERATING_COST: gettext_lazy("Operating cost"),
    Factor.TAX: gettext_lazy("Tax"),
    Factor.RATE: gettext_lazy("Interest rate"),
    Factor.PRINCIPAL: gettext_lazy("Principal"),
}
CHANGES = tuple(Decimal(n) / 100 for n in (-20, -10, -5, 0, 5, 10, 20))
GRID = tuple(Decimal(n) / 100 for n in (-20, -15, -10, -5, 0, 5, 10, 15, 20))
RATIOS = {
    "all_interest": (gettext_lazy("Coverage"), gettext_lazy("principal and all interest")),
    "operating_period_interest_only": (gettext_lazy("Interest of operation only"), gettext_lazy("interest of the construction period left out")),
    "with_issue_fees": (gettext_lazy("With fees"), gettext_lazy("plus fees of issue, registration and redemption")),
    "all_debt": (gettext_lazy("All debt"), gettext_lazy("bonds and market loans")),
    "principal": (gettext_lazy("Net income ÷ principal"), gettext_lazy("interest left out")),
    "investment": (gettext_lazy("Net income ÷ investment"), gettext_lazy("over the total investment")),
}  # fmt: skip
VERSIONS = {
    Version.PLAN: PlanYear.Version.PLAN, Version.ISSUED: PlanYear.Version.ISSUED, Version.OPERATING: PlanYear.Version.OPERATING,
}  # fmt: skip


def coverage_cards(seen: Examined) -> list[dict[str, Any]]:
    """Return the ratios as cards, the four denominators first; a light where a rule judges them."""
    bounds = {"all_interest": seen.rules["coverage_threshold"]}
    if seen.application.has_loans:
        bounds["all_debt"] = seen.rules["coverage_all_debt"]
    known = bool(seen.statement.plan.years)
    cards = []
    for code, (label, note) in RATIOS.items():
        ratio = getattr(seen.statement.coverage, code)
        value = ratio.value if known else None
        light = ""
        if code in bounds:
            light = "grey" if value is None else ("green" if value >= bounds[code] else "red")
        if light == "green" and code == "all_interest" and seen.application.gap_years:
            light = "yellow"
        cards.append(
            {
                "label": label,
                "display": times(value),
                "light": light,
                "light_text": _("at least %(limit)s") % {"limit": times(bounds[code])}
                if code in bounds
                else "",
                "note": note,
                "ratio": ratio,
            }
        )
    return cards


def coverage_chart(found: Statement) -> dict[str, Any]:
    """Return debt service against net income by year in 万元; years with a negative cumulative balance in red."""
    rows = found.rows
    gap = [row.cumulative_balance < 0 for row in rows]
    return {
        "type": "bar",
        "stack": True,
        "axis": _("Year"),
        "unit": _("10,000 yuan"),
        "categories": [str(row.year) for row in rows],
        "series": [
            {"name": _("Debt service"), "tone": "primary",
             "data": [None if bad else wan(row.debt_service) for row, bad in zip(rows, gap, strict=True)]},
            {"name": _("Debt service in gap years"), "tone": "danger",
             "data": [wan(row.debt_service) if bad else None for row, bad in zip(rows, gap, strict=True)]},
            {"name": _("Net income"), "type": "line", "tone": "success", "data": [wan(row.net_revenue) for row in rows]},
            {"name": _("Cumulative balance"), "type": "line", "tone": "warning", "data": [wan(row.cumulative_balance) for row in rows]},
        ],
    }  # fmt: skip


CHECK_NAMES = {
    "principal_repaid": gettext_lazy("Principal repaid equals principal issued"),
    "loan_repaid": gettext_lazy("Loan repaid equals loan drawn"),
    "term_in_use": gettext_lazy("Term is one that is issued"),
    "capital_within_estimate": gettext_lazy("Capital within the estimate"),
    "sources_add_up": gettext_lazy("Total investment = capital + bonds + other debt"),
    "bonds_within_estimate": gettext_lazy("Bonds within the estimate"),
    "bonds_as_capital_within_issue": gettext_lazy("Bonds as capital within the bonds of the year"),
    "issued_during_construction": gettext_lazy("Issued during construction"),
    "construction_interest_within_outlay": gettext_lazy("Interest of construction within its outlay"),
    "cost_share_plausible": gettext_lazy("Cost ÷ income plausible"),
    "coverage_at_least": gettext_lazy("Coverage high enough"),
    "coverage_at_most": gettext_lazy("Coverage not suspiciously high"),
    "all_debt_at_least": gettext_lazy("Coverage of all debt high enough"),
    "no_gap_year": gettext_lazy("No year with a gap"),
    "income_within_life": gettext_lazy("Income within the life of the debt"),
    "within_horizon": gettext_lazy("Within the columns of the offering file"),
}
CHECK_ADVICE = {
    "principal_repaid": gettext_lazy("Correct the instalments."),
    "loan_repaid": gettext_lazy("Correct the loan's periods and kind."),
    "term_in_use": gettext_lazy("Choose a permitted term."),
    "capital_within_estimate": gettext_lazy("Correct capital or total investment."),
    "sources_add_up": gettext_lazy("Correct capital, bonds, other debt or total investment; bonds used as capital count once."),
    "bonds_within_estimate": gettext_lazy("Ask for fewer bonds, or correct the total investment."),
    "bonds_as_capital_within_issue": gettext_lazy("Move bonds as capital to the year in which the bonds are issued."),
    "issued_during_construction": gettext_lazy("Plan the issue before operation starts, or correct the dates."),
    "construction_interest_within_outlay": gettext_lazy("Check rate, dates and outlay of construction."),
    "cost_share_plausible": gettext_lazy("Check operating cost and revenue by year."),
    "coverage_at_least": gettext_lazy("Lower bonds, rate or cost, or show more income with evidence."),
    "coverage_at_most": gettext_lazy("Explain the income forecast."),
    "all_debt_at_least": gettext_lazy("Lower the debt, or show more income with evidence."),
    "no_gap_year": gettext_lazy("Say how the years in red are bridged, or change the repayment."),
    "income_within_life": gettext_lazy("Income outside the life of the debt does not count."),
    "within_horizon": gettext_lazy("Later years are summed in the last column."),
}  # fmt: skip
SHARES, MULTIPLES, PLAIN = {"cost_share_plausible"}, {"coverage_at_least", "coverage_at_most", "all_debt_at_least"}, {"term_in_use", "within_horizon"}  # fmt: skip


def check_lines(checks: tuple[Check, ...], *, every: bool = True) -> list[dict[str, Any]]:
    """Return the checks as pages show them, those that fail first."""
    lines = [
        {
            "code": check.code,
            "name": CHECK_NAMES[check.code],
            "subject": check.subject.removeprefix(PLANNED),
            "passed": check.passed,
            "light": "green" if check.passed else ("red" if check.level == "error" else "yellow"),
            "text": _numbers(check),
            "advice": "" if check.passed else CHECK_ADVICE[check.code],
        }
        for check in checks
        if every or not check.passed
    ]
    return sorted(lines, key=lambda line: {"red": 0, "yellow": 1, "green": 2}[str(line["light"])])


def _numbers(check: Check) -> str:
    def said(value: Any) -> str:
        if value is None:
            return "–"
        if isinstance(value, tuple):
            return ", ".join(str(entry) for entry in value) or "–"
        if not isinstance(value, Decimal):
            return str(value)
        if check.code in SHARES:
            return percent(value)
        return times(value) if check.code in MULTIPLES else yuan(value.quantize(Decimal("0.01")))

    p = check.params
    if check.code == "no_gap_year":
        return _("%(years)s; lowest balance %(value)s in %(year)s") % {
            "years": said(p["years"]), "value": said(p["value"]), "year": p["year"],
        }  # fmt: skip
    for name in ("expected", "limit", "allowed"):
        if name in p:
            return f"{said(p['value'])} / {said(p[name])}"
    return said(p["value"])


def _plans(found: Shown) -> dict[Version, Plan]:
    return {version: plan_of(found.reserve, code, found.query) for version, code in VERSIONS.items()}


def versions_table(comparison: Comparison) -> dict[str, Any]:
    """Return the versions side by side: their names, and a row for each figure."""
    found = comparison.statements
    rows: list[dict[str, Any]] = [
        {"name": _("Mean rate"), "cells": [percent(mean_rate(each.plan)) for each in found.values()]},
        {"name": _("Principal"), "money": [sum((t.principal for t in each.plan.tranches), ZERO) for each in found.values()]},
        {"name": _("Interest in all"), "money": [sum((s.interest for s in each.bonds.values()), ZERO) for each in found.values()]},
    ]  # fmt: skip
    rows += [
        {
            "name": label,
            "cells": [
                times(getattr(e.coverage, code).value if e.plan.years else None) for e in found.values()
            ],
        }
        for code, (label, _note) in RATIOS.items()
    ]
    gaps = [str(sum(1 for row in each.rows if row.cumulative_balance < 0)) for each in found.values()]
    rows.append({"name": _("Gap years"), "cells": gaps})
    return {"heads": [PlanYear.Version(VERSIONS[version]).label for version in found], "rows": rows}


def room_lines(room: HeadRoom) -> list[tuple[str, str]]:
    """Return the head-room in words: what may still happen before the coverage falls below the least."""
    if not room.holds:
        if room.coverage is None:
            return [(_("Head-room"), _("Not known: no debt service or no income is entered"))]
        need = percent(-room.income_fall) if room.income_fall is not None else "–"
        return [(_("Income must rise by"), need)]
    lines = [(_("Income may fall by"), percent(room.income_fall))]
    text = percent(room.rate) if room.rate is not None else _("no rate breaks it")
    return [*lines, (_("Rate of what is not issued yet, at most"), text)]


@page(SEE_FUNDS)
def coverage(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Coverage in every denominator, the table by year, the versions side by side, head-room, and every check."""
    found = shown(request, uid, "coverage")
    asked = request.GET.get("version", "")
    version = asked if asked in PlanYear.Version.values else PlanYear.Version.PLAN.value
    seen = examine(found.reserve, found.query, version)
    plans = _plans(found)
    issued = [t.id for t in plans[Version.ISSUED].tranches if not t.id.startswith(PLANNED)]
    left = [t.id for t in plans[Version.ISSUED].tranches if t.id.startswith(PLANNED)]
    threshold = seen.rules["coverage_threshold"]
    ceiling = seen.rules["highest_rate"]
    columns = fold_beyond(seen.statement.rows, seen.rules["horizon"])
    context = {
        **found.context,
        "seen": seen,
        "version": version,
        "versions": [
            {"label": label, "url": f"?version={code}", "active": code == version}
            for code, label in PlanYear.Version.choices
        ],
        "cards": coverage_cards(seen),
        "chart": coverage_chart(seen.statement) if seen.statement.rows else None,
        "rows": columns.rows,
        "later": columns.later,
        "beyond": columns.beyond,
        "compared": versions_table(compare(plans)),
        "issued": issued,
        "room": room_lines(
            head_room(plans[Version.ISSUED], threshold, movable=left or None, ceiling=ceiling)
        ),
        "checks": check_lines(seen.checks),
        "failed": sum(1 for check in seen.checks if not check.passed),
    }
    return render(request, "funds/reserve/coverage.html", context)


def _tone(value: Decimal | None, threshold: Decimal) -> str:
    if value is None:
        return "secondary"
    if value < 1:
        return "danger"
    return "success" if value >= threshold else "warning"


def _change(value: Decimal) -> str:
    text = f"{value * 100:+.0f} %"
    return "±0" if not value else text.replace("-", "−")


def tornado(plan: Plan, change: Decimal, base: Decimal) -> dict[str, Any]:
    """Return by how much the coverage moves when each factor changes by ± `change`, the strongest first."""
    moves = []
    for factor, label in FACTORS.items():
        low, high = (outcome.coverage for outcome in single(plan, factor, (-change, change)))
        if low is None or high is None:
            continue
        moves.append((str(label), low - base, high - base))
    moves = sorted((m for m in moves if m[1] or m[2]), key=lambda m: -max(abs(m[1]), abs(m[2])))
    cents = Decimal("0.0001")
    return {
        "type": "bar",
        "horizontal": True,
        "stack": True,
        "axis": _("Factor"),
        "categories": [name for name, _low, _high in moves],
        "series": [
            {
                "name": _change(-change),
                "tone": "danger",
                "data": [low.quantize(cents) for _n, low, _h in moves],
            },
            {
                "name": _change(change),
                "tone": "success",
                "data": [high.quantize(cents) for _n, _l, high in moves],
            },
        ],
    }


@page(SEE_FUNDS)
def stress(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What if: one factor, two factors together, where it breaks even, and the rate of return."""
    found = shown(request, uid, "stress")
    seen = examine(found.reserve, found.query, PlanYear.Version.OPERATING)
    plan, threshold = seen.statement.plan, seen.rules["coverage_threshold"]
    base = seen.statement.coverage.all_interest.value
    context: dict[str, Any] = {**found.context, "seen": seen, "known": bool(plan.years) and base is not None}
    if context["known"] and base is not None:
        rows = _factor(request.GET.get("rows", ""), Factor.REVENUE)
        columns = _factor(request.GET.get("columns", ""), Factor.RATE)
        if columns is rows:
            columns = next(factor for factor in FACTORS if factor is not rows)
        start = found.reserve.construction_start
        back = returns(seen.statement, start.year if start else None)
        table = grid(plan, rows, GRID, columns, GRID)
        context |= {
            "base": times(base),
            "threshold": times(threshold),
            "changes": [_change(change) for change in CHANGES],
            "single": [
                {
                    "name": label,
                    "cells": [
                        {"text": times(o.coverage), "tone": _tone(o.coverage, threshold), "gap": o.gap_years}
                        for o in single(plan, factor, CHANGES)
                    ],
                    "to_threshold": _even(break_even(plan, factor, threshold)),
                    "to_one": _even(break_even(plan, factor)),
                }
                for factor, label in FACTORS.items()
            ],
            "tornado": tornado(plan, Decimal("0.1"), base),
            "factors": [(factor.value, label) for factor, label in FACTORS.items()],
            "rows_factor": rows.value,
            "columns_factor": columns.value,
            "rows_name": FACTORS[rows],
            "columns_name": FACTORS[columns],
            "grid_heads": [_change(change) for change in GRID],
            "grid": [
                {
                    "head": _change(change),
                    "cells": [
                        {"text": times(o.coverage), "tone": _tone(o.coverage, threshold)} for o in outcomes
                    ],
                }
                for change, outcomes in zip(GRID, table.outcomes, strict=True)
            ],
            "irr": percent(back.project),
            "irr_capital": percent(back.capital),
        }
    return render(request, "funds/reserve/stress.html", context)


def _factor(text: str, default: Factor) -> Factor:
    try:
        return Factor(text)
    except ValueError:
        return default


def _even(value: Decimal | None) -> str:
    return "–" if value is None else f"{'+' if value > 0 else ''}{percent(value)}".replace("-", "−")
