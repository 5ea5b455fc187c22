"""The corners of WordprocessingML that python-docx has no words for."""

import io
import zipfile
from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt

from . import layout


def element(tag: str, **attributes: str | int | float) -> Any:
    """An element ``w:tag`` with ``w:`` attributes."""
    made = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        made.set(qn(f"w:{name}"), str(value))
    return made


def set_fonts(properties: Any, east_asian: str, latin: str = layout.FONT_LATIN) -> None:
    """Sets the fonts of a run's or style's ``rPr``; Word takes the East-Asian one only from ``w:eastAsia``."""
    fonts = properties.find(qn("w:rFonts"))
    if fonts is None:
        fonts = element("rFonts")
        properties.insert(0, fonts)
    for name in list(fonts.attrib):
        del fonts.attrib[name]
    fonts.set(qn("w:ascii"), latin)
    fonts.set(qn("w:hAnsi"), latin)
    fonts.set(qn("w:cs"), latin)
    fonts.set(qn("w:eastAsia"), east_asian)
    fonts.set(qn("w:hint"), "eastAsia")


def set_indent(paragraph: Any, **characters: float) -> None:
    """Indents in characters of the paragraph's own size: ``first``, ``left``, ``right``, ``hanging``."""
    names = {"first": "firstLine", "left": "left", "right": "right", "hanging": "hanging"}
    properties = paragraph._p.get_or_add_pPr()
    old = properties.find(qn("w:ind"))
    if old is not None:
        properties.remove(old)
    indent = element("ind")
    for name, count in characters.items():
        indent.set(qn(f"w:{names[name]}Chars"), str(round(count * 100)))
        indent.set(qn(f"w:{names[name]}"), str(round(count * layout.CHARACTER_PITCH * 20)))
    properties.append(indent)
    in_order(properties)


def exact_line(paragraph: Any, points: float, before: float = 0, after: float = 0) -> None:
    """A fixed line pitch, off the document grid unless it is the grid's own pitch."""
    form = paragraph.paragraph_format
    form.line_spacing = Pt(points)
    form.space_before, form.space_after = Pt(before), Pt(after)
    properties = paragraph._p.get_or_add_pPr()
    properties.append(element("snapToGrid", val="0"))
    in_order(properties)


def bottom_rule(paragraph: Any, color: str, eighths: int, space: int = 0) -> None:
    """A rule below a paragraph, ``eighths`` of a point thick."""
    properties = paragraph._p.get_or_add_pPr()
    borders = element("pBdr")
    borders.append(element("bottom", val="single", sz=eighths, space=space, color=color))
    properties.append(borders)
    in_order(properties)


_ORDER = [
    "pStyle",
    "keepNext",
    "keepLines",
    "pageBreakBefore",
    "framePr",
    "widowControl",
    "numPr",
    "suppressLineNumbers",
    "pBdr",
    "shd",
    "tabs",
    "suppressAutoHyphens",
    "kinsoku",
    "wordWrap",
    "overflowPunct",
    "topLinePunct",
    "autoSpaceDE",
    "autoSpaceDN",
    "bidi",
    "adjustRightInd",
    "snapToGrid",
    "spacing",
    "ind",
    "contextualSpacing",
    "mirrorIndents",
    "suppressOverlap",
    "jc",
    "textDirection",
    "textAlignment",
    "textboxTightWrap",
    "outlineLvl",
    "divId",
    "cnfStyle",
    "rPr",
    "sectPr",
    "pPrChange",
]
_RUN_ORDER = [
    "rStyle",
    "rFonts",
    "b",
    "bCs",
    "i",
    "iCs",
    "caps",
    "smallCaps",
    "strike",
    "dstrike",
    "outline",
    "shadow",
    "emboss",
    "imprint",
    "noProof",
    "snapToGrid",
    "vanish",
    "webHidden",
    "color",
    "spacing",
    "w",
    "kern",
    "position",
    "sz",
    "szCs",
    "highlight",
    "u",
    "effect",
    "bdr",
    "shd",
    "fitText",
    "vertAlign",
    "rtl",
    "cs",
    "em",
    "lang",
]
_RUN_RANK = {qn(f"w:{name}"): place for place, name in enumerate(_RUN_ORDER)}
_RANK = {qn(f"w:{name}"): place for place, name in enumerate(_ORDER)}


def in_order(properties: Any) -> None:
    """Word refuses a ``pPr`` whose children are out of the schema's order."""
    children = sorted(properties, key=lambda child: _RANK.get(child.tag, 99))
    for child in children:
        properties.remove(child)
    properties.extend(children)


def run_in_order(properties: Any) -> None:
    """The same for an ``rPr``."""
    children = sorted(properties, key=lambda child: _RUN_RANK.get(child.tag, 99))
    for child in children:
        properties.remove(child)
    properties.extend(children)


