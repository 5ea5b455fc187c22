"""What the pipeline hands out: rows as typed values, columns, checks and faults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .columns import Column
from .faults import Fault
from .headers import Header
from .periods import Period
from .totals import TotalCheck


class Row:
    """One project of the sheet. Values stand in slots shared by all rows, which keeps 100,000 of them small."""

    __slots__ = ("index", "layout", "line", "parent", "values")

    def __init__(
        self, line: int, index: str, parent: int | None, values: list[Any], layout: Mapping[str, int]
    ) -> None:
        self.line = line  # zero-based row of the sheet
        self.index = index
        self.parent = parent  # position of the main project in Parsed.rows
        self.values = values
        self.layout = layout

    def get(self, field: str) -> Any:
        """The value of a field, None when the sheet says nothing."""
        return self.values[self.layout[field]]

    def as_dict(self) -> dict[str, Any]:
        """All values that are there."""
        return {f: v for f, slot in self.layout.items() if (v := self.values[slot]) is not None}

    def __repr__(self) -> str:
        return f"Row({self.line + 1}, {self.as_dict()})"


@dataclass(frozen=True, slots=True)
class SheetReading:
    """One sheet as read."""

    sheet: str
    header: Header
    columns: tuple[Column, ...]
    period: Period
    unit: str | None
    rows: tuple[Row, ...]
    checks: tuple[TotalCheck, ...]
    faults: tuple[Fault, ...]
    lists: tuple[str, ...]

    @property
    def unknown(self) -> tuple[Column, ...]:
        """Columns with content that were not recognised."""
        return tuple(c for c in self.columns if c.field is None and c.samples)

    def letter(self, field: str) -> str:
        """Excel letters of the column of a field, '' when there is none."""
        return next((c.letter for c in self.columns if c.field == field), "")


@dataclass(frozen=True, slots=True)
class Parsed:
    """A workbook as read: its sheets (usually one), and everything found wrong, in the order of the file."""

    kind: str
    file: str
    sheets: tuple[SheetReading, ...]
    period: Period
    sheet_names: tuple[str, ...]

    @property
    def sheet(self) -> str:
        """Name of the sheet, or of all sheets read."""
        return "、".join(s.sheet for s in self.sheets)

    @property
    def rows(self) -> list[Row]:
        """All rows of all sheets."""
        return [row for sheet in self.sheets for row in sheet.rows]

    @property
    def faults(self) -> list[Fault]:
        """All faults of all sheets."""
        return [fault for sheet in self.sheets for fault in sheet.faults]

    @property
    def errors(self) -> list[Fault]:
        """The faults that stop the file."""
        return [fault for fault in self.faults if fault.severity == "error"]

    def with_faults(self, more: Iterable[Fault]) -> Parsed:
        """The same reading with further faults, each at its place on its sheet."""
        by_sheet: dict[str, list[Fault]] = {}
        for fault in more:
            by_sheet.setdefault(fault.sheet, []).append(fault)
        if not by_sheet:
            return self
        sheets = [
            replace(
                sheet,
                faults=tuple(
                    sorted(
                        (*sheet.faults, *by_sheet.get(sheet.sheet, ())),
                        key=lambda f: (f.row, len(f.cell), f.cell),
                    )
                ),
            )
            for sheet in self.sheets
        ]
        return replace(self, sheets=tuple(sheets))

    @property
    def checks(self) -> list[TotalCheck]:
        """All stated totals beside the computed ones."""
        return [check for sheet in self.sheets for check in sheet.checks]
