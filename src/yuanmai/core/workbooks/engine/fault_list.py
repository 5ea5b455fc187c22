"""The faults of one sheet, each at its cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from .book import Sheet
from .checking import LOOK_UP
from .columns import Column
from .faults import Fault, Severity
from .result import Row
from .spec import KindSpec
from .text import a1
from .values import as_written


class FaultList:
    """Collects what is wrong while a sheet is read. `by_field` is the first column of each field."""

    def __init__(
        self, sheet: Sheet, columns: Sequence[Column], by_field: Mapping[str, Column], spec: KindSpec
    ) -> None:
        self.sheet, self.columns, self.by_field, self.spec = sheet, columns, by_field, spec
        self.faults: list[Fault] = []

    def of_row(
        self, rule: str, row: Row, field: str, value: object, severity: Severity = "error", **params: object
    ) -> None:
        """Blame the cell of a field in a row, or the row's name where the sheet has no such column."""
        column = self.by_field.get(field)
        if column is None and field in ("start_on", "finish_on"):
            column = self.by_field.get("period")
        if column is None:
            column = self.by_field[self.spec.name_field]
        self.at(rule, row.line, column, value, severity, **params)

    def at(
        self,
        rule: str,
        line: int,
        column: Column,
        value: object,
        severity: Severity = "error",
        **params: object,
    ) -> None:
        """Blame one cell; `line` counts from 0."""
        self.faults.append(
            Fault(
                rule,
                self.sheet.name,
                a1(line, column.index),
                column.header,
                as_written(value),
                line + 1,
                column.field or "",
                severity,
                params,
            )
        )

    def no_column(self, field: str, line: int) -> None:
        """Say that the head has no column for a field that every row needs."""
        self.faults.append(
            Fault(
                "column.missing",
                self.sheet.name,
                a1(line, 0),
                "",
                "",
                line + 1,
                field,
                "error",
                {"field": field, "label": self.spec.fields[field].label_zh},
            )
        )

    def look_up(self) -> None:
        """Rules between fields know values, not cells: look up what stands in the cells they blame."""
        wanted: dict[int, list[int]] = {}
        for position, fault in enumerate(self.faults):
            if fault.value == LOOK_UP:
                wanted.setdefault(fault.row - 1, []).append(position)
        if not wanted:
            return
        columns = {c.header: c.index for c in self.columns}
        for line, cells in enumerate(self.sheet.rows()):
            for position in wanted.get(line, ()):
                fault = self.faults[position]
                column = columns.get(fault.column, 0)
                self.faults[position] = replace(
                    fault, value=as_written(cells[column] if column < len(cells) else None)
                )

    def ordered(self) -> tuple[Fault, ...]:
        """Return the faults in the order of their cells."""
        return tuple(sorted(self.faults, key=lambda f: (f.row, len(f.cell), f.cell)))
