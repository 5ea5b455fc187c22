"""A first look at the rows of a sheet, before its columns are known."""

from __future__ import annotations

from itertools import islice

from .book import Cell, Sheet
from .headers import Header
from .rows import total_label
from .units import unit_in_text

SAMPLES = 300


def samples_of(sheet: Sheet, header: Header, width: int) -> list[list[Cell]]:
    """The first rows that look like data, to guess what a column holds."""
    rows = islice(sheet.rows(), header.bottom + 1, header.bottom + 1 + SAMPLES)
    picked = []
    for row in rows:
        filled = [c for c in row if c is not None]
        text = next((c for c in filled if isinstance(c, str)), "")
        if len(filled) < 3 or total_label(text):
            continue
        picked.append(row)
    return picked


def unit_in_notes(sheet: Sheet, header: Header) -> str | None:
    """A unit that is stated only below the table."""
    for row in islice(sheet.rows(), header.bottom + 1, None):
        filled = [c for c in row if c is not None]
        if (
            len(filled) == 1
            and isinstance(filled[0], str)
            and "元" in filled[0]
            and (unit := unit_in_text(filled[0]))
        ):
            return unit
    return None
