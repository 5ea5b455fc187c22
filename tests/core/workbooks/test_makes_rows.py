"""Workbooks of different make, each with its expected reading: heads, groups, parts, blank and repeated rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from .builders import WAN, YI, Tab, bad_checks, column, csv_bytes, faults, read, sheet, xlsx
from .makes import HEAD, ROWS, TITLE, UNIT, check_basic


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
