"""The journal: what goes in comes out, in order, and only when it is durable."""

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuanmai.devices.store.journal import (
    GroupCommit,
    Journal,
    JournalBroken,
    JournalError,
    JournalLocked,
    Reader,
    journals,
    recover,
    write_durable,
)
from yuanmai.devices.store.journal.files import segments_of
from yuanmai.devices.store.records import Kind, Record

ROWS = st.lists(
    st.tuples(
        st.sampled_from(sorted(Kind)),
        st.text(max_size=20),
        st.binary(max_size=300),
        st.integers(-(2**63), 2**63 - 1),
    ),
    max_size=12,
)


def read_all(folder: Path, after: int = 0, limit: int = 1 << 20) -> list[Record]:
    reader = Reader(folder)
    found: list[Record] = []
    while rows := reader.read(after, limit):
        found += rows
        after = rows[-1].sequence
    assert reader.damages == []
    reader.close()
    return found


def fill(journal: Journal, count: int, size: int = 100, group: int = 1) -> None:
    for number in range(count):
        journal.append(Kind.HJ212, "MN", f"{journal.last}:{number}".encode().ljust(size, b"."), number)
        if (number + 1) % group == 0:
            journal.sync()
    journal.sync()


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    groups=st.lists(ROWS, max_size=6),
    limit=st.sampled_from([1, 50, 700, 1 << 20]),
    segment=st.sampled_from([200, 1 << 20]),
)
def test_what_goes_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory,
    groups: list[list[tuple[Kind, str, bytes, int]]],
    limit: int,
    segment: int,
) -> None:
    """Any kinds, keys, payloads, times; any size of segments and pieces; also after opening anew."""
    root = tmp_path_factory.mktemp("journal")
    expected: list[Record] = []
    for group in groups:
        with Journal.open(root, "a", segment_bytes=segment) as journal:
            for kind, key, payload, received in group:
                sequence = journal.append(kind, key, payload, received)
                assert sequence == len(expected) + 1
                expected.append(Record(sequence, received, kind, key, payload))
            assert journal.sync() == len(expected)
            assert journal.damages == []
    if groups:
        assert read_all(root / "a", 0, limit) == expected
        for after in range(len(expected) + 1):
            assert Reader(root / "a").read(after, 1 << 20)[:1] == expected[after : after + 1]


def test_readers_see_nothing_that_is_not_synced(tmp_path: Path) -> None:
    """Buffered records stay out of sight, and so does what stands in the file behind the mark."""
    with Journal.open(tmp_path, "a") as journal:
        reader = Reader(tmp_path / "a")
        journal.append(Kind.MQTT, "k", b"one", 1)
        assert reader.read(0) == [] and reader.durable() == 0
        journal.sync()
        with (tmp_path / "a" / f"{1:020d}.seg").open("ab") as behind:
            behind.write(b"not ours")
        assert [row.payload for row in reader.read(0)] == [b"one"]
        journal.append(Kind.MQTT, "k", b"two", 2)
        journal.sync()
        assert [row.payload for row in reader.read(1)] == [b"two"]
        assert reader.read(2) == [] and reader.damages == []


def test_reader_follows_segments_and_pruning(tmp_path: Path) -> None:
    """A reader goes from segment to segment, also when those behind it are removed while it reads; the last one stays."""
    with Journal.open(tmp_path, "a", segment_bytes=500) as journal:
        reader, after = Reader(tmp_path / "a"), 0
        for _round in range(20):
            fill(journal, 5)
            rows = []
            while more := reader.read(after, 300):
                rows += more
                after = more[-1].sequence
            assert [row.sequence for row in rows] == list(range(journal.last - 4, journal.last + 1))
            reader.prune(after - 2)
        assert segments_of(tmp_path / "a")[0] > 90
        journal.prune(10**9)
        assert len(segments_of(tmp_path / "a")) == 1
    with Journal.open(tmp_path, "a") as journal:
        assert journal.last == 100
        fill(journal, 1)
        assert [row.sequence for row in reader.read(after)] == [101]
        assert Reader(tmp_path / "a").read(0)[-1].sequence == 101


