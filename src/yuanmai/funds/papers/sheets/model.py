"""What a form is, and how it becomes a file."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import get_language, gettext_lazy

from yuanmai.common.money import WAN
from yuanmai.core.documents import (
    Attachment,
    Block,
    Column,
    Document,
    HeadCell,
    Kind,
    Note,
    Paragraph,
    Row,
    RowKind,
    Table,
    to_excel,
    to_pdf,
    to_word,
)
from yuanmai.core.documents.model import Align, Value
from yuanmai.core.figures import Query
from yuanmai.core.policy import Text

CENT = Decimal("0.01")
WIDE = 7  # more columns than this stand on a landscape page
TEXT, NUMBER, DAY = Column(2.4), Column(1.4, Kind.DECIMAL, 2), Column(1.3, Kind.DATE)
SHORT, COUNT = Column(1.0), Column(0.8, Kind.INTEGER)
MIDDLE = Column(1.0, align=Align.CENTER)
RATE = Column(1.0, Kind.PERCENT, 2)
TIMES = Column(1.0, Kind.DECIMAL, 2)
MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}


@dataclass(frozen=True)
class Sheet:
    """A form filled in: `about` says of what and of when, `tables` stand one below the other, `notes` at the end."""

    title: str
    about: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any(
            row.kind in (RowKind.ROW, RowKind.SUBTOTAL) for table in self.tables for row in table.rows
        )


@dataclass(frozen=True)
class Asked:
    """What a form is filled in for: a question, whose it is, and the project of a project's form."""

    query: Query
    org: Any
    project: Any = None  # ProjectState

    @property
    def year(self) -> int:
        """The year of the question."""
        return self.query.as_of.year

    @property
    def name(self) -> str:
        """Of whom or what the form speaks."""
        return str(self.project.name if self.project is not None else self.org.name)


@dataclass(frozen=True)
class Form:
    """A form: its code in addresses, names, what it is for, whether of a place or a project."""

    code: str
    name: Text
    text: Text
    icon: str
    of_project: bool
    fill: Callable[[Asked], Sheet]


FORMS: dict[str, Form] = {}
# As pages list them.
ORDER = ("service", "coverage", "publication", "use", "budget-1-4", "project-service", "project-coverage")


def forms(*, of_project: bool) -> list[Form]:
    """Return the forms of a place, or of a project, in the order of the pages."""
    return sorted(
        (f for f in FORMS.values() if f.of_project is of_project), key=lambda f: ORDER.index(f.code)
    )


def form(code: str, name: Text, text: Text, icon: str, *, of_project: bool = False) -> Callable[[Any], Any]:
    """Declare a form; raises `ValueError` where the code is taken."""

    def declare(fill: Callable[[Asked], Sheet]) -> Callable[[Asked], Sheet]:
        if code in FORMS:
            raise ValueError(f"form {code} is declared twice")
        FORMS[code] = Form(code, name, text, icon, of_project, fill)
        return fill

    return declare


UNIT_WAN = gettext_lazy("Unit: 10,000 yuan")


def wan(value: Decimal | None) -> Decimal | None:
    """Return yuan in 万元 to two decimals, as public forms have it."""
    return None if value is None else (value / WAN).quantize(CENT, ROUND_HALF_UP)


def times(value: Decimal | None) -> Decimal | None:
    """Return a multiple to two decimals."""
    return None if value is None else value.quantize(CENT, ROUND_HALF_UP)


def table(
    columns: tuple[Column, ...],
    head: tuple[tuple[HeadCell, ...], ...],
    rows: list[Row],
    caption: str = "",
    notes: tuple[str, ...] = (),
) -> Table:
    """Return a table of amounts in 万元."""
    return Table(columns, head, tuple(rows), caption, str(UNIT_WAN), notes)


def line(*cells: Value, kind: RowKind = RowKind.ROW) -> Row:
    """Return a row."""
    return Row(tuple(cells), kind)


def language() -> str:
    """Return the language of documents: zh or en."""
    return "en" if (get_language() or "zh").startswith("en") else "zh"


def document(sheet: Sheet, asked: Asked) -> Document:
    """Return a form as an official document; wide tables stand on landscape pages of their own."""
    body: list[Block] = [Paragraph(sheet.about)] if sheet.about else []
    wide = [t for t in sheet.tables if len(t.columns) > WIDE]
    body += [t for t in sheet.tables if len(t.columns) <= WIDE]
    body += [Note(text) for text in sheet.notes]
    annexes = tuple(Attachment(t.caption or sheet.title, (t,), landscape=True) for t in wide)
    return Document(
        title=sheet.title,
        body=tuple(body),
        signature=asked.org.name,
        signed_on=asked.query.as_of,
        attachments=annexes,
        language=language(),
        author=asked.org.name,
        created=asked.query.known_at,
    )


def written(sheet: Sheet, asked: Asked, ending: str) -> bytes:
    """Return a form as a file of one of `MEDIA`; raises `KeyError` for another ending."""
    if ending == "xlsx":
        return to_excel(*sheet.tables, title=sheet.title, author=asked.org.name)
    return {"docx": to_word, "pdf": to_pdf}[ending](document(sheet, asked))
