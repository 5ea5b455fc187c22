"""Word files read back with python-docx, and the self-check against files that leave the layout."""

import io
import time
import zipfile
from dataclasses import replace
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from PIL import Image

from yuanmai.core.documents import Attachment, Figure, Paragraph, check_docx, to_word

from .sample import BODY_TABLE, WIDE_TABLE, sample


@pytest.fixture(scope="module")
def content() -> bytes:
    return to_word(sample())


@pytest.fixture(scope="module")
def word(content: bytes) -> Any:
    return docx.Document(io.BytesIO(content))


def _east_asian(run: Any) -> str:
    return str(run._r.rPr.find(qn("w:rFonts")).get(qn("w:eastAsia")))


def test_the_page_is_that_of_the_standard(word: Any) -> None:
    section = word.sections[0]
    measures = [
        round(length.mm)
        for length in (
            section.page_width,
            section.page_height,
            section.top_margin,
            section.left_margin,
            section.bottom_margin,
            section.right_margin,
        )
    ]
    assert measures == [210, 297, 37, 28, 35, 26]
    grid = section._sectPr.find(qn("w:docGrid"))
    assert grid.get(qn("w:type")) == "linesAndChars"
    assert int(grid.get(qn("w:linePitch"))) * 22 <= 225 / 25.4 * 1440 < int(grid.get(qn("w:linePitch"))) * 23


def test_our_own_documents_have_no_deviation(content: bytes) -> None:
    assert check_docx(content) == []
    assert check_docx(to_word(sample(attachments=(), mark="", imprint=None, language="en"))) == []


def test_the_texts_come_in_the_order_of_the_standard(word: Any) -> None:
    texts = [paragraph.text for paragraph in word.paragraphs if paragraph.text]
    assert texts[:4] == [
        "坦洲镇重点项目建设领导小组办公室文件",
        "坦重点办〔2022〕3号",
        "关于2022年3月重点项目建设情况的通报",
        "各村（社区），镇属各单位：",
    ]
    for text in (
        "一、总体情况",
        "（一）投资完成情况",
        "1.新开工项目",
        "（1）未开工项目",
        "附件：2022年重点项目投资完成情况表",
        "坦洲镇重点项目建设领导小组办公室",
        "2022年4月2日",
        "（此件公开发布）",
    ):
        assert text in texts
    assert texts.index("（此件公开发布）") > texts.index("2022年4月2日") > texts.index("二、存在问题")


def test_fonts_sizes_and_colours(word: Any) -> None:
    runs = {paragraph.text: paragraph.runs[0] for paragraph in word.paragraphs if paragraph.runs}
    mark = runs["坦洲镇重点项目建设领导小组办公室文件"]
    assert str(mark.font.color.rgb) == "FF0000"
    assert "小标宋" in _east_asian(mark)
    title = runs["关于2022年3月重点项目建设情况的通报"]
    assert (title.font.size.pt, "小标宋" in _east_asian(title)) == (22, True)
    fonts = word.styles["Normal"].element.rPr.find(qn("w:rFonts"))
    assert fonts.get(qn("w:eastAsia")) == "仿宋_GB2312"
    assert fonts.get(qn("w:ascii")) == "Times New Roman"
    assert word.styles["Normal"].font.size.pt == 16


def test_body_paragraphs_are_indented_by_two_characters(word: Any) -> None:
    paragraph = next(p for p in word.paragraphs if p.text.startswith("现将截至"))
    assert paragraph._p.pPr.find(qn("w:ind")).get(qn("w:firstLineChars")) == "200"


def test_page_numbers_stand_at_the_outer_edge(word: Any) -> None:
    section = word.sections[0]
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        paragraph = footer.paragraphs[0]
        assert paragraph.text == "— 1 —"
        assert f'w:val="{side}"' in paragraph._p.xml
        assert paragraph.runs[0].font.size.pt == 14
        assert _east_asian(paragraph.runs[0]) == "宋体"


def test_tables_keep_merged_heads_values_and_repeat_their_head(word: Any) -> None:
    table = word.tables[0]
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == ["类别", "项目数（个）", "投资", "投资", "投资"]
    assert rows[1] == ["类别", "项目数（个）", "年度计划", "累计完成", "完成率"]
    assert rows[2] == ["一、新开工"] * 5
    assert rows[6] == ["工改工", "2", "2.71", "0.86", "—"]
    assert rows[-1] == ["合计", "12", "11.61", "2.90", "25.0%"]
    assert len(table._tbl.findall(f".//{qn('w:tblHeader')}")) == 2
    assert len(table._tbl.findall(f".//{qn('w:cantSplit')}")) == len(table.rows)


def test_wide_attachments_turn_the_page_and_the_imprint_turns_it_back(word: Any) -> None:
    assert [section.page_width > section.page_height for section in word.sections] == [False, True, False]
    assert word.tables[-1].rows[0].cells[0].text.startswith("抄送：")
    assert word.tables[-1].rows[-1].cells[1].text == "2022年4月2日印发"


