"""Answering figures: value, breakdown, trend, rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.db.models.functions import Cast

from yuanmai.core.audit.moments import at_least_here
from yuanmai.core.figures.model import (
    Calendar,
    Derived,
    Dimension,
    Facts,
    Figure,
    Query,
    Result,
    RowView,
    get,
)
from yuanmai.core.figures.sums import (
    Total,
    aggregate,
    cached,
    decimal,
    exact,
    facts_of,
    grouped,
    narrow,
    remember,
    remembered,
    result_of,
)
from yuanmai.core.policy import Text


@dataclass(frozen=True)
class Group:
    """One part of a breakdown: the dimension's value, its name, and the figure for it."""

    value: str
    label: Text
    result: Result


@dataclass(frozen=True)
class Row:
    """One row behind a figure with what it adds to numerator and denominator."""

    view: RowView
    numerator: Decimal | None
    denominator: Decimal | None


def evaluate(code: str, query: Query) -> Result:
    """Return the figure's value; kept in memory until a room that it depends on changes."""
    return evaluate_many([code], query)[code]


@at_least_here()
def evaluate_many(codes: Iterable[str], query: Query) -> dict[str, Result]:
    """Return several figures for one question.

    They share the look-up of versions and the inputs of derived figures, and those over the same facts share one query.
    """
    codes = list(codes)
    figures = _with_inputs(codes)
    keys = {code: cached(figure, "value", query) for code, figure in figures.items()}
    done: dict[str, Result] = {}
    for code, key in keys.items():
        if (result := remembered(key)) is not None:
            done[code] = result
    fresh = _compute({code: figure for code, figure in figures.items() if code not in done}, query, done)
    for code, result in fresh.items():
        remember(keys[code], result)
    done |= fresh
    return {code: done[code] for code in codes}


def _answer(figure: Facts, total: Total) -> Result:
    return result_of(figure, total.top, total.bottom)


def _with_inputs(codes: Iterable[str]) -> dict[str, Figure]:
    """Return the figures of these codes and of all their inputs, each after its own inputs."""
    found: dict[str, Figure] = {}

    def visit(code: str) -> None:
        if code not in found:
            figure = get(code)
            for needed in figure.inputs if isinstance(figure, Derived) else ():
                visit(needed)
            found[code] = figure

    for code in codes:
        visit(code)
    return found


def _compute(figures: dict[str, Figure], query: Query, done: dict[str, Result]) -> dict[str, Result]:
    """Compute figures, given in the order of their inputs; `done` holds results that are known already."""
    facts = {code: f for code, f in figures.items() if isinstance(f, Facts)}
    sums = grouped(facts.values(), query, {}, "value")
    fresh = {code: _answer(figure, sums[code].get((), Total())) for code, figure in facts.items()}
    for code, figure in figures.items():
        if isinstance(figure, Calendar):
            fresh[code] = figure.compute(query)
        elif isinstance(figure, Derived):
            fresh[code] = figure.combine({c: fresh[c] if c in fresh else done[c] for c in figure.inputs})
    return fresh


@at_least_here()
def breakdown(code: str, query: Query, dimension: str) -> list[Group]:
    """Split a figure by one of its dimensions; groups in the order of their values.

    Raises `KeyError` when the figure does not have the dimension.
    """
    figure = get(code)
    key = cached(figure, f"by-{dimension}", query)
    groups = remembered(key)
    if groups is None:
        groups = _breakdown(figure, query, dimension)
        remember(key, groups)
    return groups


def _breakdown(figure: Figure, query: Query, code: str) -> list[Group]:
    if isinstance(figure, Calendar):
        raise KeyError(f"{figure.code} has no dimension {code}")
    dimension = figure.dimension(code)
    if isinstance(figure, Derived):
        return _derived_breakdown(figure, query, dimension)
    assert isinstance(figure, Facts)
    if dimension.values is not None:
        # Rows may stand in several of these groups, so each is a question of its own.
        facts = facts_of(figure, query)
        return [
            Group(value, dimension.label(value), aggregate(figure, narrow(facts, dimension, value)))
            for value in dimension.values(facts)
        ]
    by = {"figure_dimension": _expression(dimension)}
    split = grouped([figure], query, by, f"by-{code}", daily=dimension.daily)[figure.code]
    groups = sorted(split.items(), key=lambda item: (item[0][0] is not None, item[0][0]))
    return [
        Group("" if value is None else str(value), dimension.label(value), _answer(figure, total))
        for (value,), total in groups
    ]


