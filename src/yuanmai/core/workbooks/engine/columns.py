"""Which column means which field, in which unit; what is unclear is offered with samples and suggestions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from .book import Cell
from .dates import DateFault, parse_date, parse_period
from .headers import Header
from .match import ACCEPT, Candidate, Matcher, canonical
from .periods import Period
from .spec import KindSpec
from .text import is_empty, letters, squeeze
from .units import MONEY_UNITS, unit_in_header
from .values import ValueFault, agrees, as_written, parse_money, parse_number, parse_percent

#: Fields that several columns may fill: '是否开工' and '是否复工' beside each other.
MULTIPLE = frozenset({"state", "tags"})
_SINCE_START = ("开工以来", "建设以来", "历年", "总投资", "项目累计", "总累计")
_PLAIN_NUMBER = re.compile(r"-?\d{1,3}(\.\d{1,8})?")
_THIS_YEAR = ("本年", "年初至今")


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the sheet and what it was taken for. `field` None: unknown, offered for mapping."""

    index: int
    letter: str
    path: tuple[str, ...]
    field: str | None
    confidence: float
    how: str
    unit: str | None
    unit_from: str
    fraction: bool
    suggestions: tuple[Candidate, ...]
    samples: tuple[str, ...]

    @property
    def header(self) -> str:
        """The head as people see it."""
        return "/".join(" ".join(text.split()) for text in self.path)


def map_columns(
    header: Header,
    samples: Sequence[Sequence[Cell]],
    spec: KindSpec,
    matcher: Matcher,
    period: Period,
    sheet_unit: str | None,
    chosen: Mapping[int, str | None] | None = None,
) -> list[Column]:
    """Assign fields to columns. `samples` are some data rows; `chosen` are the user's decisions by column index."""
    chosen = chosen or {}
    by_column: dict[int, list[Cell]] = {
        c: [row[c] for row in samples if c < len(row) and not is_empty(row[c])]
        for c in range(_width(header, samples))
    }
    offers: list[tuple[float, int, int, Candidate]] = []
    candidates: dict[int, tuple[Candidate, ...]] = {}
    for index, cells in by_column.items():
        path = header.paths[index] if index < len(header.paths) else ()
        found = tuple(_by_year(c, path, period) for c in matcher.candidates(path)) if path else ()
        found = tuple(c for c in found if c.field in spec.fields)
        candidates[index] = found
        if index in chosen:
            continue
        for candidate in found:
            if candidate.score >= ACCEPT and (candidate.score >= 0.95 or _fits(candidate.field, cells, spec)):
                rank = 2.0 if candidate.how == "remembered" else candidate.score
                offers.append((rank, -len(cells) if rank < 0.95 else 0, -index, candidate))
    taken: dict[int, Candidate] = {}
    used: set[str] = set()
    for index, choice in chosen.items():
        if choice is not None:
            taken[index] = Candidate(choice, 1.0, "chosen")
            used.add(choice)
    for _rank, _n, minus, candidate in sorted(offers, key=lambda o: (o[0], o[2]), reverse=True):
        index = -minus
        if index in taken or (candidate.field in used and spec.fields[candidate.field].type not in MULTIPLE):
            continue
        taken[index] = candidate
        used.add(candidate.field)
    _settle_done(taken, header, by_column, spec)
    columns = [
        _column(index, header, cells, taken.get(index), candidates[index], spec, sheet_unit)
        for index, cells in by_column.items()
        if cells or (index < len(header.paths) and header.paths[index])
    ]
    return _settle_fractions(columns, samples, spec)


def _width(header: Header, samples: Sequence[Sequence[Cell]]) -> int:
    return max([header.width, *(len(row) for row in samples)])


def _by_year(candidate: Candidate, path: Sequence[str], period: Period) -> Candidate:
    """A plan or an amount of another year than the sheet's is not this year's; '截至2022年底' may be now."""
    years = [y for text in path for y in canonical(text).years]
    if not years or period.year is None:
        return candidate
    if candidate.field == "done_before" and max(years) >= period.year:
        return replace(candidate, field="done_total")
    yearly = ("planned_investment", "investment_done", "investment_done_month", "completion")
    if candidate.field in yearly and period.year not in years and candidate.how != "remembered":
        return replace(candidate, score=min(candidate.score, 0.6))
    return candidate


def _fits(field: str, cells: Sequence[Cell], spec: KindSpec) -> bool:
    """Whether most samples read as the field's type: a guard for likeness, not for words of the table."""
    kind = spec.fields[field].type
    if not cells or kind in ("text", "code", "tags", "index", "state"):
        return True
    good = 0
    for cell in cells[:40]:
        try:
            if kind == "money":
                parse_money(cell, Decimal(1))
            elif kind == "number":
                parse_number(cell)
            elif kind == "percent":
                parse_percent(cell, fraction=False)
            elif kind == "date":
                parse_date(cell)
            elif kind == "date_range":
                parse_period(cell)
            good += 1
        except (ValueFault, DateFault):
            pass
    return good * 10 >= 6 * min(len(cells), 40)


