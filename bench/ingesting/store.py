"""The store alone: batches of readings made durable, and from there into the lake."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.ingesting.report import Watch, peak_mb, report
from yuanmai.devices.store.journal import Journal, Reader
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.readings import Readings
from yuanmai.devices.store.records import Kind

SCHEMA = pa.schema(
    [
        ("point", pa.int32()),
        ("time", pa.timestamp("us", tz="UTC")),
        ("value", pa.float64()),
        ("quality", pa.int16()),
    ]
)
POINTS = 1_000
START = 1_767_225_600_000_000  # 2026-01-01
COMMIT_ROWS = 400_000


def columns(number: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """Batch `number`: every point in turn, its moments a second apart, values that do not compress away."""
    index = np.arange(number * rows, (number + 1) * rows, dtype=np.int64)
    chance = np.random.default_rng(number)
    value = np.round(20 + 5 * np.sin(index / 9_000) + chance.normal(0, 0.3, rows), 2)
    return (index % POINTS).astype(np.int32) + 1, START + (index // POINTS) * 1_000_000, value


def arrow(number: int, rows: int) -> bytes:
    """A batch as HTTP ingest writes it into the journal."""
    point, moment, value = columns(number, rows)
    batch = pa.record_batch(
        [pa.array(point), pa.array(moment).cast(SCHEMA.field(1).type), pa.array(value), pa.array(np.zeros(rows, np.int16))],
        schema=SCHEMA,
    )  # fmt: skip
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, SCHEMA) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes()


def readings_of(payload: bytes, received: int, sequence: int) -> Readings:
    """What ingest makes of it."""
    table = pa.ipc.open_stream(payload).read_all()
    rows = len(table)
    return Readings(
        table["point"].to_numpy(), table["time"].to_numpy().astype(np.int64), table["value"].to_numpy(), table["quality"].to_numpy(),
        np.full(rows, received, np.int64), np.full(rows, sequence, np.int64),
    )  # fmt: skip


def cycle(count: int, rows: int) -> Iterator[bytes]:
    """Batches made beforehand: at most 64 MB of them, again and again."""
    made = [arrow(number, rows) for number in range(max(1, min(count, (64 << 20) // (rows * 22 + 600))))]
    for number in range(count):
        yield made[number % len(made)]


def measure_journal(batch: int, rows: int, seconds: float) -> None:
    """Each batch is appended and synced before the next: durable rows per second of one writer."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:  # noqa: SIM117
        with Journal.open(Path(folder), "journal") as journal:
            batches = list(cycle(max(1, rows // batch), batch))
            watch, slowest = Watch(), 0.0
            count = 0
            for payload in batches:
                began = time.perf_counter()
                journal.append(Kind.READINGS, "bench", payload, time.time_ns() // 1000)
                journal.sync()
                slowest = max(slowest, time.perf_counter() - began)
                count += batch
                if time.perf_counter() - watch.wall > seconds:
                    break
            report(
                "store journal", "yuanmai", batch=batch, **watch.figures(count), syncs=journal.groups,
                slowest_ms=round(slowest * 1000, 1), peak_rss_mb=peak_mb(), durable="fdatasync before each answer",
            )  # fmt: skip


def measure_small(rows: int, seconds: float, size: int = 300, group: int = 500) -> None:
    """Frames of devices, in groups as they form under load."""
    with (
        tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder,
        Journal.open(Path(folder), "journal") as journal,
    ):
        payload = np.random.default_rng(1).bytes(size)
        watch, count = Watch(), 0
        while count < rows and time.perf_counter() - watch.wall < seconds:
            for _number in range(group):
                journal.append(Kind.HJ212, "MN0123456789", payload, count)
            journal.sync()
            count += group
        report(
            "store journal, frames",
            "yuanmai",
            batch=group,
            record_bytes=size,
            **watch.figures(count),
            peak_rss_mb=peak_mb(),
        )
        watch, after, seen = Watch(), 0, 0
        reader = Reader(Path(folder) / "journal")
        while found := reader.read(after):
            after = found[-1].sequence
            seen += len(found)
        assert seen == count
        report(
            "store journal, frames read back",
            "yuanmai",
            record_bytes=size,
            **watch.figures(seen),
            peak_rss_mb=peak_mb(),
        )


def measure_lake(batch: int, rows: int, seconds: float) -> None:
    """From batches to rows in the lake: journal, then what ingest does, in one process one after the other."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as folder:
        lake = Lake(f"{folder}/lake")
        with Journal.open(Path(folder), "journal") as journal:
            reader = Reader(journal.folder)
            payloads = [arrow(number, batch) for number in range(max(1, rows // batch))]
            watch = Watch()
            count = drained = commits = 0
            parts: list[Readings] = []
            for payload in payloads:
                journal.append(Kind.READINGS, "bench", payload, time.time_ns() // 1000)
                journal.sync()
                count += batch
                if count - drained >= COMMIT_ROWS or payload is payloads[-1]:
                    drained, commits = count, commits + 1
                    after = lake.positions().get(journal.stream, 0)
                    while found := reader.read(after):
                        parts += [readings_of(row.payload, row.received, row.sequence) for row in found]
                        after = found[-1].sequence
                    lake.append(_join(parts), {journal.stream: after})
                    parts = []
                if time.perf_counter() - watch.wall > seconds and drained == count:
                    break
            figures = watch.figures(count)
        files = [lake.readings.files.uri(file.path) for file in lake.readings.snapshot().files]
        size = sum(Path(file).stat().st_size for file in files)
        there = sum(pq.ParquetFile(file).metadata.num_rows for file in files)
        assert there == count, (there, count)
        report(
            "store journal and lake", "yuanmai", batch=batch, **figures, commits=commits, bytes_per_row=round(size / count, 2),
            peak_rss_mb=peak_mb(), durable="fdatasync before each answer; Parquet and log fsynced in each commit",
        )  # fmt: skip


def _join(parts: list[Readings]) -> Readings:
    names = ("point", "time", "value", "quality", "received", "sequence")
    return Readings(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))
