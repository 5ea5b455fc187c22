"""Parts of a document that both writers compose in the same way."""

from .model import Document, Table
from .text import WORDS, clean, long_date, width_in_chars


def signature_indents(signature: str, signed: str) -> tuple[float, float]:
    """Right indents, in characters, of signature and date (7.3.5.1: date four characters in, signature centred on it).

    A signature too long for that stands two characters in, and the date is centred below it.
    """
    sign, day = width_in_chars(signature), width_in_chars(signed)
    indent = 4 + day / 2 - sign / 2
    if indent >= 2:
        return indent, 4.0
    return 2.0, max(2.0, 2 + sign / 2 - day / 2)


def imprint_rows(document: Document) -> list[list[str]]:
    """The lines of the 版记: one text, or a text at the left and one at the right."""
    if document.imprint is None:
        return []
    words = WORDS[document.language]
    rows: list[list[str]] = []
    if document.imprint.copies_to:
        comma = "，" if document.language == "zh" else ", "
        rows.append([f"{words['copies']}{comma.join(map(clean, document.imprint.copies_to))}{words['stop']}"])
    if document.imprint.printed_by or document.imprint.printed_on:
        day = (
            f"{long_date(document.imprint.printed_on, document.language)}{words['printed']}"
            if document.imprint.printed_on
            else ""
        )
        rows.append([clean(document.imprint.printed_by), day])
    return rows


def table_notes(table: Table, language: str) -> list[str]:
    """The notes below a table, led by 注： and numbered when there are several."""
    lead = str(WORDS[language]["table_note"])
    notes = [clean(note) for note in table.notes]
    if len(notes) < 2:
        return [f"{lead}{note}" for note in notes]
    return [f"{lead if number == 1 else ''}{number}. {note}" for number, note in enumerate(notes, start=1)]
