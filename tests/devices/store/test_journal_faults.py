"""The journal when the disk or the machine fails: cut records, flipped bits, power cuts, a full disk, failed writes and syncs."""

import errno
import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.devices.store.disk import RecordingDisk
from yuanmai.devices.store.journal import (
    Damage,
    Journal,
    JournalBroken,
    JournalError,
    JournalFull,
    Reader,
)
from yuanmai.devices.store.journal.files import segment_path, segments_of
from yuanmai.devices.store.records import Kind, Record

STREAM = bytes(range(16))


def make(root: Path, groups: list[list[int]], segment_bytes: int = 1 << 20) -> list[Record]:
    """A journal of a fixed stream with groups of payloads of these sizes."""
    (root / "a").mkdir(parents=True)
    (root / "a" / "stream").write_text(STREAM.hex())
    rows: list[Record] = []
    with Journal.open(root, "a", segment_bytes=segment_bytes) as journal:
        for group in groups:
            for size in group:
                number = len(rows) + 1
                payload = random.Random(number).randbytes(size)
                journal.append(Kind.HJ212, f"MN{number}", payload, number)
                rows.append(Record(number, number, Kind.HJ212, f"MN{number}", payload))
            journal.sync()
    return rows


def served(folder: Path) -> tuple[list[Record], list[Damage]]:
    """All a reader gets, and what it reports."""
    reader, after, found = Reader(folder), 0, []
    while rows := reader.read(after, 4096):
        found += rows
        after = rows[-1].sequence
    reader.close()
    return found, reader.damages


def size_of(record: Record) -> int:
    return 40 + len(record.key) + len(record.payload)


def test_cut_at_every_byte_of_the_last_record(tmp_path: Path) -> None:
    """Without the mark (as after a power cut): the whole record or nothing of it; the records before it stay; writing goes on."""
    rows = make(tmp_path / "whole", [[50, 60], [70]])
    path = segment_path(tmp_path / "whole" / "a", 1)
    data = path.read_bytes()
    for length in range(len(data) - size_of(rows[-1]), len(data) + 1):
        root = tmp_path / str(length)
        (root / "a").mkdir(parents=True)
        (root / "a" / "stream").write_text(STREAM.hex())
        segment_path(root / "a", 1).write_bytes(data[:length])
        with Journal.open(root, "a") as journal:
            assert journal.damages == []
            assert journal.last == (3 if length == len(data) else 2)
            assert journal.append(Kind.HJ212, "next", b"next", 9) == journal.last + 1
            journal.sync()
        found, damages = served(root / "a")
        assert damages == []
        assert found[:-1] == rows[: len(found) - 1]
        assert [row.sequence for row in found] == list(range(1, len(found) + 1))
        assert found[-1].payload == b"next"
        assert not (root / "a" / "quarantine").exists()
        shutil.rmtree(root)


def test_cut_acknowledged_records_are_reported(tmp_path: Path) -> None:
    """With the mark: bytes that were acknowledged are gone. This is said, and their numbers are not given again."""
    rows = make(tmp_path / "whole", [[50], [60], [70]])
    data = segment_path(tmp_path / "whole" / "a", 1).read_bytes()
    for missing in (1, 30, size_of(rows[-1]), size_of(rows[-1]) + 5, len(data)):
        root = tmp_path / str(missing)
        shutil.copytree(tmp_path / "whole", root)
        segment_path(root / "a", 1).write_bytes(data[: len(data) - missing])
        gone = 3 if missing <= size_of(rows[-1]) else 2 if missing < 200 else 1
        with Journal.open(root, "a") as journal:
            assert journal.damages and journal.damages[-1].first == gone and journal.damages[-1].last == 3
            assert journal.append(Kind.HJ212, "next", b"next", 9) == 4
            journal.sync()
        found, damages = served(root / "a")
        assert [row.sequence for row in found] == [*range(1, gone), 4]
        assert (damages[0].first, damages[-1].last) == (gone, 3)


