"""Bulk writers of what is known at this moment: latest values, states of devices, oddities, unknown devices.

Only the ingest process writes here, with statements of some thousand rows; each writer is told how the row shall be, never
by how much it has grown, so writing the same twice changes nothing. SQLite and PostgreSQL both know `ON CONFLICT`.
"""

import json
import time as clock
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

ROWS = 2000  # per statement
EARLIEST, LATEST = -62_135_596_800_000_000, 253_402_300_799_000_000  # years 1 to 9999, in microseconds
Moments = npt.NDArray[np.int64]


class Revisions:
    """Numbers that grow with every write: microseconds of the clock, and never the same twice."""

    def __init__(self, last: int = 0) -> None:
        self.last = last

    def next(self) -> int:
        """Return the number of the next write."""
        self.last = max(self.last + 1, clock.time_ns() // 1000)
        return self.last


def last_revision() -> int:
    """Return the greatest revision that stands in the tables of the ingest process."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(r) FROM (SELECT max(revision) AS r FROM devices_latest"
            " UNION ALL SELECT max(revision) FROM devices_devicestate) AS revisions"
        )
        return int(cursor.fetchone()[0] or 0)


def moments(values: Moments, empty: int | None = None) -> list[Any]:
    """Return microseconds since 1970 (UTC) as the database takes them; `empty` stands for no time at all."""
    inside = np.clip(values, EARLIEST, LATEST)
    if connection.vendor == "sqlite":
        # As Django writes them: a blank between day and time.
        texts = np.datetime_as_string(inside.astype("datetime64[us]"), unit="us").astype("U26")
        if len(texts):
            texts = np.ascontiguousarray(texts)
            texts.view(np.uint32).reshape(len(texts), -1)[:, 10] = ord(" ")
        found: list[Any] = texts.tolist()
    else:
        found = [f"{text}+00" for text in np.datetime_as_string(inside.astype("datetime64[us]")).tolist()]
    if empty is not None:
        for place in np.flatnonzero(values == empty).tolist():
            found[place] = None
    return found


def numbers(values: npt.NDArray[np.float64]) -> list[float | None]:
    """Return numbers as the database takes them: nothing for what is none."""
    found: list[float | None] = values.tolist()
    for place in np.flatnonzero(~np.isfinite(values)).tolist():
        found[place] = None
    return found


def write_latest(
    point: npt.NDArray[np.int32],
    time: Moments,
    value: npt.NDArray[np.float64],
    quality: npt.NDArray[np.int16],
    received: Moments,
    revision: int,
) -> None:
    """Put newest readings in, each point once. A row that is newer (by time, then arrival) stays as it is."""
    _upsert(
        "devices_latest",
        ("point_id", "time", "value", "quality", "received", "revision"),
        ("integer", "timestamptz", "double precision", "smallint", "timestamptz", "bigint"),
        (
            point.tolist(), moments(time), numbers(value), quality.tolist(), moments(received),
            [revision] * len(point),
        ),
        "point_id",
        "(excluded.time, excluded.received) > (devices_latest.time, devices_latest.received)",
    )  # fmt: skip


STATE = (
    "device_id", "online", "changed_at", "last_seen", "address", "gateway", "longitude", "latitude", "direction", "speed",
    "positioned_at", "frames", "readings", "revision",
)  # fmt: skip
STATE_TYPES = (
    "bigint", "boolean", "timestamptz", "timestamptz", "text", "text", "double precision", "double precision",
    "double precision", "double precision", "timestamptz", "bigint", "bigint", "bigint",
)  # fmt: skip


def write_states(columns: Sequence[Sequence[Any]]) -> None:
    """Put states of devices in, columns in the order of `STATE`."""
    _upsert("devices_devicestate", STATE, STATE_TYPES, columns, "device_id")


@dataclass(frozen=True, slots=True)
class OddRow:
    """How often something odd has come from a device; times in microseconds since 1970."""

    device: int
    kind: str
    count: int
    first: int
    last: int
    sample: str


def write_oddities(rows: Sequence[OddRow]) -> None:
    """Put counts of oddities in."""
    _upsert(
        "devices_oddity",
        ("device_id", "kind", "count", "first_at", "last_at", "sample"),
        ("bigint", "text", "bigint", "timestamptz", "timestamptz", "text"),
        (
            [row.device for row in rows], [row.kind for row in rows], [row.count for row in rows],
            moments(_whole(row.first for row in rows)), moments(_whole(row.last for row in rows)),
            [row.sample for row in rows],
        ),
        "device_id, kind",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnknownRow:
    """Somebody in no register; times in microseconds since 1970."""

    protocol: str
    key: str
    address: str
    frames: int
    first: int
    last: int
    stream: str
    first_sequence: int
    sample: dict[str, Any]


def write_unknown(rows: Sequence[UnknownRow]) -> None:
    """Put unknown devices in. One that was dismissed stays dismissed."""
    _upsert(
        "devices_unknowndevice",
        (
            "protocol", "key", "address", "frames", "first_seen", "last_seen", "stream", "first_sequence", "sample",
        ),
        ("text", "text", "text", "bigint", "timestamptz", "timestamptz", "text", "bigint", "jsonb"),
        (
            [row.protocol for row in rows], [row.key for row in rows], [row.address for row in rows],
            [row.frames for row in rows], moments(_whole(row.first for row in rows)),
            moments(_whole(row.last for row in rows)), [row.stream for row in rows],
            [row.first_sequence for row in rows], [json.dumps(row.sample, ensure_ascii=False) for row in rows],
        ),
        "protocol, key",
    )  # fmt: skip


def _whole(values: Iterable[int]) -> Moments:
    return np.array(list(values), np.int64)


def _upsert(
    table: str,
    names: Sequence[str],
    types: Sequence[str],
    columns: Sequence[Sequence[Any]],
    key: str,
    condition: str = "",
) -> None:
    """Insert rows given as columns, or put them in the place of those with the same key where the condition holds."""
    size = len(columns[0])
    if not size:
        return
    keys = {name.strip() for name in key.split(",")}
    change = ", ".join(f"{name} = excluded.{name}" for name in names if name not in keys)
    where = f" WHERE {condition}" if condition else ""
    tail = f" ON CONFLICT ({key}) DO UPDATE SET {change}{where}"
    listed = ", ".join(names)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(names))
            cursor.executemany(
                f"INSERT INTO {table} ({listed}) VALUES ({marks}){tail}",  # noqa: S608 - names of ours
                list(zip(*columns, strict=True)),
            )
            return
        arrays = ", ".join(f"%s::{kind}[]" for kind in types)
        statement = f"INSERT INTO {table} ({listed}) SELECT * FROM unnest({arrays}){tail}"  # noqa: S608
        for begin in range(0, size, ROWS):
            cursor.execute(statement, [list(column[begin : begin + ROWS]) for column in columns])


def forget_unknown(protocol: str, key: str) -> None:
    """Take an adopted device off the list of unknown ones."""
    from yuanmai.devices.models import UnknownDevice

    UnknownDevice.objects.filter(protocol=protocol, key=key).delete()
