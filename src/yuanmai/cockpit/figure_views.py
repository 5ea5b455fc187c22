"""The catalogue of figures, the page of one, and the rows behind it as a workbook."""

from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.core.cache import caches
from django.core.exceptions import BadRequest
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import Context
from django.template.loader import get_template
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from yuanmai.cockpit import figure_pages as pages
from yuanmai.cockpit.answers import (
    allowed,
    check_filters,
    formula,
    parameters,
    part_text,
    parts_unit,
    visible,
)
from yuanmai.cockpit.keeping import kept, rooms_of
from yuanmai.core.documents import Column, Kind, Row, RowKind, Table, simple_head
from yuanmai.core.documents.excel import to_excel
from yuanmai.core.figures import FIGURES, Figure, Query, Unit, evaluate, evaluate_many
from yuanmai.core.figures.display import display
from yuanmai.core.permissions import SEE_FIGURES
from yuanmai.core.policy import PERMISSIONS, Denied
from yuanmai.core.search import rank_of
from yuanmai.core.web import page
from yuanmai.people.view_context import ViewContext

FRAME = {"org", "as_of", "known_at", "by", "page"}
PAGE_SIZE = 30
NAMING = {"people", "places", "enterprises", "core"}  # rooms whose names stand in the text of the page
EXPORT_MAX = 100_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def room_names() -> dict[str, str]:
    """Return the names of the rooms that have figures."""
    from django.apps import apps

    return {config.label: str(config.verbose_name) for config in apps.get_app_configs()}


@page(SEE_FIGURES)
@require_GET
def catalogue(request: HttpRequest) -> HttpResponse:
    """All figures with their definitions and, for the chosen scope and day, their values."""
    view: ViewContext = request.view  # type: ignore[attr-defined]
    text = request.GET.get("q", "").strip()
    figures = [
        f for f in visible(request.actor)  # type: ignore[attr-defined]
        if not text or rank_of(text, str(f.name), f.code, str(f.definition)) is not None
    ]  # fmt: skip
    answers = evaluate_many([f.code for f in figures], view.query())
    names = room_names()
    groups: dict[str, list[dict[str, Any]]] = {}
    for figure in figures:
        groups.setdefault(figure.room, []).append(
            {
                "figure": figure,
                "display": display(figure, answers[figure.code]),
                "url": f"/figures/{figure.code}?{urlencode(view.parameters)}",
                "dimensions": ", ".join(str(d.name) for d in figure.dimensions),
                "unit": unit_name(figure.unit),
            }
        )
    context = {
        "groups": [{"name": names.get(room, room), "figures": rows} for room, rows in groups.items()],
        "q": text,
        "count": len(figures),
    }
    return render(request, "cockpit/figures/catalogue.html", context)


def unit_name(unit: Unit) -> str:
    """Return the name of a unit."""
    return {
        Unit.COUNT: _("number"),
        Unit.YUAN: _("yuan"),
        Unit.RATIO: _("rate"),
        Unit.POINTS: _("percentage points"),
        Unit.SQUARE_METRES: "m²",
        Unit.METRES: "m",
        Unit.TIMES: _("times"),
        Unit.NUMBER: _("number"),
    }[unit]


def figure_or_404(code: str) -> Figure:
    """Return a figure; raises `Http404`."""
    figure = FIGURES.get(code)
    if figure is None:
        raise Http404
    return figure


def asked(request: HttpRequest, figure: Figure) -> tuple[Query, dict[str, str]]:
    """Return the question of an address and its filters.

    Raises `BadRequest` for a parameter that is neither the frame's nor a dimension, `Denied` for a foreign organisation.
    """
    view: ViewContext = request.view  # type: ignore[attr-defined]
    wanted = request.GET.get("org")
    if wanted and (view.org is None or view.org.code != wanted):
        refuse_org(wanted)
    filters = {key: str(value) for key, value in request.GET.items() if key not in FRAME}
    try:
        check_filters(figure, filters)
    except KeyError as error:
        raise BadRequest(str(error.args[0])) from None
    return allowed(request.actor, figure, view.query(**filters)), filters  # type: ignore[attr-defined]


def refuse_org(code: str) -> None:
    """Say why an organisation of an address cannot be shown; the same words whether or not it exists."""
    raise Denied(
        _("The organisation “%(code)s” does not exist or lies outside your data scope.") % {"code": code},
        code="scope",
    )


