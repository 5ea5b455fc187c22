"""The journal through power cuts: only what was synced is sure to survive, of the rest any part may."""

import errno
import random
import shutil
from pathlib import Path

from tests.devices.store.disk import Killed, RecordingDisk, power_cut
from yuanmai.devices.store.journal import Damage, Journal, JournalBroken, JournalError, JournalFull, Reader
from yuanmai.devices.store.journal.files import segments_of
from yuanmai.devices.store.records import Kind, Record


def served(folder: Path) -> tuple[list[Record], list[Damage]]:
    """All a reader gets, and what it reports."""
    reader, after, found = Reader(folder), 0, []
    while rows := reader.read(after, 4096):
        found += rows
        after = rows[-1].sequence
    reader.close()
    return found, reader.damages


class Watched:
    """A journal on a recording disk, with a reader beside it that looks after every step."""

    def __init__(self, root: Path, segment_bytes: int = 2_000) -> None:
        self.disk = RecordingDisk(root, self.look)
        self.root = root
        self.contents: dict[int, set[tuple[str, bytes]]] = {}
        self.acknowledged: dict[int, tuple[str, bytes]] = {}
        self.seen: dict[int, tuple[str, bytes]] = {}
        self.reader: Reader | None = None
        self.journal = Journal.open(root, "a", segment_bytes=segment_bytes, reserve_bytes=0, files=self.disk)
        self.reader = Reader(root / "a")

    def look(self) -> None:
        if self.reader is None:
            return
        for row in self.reader.read(max(self.seen, default=0)):
            self.seen[row.sequence] = (row.key, row.payload)
            self.disk.steps.append(
                type(self.disk.steps[0])("seen", note=(row.sequence, row.key, row.payload))
            )
        assert self.reader.damages == []

    def group(self, chance: random.Random, tag: str) -> JournalError | None:
        made: dict[int, tuple[str, bytes]] = {}
        for _number in range(chance.choice((1, 2, 9))):
            payload = chance.randbytes(chance.choice((3, 100, 700)))
            sequence = self.journal.append(Kind.MQTT, tag, payload, 1)
            made[sequence] = (tag, payload)
            self.contents.setdefault(sequence, set()).add((tag, payload))
        try:
            self.journal.sync()
        except JournalError as error:
            return error
        for sequence, content in made.items():
            self.disk.note("acknowledged", (sequence, *content))
            self.acknowledged[sequence] = content
        return None

    def open_after_kill(self) -> None:
        """The system closes what the process held; the next one opens the journal, also killed now and then while it does."""
        faults = self.disk.faults
        faults.write = faults.sync = faults.folder = None
        faults.short = faults.truncate = False
        self.journal._release()
        for again in (2, 4, None):
            faults.kill = again
            try:
                self.journal = Journal.open(
                    self.root, "a", segment_bytes=2_000, reserve_bytes=0, files=self.disk
                )
            except Killed:
                continue
            break
        faults.kill = None
        assert self.journal.damages == []

    def check_cut(self, steps: int, seed: int, target: Path) -> None:
        """Cut the power after so many steps, open what is left, and hold it against what was promised by then."""
        done = self.disk.steps[:steps]
        promised = {row.note[0]: row.note[1:] for row in done if row.what in ("acknowledged", "seen")}  # type: ignore[index]
        power_cut(done, random.Random(seed), target)
        for turn in range(2):
            with Journal.open(target, "a", segment_bytes=2_000, reserve_bytes=0) as journal:
                assert journal.damages == [], (steps, seed)
                found, damages = served(target / "a")
                assert damages == [], (steps, seed)
                assert [row.sequence for row in found] == list(range(1, len(found) + 1)), (steps, seed)
                by_number = {row.sequence: (row.key, row.payload) for row in found}
                assert promised.items() <= by_number.items(), (steps, seed)
                for sequence, content in by_number.items():
                    assert turn or content in self.contents[sequence], (steps, seed)
                assert journal.last == len(found)
                promised[len(found) + 1] = ("after", b"the cut")
                journal.append(Kind.MQTT, "after", b"the cut", 2)
                journal.sync()


def test_power_cut_at_every_step(tmp_path: Path) -> None:
    """Only synced bytes and names survive, and any part of the rest: it opens without repair, nothing acknowledged or ever read is lost."""
    chance = random.Random(11)
    watched = Watched(tmp_path / "live")
    for turn in range(45):
        assert watched.group(chance, f"t{turn}") is None
    watched.journal.close()
    assert len(segments_of(tmp_path / "live" / "a")) > 5
    assert len(watched.disk.steps) >= 200
    for steps in range(len(watched.disk.steps) + 1):
        watched.check_cut(steps, steps, tmp_path / f"cut{steps}")
        shutil.rmtree(tmp_path / f"cut{steps}", ignore_errors=True)


def test_power_cut_after_faults(tmp_path: Path) -> None:
    """The same when writes, syncs and folders failed before: what was refused may be there or not, what was acknowledged is."""
    cuts = kills = 0
    kinds: set[type[JournalError]] = set()
    for seed in range(40):
        chance = random.Random(seed)
        watched = Watched(tmp_path / f"live{seed}")
        faults = watched.disk.faults
        for turn in range(14):
            fault = chance.choice(
                ("none", "none", "write", "short", "sync", "folder", "reopen", "kill", "kill")
            )
            faults.truncate = chance.random() < 0.3
            if fault in ("write", "short"):
                faults.write, faults.short = 0, fault == "short"
                faults.write_errno = chance.choice((errno.ENOSPC, errno.EIO, errno.EFBIG))
            elif fault == "sync":
                faults.sync, faults.sync_errno = 0, chance.choice((errno.EIO, errno.ENOSPC))
            elif fault == "folder":
                faults.folder = 0
            elif fault == "reopen":
                faults.truncate = False
                watched.journal.close()
                watched.journal = Journal.open(
                    watched.root, "a", segment_bytes=2_000, reserve_bytes=0, files=watched.disk
                )
                assert watched.journal.damages == []
            elif fault == "kill":
                faults.kill = chance.randrange(4)
            try:
                error = watched.group(chance, f"t{turn}")
            except Killed:
                error = None
                watched.open_after_kill()
                kills += 1
            faults.kill = None
            if error is not None:
                kinds.add(type(error))
            faults.write = faults.sync = faults.folder = None
            faults.short = faults.truncate = False
            if error is not None:
                assert watched.group(chance, f"again{turn}") is None  # it heals without being opened anew
        watched.journal.close()
        found, damages = served(watched.root / "a")
        assert damages == []
        assert {row.sequence: (row.key, row.payload) for row in found} == watched.acknowledged | {
            row.sequence: (row.key, row.payload) for row in found if row.sequence not in watched.acknowledged
        }
        for _cut in range(6):
            steps = chance.randint(1, len(watched.disk.steps))
            watched.check_cut(steps, chance.randrange(10**6), tmp_path / f"cut{seed}")
            shutil.rmtree(tmp_path / f"cut{seed}", ignore_errors=True)
            cuts += 1
    assert cuts >= 200 and kills >= 50 and kinds == {JournalFull, JournalBroken}
