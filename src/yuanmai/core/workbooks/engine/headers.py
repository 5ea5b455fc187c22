"""Finding the head of a sheet: anywhere in the first rows, one to four levels, merged or not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise

from .book import Cell, Merge
from .match import Matcher
from .text import clean, squeeze
from .units import is_unit_only

SEARCH_ROWS = 80
_COLUMN_MARKS = re.compile(r"[甲乙丙丁戊己庚辛壬癸]|[(\[]?\d{1,2}[)\]]?(=.*)?|栏次|[A-Z]|[①-⑳]")


@dataclass(frozen=True, slots=True)
class Header:
    """The head: rows top … bottom (zero-based, inclusive) and, for each column, its words from outer to inner."""

    top: int
    bottom: int
    paths: tuple[tuple[str, ...], ...]
    hits: int

    @property
    def width(self) -> int:
        """Number of columns the head spans."""
        return len(self.paths)

    def label(self, column: int) -> str:
        """The head of a column as people see it: '资金来源/财政资金'."""
        if column >= len(self.paths):
            return ""
        return "/".join(clean(text) for text in self.paths[column])


def text_of(cell: Cell) -> str:
    """Cell as header text; '' for an empty one."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float) and cell == int(cell):
        return str(int(cell))
    return str(cell)


def _hits(row: Sequence[Cell], matcher: Matcher) -> set[str]:
    found = set()
    for cell in row:
        if isinstance(cell, str) and (field := matcher.exact_hit(cell)):
            found.add(field)
    return found


def _looks_like_data(row: Sequence[Cell]) -> bool:
    """More figures and dates than words: no part of a head."""
    numbers = sum(isinstance(c, int | float | date | datetime) and not _is_year(c) for c in row)
    words = sum(isinstance(c, str) for c in row)
    return numbers > 0 and numbers >= words


def _is_year(cell: Cell) -> bool:
    return isinstance(cell, int | float) and 1990 <= cell <= 2100 and cell == int(cell)


def find_header(rows: Sequence[list[Cell]], merges: Sequence[Merge], matcher: Matcher) -> Header | None:
    """The head of a sheet among its first rows, None where no row names the required field and two others.

    `rows` are the first SEARCH_ROWS rows or so. Of several heads (repeated after page breaks, or a summary before the
    ledger) the first one with the most known words wins.
    """
    name = matcher.spec.name_field
    best: tuple[float, int] | None = None
    for number, row in enumerate(rows[:SEARCH_ROWS]):
        found = _hits(row, matcher)
        if not found:
            continue
        below = _hits(rows[number + 1], matcher) if number + 1 < len(rows) else set()
        together = found | below
        distinct = len(together - {"index"})
        if distinct < 3 and not (distinct == 2 and name in together):
            continue
        score = distinct + (3 if name in found else 1.5 if name in below else 0)
        if best is None or score > best[0] + 0.9:
            best = (score, number)
    if best is None:
        return None
    anchor = best[1]
    top, bottom = _extent(rows, merges, matcher, anchor)
    paths = _paths(rows, merges, top, bottom)
    hits = sum(1 for path in paths if path and (c := matcher.candidates(path)) and c[0].score >= 0.8)
    return Header(top, bottom, paths, hits)


def _extent(
    rows: Sequence[list[Cell]], merges: Sequence[Merge], matcher: Matcher, anchor: int
) -> tuple[int, int]:
    top = bottom = anchor
    tall = [m for m in merges if m.bottom > m.top]
    changed = True
    while changed:  # merges that cross an edge of the block pull it along
        changed = False
        for merge in tall:
            if merge.top <= bottom and merge.bottom >= top and merge.bottom - merge.top < 4:
                if merge.top < top and _header_like(rows[merge.top], merges, merge.top, matcher):
                    top, changed = merge.top, True
                if merge.bottom > bottom and merge.top >= top:
                    bottom, changed = merge.bottom, True
    while top > 0 and anchor - top < 3 and _is_upper_level(rows, merges, top - 1, top, matcher):
        top -= 1
    while bottom + 1 < len(rows) and bottom - top < 4 and _is_lower_level(rows, merges, top, bottom, matcher):
        bottom += 1
    return top, min(bottom, len(rows) - 1)


def _header_like(row: Sequence[Cell], merges: Sequence[Merge], number: int, matcher: Matcher) -> bool:
    return sum(c is not None for c in row) >= 2 and not _looks_like_data(row)


