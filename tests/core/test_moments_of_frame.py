"""Moments in addresses: whatever zone they are written in, every database understands what comes of them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import BadRequest

from yuanmai.core.web.frame import parse_moment


def test_a_zone_further_away_than_any_place_is_read_as_utc() -> None:
    moment = parse_moment("2026-11-22T06:00:00-18:46")
    assert moment == datetime(2026, 11, 23, 0, 46, tzinfo=UTC)
    assert moment.utcoffset() == timedelta(0)


def test_other_zones_stay_as_they_are_written() -> None:
    assert parse_moment("2026-11-22T06:00:00+05:45").utcoffset() == timedelta(hours=5, minutes=45)


def test_what_leaves_the_calendar_is_refused() -> None:
    with pytest.raises(BadRequest):
        parse_moment("9999-12-31T23:00:00-20:00")
