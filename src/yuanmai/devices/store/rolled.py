"""The tables `hourly` and `daily`: roll-ups of compacted days, which tell themselves what they were made from.

A file of a day names in its own name what it was made from: in `hourly` the compacted file of readings, in `daily` the mark of
all of them. So whether a roll-up still fits needs no bookkeeping that could be wrong. The days of a month are later folded into
one file, since a year of small files is slow to read; then the mark of each day stands in the log (transaction `day:<number>`,
0 where the file's rows of that day do not count any more). A day whose raw readings were removed by retention keeps its roll-ups.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa

from yuanmai.devices.store import parquet, rollup
from yuanmai.devices.store.columns import as_date, day_number, day_numbers
from yuanmai.devices.store.compaction import kept_from, read_sound
from yuanmai.devices.store.entries import Conflict, DataFile
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.table import Snapshot, Table

HOURS_PER_GROUP = 24_576
APP = "day:"
FOLD_ROWS = 4_000_000  # a month of more rows stays in files by day
FOLD_DAYS = 8  # so many finished days of the running month are folded


@dataclass(frozen=True, slots=True)
class Held:
    """What a table of roll-ups holds of a day: in which files, and the mark of what it was made from."""

    files: tuple[DataFile, ...]
    mark: int

    @property
    def folded(self) -> bool:
        """Whether the file holds other days as well."""
        return self.files[0].day is None


def mark(ids: Iterable[str]) -> int:
    """Return the mark of a set of files, never 0."""
    return int(hashlib.sha256(",".join(sorted(ids)).encode()).hexdigest()[:15], 16) or 1


def of_raw(files: Iterable[DataFile]) -> int:
    """Return the mark of compacted files of readings."""
    return mark(file.id for file in files)


def held(snapshot: Snapshot, *, daily: bool = False) -> dict[int, Held]:
    """Return what a version of a table of roll-ups holds, by day number."""
    marks = {
        int(app[len(APP) :]): value for app, value in snapshot.transactions.items() if app.startswith(APP)
    }
    found: dict[int, Held] = {}
    for file in snapshot.files:
        if file.day is None:
            for day in range(day_number(file.begin), day_number(file.end) + 1):
                if marks.get(day):
                    found[day] = Held((file,), marks[day])
    for day, files in snapshot.days.items():
        made = int(files[0].source, 16) if daily else mark(file.source for file in files)
        found[day] = Held(tuple(files), made)
    return found


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
    raw, snapshot = lake.readings.snapshot().days, lake.hourly.snapshot()
    have = held(snapshot)
    first = kept_from(lake)
    touched = []
    for day, files in sorted(raw.items()):
        if day < first or (day in have and have[day].mark == of_raw(files)):
            continue
        old = {file.source: file for file in snapshot.days.get(day, ())}
        now = {file.id for file in files}
        adds = []
        for file in files:
            if file.id in old:
                continue
            rows, sound = read_sound(lake, [file])
            if not sound:
                raise Conflict(f"{file.path} is damaged and has been taken out")
            adds.append(_write(lake.hourly, rollup.hourly(rows), as_date(day), file.id))
        stale = [file.path for source, file in old.items() if source not in now]
        lake.hourly.commit(adds, stale, _unfold(snapshot, day), operation="ROLL UP")
        touched.append(as_date(day))
    _refresh_days(lake, raw, first)
    return touched


def _unfold(snapshot: Snapshot, day: int) -> dict[str, int]:
    """Return the transaction after which the rows that a folded file has of a day do not count."""
    return {f"{APP}{day}": 0} if snapshot.transactions.get(f"{APP}{day}") else {}


def _refresh_days(lake: Lake, raw: Mapping[int, list[DataFile]], first: int) -> None:
    """Make the days fit their hours again."""
    snapshot = lake.daily.snapshot()
    hours, days = held(lake.hourly.snapshot()), held(snapshot, daily=True)
    for day, made_from in sorted(hours.items()):
        if day in days and (days[day].mark == made_from.mark or day not in raw or day < first):
            continue
        rows = read_sound_rollup(lake.hourly, made_from.files)
        rows = rollup.daily(rows.take(day_numbers(rows.time) == day))
        old = [file.path for file in snapshot.days.get(day, ())]
        adds = [_write(lake.daily, rows, as_date(day), f"{made_from.mark:015x}")] if len(rows) else []
        lake.daily.commit(adds, old, _unfold(snapshot, day), operation="ROLL UP")


def _write(table: Table, rows: rollup.Rollup, day: date | None, source: str) -> DataFile:
    part: Mapping[str, str | None] = {"day": day.isoformat() if day else None}
    return table.write(rollup.to_table(rows), part, row_group=HOURS_PER_GROUP, compression=3, source=source)


def fold(lake: Lake, today: date) -> int:
    """Fold the files of finished days into one a month; return how many files went in. Raises `Conflict`."""
    return sum(_fold(table, today, daily=table is lake.daily) for table in (lake.hourly, lake.daily))


def _fold(table: Table, today: date, *, daily: bool) -> int:
    snapshot = table.snapshot()
    holds = held(snapshot, daily=daily)
    months: dict[tuple[int, int], list[int]] = defaultdict(list)
    for day in holds:
        if (today - as_date(day)).days >= 2:
            months[as_date(day).year, as_date(day).month].append(day)
    count = 0
    for month, days in sorted(months.items()):
        single = [day for day in days if not holds[day].folded]
        files = {file.path: file for day in days for file in holds[day].files}
        over = month < (today.year, today.month)
        if len(single) < (1 if over else FOLD_DAYS) or sum(f.rows for f in files.values()) > FOLD_ROWS:
            continue
        if over and len(files) == 1 and len(days) == 1:
            continue  # one file for one day: nothing is gained
        parts = []
        for file in files.values():
            rows = read_sound_rollup(table, [file])
            if len(rows) != file.rows:
                raise Conflict(f"{file.path} is damaged and has been taken out")
            mine = [day for day in days if file in holds[day].files]
            parts.append(rows.take(np.isin(day_numbers(rows.time), mine)))
        whole = rollup.join(parts)
        begin, end = day_number(int(whole.time.min())), day_number(int(whole.time.max()))
        marks = {f"{APP}{day}": 0 for day in range(begin, end + 1)}
        marks |= {f"{APP}{day}": holds[day].mark for day in days}
        # Also a folded file of the month of which no day counts any more.
        gone = set(files) | {
            f.path for f in snapshot.files
            if f.day is None and (as_date(day_number(f.begin)).year, as_date(day_number(f.begin)).month) == month
        }  # fmt: skip
        table.commit([_write(table, whole, None, "fold")], sorted(gone), marks, operation="FOLD")
        count += len(files)
    return count