@page(SEE_FIGURES)
@require_GET
def figure(request: HttpRequest, code: str) -> HttpResponse:
    """One figure: value, definition, trend, parts, rows."""
    shown = figure_or_404(code)
    query, filters = asked(request, shown)
    view: ViewContext = request.view  # type: ignore[attr-defined]
    org = view.org.code if view.org else None

    def write() -> dict[str, Any]:
        context = content(request, shown, query, filters, org)
        bare = Context(
            {**context, "request": request}
        )  # without the frame, which would be made a second time
        bare.request = request  # type: ignore[attr-defined]
        body = get_template("cockpit/figures/_figure.html").template.render(bare)  # type: ignore[attr-defined]
        return {"body": body, "has_rows": bool(context["rows_page"])}

    # The same for everybody who may see the figure in this scope; the frame around it is the reader's own.
    name = f"figure:{code}:{org}:{request.GET.urlencode()}"
    written = kept(name, rooms_of(shown) | NAMING, query, write, words=True, store=caches["fragments"])
    link = parameters(query, org)
    context = {
        "figure": shown,
        "export_url": f"/figures/{code}/export?{urlencode(link)}",
        "api_url": f"/api/v1/figures/{code}?{urlencode(link)}",
        "breadcrumbs": [{"label": _("Figures"), "url": "/figures/"}, {"label": shown.name}],
        **written,
    }
    return render(request, "cockpit/figures/figure.html", context)


def content(
    request: HttpRequest, shown: Figure, query: Query, filters: dict[str, str], org: str | None
) -> dict[str, Any]:
    """Return what the page of a figure says below its head."""
    result = evaluate(shown.code, query)
    months = pages.trend_of(shown, query)
    dimensions = [d for d in shown.dimensions if d.code not in filters]
    by = request.GET.get("by", "")
    chosen = next((d for d in dimensions if d.code == by), dimensions[0] if dimensions else None)
    parts = pages.parts_of(shown, query, chosen.code, org) if chosen else []
    unit = parts_unit(shown)
    link = parameters(query, org)
    return {
        "figure": shown,
        "display": display(shown, result),
        "result": result,
        "exact": exact(result.value, shown.unit),
        "formula": formula(shown, result),
        "numerator": part_text(result.numerator, unit),
        "denominator": part_text(result.denominator, unit) if result.denominator is not None else "",
        "made": pages.make_of(shown),
        "inputs": pages.inputs_of(shown, query, org),
        "unit": unit_name(shown.unit),
        "permission": PERMISSIONS[shown.permission].name if shown.permission else "",
        "roles": pages.who_sees(shown),
        "narrowed": pages.narrowed(shown, filters, query, org),
        "query": query,
        "months": months,
        "trend": pages.trend_chart(shown, months, query, org) if len(months) > 1 else None,
        "trend_rows": [
            {"day": m.day, "now": display(shown, m.now), "then": display(shown, m.then)} for m in months
        ],
        "tabs": [
            {
                "label": str(d.name),
                "active": d is chosen,
                "url": f"?{urlencode({**link, 'by': d.code})}#parts",
            }
            for d in dimensions
        ],
        "chosen": chosen,
        "parts": parts[: pages.TABLE_PARTS],
        "more_parts": max(0, len(parts) - pages.TABLE_PARTS),
        "overlap": bool(chosen) and pages.overlapping(shown, chosen.code) if chosen else False,
        "parts_chart": pages.parts_chart(shown, parts, str(chosen.name))
        if chosen and len(parts) > 1
        else None,
        **behind(request, shown, query),
    }


def exact(value: Decimal | None, unit: Unit) -> str:
    """Return the unrounded value for the title of the big number."""
    if value is None:
        return ""
    return f"{value:,.2f}" if unit is Unit.YUAN else f"{value.normalize():f}"


