"""Cells to values: dates in their spellings, money, shares, periods of sheets, header words."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from yuanmai.core.workbooks.engine.dates import DateFault, parse_date, parse_period
from yuanmai.core.workbooks.engine.match import Matcher, path_key
from yuanmai.core.workbooks.engine.periods import find_period
from yuanmai.core.workbooks.engine.rows import group_text, group_values, stated_count, total_label
from yuanmai.core.workbooks.engine.text import a1
from yuanmai.core.workbooks.engine.values import ValueFault, parse_money, parse_number, parse_percent

from .builders import SPEC, bad_checks, faults, read

D = date


@pytest.mark.parametrize(
    ("text", "start", "finish"),
    [
        ("2022.02-2024.12", D(2022, 2, 1), D(2024, 12, 31)),
        ("2020年6月—2023年12月", D(2020, 6, 1), D(2023, 12, 31)),
        ("2022-03-2024-12", D(2022, 3, 1), D(2024, 12, 31)),
        ("2022/3-2024/6", D(2022, 3, 1), D(2024, 6, 30)),
        ("2022/3/1", D(2022, 3, 1), None),
        ("2022-03", D(2022, 3, 1), None),
        ("20220301", D(2022, 3, 1), None),
        ("20220301-20241231", D(2022, 3, 1), D(2024, 12, 31)),
        ("202203-202412", D(2022, 3, 1), D(2024, 12, 31)),
        ("2022年3月底", D(2022, 3, 31), None),
        ("2021-2023", D(2021, 1, 1), D(2023, 12, 31)),
        ("2021-2023年", D(2021, 1, 1), D(2023, 12, 31)),
        ("2021年至2023年", D(2021, 1, 1), D(2023, 12, 31)),
        ("2022.3～2024.6", D(2022, 3, 1), D(2024, 6, 30)),
        ("2022年3月--2024年6月", D(2022, 3, 1), D(2024, 6, 30)),
        ("２０２２．３—２０２４．６", D(2022, 3, 1), D(2024, 6, 30)),
        ("2022年3月-12月", D(2022, 3, 1), D(2022, 12, 31)),
        ("2022年3月开工，2024年6月竣工", D(2022, 3, 1), D(2024, 6, 30)),
        ("2022年", D(2022, 1, 1), D(2022, 12, 31)),
        ("2022年3月起", D(2022, 3, 1), None),
        ("2022年3月至今", D(2022, 3, 1), None),
        ("24个月", None, None),
        ("—", None, None),
    ],
)
def test_periods_of_construction(text: str, start: date | None, finish: date | None) -> None:
    left, right = parse_period(text)
    assert (left.first if left else None, right.last if right else None) == (start, finish)


@pytest.mark.parametrize(
    ("value", "first", "last"),
    [
        (44621.0, D(2022, 3, 1), D(2022, 3, 1)),
        ("44621", D(2022, 3, 1), D(2022, 3, 1)),
        (2022.0, D(2022, 1, 1), D(2022, 12, 31)),
        (2022.03, D(2022, 3, 1), D(2022, 3, 31)),
        (2022.12, D(2022, 12, 1), D(2022, 12, 31)),
        (202203.0, D(2022, 3, 1), D(2022, 3, 31)),
        (20220301.0, D(2022, 3, 1), D(2022, 3, 1)),
        ("2022年一季度", D(2022, 1, 1), D(2022, 3, 31)),
        ("2022年第四季度", D(2022, 10, 1), D(2022, 12, 31)),
        ("2022年上半年", D(2022, 1, 1), D(2022, 6, 30)),
        ("2022年3月上旬", D(2022, 3, 1), D(2022, 3, 10)),
        ("2022年3月下旬", D(2022, 3, 21), D(2022, 3, 31)),
        ("2022年底", D(2022, 12, 1), D(2022, 12, 31)),
        ("计划2022年3月", D(2022, 3, 1), D(2022, 3, 31)),
        ("2022年03月15日", D(2022, 3, 15), D(2022, 3, 15)),
        ("2022.3.15", D(2022, 3, 15), D(2022, 3, 15)),
        ("2022-03-15 00:00:00", D(2022, 3, 15), D(2022, 3, 15)),
    ],
)
def test_single_dates(value: object, first: date, last: date) -> None:
    span = parse_date(value)
    assert span and (span.first, span.last) == (first, last)


def test_a_number_that_lost_its_nought_is_october_where_months_have_two_digits() -> None:
    assert parse_date(2022.1).first == D(2022, 1, 1)
    assert parse_date(2022.1, two_digits=True).first == D(2022, 10, 1)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("2022.13", "date.impossible_month"),
        ("2022.00", "date.impossible_month"),
        ("2022-02-30", "date.impossible_day"),
        ("下周", "date.unreadable"),
        ("202213", "date.impossible_month"),
        ("12345678", "date.unreadable"),
    ],
)
def test_impossible_dates(text: str, rule: str) -> None:
    with pytest.raises(DateFault) as error:
        parse_date(text)
    assert error.value.rule == rule


@pytest.mark.parametrize(
    ("value", "yuan"),
    [
        (3500, 35_000_000),
        ("3500", 35_000_000),
        ("3,500", 35_000_000),
        ("３５００", 35_000_000),
        ("约3500", 35_000_000),
        ("3500万元", 35_000_000),
        ("0.35亿元", 35_000_000),
        ("0.35亿", 35_000_000),
        ("35000000元", 35_000_000),
        ("1亿2000万元", 120_000_000),
        ("3500万元左右", 35_000_000),
        ("￥3,500.00", 35_000_000),
        ("+3500", 35_000_000),
        ("3.5e3", 35_000_000),
        ("-1", -10_000),
        ("（12）", -120_000),
        ("3500余万元", 35_000_000),
        (0, 0),
        ("0", 0),
    ],
)
def test_money(value: object, yuan: int) -> None:
    assert parse_money(value, Decimal(10_000)) == yuan


@pytest.mark.parametrize(
    "value", ["三千", "3500-4000", "1.2.3", "12a", "3500万4000万", True, D(2022, 1, 1), "1,23"]
)
def test_not_money(value: object) -> None:
    with pytest.raises(ValueFault):
        parse_money(value, Decimal(1))


def test_numbers_and_shares() -> None:
    assert parse_number("1,234.5") == Decimal("1234.5")
    assert parse_percent("25%", fraction=False).value == Decimal("0.25")
    assert parse_percent("２５．５％", fraction=False).value == Decimal("0.255")
    assert parse_percent(0.25, fraction=True).value == Decimal("0.25")
    assert parse_percent(25, fraction=False).value == Decimal("0.25")
    assert parse_percent("#DIV/0!", fraction=False) is None


@pytest.mark.parametrize(
    ("titles", "sheet", "file", "headers", "as_of"),
    [
        (["截至2022年3月31日"], "", "", [], D(2022, 3, 31)),
        (["截止2022年3月底"], "", "", [], D(2022, 3, 31)),
        (["2022年1-3月重点项目"], "", "", [], D(2022, 3, 31)),
        (["2022年一季度"], "", "", [], D(2022, 3, 31)),
        (["2022年上半年"], "", "", [], D(2022, 6, 30)),
        (["(2022.3.31)"], "", "", [], D(2022, 3, 31)),
        (["2022年重点项目"], "3月", "", [], D(2022, 3, 31)),
        (["2022年重点项目"], "", "", ["1-3月完成投资"], D(2022, 3, 31)),
        (["重点项目"], "", "", ["2022年计划投资", "截至3月底累计完成投资"], D(2022, 3, 31)),
        ([], "Sheet1", "重点项目202203.xlsx", [], D(2022, 3, 31)),
        ([], "Sheet1", "重点项目2022-03-15.xlsx", [], D(2022, 3, 15)),
        ([], "Sheet1", "2022年3月上半月.xlsx", [], D(2022, 3, 15)),
        (["2022年2月份进展 填报日期:2022年3月5日"], "", "", [], D(2022, 2, 28)),
        (["填报日期:2022年3月5日"], "", "", [], D(2022, 3, 5)),
        (["2022年重点项目"], "", "", ["截至2021年底累计完成投资"], None),
        (["重点项目"], "", "", [], None),
        ([], "", "", ["开工时间(2022年3月)"], None),
    ],
)
def test_period(titles: list[str], sheet: str, file: str, headers: list[str], as_of: date | None) -> None:
    assert find_period(titles, sheet, file, headers).as_of == as_of


def test_given_period_wins() -> None:
    assert find_period(["2022年3月"], "", "", [], D(2023, 1, 31)).as_of == D(2023, 1, 31)


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (["项目业主"], "owner"),
        (["总投资额"], "total_investment"),
        (["年度投资计划"], "planned_investment"),
        (["年初至本月累计完成"], "investment_done"),
        (["挂钩领导"], "leader"),
        (["责任单位"], "responsible"),
        (["项目单位"], "owner"),
        (["投资主体"], "owner"),
        (["建设规模及内容"], "content"),
        (["项目地址"], "address"),
        (["截至目前累计完成投资"], "done_total"),
        (["开工时间"], "start_on"),
        (["竣工时间"], "finish_on"),
        (["所属园区"], "park"),
        (["2024年度\n计划投资\n（亿元）"], "planned_investment"),
        (["1—5月完成投资（万元）"], "investment_done"),
        (["2024年1-5月累计完成投资"], "investment_done"),
        (["5月份完成投资"], "investment_done_month"),
        (["截至2023年底累计完成投资"], "done_before"),
        (["项目名 称"], "name"),
        (["建设地点（园区）"], "address"),
        (["项目主要建设规模及内容"], "content"),
        (["计划开竣工时间", "计划开工时间"], "start_on"),
        (["资金来源", "其中：其他"], "fund_other"),
        (["业主单位（项目法人）"], "owner"),
        (["本年度累计完成投资额"], "investment_done"),
        (["完成年度投资计划比例（%）"], "completion"),
        (["存在的主要困难和问题"], "problems"),
        (["工程形象进度情况"], "visible_progress"),
        (["县挂钩联系领导"], "leader"),
        (["年度计划", "投资（万元）"], "planned_investment"),
        (["累计完成", "占总投资比例"], "done_share"),
    ],
)
def test_header_words(path: list[str], field: str) -> None:
    best = Matcher(SPEC).candidates(path)[0]
    assert best.field == field and best.score >= 0.8


@pytest.mark.parametrize(
    "path",
    [
        ["联系电话"],
        ["业主单位联系人"],
        ["总投资同比增速"],
        ["占地面积（亩）"],
        ["预计年产值"],
        ["责任单位联系电话"],
        ["土地证号"],
    ],
)
def test_header_words_that_mean_something_else(path: list[str]) -> None:
    assert not [c for c in Matcher(SPEC).candidates(path) if c.score >= 0.8]


def test_next_months_head_has_the_same_key() -> None:
    assert path_key(["2022年投资", "1-3月完成投资(万元)"]) == path_key(["2023年投资", "1-11月完成投资(亿元)"])


@pytest.mark.parametrize(
    "text",
    ["合计(12个)", "合 计", "总计：", "小计", "新开工项目小计", "合计12个项目", "共计（3项）", "总 计 (5)"],
)
def test_totals(text: str) -> None:
    assert total_label(text)


@pytest.mark.parametrize(
    "text", ["校企联合计划项目", "工业设计中心", "会计学院", "统计大楼", "合计划厂房", "审计局办公楼", "累计"]
)
def test_names_that_look_like_totals(text: str) -> None:
    assert total_label(text) is None


def test_groups() -> None:
    assert group_text("一、新开工项目(5个)") == "新开工项目"
    assert stated_count("二、续建项目（共7个,总投资50.86亿元）") == 7
    assert group_values("(二)续建项目7个", SPEC) == {"kind": "continuing"}
    assert group_values("东部产业园（3个项目）", SPEC) == {"park": "东部产业园"}
    assert group_values("市重点项目", SPEC) == {"lists": ("市重点",)}
    assert group_values("(一)交通设施类项目(3个)", SPEC) == {"category": "交通设施"}
    assert a1(4, 6) == "G5" and a1(0, 27) == "AB1"


SAMPLE = Path(__file__).resolve().parents[4] / "shared/samples/tanzhou-key-projects.xlsx"


@pytest.mark.skipif(not SAMPLE.exists(), reason="the sample workbook is not beside this checkout")
def test_the_sample_ledger() -> None:
    parsed = read(SAMPLE.read_bytes(), SAMPLE.name)
    assert len(parsed.rows) == 12
    assert parsed.period.as_of == D(2022, 3, 31)
    assert faults(parsed) == [] and faults(parsed, "warning") == []
    assert bad_checks(parsed) == [("G5", "total_investment", Decimal(7_570_000_000), Decimal(7_471_000_000))]
    assert [r.get("kind") for r in parsed.rows].count("new_start") == 5
    assert sum(r.get("investment_done") for r in parsed.rows) == 290_000_000
    assert sum(r.get("planned_investment") for r in parsed.rows) == 1_161_000_000
    assert not parsed.sheets[0].unknown
