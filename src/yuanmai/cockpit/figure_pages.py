"""What a figure's page shows: trend, breakdown, and the rows behind, each from the one registry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, DecimalField, Model
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.cockpit.answers import axis, figure_url, part_text, parts_unit
from yuanmai.cockpit.keeping import kept, rooms_of
from yuanmai.common.money import WAN, trimmed
from yuanmai.core.fields import MoneyField
from yuanmai.core.figures import (
    Calendar,
    Derived,
    Facts,
    Figure,
    Group,
    Query,
    Result,
    Unit,
    breakdown,
    evaluate_days,
    get,
    rows,
)
from yuanmai.core.figures.display import display_value
from yuanmai.core.figures.evaluate import FactRows, evaluate_many, month_ends
from yuanmai.people.actor import matches
from yuanmai.people.models import Role

CHART_PARTS = 14
TABLE_PARTS = 200
PERCENTS = {Unit.RATIO, Unit.POINTS}


@dataclass(frozen=True)
class Month:
    """A point of the trend: the figure at the end of a month, as known now and as it was known then."""

    day: date
    now: Result
    then: Result


def trend_of(figure: Figure, query: Query) -> list[Month]:
    """Return the figure at the month ends of the year up to the day asked for."""

    def compute() -> list[Month]:
        days = month_ends(query.as_of, query.as_of.month)
        thens = []
        for day in days:
            then = datetime.combine(day, time.max, timezone.get_current_timezone()).astimezone(UTC)
            if query.known_at is not None:
                then = min(then, query.known_at)
            thens.append(Query(query.org_ids, day, then, query.filters))
        now = evaluate_days([figure.code], [query.on(day) for day in days])
        known_then = evaluate_days([figure.code], thens)
        return [
            Month(day, at_present[figure.code], at_the_time[figure.code])
            for day, at_present, at_the_time in zip(days, now, known_then, strict=True)
        ]

    return list(kept(f"trend:{figure.code}", rooms_of(figure), query, compute))


def trend_chart(figure: Figure, months: list[Month], query: Query, org: str | None) -> dict[str, Any]:
    """Return the description of the trend's chart."""
    scale, word = axis(figure, (month.now.value for month in months))
    percent = figure.unit in PERCENTS

    def line(values: Iterable[Decimal | None]) -> list[Decimal | None]:
        return [None if value is None else value / scale for value in values]

    series: list[dict[str, Any]] = [
        {"name": str(figure.name), "data": line(m.now.value for m in months), "area": True, "tone": "primary"}
    ]
    if any(month.then.value for month in months) and any(m.then.value != m.now.value for m in months):
        series.append(
            {"name": _("As known then"), "data": line(m.then.value for m in months), "tone": "secondary"}
        )
    return {
        "type": "line",
        "categories": [
            month.day.isoformat()[:7] if _is_end(month.day) else month.day.isoformat() for month in months
        ],
        "axis": _("Month"),
        "unit": word,
        "percent": percent,
        "series": series,
        "urls": [figure_url(figure.code, query.on(month.day), org) for month in months],
    }


