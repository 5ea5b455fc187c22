"""Documents as PDF, set by Typst with embedded fonts.

The texts reach Typst as JSON strings in ``sys.inputs``: Typst never parses them, so nothing that a user typed can act as
markup. Fonts of the machine are not used, so the same document gives the same bytes everywhere.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import typst

from . import layout
from .model import Attachment, Block, Document, Figure, Heading, Note, Paragraph, Table, head_grid
from .parts import imprint_rows, signature_indents, table_notes
from .text import WORDS, clean, long_date, numbered, shown, title_lines

_HERE = Path(__file__).parent
_ASSETS = _HERE.parents[1] / "assets" / "fonts"
FALLBACKS = ("Yuanmai Song", "Yuanmai Kai", "Noto Serif CJK SC", "Noto Sans CJK SC")


class FontsMissing(RuntimeError):  # noqa: N818  (reads as what it says)
    """The fonts were not built; the message says how to build them."""


@lru_cache(maxsize=4)
def _fonts(extra: str) -> typst.Fonts:
    folders = [str(_ASSETS), *([extra] if extra else [])]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=folders)
    if "Yuanmai Song" not in fonts.families():
        raise FontsMissing(
            f"The document fonts are missing in {_ASSETS}. Build them with `make setup` "
            "(python -m yuanmai.core.documents.build_fonts)."
        )
    return fonts


def families() -> list[str]:
    """The font families at hand; raises :class:`FontsMissing` when the product's own ones are not built.

    ``YUANMAI_FONTS`` may name a folder with licensed fonts (仿宋_GB2312, 小标宋); they are preferred when present.
    """
    return list(_fonts(os.environ.get("YUANMAI_FONTS", "")).families())


def to_pdf(document: Document) -> bytes:
    """The document as PDF bytes; equal for equal documents whose ``created`` is given."""
    fonts = _fonts(os.environ.get("YUANMAI_FONTS", ""))
    with tempfile.TemporaryDirectory(prefix="yuanmai-pdf-") as folder:
        root = Path(folder)
        main = root / "main.typ"
        main.write_bytes((_HERE / "official.typ").read_bytes())
        data = _data(document, root, fonts.families())
        result = typst.compile(
            str(main),
            root=str(root),
            font_paths=fonts,
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            timestamp=(document.created or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0),
        )
    return bytes(result)


def typeset(source: bytes, data: Mapping[str, Any], files: Mapping[str, bytes] | None = None) -> bytes:
    """A page of another make (labels, say) as PDF bytes: Typst `source`, which finds `data` as JSON in ``sys.inputs.data``.

    `files` are pictures by name, beside the source. Raises :class:`FontsMissing` like `to_pdf`.
    """
    fonts = _fonts(os.environ.get("YUANMAI_FONTS", ""))
    with tempfile.TemporaryDirectory(prefix="yuanmai-pdf-") as folder:
        root = Path(folder)
        (root / "main.typ").write_bytes(source)
        for name, content in (files or {}).items():
            (root / name).write_bytes(content)
        return bytes(
            typst.compile(
                str(root / "main.typ"),
                root=str(root),
                font_paths=fonts,
                ignore_system_fonts=True,
                format="pdf",
                sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
            )
        )


def _choice(present: list[str], *wanted: str) -> list[str]:
    names = [name for name in (*wanted, *FALLBACKS) if name in present]
    return list(dict.fromkeys(names))


def _measures(present: list[str]) -> dict[str, Any]:
    return {
        "fonts": {
            "body": _choice(present, "FangSong_GB2312", "仿宋_GB2312", "FangSong", "Yuanmai Song"),
            "hei": _choice(present, "SimHei", "Yuanmai Hei"),
            "kai": _choice(present, "KaiTi_GB2312", "楷体_GB2312", "KaiTi", "Yuanmai Kai"),
            "title": _choice(present, "FZXiaoBiaoSong-B05S", "方正小标宋简体", "Yuanmai Song"),
        },
        "line": layout.LINE_PITCH,
        "char": layout.CHARACTER_PITCH,
        "body": layout.SIZE_BODY,
        "small": layout.SIZE_SMALL,
        "table": layout.SIZE_TABLE,
        "title": layout.SIZE_TITLE,
        "title-pitch": layout.TITLE_PITCH,
        "top": layout.MARGIN_TOP,
        "left": layout.MARGIN_LEFT,
        "bottom": layout.MARGIN_BOTTOM,
        "right": layout.MARGIN_RIGHT,
        "drop": layout.PAGE_NUMBER_DROP,
        "mark-drop": layout.MARK_DROP,
        "red-gap": layout.RED_LINE_GAP,
        "red": f"#{layout.RED}",
        "land": {
            "top": layout.LANDSCAPE_TOP,
            "right": layout.LANDSCAPE_RIGHT,
            "bottom": layout.LANDSCAPE_BOTTOM,
            "left": layout.LANDSCAPE_LEFT,
        },
    }


def _data(document: Document, root: Path, present: list[str]) -> dict[str, Any]:
    words = WORDS[document.language]
    signed = long_date(document.signed_on, document.language) if document.signed_on else ""
    signature = clean(document.signature)
    sign_indent, date_indent = signature_indents(signature, signed)
    colon = str(words["colon"])
    opening, closing = words["note"]
    many = len(document.attachments) > 1
    return {
        "measures": _measures(present),
        "language": document.language,
        "heading": clean(document.title),
        "author": clean(document.author or document.signature),
        "keywords": [clean(word) for word in document.keywords],
        "mark": clean(document.mark),
        "mark-size": layout.mark_size(document.mark),
        "corner": [
            clean(text) for text in (document.copy_number, document.secrecy, document.urgency) if text
        ],
        "number": clean(document.number),
        "issuer": clean(document.issuer),
        "issuer-word": words["issuer"],
        "title": title_lines(document.title),
        "addressee": f"{clean(document.addressee)}{colon}" if document.addressee else "",
        "body": _blocks(document.body, document.language, root),
        "annex-lead": f"{str(words['attachment']).strip()}{colon}",
        "annexes": [
            _annex(attachment, number if many else 0, document.language, root)
            for number, attachment in enumerate(document.attachments, start=1)
        ],
        "signature": signature,
        "signed": signed,
        "sign-indent": sign_indent,
        "date-indent": date_indent,
        "note": f"{opening}{clean(document.note)}{closing}" if document.note else "",
        "imprint": imprint_rows(document),
    }


def _annex(attachment: Attachment, number: int, language: str, root: Path) -> dict[str, Any]:
    lead = str(WORDS[language]["attachment"])
    return {
        "label": f"{lead}{number}" if number else lead.strip(),
        "number": f"{number}. " if number else "",
        "title": clean(attachment.title),
        "lines": title_lines(attachment.title, 36 if attachment.landscape else 20),
        "landscape": attachment.landscape,
        "blocks": _blocks(attachment.blocks, language, root),
    }


def _blocks(blocks: tuple[Block, ...], language: str, root: Path) -> list[dict[str, Any]]:
    return [_block(block, number, language, root) for block, number in numbered(blocks, language)]


def _block(block: Block, number: str, language: str, root: Path) -> dict[str, Any]:
    if isinstance(block, Heading):
        return {"t": "heading", "level": block.level, "number": number, "text": clean(block.text)}
    if isinstance(block, Paragraph):
        runs = [{"text": clean(run.text), "bold": run.bold} for run in block.runs]
        return {"t": "paragraph", "runs": runs, "indent": block.indent}
    if isinstance(block, Note):
        opening, closing = WORDS[language]["note"]
        return {"t": "note", "text": f"{opening}{clean(block.text)}{closing}"}
    if isinstance(block, Figure):
        path = root / f"figure-{len(list(root.iterdir()))}.png"
        path.write_bytes(block.image)
        return {
            "t": "figure",
            "path": path.name,
            "width": min(max(block.width, 0.1), 1.0),
            "caption": clean(block.caption),
            "alt": clean(block.alt),
        }
    return _table(block, language)


def _table(table: Table, language: str) -> dict[str, Any]:
    head = [
        {
            "x": x,
            "y": y,
            "colspan": place[0].colspan,
            "rowspan": place[0].rowspan,
            "text": clean(place[0].text),
        }
        for y, places in enumerate(head_grid(table))
        for x, place in enumerate(places)
        if place is not None and place[1]
    ]
    return {
        "t": "table",
        "caption": clean(table.caption),
        "unit": clean(table.unit_note),
        "columns": [{"width": column.width, "align": column.alignment.value} for column in table.columns],
        "head": head,
        "head-rows": len(table.head),
        "rows": [
            {
                "kind": row.kind.value,
                "cells": [
                    shown(value, column) for value, column in zip(row.cells, table.columns, strict=False)
                ],
            }
            for row in table.rows
        ],
        "notes": table_notes(table, language),
    }