def set_grid(section: Any) -> None:
    """22 lines of 28 characters: the grid of the type area, relative to the size of the Normal style."""
    properties = section._sectPr
    for old in properties.findall(qn("w:docGrid")):
        properties.remove(old)
    space = round((layout.CHARACTER_PITCH - layout.SIZE_BODY) * 4096)
    properties.append(
        element("docGrid", type="linesAndChars", linePitch=int(layout.LINE_PITCH * 20), charSpace=space)
    )


def set_page(section: Any, landscape: bool) -> None:
    """A4 with the margins of the standard, upright or turned."""
    from docx.enum.section import WD_ORIENT

    wide, high = Mm(layout.PAGE_WIDTH), Mm(layout.PAGE_HEIGHT)
    if landscape:
        section.orientation = WD_ORIENT.LANDSCAPE
        section.page_width, section.page_height = high, wide
        section.top_margin, section.bottom_margin = Mm(layout.LANDSCAPE_TOP), Mm(layout.LANDSCAPE_BOTTOM)
        section.left_margin, section.right_margin = Mm(layout.LANDSCAPE_LEFT), Mm(layout.LANDSCAPE_RIGHT)
        section.footer_distance = Mm(layout.LANDSCAPE_BOTTOM - 12)
    else:
        section.orientation = WD_ORIENT.PORTRAIT
        section.page_width, section.page_height = wide, high
        section.top_margin, section.bottom_margin = Mm(layout.MARGIN_TOP), Mm(layout.MARGIN_BOTTOM)
        section.left_margin, section.right_margin = Mm(layout.MARGIN_LEFT), Mm(layout.MARGIN_RIGHT)
        # 4号 text is 5 mm high and its dash stands in the middle, 7 mm below the type area.
        section.footer_distance = Mm(layout.MARGIN_BOTTOM - layout.PAGE_NUMBER_DROP - 2.5)
    section.header_distance, section.gutter = Mm(15), Mm(0)
    set_grid(section)


def page_number(paragraph: Any, right: bool) -> None:
    """— 1 — in 4号 宋体, one character in from the outer edge."""
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if right else WD_ALIGN_PARAGRAPH.LEFT
    paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(0)
    paragraph.paragraph_format.line_spacing = Pt(layout.SIZE_SMALL)
    set_indent(paragraph, **({"right": 1} if right else {"left": 1}))
    for text in ("— ", None, " —"):
        run = paragraph.add_run(text or "")
        run.font.size = Pt(layout.SIZE_SMALL)
        set_fonts(run._r.get_or_add_rPr(), layout.FONT_SONG, layout.FONT_SONG)
        if text is None:
            for kind in ("begin", "instr", "separate", "shown", "end"):
                if kind == "instr":
                    instruction = element("instrText")
                    instruction.set(qn("xml:space"), "preserve")
                    instruction.text = " PAGE "
                    run._r.append(instruction)
                elif kind == "shown":
                    shown = element("t")
                    shown.text = "1"
                    run._r.append(shown)
                else:
                    run._r.append(element("fldChar", fldCharType=kind))


def set_cell(cell: Any, inset: int = 60) -> None:
    """Vertical centring and narrow side margins (twips) of a table cell."""
    properties = cell._tc.get_or_add_tcPr()
    margins = element("tcMar")
    for side in ("left", "right"):
        margins.append(element(side, w=inset, type="dxa"))
    properties.append(margins)
    properties.append(element("vAlign", val="center"))


def float_at_bottom(table: Any, height: float) -> None:
    """Lets a table of ``height`` points stand at the foot of the type area, whatever is above it (the 版记).

    The place is stated in figures: LibreOffice ignores ``tblpYSpec``.
    """
    top = (layout.PAGE_HEIGHT - layout.MARGIN_BOTTOM) * layout.POINTS_PER_MM - height
    place = element(
        "tblpPr", leftFromText=0, rightFromText=0, vertAnchor="page", horzAnchor="margin",
        tblpX=0, tblpY=round(top * 20),
    )  # fmt: skip
    table._tbl.tblPr.append(place)


def borders(tag: str, **sides: int) -> Any:
    """A ``tblBorders`` or ``tcBorders``; a side of 0 eighths of a point is none."""
    made = element(tag)
    for side in ("top", "left", "bottom", "right", "insideH", "insideV"):
        if side in sides:
            size = sides[side]
            made.append(element(side, val="single" if size else "nil", sz=size, space=0, color="000000"))
    return made


def add_stand_ins(package: bytes, created: tuple[int, int, int, int, int, int]) -> bytes:
    """Repacks a .docx: a font table with stand-ins for absent fonts, and fixed file times.

    Without a stand-in Word replaces an absent 仿宋_GB2312 by 宋体; with it, by 仿宋. The fixed times make the bytes
    depend on the content alone.
    """
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/>'
        '<w:family w:val="auto"/><w:pitch w:val="variable"/></w:font>'
        for name, other in layout.STAND_INS.items()
    )
    table = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:fonts {nsdecls("w")}>{fonts}</w:fonts>'
    )
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            entry = zipfile.ZipInfo(name, created)
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = table.encode() if name == "word/fontTable.xml" else old.read(name)
            new.writestr(entry, content)
    return target.getvalue()
