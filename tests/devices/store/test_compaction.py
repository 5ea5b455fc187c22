"""Moving rows upwards and rolling them up: never another answer, whatever came in which order and where a step broke off."""

import random
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.devices.store.lake_help import DAY, HOUR, MINUTE, START, make, open_lake, rows, series
from yuanmai.devices.engine.quality import CLOCK, EXCLUDED, FLAGGED
from yuanmai.devices.store import columns, compaction, rolled, rollup, upkeep
from yuanmai.devices.store.entries import Conflict
from yuanmai.devices.store.files import LocalFiles
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.devices.store.readings import Readings

EVER = (columns.FIRST, columns.LAST)
LONG_AFTER = (START + 400 * DAY) / 1e6


def levels(lake: Lake) -> list[int]:
    """Return the levels of the files of readings."""
    return sorted(file.level for file in lake.readings.snapshot().files)


def bits(table: rollup.Rollup) -> list[bytes]:
    """Return the bytes of all columns."""
    return [np.ascontiguousarray(getattr(table, name)).tobytes() for name in rollup.SCHEMA.names]


def batch(readings: Readings) -> rollup.Rollup:
    """Return what one computation over everything gives."""
    kept = columns.settle(columns.clean(readings))
    return rollup.hourly(columns.take(kept, (kept.quality & CLOCK) == 0))


def test_levels_rise_and_answers_stay(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    queries = Queries(lake)
    for number in range(1, 6):
        part = series(number, 3000, begin=START + number * HOUR, sequence=number)
        lake.append(part, {"a": number})
    raw, hours, days = (rows(queries.raw(None, *EVER)), bits(queries.hours(None, *EVER)), bits(queries.days(None, *EVER)))  # fmt: skip
    strip = [row[:4] for row in raw]
    assert levels(lake) == [0] * 5 and len(raw) == 15000
    assert compaction.sort_arrivals(lake) == 5
    assert levels(lake) == [1] * 3
    assert [row[:4] for row in rows(queries.raw(None, *EVER))] == strip
    done = upkeep.maintain(lake, LONG_AFTER)
    assert (done.compacted, done.rolled, done.folded, done.conflicts) == (3, 3, 6, 0)
    assert levels(lake) == [2] * 3
    assert [row[:4] for row in rows(queries.raw(None, *EVER))] == strip
    assert bits(queries.hours(None, *EVER)) == hours
    assert bits(queries.days(None, *EVER)) == days
    assert len(lake.daily.snapshot().files) == len(lake.hourly.snapshot().files) == 1
    assert lake.positions() == {"a": 5}
    assert upkeep.maintain(lake, LONG_AFTER) == upkeep.Done()


row = st.tuples(
    st.integers(1, 4),
    st.integers(0, 3 * 24 * 4).map(lambda quarter: START + quarter * 15 * MINUTE),
    st.floats(allow_nan=True, allow_infinity=True, width=64),
    st.sampled_from([0, 0, 0, FLAGGED, 16, CLOCK]),
    st.integers(START, START + 5),
    st.integers(1, 3),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(row, min_size=1, max_size=120), seed=st.integers(0, 2**32), times=st.sampled_from([1, 5])
)
def test_any_order_any_number_of_times_gives_the_bits_of_one_batch(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple], seed: int, times: int
) -> None:
    chance = random.Random(seed)
    lake = open_lake(tmp_path_factory.mktemp("lake"))
    queries = Queries(lake)
    expected = batch(make(data))
    arriving = data * times
    chance.shuffle(arriving)
    at, number = 0, 0
    while at < len(arriving):
        size = chance.randint(1, 60)
        number += 1
        lake.append(make(arriving[at : at + size]), {"a": number})
        at += size
        if chance.random() < 0.5:
            upkeep.maintain(lake, LONG_AFTER, everything=chance.random() < 0.7)
    assert bits(queries.hours(None, *EVER)) == bits(expected)
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    assert set(levels(lake)) <= {2, 9}
    assert bits(queries.hours(None, *EVER)) == bits(expected)
    assert bits(queries.days(None, *EVER)) == bits(rollup.daily(expected))
    stored = rolled.read_sound_rollup(lake.hourly, lake.hourly.snapshot().files)
    assert bits(stored) == bits(expected)