def _expression(dimension: Dimension) -> Any:
    return F(dimension.path) if isinstance(dimension.path, str) else dimension.path


def _derived_breakdown(figure: Derived, query: Query, dimension: Dimension) -> list[Group]:
    split: dict[str, dict[str, Group]] = {}
    whole: dict[str, Result] = {}
    for code in figure.inputs:
        if dimension.code in {d.code for d in get(code).dimensions}:
            split[code] = {group.value: group for group in breakdown(code, query, dimension.code)}
        else:
            whole[code] = evaluate(code, query)
    values = {value: group.label for groups in split.values() for value, group in groups.items()}
    nothing = Result(None)
    return [
        Group(
            value,
            label,
            figure.combine(
                {
                    **whole,
                    **{
                        c: groups[value].result if value in groups else nothing for c, groups in split.items()
                    },
                }
            ),
        )
        for value, label in values.items()
    ]


def month_ends(as_of: date, months: int) -> list[date]:
    """Return the last days of the `months` months before `as_of`'s month, and `as_of` itself, ascending."""
    days = [as_of]
    first = as_of.replace(day=1)
    for _ in range(months - 1):
        last = first - timedelta(days=1)
        days.append(last)
        first = last.replace(day=1)
    return sorted(days)


def trend(code: str, query: Query, months: int | None = None) -> list[tuple[date, Result]]:
    """Return the figure at the ends of the last months; by default the months of `as_of`'s year."""
    count = months if months is not None else query.as_of.month
    from yuanmai.core.figures.together import evaluate_days

    days = month_ends(query.as_of, count)
    answers = evaluate_days([code], [query.on(day) for day in days])
    return [(day, answer[code]) for day, answer in zip(days, answers, strict=True)]


def rows(code: str, query: Query) -> tuple[Figure, "FactRows | None"]:
    """Return the figure whose rows explain `code` (itself, or the one it derives from) and those rows."""
    figure = get(code)
    if isinstance(figure, Derived):
        return rows(figure.rows_of, query)
    return (figure, FactRows(figure, query)) if isinstance(figure, Facts) else (figure, None)


class FactRows(Sequence[Row]):
    """The rows behind a figure, read lazily and in slices, so that a page costs one page."""

    def __init__(self, figure: Facts, query: Query) -> None:
        self.figure = figure
        self.query = query
        facts = facts_of(figure, query).annotate(figure_numerator=Cast(figure.numerator, exact(figure)))
        if figure.denominator is not None:
            facts = facts.annotate(figure_denominator=Cast(figure.denominator, exact(figure)))
        # Rows of equal rank must not change places between two pages.
        self.facts = facts.order_by(*facts.query.order_by, "pk")

    def __len__(self) -> int:
        key = cached(self.figure, "rows", self.query)
        count: int | None = remembered(key)
        if count is None:
            sums = grouped([self.figure], self.query, {}, "value")[self.figure.code]
            count = sums[()].rows if () in sums else 0
            remember(key, count)
        return count

    def _row(self, obj: Any) -> Row:
        numerator, denominator = obj.figure_numerator, getattr(obj, "figure_denominator", None)
        return Row(
            self.figure.row(obj),
            None if numerator is None else decimal(self.figure, numerator),
            None if denominator is None else decimal(self.figure, denominator),
        )

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._row(obj) for obj in self.facts[index]]
        return self._row(self.facts[index])

    def __iter__(self) -> Iterator[Row]:
        return (self._row(obj) for obj in self.facts.iterator(chunk_size=2000))