def _settle_done(
    taken: dict[int, Candidate], header: Header, by_column: Mapping[int, list[Cell]], spec: KindSpec
) -> None:
    """'累计完成投资' alone may be the year's or since the start: the words above it and the figures decide."""
    done = {c.field: i for i, c in taken.items()}
    index = done.get("done_total")
    if index is None or "investment_done" in done or taken[index].how in ("chosen", "remembered"):
        return
    words = "".join(canonical(text).text for text in header.paths[index])
    if any(word in words for word in _SINCE_START):
        return
    plan = done.get("planned_investment")
    if any(word in words for word in _THIS_YEAR) or (
        plan is not None and _never_above(by_column[index], by_column[plan])
    ):
        taken[index] = Candidate("investment_done", 0.85, "figures")


def _never_above(left: Sequence[Cell], right: Sequence[Cell]) -> bool:
    pairs = [
        (a, b)
        for a, b in zip(left, right, strict=False)
        if isinstance(a, int | float) and isinstance(b, int | float)
    ]
    return len(left) == len(right) and bool(pairs) and all(a <= b for a, b in pairs)


def _column(
    index: int,
    header: Header,
    cells: Sequence[Cell],
    taken: Candidate | None,
    candidates: Sequence[Candidate],
    spec: KindSpec,
    sheet_unit: str | None,
) -> Column:
    path = header.paths[index] if index < len(header.paths) else ()
    field = taken.field if taken else None
    unit, unit_from = None, ""
    if field and spec.fields[field].type == "money":
        unit, unit_from = _unit(path, cells, sheet_unit, spec)
    return Column(
        index=index,
        letter=letters(index),
        path=path,
        field=field,
        confidence=taken.score if taken else 0.0,
        how=taken.how if taken else "",
        unit=unit,
        unit_from=unit_from,
        fraction=False,
        suggestions=tuple(c for c in candidates if not taken or c.field != taken.field)[:3],
        samples=tuple(dict.fromkeys(as_written(c) for c in cells))[:5],
    )


def _unit(
    path: Sequence[str], cells: Sequence[Cell], sheet_unit: str | None, spec: KindSpec
) -> tuple[str, str]:
    for text in reversed(path):
        unit = unit_in_header(text)
        if unit:
            return unit, "header"
    if sheet_unit:
        return sheet_unit, "sheet"
    said = {m for c in cells if isinstance(c, str) for m in re.findall(r"亿元|万元", squeeze(c))}
    numbers = [c for c in cells if isinstance(c, int | float) and not isinstance(c, bool)]
    if len(said) == 1 and not numbers:
        return said.pop(), "cells"
    return spec.default_unit, "assumed"


def assume_by_size(
    columns: Sequence[Column], samples: Sequence[Sequence[Cell]], total_field: str = "total_investment"
) -> list[Column]:
    """Where no unit is stated anywhere, the size of the total investment tells 元 and 亿元 from 万元."""
    total = next((c for c in columns if c.field == total_field and c.unit_from == "assumed"), None)
    if total is None:
        return list(columns)
    numbers = sorted(
        float(v)
        for row in samples
        if total.index < len(row) and isinstance(v := row[total.index], int | float) and v > 0
    )
    if len(numbers) < 2:
        return list(columns)
    middle = numbers[len(numbers) // 2]
    unit = (
        "元"
        if middle >= 10_000_000
        else "亿元"
        if middle < 60 and any(n != int(n) for n in numbers)
        else None
    )
    if unit is None:
        return list(columns)
    return [replace(c, unit=unit) if c.unit_from == "assumed" else c for c in columns]


def _settle_fractions(
    columns: list[Column], samples: Sequence[Sequence[Cell]], spec: KindSpec
) -> list[Column]:
    """Plain numbers of a percent column: 0.25 or 25? The figures they must agree with decide, else their size."""
    by_field = {c.field: c for c in columns if c.field}
    settled = []
    for column in columns:
        field = spec.fields[column.field] if column.field else None
        if field is None or field.type != "percent":
            settled.append(column)
            continue
        numbers = [row[column.index] for row in samples if column.index < len(row)]
        plain = [n for n in numbers if isinstance(n, int | float) and not isinstance(n, bool)]
        if not plain and field.fractions_up_to < 1:  # numbers as text, as in a CSV
            plain = [float(n) for n in numbers if isinstance(n, str) and _PLAIN_NUMBER.fullmatch(n.strip())]
        fraction = bool(plain) and max(abs(n) for n in plain) <= field.fractions_up_to
        if field.check and plain:
            upper, lower = (by_field.get(code) for code in field.check)
            if upper and lower:
                fraction = _evidence(column, upper, lower, samples, default=fraction)
        settled.append(replace(column, fraction=fraction))
    return settled


def _evidence(
    column: Column, upper: Column, lower: Column, samples: Sequence[Sequence[Cell]], *, default: bool
) -> bool:
    votes = {True: 0, False: 0}
    for row in samples:
        if max(column.index, upper.index, lower.index) >= len(row):
            continue
        try:
            a = parse_money(row[upper.index], MONEY_UNITS[upper.unit or "元"])
            b = parse_money(row[lower.index], MONEY_UNITS[lower.unit or "元"])
        except ValueFault:
            continue
        cell = row[column.index]
        if not a or not b or not isinstance(cell, int | float):
            continue
        for fraction in votes:
            stated = parse_percent(cell, fraction=fraction)
            if stated and (agrees(stated, a / b) or abs(stated.value - a / b) < Decimal("0.005")):
                votes[fraction] += 1
    return default if votes[True] == votes[False] else votes[True] > votes[False]
