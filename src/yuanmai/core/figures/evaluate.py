"""Answering figures: value, breakdown, trend, rows."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from django.core.cache import cache
from django.db.models import DecimalField, F, Q, QuerySet, Sum
from django.db.models.functions import Cast

from yuanmai.core.actions import acting
from yuanmai.core.audit.log import versions
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
from yuanmai.core.policy import Text


def _exact(figure: Facts) -> DecimalField[Any, Any]:
    """Return the type sums are made in.

    SQLite adds in double precision; rounding to the figure's own places (cents, for money) takes its error away again
    for every sum below 10 trillion yuan.
    """
    return DecimalField(max_digits=24, decimal_places=figure.places)


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


def _decimal(figure: Facts, value: Any) -> Decimal:
    """Return an exact Decimal, at most as fine as the figure's contributions, without trailing zeros; None counts as 0.

    SQLite hands a sum back as a double, however its type was stated: ten cents a thousand times are 99.9999999999986.
    """
    if value is None:
        return Decimal(0)
    number = Decimal(str(value)).quantize(Decimal(1).scaleb(-figure.places))
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def _result(figure: Facts, numerator: Any, denominator: Any) -> Result:
    top = _decimal(figure, numerator)
    if figure.denominator is None:
        return Result(top, top, None)
    bottom = _decimal(figure, denominator)
    return Result(top / bottom if bottom else None, top, bottom)


def _sums(figure: Facts) -> dict[str, Sum]:
    sums = {"figure_numerator": Sum(Cast(figure.numerator, _exact(figure)))}
    if figure.denominator is not None:
        sums["figure_denominator"] = Sum(Cast(figure.denominator, _exact(figure)))
    return sums


def facts_of(figure: Facts, query: Query) -> QuerySet[Any]:
    """Return the facts of a figure, narrowed by the query's filters; raises `KeyError` for an unknown dimension."""
    facts = figure.facts(query)
    for code, value in query.filters:
        facts = narrow(facts, figure.dimension(code), value)
    return facts


def narrow(facts: QuerySet[Any], dimension: Dimension, value: str) -> QuerySet[Any]:
    """Keep the facts that have `value` in `dimension`."""
    if dimension.narrow is not None:
        return dimension.narrow(facts, value)
    if isinstance(dimension.path, str):
        if value:
            return facts.filter(**{dimension.path: value})
        # "Not stated" is an empty text or, across an optional relation, nothing at all.
        return facts.filter(Q(**{dimension.path: ""}) | Q(**{f"{dimension.path}__isnull": True}))
    return facts.annotate(figure_dimension=dimension.path).filter(figure_dimension=value)


def _cached(figure: Figure, what: str, query: Query, known: dict[str, int]) -> str:
    version = "-".join(str(known.get(room, 0)) for room in (figure.room, *figure.rooms))
    question = blake2b(query.key.encode(), digest_size=16).hexdigest()
    return f"figure:{what}:{figure.code}:{version}:{question}"


def _remembered(key: str) -> Any:
    # Inside a running action the data may be ahead of the version, and may yet be rolled back.
    return None if acting.get() else cache.get(key)


def _remember(key: str, value: Any) -> None:
    if not acting.get():
        cache.set(key, value)


def evaluate(code: str, query: Query) -> Result:
    """Return the figure's value; kept in memory until a room that it depends on changes."""
    return evaluate_many([code], query)[code]


def evaluate_many(codes: Iterable[str], query: Query) -> dict[str, Result]:
    """Return several figures for one question.

    They share the look-up of versions and the inputs of derived figures, and those over the same facts share one query.
    """
    codes = list(codes)
    known = versions()
    figures = _with_inputs(codes)
    keys = {code: _cached(figure, "value", query, known) for code, figure in figures.items()}
    done: dict[str, Result] = {}
    for code, key in keys.items():
        if (result := _remembered(key)) is not None:
            done[code] = result
    fresh = _compute({code: figure for code, figure in figures.items() if code not in done}, query, done)
    for code, result in fresh.items():
        _remember(keys[code], result)
    done |= fresh
    return {code: done[code] for code in codes}


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
    fresh = _aggregate_many([f for f in figures.values() if isinstance(f, Facts)], query)
    for code, figure in figures.items():
        if isinstance(figure, Calendar):
            fresh[code] = figure.compute(query)
        elif isinstance(figure, Derived):
            fresh[code] = figure.combine({c: fresh[c] if c in fresh else done[c] for c in figure.inputs})
    return fresh


