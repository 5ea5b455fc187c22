"""From the journal to lake and tables, round by round."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.ingest.following import Make, lake_rows, latest, made, put, run
from tests.gateway.ingest.kit import now, numbers, touch
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, DeviceState, Oddity, UnknownDevice
from yuanmai.devices.store.journal import Journal
from yuanmai.gateway.ingest.follow import Busy

pytestmark = pytest.mark.django_db


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
