"""Readings copied at any instant while they arrive: what was acknowledged before is in the copy once, and life goes on in it."""

from __future__ import annotations

import random
import shutil
import threading
from pathlib import Path

import pytest

from tests.devices.store.test_journal_lake import contents, drain, payload_of
from yuanmai.devices.store.copying import bring_back, copy_journals, held, holds_readings
from yuanmai.devices.store.journal import Journal
from yuanmai.devices.store.journal.writer import recover
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.records import Kind
from yuanmai.devices.store.upkeep import maintain, sweep

SEGMENT = 8 << 10


def copied(root: Path, lake: Lake, target: Path) -> Path:
    """A copy as a backup makes it: named files, read while the lake is held."""
    journals = [("journal", *member) for member in copy_journals(root, target.parent / f"{target.name}-held")]
    with held(lake) as files:
        for part, name, path in [*journals, *(("lake", *member) for member in files)]:
            place = target / part / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    return target


def test_a_copy_at_any_instant_has_everything_acknowledged_before_it(tmp_path: Path) -> None:
    root, lake = tmp_path / "journal", Lake(str(tmp_path / "lake"))
    chance, over, acknowledged = random.Random(20261122), threading.Event(), [0]
    failed: list[BaseException] = []

    def write() -> None:
        with Journal.open(root, "gateway", segment_bytes=SEGMENT) as journal:
            while not over.is_set():
                for number in range(acknowledged[0] + 1, acknowledged[0] + chance.randint(2, 31)):
                    assert journal.append(Kind.READINGS, "d", payload_of(number), 1) == number
                acknowledged[0] = journal.sync()
                journal.prune(lake.durable_positions().get(journal.stream, 0))

    def follow() -> None:
        while not over.is_set():
            drain(root / "gateway", lake, 4 << 10)
            maintain(lake, quiet=0, wait=False)
            sweep(lake)

    def guarded(work: object) -> None:
        try:
            work()  # type: ignore[operator]
        except BaseException as error:
            failed.append(error)
            over.set()

    threads = [threading.Thread(target=guarded, args=(work,)) for work in (write, follow)]
    for thread in threads:
        thread.start()
        while not acknowledged[0]:  # there is a journal before somebody follows it
            assert not over.wait(0.01), failed
    copies: list[tuple[int, Path]] = []
    try:
        for turn in range(12):
            assert not over.wait(chance.uniform(0.01, 0.25)), failed
            copies.append((acknowledged[0], copied(root, lake, tmp_path / f"copy-{turn}")))
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failed == []
    assert copies[0][0] < copies[-1][0]
    pruned = unread = 0
    for before, copy in copies:
        home = tmp_path / f"home-{copy.name}"
        bring_back(copy, home / "journal", home / "lake", "20261122")
        again = Lake(str(home / "lake"))
        recover(home / "journal")
        (journal,) = (home / "journal").iterdir()
        assert journal.name == "gateway.20261122"
        pruned += not (journal / f"{1:020d}.seg").exists()
        unread += before > max(again.positions().values(), default=0)
        # The gateway begins anew under its old name: nothing that it takes is mistaken for something old.
        with Journal.open(home / "journal", "gateway") as fresh:
            fresh.append(Kind.READINGS, "d", payload_of(1_000_000), 1)
            fresh.sync()
        for folder in ("gateway.20261122", "gateway"):
            drain(home / "journal" / folder, again)
        found = contents(again)
        assert set(found.values()) == {1}
        sequences = {int(value) for _point, _time, value, _sequence in found}
        assert sequences >= set(range(1, before + 1)) | {1_000_000}
        maintain(again, quiet=0, everything=True)
        assert contents(again) == found
        assert again.faults() == []
    assert pruned and unread, (
        "the test is to see journals that are pruned, and ones that are ahead of the lake"
    )


def test_a_lake_with_readings_is_not_written_over(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    assert not holds_readings(tmp_path / "lake"), "the log of an empty table is no reading"
    with Journal.open(tmp_path / "journal", "g") as journal:
        journal.append(Kind.READINGS, "d", payload_of(1), 1)
        journal.sync()
    drain(tmp_path / "journal" / "g", lake)
    copy = copied(tmp_path / "journal", lake, tmp_path / "copy")
    with pytest.raises(FileExistsError):
        bring_back(copy, tmp_path / "other", tmp_path / "lake", "1")
    assert not (tmp_path / "other").exists()
    Lake(str(tmp_path / "empty"))
    bring_back(copy, tmp_path / "other", tmp_path / "empty", "1")
    assert contents(Lake(str(tmp_path / "empty"))) == contents(lake)
