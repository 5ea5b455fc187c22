"""Workbooks of different make, each with its expected reading: months, years, states, dates, stated totals."""

from __future__ import annotations

from datetime import date, datetime

from .builders import WAN, Tab, bad_checks, column, faults, read, sheet, xlsx
from .makes import HEAD, ROWS, TITLE, UNIT


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
