"""What a crash at any place, a full disk or a lost lake leaves: nothing is lost, nothing stands twice."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.ingest.following import Make, lake_rows, latest, made, put, run, vanish
from tests.gateway.ingest.kit import now, numbers
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.quality import JUMP
from yuanmai.devices.models import DeviceState, Latest, Oddity, UnknownDevice
from yuanmai.devices.store.journal import Journal
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.ingest import follow
from yuanmai.gateway.ingest.buffer import Rewound, join

pytestmark = pytest.mark.django_db
EMPTY = join([])


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
