"""Cells to values, one converter per mapped column, with a cache because ledgers repeat themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rapidfuzz import fuzz, process

from .book import Cell
from .columns import Column
from .dates import DateFault, parse_date, parse_period
from .formats import FORMATS
from .spec import Field, KindSpec
from .text import is_empty, squeeze
from .units import MONEY_UNITS
from .values import ValueFault, parse_choice, parse_money, parse_number, parse_percent, parse_text, split_tags

_YES = frozenset({"是", "√", "✓", "✔", "y", "yes", "已", "有", "true", "1", "对", "v", "●", "☑", "是。"})
_NO = frozenset(
    {"否", "×", "✗", "✕", "x", "n", "no", "未", "不是", "没有", "false", "0", "○", "☐", "无", "否。"}
)
_CACHE = 20_000


@dataclass(frozen=True, slots=True)
class Converter:
    """A mapped column, the slots its value goes to, and the function that reads a cell.

    The function returns a value (or, for a period, a pair) or raises ValueFault or DateFault.
    """

    column: Column
    field: Field
    slots: tuple[int, ...]
    read: Callable[[Cell], Any]


def converters(
    columns: Sequence[Column], spec: KindSpec, layout: dict[str, int], samples: Sequence[Sequence[Cell]]
) -> list[Converter]:
    """Converters of all mapped columns except the running number, in column order."""
    result = []
    for column in columns:
        if column.field is None:
            continue
        field = spec.fields[column.field]
        if field.type == "index":
            continue
        two_digits = any(
            (isinstance(cell, str) and re.search(r"\d{4}[.]0\d", cell))
            or (isinstance(cell, float) and re.search(r"^\d{4}\.0\d$", format(cell, ".10g")))
            for row in samples
            if column.index < len(row) and (cell := row[column.index]) is not None
        )
        slots = (
            (layout["start_on"], layout["finish_on"]) if field.type == "date_range" else (layout[field.code],)
        )
        result.append(Converter(column, field, slots, _cached(_reader(column, field, two_digits))))
    return result


def _cached(read: Callable[[Cell], Any]) -> Callable[[Cell], Any]:
    cache: dict[Cell, Any] = {}

    def get(cell: Cell) -> Any:
        if cell is True or cell is False:
            return read(cell)
        found = cache.get(cell, cache)
        if found is cache:
            found = read(cell)
            if len(cache) < _CACHE:
                cache[cell] = found
        return found

    return get


def _reader(column: Column, field: Field, two_digits: bool) -> Callable[[Cell], Any]:
    if field.type == "money":
        unit = MONEY_UNITS[column.unit or "元"]
        return lambda cell: parse_money(cell, unit)
    if field.type == "number":
        return parse_number
    if field.type == "percent":
        return lambda cell: parse_percent(cell, fraction=column.fraction)
    if field.type == "date":
        return lambda cell: span.at(field.edge) if (span := parse_date(cell, two_digits=two_digits)) else None
    if field.type == "date_range":
        return lambda cell: _period(cell, two_digits)
    if field.type == "choice":
        return lambda cell: _choice(cell, field)
    if field.type == "state":
        return _state_reader("".join(column.path), field)
    if field.type == "tags":
        return lambda cell: split_tags(text) if (text := parse_text(cell)) else None
    if field.format:
        form = FORMATS[field.format]
        return lambda cell: form(text) if (text := parse_text(cell)) else None
    if field.type == "code":
        return lambda cell: _limited(squeeze(text), field) if (text := parse_text(cell)) else None
    if field.long:
        return parse_text
    return lambda cell: _limited(text.replace("\n", ""), field) if (text := parse_text(cell)) else None


def _limited(text: str, field: Field) -> str:
    if field.max_length and len(text) > field.max_length:
        raise ValueFault("text.too_long", limit=field.max_length)
    return text


def _period(cell: Cell, two_digits: bool) -> tuple[date | None, date | None] | None:
    start, finish = parse_period(cell, two_digits=two_digits)
    if start is None and finish is None:
        return None
    return (start.first if start else None, finish.last if finish else None)


def _choice(cell: Cell, field: Field) -> str | None:
    text = parse_text(cell)
    if text is None:
        return None
    values = field.values or {}
    code = parse_choice(text, values)
    if code is None:
        words = [w for c, ws in values.items() if not c.startswith("~") for w in ws]
        near = process.extractOne(squeeze(text), words, scorer=fuzz.ratio)
        raise ValueFault(
            f"{field.code}.unknown", nearest=near[0] if near and near[1] >= 40 else words[0] if words else ""
        )
    return None if code.startswith("~") else code


def _state_reader(header: str, field: Field) -> Callable[[Cell], Any]:
    plain = squeeze(header)
    about = (
        "resumed"
        if "复工" in plain and "开工" not in plain and "开复" not in plain and "开(复" not in plain
        else ("started" if "复" not in plain else "either")
    )

    def read(cell: Cell) -> Any:
        if isinstance(cell, bool):
            return ("yes" if cell else "no", about)
        if isinstance(cell, str):
            plain = squeeze(cell).lower()
            if plain in _YES:
                return ("yes", about)
            if plain in _NO and not is_empty(cell):
                return ("no", about)
        elif isinstance(cell, int | float) and cell in (0, 1):
            return ("yes" if cell else "no", about)
        text = parse_text(cell)
        if text is None:
            return None
        code = parse_choice(text, field.values or {})
        if code:
            return (code, about)
        try:
            if parse_date(cell):  # the month in which it started
                return ("yes", about)
        except DateFault:
            pass
        raise ValueFault("state.unknown")

    return read


def settle_state(raw: tuple[str, str], kind: str | None) -> str:
    """The state in the words of the project's kind: a continuing project resumes, a new one starts."""
    word, about = raw
    resumes = about == "resumed" or (about == "either" and kind == "continuing") or kind == "continuing"
    if word in ("yes", "started", "resumed"):
        return "resumed" if resumes and kind != "new_start" else "started"
    if word in ("no", "not_started", "not_resumed"):
        return "not_resumed" if (word == "not_resumed" or resumes) and kind != "new_start" else "not_started"
    return word


def cell_decimals(cell: Cell) -> int | None:
    """Decimals of a number as written, None for other cells."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    if isinstance(cell, str):
        match = re.search(r"\d(?:\.(\d+))?(?!.*\d)", squeeze(cell))
        return len(match[1] or "") if match else None
    exponent = Decimal(format(cell, ".15g")).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else None
