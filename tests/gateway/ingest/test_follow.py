"""From the journal to lake and tables, round by round; and what a crash at any place leaves."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.gateway.ingest.kit import mqtt, now, numbers, touch
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.quality import JUMP
from yuanmai.devices.models import Device, DeviceState, Latest, Oddity, UnknownDevice
from yuanmai.devices.store.journal import Journal
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.ingest import follow
from yuanmai.gateway.ingest.buffer import Rewound, join
from yuanmai.gateway.ingest.follow import Busy, Ingest

pytestmark = pytest.mark.django_db
Make = Callable[..., Device]
TOPIC = "v1/devices/me/telemetry"
EMPTY = join([])


def put(journal: Journal, key: str, body: dict[str, Any], received: int, kind: Kind = Kind.MQTT) -> None:
    journal.append(kind, key, mqtt(TOPIC, json.dumps(body)), received)


def made(tmp_path: Path, **more: Any) -> Ingest:
    process = Ingest(tmp_path / "journal", Lake(str(tmp_path / "lake")), **more)
    process.start()
    return process


def vanish(process: Ingest) -> None:
    """End a process as SIGKILL does: nothing is written, the lock is gone."""
    for reader in process.readers.values():
        reader.close()
    os.close(process._lock)


def run(tmp_path: Path) -> None:
    """Take in everything, and end in order."""
    process = made(tmp_path)
    while process.round():
        pass
    process.close()


def lake_rows(tmp_path: Path) -> list[tuple[int, int, float | None, int]]:
    """All readings in the lake, and that none stands there twice."""
    lake = Lake(str(tmp_path / "lake"))
    # The rows of the files themselves: nothing is left to the reader's choice among doubles.
    files = [lake.readings.files.uri(file.path) for file in lake.readings.snapshot().files]
    if not files:
        return []
    stored = pa.concat_tables([pq.read_table(path, partitioning=None) for path in files])
    each = list(zip(*(stored[name].to_pylist() for name in ("point", "time", "sequence")), strict=True))
    assert len(each) == len(set(each))
    found = Queries(lake).raw(None, 0, now() + 10**12)
    values = [None if value != value else value for value in found.value.tolist()]
    rows = zip(found.point.tolist(), found.time.tolist(), values, found.quality.tolist(), strict=True)
    return sorted(rows, key=lambda row: row[:2])


def latest() -> dict[int, tuple[float | None, int]]:
    with everywhere():
        return {row.point_id: (row.value, int(row.time.timestamp() * 1e6)) for row in Latest.objects.all()}


def test_from_the_journal_to_lake_and_tables(tmp_path: Path, journal: Journal, make_device: Make) -> None:
    lamp = make_device("mqtt", "lamp-1", ["temp", "power"])
    points, began = numbers(lamp), now()
    put(journal, "lamp-1", {"temp": 1, "power": 5, "rssi": 3}, began)
    put(journal, "lamp-1", {"temp": 2, "ts": began // 1000 - 60_000}, began + 1)
    put(journal, "stranger", {"temp": 2}, began + 2)
    journal.sync()
    process = made(tmp_path)
    process.round()
    assert latest() == {points["temp"]: (1.0, began), points["power"]: (5.0, began)}
    process.close()
    earlier = (began // 1000 - 60_000) * 1000
    assert lake_rows(tmp_path) == [
        (points["temp"], earlier, 2.0, 0), (points["temp"], began, 1.0, 0), (points["power"], began, 5.0, 0),
    ]  # fmt: skip
    with everywhere():
        state = DeviceState.objects.get(device=lamp)
        assert (state.online, state.frames, state.readings) == (True, 2, 3)
        odd = Oddity.objects.get(device=lamp)
        assert (odd.kind, odd.count, odd.sample) == ("unmapped", 1, "rssi=3")
    unknown = UnknownDevice.objects.get()
    assert (unknown.protocol, unknown.key, unknown.frames, unknown.first_sequence) == (
        "mqtt",
        "stranger",
        1,
        3,
    )
    assert unknown.sample["addresses"] == {"temp": 2}
    assert unknown.stream == journal.stream


def test_journals_that_appear_later_are_followed(tmp_path: Path, journal: Journal, make_device: Make) -> None:
    points = numbers(make_device("mqtt", "lamp-1", ["temp"]))
    process = made(tmp_path)
    with Journal.open(tmp_path / "journal", "web-1") as other:
        put(other, "lamp-1", {"temp": 3}, now())
        other.sync()
        process._at.clear()
        process.round()
    process.close()
    assert [(row[0], row[2]) for row in lake_rows(tmp_path)] == [(points["temp"], 3.0)]


def test_only_one_process_follows(tmp_path: Path, journal: Journal) -> None:
    process = made(tmp_path)
    with pytest.raises(Busy):
        made(tmp_path)
    process.close()
    made(tmp_path).close()


def test_older_values_do_not_replace_newer(tmp_path: Path, journal: Journal, make_device: Make) -> None:
    point = numbers(make_device("mqtt", "lamp-1", ["temp"]))["temp"]
    began = now()
    times = [began // 1000 - seconds * 1000 for seconds in range(50)]
    random.Random(1).shuffle(times)
    for value, time in enumerate(times):
        put(journal, "lamp-1", {"temp": value, "ts": time}, began + value)
    journal.sync()
    run(tmp_path)
    assert latest() == {point: (float(times.index(max(times))), max(times) * 1000)}
    assert len(lake_rows(tmp_path)) == 50


def test_a_wrong_clock_never_blocks_the_latest_value(
    tmp_path: Path, journal: Journal, make_device: Make
) -> None:
    point = numbers(make_device("mqtt", "lamp-1", ["temp"]))["temp"]
    began = now()
    put(journal, "lamp-1", {"temp": 1, "ts": 4_291_747_200_000}, began)
    put(journal, "lamp-1", {"temp": 2, "ts": began // 1000 + 80_000_000}, began + 1000)
    put(journal, "lamp-1", {"temp": 3}, began + 2000)
    journal.sync()
    run(tmp_path)
    assert latest() == {point: (3.0, began + 2000)}


def story(journal: Journal, seed: int, count: int, began: int) -> None:
    """Devices that speak as devices do: late, twice, disordered, unknown; counters; births; packages."""
    dice = random.Random(seed)
    for number in range(count):
        received = began + number * 50_000
        lamp = f"lamp-{dice.randrange(4)}"
        body: dict[str, Any] = {"temp": round(dice.gauss(20, 5), 1), "count": number // 3}
        if dice.random() < 0.3:
            body["ts"] = (received - dice.randrange(10**9)) // 1000
        if dice.random() < 0.05:
            body["temp"] = "NaN"
        if dice.random() < 0.05:
            body["extra"] = 1
        put(journal, lamp if dice.random() < 0.9 else "stranger", body, received)
        if dice.random() < 0.1:
            put(journal, lamp, body, received)
        if dice.random() < 0.05:
            told = {"address": f"10.0.0.{dice.randrange(9)}:1", "gateway": "g"}
            kind = dice.choice([Kind.CONNECTED, Kind.DISCONNECTED])
            journal.append(kind, f"mqtt:{lamp}", json.dumps(told).encode(), received)
        if number % 20 == 19:
            journal.sync()
    journal.sync()


def tables() -> dict[str, Any]:
    """What the database says, without when it was written."""
    names = ("device_id", "online", "changed_at", "last_seen", "address", "frames", "readings")
    with everywhere():
        return {
            "latest": latest(),
            "states": sorted(DeviceState.objects.values_list(*names)),
            "odd": sorted(Oddity.objects.values_list("device_id", "kind", "count", "sample")),
            "unknown": sorted(
                UnknownDevice.objects.values_list("protocol", "key", "frames", "first_sequence")
            ),
        }


def forget_tables() -> None:
    with everywhere():
        for model in (Latest, DeviceState, Oddity, UnknownDevice):
            model.objects.all().delete()


@pytest.mark.parametrize("seed", range(4))
def test_killed_anywhere_it_comes_to_the_same(
    tmp_path: Path, journal: Journal, make_device: Make, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {"temp": {"deadband": 1.0}, "count": {"kind": "counter"}}
    for number in range(4):
        make_device(
            "mqtt", f"lamp-{number}", ["temp", "count"], points=points, profile={"jump": {"temp": 5.0}}
        )
    story(journal, seed, 400, now() - 400 * 50_000)
    run(tmp_path)
    wanted, wanted_tables = lake_rows(tmp_path), tables()
    assert any(row[3] & JUMP for row in wanted), "the story has jumps"

    # The same journal again, read in small pieces and killed at random instants, also in the middle of a commit.
    forget_tables()
    (tmp_path / "journal" / ".ingest.json").unlink()
    (tmp_path / "lake").rename(tmp_path / "before")
    dice = random.Random(seed + 100)
    monkeypatch.setattr(follow, "COMMIT_EVERY", 0.0)
    monkeypatch.setattr(follow, "ROUND", 0.0)

    class Killed(BaseException):
        pass

    for _life in range(25):
        monkeypatch.setattr(follow, "PIECE", dice.randrange(400, 6000))
        monkeypatch.setattr(follow, "CHECKPOINT_EVERY", dice.choice([0.0, 0.0, 1000.0]))
        process = made(tmp_path)
        place = dice.choice(["round", "append", "after", "checkpoint", "write"])
        rounds = dice.randrange(1, 4)

        def kill(*_a: Any, **_k: Any) -> None:
            raise Killed

        try:
            for turn in range(rounds):
                if turn == rounds - 1:
                    with monkeypatch.context() as patch:
                        if place == "append":
                            patch.setattr(process.lake, "append", kill)
                        elif place == "after":
                            append = process.lake.append
                            patch.setattr(process.lake, "append", lambda *a, f=append: (f(*a), kill()))
                        elif place == "checkpoint":
                            patch.setattr(follow.checkpoint, "save", kill)
                        elif place == "write":
                            patch.setattr(process.tables, "write", kill)
                        process.round()
                else:
                    process.round()
        except Killed:
            pass
        vanish(process)
    monkeypatch.undo()
    run(tmp_path)
    assert lake_rows(tmp_path) == wanted
    assert tables() == wanted_tables


def test_the_same_journal_once_more_changes_nothing(
    tmp_path: Path, journal: Journal, make_device: Make
) -> None:
    for number in range(4):
        make_device("mqtt", f"lamp-{number}", ["temp", "count"])
    story(journal, 7, 200, now() - 10**7)
    run(tmp_path)
    before, before_tables = lake_rows(tmp_path), tables()
    for _number in range(3):
        run(tmp_path)
    assert lake_rows(tmp_path) == before and tables() == before_tables


def test_an_adopted_device_brings_along_what_it_said(
    tmp_path: Path, journal: Journal, make_device: Make
) -> None:
    make_device("mqtt", "lamp-1", ["temp"])
    process = made(tmp_path)
    began = now()
    for number in range(10):
        put(journal, "lamp-9", {"temp": number}, began + number)
        put(journal, "lamp-1", {"temp": number}, began + number)
    journal.sync()
    process.round()
    process.write(everything=True)
    assert UnknownDevice.objects.get().frames == 10
    made_now = make_device("mqtt", "lamp-9", ["temp"])
    put(journal, "lamp-9", {"temp": 10}, began + 10)
    journal.sync()
    process._at.clear()
    for _number in range(3):
        process.round()
    process.close()
    point = numbers(made_now)["temp"]
    assert [(time - began, value) for number, time, value, _q in lake_rows(tmp_path) if number == point] == [
        (number, float(number)) for number in range(11)
    ]
    assert latest()[point] == (10.0, began + 10)
    assert not UnknownDevice.objects.exists()
    # Once only.
    run(tmp_path)
    assert len([row for row in lake_rows(tmp_path) if row[0] == point]) == 11


@pytest.mark.parametrize("place", ["before", "after"])
def test_an_adoption_that_was_killed_is_done_once(
    tmp_path: Path, journal: Journal, make_device: Make, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = made(tmp_path)
    began = now()
    for number in range(10):
        put(journal, "lamp-9", {"temp": number}, began + number)
    journal.sync()
    process.round()
    device = make_device("mqtt", "lamp-9", ["temp"])
    process._at.clear()

    class Killed(BaseException):
        pass

    append = process.buffer.append_now

    def kill(*arguments: Any) -> None:
        if place == "after":
            append(*arguments)
        raise Killed

    monkeypatch.setattr(process.buffer, "append_now", kill)
    with pytest.raises(Killed):
        for _number in range(3):
            process.round()
    vanish(process)
    run(tmp_path)
    point = numbers(device)["temp"]
    assert [row[2] for row in lake_rows(tmp_path)] == [float(number) for number in range(10)]
    assert latest()[point] == (9.0, began + 9)
    assert not UnknownDevice.objects.exists()


def test_a_disk_that_is_full_loses_nothing(
    tmp_path: Path, journal: Journal, make_device: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = numbers(make_device("mqtt", "lamp-1", ["temp"]))["temp"]
    process = made(tmp_path)
    began = now()
    with monkeypatch.context() as patch:
        patch.setattr(process.lake, "append", _full)
        put(journal, "lamp-1", {"temp": 1}, began)
        journal.sync()
        process._at.clear()
        process.round()
        assert process.health.troubles.keys() == {"lake"}
        assert latest()[point][0] == 1.0, "the newest value is shown all the same"
    put(journal, "lamp-1", {"temp": 2}, began + 1)
    journal.sync()
    process._at.clear()
    process.round()
    assert process.health.troubles == {}
    process.close()
    assert [row[2] for row in lake_rows(tmp_path)] == [1.0, 2.0]


def _full(*_a: Any, **_k: Any) -> None:
    raise OSError(28, "No space left on device")


def test_segments_go_when_the_lake_has_them(
    tmp_path: Path, make_device: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_device("mqtt", "lamp-1", ["temp"])
    with Journal.open(tmp_path / "journal", "small", segment_bytes=2000) as journal:
        for number in range(100):
            put(journal, "lamp-1", {"temp": number}, now())
            journal.sync()
        folder = journal.folder
        assert len(list(folder.glob("*.seg"))) > 3
        run(tmp_path)
        assert len(list(folder.glob("*.seg"))) == 1
        # What an unknown device says stays for its adoption.
        put(journal, "stranger", {"temp": 1}, now())
        for number in range(100):
            put(journal, "lamp-1", {"temp": number}, now())
            journal.sync()
        run(tmp_path)
        assert len(list(folder.glob("*.seg"))) > 3


def test_latest_values_come_back_from_the_lake(
    tmp_path: Path, journal: Journal, make_device: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    point = numbers(make_device("mqtt", "lamp-1", ["temp"]))["temp"]
    began = now()
    put(journal, "lamp-1", {"temp": 4}, began)
    journal.sync()
    run(tmp_path)
    forget_tables()
    monkeypatch.setattr(follow.checkpoint, "boot", lambda: "another start of the machine")
    run(tmp_path)
    assert latest() == {point: (4.0, began)}


def test_rules_hear_what_is_new(tmp_path: Path, journal: Journal, make_device: Make) -> None:
    class Rules:
        heard: list[float] = []
        ticks = flushes = 0

        def feed(self, readings: Any, _now: float) -> None:
            self.heard += readings.value.tolist()

        def tick(self, _now: float) -> None:
            self.ticks += 1

        def flush(self) -> None:
            self.flushes += 1

    make_device("mqtt", "lamp-1", ["temp"])
    rules = Rules()
    process = made(tmp_path, evaluation=rules)
    for number in range(3):
        put(journal, "lamp-1", {"temp": number}, now())
    journal.sync()
    process._at.clear()
    process.round()
    assert rules.heard == [0.0, 1.0, 2.0] and rules.ticks == 1 and rules.flushes >= 1
    process.close()


def test_retired_devices_and_reload(tmp_path: Path, journal: Journal, make_device: Make) -> None:
    lamp = make_device("mqtt", "lamp-1", ["temp"])
    process = made(tmp_path)
    put(journal, "lamp-1", {"temp": 1}, now())
    journal.sync()
    process.round()
    with everywhere():
        Device.objects.filter(pk=lamp.pk).update(enabled=False)
    touch()
    process._at.clear()
    process.round()
    put(journal, "lamp-1", {"temp": 2}, now())
    journal.sync()
    process.round()
    process.close()
    assert [row[2] for row in lake_rows(tmp_path)] == [1.0]
    assert UnknownDevice.objects.get().key == "lamp-1"


def test_a_lake_that_went_back_is_filled_again(
    tmp_path: Path, journal: Journal, make_device: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_device("mqtt", "lamp-1", ["temp"])
    process = made(tmp_path)
    put(journal, "lamp-1", {"temp": 1}, now())
    journal.sync()
    process._at.clear()
    process.round()
    (tmp_path / "lake").rename(tmp_path / "lost")
    Lake(str(tmp_path / "lake")).append(EMPTY, {"somebody": 1})
    process.lake = process.buffer.lake = Lake(str(tmp_path / "lake"))
    put(journal, "lamp-1", {"temp": 2}, now())
    journal.sync()
    process._at.clear()
    with pytest.raises(Rewound):
        process.round()
    vanish(process)
    run(tmp_path)
    assert [row[2] for row in lake_rows(tmp_path)] == [1.0, 2.0]
