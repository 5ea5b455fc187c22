"""Broken workbooks, each with the exact list of its faults; and files that are no workbooks."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal

import pytest

from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.faults import BookError

from .builders import WAN, Tab, column, csv_bytes, faults, read, sheet, xls, xlsx

TOP = [["2022年重点项目(截至2022年3月31日) 单位:万元"]]
HEAD = [
    "序号",
    "项目编码",
    "项目名称",
    "建设性质",
    "总投资",
    "2022年计划投资",
    "1-3月完成投资",
    "开工时间",
    "竣工时间",
    "形象进度百分比",
]


def row(number: int, **changes: object) -> list[object]:
    cells: dict[str, object] = {
        "index": number,
        "code": f"P{number}",
        "name": f"项目{number}",
        "kind": "新开工",
        "total": 100,
        "plan": 50,
        "done": 10,
        "start": "2022.01",
        "finish": "2023.12",
        "visible": "20%",
    }
    cells.update(changes)
    return list(cells.values())


@pytest.mark.parametrize(
    ("changes", "cell", "rule", "value"),
    [
        ({"name": None}, "C3", "name.missing", ""),
        ({"name": "—"}, "C3", "name.missing", "—"),
        ({"total": "若干"}, "E3", "number.not_a_number", "若干"),
        ({"total": "12O0"}, "E3", "number.not_a_number", "12O0"),
        ({"total": "100 200"}, "E3", "number.not_a_number", "100 200"),
        ({"total": "3500万美元"}, "E3", "money.currency", "3500万美元"),
        ({"total": "2022-03-01"}, "E3", "number.not_a_number", "2022-03-01"),
        ({"total": 1e300}, "E3", "number.too_large", None),
        ({"plan": -5}, "F3", "number.negative", "-5"),
        ({"plan": "(5)"}, "F3", "number.negative", "(5)"),
        ({"done": 101}, "G3", "done.over_total", "101"),
        ({"start": "2024.01"}, "I3", "date.end_before_start", "2023.12"),
        ({"start": "2022.13"}, "H3", "date.impossible_month", "2022.13"),
        ({"start": "2022年0月"}, "H3", "date.impossible_month", "2022年0月"),
        ({"start": "2022-02-30"}, "H3", "date.impossible_day", "2022-02-30"),
        ({"finish": "明年春天"}, "I3", "date.unreadable", "明年春天"),
        ({"kind": "外星"}, "D3", "kind.unknown", "外星"),
        ({"name": "长" * 201}, "C3", "text.too_long", None),
    ],
)
def test_one_fault(changes: dict[str, object], cell: str, rule: str, value: str | None) -> None:
    parsed = sheet([*TOP, HEAD, row(1, **changes), row(2)])
    assert faults(parsed) == [(cell, rule)]
    fault = parsed.errors[0]
    assert fault.sheet == "重点项目"
    assert fault.column == HEAD["ABCDEFGHIJ".index(cell[0])]
    assert fault.row == 3
    if value is not None:
        assert fault.value == value


def test_every_fault_at_once_in_order() -> None:
    parsed = sheet(
        [
            *TOP,
            HEAD,
            row(1, total="若干", plan=-1, kind="外星"),
            row(2, name=None),
            row(3, done=1000, start="2022.14"),
            row(4),
            row(5, name="项目4", code=None),
            row(6, code="P4"),
            row(7, start="2025-01-01"),
        ]
    )
    assert faults(parsed) == [
        ("D3", "kind.unknown"),
        ("E3", "number.not_a_number"),
        ("F3", "number.negative"),
        ("C4", "name.missing"),
        ("G5", "done.over_total"),
        ("H5", "date.impossible_month"),
        ("C7", "row.duplicate"),
        ("B8", "row.duplicate"),
        ("I9", "date.end_before_start"),
    ]
    assert parsed.errors[6].params["first"] == "C6"
    assert parsed.errors[0].params["nearest"]


def test_two_projects_of_one_name_with_codes_of_their_own_are_two() -> None:
    assert faults(sheet([*TOP, HEAD, row(1, name="道路工程"), row(2, name="道路工程")])) == []


def test_the_same_name_in_another_spelling_is_the_same_project() -> None:
    parsed = sheet(
        [*TOP, HEAD, row(1, name="产业平台（一期）", code=None), row(2, name="产业平台 (一期)", code=None)]
    )
    assert faults(parsed) == [("C4", "row.duplicate")]


def test_contradictions_are_warnings_and_stop_nothing() -> None:
    parsed = sheet(
        [
            [*TOP[0]],
            [*HEAD, "完成年度计划", "财政资金", "银行贷款"],
            [*row(1, done=60), "120%", 60, 40],
            [*row(2), "30%", 80, 40],
            [*row(3, visible="130%"), "2000%", None, None],
            [*row(4, plan=101, done=0), "0%", None, None],
        ]
    )
    assert faults(parsed) == []
    assert faults(parsed, "warning") == [
        ("G3", "done.over_plan"),
        ("E4", "funds.over_total"),
        ("K4", "percent.contradicts"),
        ("J5", "percent.range"),
        ("K5", "percent.range"),
        ("F6", "plan.over_total"),
    ]


def test_a_missing_name_column_is_one_fault() -> None:
    parsed = sheet([["序号", "甲方案", "总投资", "责任单位", "开工时间"], [1, "甲", 3, "局", "2022.1"]])
    assert faults(parsed) == [("A1", "column.missing")]


def test_a_thousand_bad_cells_of_many_rows_are_all_listed() -> None:
    rows = [row(i, total="若干" if i % 5 == 0 else 100) for i in range(1, 5001)]
    parsed = read(csv_bytes([*TOP, HEAD, *rows], "gb18030"), "a.csv")
    assert [f.cell for f in parsed.errors] == [f"E{i + 2}" for i in range(5, 5001, 5)]


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"  \n"])
def test_empty_file(data: bytes) -> None:
    with pytest.raises(BookError) as error:
        read_book(data, "a.xlsx")
    assert error.value.code == "empty"


def test_no_ledger_in_the_file() -> None:
    with pytest.raises(BookError) as error:
        sheet([["日期", "天气"], ["一", "晴"]])
    assert error.value.code == "no_header"


def test_corrupt_truncated_and_foreign_files() -> None:
    good = xlsx(Tab([HEAD, row(1)]))
    for data in (good[:200], good[: len(good) // 2], b"PK\x03\x04" + b"x" * 500):
        with pytest.raises(BookError) as error:
            read_book(data, "a.xlsx")
        assert error.value.code == "corrupt"
    old = xls(Tab([HEAD, row(1)]))
    with pytest.raises(BookError) as error:
        read_book(old[:600], "a.xls")
    assert error.value.code == "corrupt"
    for data in (b"%PDF-1.7 ...", b"\x89PNG\r\n\x1a\n" + b"0" * 50, bytes(range(256)) * 4):
        with pytest.raises(BookError) as error:
            read_book(data, "a.xlsx")
        assert error.value.code == "format"


def test_encrypted_files() -> None:
    from yuanmai.core.workbooks.engine.book import _OLE

    with pytest.raises(BookError) as error:
        read_book(_OLE + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 600, "a.xlsx")
    assert error.value.code == "encrypted"


def test_a_word_file_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(BookError) as error:
        read_book(out.getvalue(), "a.docx")
    assert error.value.code == "format"


def _with_sheet(xml: str) -> bytes:
    good = zipfile.ZipFile(io.BytesIO(xlsx(Tab([HEAD, row(1)]))))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in good.infolist():
            archive.writestr(
                info.filename, xml if info.filename == "xl/worksheets/sheet1.xml" else good.read(info)
            )
    return out.getvalue()


_SHEET = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


def test_bombs_are_refused_before_memory_is_taken() -> None:
    with pytest.raises(BookError) as error:
        read_book(_with_sheet(_SHEET.format(" " * 800_000_000)), "a.xlsx")
    assert error.value.code == "too_big"
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(BookError) as error:
        read_book(_with_sheet(_SHEET.format(far)), "a.xlsx")
    assert error.value.code == "too_wide"
    far = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="ZZ1048576"><v>1</v></c></row>'
    with pytest.raises(BookError) as error:
        read_book(_with_sheet(_SHEET.format(far)), "a.xlsx")
    assert error.value.code == "too_big_sheet"


def test_formatted_but_empty_far_cells_are_harmless() -> None:
    cells = "".join(
        f'<c r="{c}1" t="inlineStr"><is><t>{t}</t></is></c>'
        for c, t in zip("ABCD", ["序号", "项目名称", "总投资", "责任单位"], strict=True)
    )
    data = '<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>甲</t></is></c><c r="C2"><v>5</v></c></row>'
    blank = "".join(f'<row r="{n}"><c r="XFD{n}" s="0"/></row>' for n in (3, 1048576))
    parsed = read(_with_sheet(_SHEET.format(f'<row r="1">{cells}</row>{data}{blank}')), "a.xlsx", unit="万元")
    assert column(parsed, "total_investment") == [5 * WAN]


def test_money_is_exact() -> None:
    parsed = sheet(
        [*TOP, HEAD, row(1, total=0.07), row(2, total=1234567.89, plan="1,234,567.8", done=33.3333333333333)]
    )
    assert column(parsed, "total_investment") == [Decimal("700.00"), Decimal("12345678900.00")]
    assert column(parsed, "planned_investment")[1] == Decimal("12345678000.00")
    assert column(parsed, "investment_done")[1] == Decimal("333333.33")