def test_long_tables_are_written_in_time() -> None:
    rows = tuple(WIDE_TABLE.rows[n % len(WIDE_TABLE.rows)] for n in range(1000))
    annex = Attachment("大表", (replace(WIDE_TABLE, rows=rows),), landscape=True)
    started = time.process_time()
    content = to_word(sample(attachments=(annex,)))
    assert time.process_time() - started < 5.0
    assert len(docx.Document(io.BytesIO(content)).tables[1].rows) == 1001


def test_several_attachments_are_numbered() -> None:
    annexes = tuple(Attachment(f"第{n}表", (BODY_TABLE,)) for n in (1, 2))
    texts = [p.text for p in docx.Document(io.BytesIO(to_word(sample(attachments=annexes)))).paragraphs]
    assert "附件：1. 第1表" in texts
    assert "2. 第2表" in texts
    assert "附件1" in texts and "附件2" in texts


def test_issuer_and_corner_notes() -> None:
    content = to_word(sample(issuer="示例领导", copy_number="000001", secrecy="内部", urgency="特急"))
    texts = [p.text for p in docx.Document(io.BytesIO(content)).paragraphs]
    assert texts[:3] == ["000001", "内部", "特急"]
    assert any(text.endswith("签发人：示例领导") and "〔2022〕3号" in text for text in texts)
    assert check_docx(content) == []


def test_hostile_text_stays_text() -> None:
    text = '<w:t>&amp; ]]> \x00\x1b "quoted" {{ jinja }}'
    word = docx.Document(io.BytesIO(to_word(sample(body=(Paragraph(text),)))))
    assert any(p.text == '<w:t>&amp; ]]>  "quoted" {{ jinja }}' for p in word.paragraphs)


def test_pictures_carry_a_text_for_those_who_cannot_see_them() -> None:
    image = io.BytesIO()
    Image.new("RGB", (200, 100), "navy").save(image, "PNG")
    body = (Figure(image.getvalue(), caption="图1  投资完成走势", alt="逐月上升"),)
    word = docx.Document(io.BytesIO(to_word(sample(body=body))))
    shape = word.inline_shapes[0]
    assert shape._inline.docPr.get("descr") == "逐月上升"
    assert round(shape.width.mm) == 156


def test_equal_documents_are_equal_bytes_and_different_ones_are_not(content: bytes) -> None:
    assert to_word(sample()) == content
    assert to_word(sample(title="关于其他事项的通报")) != content


def test_absent_fonts_have_stand_ins(content: bytes) -> None:
    fonts = zipfile.ZipFile(io.BytesIO(content)).read("word/fontTable.xml").decode()
    assert '<w:font w:name="仿宋_GB2312"><w:altName w:val="仿宋"/>' in fonts


def _changed(content: bytes, change: Any) -> list[str]:
    word = docx.Document(io.BytesIO(content))
    change(word)
    target = io.BytesIO()
    word.save(target)
    return check_docx(target.getvalue())


def _no_grid(word: Any) -> None:
    properties = word.sections[0]._sectPr
    properties.remove(properties.find(qn("w:docGrid")))


def _kai(word: Any) -> None:
    fonts = word.styles["Heading 1"].element.rPr.find(qn("w:rFonts"))
    fonts.set(qn("w:eastAsia"), "楷体")


def _no_number(word: Any) -> None:
    paragraph = word.sections[0].even_page_footer.paragraphs[0]._p
    paragraph.getparent().remove(paragraph)


def _no_repeat(word: Any) -> None:
    for mark in word.tables[0]._tbl.findall(f".//{qn('w:tblHeader')}"):
        mark.getparent().remove(mark)


@pytest.mark.parametrize(
    ("change", "deviation"),
    [
        (
            lambda word: setattr(word.sections[0], "top_margin", Mm(25)),
            "top margin is 25.0 mm, required 37 mm",
        ),
        (lambda word: setattr(word.sections[0], "page_width", Mm(216)), "page width is 216.0 mm"),
        (_no_grid, "no document grid"),
        (lambda word: setattr(word.styles["Normal"].font, "size", Pt(14)), "Body size is 14 pt"),
        (lambda word: setattr(word.styles["Normal"].paragraph_format, "line_spacing", 1.5), "fixed value"),
        (_kai, "'一、总体情况' is in 楷体, required 黑体"),
        (_no_number, "even pages has no page number"),
        (lambda word: setattr(word.settings, "odd_and_even_pages_header_footer", False), "share one footer"),
        (_no_repeat, "Table 1 does not repeat its head"),
    ],
)
def test_the_self_check_finds_each_deviation(content: bytes, change: Any, deviation: str) -> None:
    found = _changed(content, change)
    assert any(deviation in sentence for sentence in found), found


def test_the_self_check_refuses_what_is_no_word_file() -> None:
    with pytest.raises(ValueError, match="not a Word file"):
        check_docx(b"PK\x03\x04 nothing")
