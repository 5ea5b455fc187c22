"""A writer that is killed at random instants, again and again, on the same journal. Run in a process of its own: it forks."""

import os
import random
import select
import signal
import struct
import sys
import time
from pathlib import Path

from yuanmai.devices.store.journal import Journal, Reader
from yuanmai.devices.store.records import Kind, Record


def payload_of(sequence: int) -> bytes:
    """The content every record must have: it follows from its sequence."""
    return random.Random(sequence).randbytes(sequence % 700)


def _write(root: Path, pipe: int) -> None:
    """Write groups for ever; say each durable sequence on the pipe."""
    journal = Journal.open(root, "a", segment_bytes=64 << 10)
    sizes = random.Random(time.time_ns())
    while True:
        for _number in range(sizes.choice((1, 3, 40))):
            sequence = journal.last + 1 + len(journal._buffer)
            journal.append(Kind.HJ212, "MN", payload_of(sequence), sequence)
        last = journal.sync()
        os.write(pipe, struct.pack("<Q", last))
        journal.prune(last - 500)


def run(root: Path, kills: int, seed: int) -> str:
    """Kill a writer so often; return "kills acknowledged unfinished" or raise AssertionError."""
    chance = random.Random(seed)
    acknowledged = unfinished = passed = 0
    for _kill in range(kills):
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(receive)
            _write(root, send)
        os.close(send)
        until = time.monotonic() + chance.uniform(0.002, 0.06)
        said = b""
        while (left := until - time.monotonic()) > 0:
            if select.select([receive], [], [], left)[0]:
                said += os.read(receive, 1 << 16)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        while piece := os.read(receive, 1 << 16):
            said += piece
        os.close(receive)
        if said:
            acknowledged = struct.unpack_from("<Q", said, len(said) - 8)[0]
        before = sum(path.stat().st_size for path in (root / "a").glob("*.seg"))
        with Journal.open(root, "a", segment_bytes=64 << 10) as journal:
            assert journal.damages == [], journal.damages
            assert journal.last >= acknowledged, (journal.last, acknowledged)
            unfinished += journal.last > acknowledged or before > sum(
                path.stat().st_size for path in (root / "a").glob("*.seg")
            )
            reader = Reader(root / "a")
            rows: list[Record] = []
            while more := reader.read(passed):
                rows += more
                passed = more[-1].sequence
            assert reader.damages == []
            assert passed == journal.last
            assert [row.sequence for row in rows] == list(range(passed - len(rows) + 1, passed + 1))
            assert all(row.payload == payload_of(row.sequence) for row in rows)
            reader.close()
    return f"{kills} {acknowledged} {unfinished}"


if __name__ == "__main__":
    print(run(Path(sys.argv[1]), int(sys.argv[2]), 7))
