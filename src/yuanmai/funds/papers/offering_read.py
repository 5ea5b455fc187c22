"""The plan of an offering file as its Excel has it: tables with years down or across, and lines of a word and a number (pure)."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from yuanmai.core.workbooks.engine.book import Book, Cell, Sheet
from yuanmai.core.workbooks.engine.convert import cell_decimals
from yuanmai.core.workbooks.engine.text import a1, key, squeeze
from yuanmai.core.workbooks.engine.units import MONEY_UNITS, strip_unit, unit_in_header, unit_in_text
from yuanmai.core.workbooks.engine.values import (
    ValueFault,
    as_written,
    parse_money,
    parse_number,
    parse_percent,
)
from yuanmai.funds.engine.crosscheck import Item, Stated
from yuanmai.funds.papers.reading import bond_term

PRESET = Path(__file__).parent / "presets" / "offering_plan.yaml"
ROWS = 2_000
_YEAR = re.compile(r"(20\d\d)(?:年度?)?(?:\(?[EeFf预]?\)?)")
_NUMBERED = re.compile(r"^[（(]?[一二三四五六七八九十\d]{1,3}[)）]?[、.．:]\s*")
_FRACTION = Decimal("1.5")
_RATE_FRACTION = Decimal("0.3")


@dataclass(frozen=True)
class Words:
    """The preset: word → item, kinds, labels."""

    items: Mapping[str, str]
    kinds: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]
    years: frozenset[str]
    totals: frozenset[str]


@lru_cache(maxsize=1)
def words() -> Words:
    """Return the preset."""
    raw: dict[str, Any] = yaml.safe_load(PRESET.read_text(encoding="utf-8"))
    items = {key(word): code for code, entry in raw["items"].items() for word in entry["words"]}
    return Words(
        items,
        {code: entry["kind"] for code, entry in raw["items"].items()},
        {code: entry["label"] for code, entry in raw["items"].items()},
        frozenset(key(word) for word in raw["years"]),
        frozenset(key(word) for word in raw["total"]),
    )


def item_of(cell: Cell) -> str | None:
    """Return the item that a word means: without its number, unit and brackets."""
    if not isinstance(cell, str) or len(cell) > 40:
        return None
    plain = _NUMBERED.sub("", squeeze(cell))
    plain = re.sub(r"^(其中|减|加|预计|计划)[::]?", "", plain)
    found = words().items.get(key(strip_unit(plain)))
    return found or words().items.get(key(re.sub(r"[(\[].*?[)\]]", "", plain)))


def year_of(cell: Cell) -> int | None:
    """Return the year that a cell names, None for anything else."""
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return int(cell) if 2000 <= cell < 2100 and cell == int(cell) else None
    if isinstance(cell, str):
        match = _YEAR.fullmatch(squeeze(cell))
        return int(match[1]) if match else None
    return None


def read_plan(book: Book) -> list[Stated]:
    """Return what a workbook states, in its order; the first statement of an item counts."""
    found: dict[Item, Stated] = {}
    for sheet in book.sheets:
        if sheet.hidden:
            continue
        for entry in _Reader(sheet).read():
            found.setdefault(entry.item, entry)
    return list(found.values())


class _Reader:
    """One sheet."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.rows = [row for _n, row in zip(range(ROWS), sheet.rows(), strict=False)]
        texts = [cell for row in self.rows[:15] for cell in row if isinstance(cell, str)]
        self.unit = next((unit for text in texts if (unit := unit_in_text(text))), "万元")
        self.used: set[int] = set()

    def read(self) -> Iterator[Stated]:
        """Read tables first, then single lines outside of them."""
        number = 0
        while number < len(self.rows):
            row = self.rows[number]
            across = {column: year for column, cell in enumerate(row) if (year := year_of(cell))}
            if len(across) >= 2 and not any(item_of(cell) for cell in row):
                number = yield from self._across(number, across)
                continue
            down = self._year_column(row)
            if down is not None:
                number = yield from self._down(number, down)
                continue
            yield from self._line(number, row)
            number += 1

    def _year_column(self, row: Sequence[Cell]) -> int | None:
        column = next(
            (c for c, cell in enumerate(row) if isinstance(cell, str) and key(cell) in words().years), None
        )
        return column if column is not None and any(item_of(cell) for cell in row) else None

    def _across(self, top: int, years: Mapping[int, int]) -> Generator[Stated, None, int]:
        """Years stand in the head; each row below is an item."""
        head = self.rows[top]
        first = min(years)
        totals = [c for c, cell in enumerate(head) if isinstance(cell, str) and key(cell) in words().totals]
        number = top + 1
        while number < len(self.rows):
            row = self.rows[number]
            if sum(year_of(cell) is not None for cell in row) >= 2 or self._year_column(row) is not None:
                break
            label = next((cell for cell in row[:first] if item_of(cell)), None)
            code = item_of(label)
            if code:
                unit = unit_in_header(str(label))
                for column, year in years.items():
                    yield from self._value(Item(code, year), number, column, unit)
                for column in totals:
                    yield from self._value(Item(code, None), number, column, unit)
            number += 1
        return number

    def _down(self, top: int, column: int) -> Generator[Stated, None, int]:
        """Items stand in the head; each row below is a year."""
        head = self.rows[top]
        below = self.rows[top + 1] if top + 1 < len(self.rows) else []
        two = year_of(below[column] if column < len(below) else None) is None and any(
            item_of(c) for c in below
        )
        items: dict[int, tuple[str, str | None]] = {}
        for row in (head, below) if two else (head,):
            for index, cell in enumerate(row):
                if code := item_of(cell):
                    items[index] = (code, unit_in_header(str(cell)))
        number = top + (2 if two else 1)
        while number < len(self.rows):
            row = self.rows[number]
            cell = row[column] if column < len(row) else None
            year = year_of(cell)
            is_total = isinstance(cell, str) and key(cell) in words().totals
            if year is None and not is_total:
                break
            for index, (code, unit) in items.items():
                if is_total and words().kinds[code] != "money":
                    continue
                yield from self._value(Item(code, year), number, index, unit)
            number += 1
        return number

    def _line(self, number: int, row: Sequence[Cell]) -> Iterator[Stated]:
        """A word, and a number right of it."""
        for column, cell in enumerate(row):
            code = item_of(cell)
            if code is None:
                continue
            right = next(
                (c for c in range(column + 1, min(column + 4, len(row))) if row[c] is not None), None
            )
            if right is not None:
                yield from self._value(Item(code, None), number, right, unit_in_header(str(cell)))

    def _value(self, item: Item, number: int, column: int, unit: str | None) -> Iterator[Stated]:
        row = self.rows[number]
        cell = row[column] if column < len(row) else None
        if cell is None:
            return
        try:
            value, step = self._number(words().kinds[item.code], cell, MONEY_UNITS[unit or self.unit])
        except (ValueFault, ArithmeticError):
            return
        if value is not None:
            yield Stated(item, value, step, self.sheet.name, a1(number, column), as_written(cell))

    def _number(self, kind: str, cell: Cell, unit: Decimal) -> tuple[Decimal | None, Decimal]:
        decimals = min(cell_decimals(cell) or 0, 6)
        if kind == "money":
            # A spreadsheet keeps more digits than it shows; two decimals are what such plans are written in.
            return parse_money(cell, unit), unit * Decimal(1).scaleb(-min(decimals, 2))
        if kind == "rate":
            plain = isinstance(cell, int | float) and abs(Decimal(str(cell))) <= _RATE_FRACTION
            share = parse_percent(cell, fraction=plain)
            return (share.value, Decimal(1).scaleb(-4 if plain else -2 - decimals)) if share else (None, unit)
        if kind == "years":
            return Decimal(bond_term(str(int(cell)) if isinstance(cell, float) else str(cell))), Decimal(1)
        text = squeeze(cell).rstrip("倍") if isinstance(cell, str) else cell
        return parse_number(text), Decimal(1).scaleb(-min(decimals, 2))
