"""The checks of what is entered, and the reporting periods."""

from __future__ import annotations

from datetime import date
from decimal import Decimal as D  # noqa: N817
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.projects.actions.wording import SENTENCES, sentence
from yuanmai.projects.engine.checks import Before, Issue, check_plan, check_report, check_version, makes_cycle
from yuanmai.projects.engine.periods import parse_period, period_of, status

DAY = date(2022, 3, 31)
BEFORE = Before(date(2022, 3, 15), D(100), D(500), D(40), True, True, False, D(400), D(1000))


def codes(issues: list[Issue]) -> set[tuple[str, str, str]]:
    return {(issue.field, issue.code, issue.level) for issue in issues}


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ({"investment_done": D(100), "done_total": D(500), "visible_percent": D(40)}, set()),
        ({"investment_done": D(-1)}, {("investment_done", "negative", "error"), ("investment_done", "less_investment_done", "warning")}),
        ({"done_total": D(1001)}, {("done_total", "done_over_total", "error")}),
        ({"investment_done": D(600), "done_total": D(550)}, {("investment_done", "year_over_total", "error")}),
        ({"investment_done": D(600)}, set()),
        ({"investment_done": D("600.01")}, {("investment_done", "done_over_plan", "warning")}),
        ({"done_total": D(499)}, {("done_total", "less_done_total", "warning")}),
        ({"visible_percent": D(39)}, {("visible_percent", "less_visible_percent", "warning")}),
        ({"visible_percent": D("100.01")}, {("visible_percent", "percent_over_100", "error")}),
        ({"started": False}, {("started", "no_longer_started", "warning")}),
        ({"resumed": False}, {("resumed", "no_longer_resumed", "warning")}),
        ({"completed": True, "started": False}, {("completed", "completed_not_started", "error"), ("started", "no_longer_started", "warning")}),
    ],
)  # fmt: skip
def test_a_report_is_compared_with_what_was_known(
    report: dict[str, Any], expected: set[tuple[str, str, str]]
) -> None:
    assert codes(check_report(report, BEFORE, DAY)) == expected


def test_a_new_year_starts_at_zero() -> None:
    assert check_report({"investment_done": D(1), "resumed": False}, BEFORE, date(2023, 1, 15)) == []
    assert codes(check_report({"done_total": D(1)}, BEFORE, date(2023, 1, 15))) == {
        ("done_total", "less_done_total", "warning")
    }


def test_attributes_are_checked() -> None:
    wrong = {"name": " ", "total_investment": D(-1), "start_on": DAY, "finish_on": date(2022, 3, 30)}
    assert codes(check_version(wrong)) == {
        ("name", "no_name", "error"),
        ("total_investment", "negative", "error"),
        ("finish_on", "end_before_start", "error"),
    }
    less = check_version({"name": "A", "total_investment": D(9)}, done_total=D(10))
    assert codes(less) == {("total_investment", "total_under_done", "error")}
    assert check_version({"name": "A", "start_on": DAY, "finish_on": DAY}) == []


@given(months=st.lists(st.one_of(st.none(), st.integers(0, 10**6).map(D)), min_size=12, max_size=12), off=st.sampled_from([D(0), D("0.01"), D(-1)]))  # fmt: skip
def test_the_months_add_up_to_the_year_or_it_is_said(months: list[D | None], off: D) -> None:
    stated = [month for month in months if month is not None]
    total = sum(stated, D(0))
    wrong = {("planned_investment", "months_differ", "error")} if stated and off else set()
    negative = {("planned_investment", "negative", "error")} if total + off < 0 else set()
    assert codes(check_plan(total + off, months)) == wrong | negative


def test_a_plan_is_not_more_than_the_whole() -> None:
    assert codes(check_plan(D(11), None, D(10))) == {("planned_investment", "plan_over_total", "error")}
    assert codes(check_plan(None, [D(1)] + [None] * 11)) == {
        ("planned_investment", "months_without_plan", "error")
    }


@pytest.mark.parametrize(
    ("child", "parent", "expected"), [(1, 1, True), (1, 3, True), (3, 1, False), (4, 3, False), (1, 9, False)]
)
def test_no_project_is_part_of_itself(child: int, parent: int, expected: bool) -> None:
    assert makes_cycle(child, parent, {2: 1, 3: 2, 7: 8, 8: 7}) is expected


def test_every_issue_has_words(english: None) -> None:
    params = {"value": D(1), "total": D(2), "last": D(3), "plan": D(4), "done": D(5), "start": DAY, "finish": DAY, "code": "X", "day": DAY}  # fmt: skip
    for code in SENTENCES:
        words = sentence(Issue("", code, params=params))
        assert words and "%(" not in words
    assert sentence(Issue("", "less_visible_percent", params={"value": D(39), "last": D(40)})).endswith(
        "39 % after 40 %."
    )


@given(day=st.dates(date(2000, 1, 1), date(2050, 12, 31)), halves=st.booleans())
def test_periods_tile_the_calendar(day: date, halves: bool) -> None:
    period = period_of(day, halves=halves)
    assert period.first <= day <= period.last
    assert parse_period(period.code) == period
    assert period.next().previous() == period
    assert (period.next().first - period.last).days == 1


@pytest.mark.parametrize(
    "text", ["", "2022", "2022-13", "2022-00-1", "2022-03-3", "22-03-1", "x", "2022-03-2; DROP"]
)
def test_what_is_not_a_period(text: str) -> None:
    assert parse_period(text) is None


def test_the_status_of_a_report() -> None:
    period = parse_period("2022-03-2")
    assert period is not None and (period.first, period.last) == (date(2022, 3, 16), DAY)
    assert status(True, period, date(2023, 1, 1), 3) == "reported"
    assert status(False, period, date(2022, 3, 15), 3) == "early"
    assert status(False, period, date(2022, 4, 3), 3) == "due"
    assert status(False, period, date(2022, 4, 4), 3) == "overdue"
