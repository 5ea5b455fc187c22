"""The tables `hourly` and `daily`: roll-ups of compacted days, each file naming what it was made from.

A file of `hourly` holds the hours of one compacted file of readings and carries its id in its name; a file of `daily` those of
one day, made from its hours. So whether a roll-up still fits needs no bookkeeping that could be wrong: it fits when the ids do.
A day whose raw readings were removed by retention keeps its roll-ups.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

import pyarrow as pa

from yuanmai.devices.store import parquet, rollup
from yuanmai.devices.store.columns import COMPACTED, as_number
from yuanmai.devices.store.compaction import kept_from, read_sound
from yuanmai.devices.store.entries import Conflict, DataFile
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.table import Table

HOURS_PER_GROUP = 24_576


def compacted(files: Iterable[DataFile]) -> dict[date, list[DataFile]]:
    """Return the compacted files of readings by day."""
    found: dict[date, list[DataFile]] = defaultdict(list)
    for file in files:
        if file.level == COMPACTED and file.day:
            found[file.day].append(file)
    return dict(found)


def by_day(files: Iterable[DataFile]) -> dict[date, list[DataFile]]:
    """Return the files of roll-ups by day."""
    found: dict[date, list[DataFile]] = defaultdict(list)
    for file in files:
        if file.day:
            found[file.day].append(file)
    return dict(found)


def mark(files: Iterable[DataFile]) -> str:
    """Return the id of a set of files."""
    return hashlib.sha256(",".join(sorted(file.id for file in files)).encode()).hexdigest()[:20]


def fits(raw: Iterable[DataFile], hours: Iterable[DataFile]) -> bool:
    """Return whether these files of hours are those of exactly these compacted files."""
    return {file.id for file in raw} == {file.source for file in hours}


def read_sound_rollup(table: Table, chosen: Iterable[DataFile]) -> rollup.Rollup:
    """Return the rows of the sound files; damaged ones are quarantined (and made anew in the next round)."""
    parts = []
    for file in chosen:
        try:
            parts += [rollup.from_table(t) for t in parquet.read_rows(table.files, [file])]
        except (OSError, pa.ArrowException):
            reason = parquet.damage(table.files, file)
            if reason is None:
                raise
            table.quarantine(file, reason)
    return rollup.join(parts)


def refresh(lake: Lake) -> list[date]:
    """Make the roll-ups fit the compacted days again; return the days that were touched. Raises `Conflict`.

    Files made from something that is no longer there go, what is missing is computed from the readings; the rest stays.
    """
    raw, hours = compacted(lake.readings.snapshot().files), by_day(lake.hourly.snapshot().files)
    first = kept_from(lake)
    touched = []
    for day, files in sorted(raw.items()):
        if as_number(day) < first:
            continue
        have = {file.source: file for file in hours.get(day, ())}
        missing = [file for file in files if file.id not in have]
        stale = [file for source, file in have.items() if source not in {f.id for f in files}]
        if not missing and not stale:
            continue
        adds = []
        for file in missing:
            rows, sound = read_sound(lake, [file])
            if not sound:
                raise Conflict(f"{file.path} is damaged and has been taken out")
            made = rollup.hourly(rows)
            if len(made):
                adds.append(_write(lake.hourly, made, day, file.id))
        lake.hourly.commit(adds, [file.path for file in stale], operation="ROLL UP")
        touched.append(day)
    _refresh_days(lake)
    return touched


def _refresh_days(lake: Lake) -> None:
    """Make the days fit their hours again."""
    hours, days = by_day(lake.hourly.snapshot().files), by_day(lake.daily.snapshot().files)
    for day, files in sorted(hours.items()):
        source = mark(files)
        old = days.get(day, [])
        if [file.source for file in old] == [source]:
            continue
        made = rollup.daily(read_sound_rollup(lake.hourly, files))
        add = [_write(lake.daily, made, day, source)] if len(made) else []
        lake.daily.commit(add, [file.path for file in old], operation="ROLL UP")


def _write(table: Table, rows: rollup.Rollup, day: date, source: str) -> DataFile:
    part: Mapping[str, str | None] = {"day": day.isoformat()}
    return table.write(rollup.to_table(rows), part, row_group=HOURS_PER_GROUP, compression=3, source=source)


def usable(raw: Iterable[DataFile] | None, hours: Iterable[DataFile]) -> bool:
    """Return whether a day's roll-ups may be used: they fit, or nothing raw is kept any more that they could fit to."""
    return raw is None or fits(raw, hours)
