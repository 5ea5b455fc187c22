"""Tables of Word documents."""

from typing import Any
from xml.sax.saxutils import escape

from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt

from . import layout, word_xml
from .model import Row, RowKind, Table, head_grid
from .parts import table_notes
from .text import clean, shown, width_in_chars


def add_table(word: Any, table: Table, width: float, language: str) -> None:
    """Adds ``table``, ``width`` mm wide, with its unit above and its notes below; the head is repeated on each page."""
    if table.unit_note:
        note = _small(word.add_paragraph(), table.unit_note, WD_ALIGN_PARAGRAPH.RIGHT)
        note.paragraph_format.keep_with_next = True
    grid = word.add_table(rows=0, cols=len(table.columns))
    grid.alignment = WD_TABLE_ALIGNMENT.CENTER
    grid.autofit = False
    properties = grid._tbl.tblPr
    properties.append(word_xml.borders("tblBorders", top=8, left=4, bottom=8, right=4, insideH=4, insideV=4))
    total = sum(column.width for column in table.columns)
    widths = [width * column.width / total for column in table.columns]
    for column, share in zip(grid.columns, widths, strict=True):
        column.width = Mm(share)
    _head(grid, table, widths)
    for row in table.rows:
        _row(grid, table, row, widths)
    _schema_order(properties)
    for text in table_notes(table, language):
        _small(word.add_paragraph(), text, WD_ALIGN_PARAGRAPH.LEFT)
    # Word joins two tables that follow each other directly; a line keeps them apart.
    word_xml.exact_line(word.add_paragraph(), layout.LINE_PITCH / 2)


def _head(grid: Any, table: Table, widths: list[float]) -> None:
    places = head_grid(table)
    rows = [_new_row(grid, widths) for _ in places]
    for row in rows:
        row._tr.get_or_add_trPr().append(word_xml.element("tblHeader"))
    cells = [row.cells for row in rows]
    for y, line in enumerate(places):
        for x, place in enumerate(line):
            if place is None or not place[1]:
                continue
            head = place[0]
            cell = cells[y][x]
            if head.colspan > 1 or head.rowspan > 1:
                cell = cell.merge(cells[y + head.rowspan - 1][x + head.colspan - 1])
            _fill(cell, head.text, WD_ALIGN_PARAGRAPH.CENTER, font=layout.FONT_HEI, keep=True)


def _row(grid: Any, table: Table, row: Row, widths: list[float]) -> None:
    """Adds a body row. Written as XML in one piece: a thousand rows cell by cell would take python-docx a quarter minute."""
    if row.kind is RowKind.GROUP:
        cells = _cell(
            clean(str(row.cells[0])), sum(widths), "left", layout.FONT_HEI, span=len(widths), keep=True
        )
    else:
        bold = row.kind is not RowKind.ROW
        cells = "".join(
            _cell(shown(value, column), width, column.alignment.value, layout.FONT_SONG, bold=bold)
            for value, column, width in zip(row.cells, table.columns, widths, strict=True)
        )
    grid._tbl.append(parse_xml(f"<w:tr {_SPACE}><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>"))


_SPACE = nsdecls("w")
_LINE = f'w:before="30" w:after="30" w:line="{round(layout.TABLE_PITCH * 20)}" w:lineRule="exact"'
_LATIN = f'w:ascii="{layout.FONT_LATIN}" w:hAnsi="{layout.FONT_LATIN}" w:cs="{layout.FONT_LATIN}"'


def _cell(
    text: str, width: float, align: str, font: str, *, span: int = 1, bold: bool = False, keep: bool = False
) -> str:
    """The XML of a cell, ``width`` mm wide; the same properties in the same order as :func:`_fill` sets."""
    spanned = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{round(width * layout.TWIPS_PER_MM)}" w:type="dxa"/>{spanned}'
        '<w:tcMar><w:left w:w="60" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tcMar><w:vAlign w:val="center"/></w:tcPr>'
        f'<w:p><w:pPr>{"<w:keepNext/>" if keep else ""}<w:snapToGrid w:val="0"/><w:spacing {_LINE}/>'
        f'<w:jc w:val="{align}"/></w:pPr><w:r><w:rPr><w:rFonts {_LATIN} w:eastAsia="{font}" w:hint="eastAsia"/>'
        f'{"<w:b/>" if bold else ""}<w:sz w:val="{round(layout.SIZE_TABLE * 2)}"/></w:rPr>'
        f'<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p></w:tc>'
    )


