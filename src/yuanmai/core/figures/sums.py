"""Sums over facts: the one place where a figure's numerator and denominator are added up.

What each organisation adds to a sum is kept until something changes in that organisation, so that after a change in one park
the figures of its city cost the reading of that park alone. Figures that do not name the organisation of their rows
(`Facts.org_path`) are summed as a whole.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import Count, DecimalField, F, Q, QuerySet, Sum
from django.db.models.functions import Cast

from yuanmai.core.actions import acting
from yuanmai.core.audit.log import version_for, versions_by_org
from yuanmai.core.figures.model import Dimension, Facts, Figure, Query, Result

LIVE = 10  # seconds that a live figure is kept
T = TypeVar("T")
Key = tuple[Any, ...]


@dataclass
class Total:
    """A numerator, a denominator and a number of rows that grow part by part."""

    top: Decimal = Decimal(0)
    bottom: Decimal = Decimal(0)
    rows: int = 0

    def add(self, other: "Total") -> None:
        """Add another part."""
        self.top += other.top
        self.bottom += other.bottom
        self.rows += other.rows


Part = dict[Key, Total]  # what one organisation adds, by group


def exact(figure: Facts) -> DecimalField[Any, Any]:
    """Return the type sums are made in.

    SQLite adds in double precision; rounding to the figure's own places (cents, for money) takes its error away again
    for every sum below 10 trillion yuan.
    """
    return DecimalField(max_digits=24, decimal_places=figure.places)


def decimal(figure: Facts, value: Any) -> Decimal:
    """Return an exact Decimal, at most as fine as the figure's contributions, without trailing zeros; None counts as 0.

    SQLite hands a sum back as a double, however its type was stated: ten cents a thousand times are 99.9999999999986.
    """
    if value is None:
        return Decimal(0)
    number = Decimal(str(value)).quantize(Decimal(1).scaleb(-figure.places))
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def result_of(figure: Facts, numerator: Any, denominator: Any) -> Result:
    top = decimal(figure, numerator)
    if figure.denominator is None:
        return Result(top, top, None)
    bottom = decimal(figure, denominator)
    return Result(top / bottom if bottom else None, top, bottom)


def facts_of(figure: Facts, query: Query, *, bare: bool = False) -> QuerySet[Any]:
    """Return the facts of a figure, narrowed by the query's filters; raises `KeyError` for an unknown dimension.

    `bare` facts are good for sums only.
    """
    facts = (figure.bare or figure.facts)(query) if bare else figure.facts(query)
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


def cached(figure: Figure, what: str, query: Query) -> str:
    """Return the key under which an answer is kept: it changes when something changes that may change the answer."""
    if acting.get():
        return ""
    version: int | str = version_for((figure.room, *figure.rooms), query.org_ids)
    if figure.live:
        version = f"{version}.{moment()}"
    return f"figure:{what}:{figure.code}:{version}:{question(query)}"


def moment() -> int:
    """Return a number that is the same as long as a live figure is kept."""
    return int(time.time() // LIVE)


def question(query: Query) -> str:
    """Return a short text that stands for a question."""
    return blake2b(query.key.encode(), digest_size=16).hexdigest()


def remembered(key: str) -> Any:
    """Return what is kept under a key, or None."""
    # Inside a running action the data may be ahead of the version, and may yet be rolled back.
    return None if acting.get() else cache.get(key)


def remember(key: str, value: Any) -> None:
    """Keep an answer."""
    if not acting.get():
        cache.set(key, value)


def same_facts(facts: QuerySet[Any]) -> Hashable | None:
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


def aggregate(figure: Facts, facts: QuerySet[Any]) -> Result:
    """Sum one figure over a set of its facts."""
    sums: dict[str, Any] = {"top": Sum(Cast(figure.numerator, exact(figure)))}
    if figure.denominator is not None:
        sums["bottom"] = Sum(Cast(figure.denominator, exact(figure)))
    found = facts.aggregate(**sums)
    return result_of(figure, found["top"], found.get("bottom"))


def kept_by_org(
    name: str, rooms: Iterable[str], query: Query, read: Callable[[Query], Mapping[int, T]]
) -> dict[int, T]:
    """Return what `read` says of each organisation of a question, kept until something changes in that organisation.

    `read` is asked for the organisations that changed, all at once; those that it does not mention have nothing.
    """
    if acting.get():
        return dict(read(query))
    general, own = versions_by_org(rooms)
    key = f"parts:{name}:{question(replace(query, org_ids=()))}"
    kept: dict[int, tuple[int, T | None]] = dict(remembered(key) or {})
    stale = [org for org in query.org_ids if kept.get(org, (-1, None))[0] != own.get(org, general)]
    if stale:
        fresh = read(replace(query, org_ids=tuple(stale)))
        for org in stale:
            kept[org] = (own.get(org, general), fresh.get(org))
        remember(key, kept)
    found = ((org, kept[org][1]) for org in query.org_ids)
    return {org: value for org, value in found if value is not None}


def grouped(
    figures: Iterable[Facts], query: Query, groups: Mapping[str, Any], name: str, *, daily: bool = False
) -> dict[str, dict[Key, Total]]:
    """Return by code what the rows of each group add up to; one query for each different set of facts.

    `groups` are the expressions that rows are grouped by, `daily` ones perhaps; `name` says which, for what is kept.
    """
    figures = list(figures)
    result: dict[str, dict[Key, Total]] = {}
    for code, parts in by_org([f for f in figures if f.org_path], query, groups, name, daily=daily).items():
        totals = result[code] = {}
        for part in parts.values():
            for key, total in part.items():
                totals.setdefault(key, Total()).add(total)
    whole = [figure for figure in figures if not figure.org_path]
    for code, parts in _read(whole, query, groups, daily).items():
        result[code] = parts.get(0, {})
    return result


def by_org(
    figures: Iterable[Facts], query: Query, groups: Mapping[str, Any], name: str, *, daily: bool = False
) -> dict[str, dict[int, Part]]:
    """Return by code what each organisation's rows add to each group; organisations without rows are left out."""
    result: dict[str, dict[int, Part]] = {}
    missing: dict[frozenset[int], list[Facts]] = defaultdict(list)
    asked = question(replace(query, org_ids=()))
    if acting.get():
        return _read(figures, query, groups, daily)
    for figure in figures:
        general, own = versions_by_org((figure.room, *figure.rooms))
        kept: dict[int, tuple[int, Part]] = remembered(f"parts:{figure.code}:{name}:{asked}") or {}
        parts = result[figure.code] = {}
        stale = []
        for org in query.org_ids:
            version, part = kept.get(org, (-1, {}))
            if version == own.get(org, general):
                parts[org] = part
            else:
                stale.append(org)
        if stale:
            missing[frozenset(stale)].append(figure)
    for orgs, members in missing.items():
        fresh = _read(members, replace(query, org_ids=tuple(sorted(orgs))), groups, daily)
        for figure in members:
            general, own = versions_by_org((figure.room, *figure.rooms))
            parts = result[figure.code]
            key = f"parts:{figure.code}:{name}:{asked}"
            # Others may have added theirs meanwhile; whose entry is lost is only read again.
            kept = dict(remembered(key) or {})
            for org in orgs:
                part = fresh[figure.code].get(org, {})
                parts[org] = part
                kept[org] = (own.get(org, general), part)
            remember(key, kept)
    return result


