"""What a bulletin says: periods, sentences of both editions, zero and undefined rates (no database)."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from yuanmai.cockpit.bulletins import en, zh
from yuanmai.cockpit.bulletins.compose import Head, compose
from yuanmai.cockpit.bulletins.facts import BlockerLine, Difference, Facts, Funds, Group, ProjectLine, Totals
from yuanmai.cockpit.bulletins.period import Period, parse, period_of
from yuanmai.cockpit.bulletins.phrases import money, percent, some
from yuanmai.cockpit.bulletins.text_of import digest, plain
from yuanmai.core.documents import Table

YI = Decimal(100_000_000)
NONE = Totals(0, Decimal(0), Decimal(0), Decimal(0), None, None)


def totals(count: int, total: str, planned: str, done: str, passed: str = "0.25") -> Totals:
    amounts = [Decimal(text) * YI for text in (total, planned, done)]
    rate = amounts[2] / amounts[1] if amounts[1] else None
    return Totals(count, *amounts, rate, None if rate is None else rate - Decimal(passed))


def line(name: str, kind: str = "new_start", **changes: object) -> ProjectLine:
    base = ProjectLine(
        name=name, kind=kind, kind_name=kind, category="工业投资", responsible="镇工信局", leader="示例领导", total=YI,
        planned=YI / 2, done=YI / 10, completion=Decimal("0.2"), started=True, resumed=kind == "continuing", completed=False,
        start_on=date(2022, 2, 1), visible="主体施工", problems="", light="green", light_words="", lag=0.0,
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


@pytest.fixture
def facts() -> Facts:
    waiting = line("扩产项目", started=False, done=Decimal(0), completion=Decimal(0), problems="用地手续未完成。",
                   light="yellow", light_words="落后时序25.0个百分点", lag=0.25)  # fmt: skip
    return Facts(
        org="坦洲镇",
        period=Period("month", 2022, 3),
        as_of=date(2022, 3, 31),
        known_at=datetime(2022, 4, 1, tzinfo=UTC),
        whole=totals(12, "74.71", "11.61", "2.90"),
        new_start=totals(5, "23.85", "4.80", "0.80"),
        continuing=totals(7, "50.86", "6.81", "2.10"),
        time_progress=Decimal("0.25"),
        start_rate=Decimal("0.8"),
        started=4,
        resumption_rate=Decimal(1),
        resumed=7,
        over_1bn=3,
        reserve_count=11,
        reserve_total=Decimal("63.43") * YI,
        done_before=Decimal("1.56") * YI,
        categories=(Group("工业投资", totals(12, "74.71", "11.61", "2.90")),),
        ranking=(
            Group("镇住建局", totals(7, "50", "6", "2")),
            Group("镇工信局", totals(5, "24.71", "5.61", "0.90")),
        ),
        ranked_by="responsible",
        projects=(waiting, line("产业园", "continuing")),
        blockers=(
            BlockerLine("扩产项目", "用地", "用地手续未完成", "镇住建局", date(2022, 3, 25), 6),
            BlockerLine("产业园", "水电", "线路迁改方案待确认", "", None, 0),
        ),
        differences=(Difference("总投资", Decimal("75.70") * YI, Decimal("74.71") * YI, "公开报道"),),
        findings=("某子项目投资合计与主项目不一致",),
        funds=Funds(
            Decimal(70) * YI, Decimal(4) * YI, Decimal("63.43") * YI, (("改造项目", Decimal(20) * YI),)
        ),
    )


@pytest.mark.parametrize(
    ("kind", "text", "start", "end", "before"),
    [
        ("month", "2022-03", date(2022, 3, 1), date(2022, 3, 31), date(2022, 2, 28)),
        ("month", "202201", date(2022, 1, 1), date(2022, 1, 31), None),
        ("quarter", "2020q4", date(2020, 10, 1), date(2020, 12, 31), date(2020, 9, 30)),
        ("year", "2024", date(2024, 1, 1), date(2024, 12, 31), None),
    ],
)
def test_periods(kind: str, text: str, start: date, end: date, before: date | None) -> None:
    period = parse(kind, text)
    assert (period.start, period.end, period.before) == (start, end, before)
    assert parse(kind, period.text) == period
    assert period_of(kind, end) == period


@pytest.mark.parametrize(
    ("kind", "text"),
    [("month", "2022-13"), ("month", "2022"), ("quarter", "2022Q5"), ("year", "22"), ("year", "9999")],
)
def test_impossible_periods_are_refused_with_an_example(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match="expected 2022"):
        parse(kind, text)


def test_amounts_and_lists() -> None:
    assert money(Decimal("74.71") * YI, "zh") == "74.71亿元"
    assert money(Decimal("0.8") * YI, "zh") == "0.80亿元"
    assert money(Decimal(3_500_000), "zh") == "350万元"
    assert money(Decimal("74.71") * YI, "en") == "CNY 7.471 billion"
    assert money(None, "zh") == "—"
    assert percent(Decimal("0.2498")) == "25.0%"
    assert some(list("甲乙丙丁戊己庚"), "zh") == "甲、乙、丙、丁、戊等7个"
    assert some(["a", "b", "c"], "en") == "a, b and c"


def test_the_chinese_edition_states_the_facts(facts: Facts) -> None:
    text = plain(compose(facts, Head(signed_on=date(2022, 4, 2)), "zh"))
    for sentence in (
        "关于2022年3月重点项目建设情况的通报",
        "2022年列入年度计划的重点项目共12个，总投资74.71亿元，年度计划投资11.61亿元。其中总投资10亿元及以上的项目3个。"
        "另有储备项目11个，总投资63.43亿元。",
        "1—3月累计完成投资2.90亿元，占年度计划的25.0%；同期时序进度为25.0%，与时序进度持平。其中3月当月完成投资1.34亿元。",
        "已开工4个，开工率80.0%；累计完成投资0.80亿元，占年度计划的16.7%。",
        "尚未开工1个：扩产项目（责任单位镇工信局，计划2022年2月开工，用地手续未完成）。",
        "已复工7个，复工率100.0%",
        "责任单位居前的是镇住建局（33.3%）、镇工信局（16.0%）。低于时序进度的有1个：镇工信局（16.0%，慢9.0个百分点）。",
        "红灯项目0个，黄灯项目1个，绿灯项目1个。",
        "未办结堵点2个，其中逾期1个。",
        "办理期限2022年3月25日，已逾期6天",
        "尚未交办",
        "资金缺口63.43亿元。缺口最大的是改造项目（20.00亿元）。",
        "总投资公布数为75.70亿元，按项目逐项汇总为74.71亿元，公布数多0.99亿元（来源：公开报道）。",
        "2．某子项目投资合计与主项目不一致。",
        "完成年度计划还需投资8.71亿元，4—12月月均需完成0.97亿元（1—3月月均完成0.97亿元）。",
        "请镇住建局立即办结“用地手续未完成”（扩产项目）。",
        "请明确“线路迁改方案待确认”（产业园）的承办单位和办理期限。",
        "2022年4月2日",
    ):
        assert sentence in text, sentence


def test_the_english_edition_states_the_same_facts(facts: Facts) -> None:
    text = plain(compose(facts, Head(signed_on=date(2022, 4, 2)), "en"))
    for part in (
        "Bulletin of key projects for March 2022",
        "12 projects with a total investment of CNY 7.471 billion",
        "25.0% of the year's plan",
        "in step with the time",
        "start rate 80.0%",
        "resumption rate 100.0%",
        "CNY 7.570 billion stated, CNY 7.471 billion from the rows",
        "6 days overdue",
        "2 April 2022",
    ):
        assert part in text, part


@pytest.mark.parametrize("language", ["zh", "en"])
def test_without_projects_the_bulletin_says_so_and_has_no_table(facts: Facts, language: str) -> None:
    empty = replace(
        facts, whole=NONE, new_start=NONE, continuing=NONE, start_rate=None, resumption_rate=None, reserve_count=0,
        projects=(), blockers=(), differences=(), findings=(), categories=(), ranking=(), funds=None,
    )  # fmt: skip
    document = compose(empty, Head(), language)
    assert not any(isinstance(block, Table) for block in document.body)
    assert document.attachments == ()
    expected = "没有列入2022年度计划的重点项目" if language == "zh" else "no key project of"
    assert expected in plain(document)


def test_undefined_rates_are_said_not_shown_as_zero(facts: Facts) -> None:
    unplanned = replace(
        facts,
        whole=Totals(2, YI, Decimal(0), Decimal(0), None, None),
        new_start=NONE,
        continuing=Totals(2, YI, Decimal(0), Decimal(0), None, None),
        start_rate=None,
        ranking=(Group("镇工信局", Totals(2, YI, Decimal(0), Decimal(0), None, None)),),
        done_before=Decimal(0),
    )
    text = plain(compose(unplanned, Head(), "zh"))
    assert "因年度计划投资尚未下达，不计算投资完成率" in text
    assert "没有新开工项目，不计算开工率" in text
    assert "不排名次" in text
    assert "尽快下达年度投资计划并分解到月" in text
    body = text.split("四、")[0]
    assert not re.search(r"(?<!\d)0\.0%", body)


@pytest.mark.parametrize(
    ("ahead", "text"),
    [
        ("0.032", "快于时序进度3.2个百分点"),
        ("-0.05", "慢于时序进度5.0个百分点"),
        ("-0.0002", "与时序进度持平"),
    ],
)
def test_against_time(ahead: str, text: str) -> None:
    assert zh.against_time(Decimal(ahead)) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [(date(2022, 1, 31), "1月"), (date(2022, 3, 31), "1—3月"), (date(2022, 3, 18), "1月1日至3月18日")],
)
def test_the_part_of_the_year(day: date, text: str) -> None:
    assert zh.span(day) == text


@pytest.mark.parametrize(
    ("done", "text"), [("11.61", "已全部完成"), ("12.61", "超额1.00亿元"), ("8.61", "逐项说明原因")]
)
def test_the_end_of_the_year(facts: Facts, done: str, text: str) -> None:
    ended = replace(
        facts,
        as_of=date(2022, 12, 31),
        time_progress=Decimal(1),
        whole=totals(12, "74.71", "11.61", done, "1"),
    )
    assert text in "".join(zh.next_steps(ended))
    assert en.next_steps(ended)


def test_the_pace_inside_a_month(facts: Facts) -> None:
    passed = (Decimal(7) + Decimal(13) / 31) / 12
    inside = replace(facts, as_of=date(2022, 8, 13), time_progress=passed)
    assert "年内余下时间月均需完成1.90亿元（1月1日至8月13日月均完成0.39亿元）" in zh.next_steps(inside)[0]
    december = replace(facts, as_of=date(2022, 12, 12), time_progress=(Decimal(11) + Decimal(12) / 31) / 12)
    assert "年底前还需完成投资8.71亿元" in zh.next_steps(december)[0]
    assert "before the end of the year" in en.next_steps(december)[0]


def test_a_month_without_a_report_is_not_called_zero(facts: Facts) -> None:
    idle = replace(facts, done_before=facts.whole.done)
    assert "3月当月未报新增投资" in zh.progress(idle)
    assert "Nothing new was reported in March 2022" in en.progress(idle)


def test_quarter_and_year_have_their_own_titles(facts: Facts) -> None:
    quarter = replace(facts, period=Period("quarter", 2022, 1))
    year = replace(facts, period=Period("year", 2022), as_of=date(2022, 12, 31))
    assert compose(quarter, Head(), "zh").title == "关于2022年第一季度重点项目建设情况的通报"
    assert compose(year, Head(), "zh").title == "关于2022年重点项目建设情况的通报"
    assert "the first quarter of 2022" in compose(quarter, Head(), "en").title


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "period",
    [
        *(Period("month", 2022, n) for n in range(1, 13)),
        *(Period("quarter", 2022, n) for n in range(1, 5)),
        Period("year", 2022),
    ],
    ids=lambda period: period.text,
)
def test_every_period_has_a_text(facts: Facts, period: Period, language: str) -> None:
    text = plain(compose(replace(facts, period=period, as_of=period.end), Head(), language))
    if period.kind == "month" and language == "zh":
        assert f"2022年{period.number}月重点项目" in text
        assert ("月当月完成投资" in text) == (period.number > 1)


def test_equal_facts_give_equal_texts_and_any_change_another(facts: Facts) -> None:
    first = digest(compose(facts, Head(), "zh"))
    assert digest(compose(replace(facts), Head(), "zh")) == first
    assert digest(compose(replace(facts, started=3), Head(), "zh")) != first


def test_the_issuer_decides_the_head(facts: Facts) -> None:
    head = Head(
        "坦洲镇重点办文件", "坦重点办〔2022〕3号", "各村", "坦洲镇重点办", date(2022, 4, 6), ("市重点办",)
    )
    document = compose(facts, head, "zh")
    assert (document.mark, document.number, document.addressee) == (
        "坦洲镇重点办文件",
        "坦重点办〔2022〕3号",
        "各村",
    )
    assert document.imprint is not None and document.imprint.copies_to == ("市重点办",)
