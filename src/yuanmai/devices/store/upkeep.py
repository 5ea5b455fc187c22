"""The lake's housekeeping: one round of it, retention, removal of files nobody reads any more, the search for damage."""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import overload

from yuanmai.devices.store import columns, compaction, rolled
from yuanmai.devices.store.columns import APART, SECOND, as_number
from yuanmai.devices.store.compaction import RAW_KEPT_FROM
from yuanmai.devices.store.entries import COPIES, LOG, Conflict, decode, entry_path
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.table import Fault, Table

logger = logging.getLogger(__name__)
GRACE = 3600.0  # s that a file outlives its removal from the log, for readers under way
CHECKPOINT_EVERY = 50
PASSES = 64  # over what has arrived, in one round


@dataclass(slots=True)
class Done:
    """What a round did, in numbers of files and days."""

    sorted: int = 0
    merged: int = 0
    compacted: int = 0
    rolled: int = 0
    folded: int = 0
    conflicts: int = 0

    def note(self, error: Conflict) -> None:
        """Count a conflict: the step is for the next round."""
        self.conflicts += 1
        logger.info("lake: %s", error)


def tables(lake: Lake) -> tuple[Table, Table, Table]:
    """Return the tables of a lake."""
    return lake.readings, lake.hourly, lake.daily


@overload
def maintain(
    lake: Lake, now: float | None = None, *, quiet: float = 600.0, everything: bool = False
) -> Done: ...


@overload
def maintain(
    lake: Lake, now: float | None = None, *, quiet: float = 600.0, everything: bool = False, wait: bool
) -> Done | None: ...


def maintain(
    lake: Lake, now: float | None = None, *, quiet: float = 600.0, everything: bool = False, wait: bool = True
) -> Done | None:
    """Do one round: sort what arrived, merge small files, compact days that are due, roll them up, write checkpoints.

    `everything`: also days over since a moment ago (the nightly round). One process at a time on one machine: without `wait`
    returns None when another is at it. On several machines the later of two that touch the same files gives way.
    """
    moment = time.time() if now is None else now
    try:
        with lake.readings.files.lock("upkeep", wait=wait):
            return _round(lake, moment, quiet, everything)
    except BlockingIOError:
        return None


def _round(lake: Lake, now: float, quiet: float, everything: bool) -> Done:
    """See `maintain`."""
    done = Done()
    try:
        for _ in range(PASSES):
            files = compaction.sort_arrivals(lake, at_least=1 if everything else 2)
            done.sorted += files
            if not files:
                break
        done.merged = compaction.merge_small(lake)
    except Conflict as error:
        done.note(error)
    for day in compaction.due(lake, now, quiet=quiet, everything=everything):
        try:
            done.compacted += bool(compaction.compact_day(lake, day))
        except Conflict as error:
            done.note(error)
    try:
        done.rolled = len(rolled.refresh(lake))
        done.folded = rolled.fold(lake, columns.as_date(columns.day_number(int(now * SECOND))))
    except Conflict as error:
        done.note(error)
    for table in tables(lake):
        table.checkpoint(CHECKPOINT_EVERY)
    return done


def retain(lake: Lake, raw_from: date, rolled_from: date | None = None) -> int:
    """Remove raw readings of days before `raw_from`, roll-ups of days before `rolled_from`; return how many files went.

    Days are rolled up before their raw readings go. What comes later for such a day is not taken up again. Of readings with
    wrong clocks those go that came before.
    """
    with lake.readings.files.lock("upkeep"):
        number = as_number(raw_from)
        for day in sorted(compaction.days_with_runs(lake)):
            if day < raw_from and day != columns.MISDATED:
                compaction.compact_day(lake, day)
        rolled.refresh(lake)
        hours = rolled.held(lake.hourly.snapshot())
        gone = []
        for held_day, files in lake.readings.snapshot().days.items():
            made = hours.get(held_day)
            if held_day < number and made and made.mark == rolled.of_raw(files):
                gone += [file.path for file in files]
        moment = as_number(raw_from) * columns.DAY - columns.EAST
        gone += [
            file.path
            for file in lake.readings.snapshot().files
            if file.level == APART and file.written * SECOND < moment
        ]
        moved = {RAW_KEPT_FROM: number} if number > compaction.kept_from(lake) else {}
        if gone or moved:
            lake.readings.commit((), gone, moved, operation="RETAIN")
        for table in (lake.hourly, lake.daily):
            if rolled_from is None:
                break
            begin, _ = columns.day_bounds(rolled_from)
            old = [f.path for f in table.snapshot().files if f.end < begin]
            if old:
                table.commit((), old, operation="RETAIN")
                gone += old
        return len(gone)


def sweep(lake: Lake, now: float | None = None, grace: float = GRACE) -> int:
    """Delete files that no version since `grace` seconds names, and log entries behind the last but one checkpoint."""
    moment = time.time() if now is None else now
    with lake.readings.files.lock("upkeep"):
        return sum(_sweep_table(table, moment - grace) for table in tables(lake))


def _sweep_table(table: Table, before: float) -> int:
    """Delete what nobody can be reading any more from one table."""
    listed = table.files.listing("")
    entries = sorted(
        (int(e.path[len(LOG) + 1 : len(LOG) + 21]) for e in listed if e.path.startswith(f"{LOG}/") and e.path.endswith(".json")),
        reverse=True,
    )  # fmt: skip
    spared = {file.path for file in table.snapshot().files}
    for version in entries:
        try:
            actions = decode(table.files.read(entry_path(version)))
        except (OSError, ValueError):
            continue
        spared |= {a["remove"]["path"] for a in actions if "remove" in a}
        if actions[0].get("commitInfo", {}).get("timestamp", 0) / 1000 < before:
            break
    count = 0
    for entry in listed:
        if entry.path.startswith("_") or not entry.path.endswith(".parquet"):
            continue
        if entry.path not in spared and entry.changed < before:
            table.files.delete(entry.path)
            count += 1
    return count + _sweep_log(table, before)


def _sweep_log(table: Table, before: float) -> int:
    """Delete log entries, copies and checkpoints that the last but one checkpoint makes needless, and only old ones."""
    listed = [e for folder in (LOG, COPIES) for e in table.files.listing(folder)]
    checkpoints = sorted(
        int(e.path[len(LOG) + 1 : len(LOG) + 21])
        for e in listed
        if e.path.startswith(LOG) and e.path.endswith(".checkpoint.parquet")
    )
    if len(checkpoints) < 2:
        return 0
    needed = checkpoints[-2]
    count = 0
    for entry in listed:
        name = entry.path.rsplit("/", 1)[-1]
        if name[:20].isdigit() and int(name[:20]) < needed and entry.changed < before:
            table.files.delete(entry.path)
            count += 1
    return count


def scrub(lake: Lake) -> list[Fault]:
    """Read every file against its checksum; quarantine what is damaged and make roll-ups anew. Return the new faults."""
    found = [fault for table in tables(lake) for fault in table.scrub()]
    if found:
        with lake.readings.files.lock("upkeep"), suppress(Conflict):
            rolled.refresh(lake)
    return found


def numbers(lake: Lake) -> dict[str, int]:
    """Return what the page of the system shows: rows and files by level, bytes, days not yet compacted, faults."""
    files = lake.readings.snapshot().files
    return {
        "rows": sum(f.rows for f in files),
        "files": len(files),
        "bytes": sum(f.size for t in tables(lake) for f in t.snapshot().files),
        "arrived_files": sum(f.level == 0 for f in files),
        "open_days": len(compaction.days_with_runs(lake)),
        "faults": len(lake.faults()),
    }
