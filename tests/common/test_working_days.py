"""The working calendar: days off by notice, weekends worked instead, and years of which no notice is known."""

from __future__ import annotations

from datetime import date

import pytest

from yuanmai.common.working_days import WorkingDays, china, from_document


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2024-02-09", True),  # the eve of the spring festival, a working day in that year
        ("2024-02-12", False),
        ("2024-02-18", True),  # a Sunday worked instead
        ("2024-02-24", False),  # a Saturday like others
        ("2025-10-08", False),
        ("2025-10-11", True),
        ("2026-06-19", False),
        ("2026-06-22", True),
    ],
)
def test_days_of_known_years(day: str, worked: bool) -> None:
    assert china().is_working(date.fromisoformat(day)) is worked


def test_payment_and_value_days() -> None:
    days = china()
    assert days.on_or_after(date(2024, 10, 1)) == date(2024, 10, 8)
    assert days.on_or_after(date(2024, 10, 8)) == date(2024, 10, 8)
    assert days.after(date(2024, 9, 13)) == date(
        2024, 9, 14
    )  # tendered on Friday, value on the Saturday worked instead
    assert days.after(date(2025, 1, 27)) == date(2025, 2, 5)


def test_of_other_years_only_weekends_and_fixed_feasts_are_known() -> None:
    days = china()
    later = days.last_year + 3
    assert days.known(date(days.first_year, 1, 1)) and days.known(date(days.last_year, 12, 31))
    assert not days.known(date(days.last_year + 1, 1, 1)) and not days.known(
        date(days.first_year - 1, 12, 31)
    )
    assert not days.is_working(date(later, 10, 1)) and not days.is_working(date(later, 5, 1))
    assert [days.is_working(date(2035, 3, day)) for day in (2, 3, 4, 5)] == [True, False, False, True]


def test_every_known_year_has_about_250_working_days() -> None:
    days = china()
    for year in range(days.first_year, days.last_year + 1):
        worked = [
            date.fromordinal(n) for n in range(date(year, 1, 1).toordinal(), date(year + 1, 1, 1).toordinal())
        ]
        assert 245 <= sum(days.is_working(day) for day in worked) <= 252, year
        assert all(day.weekday() >= 5 for day in days.worked) and all(day.weekday() < 5 for day in days.off)


def test_a_calendar_of_ones_own() -> None:
    own = from_document({"fixed": ["01-01"], "years": {2030: {"holidays": ["03-04"], "workdays": ["03-09"]}}})
    assert own == WorkingDays(
        frozenset({date(2030, 3, 4)}), frozenset({date(2030, 3, 9)}), frozenset({(1, 1)}), 2030, 2030
    )
    assert own.on_or_after(date(2030, 3, 2)) == date(2030, 3, 5) and own.is_working(date(2030, 3, 9))
    # In a known year the notice alone counts.
    assert own.is_working(date(2030, 1, 1))
