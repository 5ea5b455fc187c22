"""The plain text of a document (pure): what a page previews and what is compared letter by letter."""

import hashlib
from collections.abc import Iterator

from yuanmai.core.documents import Block, Document, Figure, Heading, Note, Paragraph
from yuanmai.core.documents.text import long_date, numbered, shown


def lines(document: Document) -> Iterator[str]:
    """Return every text of a document in reading order, tables row by row."""
    yield from (document.mark, document.number, document.title, document.addressee)
    yield from _blocks(document.body, document.language)
    yield document.signature
    if document.signed_on:
        yield long_date(document.signed_on, document.language)
    for attachment in document.attachments:
        yield attachment.title
        yield from _blocks(attachment.blocks, document.language)
    if document.imprint:
        yield from document.imprint.copies_to


def _blocks(blocks: tuple[Block, ...], language: str) -> Iterator[str]:
    for block, number in numbered(blocks, language):
        if isinstance(block, Heading):
            yield f"{number}{block.text}"
        elif isinstance(block, Paragraph):
            yield block.plain
        elif isinstance(block, Note):
            yield block.text
        elif isinstance(block, Figure):
            yield block.caption
        else:
            yield block.caption
            yield block.unit_note
            for cells in block.head:
                yield "\t".join(cell.text for cell in cells)
            for row in block.rows:
                yield "\t".join(
                    shown(value, column) for value, column in zip(row.cells, block.columns, strict=False)
                )
            yield from block.notes


def plain(document: Document) -> str:
    """Return the whole text, one line each."""
    return "\n".join(lines(document))


def digest(document: Document) -> str:
    """Return the SHA-256 of the text."""
    return hashlib.sha256(plain(document).encode()).hexdigest()
