"""Tables as Excel workbooks that open without a warning and can be reckoned with.

Numbers are numbers with a number format, dates are dates, texts are always texts: a cell that begins with ``=``, ``+``, ``-`` or
``@`` is shown as typed and never evaluated.
"""

import io
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from .model import Align, Column, Kind, RowKind, Table, Value, head_grid
from .parts import table_notes
from .text import clean, shown, width_in_chars

_FONT = "宋体"
_CELL_LIMIT = 32_767
# Excel keeps 15 significant digits; a longer integer (an account, a credit code) would silently change.
_SAFE_INTEGER = 10**15


def to_excel(
    *tables: Table, title: str = "", sheet: str = "", author: str = "", language: str = "zh"
) -> bytes:
    """``tables`` as .xlsx bytes, one sheet each, named by caption or ``sheet``; ``title`` leads the first sheet."""
    if not tables:
        raise ValueError("A workbook needs at least one table")
    target = io.BytesIO()
    book = xlsxwriter.Workbook(
        target,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
        },
    )
    book.set_properties(
        {
            "title": clean(title or tables[0].caption)[:255],
            "author": clean(author)[:255],
            # A fixed date, so that the same table gives the same file.
            "created": datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None),
        }
    )
    names: set[str] = set()
    for number, table in enumerate(tables, start=1):
        name = _sheet_name(table.caption or (sheet if len(tables) == 1 else "") or title, number, names)
        heading = title if number == 1 and title else table.caption
        _Sheet(book, book.add_worksheet(name), table, clean(heading), language).write()
    book.close()
    return target.getvalue()


def _sheet_name(wanted: str, number: int, taken: set[str]) -> str:
    name = re.sub(r"[\[\]:*?/\\]", " ", clean(wanted)).strip().strip("'")[:31] or f"Sheet{number}"
    base = name
    while name.casefold() in taken:
        suffix = f" ({number})"
        name = base[: 31 - len(suffix)] + suffix
        number += 1
    taken.add(name.casefold())
    return name


class _Sheet:
    """Writes one table to one sheet."""

    def __init__(self, book: Any, sheet: Any, table: Table, title: str, language: str) -> None:
        self.book, self.sheet, self.table, self.title, self.language = book, sheet, table, title, language
        self.last = len(table.columns) - 1
        self._formats: dict[tuple[Any, ...], Any] = {}

    def _format(self, **properties: Any) -> Any:
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            base = {"font_name": _FONT, "font_size": 10.5, "valign": "vcenter"}
            self._formats[key] = self.book.add_format(base | properties)
        return self._formats[key]

    def write(self) -> None:
        """Title, unit note, head, rows, notes; then panes, widths and print settings."""
        row = 0
        if self.title:
            self._across(row, self.title, self._format(font_name="黑体", font_size=16, align="center"))
            self.sheet.set_row(row, 30)
            row += 1
        if self.table.unit_note:
            self._across(row, clean(self.table.unit_note), self._format(align="right"))
            row += 1
        head = row
        row = self._head(row)
        body = row
        for line in self.table.rows:
            self._row(row, line.cells, line.kind)
            row += 1
        for note in table_notes(self.table, self.language):
            self._across(row, note, self._format(text_wrap=True, align="left"))
            row += 1
        self._widths()
        self.sheet.freeze_panes(body, 0)
        self.sheet.repeat_rows(head, body - 1)
        self.sheet.set_paper(9)
        self.sheet.fit_to_pages(1, 0)
        if sum(self._width(index) for index in range(self.last + 1)) > 95:
            self.sheet.set_landscape()
        self.sheet.set_footer("&C— &P —")
        if body > head and self.table.rows:
            plain = all(line.kind is RowKind.ROW for line in self.table.rows)
            if plain:
                self.sheet.autofilter(body - 1, 0, body + len(self.table.rows) - 1, self.last)

    def _across(self, row: int, text: str, form: Any) -> None:
        if self.last:
            self.sheet.merge_range(row, 0, row, self.last, "", form)
        self.sheet.write_string(row, 0, text[:_CELL_LIMIT], form)

    def _head(self, top: int) -> int:
        form = self._format(
            font_name="黑体", bold=False, align="center", text_wrap=True, border=1, bg_color="#E8EEF7"
        )
        grid = head_grid(self.table)
        for y, places in enumerate(grid):
            for x, place in enumerate(places):
                if place is None or not place[1]:
                    continue
                cell = place[0]
                if cell.colspan > 1 or cell.rowspan > 1:
                    self.sheet.merge_range(
                        top + y, x, top + y + cell.rowspan - 1, x + cell.colspan - 1, "", form
                    )
                self.sheet.write_string(top + y, x, clean(cell.text), form)
        return top + len(grid)

    def _row(self, row: int, cells: tuple[Value, ...], kind: RowKind) -> None:
        if kind is RowKind.GROUP:
            form = self._format(font_name="黑体", border=1, align="left", bg_color="#F5F7FA")
            self._across(row, clean(str(cells[0])), form)
            return
        bold = kind is not RowKind.ROW
        for x, (value, column) in enumerate(zip(cells, self.table.columns, strict=True)):
            self._cell(row, x, value, column, bold)

    def _cell(self, row: int, x: int, value: Value, column: Column, bold: bool) -> None:
        common: dict[str, Any] = {"border": 1, "bold": bold, "align": column.alignment.value}
        if value is None:
            self.sheet.write_blank(row, x, None, self._format(**common))
        elif isinstance(value, str):
            wrap = column.alignment is Align.LEFT
            form = self._format(**common, text_wrap=wrap, num_format="@")
            self.sheet.write_string(row, x, clean(value)[:_CELL_LIMIT], form)
        elif isinstance(value, date):
            form = self._format(**common, num_format="yyyy-mm-dd")
            moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001
            self.sheet.write_datetime(row, x, moment.replace(tzinfo=None), form)
        elif not Decimal(value).is_finite() or abs(Decimal(value)) >= _SAFE_INTEGER:
            self.sheet.write_string(row, x, str(value), self._format(**common, num_format="@"))
        else:
            self.sheet.write_number(row, x, float(value), self._format(**common, num_format=_number(column)))

    def _width(self, index: int) -> float:
        """A column is as wide as its longest value, between 6 and 42 characters; a head cell may wrap."""
        column = self.table.columns[index]
        longest = 6.0
        for places in head_grid(self.table):
            place = places[index]
            if place is not None and place[0].colspan == 1:
                longest = max(longest, min(width_in_chars(place[0].text), 6.0) * 2)
        for line in self.table.rows[:2000]:
            if line.kind is not RowKind.GROUP:
                longest = max(longest, width_in_chars(shown(line.cells[index], column)) * 2)
        return min(longest + 2, 42.0)

    def _widths(self) -> None:
        for index in range(self.last + 1):
            self.sheet.set_column(index, index, self._width(index))


def _number(column: Column) -> str:
    decimals = "." + "0" * column.digits if column.digits else ""
    if column.kind is Kind.PERCENT:
        return f"0{decimals}%"
    if column.kind is Kind.DECIMAL:
        return f"#,##0{decimals}"
    return "#,##0" if column.kind is Kind.INTEGER else "General"
