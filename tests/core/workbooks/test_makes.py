"""Workbooks of different make, each with its expected reading: files, words, units."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from .builders import WAN, YI, Tab, column, csv_bytes, faults, html, read, sheet, xls, xlsx
from .makes import HEAD, ROWS, TITLE, UNIT, check_basic


def test_plain() -> None:
    check_basic(sheet([TITLE, UNIT, HEAD, *ROWS]))


def test_head_in_first_row_and_period_from_the_file_name() -> None:
    check_basic(sheet([HEAD, *ROWS], file="重点项目202203.xlsx"))


def test_head_far_down_and_far_right() -> None:
    rows = [[None] * 4 + r for r in [TITLE, UNIT, HEAD, *ROWS]]
    check_basic(sheet([[]] * 25 + rows))


def test_xls() -> None:
    check_basic(read(xls(Tab([TITLE, UNIT, HEAD, *ROWS], merges=["A1:G1"])), "台账.xls"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv(encoding: str, delimiter: str) -> None:
    check_basic(read(csv_bytes([TITLE, UNIT, HEAD, *ROWS], encoding, delimiter), "台账.csv"))


def test_html_saved_as_xls() -> None:
    check_basic(read(html([TITLE, UNIT, HEAD, *ROWS]), "导出.xls"))


def test_cover_sheet_and_hidden_sheet_before_the_data() -> None:
    cover = Tab(
        [
            [None],
            [None, "2021年封面"],
            ["填表说明:项目名称、总投资均须填写"],
            ["联系人", "电话"],
            ["张三", "123"],
        ],
        "封面",
    )
    old = Tab([["2020年"], HEAD, [1, "旧项目", "续建", 1, 1, 1, "局"]], "旧", hidden=True)
    parsed = read(xlsx(cover, old, Tab([TITLE, UNIT, HEAD, *ROWS], "3月")))
    check_basic(parsed)
    assert parsed.sheet == "3月"


def test_other_words_and_yi_yuan_with_wan_in_a_cell() -> None:
    parsed = sheet(
        [
            ["××县重点项目推进表"],
            ["截至2023年6月底", None, None, None, "单位:亿元"],
            [
                "编号",
                "工程名称",
                "项目业主",
                "总投资额",
                "年度投资计划",
                "年初至本月累计完成",
                "挂钩领导",
                "责任单位",
                "建设规模及内容",
                "项目地址",
                "开工时间",
                "竣工时间",
                "所属园区",
            ],
            [
                1,
                "甲",
                "甲公司",
                3.5,
                "3500万元",
                "约0.12",
                "李四",
                "发改局",
                "建设厂房12万平方米",
                "某镇",
                "2022年3月",
                "2024年底",
                "东园",
            ],
            [
                2,
                "乙",
                "乙公司",
                "１２．３",
                "1.2亿元",
                "5,000万",
                "王五",
                "工信局",
                "道路",
                "某村",
                "2022-03-15",
                "2023.6",
                "西园",
            ],
        ]
    )
    assert faults(parsed) == []
    assert column(parsed, "total_investment") == [Decimal("3.5") * YI, Decimal("12.3") * YI]
    assert column(parsed, "planned_investment") == [3500 * WAN, Decimal("1.2") * YI]
    assert column(parsed, "investment_done") == [1200 * WAN, 5000 * WAN]
    assert column(parsed, "owner") == ["甲公司", "乙公司"]
    assert column(parsed, "leader") == ["李四", "王五"]
    assert column(parsed, "responsible") == ["发改局", "工信局"]
    assert column(parsed, "content") == ["建设厂房12万平方米", "道路"]
    assert column(parsed, "address") == ["某镇", "某村"]
    assert column(parsed, "start_on") == [date(2022, 3, 1), date(2022, 3, 15)]
    assert column(parsed, "finish_on") == [date(2024, 12, 31), date(2023, 6, 30)]
    assert column(parsed, "park") == ["东园", "西园"]
    assert parsed.period.as_of == date(2023, 6, 30)


@pytest.mark.parametrize(
    ("head", "title", "unit"),
    [
        ("总投资(亿元)", "2022年3月重点项目", YI),
        ("总投资（单位：亿元）", "2022年3月重点项目", YI),
        ("总投资\n（万元）", "2022年3月重点项目 单位：亿元", WAN),
        ("总投资额/亿元", "2022年3月重点项目", YI),
        ("总投资", "2022年3月重点项目（单位：亿元）", YI),
        ("总投资", "2022年3月重点项目 金额单位：人民币亿元", YI),
        ("总投资", "2022年3月重点项目表（亿元）", YI),
        ("总投资（元）", "2022年3月", Decimal(1)),
        ("总投资", "填报单位：某镇重点办  2022年3月  单位：万元", WAN),
        ("总投资", "建设单位：亿元楼宇公司  2022年3月", WAN),
    ],
)
def test_units(head: str, title: str, unit: Decimal) -> None:
    parsed = sheet(
        [[title], ["序号", "项目名称", head, "责任单位"], [1, "甲", 12, "局"], [2, "乙", 70, "局"]]
    )
    assert column(parsed, "total_investment") == [12 * unit, 70 * unit]


def test_unit_only_in_a_note_below() -> None:
    rows = [["2022年3月"], HEAD, *ROWS, ["注:本表金额单位为亿元"]]
    assert column(sheet(rows), "total_investment")[0] == 10000 * YI


def test_unit_row_below_the_head_and_column_numbers() -> None:
    units = [None, None, None, "(万元)", "(万元)", "(亿元)", None]
    rows = [[*r[:5], r[5] / 10000, r[6]] for r in ROWS]
    check_basic(sheet([TITLE, HEAD, units, [1, 2, 3, 4, 5, 6, 7], *rows]))


def test_unit_guessed_from_size_is_marked_as_assumed() -> None:
    rows = [
        ["序号", "项目名称", "总投资", "责任单位"],
        [1, "甲", 3.52, "局"],
        [2, "乙", 10.2, "局"],
        [3, "丙", 0.8, "局"],
    ]
    parsed = sheet(rows)
    assert column(parsed, "total_investment")[0] == 352_000_000
    assert parsed.sheets[0].columns[2].unit_from == "assumed"