def test_thirty_days_in_random_order(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    lake = open_lake(tmp_path)
    count = 30 * 24 * 60
    points = [series(point, count) for point in (3, 9)]
    everything = columns.join(points)
    everything.value[:] = chance.normal(50, 20, len(everything))
    order = chance.permutation(len(everything))
    for number, part in enumerate(np.array_split(order, 12), 1):
        lake.append(columns.take(everything, part), {"a": number})
        if number % 5 == 0:
            upkeep.maintain(lake, START / 1e6)
    upkeep.maintain(lake, LONG_AFTER)
    expected = batch(everything)
    assert bits(Queries(lake).hours(None, *EVER)) == bits(expected)
    assert bits(Queries(lake).days(None, *EVER)) == bits(rollup.daily(expected))
    assert levels(lake) == [2] * 30


def test_late_data_touches_only_its_own_roll_up(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    soon = (START + 4 * DAY) / 1e6
    lake.append(series(1, 3 * 24 * 60), {"a": 1})
    upkeep.maintain(lake, soon, everything=True)
    before = {file.day: file.path for file in lake.hourly.snapshot().files}
    moment = START + DAY + 5 * HOUR + 1
    lake.append(make([(1, moment, 1e6, 16, START, 2)]), {"a": 2})
    assert Queries(lake).hours([1], moment, moment + 1).maximum.tolist() == [1e6]
    upkeep.maintain(lake, soon, everything=True)
    after = {file.day: file.path for file in lake.hourly.snapshot().files}
    changed = [day for day in before if before[day] != after[day]]
    assert changed == [columns.as_date(columns.day_number(moment))]
    hours = Queries(lake).hours([1], START, START + 3 * DAY)
    assert hours.n.tolist() == [60] * 29 + [61] + [60] * 42


def test_late_data_for_a_folded_month(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    data = columns.join([series(point, 40 * 24 * 60) for point in (1, 2)])
    lake.append(data, {"a": 1})
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    assert len(lake.hourly.snapshot().files) == len(lake.daily.snapshot().files) == 2
    late = make((1, START + day * DAY + 7, 500.0 + day, 16, START, 2) for day in (3, 5, 39))
    lake.append(late, {"a": 2})
    expected = batch(columns.join([data, late]))
    queries = Queries(lake)

    def check() -> None:
        for asked in (queries, Queries(Lake(lake.url))):
            assert bits(asked.hours(None, *EVER)) == bits(expected)
            assert bits(asked.days(None, *EVER)) == bits(rollup.daily(expected))
            assert asked.hourly_mean(None, *EVER).num_rows == len(expected)
            assert asked.hours([2], START + 3 * DAY, START + 6 * DAY).n.tolist() == [60] * 72

    check()
    compaction.sort_arrivals(lake, 1)
    for day in compaction.days_with_runs(lake):
        compaction.compact_day(lake, day)
    check()
    assert len(rolled.refresh(lake)) == 3
    assert len(lake.hourly.snapshot().files) == 5
    check()
    assert rolled.fold(lake, columns.as_date(columns.day_number(START + 400 * DAY))) == 10
    assert len(lake.hourly.snapshot().files) == len(lake.daily.snapshot().files) == 2
    check()
    assert rolled.refresh(lake) == []


def test_the_running_month_is_folded_now_and_then(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(series(1, 12 * 24 * 60), {"a": 1})
    expected = bits(Queries(lake).hours(None, *EVER))
    upkeep.maintain(lake, (START + 12 * DAY) / 1e6, everything=True)
    assert sorted(file.day is None for file in lake.hourly.snapshot().files) == [False, True]
    assert bits(Queries(lake).hours(None, *EVER)) == expected
    lake.append(series(1, 24 * 60, START + 12 * DAY), {"a": 2})
    upkeep.maintain(lake, (START + 13 * DAY) / 1e6, everything=True)
    assert sorted(file.day is None for file in lake.hourly.snapshot().files) == [False, False, True]


def test_excluded_readings_never_enter(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    bad = [bit for bit in (1 << n for n in range(8)) if bit & EXCLUDED and bit != CLOCK]
    lake.append(make([(1, START + i, 1e9, bit, START, 1) for i, bit in enumerate(bad)] + [(1, START + 100, 2.0, 8, START, 1), (2, START, 5.0, 1, START, 1)]), {"a": 1})  # fmt: skip
    [one, two] = Queries(lake).history([1, 2], START, START + HOUR, "hour").to_pylist()
    assert (one["n"], one["excluded"], one["sum"], one["mean"], one["maximum"]) == (
        1,
        len(bad),
        2.0,
        2.0,
        2.0,
    )
    assert (two["n"], two["excluded"], two["sum"], two["mean"], two["increase"]) == (0, 1, None, None, None)


def test_sums_that_overflow_are_empty(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(make([(1, START + i, 1.7e308, 0, START, 1) for i in range(3)]), {"a": 1})
    [hour] = Queries(lake).history([1], START, START + HOUR, "hour").to_pylist()
    assert (hour["n"], hour["sum"], hour["mean"], hour["maximum"]) == (3, None, None, 1.7e308)
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    mean = Queries(lake).hourly_mean(None, START, START + HOUR, source="raw")
    assert mean["n"].to_pylist() == [3]


def test_meters_gain_between_hours_and_days(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    counts = [10.0, 14.0, 20.0, 3.0, 9.0]  # rolled over, or changed, after 20
    lake.append(make([(1, START + i * 12 * HOUR, v, 0, START, 1) for i, v in enumerate(counts)]), {"a": 1})
    hours = Queries(lake).history([1], START, START + 3 * DAY, "hour")
    assert hours["increase"].to_pylist() == [0.0, 4.0, 6.0, 0.0, 6.0]
    days = Queries(lake).history([1], START, START + 3 * DAY, "day")
    assert days["increase"].to_pylist() == [4.0, 6.0, 6.0]
    assert days["resets"].to_pylist() == [0, 1, 0]
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    assert Queries(lake).history([1], START, START + 3 * DAY, "day") == days


def test_a_part_of_the_points_is_compacted_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "FILE_ROWS", 1000)
    lake = open_lake(tmp_path)
    lake.append(columns.join([series(point, 500) for point in range(1, 9)]), {"a": 1})
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    before = {(f.first_point, f.last_point): f.path for f in lake.readings.snapshot().files}
    assert sorted(before) == [(1, 2), (3, 4), (5, 6), (7, 8)]
    lake.append(series(5, 500, begin=START + 30_000_000, sequence=2), {"a": 2})
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    after = {(f.first_point, f.last_point): f.path for f in lake.readings.snapshot().files}
    assert {span for span in before if before[span] == after.get(span)} == {(1, 2), (3, 4), (7, 8)}
    assert sum(f.rows for f in lake.readings.snapshot().files) == 4500
    assert bits(Queries(lake).hours(None, *EVER)) == bits(batch(columns.join([series(p, 500) for p in range(1, 9)] + [series(5, 500, begin=START + 30_000_000, sequence=2)])))  # fmt: skip


def test_many_small_files_are_merged(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    for number in range(1, 25):
        lake.append(series(number, 10, begin=START), {"a": number})
        lake.append(make([(1, number, 1.0, CLOCK, START, number)]), {"b": number})
        compaction.sort_arrivals(lake, 1)
        compaction.merge_small(lake)
    assert max(levels(lake).count(1), levels(lake).count(9)) <= compaction.RUNS
    assert len(Queries(lake).raw(None, *EVER)) == 240
    assert len(Queries(lake).misdated([1])) == 24


@pytest.mark.parametrize("step", ["sort_arrivals", "compact", "refresh"])
def test_a_crash_at_any_write_changes_no_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    lake = open_lake(tmp_path)
    lake.append(series(1, 2000), {"a": 1})
    lake.append(series(2, 2000), {"a": 2})
    if step != "sort_arrivals":
        compaction.sort_arrivals(lake)
    if step == "refresh":
        for day in compaction.days_with_runs(lake):
            compaction.compact_day(lake, day)
    expected = bits(Queries(lake).hours(None, *EVER))
    crashes, left = 0, 0

    def failing(real):  # type: ignore[no-untyped-def]
        def call(self, path, data):  # type: ignore[no-untyped-def]
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(28, "No space left on device")
            return real(self, path, data)

        return call

    for cut in range(40):
        left = cut
        with monkeypatch.context() as patch:
            for name in ("write", "create"):
                patch.setattr(LocalFiles, name, failing(getattr(LocalFiles, name)))
            try:
                upkeep.maintain(lake, LONG_AFTER, everything=True)
            except OSError:
                crashes += 1
        assert bits(Queries(Lake(lake.url)).hours(None, *EVER)) == expected
        if left > 0:
            break
    assert crashes > 3
    assert bits(Queries(lake).hours(None, *EVER)) == expected
    assert set(levels(lake)) == {2}


def test_of_two_compactions_one_gives_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake, other = open_lake(tmp_path), open_lake(tmp_path)
    lake.append(series(1, 100), {"a": 1})
    compaction.sort_arrivals(lake, 1)
    [day] = compaction.days_with_runs(lake)
    real = other.readings.write

    def slow(*values, **more):  # type: ignore[no-untyped-def]
        compaction.compact_day(lake, day)
        return real(*values, **more)

    monkeypatch.setattr(other.readings, "write", slow)
    with pytest.raises(Conflict):
        compaction.compact_day(other, day)
    assert len(Queries(other).raw(None, *EVER)) == 100


def test_appends_compaction_and_readers_at_once(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    failed: list[BaseException] = []
    finished = threading.Event()
    appended = 0

    def guarded(work):  # type: ignore[no-untyped-def]
        def run() -> None:
            try:
                while not finished.is_set():
                    work()
            except BaseException as error:
                failed.append(error)
                finished.set()

        return run

    keeper, reader = Lake(lake.url), Queries(Lake(lake.url))
    tidy = guarded(lambda: upkeep.maintain(keeper, LONG_AFTER, everything=True))

    def look() -> None:
        low = appended
        found = reader.raw(None, *EVER)
        assert low * 500 <= len(found) <= (appended + 1) * 500
        hours = reader.hours([1, 2, 3], *EVER)
        assert (np.diff(hours.time[hours.point == 1]) > 0).all()

    threads = [threading.Thread(target=tidy), threading.Thread(target=guarded(look))]
    for thread in threads:
        thread.start()
    for number in range(1, 41):
        lake.append(series(number % 5, 500, begin=START + number * 6 * HOUR, sequence=number), {"a": number})
        appended = number
        if finished.is_set():
            break
    finished.set()
    for thread in threads:
        thread.join()
    assert not failed, failed
    assert len(Queries(lake).raw(None, *EVER)) == 20000
    assert lake.positions() == {"a": 40}


def test_retention_keeps_roll_ups(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    queries = Queries(lake)
    lake.append(columns.join([series(1, 5 * 24 * 60), make([(1, 0, 1.0, CLOCK, START, 1)])]), {"a": 1})
    compaction.sort_arrivals(lake, 1)
    hours, days = bits(queries.hours(None, *EVER)), bits(queries.days(None, *EVER))
    cut = columns.as_date(columns.day_number(START + 3 * DAY))
    upkeep.retain(lake, cut)
    assert len(queries.raw(None, *EVER)) == 2 * 24 * 60
    assert bits(queries.hours(None, *EVER)) == hours
    assert bits(queries.days(None, *EVER)) == days
    lake.append(make([(1, START + 5, 99.0, 16, START, 1)]), {"a": 2})
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    assert bits(queries.hours(None, *EVER)) == hours
    assert len(queries.raw(None, *EVER)) == 2 * 24 * 60
    upkeep.retain(lake, cut, columns.as_date(columns.day_number(START + 40 * DAY)))
    assert lake.hourly.snapshot().files == ()
    assert len(queries.hours(None, *EVER)) == 48
    assert len(queries.days(None, *EVER)) == 2


def test_sweeping_deletes_only_what_nobody_names(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    for number in range(1, 121):
        lake.append(series(number % 3, 5, begin=START + number * HOUR), {"a": number})
        if number % 20 == 0:
            upkeep.maintain(lake, LONG_AFTER, everything=True)
    expected = rows(Queries(lake).raw(None, *EVER))
    sleeper = Queries(Lake(lake.url))
    assert upkeep.sweep(lake) == 0
    assert upkeep.sweep(lake, now=LONG_AFTER * 2) > 100
    on_disk = {e.path for e in lake.readings.files.listing("") if e.path.startswith("level=")}
    named = {file.path for file in lake.readings.snapshot().files}
    assert named <= on_disk and len(on_disk) < 130
    assert rows(sleeper.raw(None, *EVER)) == expected
    lake.append(series(1, 5), {"a": 200})
    again = Lake(lake.url)
    assert again.positions() == {"a": 200}
    assert rows(Queries(again).raw([2], *EVER)) == [row for row in expected if row[0] == 2]
