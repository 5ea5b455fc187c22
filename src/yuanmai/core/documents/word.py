"""Documents as Word files in the layout of GB/T 9704-2012 (party and government documents)."""

import io
from datetime import UTC, datetime
from typing import Any

import docx
from docx.enum.section import WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

from . import layout, word_xml
from .model import Block, Document, Figure, Heading, Note, Paragraph, Table
from .parts import imprint_rows, signature_indents
from .text import WORDS, clean, long_date, numbered, title_lines
from .word_table import add_imprint, add_table

_HEADING_FONTS = {
    1: (layout.FONT_HEI, False),
    2: (layout.FONT_KAI, False),
    3: (layout.FONT_BODY, True),
    4: (layout.FONT_BODY, False),
}


def to_word(document: Document) -> bytes:
    """The document as .docx bytes; equal for equal documents whose ``created`` is given."""
    writer = _Writer(document)
    writer.head()
    writer.title(document.title, layout.SIZE_TITLE, 20)
    writer.line("")
    if document.addressee:
        writer.line(f"{document.addressee}{writer.words['colon']}")
    writer.blocks(document.body, layout.TEXT_WIDTH)
    writer.attachment_list()
    writer.signature()
    if document.note:
        opening, closing = writer.words["note"]
        writer.line(f"{opening}{document.note}{closing}", first=2)
    writer.attachments()
    writer.imprint()
    return writer.bytes()


