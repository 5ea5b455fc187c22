"""Tables out of HTML: many office systems save a web page under the name .xls."""

from __future__ import annotations

from html.parser import HTMLParser

Table = tuple[list[list[str | None]], list[tuple[int, int, int, int]]]
_MAX_SPAN = 1000


class _Tables(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Table] = []
        self._taken: dict[int, int] = {}
        self._cell: list[str] | None = None
        self._span = (1, 1)
        self._column = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append(([], []))
            self._taken = {}
        elif tag == "tr" and self.tables:
            self._close_cell()
            self.tables[-1][0].append([])
            self._column = 0
        elif tag in ("td", "th") and self.tables and self.tables[-1][0]:
            self._close_cell()
            given = dict(attrs)
            self._span = (_span(given.get("rowspan")), _span(given.get("colspan")))
            self._cell = []
        elif tag == "br" and self._cell is not None:
            self._cell.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self._close_cell()

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    def _close_cell(self) -> None:
        if self._cell is None or not self.tables:
            return
        rows, merges = self.tables[-1]
        line = len(rows) - 1
        while self._taken.get(self._column, -1) >= line:
            self._column += 1
        tall, wide = self._span
        row = rows[-1]
        row.extend([None] * (self._column + wide - len(row)))
        row[self._column] = "".join(self._cell).strip() or None
        for column in range(self._column, self._column + wide):
            if tall > 1:
                self._taken[column] = line + tall - 1
        if tall > 1 or wide > 1:
            merges.append((line, self._column, line + tall - 1, self._column + wide - 1))
        self._column += wide
        self._cell = None


def _span(text: str | None) -> int:
    try:
        return min(max(int(text or "1"), 1), _MAX_SPAN)
    except ValueError:
        return 1


def read_html_tables(text: str) -> list[Table]:
    """All tables of a page as rows of text with their merged ranges (top, left, bottom, right), zero-based."""
    parser = _Tables()
    parser.feed(text)
    parser.close()
    return [table for table in parser.tables if table[0]]
