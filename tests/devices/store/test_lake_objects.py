"""The lake on an object store: the same answers through the client of `deltalake`, without folders, links and fsync.

A folder behind that client stands for the store: what differs on a real one are its address and keys.
"""

from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.devices.store.lake_help import DAY, MINUTE, START, keys, rows, series
from yuanmai.devices.store import columns, compaction, lake, upkeep
from yuanmai.devices.store.entries import Conflict
from yuanmai.devices.store.files import ObjectFiles
from yuanmai.devices.store.lake import AlreadyCommitted, Lake
from yuanmai.devices.store.query import Queries

EVER = (columns.FIRST, columns.LAST)
LONG_AFTER = (START + 400 * DAY) / 1e6


@pytest.fixture
def open_remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def files(url: str, options: object = None) -> ObjectFiles:
        Path(url).mkdir(parents=True, exist_ok=True)
        return ObjectFiles(url)

    monkeypatch.setattr(lake, "open_files", files)
    return lambda: Lake(str(tmp_path / "bucket"))


def test_the_whole_life_of_readings(open_remote) -> None:  # type: ignore[no-untyped-def]
    remote = open_remote()
    for number in range(1, 6):
        remote.append(series(number, 2000, START + number * MINUTE, sequence=number), {"a": number})
    with pytest.raises(AlreadyCommitted):
        remote.append(series(1, 1), {"a": 5})
    asked = Queries(open_remote())
    before, hours = keys(asked.raw(None, *EVER)), asked.history([1, 2], START, START + 2 * DAY, "hour")
    assert len(before) == 10000
    assert upkeep.maintain(remote, LONG_AFTER, everything=True).compacted == 2
    assert keys(asked.raw(None, *EVER)) == before
    assert asked.history([1, 2], START, START + 2 * DAY, "hour") == hours
    assert asked.latest([3, 5]).value.tolist() == [1999.0, 1999.0]
    assert len(asked.history([4], START, START + DAY, "day")) == 1
    for table in upkeep.tables(remote):
        table.checkpoint()
    again = open_remote()
    assert again.positions() == {"a": 5} == again.durable_positions()
    assert DeltaTable(again.readings.files.root).count() == 10000
    assert upkeep.sweep(remote, now=LONG_AFTER * 2) > 0
    assert keys(Queries(again).raw(None, *EVER)) == before
    assert upkeep.scrub(again) == []


def test_of_two_compactions_one_gives_way(open_remote, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    first, second = open_remote(), open_remote()
    first.append(series(1, 100), {"a": 1})
    compaction.sort_arrivals(first, 1)
    [day] = compaction.days_with_runs(first)
    real = second.readings.write

    def slow(*values, **more):  # type: ignore[no-untyped-def]
        compaction.compact_day(first, day)
        return real(*values, **more)

    monkeypatch.setattr(second.readings, "write", slow)
    with pytest.raises(Conflict):
        compaction.compact_day(second, day)
    assert len(Queries(second).raw(None, *EVER)) == 100


def test_appends_of_two_processes_both_arrive(open_remote) -> None:  # type: ignore[no-untyped-def]
    first, second = open_remote(), open_remote()
    for number in range(1, 6):
        first.append(series(1, 10, START + number * DAY), {"a": number})
        second.append(series(2, 10, START + number * DAY), {"b": number})
    assert first.positions() == {"a": 5, "b": 5}
    assert len(rows(Queries(second).raw(None, *EVER))) == 100
