"""Many answers from one reading of the facts: a figure on many days, a figure for many places.

The definition stays the figure's own: its `facts` are asked once for the whole stretch of days (`Query.since`) or for all
places together, grouped by the span that a row holds for or by its organisation, and the small groups are added up here.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import pairwise
from typing import Any, TypeVar

from django.db.models import Case, IntegerField, Value, When

from yuanmai.core.audit.moments import at_least_here
from yuanmai.core.figures.evaluate import _compute, _with_inputs
from yuanmai.core.figures.model import Facts, Figure, Query, Result
from yuanmai.core.figures.sums import Part, Total, by_org, cached, grouped, remember, remembered, result_of

K = TypeVar("K", bound=Hashable)


@at_least_here()
def evaluate_days(codes: Iterable[str], queries: Sequence[Query]) -> list[dict[str, Result]]:
    """Return several figures for one question on many days (ascending, each perhaps as known at its own moment).

    Equal to ``[evaluate_many(codes, query) for query in queries]``. Figures marked `spanning` cost one query for each
    different set of facts, however many days there are; the others one for each day.
    """
    codes = list(codes)
    figures = _with_inputs(codes)
    keys = [{c: cached(f, "value", query) for c, f in figures.items()} for query in queries]
    answers: list[dict[str, Result]] = [{} for _query in queries]
    for day, names in enumerate(keys):
        for code, key in names.items():
            if (result := remembered(key)) is not None:
                answers[day][code] = result
    wide = [
        figure
        for code, figure in figures.items()
        if isinstance(figure, Facts)
        and _spanning(figure, queries)
        and sum(code not in found for found in answers) > 1
    ]
    fresh: list[dict[str, Result]] = [{} for _query in queries]
    if wide:
        for code, results in _over_days(wide, queries).items():
            for day, result in enumerate(results):
                fresh[day][code] = result
    for day, query in enumerate(queries):
        done = answers[day] | fresh[day]
        missing = {c: f for c, f in figures.items() if c not in done}
        fresh[day] |= _compute(missing, query, done)
        for code, result in fresh[day].items():
            if code not in answers[day]:
                remember(keys[day][code], result)
        done |= fresh[day]
        answers[day] = {code: done[code] for code in codes}
    return answers


def _spanning(figure: Facts, queries: Sequence[Query]) -> bool:
    """Whether these questions differ in nothing but day and moment, go forward in time, and the figure allows it."""
    first, last = queries[0], queries[-1]
    if not figure.spanning or any(figure.dimension(code).daily for code, _value in first.filters):
        return False
    if any(q.org_ids != first.org_ids or q.filters != first.filters for q in queries):
        return False
    # Facts may depend on the year (its plan), and on nothing else of the day than what held on it.
    if first.as_of.year != last.as_of.year or any(a.as_of > b.as_of for a, b in pairwise(queries)):
        return False
    moments = [q.known_at for q in queries]
    if None in moments:
        return not any(moments)
    return all(a <= b for a, b in pairwise(moments))  # type: ignore[operator]


def _from(name: str, points: Sequence[Any]) -> Case:
    """Return the index of the first point that is not before `name`; their number where there is none."""
    return Case(
        *(When(**{f"{name}__lte": point}, then=Value(index)) for index, point in enumerate(points)),
        default=Value(len(points)),
        output_field=IntegerField(),
    )


def _until(name: str, points: Sequence[Any]) -> Case:
    """The same as :func:`_from`; most rows hold until further notice, so the last point is tried first."""
    return Case(
        *(
            When(**{f"{name}__gt": points[index]}, then=Value(index + 1))
            for index in range(len(points) - 1, -1, -1)
        ),
        default=Value(0),
        output_field=IntegerField(),
    )


def _over_days(figures: list[Facts], queries: Sequence[Query]) -> dict[str, list[Result]]:
    first, last = queries[0], queries[-1]
    days, moments = [q.as_of for q in queries], [q.known_at for q in queries]
    groups: dict[str, Any] = {
        "figure_from": _from("effective_from", days),
        "figure_until": _until("effective_until", days),
    }
    if first.known_at is not None:
        groups["figure_known_from"] = _from("known_from", moments)
        groups["figure_known_until"] = _until("known_until", moments)
    stretch = replace(last, since=first.as_of, known_since=first.known_at)
    # What is kept must not be taken for the answer to another stretch.
    points = blake2b(f"{days}{moments}".encode(), digest_size=16).hexdigest()
    results: dict[str, list[Result]] = {}
    for code, sums in grouped(figures, stretch, groups, f"days-{points}").items():
        totals = [Total() for _query in queries]
        for key, part in sums.items():
            for day in range(max(key[::2]), min(key[1::2])):
                totals[day].add(part)
        figure = next(f for f in figures if f.code == code)
        results[code] = [result_of(figure, total.top, total.bottom) for total in totals]
    return results


@at_least_here()
def evaluate_places(
    codes: Iterable[str], query: Query, places: Mapping[K, Iterable[int]]
) -> dict[K, dict[str, Result]]:
    """Return several figures for many places at once; each place is a set of organisations among the query's own.

    Equal to ``evaluate_many`` for each place with its organisations. Facts that name their organisation (`org_path`) cost
    one query for each different set of facts, however many places there are.
    """
    codes = list(codes)
    figures = _with_inputs(codes)
    whole = [f for f in figures.values() if isinstance(f, Facts) and f.org_path]
    sums = by_org(whole, query, {}, "value")
    return {place: _place(codes, figures, query, list(ids), sums) for place, ids in places.items()}


def _place(
    codes: list[str],
    figures: dict[str, Figure],
    query: Query,
    ids: list[int],
    sums: Mapping[str, Mapping[int, Part]],
) -> dict[str, Result]:
    own = replace(query, org_ids=tuple(ids))
    done: dict[str, Result] = {}
    for code, parts in sums.items():
        total = Total()
        for org_id in ids:
            for part in parts.get(org_id, {}).values():
                total.add(part)
        figure = figures[code]
        assert isinstance(figure, Facts)
        done[code] = result_of(figure, total.top, total.bottom)
    rest = {code: figure for code, figure in figures.items() if code not in done}
    done |= _compute(rest, own, done)
    return {code: done[code] for code in codes}
