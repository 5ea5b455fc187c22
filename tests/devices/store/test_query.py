"""Answers: curves with their extremes and gaps, the newest readings, exports, means."""

import io
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from tests.devices.store.lake_help import DAY, HOUR, MINUTE, START, make, open_lake, rows, series
from yuanmai.devices.engine.quality import CLOCK, FLAGGED
from yuanmai.devices.store import chart, columns, compaction, export, query, reader, upkeep
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.devices.store.reader import micros

LONG_AFTER = (START + 400 * DAY) / 1e6


def test_moments_are_exact_and_have_a_zone() -> None:
    assert micros(datetime(2026, 3, 1, 16, 0, 0, 1, tzinfo=UTC)) == START + 1
    assert micros(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1
    with pytest.raises(ValueError, match="time zone"):
        micros(datetime(2026, 3, 1))


def test_a_curve_keeps_extremes_and_shows_gaps(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    first, second = series(1, 5000, step=10_000_000), series(1, 5000, START + DAY, step=10_000_000)
    first.value[:] = np.sin(np.arange(5000) / 700)
    second.value[:] = np.cos(np.arange(5000) / 700)
    first.value[1234], second.value[777] = 1e6, -1e6
    second.value[3000:3010] = np.nan
    lake.append(columns.join([first, second]), {"a": 1})
    curve = Queries(lake).chart(1, START, START + 2 * DAY, width=200)
    assert curve.readings == 10000
    assert 200 <= len(curve.time) <= 830
    assert (np.diff(curve.time) > 0).all()
    assert np.nanmax(curve.value) == 1e6 and np.nanmin(curve.value) == -1e6
    [gap] = np.flatnonzero(np.isnan(curve.value) & (curve.time < START + DAY))
    assert curve.time[gap - 1] == first.time[-1] and curve.time[gap] == first.time[-1] + 1
    assert curve.time[gap + 1] == second.time[0]
    empty = curve.time[np.isnan(curve.value) & (curve.time > START + DAY)]
    assert second.time[3000] in empty and second.time[3009] in empty


def test_a_short_series_is_drawn_whole(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(make([(1, START + i * 900_000_000, v, 0, START, 1) for i, v in enumerate([1.0, 2.0, np.nan, 3.0])]), {"a": 1})  # fmt: skip
    curve = Queries(lake).chart(1, START, START + DAY)
    assert np.array_equal(curve.value, [1.0, 2.0, np.nan, 3.0], equal_nan=True)
    assert len(Queries(lake).chart(2, START, START + DAY).time) == 0


def test_one_reading_in_a_lone_gap(tmp_path: Path) -> None:
    lone = make((1, START + m * MINUTE, 1.0, 0, START, 1) for m in [*range(30), 500, *range(600, 630)])
    curve = chart.curve(lone)
    assert np.isnan(curve.value).sum() == 2
    assert curve.time[np.isnan(curve.value)].tolist() == [START + 29 * MINUTE + 1, START + 500 * MINUTE + 1]


def test_the_newest_reading_follows_what_arrives(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    asked = Queries(Lake(lake.url))
    assert len(asked.latest([1, 2])) == 0
    lake.append(columns.join([series(1, 10), series(2, 5), series(3, 5)]), {"a": 1})
    assert asked.latest([2, 1]).time.tolist() == [START + 9 * MINUTE, START + 4 * MINUTE]
    lake.append(make([(1, START + 9 * MINUTE, 77.0, FLAGGED, START + DAY, 2), (2, START, 1.0, 0, START + DAY, 2), (3, START + DAY, 5.0, CLOCK, START, 2)]), {"a": 2})  # fmt: skip
    found = asked.latest([1, 2, 3, 4])
    assert list(zip(found.point.tolist(), found.value.tolist(), found.quality.tolist(), strict=True)) == [
        (1, 77.0, FLAGGED),
        (2, 4.0, 0),
        (3, 4.0, 0),
    ]
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    assert rows(asked.latest([1, 2, 3, 4])) == rows(found)
    # What arrives and is sorted and compacted between two questions is seen all the same.
    lake.append(series(4, 3, START + 3 * DAY), {"a": 3})
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    assert asked.latest([4]).time.tolist() == [START + 3 * DAY + 2 * MINUTE]
    fresh = Queries(lake)
    assert rows(fresh.latest([1, 2, 3, 4])) == rows(asked.latest([1, 2, 3, 4]))


def test_the_newest_reading_at_a_moment(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(
        columns.join([series(1, 100), series(2, 3, START - 40 * DAY), series(3, 3, START + DAY)]), {"a": 1}
    )
    for _ in range(2):
        found = Queries(lake).latest([1, 2, 3], START + 50 * MINUTE)
        assert found.time.tolist() == [START + 50 * MINUTE, START - 40 * DAY + 2 * MINUTE]
        upkeep.maintain(lake, LONG_AFTER, everything=True)


@pytest.mark.parametrize("few", [0, 1000])
def test_the_newest_reading_of_points_heard_last_on_different_days(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(reader, "FEW", few)
    lake = open_lake(tmp_path)
    chance = np.random.default_rng(9)
    days = chance.integers(0, 60, 40)
    data = columns.join(
        [series(point, 50, START + int(day) * DAY + point * HOUR // 3) for point, day in enumerate(days)]
    )
    lake.append(data, {"a": 1})
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    late = columns.join(
        [series(point, 5, START + int(days[point]) * DAY - 9 * DAY) for point in range(0, 40, 3)]
    )
    lake.append(late, {"a": 2})
    every = columns.join([data, late])
    for at in [*chance.integers(START - 10 * DAY, START + 62 * DAY, 25).tolist(), None]:
        seen = every if at is None else columns.take(every, every.time <= at)
        expected = columns.last_of_each(seen)
        found = Queries(lake).latest([*range(40), 999], at)
        assert rows(found) == rows(expected)


def test_means_from_roll_ups_and_from_readings_are_the_same(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    chance = np.random.default_rng(2)
    data = columns.join([series(point, 3 * 24 * 60) for point in range(1, 60)])
    data.value[:] = chance.normal(0, 1e3, len(data))
    data.quality[::7] = FLAGGED
    lake.append(data, {"a": 1})
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    asked = Queries(lake)
    order = [("point", "ascending"), ("time", "ascending")]
    stored = asked.hourly_mean(None, START, START + 3 * DAY).sort_by(order)
    assert stored == asked.hourly_mean(None, START, START + 3 * DAY, source="raw").sort_by(order)
    assert stored.num_rows == 59 * 72
    hours = asked.hours(None, START, START + 3 * DAY)
    assert stored["mean"].to_pylist() == hours.mean.tolist()
    part = asked.hourly_mean([7], START + HOUR + 1, START + 3 * HOUR, source="raw")
    assert part["time"].cast("int64").to_pylist() == [START + HOUR, START + 2 * HOUR]
    lake.append(series(7, 60, START + DAY + 30_000_000, sequence=2), {"a": 2})  # a day with doubles
    again = asked.hourly_mean([7], START, START + 3 * DAY).sort_by(order)
    assert again["n"].to_pylist()[24] > stored.filter(stored_point(stored, 7))["n"].to_pylist()[24]


def stored_point(table, point):  # type: ignore[no-untyped-def]
    """Return the condition that picks a point."""
    return pyarrow.compute.equal(table["point"], point)


def test_spans_cut_days_and_hours(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(series(1, 3 * 24 * 60), {"a": 1})
    asked = Queries(lake)
    for _ in range(2):
        found = asked.raw([1], START + 90 * MINUTE, START + DAY + 1)
        assert (found.time[0], found.time[-1], len(found)) == (
            START + 90 * MINUTE,
            START + DAY,
            24 * 60 - 90 + 1,
        )
        assert asked.history([1], START + 90 * MINUTE, START + DAY + 1, "hour")["n"].to_pylist() == [60] * 24
        assert asked.history([1], START + 90 * MINUTE, START + DAY, "day")["n"].to_pylist() == [24 * 60]
        assert asked.raw([1], START + 5, START + 5).point.tolist() == []
        upkeep.maintain(lake, LONG_AFTER, everything=True)


def test_many_points_and_few_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = open_lake(tmp_path)
    lake.append(columns.join([series(point, 2000) for point in range(1, 20)]), {"a": 1})
    compaction.sort_arrivals(lake, 1)
    [first, *_rest] = compaction.days_with_runs(lake)
    compaction.compact_day(lake, first)
    asked = Queries(lake)
    few = asked.history([3, 5], START, START + 2 * DAY, "hour")
    monkeypatch.setattr(query, "FEW", 1)
    assert asked.history([3, 5], START, START + 2 * DAY, "hour") == few


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("step", ["raw", "hour"])
def test_exports_are_streams_of_the_history(tmp_path: Path, kind: str, step: query.Step) -> None:
    lake = open_lake(tmp_path)
    lake.append(columns.join([series(1, 3 * 24 * 60), make([(2, START + 7, np.nan, 1, START, 1)])]), {"a": 1})
    asked = Queries(lake)
    whole = asked.history([1, 2], START, START + 3 * DAY, step)
    pieces = list(export.stream(kind, asked.export([1, 2], START, START + 3 * DAY, step), whole.schema))
    data = b"".join(pieces)
    if kind == "parquet":
        found = pq.read_table(io.BytesIO(data))
    else:
        assert data.startswith(b"\xef\xbb\xbfpoint,time,")
        assert b"1,2026-03-02T00:01:00+08:00," in data or b"1,2026-03-02T01:00:00+08:00," in data
        found = pyarrow.csv.read_csv(io.BytesIO(data))
    order = [("point", "ascending"), ("time", "ascending")]
    assert found.num_rows == whole.num_rows
    name = "value" if step == "raw" else "increase"
    assert found.sort_by(order)[name].to_pylist() == whole[name].to_pylist()


def test_threads_ask_at_once(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    lake = open_lake(tmp_path)
    lake.append(columns.join([series(point, 500) for point in range(1, 9)]), {"a": 1})
    asked = Queries(lake)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: len(asked.raw([n % 8 + 1], START, START + DAY)), range(64)))
    assert found == [500] * 64
