"""The whole reading of a workbook: choose sheets, find the head, map, read rows, check totals, list faults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from .book import Book, Cell, Sheet
from .faults import BookError, Fault
from .headers import SEARCH_ROWS, Header, find_header
from .match import Matcher
from .periods import Period
from .reader import read_sheet
from .result import Parsed, SheetReading
from .spec import KindSpec
from .text import a1, squeeze
from .values import parse_choice

_SIDE_SHEETS = re.compile(r"说明|填表|封面|样表|示例|模板|字典|下拉|选项|代码表|目录")
_DATED = re.compile(r"(\d{1,2}月|20\d\d|[一二三四]季度|半年)")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user decided in the wizard: the sheet, fields by column index, the date, the unit."""

    sheet: str | None = None
    columns: Mapping[int, str | None] | None = None
    as_of: date | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    sheet: Sheet
    header: Header
    head: list[list[Cell]]
    order: int

    @property
    def score(self) -> tuple[int, int]:
        return (0 if _SIDE_SHEETS.search(self.sheet.name) else 1, self.header.hits)


def parse(
    book: Book,
    spec: KindSpec,
    mapping: Mapping[str, str | None] | None = None,
    choices: Choices | None = None,
) -> Parsed:
    """Read a workbook of a kind.

    `mapping` is what the organisation decided before: header path key → field, or None for "leave out".
    Raises BookError no_header when no sheet has a head of this kind, no_sheet for an unknown sheet name.
    """
    choices = choices or Choices()
    matcher = Matcher(spec, mapping)
    names = tuple(s.name for s in book.sheets)
    if choices.sheet is not None and choices.sheet not in names:
        raise BookError("no_sheet", sheet=choices.sheet)
    visible = [s for s in book.sheets if not s.hidden] or list(book.sheets)
    wanted = [s for s in book.sheets if s.name == choices.sheet] if choices.sheet is not None else visible
    found = [f for order, sheet in enumerate(wanted) if (f := _look(sheet, matcher, order))]
    if not found:
        raise BookError(
            "no_header",
            sheets="、".join(s.name for s in wanted),
            label=spec.fields[spec.name_field].label_zh,
        )
    chosen = _choose(found, spec)
    readings = [read_sheet(f.sheet, f.header, f.head, spec, matcher, book.name, choices) for f in chosen]
    readings = _fill_periods(readings)
    if len(readings) > 1:
        readings = _twice_across(readings, spec)
    period = max((r.period for r in readings), key=lambda p: (p.as_of or date.min, p.year or 0))
    return Parsed(spec.kind, book.name, tuple(readings), period, names)


def most_hits(book: Book, spec: KindSpec) -> int:
    """How many heads of the best visible sheet mean something to a kind; 0 where it has no head of this kind."""
    matcher = Matcher(spec)
    visible = [s for s in book.sheets if not s.hidden] or list(book.sheets)
    found = [f for order, sheet in enumerate(visible) if (f := _look(sheet, matcher, order))]
    return max((_exact(f, matcher) for f in found), default=0)


def _exact(found: _Found, matcher: Matcher) -> int:
    sure = {
        c[0].field for path in found.header.paths if (c := matcher.candidates(path)) and c[0].score >= 0.95
    }
    return len(sure - {"index"})


def _look(sheet: Sheet, matcher: Matcher, order: int) -> _Found | None:
    head = list(islice(sheet.rows(), SEARCH_ROWS + 10))
    if not head:
        return None
    header = find_header(head, sheet.merges, matcher)
    if header is None:
        return None
    return _Found(sheet, header, head, order)


def _choose(found: list[_Found], spec: KindSpec) -> list[_Found]:
    """The best sheet; and with it the other parts of one list that is split by kind ('新开工', '续建') or park."""
    best = max(found, key=lambda f: (*f.score, _month(f.sheet.name), -f.order))
    parts = {f.order: _part(f.sheet.name, spec) for f in found}
    if not parts[best.order]:
        return [best]
    same = [
        f
        for f in found
        if parts[f.order] and f.score[0] == best.score[0] and f.header.hits * 10 >= best.header.hits * 6
    ]
    if len({parts[f.order] for f in same}) != len(same):
        return [best]
    return same


def _month(name: str) -> int:
    match = re.search(r"(\d{1,2})月", name)
    return int(match[1]) if match else 0


def _part(name: str, spec: KindSpec) -> str:
    """What part of a list a sheet's name says it holds: a kind or a park; '' for none."""
    plain = squeeze(name)
    for rule in spec.groups:
        if rule.by == "values":
            code = parse_choice(plain, spec.fields[rule.field].values or {})
            if code and not code.startswith("~"):
                return f"{rule.field}={code}"
        elif (
            rule.by == "suffix"
            and rule.field == "park"
            and plain.endswith(rule.suffixes)
            and not _DATED.search(plain)
        ):
            return f"{rule.field}={plain}"
    return ""


def _fill_periods(readings: list[SheetReading]) -> list[SheetReading]:
    known = next((r.period for r in readings if r.period.as_of), None)
    if known is None:
        return readings
    return [r if r.period.as_of else replace(r, period=known) for r in readings]


def _twice_across(readings: list[SheetReading], spec: KindSpec) -> list[SheetReading]:
    """The same project on two sheets of one list is the same project twice."""
    from .identity import identity

    seen: dict[str, str] = {}
    result = []
    for reading in readings:
        extra: list[Fault] = []
        column = next((c for c in reading.columns if c.field == spec.name_field), None)
        if column is not None:
            for row in reading.rows:
                mark = identity(row, reading.rows, spec)
                where = f"{reading.sheet}!{a1(row.line, column.index)}"
                if mark in seen and not seen[mark].startswith(f"{reading.sheet}!"):
                    extra.append(
                        Fault(
                            "row.duplicate",
                            reading.sheet,
                            a1(row.line, column.index),
                            column.header,
                            str(row.get(spec.name_field)),
                            row.line + 1,
                            spec.name_field,
                            "error",
                            {"first": seen[mark]},
                        )
                    )
                else:
                    seen.setdefault(mark, where)
        result.append(replace(reading, faults=(*reading.faults, *extra)))
    return result


__all__ = ["Choices", "Parsed", "Period", "parse"]
