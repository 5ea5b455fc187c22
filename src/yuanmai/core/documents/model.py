"""What a document is made of, independent of the format it is written in.

A :class:`Document` is an official document: head, title, addressee, body blocks, signature, attachments and imprint, in the
order of GB/T 9704-2012. The same object is written as Word (``word.to_word``), PDF (``pdf.to_pdf``); its tables, as
Excel (``excel.to_excel``). All texts are plain text: nothing in them is read as markup by any of the writers.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

Value: TypeAlias = str | int | Decimal | date | None


class Kind(StrEnum):
    """How the values of a table column are shown."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    PERCENT = "percent"
    DATE = "date"


class RowKind(StrEnum):
    """What a table row is."""

    ROW = "row"
    GROUP = "group"
    SUBTOTAL = "subtotal"
    TOTAL = "total"


class Align(StrEnum):
    """Horizontal alignment of a column."""

    LEFT = "left"
    CENTER = "center"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Column:
    """A table column: ``width`` is relative to the other columns; ``digits`` are decimals of DECIMAL and PERCENT.

    A PERCENT value is a fraction (``Decimal("0.25")`` is shown as 25.0 %), so that no writer has to guess.
    """

    width: float = 1.0
    kind: Kind = Kind.TEXT
    digits: int = 2
    align: Align | None = None

    @property
    def alignment(self) -> Align:
        """The stated alignment, or the usual one of the kind: texts left, dates in the middle, numbers right."""
        if self.align is not None:
            return self.align
        if self.kind is Kind.TEXT:
            return Align.LEFT
        return Align.CENTER if self.kind is Kind.DATE else Align.RIGHT


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A cell of a table head, which may span several columns and head rows."""

    text: str
    colspan: int = 1
    rowspan: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """A table row. A GROUP row has one value, which is written across the whole table."""

    cells: tuple[Value, ...]
    kind: RowKind = RowKind.ROW


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a head of one or more rows. ``unit_note`` stands at the right above it (单位：亿元)."""

    columns: tuple[Column, ...]
    head: tuple[tuple[HeadCell, ...], ...]
    rows: tuple[Row, ...]
    caption: str = ""
    unit_note: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Checks that head and rows fit the columns; raises ``ValueError`` naming what does not."""
        head_grid(self)
        for number, row in enumerate(self.rows, start=1):
            wanted = 1 if row.kind is RowKind.GROUP else len(self.columns)
            if len(row.cells) != wanted:
                raise ValueError(
                    f"Table {self.caption!r}: row {number} has {len(row.cells)} cells, expected {wanted}"
                )


@dataclass(frozen=True, slots=True)
class Run:
    """A piece of a paragraph in one weight."""

    text: str
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading without its number; level 1 to 4 is numbered 一、 （一） 1. （1） by the document."""

    text: str
    level: int = 1

    def __post_init__(self) -> None:
        """Raises ``ValueError`` for a level that the standard does not know."""
        if self.level not in (1, 2, 3, 4):
            raise ValueError(f"A heading has level 1 to 4, not {self.level}")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of body text, indented by two characters unless ``indent`` is off."""

    text: str | tuple[Run, ...]
    indent: bool = True

    @property
    def runs(self) -> tuple[Run, ...]:
        """The text as runs."""
        return (Run(self.text),) if isinstance(self.text, str) else self.text

    @property
    def plain(self) -> str:
        """The text without weights."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class Note:
    """附注: a remark in round brackets."""

    text: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture (PNG bytes) as wide as ``width`` times the text, with caption and a text for those who cannot see it."""

    image: bytes
    caption: str = ""
    alt: str = ""
    width: float = 1.0


Block: TypeAlias = Heading | Paragraph | Note | Table | Figure


@dataclass(frozen=True, slots=True)
class Attachment:
    """附件: begins on a page of its own; ``landscape`` for wide tables."""

    title: str
    blocks: tuple[Block, ...]
    landscape: bool = False


@dataclass(frozen=True, slots=True)
class Imprint:
    """版记: who receives copies, who printed it and when."""

    copies_to: tuple[str, ...] = ()
    printed_by: str = ""
    printed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """An official document. Everything but ``title`` and ``body`` may be left out.

    ``mark`` is the red 发文机关标志; without it the document has no red head. ``number`` is the 发文字号 as it shall be
    printed (坦重点办〔2022〕3号). ``language`` is ``zh`` or ``en``.
    """

    title: str
    body: tuple[Block, ...]
    mark: str = ""
    number: str = ""
    issuer: str = ""
    """签发人, printed beside the number."""
    copy_number: str = ""
    """份号, six digits."""
    secrecy: str = ""
    urgency: str = ""
    addressee: str = ""
    """主送机关, without the colon."""
    signature: str = ""
    signed_on: date | None = None
    note: str = ""
    attachments: tuple[Attachment, ...] = ()
    imprint: Imprint | None = None
    language: str = "zh"
    author: str = ""
    created: datetime | None = None
    """For the file's properties; must be given for output that is equal byte by byte."""
    keywords: tuple[str, ...] = field(default_factory=tuple)


def head_grid(table: Table) -> list[list[tuple[HeadCell, bool] | None]]:
    """Lays the head cells of ``table`` out on a grid of head rows × columns.

    Each place holds the cell that covers it and whether the cell begins there. Raises ``ValueError`` if cells overlap,
    stick out, or leave a hole.
    """
    height, width = len(table.head), len(table.columns)
    grid: list[list[tuple[HeadCell, bool] | None]] = [[None] * width for _ in range(height)]
    for top, cells in enumerate(table.head):
        left = 0
        for cell in cells:
            while left < width and grid[top][left] is not None:
                left += 1
            if left + cell.colspan > width or top + cell.rowspan > height:
                raise ValueError(
                    f"Table {table.caption!r}: head cell {cell.text!r} reaches beyond the table's head"
                )
            for row in range(top, top + cell.rowspan):
                for column in range(left, left + cell.colspan):
                    if grid[row][column] is not None:
                        raise ValueError(
                            f"Table {table.caption!r}: head cell {cell.text!r} overlaps another one"
                        )
                    grid[row][column] = (cell, row == top and column == left)
            left += cell.colspan
    for row, places in enumerate(grid, start=1):
        if any(place is None for place in places):
            raise ValueError(f"Table {table.caption!r}: head row {row} does not cover all {width} columns")
    return grid


def simple_head(*texts: str) -> tuple[tuple[HeadCell, ...], ...]:
    """A head of one row with one cell per column."""
    return (tuple(HeadCell(text) for text in texts),)
