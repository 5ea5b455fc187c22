"""A process that follows the journals of a test, and what it left in lake and tables."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.gateway.ingest.kit import mqtt, now
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import Device, Latest
from yuanmai.devices.store.journal import Journal
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.ingest.follow import Ingest

Make = Callable[..., Device]
TOPIC = "v1/devices/me/telemetry"


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
