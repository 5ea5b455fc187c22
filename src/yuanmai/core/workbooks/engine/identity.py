"""Which rows are the same thing: by code, else by name below the main row's name; and which occur twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .result import Row
from .spec import KindSpec
from .text import key


def identity(row: Row, rows: Sequence[Row], spec: KindSpec) -> str:
    """What makes two rows the same: the kind's own key, else the code, else the name (below its main project's name)."""
    if spec.row_key:
        parts = (next((str(v) for f in group if (v := row.get(f)) is not None), "") for group in spec.row_key)
        return "|".join(key(part) for part in parts)
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


def duplicates(rows: Sequence[Row], spec: KindSpec, *, coded: bool) -> Iterator[tuple[Row, Row, str]]:
    """Yield (row, the first row that is the same, the field that says so); `coded`: the sheet has a column of codes."""
    told: set[int] = set()
    seen: dict[str, Row] = {}
    if spec.row_key:
        for row in rows:
            first = seen.setdefault(identity(row, rows, spec), row)
            if first is not row:
                yield row, first, spec.row_key[-1][0]
        return
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
            told.add(id(row))
            yield row, first, spec.code_field if by_code else spec.name_field
        names.setdefault(identity_by_name(row, rows, spec), row)
    for field in spec.unique:
        values: dict[str, Row] = {}
        for row in rows:
            if value := row.get(field):
                first = values.setdefault(key(str(value)), row)
                if first is not row and id(row) not in told:
                    told.add(id(row))
                    yield row, first, field
