"""Figures as answers: the question narrowed to what the asker may see, and the answer as every face gives it."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import FieldError
from django.db.models import DecimalField
from django.utils.translation import gettext as _

from yuanmai.common.money import WAN, YI
from yuanmai.core.figures import FIGURES, Derived, Facts, Figure, Query, Result, Unit, evaluate, get
from yuanmai.core.figures.display import display, display_value
from yuanmai.core.policy import Actor, Denied


def allowed(actor: Actor, figure: Figure, query: Query) -> Query:
    """Return the question narrowed to the organisations in which the actor may see this figure; raises `Denied`."""
    if not figure.permission:
        return query
    actor.require(figure.permission)
    ids = actor.org_ids(figure.permission)
    mine = tuple(pk for pk in query.org_ids if pk in ids)
    if query.org_ids and not mine:
        raise Denied(actor.why_not(figure.permission, query.org_ids[0]) or "", code=figure.permission)
    return Query(mine, query.as_of, query.known_at, query.filters)


def visible(actor: Actor) -> list[Figure]:
    """Return the figures that the actor may see somewhere, in the order of their rooms."""
    figures = [f for f in FIGURES.values() if not f.permission or not actor.why_not(f.permission)]
    return sorted(figures, key=lambda f: (f.room != "projects", f.room))


def check_filters(figure: Figure, filters: Mapping[str, str]) -> None:
    """Raise `KeyError` naming the dimensions there are, for one that the figure does not have."""
    known = [dimension.code for dimension in figure.dimensions]
    conditions = [condition.code for condition in figure.conditions]
    for code in filters:
        if code not in known and code not in conditions:
            raise KeyError(
                _("“%(code)s” is not a dimension of this figure. It has: %(known)s.")
                % {"code": code, "known": ", ".join(known) or "–"}
            )


def parameters(query: Query, org: str | None, **more: str) -> dict[str, str]:
    """Return the question as URL parameters, so that a link gives the same answer to someone else."""
    values = {"as_of": query.as_of.isoformat(), **dict(query.filters)}
    if org:
        values["org"] = org
    if query.known_at:
        values["known_at"] = query.known_at.isoformat()
    return {**values, **more}


def figure_url(code: str, query: Query, org: str | None, **more: str) -> str:
    """Return the address of a figure's page for a question."""
    return f"/figures/{code}?{urlencode(parameters(query, org, **more))}"


def figure_document(code: str, query: Query, org: str | None) -> dict[str, Any]:
    """Return a figure's answer as the API and the command line give it; raises `KeyError` for an unknown dimension."""
    figure = get(code)
    check_filters(figure, dict(query.filters))
    result = evaluate(code, query)
    return {
        "code": code,
        "name": str(figure.name),
        "unit": figure.unit.value,
        "value": result.value,
        "display": display(figure, result),
        "numerator": result.numerator,
        "denominator": result.denominator,
        "as_of": query.as_of,
        "known_at": query.known_at,
        "rows_url": figure_url(code, query, org),
    }


def definition_document(figure: Figure) -> dict[str, Any]:
    """Return a figure's definition as the API and the command line give it."""
    return {
        "code": figure.code,
        "name": str(figure.name),
        "unit": figure.unit.value,
        "definition": str(figure.definition),
        "source": str(figure.source),
        "grain": str(figure.grain),
        "dimensions": [dimension.code for dimension in figure.dimensions],
    }


def parts_unit(figure: Figure) -> Unit:
    """Return what numerator and denominator are measured in: for a rate it follows from what is summed."""
    if isinstance(figure, Derived):
        return Unit.RATIO if figure.unit is Unit.POINTS else get(figure.inputs[0]).unit
    if figure.unit not in {Unit.RATIO, Unit.TIMES}:
        return figure.unit
    if not isinstance(figure, Facts):
        return Unit.NUMBER
    return Unit.YUAN if _sums_money(figure.code) else Unit.COUNT


@cache
def _sums_money(code: str) -> bool:
    """Whether a figure sums money; a property of its definition, so it is looked at once."""
    figure = get(code)
    assert isinstance(figure, Facts)
    nothing = figure.facts(Query((), date(2000, 1, 1)))
    try:
        field = figure.numerator.resolve_expression(nothing.query).output_field  # type: ignore[attr-defined]
    except (FieldError, AttributeError):
        return False
    return isinstance(field, DecimalField)


def part_text(value: Decimal | None, unit: Unit) -> str:
    """Return a numerator or denominator as text."""
    return display_value(value, unit)


def formula(figure: Figure, result: Result) -> str:
    """Return the computation in numbers: 2.90 亿元 ÷ 11.61 亿元 = 25.0 %; empty where the value is a plain sum."""
    if result.numerator is None or result.denominator is None:
        return ""
    unit = parts_unit(figure)
    sign = "−" if isinstance(figure, Derived) and figure.unit is Unit.POINTS else "÷"
    top, bottom = part_text(result.numerator, unit), part_text(result.denominator, unit)
    return f"{top} {sign} {bottom} = {display(figure, result)}"


def axis(figure: Figure, values: Iterable[Decimal | None]) -> tuple[Decimal, str]:
    """Return what one unit of a chart's axis is, and its word: money in 亿元, small sums in 万元."""
    if figure.unit is Unit.YUAN:
        largest = max((abs(value) for value in values if value is not None), default=Decimal(0))
        return (YI, _("100 million yuan")) if largest >= YI else (WAN, _("10,000 yuan"))
    return Decimal(1), {Unit.SQUARE_METRES: "m²", Unit.METRES: "m"}.get(figure.unit, "")


def change_text(figure: Figure, now: Result, before: Result) -> tuple[str, str]:
    """Return the change since an earlier answer as text with sign, and its tone; empty where there is none."""
    if now.value is None or before.value is None:
        return "", ""
    delta = now.value - before.value
    if delta == 0:
        return "", ""
    unit = Unit.POINTS if figure.unit in {Unit.RATIO, Unit.POINTS} else figure.unit
    text = display_value(delta, unit)
    if unit is not Unit.POINTS and delta > 0:
        text = f"+{text}"
    if figure.higher_is_better is None:
        return text, ""
    return text, "success" if (delta > 0) == figure.higher_is_better else "danger"