def behind(request: HttpRequest, shown: Figure, query: Query) -> dict[str, Any]:
    """Return one page of the rows behind a figure, with totals that equal its numerator and denominator."""
    base, facts = pages.rows_behind(shown, query)
    if facts is None:
        return {"rows_page": None}
    total = evaluate(base.code, query)
    paginator = Paginator(facts, PAGE_SIZE)
    # Counting thousands of rows anew for each page would be most of its cost.
    paginator.count = kept(f"rows:{base.code}", rooms_of(base), query, lambda: len(facts))
    rows_page = paginator.get_page(request.GET.get("page"))
    entries = list(rows_page.object_list)
    columns = pages.columns_of(facts, entries[0].view.columns if entries else ())
    unit = parts_unit(base)
    return {
        "rows_page": rows_page,
        "rows_of": base if base is not shown else None,
        "row_columns": columns,
        "rows": [
            {
                "label": entry.view.label,
                "url": entry.view.url,
                "cells": [pages.cell(column, entry.view.columns.get(column.key)) for column in columns],
                "numerator": pages.share(entry.numerator, unit),
                "denominator": pages.share(entry.denominator, unit),
            }
            for entry in entries
        ],
        "row_unit": _("10,000 yuan") if unit is Unit.YUAN else "",
        "has_denominator": total.denominator is not None,
        "total_numerator": pages.share(total.numerator, unit),
        "total_denominator": pages.share(total.denominator, unit),
        "total_display": display(base, total),
    }


@page(SEE_FIGURES)
@require_GET
def export(request: HttpRequest, code: str) -> HttpResponse:
    """All rows behind a figure as a workbook; amounts in yuan, so that they can be reckoned with."""
    shown = figure_or_404(code)
    query, _filters = asked(request, shown)
    base, facts = pages.rows_behind(shown, query)
    if facts is None:
        raise BadRequest(pages.make_of(shown))
    content = workbook(shown, base, query, facts)
    response = HttpResponse(content, content_type=XLSX)
    name = f"{code}_{query.as_of.isoformat()}.xlsx"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def workbook(shown: Figure, base: Figure, query: Query, facts: Any) -> bytes:
    """Return the rows behind a figure as .xlsx: head with definition and date, one line a row, totals at the foot."""
    entries = list(facts[:EXPORT_MAX])
    keys = list(entries[0].view.columns) if entries else []
    columns = pages.columns_of(facts, keys)
    unit = parts_unit(base)
    total = evaluate(base.code, query)
    digits = 0 if unit is Unit.COUNT else 2
    ratio = total.denominator is not None
    number = Kind.INTEGER if unit is Unit.COUNT else Kind.DECIMAL
    kinds = [Column(3.0)]
    kinds += [Column(1.4, kind_of(column)) for column in columns]
    kinds += [Column(1.4, number, digits)] * (2 if ratio else 1)
    heads = [
        _("Name"),
        *[head(column) for column in columns],
        _("Adds to the numerator") if ratio else _("Adds"),
    ]
    if ratio:
        heads.append(_("Adds to the denominator"))
    lines = []
    for entry in entries:
        values = [plain(column, entry.view.columns.get(column.key)) for column in columns]
        adds = [whole(entry.numerator, unit)] + ([whole(entry.denominator, unit)] if ratio else [])
        lines.append(Row((entry.view.label, *values, *adds)))
    sums = [whole(total.numerator, unit)] + ([whole(total.denominator, unit)] if ratio else [])
    lines.append(Row((_("Total"), *[None] * len(columns), *sums), RowKind.TOTAL))
    known = query.known_at.astimezone().strftime("%Y-%m-%d %H:%M") if query.known_at else _("now")
    notes = (
        f"{shown.name}: {display(shown, evaluate(shown.code, query))}",
        f"{shown.definition}",
        _("As of %(day)s, as known %(moment)s. Source: %(source)s.")
        % {"day": query.as_of.isoformat(), "moment": known, "source": shown.source},
    )
    table = Table(tuple(kinds), simple_head(*heads), tuple(lines), notes=notes)
    language = (get_language() or "zh")[:2]
    return to_excel(table, title=str(shown.name), sheet=str(shown.name), language=language)


def head(column: pages.Column) -> str:
    """Return a column's head with its unit."""
    return f"{column.label} ({_('yuan')})" if column.money else column.label


def kind_of(column: pages.Column) -> Kind:
    """Return how a column of the workbook is shown."""
    if column.day:
        return Kind.DATE
    return Kind.DECIMAL if column.number or column.money else Kind.TEXT


def plain(column: pages.Column, value: Any) -> Any:
    """Return a value as the workbook takes it."""
    if value is None or isinstance(value, date | Decimal | int):
        return value
    return str(value)


def whole(value: Decimal | None, unit: Unit) -> Any:
    """Return a sum as the workbook takes it."""
    return int(value) if value is not None and unit is Unit.COUNT else value