def _read(
    figures: Iterable[Facts], query: Query, groups: Mapping[str, Any], daily: bool = False
) -> dict[str, dict[int, Part]]:
    """Read sums from the database, by code, organisation (0 where a figure does not name it) and group."""
    together: dict[tuple[Hashable, str], list[tuple[Facts, QuerySet[Any]]]] = defaultdict(list)
    made: dict[Hashable, tuple[Hashable, QuerySet[Any]]] = {}
    for figure in figures:
        narrowing = [figure.dimension(code) for code, _value in query.filters]
        bare = not (daily or any(dimension.daily for dimension in narrowing))
        # Figures that name the same function and the same dimensions need not be compared any further.
        source = (figure.bare if bare and figure.bare else figure.facts, *map(id, narrowing))
        if source not in made:
            facts = facts_of(figure, query, bare=bare)
            made[source] = (same_facts(facts) or figure.code, facts)
        same, facts = made[source]
        together[same, figure.org_path].append((figure, facts))
    result: dict[str, dict[int, Part]] = {}
    for (_same, org_path), members in together.items():
        sums: dict[str, Any] = {"figure_rows": Count("*")}
        for number, (figure, _facts) in enumerate(members):
            result[figure.code] = {}
            sums[f"figure_top_{number}"] = Sum(Cast(figure.numerator, exact(figure)))
            if figure.denominator is not None:
                sums[f"figure_bottom_{number}"] = Sum(Cast(figure.denominator, exact(figure)))
        names = [*groups, "figure_org"] if org_path else list(groups)
        facts = members[0][1].order_by()
        if names:
            by: dict[str, Any] = {**groups, "figure_org": F(org_path)} if org_path else dict(groups)
            rows = facts.annotate(**by).values(*names).annotate(**sums).order_by()
        else:
            rows = [facts.aggregate(**sums)]
        for row in rows:
            key = tuple(row[name] for name in groups)
            for number, (figure, _facts) in enumerate(members):
                total = Total(
                    decimal(figure, row[f"figure_top_{number}"]),
                    decimal(figure, row.get(f"figure_bottom_{number}")),
                    row["figure_rows"],
                )
                result[figure.code].setdefault(row["figure_org"] if org_path else 0, {})[key] = total
    return result
