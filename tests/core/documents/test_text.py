"""Dates, numbering, rounding and titles as official documents write them."""

from datetime import date
from decimal import Decimal

import pytest

from yuanmai.core.documents import (
    Column,
    HeadCell,
    Heading,
    Kind,
    Paragraph,
    Row,
    RowKind,
    Table,
    simple_head,
)
from yuanmai.core.documents.text import (
    chinese_number,
    clean,
    heading_number,
    long_date,
    numbered,
    shown,
    title_lines,
    width_in_chars,
)


@pytest.mark.parametrize(
    ("number", "text"), [(1, "一"), (9, "九"), (10, "十"), (12, "十二"), (20, "二十"), (99, "九十九")]
)
def test_chinese_numbers(number: int, text: str) -> None:
    assert chinese_number(number) == text


@pytest.mark.parametrize("number", [0, 100, -1])
def test_chinese_numbers_out_of_range_are_refused(number: int) -> None:
    with pytest.raises(ValueError, match="1 to 99"):
        chinese_number(number)


def test_dates_have_no_leading_zeros() -> None:
    assert long_date(date(2022, 4, 2)) == "2022年4月2日"
    assert long_date(date(2022, 4, 2), "en") == "2 April 2022"


def test_headings_are_numbered_by_level_and_start_anew_below_a_higher_one() -> None:
    blocks = (
        Heading("甲"),
        Heading("乙", 2),
        Paragraph("。"),
        Heading("丙", 2),
        Heading("丁"),
        Heading("戊", 2),
        Heading("己", 3),
        Heading("庚", 4),
    )
    numbers = [number for _, number in numbered(blocks)]
    assert numbers == ["一、", "（一）", "", "（二）", "二、", "（一）", "1.", "（1）"]


def test_english_numbering() -> None:
    assert [heading_number(level, 4, "en") for level in (1, 2, 3, 4)] == ["IV. ", "D. ", "4. ", "(4) "]
    assert heading_number(1, 120) == "120、"


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [
        (Decimal("2.9") / Decimal("11.61"), Column(kind=Kind.PERCENT, digits=1), "25.0%"),
        (Decimal("0.0005"), Column(kind=Kind.PERCENT, digits=1), "0.1%"),
        (Decimal("2.345"), Column(kind=Kind.DECIMAL), "2.35"),
        (Decimal("1E+3"), Column(kind=Kind.DECIMAL), "1000.00"),
        (12, Column(kind=Kind.INTEGER), "12"),
        (None, Column(kind=Kind.DECIMAL), "—"),
        (date(2022, 3, 31), Column(kind=Kind.DATE), "2022-03-31"),
        ("a\x00b\nc", Column(), "ab c"),
    ],
)
def test_values_are_shown_by_kind(value: object, column: Column, text: str) -> None:
    assert shown(value, column) == text  # type: ignore[arg-type]


def test_illegal_characters_are_dropped_and_rare_ones_kept() -> None:
    assert clean("甲\x0b乙\ud800𠮷\ufffe") == "甲乙𠮷"


def test_long_titles_break_between_words_and_keep_every_character() -> None:
    title = "坦洲镇重点项目建设领导小组办公室关于2022年3月全镇重点项目建设情况的通报"
    lines = title_lines(title)
    assert "".join(lines) == title
    assert len(lines) >= 2
    assert all(1.5 < width_in_chars(line) <= 20 for line in lines)
    assert title_lines("短标题\n第二行") == ["短标题", "第二行"]


def test_a_table_must_fit_its_columns() -> None:
    with pytest.raises(ValueError, match="row 1 has 1 cells, expected 2"):
        Table(columns=(Column(), Column()), head=simple_head("甲", "乙"), rows=(Row(("一",)),))
    with pytest.raises(ValueError, match="beyond"):
        Table(columns=(Column(),), head=((HeadCell("甲", colspan=2),),), rows=())
    with pytest.raises(ValueError, match="does not cover"):
        Table(columns=(Column(), Column()), head=simple_head("甲"), rows=())
    with pytest.raises(ValueError, match="overlaps"):
        Table(
            columns=(Column(), Column(), Column()),
            head=((HeadCell("甲"), HeadCell("乙", rowspan=2), HeadCell("丙")), (HeadCell("丁", colspan=2),)),
            rows=(),
        )
    assert Table(
        columns=(Column(), Column()), head=simple_head("甲", "乙"), rows=(Row(("组",), RowKind.GROUP),)
    )


def test_heading_level_is_checked() -> None:
    with pytest.raises(ValueError, match="level 1 to 4"):
        Heading("甲", 5)