def test_stream_stays_with_the_folder(tmp_path: Path) -> None:
    """Positions in the lake name the stream: it lasts, differs between journals, and comes back from a segment if its file is lost."""
    with Journal.open(tmp_path, "a") as journal, Journal.open(tmp_path, "b") as other:
        stream = journal.stream
        assert stream != other.stream and len(stream) == 32
        fill(journal, 2)
    (tmp_path / "a" / "stream").write_text("illegible")
    with Journal.open(tmp_path, "a") as journal:
        assert journal.stream == stream == Reader(tmp_path / "a").stream
        assert journal.last == 2
    assert journals(tmp_path) == [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(JournalError, match="no journal"):
        Reader(tmp_path / "c")


def test_one_writer_per_folder(tmp_path: Path) -> None:
    """Neither this process nor another can open a journal that is being written; a killed writer holds nothing."""
    code = (
        "import sys, time; from pathlib import Path; from yuanmai.devices.store.journal import Journal\n"
        "journal = Journal.open(Path(sys.argv[1]), 'a'); print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "src"},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"open\n"
        with pytest.raises(JournalLocked, match="another process"):
            Journal.open(tmp_path, "a", patience=0.05)
        with Journal.claim(tmp_path, "web") as first, Journal.claim(tmp_path, "web") as second:
            assert [first.folder.name, second.folder.name] == ["web-1", "web-2"]
            assert recover(tmp_path) == []
        child.kill()
    with Journal.open(tmp_path, "a"), pytest.raises(JournalLocked):
        Journal.open(tmp_path, "a", patience=0)
    assert recover(tmp_path) == [tmp_path / "a", tmp_path / "web-1", tmp_path / "web-2"]


def test_limits_name_what_is_too_large(tmp_path: Path) -> None:
    """A key beyond 65,535 bytes is refused before it joins a group."""
    with Journal.open(tmp_path, "a") as journal:
        with pytest.raises(ValueError, match="key of 70000 bytes"):
            journal.append(Kind.MQTT, "k" * 70_000, b"", 0)
        journal.append(Kind.MQTT, "\udcff" * 3, b"", 0)  # a client identifier that was no UTF-8
        journal.sync()
        assert [row.key for row in Reader(journal.folder).read(0)] == ["\udcff" * 3]
    with pytest.raises(JournalBroken, match="closed"):
        fill(journal, 1)


def test_threads_share_groups(tmp_path: Path) -> None:
    """Many threads: each is told the sequence of its own records, and they need fewer syncs than writes."""
    told: dict[int, bytes] = {}

    def work(number: int) -> None:
        for turn in range(20):
            payloads = [f"{number}/{turn}/{place}".encode() for place in range(3)]
            first = write_durable(
                journal, [Record(0, turn, Kind.READINGS, "web", payload) for payload in payloads]
            )
            told.update({first + place: payload for place, payload in enumerate(payloads)})

    with Journal.open(tmp_path, "a") as journal:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert journal.groups < 160
    assert {row.sequence: row.payload for row in read_all(tmp_path / "a")} == told
    assert len(told) == 480


async def _commit(root: Path, count: int) -> tuple[list[int], int, list[str]]:
    seen: list[int] = []
    marks: list[str] = []
    with Journal.open(root, "a") as journal:
        reader = Reader(root / "a")
        group = GroupCommit(
            journal, asyncio.get_running_loop(), high_bytes=20_000, low_bytes=1_000,
            paused=lambda: marks.append("paused"), resumed=lambda: marks.append("resumed"),
        )  # fmt: skip

        def done(error: JournalError | None, number: int = 0) -> None:
            assert error is None
            assert reader.durable() > number  # told only when readers may see it
            seen.append(number)

        for number in range(count):
            group.add(Kind.JT808, "t", bytes(200), number, lambda error, number=number: done(error, number))
            if number % 7 == 0:
                await asyncio.sleep(0)
        await group.flush()
        assert group.pending_bytes == 0
        await group.close()
        with pytest.raises(JournalBroken):
            group.add(Kind.JT808, "t", b"", 0)
        return seen, journal.groups, marks


def test_loop_commits_in_groups(tmp_path: Path) -> None:
    """Every record is answered once, in order, after it is durable; groups form; the marks of back-pressure come in turn."""
    seen, groups, marks = asyncio.run(_commit(tmp_path, 3_000))
    assert seen == list(range(3_000))
    assert groups < 1_500
    assert marks and marks == ["paused", "resumed"] * (len(marks) // 2)
    assert len(read_all(tmp_path / "a")) == 3_000


def test_killed_at_a_hundred_instants(tmp_path: Path) -> None:
    """kill -9 of a writing process, a hundred times on one folder: what it said was durable is there, numbered without gaps."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed.py")), str(tmp_path), "100"],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "PYTHONPATH": "src"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    kills, acknowledged, unfinished = map(int, done.stdout.split())
    assert kills == 100 and acknowledged > 1_000
    assert unfinished > 0  # some were hit in the middle of a group
