"""Workbooks of different make, each with its expected reading."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from .builders import WAN, YI, Tab, bad_checks, column, csv_bytes, faults, html, read, sheet, xls, xlsx

HEAD = ["序号", "项目名称", "建设性质", "总投资", "年度计划投资", "1-3月完成投资", "责任单位"]
TITLE = ["某市2022年重点项目进展情况表(截至2022年3月31日)"]
UNIT = ["单位:万元"]
ROWS = [
    [1, "甲产业园一期", "新开工", 10000, 3000, 500, "工信局"],
    [2, "乙大道工程", "续建", 25000.5, 8000, 2100, "交通局"],
    [3, "丙标准厂房", "续建", 6000, 1000, 1000, "住建局"],
]
NAMES = ["甲产业园一期", "乙大道工程", "丙标准厂房"]
TOTALS = [10000 * WAN, Decimal("25000.5") * WAN, 6000 * WAN]


def check_basic(parsed) -> None:
    assert faults(parsed) == []
    assert column(parsed, "name") == NAMES
    assert column(parsed, "total_investment") == TOTALS
    assert column(parsed, "planned_investment") == [3000 * WAN, 8000 * WAN, 1000 * WAN]
    assert column(parsed, "investment_done") == [500 * WAN, 2100 * WAN, 1000 * WAN]
    assert column(parsed, "kind") == ["new_start", "continuing", "continuing"]
    assert column(parsed, "responsible") == ["工信局", "交通局", "住建局"]
    assert parsed.period.as_of == date(2022, 3, 31)


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


def test_two_level_head_merged_and_in_csv() -> None:
    rows = [
        ["2022年3月"],
        ["序号", "项目名称", "资金来源(万元)", None, None, "投资情况(万元)", None, "建设起止年限", None],
        [None, None, "财政", "专项债", "自筹", "总投资额", "2022年计划投资", "开工", "竣工"],
        [1, "甲", 10, 20, 30, 60, 15, "2022.1", "2023.10"],
        [2, "乙", None, 5, 6, 11, 5, "2021.11", "2022.12"],
    ]
    merges = ["A2:A3", "B2:B3", "C2:E2", "F2:G2", "H2:I2", "A1:I1"]
    for parsed in (sheet(rows, merges=merges), read(csv_bytes(rows), "a.csv")):
        assert faults(parsed) == []
        assert column(parsed, "fund_bond") == [20 * WAN, 5 * WAN]
        assert column(parsed, "fund_own") == [30 * WAN, 6 * WAN]
        assert column(parsed, "total_investment") == [60 * WAN, 11 * WAN]
        assert column(parsed, "planned_investment") == [15 * WAN, 5 * WAN]
        assert column(parsed, "start_on") == [date(2022, 1, 1), date(2021, 11, 1)]
        assert column(parsed, "finish_on") == [date(2023, 10, 31), date(2022, 12, 31)]


def test_three_level_head() -> None:
    rows = [
        ["某区2024年重点项目(截至2024年5月31日)"],
        ["序号", "项目名称", "基本情况", None, None, "投资情况(亿元)", None, None, None],
        [None, None, "业主", "时间", None, "总投资", "2024年", None, None],
        [None, None, None, "开工时间", "完工时间", None, "计划投资", "累计完成投资", "完成率"],
        [1, "甲", "甲公司", "2024/1", "2025/6", 5, 2, 1, "50%"],
        [2, "乙", "乙公司", "2023/1", "2024/12", 8, 3, 0.6, "20%"],
    ]
    merges = ["A1:I1", "A2:A4", "B2:B4", "C2:E2", "F2:I2", "C3:C4", "D3:E3", "F3:F4", "G3:I3"]
    parsed = sheet(rows, merges=merges)
    assert faults(parsed) == []
    assert column(parsed, "owner") == ["甲公司", "乙公司"]
    assert column(parsed, "total_investment") == [5 * YI, 8 * YI]
    assert column(parsed, "planned_investment") == [2 * YI, 3 * YI]
    assert column(parsed, "investment_done") == [1 * YI, Decimal("0.6") * YI]
    assert column(parsed, "finish_on") == [date(2025, 6, 30), date(2024, 12, 31)]
    assert faults(parsed, "warning") == []


def test_group_rows_by_kind_with_totals_top_and_bottom() -> None:
    head = ["序号", "项目名称", "总投资", "年度计划投资", "1-3月完成投资"]
    rows = [
        TITLE,
        UNIT,
        head,
        ["总计", None, 41000, 12000, 3600],
        ["一、新开工项目(1个)", None, 10000, 3000, 500],
        [1, "甲", 10000, 3000, 500],
        ["二、续建项目（2个）", None, 31000.5, 9000, 3100],
        [2, "乙", 25000.5, 8000, 2100],
        [3, "丙", 6000, 1000, 1000],
        ["合计(3个)", None, 41000.5, 12000, 3600],
    ]
    parsed = sheet(rows)
    assert column(parsed, "kind") == ["new_start", "continuing", "continuing"]
    assert column(parsed, "name") == ["甲", "乙", "丙"]
    # Written without decimals, 41000 is not 41000.5 rounded (half up: 41001): the top total contradicts the rows.
    assert bad_checks(parsed) == [("C4", "total_investment", 41000 * WAN, Decimal("41000.5") * WAN)]


def test_chinese_numeral_in_its_own_cell_and_nested_groups() -> None:
    rows = [
        TITLE,
        UNIT,
        ["序号", "项目名称", "责任单位", "总投资", "1-3月完成投资"],
        ["一", "新开工项目", None, 300, 60],
        ["(一)", "工业项目", None, 100, 10],
        [1, "甲", "局", 100, 10],
        ["(二)", "交通项目", None, 200, 50],
        [2, "乙", "局", 200, 50],
        ["二", "续建项目", None, 400, 40],
        ["(一)", "工业项目", None, 400, 40],
        [3, "丙", "局", 400, 40],
        [None, "合计", None, 700, 100],
    ]
    parsed = sheet(rows)
    assert column(parsed, "name") == ["甲", "乙", "丙"]
    assert column(parsed, "kind") == ["new_start", "new_start", "continuing"]
    assert column(parsed, "category") == ["工业", "交通", "工业"]
    assert bad_checks(parsed) == []
    assert sum(1 for c in parsed.checks) == 12


def test_parks_as_group_rows_with_subtotals() -> None:
    rows = [
        TITLE,
        UNIT,
        HEAD,
        ["东部产业园(2个)"],
        [1, "甲", "新开工", 100, 50, 5, "A"],
        [2, "乙", "续建", 200, 60, 6, "B"],
        [None, "小计", None, 300, 110, 11],
        ["西部工业园"],
        [3, "丙", "续建", 400, 70, 7, "C"],
        [None, "小计", None, 410, 70, 7],
        [None, "合计", None, 700, 180, 18],
    ]
    parsed = sheet(rows)
    assert column(parsed, "park") == ["东部产业园", "东部产业园", "西部工业园"]
    assert bad_checks(parsed) == [("D10", "total_investment", 410 * WAN, 400 * WAN)]


def test_park_merged_down_beside_the_projects() -> None:
    rows = [
        TITLE,
        UNIT,
        ["园区名称", "序号", "项目名称", "总投资", "责任单位"],
        ["东园", 1, "甲", 100, "局"],
        [None, 2, "乙", 200, "局"],
        ["西园", 3, "丙", 300, "局"],
        [None, 4, "丁", 400, "局"],
    ]
    expected = ["东园", "东园", "西园", "西园"]
    assert column(sheet(rows, merges=["A4:A5", "A6:A7"]), "park") == expected
    assert column(read(csv_bytes(rows), "a.csv"), "park") == expected


def test_project_merged_over_several_rows() -> None:
    rows = [
        TITLE,
        UNIT,
        ["序号", "项目名称", "总投资", "年度计划投资", "存在问题", "责任单位"],
        [1, "甲", 100, 50, "征地未完成", "局"],
        [None, None, None, 20, "电力未迁改", None],
        [2, "乙", 200, 60, None, "委"],
    ]
    parsed = sheet(rows, merges=["A4:A5", "B4:B5", "C4:C5", "F4:F5"])
    assert column(parsed, "name") == ["甲", "乙"]
    assert column(parsed, "total_investment") == [100 * WAN, 200 * WAN]
    assert column(parsed, "planned_investment") == [70 * WAN, 60 * WAN]
    assert column(parsed, "problems") == ["征地未完成\n电力未迁改", None]


def test_heads_repeated_after_page_breaks() -> None:
    rows = [
        TITLE,
        UNIT,
        HEAD,
        ROWS[0],
        [None, "本页小计", None, 10000],
        TITLE,
        UNIT,
        HEAD,
        ROWS[1],
        [],
        HEAD,
        ROWS[2],
        ["第2页 共2页"],
    ]
    parsed = sheet(rows)
    check_basic(parsed)
    assert bad_checks(parsed) == []


def test_two_level_head_repeated() -> None:
    head = [["序号", "项目名称", "资金来源", None, "责任单位"], [None, None, "财政资金", "银行贷款", None]]
    rows = [TITLE, UNIT, *head, [1, "甲", 1, 2, "局"], *head, [2, "乙", 3, 4, "局"]]
    parsed = sheet(rows, merges=["C3:D3", "C6:D6", "A3:A4", "B3:B4"])
    assert column(parsed, "name") == ["甲", "乙"]
    assert column(parsed, "fund_loan") == [2 * WAN, 4 * WAN]


def test_blank_rows_columns_and_notes() -> None:
    wide = [[None, r[0], None, *r[1:]] for r in [HEAD, *ROWS]]
    rows = [
        TITLE,
        UNIT,
        [],
        wide[0],
        [],
        wide[1],
        [],
        [],
        wide[2],
        wide[3],
        [],
        ["注:1.本表数据为初步统计。"],
        ["2.总投资为估算数,以批复为准,其余说明从略。"],
        ["填表人:张三", None, None, "审核人:李四"],
    ]
    check_basic(sheet(rows))


def test_hidden_rows_are_read() -> None:
    check_basic(read(xlsx(Tab([TITLE, UNIT, HEAD, *ROWS], hidden_rows=[5]))))


def test_empty_words_are_empty() -> None:
    rows = [
        TITLE,
        UNIT,
        HEAD,
        [1, "甲", "新开工", 100, "—", "/", "无"],
        [2, "乙", "续建", "-", "——", None, "暂无"],
    ]
    parsed = sheet(rows)
    assert faults(parsed) == []
    assert column(parsed, "planned_investment") == [None, None]
    assert column(parsed, "responsible") == [None, None]
    assert column(parsed, "total_investment") == [100 * WAN, None]


def test_sub_projects_by_number_and_by_indent() -> None:
    rows = [
        TITLE,
        UNIT,
        ["序号", "项目名称", "总投资", "责任单位"],
        [1, "片区基础设施", 100, "局"],
        ["1.1", "道路", 60, "局"],
        ["1.2", "管网", 40, "局"],
        [2, "厂房", 50, "局"],
        ["(1)", "一期", 30, "局"],
        ["（2）", "二期", 20, "局"],
        [3, "学校", None, "局"],
        [None, "其中:教学楼", 7, "局"],
        [None, "　　食堂", 3, "局"],
        ["合计(3个)", None, 160, None],
    ]
    parsed = sheet(rows)
    assert [r.parent for r in parsed.rows] == [None, 0, 0, None, 3, 3, None, 6, 6]
    assert column(parsed, "name")[7:] == ["教学楼", "食堂"]
    assert column(parsed, "total_investment")[6] == 10 * WAN
    assert bad_checks(parsed) == []


def test_monthly_and_cumulative_columns() -> None:
    rows = [
        ["2023年4月重点项目"],
        UNIT,
        [
            "序号",
            "项目名称",
            "总投资",
            "截至2022年底累计完成投资",
            "2023年计划投资",
            "4月完成投资",
            "1-4月累计完成投资",
            "自开工以来累计完成投资",
            "占年度计划%",
        ],
        [1, "甲", 1000, 300, 200, 20, 90, 390, 45],
        [2, "乙", 2000, 500, 400, 10, 100, 600, 25],
    ]
    parsed = sheet(rows)
    assert column(parsed, "done_before") == [300 * WAN, 500 * WAN]
    assert column(parsed, "investment_done_month") == [20 * WAN, 10 * WAN]
    assert column(parsed, "investment_done") == [90 * WAN, 100 * WAN]
    assert column(parsed, "done_total") == [390 * WAN, 600 * WAN]
    assert faults(parsed, "warning") == []
    assert parsed.period.as_of == date(2023, 4, 30)


def test_done_under_a_common_head() -> None:
    rows = [
        ["2023年4月"],
        UNIT,
        ["序号", "项目名称", "总投资", "2023年计划投资", "2023年投资完成情况", None, None, "责任单位"],
        [None, None, None, None, "本月完成", "累计完成", "完成率", None],
        [1, "甲", 1000, 200, 20, 90, 0.45, "局"],
        [2, "乙", 2000, 400, 10, 100, 0.25, "局"],
    ]
    parsed = sheet(rows, merges=["E3:G3", "A3:A4", "B3:B4", "C3:C4", "D3:D4", "H3:H4"])
    assert column(parsed, "investment_done") == [90 * WAN, 100 * WAN]
    assert column(parsed, "investment_done_month") == [20 * WAN, 10 * WAN]
    assert faults(parsed, "warning") == []


def test_plans_of_two_years_and_last_years_amount() -> None:
    rows = [
        ["2022年重点项目(截至2022年3月31日)"],
        UNIT,
        [
            "序号",
            "项目名称",
            "总投资",
            "2021年完成投资",
            "2022年计划投资",
            "2023年计划投资",
            "2022年完成投资",
        ],
        [1, "甲", 1000, 111, 222, 333, 44],
    ]
    parsed = sheet(rows)
    assert column(parsed, "planned_investment") == [222 * WAN]
    assert column(parsed, "investment_done") == [44 * WAN]
    assert {c.header for c in parsed.sheets[0].unknown} == {"2021年完成投资", "2023年计划投资"}


def test_unknown_columns_are_offered_and_remembered() -> None:
    rows = [TITLE, UNIT, [*HEAD, "项目专班长"], *[[*r, f"人{r[0]}"] for r in ROWS]]
    parsed = sheet(rows)
    (unknown,) = parsed.sheets[0].unknown
    assert (unknown.letter, unknown.header, unknown.samples) == ("H", "项目专班长", ("人1", "人2", "人3"))
    again = sheet(rows, mapping={"项目专班长": "leader"})
    assert column(again, "leader") == ["人1", "人2", "人3"]
    by_hand = sheet(rows, columns={7: "leader", 6: None})
    assert column(by_hand, "leader") == ["人1", "人2", "人3"]
    assert column(by_hand, "responsible") == [None, None, None]


def test_one_list_on_a_sheet_per_kind() -> None:
    head = ["序号", "项目名称", "总投资(万元)", "责任单位"]
    parsed = read(
        xlsx(
            Tab([["2022年3月"], head, [1, "甲", 1, "局"]], "新开工"),
            Tab([["2022年3月"], head, [1, "乙", 2, "局"]], "续建"),
        )
    )
    assert column(parsed, "name") == ["甲", "乙"]
    assert column(parsed, "kind") == ["new_start", "continuing"]


def test_the_latest_month_of_a_yearly_file() -> None:
    head = ["序号", "项目名称", "总投资(万元)", "责任单位"]
    parsed = read(
        xlsx(*[Tab([head, [1, "甲", m, "局"]], f"{m}月") for m in (1, 2, 3)]), "2022年重点项目.xlsx"
    )
    assert parsed.sheet == "3月"
    assert parsed.period.as_of == date(2022, 3, 31)


def test_real_dates_serials_and_percent_formats() -> None:
    rows = [
        TITLE,
        UNIT,
        ["序号", "项目名称", "开工时间", "竣工时间", "总投资", "年度计划投资", "1-3月完成投资", "完成率(%)"],
        [1, "甲", datetime(2022, 3, 5), 45657, 100, 50, 20, 0.4],
        [2, "乙", "44621", date(2024, 6, 30), 100, 40, 10, 0.25],
    ]
    parsed = sheet(rows)
    assert column(parsed, "start_on") == [date(2022, 3, 5), date(2022, 3, 1)]
    assert column(parsed, "finish_on") == [date(2024, 12, 31), date(2024, 6, 30)]
    assert faults(parsed, "warning") == []


def test_states_of_a_yes_no_column_follow_the_kind() -> None:
    rows = [
        TITLE,
        UNIT,
        ["序号", "项目名称", "项目性质", "是否开工/复工", "总投资"],
        [1, "甲", "新开工", "是", 1],
        [2, "乙", "续建", "√", 1],
        [3, "丙", "续建", "否", 1],
        [4, "丁", "新开工", "未开工", 1],
        [5, "戊", "续建", "已竣工", 1],
        [6, "己", "续建", "在建", 1],
    ]
    assert column(sheet(rows), "state") == [
        "started",
        "resumed",
        "not_resumed",
        "not_started",
        "completed",
        "resumed",
    ]


def test_group_label_that_states_amounts() -> None:
    rows = [
        TITLE,
        UNIT,
        ["序号", "项目名称", "总投资", "年度计划投资"],
        ["一、新开工项目(2个,总投资0.03亿元,年度计划投资150万元)"],
        [1, "甲", 100, 50],
        [2, "乙", 200, 90],
    ]
    parsed = sheet(rows)
    assert bad_checks(parsed) == [("A4", "planned_investment", 150 * WAN, 140 * WAN)]


def test_wrong_count_and_wrong_share_in_a_total_are_found() -> None:
    rows = [
        TITLE,
        UNIT,
        ["序号", "项目名称", "年度计划投资", "1-3月完成投资", "完成率"],
        [1, "甲", 100, 50, "50%"],
        [2, "乙", 100, 10, "12%"],
        ["合计(3个)", None, 200, 60, "31%"],
    ]
    parsed = sheet(rows)
    assert [(c.cell, c.kind) for c in parsed.checks if not c.ok] == [("A6", "count"), ("E6", "share")]
    assert faults(parsed, "warning") == [("E5", "percent.contradicts")]
    assert faults(parsed) == []


def test_formula_noise_is_not_a_difference() -> None:
    rows = [
        ["2022年3月 单位:亿元"],
        ["序号", "项目名称", "总投资", "责任单位"],
        [1, "甲", 0.1, "局"],
        [2, "乙", 0.2, "局"],
        ["合计", None, 0.1 + 0.2],
    ]
    parsed = sheet(rows)
    assert column(parsed, "total_investment") == [10_000_000, 20_000_000]
    assert bad_checks(parsed) == []


def test_a_title_names_the_list() -> None:
    assert sheet([["某镇2022年市重点项目表"], HEAD, *ROWS]).sheets[0].lists == ("市重点",)
