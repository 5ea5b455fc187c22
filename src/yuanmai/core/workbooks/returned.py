"""The workbook that goes back: the user's own cells, the bad ones coloured, and a first sheet that lists every fault."""

import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from yuanmai.core.workbooks.engine.book import Book
from yuanmai.core.workbooks.engine.faults import Fault
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.wording import fault_advice, fault_text


def marked_workbook(book: Book, parsed: Parsed) -> bytes:
    """An .xlsx of the sheets that were read, with every fault coloured, commented and listed. Texts never become formulas."""
    out = io.BytesIO()
    workbook = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "default_date_format": "yyyy-mm-dd",
        },
    )
    formats = {
        "error": workbook.add_format({"bg_color": "#F8C9C4", "border": 1, "border_color": "#C0392B"}),
        "warning": workbook.add_format({"bg_color": "#FCE8B2", "border": 1, "border_color": "#B7791F"}),
        "head": workbook.add_format({"bold": True, "bg_color": "#DCE6F2", "border": 1, "text_wrap": True}),
        "wrap": workbook.add_format({"text_wrap": True, "valign": "top"}),
        "date": workbook.add_format({"num_format": "yyyy-mm-dd"}),
    }
    _list(workbook, formats, parsed.faults)
    read = {reading.sheet for reading in parsed.sheets}
    for sheet in book.sheets:
        if sheet.name in read:
            marks = {f.cell: f for f in reversed(parsed.faults) if f.sheet == sheet.name}
            _copy(workbook, formats, sheet, marks)
    workbook.close()
    return out.getvalue()


def _list(workbook: Any, formats: dict[str, Any], faults: Sequence[Fault]) -> None:
    page = workbook.add_worksheet(_("Faults")[:31])
    heads = (
        _("Sheet"),
        _("Cell"),
        _("Column"),
        _("Value as written"),
        _("What is wrong"),
        _("What to do"),
        _("Weight"),
    )
    page.write_row(0, 0, heads, formats["head"])
    for number, fault in enumerate(faults, 1):
        page.write_string(number, 0, fault.sheet)
        page.write_url(
            number,
            1,
            f"internal:'{fault.sheet.replace(chr(39), chr(39) * 2)}'!{fault.cell}",
            string=fault.cell,
        )
        weight = _("stops the import") if fault.severity == "error" else _("to be checked")
        texts = (fault.column, fault.value, fault_text(fault), fault_advice(fault), weight)
        for column, text in enumerate(texts, 2):
            page.write_string(number, column, text, formats["wrap"])
    page.set_column(0, 0, 18)
    page.set_column(1, 1, 8)
    page.set_column(2, 3, 20)
    page.set_column(4, 5, 44)
    page.set_column(6, 6, 14)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, max(len(faults), 1), 6)


def _copy(workbook: Any, formats: dict[str, Any], sheet: Any, marks: dict[str, Fault]) -> None:
    page = workbook.add_worksheet(sheet.name[:31])
    by_place = {_place(cell): fault for cell, fault in marks.items()}
    for line, cells in enumerate(sheet.rows()):
        for column, value in enumerate(cells):
            fault = by_place.pop((line, column), None)
            form = formats[fault.severity] if fault and fault.severity in formats else None
            _write(page, line, column, value, form, formats["date"])
            if fault is not None:
                page.write_comment(line, column, f"{fault_text(fault)} {fault_advice(fault)}", {"x_scale": 2})
    for (line, column), fault in by_place.items():
        page.write_blank(line, column, None, formats.get(fault.severity))
        page.write_comment(line, column, f"{fault_text(fault)} {fault_advice(fault)}", {"x_scale": 2})
    for merge in sheet.merges:
        if merge.bottom > merge.top or merge.right > merge.left:
            _merge(page, merge)
    page.set_column(0, 40, 14)


def _merge(page: Any, merge: Any) -> None:
    """Merge cells without touching what stands in them (`merge_range` would write)."""
    page.merge.append([merge.top, merge.left, merge.bottom, merge.right])


def _write(page: Any, line: int, column: int, value: Any, form: Any, day: Any) -> None:
    if value is None:
        if form is not None:
            page.write_blank(line, column, None, form)
    elif isinstance(value, bool):
        page.write_boolean(line, column, value, form)
    elif isinstance(value, int | float):
        page.write_number(line, column, value, form)
    elif isinstance(value, date | datetime):
        page.write_datetime(line, column, value, form or day)
    else:
        page.write_string(line, column, str(value), form)


def _place(cell: str) -> tuple[int, int]:
    letters = cell.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(cell[len(letters) :]) - 1, column - 1