def _is_end(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


@dataclass(frozen=True)
class Part:
    """One part of a breakdown, ready for the table."""

    value: str
    label: str
    result: Result
    display: str
    numerator: str
    denominator: str
    url: str


def parts_of(figure: Figure, query: Query, dimension: str, org: str | None) -> list[Part]:
    """Return the breakdown by a dimension, the largest part first."""
    unit = parts_unit(figure)
    groups: list[Group] = breakdown(figure.code, query, dimension)

    def size(group: Group) -> tuple[bool, Decimal]:
        return group.result.value is None, -(group.result.value or Decimal(0))

    return [
        Part(
            group.value,
            str(group.label),
            group.result,
            display_value(group.result.value, figure.unit),
            part_text(group.result.numerator, unit),
            part_text(group.result.denominator, unit),
            figure_url(figure.code, query.where(**{dimension: group.value}), org),
        )
        for group in sorted(groups, key=size)
    ]


def parts_chart(figure: Figure, parts: list[Part], name: str) -> dict[str, Any]:
    """Return the description of the breakdown's chart: the largest parts as bars."""
    shown = [part for part in parts if part.result.value is not None][:CHART_PARTS]
    scale, word = axis(figure, (part.result.value for part in shown))
    return {
        "type": "bar",
        "horizontal": True,
        "categories": [part.label for part in shown],
        "axis": name,
        "unit": word,
        "percent": figure.unit in PERCENTS,
        "series": [
            {"name": str(figure.name), "data": [(p.result.value or Decimal(0)) / scale for p in shown]}
        ],
        "urls": [part.url for part in shown],
    }


def overlapping(figure: Figure, dimension: str) -> bool:
    """Whether one row may stand in several parts (lists), so that the parts add up to more than the whole."""
    return figure.dimension(dimension).values is not None


@dataclass(frozen=True)
class Cell:
    """One value of a row as text; `number` aligns it to the right, `title` has it exactly."""

    text: str
    number: bool = False
    title: str = ""
    day: bool = False


@dataclass(frozen=True)
class Column:
    """A column of the rows: key, head, and whether it holds money or dates."""

    key: str
    label: str
    money: bool = False
    day: bool = False
    number: bool = False


def columns_of(behind: FactRows, keys: Iterable[str]) -> list[Column]:
    """Return the columns of the rows behind a figure; heads and kinds come from the model's fields."""
    model: type[Model] = behind.facts.model
    columns = []
    for key in keys:
        try:
            field = model._meta.get_field(key)
        except FieldDoesNotExist:
            columns.append(Column(key, key))
            continue
        columns.append(
            Column(
                key,
                str(getattr(field, "verbose_name", key)),
                money=isinstance(field, MoneyField),
                day=isinstance(field, DateField),
                number=isinstance(field, DecimalField),
            )
        )
    return columns


def cell(column: Column, value: Any) -> Cell:
    """Return a value as a cell; money in 万元 with the exact yuan in the title."""
    if value is None or value == "":
        return Cell("–", column.number)
    if column.money:
        amount = Decimal(value)
        return Cell(trimmed(amount / WAN, 2), True, f"{amount:,.2f}")
    if column.day:
        return Cell(value.isoformat(), day=True)
    return Cell(f"{value:,}" if column.number else str(value), column.number)


def share(value: Decimal | None, unit: Unit) -> Cell:
    """Return what a row adds, as a cell."""
    if value is None:
        return Cell("–", True)
    if unit is Unit.YUAN:
        return Cell(trimmed(value / WAN, 2), True, f"{value:,.2f}")
    return Cell(part_text(value, unit), True)


def rows_behind(figure: Figure, query: Query) -> tuple[Figure, FactRows | None]:
    """Return the figure whose rows explain this one, and those rows."""
    return rows(figure.code, query)


def inputs_of(figure: Figure, query: Query, org: str | None) -> list[dict[str, str]]:
    """Return the figures that a derived figure is made of, each with value and address."""
    if not isinstance(figure, Derived):
        return []
    answers = evaluate_many(figure.inputs, query)
    result = []
    for code in figure.inputs:
        other = get(code)
        own = {d.code for d in other.dimensions}
        filters = tuple(pair for pair in query.filters if pair[0] in own)
        url = figure_url(code, Query(query.org_ids, query.as_of, query.known_at, filters), org)
        result.append(
            {"name": str(other.name), "display": display_value(answers[code].value, other.unit), "url": url}
        )
    return result


def who_sees(figure: Figure) -> list[str]:
    """Return the roles that carry the right to this figure."""
    roles = Role.objects.order_by("order", "code")
    return [
        role.label
        for role in roles
        if not figure.permission or any(matches(pattern, figure.permission) for pattern in role.permissions)
    ]


def make_of(figure: Figure) -> str:
    """Return in words how the figure is made."""
    if isinstance(figure, Calendar):
        return _("Follows from the calendar alone; there are no rows behind it.")
    if isinstance(figure, Derived):
        names = ", ".join(str(get(code).name) for code in figure.inputs)
        return _("Computed from other figures: %(names)s.") % {"names": names}
    assert isinstance(figure, Facts)
    if figure.denominator is None:
        return _("The sum of what each row adds.")
    return _("The sum of the numerators of all rows ÷ the sum of their denominators.")


def narrowed(
    figure: Figure, filters: Mapping[str, str], query: Query, org: str | None
) -> list[dict[str, str]]:
    """Return the filters in force in words, each with the address without it."""
    result = []
    for code, value in filters.items():
        dimension = figure.dimension(code)
        rest = tuple((key, text) for key, text in query.filters if key != code)
        wider = Query(query.org_ids, query.as_of, query.known_at, rest)
        result.append(
            {
                "name": str(dimension.name),
                "value": str(dimension.label(value or None)),
                "url": figure_url(figure.code, wider, org),
            }
        )
    return result
