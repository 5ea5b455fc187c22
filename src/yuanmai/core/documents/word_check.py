"""Reads a Word file back and says where it leaves the layout of GB/T 9704-2012.

Works on any .docx, not only on our own; used by the tests and before a bulletin is issued.
"""

import io
import re
import zipfile
from typing import Any

import docx
from docx.oxml.ns import qn
from docx.shared import Length

from . import layout

_TOLERANCE = 1.0
"""5.2.1 allows one millimetre at the head and at the binding edge."""


def check_docx(content: bytes) -> list[str]:
    """The deviations, each as a sentence with the found and the required value; empty when there are none.

    Raises ``ValueError`` when ``content`` is no Word file.
    """
    try:
        word = docx.Document(io.BytesIO(content))
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"This is not a Word file (.docx): {error}") from error
    found: list[str] = []
    for number, section in enumerate(word.sections, start=1):
        found += _page(number, section)
        found += _grid(number, section)
    found += _body_style(word)
    found += _headings(word)
    found += _title(word)
    found += _page_numbers(word)
    found += _tables(word)
    return found


def _mm(length: Length | None) -> float:
    return float(length.mm) if length is not None else 0.0


def _page(number: int, section: Any) -> list[str]:
    turned = _mm(section.page_width) > _mm(section.page_height)
    wanted = {
        "page_width": layout.PAGE_HEIGHT if turned else layout.PAGE_WIDTH,
        "page_height": layout.PAGE_WIDTH if turned else layout.PAGE_HEIGHT,
        "top_margin": layout.LANDSCAPE_TOP if turned else layout.MARGIN_TOP,
        "left_margin": layout.LANDSCAPE_LEFT if turned else layout.MARGIN_LEFT,
        "bottom_margin": layout.LANDSCAPE_BOTTOM if turned else layout.MARGIN_BOTTOM,
        "right_margin": layout.LANDSCAPE_RIGHT if turned else layout.MARGIN_RIGHT,
    }
    return [
        f"Section {number}: {name.replace('_', ' ')} is {_mm(getattr(section, name)):.1f} mm, required {value:.0f} mm"
        for name, value in wanted.items()
        if abs(_mm(getattr(section, name)) - value) > _TOLERANCE
    ]


def _grid(number: int, section: Any) -> list[str]:
    grid = section._sectPr.find(qn("w:docGrid"))
    if grid is None:
        return [f"Section {number}: no document grid, required 22 lines of 28 characters"]
    if _mm(section.page_width) > _mm(section.page_height):
        return []
    height = (
        _mm(section.page_height) - _mm(section.top_margin) - _mm(section.bottom_margin)
    ) * layout.TWIPS_PER_MM
    width = (
        _mm(section.page_width) - _mm(section.left_margin) - _mm(section.right_margin)
    ) * layout.TWIPS_PER_MM
    lines = int(height / float(grid.get(qn("w:linePitch"), "1")))
    pitch = layout.SIZE_BODY * 20 + float(grid.get(qn("w:charSpace"), "0")) / 4096 * 20
    # Half a twip of rounding must not cost a character.
    characters = int(width / pitch + 0.01)
    found = []
    if lines != layout.LINES:
        found.append(f"Section {number}: {lines} lines to a page, required {layout.LINES}")
    if characters != layout.CHARACTERS:
        found.append(f"Section {number}: {characters} characters to a line, required {layout.CHARACTERS}")
    return found


def _font_of(properties: Any) -> str:
    fonts = properties.find(qn("w:rFonts")) if properties is not None else None
    return str(fonts.get(qn("w:eastAsia"), "")) if fonts is not None else ""


def _is(font: str, *names: str) -> bool:
    return any(font.startswith(name) for name in names)


def _body_style(word: Any) -> list[str]:
    normal = word.styles["Normal"]
    found = []
    font = _font_of(normal.element.rPr)
    if not _is(font, "仿宋", "FangSong"):
        found.append(f"Body font is {font or 'not set'}, required 仿宋")
    if normal.font.size is None or normal.font.size.pt != layout.SIZE_BODY:
        size = "not set" if normal.font.size is None else f"{normal.font.size.pt:g} pt"
        found.append(f"Body size is {size}, required 16 pt (3号)")
    spacing = normal.paragraph_format.line_spacing
    if not isinstance(spacing, Length):
        found.append(f"Line pitch is {spacing or 'not set'}, required a fixed value of about 28.95 pt")
    elif abs(spacing.pt - layout.LINE_PITCH) > 1.0:
        found.append(f"Line pitch is {spacing.pt:.2f} pt, required about {layout.LINE_PITCH:.2f} pt")
    return found


_HEADS = (
    (re.compile(r"^[一二三四五六七八九十]+、"), ("黑体", "SimHei"), "黑体", "first-level"),
    (re.compile(r"^（[一二三四五六七八九十]+）"), ("楷体", "KaiTi"), "楷体", "second-level"),
)


def _headings(word: Any) -> list[str]:
    found = []
    for paragraph in word.paragraphs:
        if not paragraph.style.name.startswith("Heading"):
            continue
        for pattern, names, wanted, level in _HEADS:
            if not pattern.match(paragraph.text):
                continue
            run_font = _font_of(paragraph.runs[0]._r.rPr) if paragraph.runs else ""
            font = run_font or _font_of(paragraph.style.element.rPr)
            if not _is(font, *names):
                found.append(
                    f"The {level} heading {paragraph.text!r} is in {font or 'no font'}, required {wanted}"
                )
    return found


def _title(word: Any) -> list[str]:
    for paragraph in word.paragraphs:
        for run in paragraph.runs:
            if (
                run.font.size is not None
                and run.font.size.pt == layout.SIZE_TITLE
                and run.font.color.rgb is None
            ):
                font = _font_of(run._r.rPr)
                if "小标宋" in font:
                    return []
                return [f"The title {paragraph.text!r} is in {font or 'the body font'}, required 小标宋"]
    return ["No title in 2号 (22 pt) 小标宋 was found"]


def _page_numbers(word: Any) -> list[str]:
    section = word.sections[0]
    found = []
    if not word.settings.odd_and_even_pages_header_footer:
        found.append("Odd and even pages share one footer, required the number at the outer edge of each")
    for name, footer, wanted in (
        ("odd", section.footer, "right"),
        ("even", section.even_page_footer, "left"),
    ):
        paragraphs = footer.paragraphs
        xml = "".join(paragraph._p.xml for paragraph in paragraphs)
        if not re.search(r"<w:instrText[^>]*>\s*PAGE\b|w:instr=\"\s*PAGE\b", xml):
            found.append(f"The footer of {name} pages has no page number")
            continue
        text = "".join(paragraph.text for paragraph in paragraphs)
        if not re.search(r"—\s*\d*\s*—", text):
            found.append(f"The page number of {name} pages reads {text!r}, required — 1 —")
        if f'w:jc w:val="{wanted}"' not in xml:
            found.append(f"The page number of {name} pages does not stand at the {wanted}")
    return found


def _tables(word: Any) -> list[str]:
    found = []
    for number, table in enumerate(word.tables, start=1):
        if len(table.rows) > 3 and table._tbl.find(f".//{qn('w:tblHeader')}") is None:
            found.append(f"Table {number} does not repeat its head on the next page")
    return found