def _aggregate_many(figures: Iterable[Facts], query: Query) -> dict[str, Result]:
    """Sum figures with one query for each different set of facts."""
    together: dict[Hashable, list[tuple[Facts, QuerySet[Any]]]] = defaultdict(list)
    for figure in figures:
        facts = facts_of(figure, query)
        together[_same_facts(facts) or figure.code].append((figure, facts))
    results = {}
    for members in together.values():
        sums = {
            f"{name}_{number}": total
            for number, (figure, _facts) in enumerate(members)
            for name, total in _sums(figure).items()
        }
        row = members[0][1].aggregate(**sums)
        for number, (figure, _facts) in enumerate(members):
            results[figure.code] = _result(
                figure, row[f"figure_numerator_{number}"], row.get(f"figure_denominator_{number}")
            )
    return results


def _same_facts(facts: QuerySet[Any]) -> Hashable | None:
    """Return a key that equal sets of facts share; None where that cannot be told.

    Conditions and annotations compare by what they say; a subquery only equals itself, so that in doubt two sets differ.
    """
    query = facts.query
    if query.is_sliced or query.distinct or query.combinator or query.group_by is not None:
        return None
    key = (facts.model, query.where, tuple(query.annotations.items()), tuple(query.alias_map.values()))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def breakdown(code: str, query: Query, dimension: str) -> list[Group]:
    """Split a figure by one of its dimensions; groups in the order of their values.

    Raises `KeyError` when the figure does not have the dimension.
    """
    figure = get(code)
    key = _cached(figure, f"by-{dimension}", query, versions())
    groups = _remembered(key)
    if groups is None:
        groups = _breakdown(figure, query, dimension)
        _remember(key, groups)
    return groups


def _breakdown(figure: Figure, query: Query, code: str) -> list[Group]:
    if isinstance(figure, Calendar):
        raise KeyError(f"{figure.code} has no dimension {code}")
    dimension = figure.dimension(code)
    if isinstance(figure, Derived):
        return _derived_breakdown(figure, query, dimension)
    assert isinstance(figure, Facts)
    facts = facts_of(figure, query)
    if dimension.values is not None:
        return [
            Group(value, dimension.label(value), _aggregate(figure, narrow(facts, dimension, value)))
            for value in dimension.values(facts)
        ]
    grouped = (
        facts.order_by()
        .annotate(figure_dimension=_expression(dimension))
        .values("figure_dimension")
        .annotate(**_sums(figure))
        .order_by("figure_dimension")
    )
    return [
        Group(
            "" if row["figure_dimension"] is None else str(row["figure_dimension"]),
            dimension.label(row["figure_dimension"]),
            _result(figure, row["figure_numerator"], row.get("figure_denominator")),
        )
        for row in grouped
    ]


def _expression(dimension: Dimension) -> Any:
    return F(dimension.path) if isinstance(dimension.path, str) else dimension.path


def _aggregate(figure: Facts, facts: QuerySet[Any]) -> Result:
    sums = facts.aggregate(**_sums(figure))
    return _result(figure, sums["figure_numerator"], sums.get("figure_denominator"))


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
        facts = facts_of(figure, query).annotate(figure_numerator=Cast(figure.numerator, _exact(figure)))
        if figure.denominator is not None:
            facts = facts.annotate(figure_denominator=Cast(figure.denominator, _exact(figure)))
        # Rows of equal rank must not change places between two pages.
        self.facts = facts.order_by(*facts.query.order_by, "pk")

    def __len__(self) -> int:
        key = _cached(self.figure, "rows", self.query, versions())
        count: int | None = _remembered(key)
        if count is None:
            count = self.facts.count()
            _remember(key, count)
        return count

    def _row(self, obj: Any) -> Row:
        numerator, denominator = obj.figure_numerator, getattr(obj, "figure_denominator", None)
        return Row(
            self.figure.row(obj),
            None if numerator is None else _decimal(self.figure, numerator),
            None if denominator is None else _decimal(self.figure, denominator),
        )

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return [self._row(obj) for obj in self.facts[index]]
        return self._row(self.facts[index])

    def __iter__(self) -> Iterator[Row]:
        return (self._row(obj) for obj in self.facts.iterator(chunk_size=2000))