class _Writer:
    """Writes one document from top to bottom."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.words: dict[str, Any] = WORDS[document.language]
        self.word = docx.Document()
        self._styles()
        self._first_section()
        self._properties()

    def _styles(self) -> None:
        normal = self.word.styles["Normal"]
        normal.font.size = Pt(layout.SIZE_BODY)
        word_xml.set_fonts(normal.element.get_or_add_rPr(), layout.FONT_BODY)
        form = normal.paragraph_format
        form.space_before = form.space_after = Pt(0)
        form.line_spacing = Pt(int(layout.LINE_PITCH * 20) / 20)
        form.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        form.widow_control = False
        # The grid is stated for the page, but the pitch of lines and characters is set here as fixed values, which all
        # office programs honour alike; LibreOffice gives a character wider than its grid cell two cells.
        form._element.get_or_add_pPr().append(word_xml.element("snapToGrid", val="0"))
        word_xml.in_order(normal.element.get_or_add_pPr())
        spacing = int((layout.CHARACTER_PITCH - layout.SIZE_BODY) * 20 - 0.999)
        normal.element.get_or_add_rPr().append(word_xml.element("spacing", val=spacing))
        language = word_xml.element("lang", val="en-GB", eastAsia="zh-CN")
        for old in normal.element.rPr.findall(qn("w:lang")):
            normal.element.rPr.remove(old)
        normal.element.rPr.append(language)
        word_xml.run_in_order(normal.element.rPr)
        for level, (font, bold) in _HEADING_FONTS.items():
            style = self.word.styles[f"Heading {level}"]
            style.font.size, style.font.bold, style.font.italic = Pt(layout.SIZE_BODY), bold, False
            style.font.color.rgb = RGBColor(0, 0, 0)
            word_xml.set_fonts(style.element.get_or_add_rPr(), font)
            style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(0)
            style.paragraph_format.keep_with_next = True

    def _first_section(self) -> None:
        section = self.word.sections[0]
        word_xml.set_page(section, landscape=False)
        self.word.settings.odd_and_even_pages_header_footer = True
        word_xml.page_number(section.footer.paragraphs[0], right=True)
        word_xml.page_number(section.even_page_footer.paragraphs[0], right=False)

    def _properties(self) -> None:
        moment = (self.document.created or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
        properties = self.word.core_properties
        author = clean(self.document.author or self.document.signature)
        properties.title = clean(self.document.title)[:255]
        properties.author = properties.last_modified_by = author[:255]
        properties.created = properties.modified = moment
        properties.language = "zh-CN" if self.document.language == "zh" else "en-GB"
        properties.keywords = ", ".join(map(clean, self.document.keywords))[:255]
        properties.comments = ""

    def line(
        self, text: str, *, align: Any = None, font: str = "", bold: bool = False, **indent: float
    ) -> Any:
        """Adds one paragraph of body size."""
        paragraph = self.word.add_paragraph()
        if text:
            self._run(paragraph, text, font=font, bold=bold)
        if align is not None:
            paragraph.alignment = align
        if indent:
            word_xml.set_indent(paragraph, **indent)
        return paragraph

    def _run(self, paragraph: Any, text: str, *, font: str = "", bold: bool = False, size: float = 0) -> Any:
        run = paragraph.add_run(clean(text))
        if bold:
            run.bold = True
        if size:
            run.font.size = Pt(size)
        if font:
            word_xml.set_fonts(run._r.get_or_add_rPr(), font)
        return run

    def head(self) -> None:
        """版头: copy number, secrecy, urgency, the red mark, number, issuer, and the red line."""
        document = self.document
        if not document.mark:
            return
        corner = [text for text in (document.copy_number, document.secrecy, document.urgency) if text]
        for text in corner:
            self.line(text, font=layout.FONT_HEI)
        mark = self.word.add_paragraph()
        mark.alignment = WD_ALIGN_PARAGRAPH.CENTER
        drop = layout.MARK_DROP * layout.POINTS_PER_MM - len(corner) * layout.LINE_PITCH
        size = layout.mark_size(document.mark)
        # Word drops the space before the first paragraph of a page in some modes; a fixed line height it never drops.
        word_xml.exact_line(mark, max(drop, 0) + size * 1.2)
        run = self._run(mark, document.mark, font=layout.FONT_TITLE, size=size)
        run.font.color.rgb = RGBColor.from_string(layout.RED)
        self.line("")
        self.line("")
        number = self.word.add_paragraph()
        if document.issuer:
            tab = layout.TEXT_WIDTH - layout.CHARACTER_PITCH / layout.POINTS_PER_MM
            number.paragraph_format.tab_stops.add_tab_stop(Mm(tab), alignment=2)
            self._run(number, document.number)
            number.add_run("\t")
            self._run(number, self.words["issuer"])
            self._run(number, document.issuer, font=layout.FONT_KAI)
            number.alignment = WD_ALIGN_PARAGRAPH.LEFT
            word_xml.set_indent(number, left=1)
        else:
            number.alignment = WD_ALIGN_PARAGRAPH.CENTER
            self._run(number, document.number)
        rule = self.word.add_paragraph()
        word_xml.exact_line(rule, layout.RED_LINE_GAP * layout.POINTS_PER_MM)
        word_xml.bottom_rule(rule, layout.RED, 12)
        self.line("")
        self.line("")

    def title(self, title: str, size: float, per_line: int) -> None:
        """The title, centred, in lines that break between words."""
        paragraph = self.word.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        word_xml.exact_line(paragraph, layout.TITLE_PITCH)
        for number, text in enumerate(title_lines(title, per_line)):
            run = self._run(paragraph, text, font=layout.FONT_TITLE, size=size)
            if number:
                run._r.insert(1, word_xml.element("br"))

    def blocks(self, blocks: tuple[Block, ...], width: float) -> None:
        """Body blocks; ``width`` is that of the type area in mm."""
        for block, number in numbered(blocks, self.document.language):
            if isinstance(block, Heading):
                paragraph = self.word.add_paragraph(style=f"Heading {block.level}")
                paragraph.add_run(f"{number}{clean(block.text)}")
                word_xml.set_indent(paragraph, first=2)
            elif isinstance(block, Paragraph):
                paragraph = self.word.add_paragraph()
                for run in block.runs:
                    self._run(paragraph, run.text, bold=run.bold)
                if block.indent:
                    word_xml.set_indent(paragraph, first=2)
            elif isinstance(block, Note):
                opening, closing = self.words["note"]
                self.line(f"{opening}{block.text}{closing}", first=2)
            elif isinstance(block, Figure):
                self._figure(block, width)
            else:
                self._table(block, width)

    def _figure(self, figure: Figure, width: float) -> None:
        paragraph = self.word.add_paragraph()
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
        paragraph.paragraph_format.line_spacing = 1.0
        paragraph.paragraph_format.keep_with_next = bool(figure.caption)
        shape = paragraph.add_run().add_picture(
            io.BytesIO(figure.image), width=Mm(width * min(max(figure.width, 0.1), 1.0))
        )
        shape._inline.docPr.set("descr", clean(figure.alt or figure.caption))
        if figure.caption:
            caption = self.word.add_paragraph()
            caption.alignment = WD_ALIGN_PARAGRAPH.CENTER
            self._run(caption, figure.caption, font=layout.FONT_HEI, size=12)

    def _table(self, table: Table, width: float) -> None:
        if table.caption:
            caption = self.line("", align=WD_ALIGN_PARAGRAPH.CENTER)
            caption.paragraph_format.keep_with_next = True
            self._run(caption, table.caption, font=layout.FONT_HEI, size=layout.SIZE_SMALL)
        add_table(self.word, table, width, self.document.language)

    def attachment_list(self) -> None:
        """附件说明: a line after the body that names the attachments."""
        attachments = self.document.attachments
        if not attachments:
            return
        self.line("")
        lead = f"{str(self.words['attachment']).strip()}{self.words['colon']}"
        if len(attachments) == 1:
            self.line(f"{lead}{attachments[0].title}", left=5, hanging=3, align=WD_ALIGN_PARAGRAPH.LEFT)
            return
        for number, attachment in enumerate(attachments, start=1):
            text = f"{number}. {attachment.title}"
            if number == 1:
                self.line(f"{lead}{text}", left=6.5, hanging=4.5, align=WD_ALIGN_PARAGRAPH.LEFT)
            else:
                self.line(text, left=6.5, hanging=1.5, align=WD_ALIGN_PARAGRAPH.LEFT)

    def signature(self) -> None:
        """落款: signature and date, kept on one page with each other."""
        document = self.document
        signed = long_date(document.signed_on, document.language) if document.signed_on else ""
        if not document.signature and not signed:
            return
        sign_indent, date_indent = signature_indents(clean(document.signature), signed)
        right = WD_ALIGN_PARAGRAPH.RIGHT
        for text, indent in (("", 0.0), ("", 0.0), (document.signature, sign_indent), (signed, date_indent)):
            paragraph = self.line(text, align=right, right=indent)
            paragraph.paragraph_format.keep_with_next = text != signed

    def attachments(self) -> None:
        """附件: each on a page of its own, wide ones on a turned page."""
        many = len(self.document.attachments) > 1
        for number, attachment in enumerate(self.document.attachments, start=1):
            section = self.word.add_section(WD_SECTION.NEW_PAGE)
            word_xml.set_page(section, landscape=attachment.landscape)
            lead = str(self.words["attachment"])
            self.line(f"{lead}{number}" if many else lead.strip(), font=layout.FONT_HEI)
            if attachment.landscape:
                self.title(attachment.title, 18, 36)
                width = layout.PAGE_HEIGHT - layout.LANDSCAPE_LEFT - layout.LANDSCAPE_RIGHT
            else:
                self.line("")
                self.title(attachment.title, layout.SIZE_TITLE, 20)
                self.line("")
                width = layout.TEXT_WIDTH
            self.blocks(attachment.blocks, width)

    def imprint(self) -> None:
        """版记: a ruled table at the foot of the last page."""
        rows = imprint_rows(self.document)
        if not rows:
            return
        if self.document.attachments:
            word_xml.set_page(self.word.add_section(WD_SECTION.NEW_PAGE), landscape=False)
        add_imprint(self.word, rows, own_page=bool(self.document.attachments))

    def bytes(self) -> bytes:
        """The finished file."""
        target = io.BytesIO()
        self.word.save(target)
        moment = self.document.created or datetime(2000, 1, 1, tzinfo=UTC)
        moment = moment.astimezone(UTC)
        # A zip entry knows no year before 1980.
        times = (max(moment.year, 1980), moment.month, moment.day, moment.hour, moment.minute, 0)
        return word_xml.add_stand_ins(target.getvalue(), times)
