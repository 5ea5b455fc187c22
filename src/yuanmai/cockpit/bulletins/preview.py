"""A document as the page previews it: a list of plain dictionaries for the template."""

from collections.abc import Iterator
from typing import Any

from yuanmai.core.documents import Block, Document, Heading, Note, Paragraph, Table
from yuanmai.core.documents.text import WORDS, long_date, numbered, shown


def preview(document: Document) -> dict[str, Any]:
    """Return everything that the preview shows, as text."""
    words = WORDS[document.language]
    return {
        "lang": "zh-Hans" if document.language == "zh" else "en",
        "mark": document.mark,
        "number": document.number,
        "title": document.title,
        "addressee": f"{document.addressee}{words['colon']}" if document.addressee else "",
        "blocks": list(_blocks(document.body, document.language)),
        "signature": document.signature,
        "signed": long_date(document.signed_on, document.language) if document.signed_on else "",
        "annexes": [
            {
                "label": str(words["attachment"]).strip(),
                "title": annex.title,
                "blocks": list(_blocks(annex.blocks, document.language)),
            }
            for annex in document.attachments
        ],
    }


def _blocks(blocks: tuple[Block, ...], language: str) -> Iterator[dict[str, Any]]:
    for block, number in numbered(blocks, language):
        if isinstance(block, Heading):
            yield {"kind": "heading", "level": block.level, "text": f"{number}{block.text}"}
        elif isinstance(block, Paragraph):
            yield {"kind": "paragraph", "text": block.plain}
        elif isinstance(block, Note):
            yield {"kind": "paragraph", "text": block.text}
        elif isinstance(block, Table):
            yield _table(block)


def _cell(text: str, number: bool) -> dict[str, str]:
    return {"text": text, "css": "num" if number else ("is-short" if len(text) <= 4 else "")}


def _table(table: Table) -> dict[str, Any]:
    rows = []
    for row in table.rows:
        cells = [
            _cell(shown(value, column), column.alignment.value == "right")
            for value, column in zip(row.cells, table.columns, strict=False)
        ]
        rows.append({"kind": row.kind.value, "cells": cells})
    return {
        "kind": "table",
        "caption": table.caption,
        "unit": table.unit_note,
        "width": len(table.columns),
        "head": [
            [{"text": c.text, "colspan": c.colspan, "rowspan": c.rowspan} for c in cells]
            for cells in table.head
        ],
        "rows": rows,
        "notes": table.notes,
    }
