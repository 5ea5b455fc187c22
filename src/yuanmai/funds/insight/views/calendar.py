"""The repayment calendar: what is due when, what to set aside for it, and in which years income is too late."""

from decimal import Decimal
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from yuanmai.common.money import WAN, YI
from yuanmai.core.figures.display import display_value
from yuanmai.core.figures.model import Unit
from yuanmai.core.web import page
from yuanmai.funds.engine.calendar import MonthRow
from yuanmai.funds.insight import repayment
from yuanmai.funds.insight.pictures import unit_of
from yuanmai.funds.insight.repayment import Payment, Repayer, YearSum
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.funds.queries import ZERO

COMING = 8  # payments in the list of those to come


@page(SEE_FUNDS)
def calendar(request: HttpRequest) -> HttpResponse:
    """The calendar of a place, or with `project` of one project; with `year` its months and payments."""
    view = request.view  # type: ignore[attr-defined]
    everybody = repayment.repayers(view.query())
    uid = request.GET.get("project", "")
    found = [repayer for repayer in everybody if not uid or repayer.uid == uid]
    if uid and not found:
        raise Http404
    payments = repayment.payments(found)
    months = repayment.months(found)
    years = repayment.years(found)
    year = chosen_year(request, years)
    frame = {**view.parameters, **({"project": uid} if uid else {})}
    today = view.as_of
    coming = [payment for payment in payments if payment.payment_day >= today]
    now = next((row for row in months if row.month == (today.year, today.month)), None)
    context = {
        "project": found[0] if uid else None,
        "repayers": everybody,
        "uid": uid,
        "figures": figures(coming, now, found, today),
        "chart": year_chart(years, frame) if years else None,
        "years": [line(row, frame, year) for row in years],
        "single": len(found) == 1,
        "year": year,
        "months": month_lines(year, months, payments) if year else [],
        "month_chart": month_chart(year, months) if year else None,
        "coming": coming[:COMING],
        "gaps": [gap(repayer, frame) for repayer in found if repayer.calendar.gap_years],
        "base": address(frame),
        "all_url": address(view.parameters),
        "feeds_url": reverse("funds:calendar_addresses"),
        "keep": view.parameters,
        "breadcrumbs": crumbs(found[0] if uid else None, year, view.parameters, frame),
    }
    return render(request, "funds/insight/calendar.html", context)


def address(frame: dict[str, str], **more: Any) -> str:
    """Return an address of this page."""
    return f"{reverse('funds:calendar')}?{urlencode({**frame, **more})}"


def crumbs(
    project: Repayer | None, year: int | None, place: dict[str, str], frame: dict[str, str]
) -> list[dict[str, str]]:
    """Return where the reader is."""
    rows = [{"label": _("Repayment calendar"), "url": address(place)}]
    if project:
        rows.append({"label": project.name, "url": address(frame)})
    if year:
        rows.append({"label": str(year), "url": ""})
    return rows


def chosen_year(request: HttpRequest, years: list[YearSum]) -> int | None:
    """Return the year asked for; 404 where the calendar does not have it."""
    text = request.GET.get("year", "")
    if not text:
        return None
    if text not in {str(row.year) for row in years}:
        raise Http404
    return int(text)


def figures(
    coming: list[Payment], now: MonthRow | None, found: list[Repayer], today: Any
) -> list[dict[str, Any]]:
    """Return the sums above the page."""
    following = [p for p in coming if (p.payment_day - today).days < 366]
    first = coming[0] if coming else None
    gaps = [repayer for repayer in found if repayer.calendar.hidden]
    return [
        {
            "label": _("Next payment"),
            "display": display_value(first.amount, Unit.YUAN) if first else "–",
            "note": first.payment_day.isoformat() if first else "",
        },
        {
            "label": _("Due in the next 12 months"),
            "display": display_value(sum((p.amount for p in following), ZERO), Unit.YUAN),
            "note": ngettext("%(n)d payment", "%(n)d payments", len(following)) % {"n": len(following)},
        },
        {
            "label": _("To set aside this month"),
            "display": display_value(now.set_aside if now else ZERO, Unit.YUAN),
            "note": f"{today:%Y-%m}",
        },
        {
            "label": _("Should lie ready by the end of the month"),
            "display": display_value(now.reserve if now else ZERO, Unit.YUAN),
            "note": "",
        },
        {
            "label": _("Projects with a gap although the total covers"),
            "display": str(len(gaps)),
            "note": _("of %(n)d") % {"n": len(found)},
            "light": "red" if gaps else "green",
        },
    ]