def _is_upper_level(
    rows: Sequence[list[Cell]], merges: Sequence[Merge], upper: int, top: int, matcher: Matcher
) -> bool:
    """A row of group heads ('项目基本情况 | 投资情况') directly above; titles and lines with a colon are none."""
    row = rows[upper]
    texts = [(i, c) for i, c in enumerate(row) if isinstance(c, str)]
    if len(texts) < 2 or _looks_like_data(row):
        return False
    if any(
        re.search(r"单位[::]|截[至止]|填报|填表|制表|日期[::]|[::].*\d{4}|^注", squeeze(c)) for _, c in texts
    ):
        return False
    if any(len(squeeze(c)) > 24 for _, c in texts):
        return False
    wide = [m for m in merges if m.top == upper == m.bottom and m.right > m.left]
    if wide:
        return True
    below = rows[top]
    filled = sum(1 for c in below if c is not None)
    spans = sum(
        1
        for i, _ in texts
        if i + 1 < len(below) and (i + 1 >= len(row) or row[i + 1] is None) and below[i + 1] is not None
    )
    return spans >= 1 and len(texts) < filled


def _is_lower_level(
    rows: Sequence[list[Cell]], merges: Sequence[Merge], top: int, bottom: int, matcher: Matcher
) -> bool:
    """A row of sub-heads, of units, or of column numbers directly below the block."""
    row = rows[bottom + 1]
    cells = [(i, c) for i, c in enumerate(row) if c is not None]
    if not cells:
        return False
    if is_column_numbers(row):
        return False
    if any(not isinstance(c, str) for _, c in cells):
        return False
    texts = [(i, str(c)) for i, c in cells]
    if len(texts) >= 2 and all(is_unit_only(t) for _, t in texts):
        return True
    name_column = next(
        (
            i
            for r in range(top, bottom + 1)
            for i, c in enumerate(rows[r])
            if isinstance(c, str) and matcher.exact_hit(c) == matcher.spec.name_field
        ),
        None,
    )
    if name_column is not None and name_column < len(row) and row[name_column] is not None:
        return False
    if any(len(squeeze(t)) > 24 for _, t in texts):
        return False
    above = rows[bottom]

    def parent_spans(column: int) -> bool:
        if column >= len(above) or above[column] is None:
            return any(above[i] is not None for i in range(min(column, len(above))))
        # A word directly above: it must be a merged or continued group head.
        if any(
            m.top <= bottom <= m.bottom and m.left <= column <= m.right and m.right > m.left for m in merges
        ):
            return True
        after = column + 1
        return (
            after < len(row)
            and (after >= len(above) or above[after] is None)
            and after < len(row)
            and row[after] is not None
        )

    return len(texts) >= 2 and all(parent_spans(i) for i, _ in texts)


def is_column_numbers(row: Sequence[Cell]) -> bool:
    """A row that counts the columns: '1 2 3 4', '甲 乙 1 2', '(1) (2)'."""
    cells = [text_of(c) for c in row if c is not None]
    if len(cells) < 4 or not all(_COLUMN_MARKS.fullmatch(c) for c in cells):
        return False
    numbers = [
        int(re.sub(r"\D.*", "", c.strip("([").rstrip(")]"))) for c in cells if re.match(r"[(\[]?\d", c)
    ]
    return len(numbers) < 2 or all(b - a == 1 for a, b in pairwise(numbers))


def _paths(
    rows: Sequence[list[Cell]], merges: Sequence[Merge], top: int, bottom: int
) -> tuple[tuple[str, ...], ...]:
    width = max(len(rows[r]) for r in range(top, bottom + 1))
    grid = [
        [text_of(rows[r][c]) if c < len(rows[r]) else "" for c in range(width)]
        for r in range(top, bottom + 1)
    ]
    merged = [[False] * width for _ in grid]
    for merge in merges:
        if merge.bottom < top or merge.top > bottom or merge.left >= width:
            continue
        first = max(merge.top, top) - top
        text = grid[merge.top - top][merge.left] if merge.top >= top else ""
        for r in range(first, min(merge.bottom, bottom) - top + 1):
            for c in range(merge.left, min(merge.right, width - 1) + 1):
                grid[r][c] = text
                merged[r][c] = True
    # Without merges (CSV) a group head stands over the first of its columns only: carry it to the right while the
    # row below has words and the cell itself is empty.
    for r in range(len(grid) - 1):
        for c in range(1, width):
            if grid[r][c] or merged[r][c]:
                continue
            left = grid[r][c - 1]
            under, under_left = grid[r + 1][c], grid[r + 1][c - 1]
            if (
                left
                and under
                and under_left
                and under != left
                and under_left != left
                and not is_unit_only(under)
            ):
                grid[r][c] = left
    paths = []
    for c in range(width):
        path: list[str] = []
        for r in range(len(grid)):
            text = grid[r][c]
            if text and (not path or path[-1] != text):
                if path and is_unit_only(text):
                    path[-1] = f"{path[-1]}({text.strip('()（）')})"
                else:
                    path.append(text)
        paths.append(tuple(path))
    while paths and not paths[-1]:
        paths.pop()
    return tuple(paths)
