"""Which rows are the same thing: by code, else by name below the main row's name; and which occur twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .result import Row
from .spec import KindSpec
from .text import key


def identity(row: Row, rows: Sequence[Row], spec: KindSpec) -> str:
    """What makes two rows the same project: the code, else the name (below its main project's name)."""
    code = row.get(spec.code_field)
    if code:
        return f"#{key(code)}"
    name = key(str(row.get(spec.name_field) or ""))
    if row.parent is not None:
        return f"{key(str(rows[row.parent].get(spec.name_field)))}/{name}"
    return name


def identity_by_name(row: Row, rows: Sequence[Row], spec: KindSpec) -> str:
    """The identity of a row as if it had no code."""
    name = key(str(row.get(spec.name_field) or ""))
    if row.parent is not None:
        return f"{key(str(rows[row.parent].get(spec.name_field)))}/{name}"
    return name


def duplicates(rows: Sequence[Row], spec: KindSpec, *, coded: bool) -> Iterator[tuple[Row, Row, bool]]:
    """Yield (row, the first row that is the same, whether the code says so); `coded`: the sheet has a column of codes."""
    seen: dict[str, Row] = {}
    names: dict[str, Row] = {}
    for row in rows:
        if row.get(spec.name_field) is None:
            continue
        mark = identity(row, rows, spec)
        first = seen.setdefault(mark, row)
        by_code = coded and mark.startswith("#")
        if first is row and not mark.startswith("#"):
            first = names.get(mark, row)
        if first is not row:
            yield row, first, by_code
        names.setdefault(identity_by_name(row, rows, spec), row)