def _new_row(grid: Any, widths: list[float]) -> Any:
    row = grid.add_row()
    row._tr.get_or_add_trPr().append(word_xml.element("cantSplit"))
    for cell, width in zip(row.cells, widths, strict=True):
        cell.width = Mm(width)
    return row


def _fill(
    cell: Any, text: str, align: Any, *, font: str = layout.FONT_SONG, bold: bool = False, keep: bool = False
) -> None:
    word_xml.set_cell(cell)
    paragraph = cell.paragraphs[0]
    paragraph.alignment = align
    word_xml.exact_line(paragraph, layout.TABLE_PITCH, before=1.5, after=1.5)
    if keep:
        paragraph.paragraph_format.keep_with_next = True
    run = paragraph.add_run(clean(text))
    run.font.size, run.bold = Pt(layout.SIZE_TABLE), bold or None
    word_xml.set_fonts(run._r.get_or_add_rPr(), font)


def _small(paragraph: Any, text: str, align: Any) -> Any:
    paragraph.alignment = align
    word_xml.exact_line(paragraph, layout.TABLE_PITCH)
    run = paragraph.add_run(clean(text))
    run.font.size = Pt(layout.SIZE_TABLE)
    word_xml.set_fonts(run._r.get_or_add_rPr(), layout.FONT_SONG)
    return paragraph


_TABLE_ORDER = [
    "tblStyle",
    "tblpPr",
    "tblOverlap",
    "bidiVisual",
    "tblStyleRowBandSize",
    "tblStyleColBandSize",
    "tblW",
    "jc",
    "tblCellSpacing",
    "tblInd",
    "tblBorders",
    "shd",
    "tblLayout",
    "tblCellMar",
    "tblLook",
    "tblCaption",
    "tblDescription",
]
_TABLE_RANK = {qn(f"w:{name}"): place for place, name in enumerate(_TABLE_ORDER)}


def _schema_order(properties: Any) -> None:
    children = sorted(properties, key=lambda child: _TABLE_RANK.get(child.tag, 99))
    for child in children:
        properties.remove(child)
    properties.extend(children)


_IMPRINT_PITCH, _IMPRINT_GAP = 22.0, 3.0


def add_imprint(word: Any, rows: list[list[str]], *, own_page: bool) -> None:
    """版记 as a table without side rules: first and last rule 0.35 mm, the one between them 0.25 mm (7.4.1).

    On a page of its own a tall empty line pushes it to the foot, which every program honours; below other text it
    floats there.
    """
    height = sum(
        (1 if len(texts) == 2 else _lines(texts[0])) * _IMPRINT_PITCH + 2 * _IMPRINT_GAP for texts in rows
    )
    if own_page:
        spare = layout.TEXT_HEIGHT * layout.POINTS_PER_MM - height - 12
        word_xml.exact_line(word.add_paragraph(), spare)
    grid = word.add_table(rows=0, cols=2)
    grid.autofit = False
    properties = grid._tbl.tblPr
    properties.append(word_xml.borders("tblBorders", top=8, left=0, bottom=8, right=0, insideH=6, insideV=0))
    half = layout.TEXT_WIDTH / 2
    for texts in rows:
        row = _new_row(grid, [half, half])
        if len(texts) == 1:
            _imprint_cell(row.cells[0].merge(row.cells[1]), texts[0], right=False)
        else:
            _imprint_cell(row.cells[0], texts[0], right=False)
            _imprint_cell(row.cells[1], texts[1], right=True)
    if not own_page:
        word_xml.float_at_bottom(grid, height + 2)
    _schema_order(properties)
    # A table must not be the last thing in a document: Word reports such a file as damaged.
    word_xml.exact_line(word.add_paragraph(), 1)


def _lines(text: str) -> int:
    first, later = 29, 26  # characters of 4号 between the indents
    return 1 + max(0, -int(-(width_in_chars(text) - first) // later))


def _imprint_cell(cell: Any, text: str, *, right: bool) -> None:
    word_xml.set_cell(cell, inset=0)
    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if right else WD_ALIGN_PARAGRAPH.LEFT
    word_xml.exact_line(paragraph, _IMPRINT_PITCH, before=_IMPRINT_GAP, after=_IMPRINT_GAP)
    indent = (
        {"right": 1.0}
        if right
        else {"left": 4.0, "hanging": 3.0}
        if text.startswith("抄送")
        else {"left": 1.0}
    )
    word_xml.set_indent(paragraph, **indent)
    run = paragraph.add_run(text)
    run.font.size = Pt(layout.SIZE_SMALL)
    word_xml.set_fonts(run._r.get_or_add_rPr(), layout.FONT_BODY)
