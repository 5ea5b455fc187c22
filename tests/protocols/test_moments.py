"""Times of the calendar, held against the standard library's."""

from __future__ import annotations

from datetime import datetime

from hypothesis import example, given
from hypothesis import strategies as st

from yuanmai.protocols.moments import exists


@given(st.integers(1, 9999), *(st.integers(0, 62) for _part in range(5)))
@example(2000, 2, 29, 0, 0, 0)
@example(2100, 2, 29, 0, 0, 0)
@example(2024, 2, 29, 23, 59, 59)
@example(2023, 2, 29, 0, 0, 0)
@example(2023, 4, 31, 0, 0, 0)
def test_a_time_exists_where_the_library_makes_it(
    year: int, month: int, day: int, hour: int, minute: int, second: int
) -> None:
    try:
        datetime(year, month, day, hour, minute, second)
        there = True
    except ValueError:
        there = False
    assert exists(year, month, day, hour, minute, second) is there


@given(st.datetimes(min_value=datetime(1, 1, 1)))
def test_every_time_of_the_library_exists(when: datetime) -> None:
    assert exists(when.year, when.month, when.day, when.hour, when.minute, when.second)