@pytest.mark.parametrize("reopened", [False, True])
def test_flipped_bits_are_found_set_aside_and_passed(tmp_path: Path, reopened: bool) -> None:
    """A bit in every byte of a segment in turn (of heads, keys, payloads, and the segment's own header): never served, the rest is."""
    rows = make(tmp_path / "whole", [[20, 30, 40], [25], [0, 35]])
    data = segment_path(tmp_path / "whole" / "a", 1).read_bytes()
    places = [48]
    for row in rows:
        places.append(places[-1] + size_of(row))
    assert places[-1] == len(data)
    chance = random.Random(3)
    root = tmp_path / "flipped"
    for byte in range(len(data)):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(tmp_path / "whole", root)
        changed = bytearray(data)
        changed[byte] ^= 1 << chance.randrange(8)
        segment_path(root / "a", 1).write_bytes(bytes(changed))
        hit = next((number for number, end in enumerate(places[1:]) if places[number] <= byte < end), None)
        if reopened:
            with Journal.open(root, "a") as journal:
                assert journal.last == len(rows)
                assert [(row.first, row.last) for row in journal.damages] == (
                    [] if hit is None else [(hit + 1, hit + 1)]
                )
                journal.append(Kind.HJ212, "next", b"next", 9)
                assert journal.sync() == len(rows) + 1
        found, damages = served(root / "a")
        found = [row for row in found if row.key != "next"]
        assert found == [row for number, row in enumerate(rows) if number != hit], byte
        if hit is None:
            assert damages == []
            continue
        assert [(row.first, row.last) for row in damages] == [(hit + 1, hit + 1)], byte
        kept = list((root / "a" / "quarantine").glob("*.bin"))
        assert [path.read_bytes() for path in kept] == [bytes(changed[places[hit] : places[hit + 1]])], byte


def test_flipped_bits_without_the_mark(tmp_path: Path) -> None:
    """After a power cut, with the mark gone: groups before the last are known to be durable, so what is illegible there is damage and
    the rest is served; in the last group it cannot be told from a cut write, and what was legible behind it is set aside.
    """
    rows = make(tmp_path / "whole", [[20, 30, 40], [25], [0, 35]])
    (tmp_path / "whole" / "a" / "mark").unlink()
    data = segment_path(tmp_path / "whole" / "a", 1).read_bytes()
    end = 48
    for number, row in enumerate(rows):
        begin, end = end, end + size_of(row)
        for byte in range(begin, end, 3):
            root = tmp_path / f"{byte}"
            shutil.copytree(tmp_path / "whole", root)
            changed = bytearray(data)
            changed[byte] ^= 4
            segment_path(root / "a", 1).write_bytes(bytes(changed))
            with Journal.open(root, "a") as journal:
                found, damages = served(root / "a")
                kept = [path.read_bytes() for path in (root / "a" / "quarantine").glob("*.bin")]
                if number < 4:
                    assert found == rows[:number] + rows[number + 1 :]
                    assert [(hit.first, hit.last) for hit in damages] == [(number + 1, number + 1)]
                    assert journal.last == 6 and kept == [bytes(changed[begin:end])]
                else:
                    assert found == rows[:number] and damages == [] and journal.last == number
                    assert kept == ([bytes(changed[begin:])] if number == 4 else [])
            shutil.rmtree(root)


def test_many_flips_in_many_segments(tmp_path: Path) -> None:
    """Random damage all over: what is served is right, what is not served is reported, and opening never fails."""
    sizes = [[random.Random(number).randrange(400)] * (number % 4 + 1) for number in range(60)]
    rows = make(tmp_path / "whole", sizes, 3_000)
    for seed in range(60):
        chance = random.Random(seed)
        root = tmp_path / str(seed)
        shutil.copytree(tmp_path / "whole", root)
        for _flip in range(chance.randint(1, 30)):
            path = segment_path(root / "a", chance.choice(segments_of(root / "a")))
            data = bytearray(path.read_bytes())
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(bytes(data))
        with Journal.open(root, "a") as journal:
            assert journal.last == len(rows)
        found, damages = served(root / "a")
        assert set(found) <= set(rows)
        missing = {row.sequence for row in rows} - {row.sequence for row in found}
        assert missing
        assert missing == {number for row in damages for number in range(row.first, row.last + 1)} & missing
        assert sum(row.last - row.first + 1 for row in damages) == len(missing)
        shutil.rmtree(root)


@pytest.fixture
def disk(tmp_path: Path) -> RecordingDisk:
    return RecordingDisk(tmp_path)


def one(journal: Journal, payload: bytes) -> int:
    journal.append(Kind.JT808, "k", payload, 1)
    return journal.sync()


def test_full_disk_refuses_the_group_and_heals(tmp_path: Path, disk: RecordingDisk) -> None:
    """Half of a group fits: nothing of it is kept, its numbers are given again, and the next write succeeds when there is room."""
    with Journal.open(tmp_path, "a", reserve_bytes=0, files=disk) as journal:
        assert one(journal, b"before") == 1
        size = segment_path(tmp_path / "a", 1).stat().st_size
        disk.faults.write, disk.faults.short = 0, True
        with pytest.raises(JournalFull, match="No space left"):
            one(journal, b"refused" * 100)
        assert segment_path(tmp_path / "a", 1).stat().st_size == size
        assert one(journal, b"after") == 2
        assert segments_of(tmp_path / "a") == [1]
        assert [row.payload for row in served(tmp_path / "a")[0]] == [b"before", b"after"]


