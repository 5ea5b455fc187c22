"""Excel files read back with openpyxl."""

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from yuanmai.core.documents import Column, Kind, Row, RowKind, Table, simple_head, to_excel

from .sample import BODY_TABLE, WIDE_TABLE


def _sheet(*tables: Table, **options: str) -> Any:
    return openpyxl.load_workbook(io.BytesIO(to_excel(*tables, **options))).worksheets[0]


def test_title_unit_head_and_values() -> None:
    sheet = _sheet(BODY_TABLE, title="重点项目总体情况")
    values = list(sheet.iter_rows(values_only=True))
    assert values[0][0] == "重点项目总体情况"
    assert values[1][0] == "单位：亿元"
    assert values[2][:3] == ("类别", "项目数（个）", "投资")
    assert values[3][2:] == ("年度计划", "累计完成", "完成率")
    assert values[4][0] == "一、新开工"
    assert values[9] == ("合计", 12, 11.61, 2.9, pytest.approx(2.9 / 11.61))
    assert values[8][4] is None
    assert values[10][0].startswith("注：1. 完成率")
    assert {str(merged) for merged in sheet.merged_cells.ranges} >= {"A3:A4", "B3:B4", "C3:E3", "A5:E5"}


def test_numbers_are_numbers_with_a_format_and_the_head_stays_in_sight() -> None:
    sheet = _sheet(BODY_TABLE)
    total = sheet[10]
    assert sheet.freeze_panes == "A5"
    assert sheet.print_title_rows == "$3:$4"
    assert [cell.number_format for cell in total][1:] == ["#,##0", "#,##0.00", "#,##0.00", "0.0%"]
    assert all(cell.font.bold for cell in total)


def test_text_that_looks_like_a_formula_stays_text() -> None:
    dangerous = ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "http://example.test", "0012", "\t=1")
    table = Table(
        columns=(Column(),), head=simple_head("=1+1"), rows=tuple(Row((text,)) for text in dangerous)
    )
    sheet = _sheet(table, title="=2+2", sheet="甲/乙*[丙]:")
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type == "s" for cell in cells)
    assert [cell.value for cell in cells][2:8] == list(dangerous[:6])
    assert not any(cell.hyperlink for cell in cells)


def test_long_integers_keep_every_digit() -> None:
    table = Table(
        columns=(Column(kind=Kind.INTEGER),), head=simple_head("账号"), rows=(Row((6222021234567890123,)),)
    )
    assert _sheet(table)["A2"].value == "6222021234567890123"


def test_not_a_number_is_written_as_text() -> None:
    table = Table(
        columns=(Column(kind=Kind.DECIMAL),), head=simple_head("值"), rows=(Row((Decimal("NaN"),)),)
    )
    assert _sheet(table)["A2"].value == "NaN"


def test_dates_are_dates() -> None:
    table = Table(
        columns=(Column(kind=Kind.DATE),), head=simple_head("日期"), rows=(Row((date(2022, 3, 31),)),)
    )
    cell = _sheet(table)["A2"]
    assert cell.value == datetime(2022, 3, 31)
    assert cell.number_format == "yyyy-mm-dd"


def test_plain_tables_can_be_filtered_and_ruled_ones_cannot() -> None:
    assert _sheet(WIDE_TABLE).auto_filter.ref == "A2:H42"
    assert _sheet(BODY_TABLE).auto_filter.ref is None


def test_columns_are_as_wide_as_their_values() -> None:
    table = Table(
        columns=(Column(), Column()),
        head=simple_head("短", "长"),
        rows=(Row(("甲", "一" * 15)), Row(("乙", "二" * 80))),
    )
    sheet = _sheet(table)
    assert sheet.column_dimensions["A"].width < 12
    assert sheet.column_dimensions["B"].width == pytest.approx(42, abs=1)


def test_sheet_names_are_legal_and_unique() -> None:
    tables = [
        Table(
            columns=(Column(),),
            head=simple_head("甲"),
            rows=(Row(("组",), RowKind.GROUP),),
            caption="表" * 40,
        )
        for _ in range(3)
    ]
    names = openpyxl.load_workbook(io.BytesIO(to_excel(*tables))).sheetnames
    assert len(set(names)) == 3
    assert all(len(name) <= 31 for name in names)


def test_the_same_table_gives_the_same_file() -> None:
    assert to_excel(BODY_TABLE) == to_excel(BODY_TABLE)


def test_a_workbook_needs_a_table() -> None:
    with pytest.raises(ValueError, match="at least one table"):
        to_excel()
