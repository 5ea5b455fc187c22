"""Documents: one model, written as Word in the layout of GB/T 9704-2012, as PDF, and its tables as Excel.

    from yuanmai.core.documents import Document, Paragraph, to_word, to_pdf

Pure: no Django, no clock but the file's date when ``created`` is not given. The writers load their libraries when called.
"""

from .model import (
    Align,
    Attachment,
    Block,
    Column,
    Document,
    Figure,
    HeadCell,
    Heading,
    Imprint,
    Kind,
    Note,
    Paragraph,
    Row,
    RowKind,
    Run,
    Table,
    Value,
    simple_head,
)

__all__ = [
    "Align",
    "Attachment",
    "Block",
    "Column",
    "Document",
    "Figure",
    "HeadCell",
    "Heading",
    "Imprint",
    "Kind",
    "Note",
    "Paragraph",
    "Row",
    "RowKind",
    "Run",
    "Table",
    "Value",
    "check_docx",
    "simple_head",
    "to_excel",
    "to_pdf",
    "to_word",
]


def to_word(document: Document) -> bytes:
    """The document as .docx bytes; see :mod:`.word`."""
    from .word import to_word as write

    return write(document)


def to_pdf(document: Document) -> bytes:
    """The document as PDF bytes; see :mod:`.pdf`."""
    from .pdf import to_pdf as write

    return write(document)


def to_excel(*tables: Table, title: str = "", sheet: str = "", author: str = "") -> bytes:
    """Tables as .xlsx bytes, one sheet each; see :mod:`.excel`."""
    from .excel import to_excel as write

    return write(*tables, title=title, sheet=sheet, author=author)


def check_docx(content: bytes) -> list[str]:
    """The deviations of a .docx from the layout of the standard; see :mod:`.word_check`."""
    from .word_check import check_docx as check

    return check(content)
