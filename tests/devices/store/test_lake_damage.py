"""Damage: every flipped bit is found, what is sound is served, and what can be had again is."""

import random
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.devices.store.lake_help import DAY, HOUR, START, open_lake, rows, series
from yuanmai.devices.store import columns, compaction, upkeep
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries

EVER = (columns.FIRST, columns.LAST)
LONG_AFTER = (START + 400 * DAY) / 1e6


def flip(path: Path, bit: int) -> None:
    """Flip a bit of a file."""
    data = bytearray(path.read_bytes())
    data[bit // 8 % len(data)] ^= 1 << (bit % 8)
    path.write_bytes(bytes(data))


def root(lake: Lake) -> Path:
    """Return the folder of the readings."""
    return Path(lake.readings.files.root)


def kinds(lake: Lake) -> set[str]:
    """Return the kinds of faults."""
    return {fault.kind for fault in lake.faults()}


@pytest.mark.parametrize("seed", range(12))
def test_a_bit_flipped_in_a_data_file_is_found_and_the_rest_is_served(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lake = open_lake(tmp_path)
    lake.append(series(1, 500), {"a": 1})
    lake.append(series(2, 500), {"a": 2})
    victim = chance.choice(lake.readings.snapshot().files)
    flip(root(lake) / victim.path, chance.randrange(victim.size * 8))
    found = Queries(Lake(lake.url) if seed % 2 else lake).raw(None, *EVER)
    assert set(found.point.tolist()) == {3 - victim.first_point}
    assert len(found) == 500
    [fault] = Lake(lake.url).faults()
    assert (fault.kind, fault.path) == ("file_damaged", victim.path)
    assert (root(lake) / "_quarantine" / victim.path.replace("/", "_")).exists()
    assert Lake(lake.url).positions() == {
        "a": victim.first_point - 1
    }  # so that it is read from the journal again


def test_compacted_files_and_roll_ups_are_searched_for_damage(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(series(1, 3 * 24 * 60), {"a": 1})
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    assert upkeep.scrub(lake) == []
    hours = Queries(lake).history([1], START, START + 3 * DAY, "hour")
    for table in (lake.hourly, lake.daily):
        file = table.snapshot().files[0]
        flip(Path(table.files.root) / file.path, file.size * 4)
    assert [fault.kind for fault in upkeep.scrub(lake)] == ["file_damaged"] * 2
    assert Queries(lake).history([1], START, START + 3 * DAY, "hour") == hours
    assert len(lake.hourly.snapshot().files) == len(lake.daily.snapshot().files) == 3
    victim = lake.readings.snapshot().files[1]
    flip(root(lake) / victim.path, victim.size * 4)
    assert [fault.path for fault in upkeep.scrub(lake)] == [victim.path]
    assert len(Queries(lake).raw([1], *EVER)) == 2 * 24 * 60
    assert len(Queries(lake).hours([1], *EVER)) == 72  # what was rolled up stays


def test_a_damaged_file_stops_no_compaction(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    for number in (1, 2, 3):
        lake.append(series(number, 100), {"a": number})
    first, second, _third = lake.readings.snapshot().files
    flip(root(lake) / first.path, first.size * 5)
    assert compaction.sort_arrivals(lake) == 2
    assert set(Queries(lake).raw(None, *EVER).point.tolist()) == {2, 3}
    lake.append(series(4, 100), {"a": 4})
    compaction.sort_arrivals(lake, 1)
    victim = next(file for file in lake.readings.snapshot().files if file.first_point == 4)
    flip(root(lake) / victim.path, victim.size * 5)
    assert upkeep.maintain(lake, LONG_AFTER, everything=True).compacted == 1
    assert set(Queries(lake).raw(None, *EVER).point.tolist()) == {2, 3}
    assert second.path not in {fault.path for fault in lake.faults()}


@pytest.mark.parametrize("seed", range(12))
def test_a_bit_flipped_in_an_entry_of_the_log_is_healed(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lake = open_lake(tmp_path)
    for number in range(1, 6):
        lake.append(series(number, 20), {"a": number})
    before = rows(Queries(lake).raw(None, *EVER))
    path = root(lake) / "_delta_log" / f"{chance.randrange(6):020d}.json"
    good = path.read_bytes()
    # The last line's end is no part of what the entry says.
    flip(path, chance.randrange((len(good) - 1) * 8))
    again = Lake(lake.url)
    assert rows(Queries(again).raw(None, *EVER)) == before
    assert again.positions() == {"a": 5}
    if path.read_bytes() != good:  # a bit of what nobody reads: the time in the head of the entry
        assert b"commitInfo" in path.read_bytes()
    else:
        assert kinds(again) == {"log_entry_healed"}
    assert DeltaTable(str(root(lake))).count() == len(before)


@pytest.mark.parametrize(("victim", "how"), [(0, "cut"), (2, "cut"), (5, "cut"), (0, "gone"), (2, "gone")])
def test_an_entry_lost_with_its_copy_is_written_anew(tmp_path: Path, victim: int, how: str) -> None:
    lake = open_lake(tmp_path)
    for number in range(1, 6):
        lake.append(series(number, 20), {"a": number})
    before = rows(Queries(lake).raw(None, *EVER))
    path = root(lake) / "_delta_log" / f"{victim:020d}.json"
    (root(lake) / "_copies" / path.name).unlink()
    path.write_bytes(path.read_bytes()[:-40]) if how == "cut" else path.unlink()
    again = Lake(lake.url)
    assert rows(Queries(again).raw(None, *EVER)) == before
    assert again.positions() == {"a": 4 if victim == 5 else 5}
    assert kinds(again) == {"log_entry_rebuilt"} | ({"log_entry_damaged"})
    again.append(series(9, 5), {"a": 9})
    assert DeltaTable(str(root(lake))).count() == len(before) + 5


def test_the_last_entry_gone_means_its_readings_come_again(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    for number in range(1, 4):
        lake.append(series(number, 20), {"a": number})
    (root(lake) / "_delta_log" / f"{3:020d}.json").unlink()
    (root(lake) / "_copies" / f"{3:020d}.json").unlink()
    again = Lake(lake.url)
    assert again.positions() == {"a": 2}
    again.append(series(3, 20), {"a": 3})
    assert len(Queries(again).raw(None, *EVER)) == 60


def test_an_entry_of_a_compaction_lost_doubles_nothing(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(series(1, 2000), {"a": 1})
    lake.append(series(2, 2000), {"a": 2})
    before = [row[:4] for row in rows(Queries(lake).raw(None, *EVER))]
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    version = lake.readings.snapshot().version
    for folder in ("_delta_log", "_copies"):
        (root(lake) / folder / f"{version:020d}.json").write_bytes(b"\0" * 100)
    again = Lake(lake.url)
    assert [row[:4] for row in rows(Queries(again).raw(None, *EVER))] == before
    upkeep.maintain(again, LONG_AFTER, everything=True)
    assert [row[:4] for row in rows(Queries(again).raw(None, *EVER))] == before
    assert sum(file.rows for file in again.readings.snapshot().files) == len(before)


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    for number in range(1, 7):
        lake.append(series(number, 20), {"a": number})
        if number % 2 == 0:
            lake.readings.checkpoint()
    before = rows(Queries(lake).raw(None, *EVER))
    for number in (6, 4):
        flip(root(lake) / "_delta_log" / f"{number:020d}.checkpoint.parquet", 8000)
        again = Lake(lake.url)
        assert rows(Queries(again).raw(None, *EVER)) == before
        assert again.positions() == {"a": 6}
    (root(lake) / "_delta_log" / "_last_checkpoint").write_bytes(b"\xff\xfe[")
    again = Lake(lake.url)
    assert rows(Queries(again).raw(None, *EVER)) == before
    assert "checkpoint_damaged" in kinds(again)


def test_the_whole_log_lost_brings_back_all_rows(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    for number in range(1, 4):
        lake.append(series(number, 3000, begin=START + number * HOUR), {"a": number})
    before = [row[:4] for row in rows(Queries(lake).raw(None, *EVER))]
    upkeep.maintain(lake, LONG_AFTER, everything=True)
    for folder in ("_delta_log", "_copies"):
        for path in (root(lake) / folder).iterdir():
            path.unlink()
    again = Lake(lake.url)
    assert [row[:4] for row in rows(Queries(again).raw(None, *EVER))] == before
    assert again.positions() == {}


def test_a_missing_file_is_a_fault_and_the_rest_is_served(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.append(series(1, 50), {"a": 1})
    lake.append(series(2, 50), {"a": 2})
    asked = Queries(lake)
    assert len(asked.raw(None, *EVER)) == 100
    (root(lake) / lake.readings.snapshot().files[0].path).unlink()
    assert len(asked.raw(None, *EVER)) == 50
    assert kinds(lake) == {"file_damaged"}
