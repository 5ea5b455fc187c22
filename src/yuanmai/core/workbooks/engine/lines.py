"""The rows below a head as the reader wants them: padded, and with what merged cells mean written into every cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from .book import Cell, Merge, Sheet
from .headers import Header
from .rows import total_label

#: Fields that are often written once for a block of rows.
BLOCK_FIELDS = ("park", "kind", "place")
_LOOK = 300


def data_lines(
    sheet: Sheet, header: Header, width: int, name: int, blocks: Sequence[int], keys: Sequence[int] = ()
) -> Iterator[tuple[int, list[Cell], bool]]:
    """Line number, cells, and whether the row only goes on with the project above it (its name is merged down).

    `blocks` are columns that a CSV, which knows no merged cells, may fill in the first row of a block only. `keys` are the
    columns that make a row itself together with the name: where there are some, a name merged down or written once is
    repeated.
    """
    start = header.bottom + 1
    tall: dict[int, list[Merge]] = {}
    for merge in sheet.merges:
        if merge.bottom > merge.top and merge.top >= start:
            tall.setdefault(merge.top, []).append(merge)
    sparse = [] if sheet.merges else [c for c in blocks if _written_once(sheet, start, name, c)]
    carry: dict[int, tuple[Cell, int]] = {}
    last_seen: dict[int, Cell] = {}
    last_name: Cell = None
    for line, cells in enumerate(islice(sheet.rows(), start, None), start):
        if len(cells) < width:
            cells += [None] * (width - len(cells))
        spanning = False
        if carry:
            carry = {column: kept for column, kept in carry.items() if line <= kept[1]}
            spanning = not keys and name in carry and cells[name] is None
            for column, (value, _until) in carry.items():
                if cells[column] is None and not spanning:
                    cells[column] = value
        for merge in tall.get(line, ()):
            if merge.left < width and cells[merge.left] is not None:
                carry[merge.left] = (cells[merge.left], merge.bottom)
        for column in sparse:
            if cells[column] is not None:
                last_seen[column] = cells[column]
            elif cells[name] is not None and not total_label(str(cells[name])):
                cells[column] = last_seen.get(column)
        if keys:
            if cells[name] is not None:
                last_name = None if total_label(str(cells[name])) else cells[name]
            elif any(isinstance(v := cells[c], str) and not total_label(v) for c in keys):
                cells[name] = last_name
        yield line, cells, spanning


def _written_once(sheet: Sheet, start: int, name: int, column: int) -> bool:
    """Whether a column stands in the first row of each block only: a value, then blanks, and no value twice."""
    values = [
        row[column] if column < len(row) else None
        for row in islice(sheet.rows(), start, start + _LOOK)
        if name < len(row) and row[name] is not None and not total_label(str(row[name]))
    ]
    given = [v for v in values if v is not None]
    if not values or values[0] is None or len(set(given)) < len(given):
        return False
    return len(values) >= 2 * len(given) >= 4 and not any(
        a is not None and a == b for a, b in pairwise(values)
    )