def test_reserve_is_left_to_others(tmp_path: Path, disk: RecordingDisk) -> None:
    """Groups are refused before the disk is full: the database still needs room to work."""
    with Journal.open(tmp_path, "a", reserve_bytes=1_000_000, files=disk) as journal:
        disk.faults.free = 1_000_500
        assert one(journal, b"x" * 400) == 1
        assert journal.room() == 500
        with pytest.raises(JournalFull, match="reserve"):
            one(journal, b"x" * 500)
        assert journal.refused_groups == 1
        disk.faults.free = None
        assert one(journal, b"x" * 500) == 2
    with Journal.open(tmp_path, "b", files=disk) as journal:
        free, size = disk.space(tmp_path)
        assert journal.room() == free - min(256 << 20, size // 50)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (lambda faults: setattr(faults, "sync", 0), JournalBroken),
        (
            lambda faults: (setattr(faults, "sync", 0), setattr(faults, "sync_errno", errno.ENOSPC)),
            JournalFull,
        ),
        (
            lambda faults: (setattr(faults, "write", 0), setattr(faults, "write_errno", errno.EIO)),
            JournalBroken,
        ),
        (
            lambda faults: (
                setattr(faults, "write", 0),
                setattr(faults, "short", True),
                setattr(faults, "truncate", True),
            ),
            JournalFull,
        ),
    ],
    ids=["sync fails", "sync has no room", "write fails", "cutting back fails"],
)
def test_failed_disk_is_not_trusted_again(
    tmp_path: Path, disk: RecordingDisk, fault: Callable[[object], object], kind: type[JournalError]
) -> None:
    """After a failed sync or write nothing is put behind the failed pages: the next group stands in a new segment."""
    with Journal.open(tmp_path, "a", reserve_bytes=0, files=disk) as journal:
        one(journal, b"before")
        fault(disk.faults)
        with pytest.raises(kind):
            one(journal, b"refused" * 50)
        disk.faults.truncate = False
        assert one(journal, b"after") == 2
        assert segments_of(tmp_path / "a") == [1, 2]
        assert journal.damages == []
    found, damages = served(tmp_path / "a")
    assert [row.payload for row in found] == [b"before", b"after"] and damages == []
    with Journal.open(tmp_path, "a") as journal:
        assert journal.last == 2


def test_broken_disk_stays_refused_until_it_works(tmp_path: Path, disk: RecordingDisk) -> None:
    """As long as no new segment can be begun every group is refused; nothing of them turns up later."""
    with Journal.open(tmp_path, "a", reserve_bytes=0, files=disk) as journal:
        one(journal, b"before")
        disk.faults.sync = 0
        for _turn in range(4):
            with pytest.raises(JournalBroken):
                one(journal, b"refused")
            disk.faults.folder = 0
        disk.faults.folder = None
        assert one(journal, b"after") == 2
    assert [row.payload for row in served(tmp_path / "a")[0]] == [b"before", b"after"]


def test_bits_lost_with_a_failed_sync_are_reported(tmp_path: Path, disk: RecordingDisk) -> None:
    """What is durable in a segment given up is read again from the medium."""
    with Journal.open(tmp_path, "a", reserve_bytes=0, files=disk) as journal:
        one(journal, b"before")
        one(journal, b"also before")
        disk.faults.sync = 0
        with pytest.raises(JournalBroken):
            one(journal, b"refused")
        with segment_path(tmp_path / "a", 1).open("r+b") as segment:
            segment.seek(100)
            segment.write(b"\0\0\0\0\0")
        assert one(journal, b"after") == 3
        assert [(row.first, row.last) for row in journal.damages] == [(2, 2)]
    assert [row.payload for row in served(tmp_path / "a")[0]] == [b"before", b"after"]


def test_file_size_limit_of_the_system(tmp_path: Path) -> None:
    """A real refusal by the kernel in the middle of a group (RLIMIT_FSIZE): EFBIG after a short write."""
    code = (
        "import resource, sys; from pathlib import Path; from yuanmai.devices.store.journal import Journal, JournalFull\n"
        "journal = Journal.open(Path(sys.argv[1]), 'a', reserve_bytes=0)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))\n"
        "acknowledged = refused = 0\n"
        "for number in range(40):\n"
        "    for part in range(3): journal.append(1, 'k', b'%d' % (journal.last + 1 + part) * 200, 1)\n"
        "    try: acknowledged = journal.sync()\n"
        "    except JournalFull: refused += 1\n"
        "print(acknowledged, refused)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src"},
    )
    acknowledged, refused = map(int, done.stdout.split())
    assert refused >= 1 and acknowledged == 3 * (40 - refused)
    found, damages = served(tmp_path / "a")
    assert damages == []
    assert [row.payload for row in found] == [b"%d" % number * 200 for number in range(1, acknowledged + 1)]
    assert len(segments_of(tmp_path / "a")) >= 2
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20_000