def line(row: YearSum, frame: dict[str, str], year: int | None) -> dict[str, Any]:
    """Return a row of the table of years."""
    return {"row": row, "url": address(frame, year=row.year), "gap": row.gaps > 0, "now": row.year == year}


def gap(repayer: Repayer, frame: dict[str, str]) -> dict[str, Any]:
    """Return what is said of a project with a gap."""
    found = repayer.calendar
    deepest = min(found.years, key=lambda row: row.balance)
    return {
        "repayer": repayer,
        "url": address({**frame, "project": repayer.uid}),
        "coverage": display_value(found.coverage, Unit.TIMES),
        "hidden": found.hidden,
        "years": spans(found.gap_years),
        "deepest": deepest.balance,
        "deepest_year": deepest.year,
    }


def spans(years: tuple[int, ...]) -> str:
    """Return years as spans: 2022–2025, 2030."""
    parts: list[list[int]] = []
    for year in years:
        if parts and parts[-1][1] == year - 1:
            parts[-1][1] = year
        else:
            parts.append([year, year])
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in parts)


def _drawn(value: Decimal, divisor: Decimal) -> Decimal:
    return (value / divisor).quantize(Decimal("0.0001"))


def year_chart(years: list[YearSum], frame: dict[str, str]) -> dict[str, Any]:
    """Return income, debt service and what is set aside, by year."""
    divisor, unit = unit_of(max(max(row.income, row.due) for row in years))
    series: list[dict[str, Any]] = [
        {
            "name": _("Expected net income"),
            "tone": "success",
            "data": [_drawn(row.income, divisor) for row in years],
        },
        {"name": _("Debt service"), "tone": "primary", "data": [_drawn(row.due, divisor) for row in years]},
        {
            "name": _("From elsewhere"),
            "tone": "danger",
            "data": [_drawn(row.bridged, divisor) for row in years],
        },
    ]
    if years[0].balance is not None:
        series.append(
            {
                "name": _("Cumulative balance"),
                "type": "line",
                "tone": "warning",
                "data": [_drawn(row.balance or ZERO, divisor) for row in years],
            }
        )
    return {
        "type": "bar",
        "categories": [str(row.year) for row in years],
        "axis": _("Year"),
        "unit": unit,
        "series": series,
        "urls": [address(frame, year=row.year) for row in years],
    }


def month_chart(year: int, months: tuple[MonthRow, ...]) -> dict[str, Any]:
    """Return what is set aside, what is due and the reserve, by month of a year."""
    mine = {row.month[1]: row for row in months if row.month[0] == year}
    most = max((max(row.due, row.reserve) for row in mine.values()), default=ZERO)
    divisor, unit = (Decimal(YI), _("100 million yuan")) if most >= YI else (Decimal(WAN), _("10,000 yuan"))

    def data(name: str) -> list[Decimal]:
        return [_drawn(getattr(mine[n], name) if n in mine else ZERO, divisor) for n in range(1, 13)]

    return {
        "type": "bar",
        "categories": [f"{year}-{month:02d}" for month in range(1, 13)],
        "axis": _("Month"),
        "unit": unit,
        "series": [
            {"name": _("Set aside"), "tone": "success", "data": data("set_aside")},
            {"name": pgettext("bond", "Due"), "tone": "primary", "data": data("due")},
            {"name": _("From elsewhere"), "tone": "danger", "data": data("bridged")},
            {
                "name": _("Reserve at the end of the month"),
                "type": "line",
                "tone": "warning",
                "data": data("reserve"),
            },
        ],
    }


def month_lines(year: int, months: tuple[MonthRow, ...], payments: list[Payment]) -> list[dict[str, Any]]:
    """Return the months of a year with their payments."""
    by_month = {row.month: row for row in months}
    return [
        {
            "label": f"{year}-{month:02d}",
            "row": by_month.get((year, month)),
            "payments": [p for p in payments if (p.payment_day.year, p.payment_day.month) == (year, month)],
        }
        for month in range(1, 13)
    ]
