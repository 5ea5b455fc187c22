"""Writes workbooks for the tests: rows of cells, merges, several formats. Nothing binary is kept in the tree."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import xlwt

from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.pipeline import Choices, parse
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.spec import load_spec

PRESET = Path(__file__).resolve().parents[3] / "src/yuanmai/projects/presets/key_project_ledger.yaml"
SPEC = load_spec(PRESET.read_text(encoding="utf-8"))
WAN, YI = Decimal(10_000), Decimal(100_000_000)

Grid = Sequence[Sequence[Any]]


@dataclass
class Tab:
    """One sheet to write: rows, merged ranges in A1 notation, and whether it is hidden."""

    rows: Grid
    name: str = "Sheet1"
    merges: Sequence[str] = ()
    hidden: bool = False
    formats: dict[str, str] = field(default_factory=dict)
    hidden_rows: Sequence[int] = ()


def xlsx(*tabs: Tab) -> bytes:
    """An .xlsx workbook."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for tab in tabs:
        sheet = book.create_sheet(tab.name)
        for r, row in enumerate(tab.rows, 1):
            for c, value in enumerate(row, 1):
                if value is not None:
                    sheet.cell(r, c, value)
        for area in tab.merges:
            sheet.merge_cells(area)
        for cell, code in tab.formats.items():
            sheet[cell].number_format = code
        for number in tab.hidden_rows:
            sheet.row_dimensions[number].hidden = True
        if tab.hidden:
            sheet.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def xls(*tabs: Tab) -> bytes:
    """An .xls workbook (BIFF8)."""
    book = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for tab in tabs:
        sheet = book.add_sheet(tab.name)
        covered = {}
        for area in tab.merges:
            left, top, right, bottom = openpyxl.utils.range_boundaries(area)
            covered[(top - 1, left - 1)] = (bottom - 1, right - 1)
        for r, row in enumerate(tab.rows):
            for c, value in enumerate(row):
                if (r, c) in covered:
                    bottom, right = covered[(r, c)]
                    sheet.write_merge(r, bottom, c, right, value if value is not None else "")
                elif value is not None and not any(
                    t <= r <= b and lft <= c <= rgt for (t, lft), (b, rgt) in covered.items()
                ):
                    if isinstance(value, date):
                        sheet.write(r, c, value, day)
                    else:
                        sheet.write(r, c, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def csv_bytes(rows: Grid, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """A CSV file in an encoding ('utf-8-sig' writes a byte-order mark)."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    for row in rows:
        writer.writerow(["" if v is None else v for v in row])
    return out.getvalue().encode(encoding)


def html(rows: Grid) -> bytes:
    """A web page saved as .xls, as many office systems export."""
    body = "".join(
        "<tr>" + "".join(f"<td>{'' if v is None else v}</td>" for v in row) + "</tr>" for row in rows
    )
    return f'<html><head><meta charset="utf-8"></head><body><table>{body}</table></body></html>'.encode()


def read(data: bytes, name: str = "台账.xlsx", **choices: Any) -> Parsed:
    """Read a workbook as a key-project ledger."""
    mapping = choices.pop("mapping", None)
    return parse(read_book(data, name), SPEC, mapping, Choices(**choices) if choices else None)


def sheet(
    rows: Grid, name: str = "重点项目", file: str = "台账.xlsx", merges: Sequence[str] = (), **choices: Any
) -> Parsed:
    """Write rows as .xlsx and read them."""
    return read(xlsx(Tab(rows, name, merges)), file, **choices)


def column(parsed: Parsed, code: str) -> list[Any]:
    """Values of one field over all rows."""
    return [row.get(code) for row in parsed.rows]


def bad_checks(parsed: Parsed) -> list[tuple[str, str, Decimal, Decimal | None]]:
    """The stated totals that do not agree: cell, field, stated, computed."""
    return [(c.cell, c.field, c.stated, c.computed) for c in parsed.checks if not c.ok]


def faults(parsed: Parsed, severity: str = "error") -> list[tuple[str, str]]:
    """(cell, rule) of the faults of a severity, in the order of the file."""
    return [(f.cell, f.rule) for f in parsed.faults if f.severity == severity]
