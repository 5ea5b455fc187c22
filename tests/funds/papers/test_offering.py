"""The plan of an offering file is read in different makes, and compared item by item."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.workbooks.builders import Tab, xlsx
from yuanmai.core.figures import Query
from yuanmai.core.findings import Finding
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.funds.engine.crosscheck import COMPUTED, ENTERED, Item, Own, Stated, compare
from yuanmai.funds.issuing.service import statement_of
from yuanmai.funds.models import Attachment, PlanYear
from yuanmai.funds.papers.offering import DIFFERS, check_latest, check_offering
from yuanmai.funds.papers.offering_read import read_plan

from .conftest import DAY, Whole

WAN = Decimal(10_000)


def read(*tabs: Tab) -> dict[tuple[str, int | None], tuple[Decimal, str]]:
    found = read_plan(read_book(xlsx(*tabs), "实施方案.xlsx"))
    return {(s.item.code, s.item.year): (s.value, f"{s.sheet}!{s.cell}") for s in found}


def test_lines_of_a_word_and_a_number() -> None:
    found = read(
        Tab(
            [
                ["项目基本情况表(单位:万元)"],
                ["项目总投资", 10000, None, "其中:资本金", 3000],
                ["一、专项债券(亿元)", 0.7],
                ["债券期限", "15年", "票面利率", "3.50%"],
                ["本息覆盖倍数", 1.56, "联系电话", 123],
            ],
            "概况",
        )
    )
    assert found == {
        ("total_investment", None): (10000 * WAN, "概况!B2"),
        ("capital", None): (3000 * WAN, "概况!E2"),
        ("bonds", None): (7000 * WAN, "概况!B3"),
        ("term", None): (Decimal(15), "概况!B4"),
        ("rate", None): (Decimal("0.0350"), "概况!D4"),
        ("coverage", None): (Decimal("1.56"), "概况!B5"),
    }


def test_years_down_with_two_heads_and_a_total() -> None:
    rows = [
        ["还本付息测算表 单位:万元"],
        ["年度", "债券", None, "还本付息合计", "项目收益"],
        [None, "偿还本金", "支付利息", None, None],
        ["2022年", 0, "65.00", 65, None],
        [2023, 0, 130, 130, 1180],
        ["合计", 4000, 1950, 5950, 9999],
        ["注:测算"],
    ]
    found = read(Tab(rows, merges=["A2:A3", "B2:C2", "D2:D3", "E2:E3"]))
    assert found["interest", 2022] == (65 * WAN, "Sheet1!C4") and found["principal", None][0] == 4000 * WAN
    assert found["debt_service", 2023][0] == 130 * WAN and found["net_revenue", 2023][0] == 1180 * WAN


def test_years_across_with_units_in_the_first_column() -> None:
    rows = [
        ["收益预测", None, None, None],
        ["序号", "项目", "2024年", "2025年度", "合计", "及以后"],
        [1, "营业收入(元)", 15_000_000, 15_000_000, 30_000_000, None],
        [2, "减:经营成本(元)", 3_000_000, 3_000_000, 6_000_000, None],
        [3, "税金及附加(元)", 200_000, 200_000, 400_000, None],
        [4, "说明", "略", None, None, None],
    ]
    found = read(Tab(rows))
    assert found["revenue", 2024][0] == 1500 * WAN and found["operating_cost", 2025][0] == 300 * WAN
    assert found["tax", None][0] == 40 * WAN and ("revenue", 2026) not in found


def test_a_table_of_issues() -> None:
    rows = [
        ["发行计划(万元)"],
        ["发行年度", "发行金额", "发行期限", "测算利率(%)"],
        [2022, 4000, 15, 3.5],
        [2023, 3000, 15, 3.5],
    ]
    found = read(Tab(rows))
    assert (found["bonds", 2022][0], found["term", 2023][0], found["rate", 2022][0]) == (
        4000 * WAN,
        15,
        Decimal("0.035"),
    )


def test_hidden_sheets_and_strangers_are_not_read() -> None:
    assert read(Tab([["电话", 1], ["甲", "乙"]]), Tab([["总投资", 5]], "旧", hidden=True)) == {}


def stated(code: str, year: int | None, value: Any, step: Any = "0.01") -> Stated:
    return Stated(Item(code, year), Decimal(str(value)), Decimal(str(step)), "S", "A1", str(value))


def test_rounding_is_no_difference_and_a_cent_more_is() -> None:
    own = {
        Item("coverage", None): Own(Decimal("1.5649"), COMPUTED),
        Item("bonds", None): Own(Decimal(100), ENTERED),
    }
    rows, missing = compare([stated("coverage", None, "1.56"), stated("bonds", None, 100)], own)
    assert [row.same for row in rows] == [True, True] and missing == []
    rows, _missing = compare([stated("coverage", None, "1.57")], own)
    assert not rows[0].same and rows[0].difference == Decimal("0.0051")


def test_years_left_out_are_told_only_for_tables_that_the_file_has() -> None:
    own = {Item("tax", y): Own(Decimal(y), ENTERED) for y in (2024, 2025)} | {
        Item("revenue", 2024): Own(Decimal(1), ENTERED)
    }
    rows, missing = compare([stated("tax", 2024, 2024)], own)
    assert rows[0].same and [entry.item for entry in missing] == [Item("tax", 2025)]
    rows, _missing = compare([stated("tax", 2030, 5), stated("tax", 2031, 0)], own)
    assert [row.same for row in rows] == [False, True]  # nothing is entered: only nothing agrees


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.integers(2022, 2050), st.integers(0, 10**6), min_size=1, max_size=20))
def test_a_plan_that_says_what_is_here_has_no_difference(years: dict[int, int]) -> None:
    own = {Item("revenue", year): Own(Decimal(n), ENTERED) for year, n in years.items()}
    rows, missing = compare([stated("revenue", year, n, 1) for year, n in years.items()], own)
    assert all(row.same for row in rows) and missing == []
    year = next(iter(years))
    rows, _m = compare([stated("revenue", year, years[year] + 1, 1)], own)
    assert not rows[0].same


def plan_of(whole: Whole, **wrong: Any) -> bytes:
    """The plan as it is entered, with some values changed."""
    with everywhere():
        found = statement_of(whole.reserve, PlanYear.Version.PLAN, Query((whole.project.org_id,), DAY))
    service = [["年度", "收入", "运营成本", "税费", "偿还本金", "支付利息", "还本付息合计"]]
    for row in found.rows:
        values = (row.revenue, row.operating_cost, row.tax, row.principal, row.interest, row.debt_service)
        service.append([row.year, *(round(float(v / WAN), 2) for v in values)])  # type: ignore[list-item]
    coverage = found.coverage.all_interest.value
    assert coverage is not None
    first = [
        ["实施方案 单位:万元"],
        ["项目总投资", wrong.get("total", 10000), None, "项目资本金", 3000],
        ["专项债券", 7000, None, "票面利率", wrong.get("rate", "3.50%")],
        ["期限", "15年", None, "本息覆盖倍数", wrong.get("coverage", round(float(coverage), 2))],
    ]
    return xlsx(Tab(first, "概况"), Tab([["测算表 单位:万元"], *service], "测算"))


def upload(data: bytes, name: str = "实施方案.xlsx") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


@pytest.mark.django_db
def test_a_plan_that_agrees_leaves_no_finding_and_one_that_differs_names_the_cells(
    whole: Whole, english: None
) -> None:
    with everywhere():
        found = check_offering(SYSTEM, whole.reserve, upload(plan_of(whole)), DAY)
        assert len(found.rows) > 60 and found.different == [], [row.stated for row in found.different]
        assert not Finding.objects.filter(kind=DIFFERS).exists()
        found = check_offering(
            SYSTEM, whole.reserve, upload(plan_of(whole, total=12000, rate="3.60%", coverage=1.99)), DAY
        )
        assert {row.stated.item.code: row.stated.cell for row in found.different} == {
            "total_investment": "B2", "rate": "E3", "coverage": "E4",
        }  # fmt: skip
        findings = Finding.objects.filter(kind=DIFFERS, state="open")
        assert findings.count() == 3
        total = findings.get(params__item="total_investment")
        assert "概况!B2" in total.sentence and "120.00 m" in total.sentence and "100.00 m" in total.sentence
        check_offering(SYSTEM, whole.reserve, upload(plan_of(whole)), DAY)
        assert not Finding.objects.filter(kind=DIFFERS, state="open").exists()
        assert Attachment.objects.filter(kind="offering_plan", retracted_at=None).count() == 1
        kept = check_latest(whole.reserve, Query((whole.project.org_id,), DAY))
        assert kept is not None and kept[1].different == []
        PlanYear.objects.filter(reserve=whole.reserve, year=2030).update(revenue=Decimal(1))
        kept = check_latest(whole.reserve, Query((whole.project.org_id,), DAY))
        assert kept is not None and Item("revenue", 2030) in {row.stated.item for row in kept[1].different}


@pytest.mark.django_db
def test_what_cannot_be_read_is_refused_and_nothing_is_kept(
    whole: Whole, orgs: Any, make_user: Any, actor_of: Any
) -> None:
    with everywhere():
        for data in (b"", b"%PDF-1.7", xlsx(Tab([["甲", 1]]))):
            with pytest.raises(ValidationError):
                check_offering(SYSTEM, whole.reserve, upload(data), DAY)
        stranger = actor_of(make_user("finance_officer", orgs.foreign))
        with pytest.raises(Denied):
            check_offering(stranger, whole.reserve, upload(plan_of(whole)), DAY)
        assert not Attachment.objects.filter(kind="offering_plan").exists()


@pytest.mark.django_db
def test_the_page(whole: Whole, orgs: Any, make_user: Any, client_as: Callable[..., Client]) -> None:
    client = client_as(make_user("finance_officer", orgs.north), language="zh-hans")
    here = f"/funds/papers/offering/{whole.reserve.uid}/?as_of={date(2022, 12, 31)}"
    assert client.get(here).status_code == 200
    assert client.post(here).status_code == 422
    answer = client.post(here, {"file": upload(plan_of(whole, total=12000))})
    assert answer.status_code == 302
    page = client.get(here).content.decode()
    assert "概况!B2" in page and "1.20 亿元" in page and "1.00 亿元" in page
    link = client.get(f"/funds/papers/projects/{whole.project.uid}/?as_of=2022-12-31").content.decode()
    assert f"/funds/papers/offering/{whole.reserve.uid}/" in link
    assert client_as(make_user("finance_officer", orgs.foreign)).get(here).status_code == 404
    reader = client_as(make_user("auditor", orgs.north))
    assert reader.get(here).status_code == 200
    assert reader.post(here, {"file": upload(plan_of(whole))}).status_code == 403
