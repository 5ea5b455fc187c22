"""Debt service of a place: by year and tranche, payment dates, coverage of its projects; and the bonds of one project."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.db.models import DecimalField, ExpressionWrapper, F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from yuanmai.core.figures import Unit, evaluate_many, get
from yuanmai.core.figures.display import display, display_value
from yuanmai.core.figures.links import figure_url
from yuanmai.core.web import page
from yuanmai.funds.engine.bonds.coverage import ratio, statement
from yuanmai.funds.figures.facts import coverage as coverage_facts
from yuanmai.funds.findings.bonds import gap_years
from yuanmai.funds.issuing.debt import (
    ISSUER,
    PLACE,
    PROJECT,
    PlaceService,
    payments_due,
    place_service,
    sum_of,
)
from yuanmai.funds.issuing.service import OPERATING, plans_of
from yuanmai.funds.issuing.views.shared import amount_text, framed, names_of, query_of, yi
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.funds.reserve.rules import Rules, rules_of
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project

PAGE_SIZE = 50
COVERAGES = (
    "bonds.coverage",
    "bonds.coverage_operating",
    "bonds.coverage_with_fees",
    "bonds.coverage_all_debt",
)
RATIO: DecimalField[Any, Any] = DecimalField(max_digits=30, decimal_places=10)


def times(value: Decimal | None) -> str:
    """Return a multiple as pages show it."""
    return display_value(value, Unit.TIMES)


def _tabs(request: HttpRequest, tab: str) -> dict[str, Any]:
    tabs = (
        ("years", _("By year and tranche"), "funds:debt_service", "table"),
        ("dates", _("Payment dates"), "funds:payment_dates", "calendar"),
        ("coverage", _("Coverage of projects"), "funds:coverage", "scale"),
    )
    return {
        "tabs": [
            {"label": label, "url": framed(request, name), "active": code == tab, "icon": icon}
            for code, label, name, icon in tabs
        ],
        "breadcrumbs": [
            {
                "label": _("Debt service"),
                "url": "" if tab == "years" else framed(request, "funds:debt_service"),
            },
            *([] if tab == "years" else [{"label": next(t[1] for t in tabs if t[0] == tab), "url": ""}]),
        ],
    }


@page(SEE_FUNDS)
def years(request: HttpRequest) -> HttpResponse:
    """Interest and principal of a place by year and tranche, paid and to come."""
    query = query_of(request)
    found = place_service(query)
    names = list(found.years)
    context = {
        **_tabs(request, "years"),
        "found": found,
        "chart": _chart(found) if names else None,
        "years": [(year, service) for year, service in found.years.items()],
        "this_year": query.as_of.year,
        "lines": [
            (
                line,
                framed(request, "funds:tranche", line.tranche.uid),
                [line.years.get(year) for year in names],
            )
            for line in found.tranches
        ],
        "due": _split(found, query.as_of.year),
    }
    return render(request, "funds/issuing/debt_service.html", context)


def _split(found: PlaceService, year: int) -> dict[str, str]:
    """What falls due before, in and after a year, and the fees, as the cards show it."""

    def whole(years: Iterable[int]) -> str:
        return amount_text(sum((found.years[y].total for y in years), Decimal(0)))

    return {
        "past": whole(y for y in found.years if y < year),
        "now": whole(y for y in found.years if y == year),
        "later": whole(y for y in found.years if y > year),
        "fees": amount_text(found.fees),
    }


def _chart(found: PlaceService) -> dict[str, Any]:
    return {
        "type": "bar",
        "stack": True,
        "axis": _("Year"),
        "unit": _("100 million yuan"),
        "categories": [str(year) for year in found.years],
        "series": [
            {
                "name": _("Interest"),
                "tone": "warning",
                "data": [yi(s.interest) for s in found.years.values()],
            },
            {
                "name": _("Principal"),
                "tone": "primary",
                "data": [yi(s.principal) for s in found.years.values()],
            },
        ],
    }


@page(SEE_FUNDS)
def dates(request: HttpRequest) -> HttpResponse:
    """Every payment of a year: the day it is due, the working day it is made on, who owes whom."""
    query = query_of(request)
    levels = {
        PLACE: _("Place to place"),
        PROJECT: _("Project to place"),
        ISSUER: _("Issuer to bondholders"),
    }
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdigit() and 1990 <= int(asked) <= 2150 else query.as_of.year
    projects = dict(Project.objects.filter(org_id__in=query.org_ids).values_list("pk", "org_id"))
    dues = payments_due(query, date(year, 1, 1), date(year, 12, 31), projects)
    counts = {level: sum(1 for due in dues if due.level == level) for level in levels}
    level = request.GET.get("level", "")
    if level not in levels:
        level = next((code for code in levels if counts[code]), PROJECT)
    shown = [due for due in dues if due.level == level]
    bodies = Organisation.objects.in_bulk(
        {due.debtor for due in shown if level != PROJECT} | {due.creditor for due in shown if due.creditor}
    )
    states = names_of(query, {due.debtor for due in shown if level == PROJECT})
    page_obj = Paginator(shown, 100).get_page(request.GET.get("page"))

    def who(pk: int | None, *, project: bool) -> str:
        if pk is None:
            return _("Bondholders")
        if project:
            return states[pk].name if pk in states else _("Project outside your scope")
        return bodies[pk].label if pk in bodies else "–"

    context = {
        **_tabs(request, "dates"),
        "year": year,
        "previous_url": framed(request, "funds:payment_dates", year=str(year - 1), level=level),
        "next_url": framed(request, "funds:payment_dates", year=str(year + 1), level=level),
        "levels": [
            {
                "label": label,
                "url": framed(request, "funds:payment_dates", year=str(year), level=code),
                "active": code == level,
                "count": counts[code],
            }
            for code, label in levels.items()
        ],
        "lines": [
            {
                "due": due,
                "debtor": who(due.debtor, project=level == PROJECT),
                "creditor": who(due.creditor, project=False),
                "url": framed(request, "funds:tranche", due.tranche.uid),
                "past": due.pay_on < query.as_of,
            }
            for due in page_obj
        ],
        "page_obj": page_obj,
        "whole": sum_of(shown),
    }
    return render(request, "funds/issuing/payment_dates.html", context)


@page(SEE_FUNDS)
def coverage(request: HttpRequest) -> HttpResponse:
    """The coverage of every project in all four denominators, the lowest first, with the years of a gap."""
    query = query_of(request)
    results = evaluate_many(COVERAGES, query)
    rows = coverage_facts(query).annotate(
        quotient=ExpressionWrapper(F("net_income") * 1.0 / F("service"), output_field=RATIO)
    )
    if request.GET.get("gap") == "yes":
        rows = rows.filter(gap_years__gt=0)
    page_obj = Paginator(rows.order_by("quotient", "id"), PAGE_SIZE).get_page(request.GET.get("page"))
    records = list(page_obj)
    plans = plans_of([record.reserve for record in records], OPERATING, query)
    rules = rules_of({record.reserve.org_id for record in records}, query.as_of, query.known_at)
    lines = []
    for record in records:
        found = statement(plans[record.reserve_id])
        lines.append(
            {
                "record": record,
                "url": framed(request, "funds:debt_service_project", record.reserve.project.uid),
                "ratios": _ratios(record, rules[record.reserve.org_id]),
                "gaps": gap_years(found),
            }
        )
    context = {
        **_tabs(request, "coverage"),
        "figures": [
            {"label": get(c).name, "display": display(get(c), r), "url": figure_url(c, request.view)}  # type: ignore[attr-defined]
            for c, r in results.items()
        ],
        "lines": lines,
        "page_obj": page_obj,
        "only_gap": request.GET.get("gap") == "yes",
    }
    return render(request, "funds/issuing/coverage.html", context)


def _ratios(record: Any, rules: Rules) -> list[tuple[str, str]]:
    """The four ratios of a record as text, each with the tone of how it stands to its threshold."""
    least, most, of_all = (
        rules[code] for code in ("coverage_threshold", "coverage_upper", "coverage_all_debt")
    )
    found = (
        (ratio(record.net_income, record.service), least),
        (ratio(record.net_income, record.service_operating), least),
        (ratio(record.net_income, record.service_with_fees), least),
        (ratio(record.net_income_all_debt, record.service_all_debt), of_all if record.service_all_debt != record.service else least),
    )  # fmt: skip
    return [(times(each.value), tone_of(each.value, lower, most)) for each, lower in found]


def tone_of(value: Decimal | None, lower: Decimal, upper: Decimal) -> str:
    """Return the tone of a coverage: red below its least value, yellow where it is suspiciously high, green between."""
    if value is None:
        return "secondary"
    if value < lower:
        return "danger"
    return "warning" if value > upper else "success"
