"""Moving rows upwards: what arrived is sorted into days, days are compacted. Each step is one commit; appends go on meanwhile.

A step reads files nobody changes any more, writes new ones and swaps them in the log. Somebody else having swapped the same
files meanwhile is a `Conflict`: nothing has happened, the step is for the next round. A file found damaged while it is read is
quarantined and the step goes on without it.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from yuanmai.devices.store import columns, parquet
from yuanmai.devices.store.columns import APART, ARRIVED, COMPACTED, MISDATED, SORTED, as_date, as_number
from yuanmai.devices.store.entries import Conflict, DataFile
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.readings import Readings

logger = logging.getLogger(__name__)
PASS_ROWS = 4_000_000  # rows sorted into days at once: about 700 MB while it lasts
FILE_ROWS = 4_000_000  # rows of a compacted file
RUNS = 8  # more files than this of one day are merged
RAW_KEPT_FROM = "retention:raw"  # transaction: day number before which raw readings have been removed


def take_out_damaged(lake: Lake, chosen: Sequence[DataFile]) -> None:
    """Quarantine which of these files are damaged. To be called while handling the error that reading them gave.

    Raises `Conflict` when one is not part of the table any more, and that error again when all are sound.
    """
    current = {file.path for file in lake.readings.snapshot().files}
    if any(file.path not in current for file in chosen):
        raise Conflict("a file has been replaced meanwhile")
    found = 0
    for file in chosen:
        reason = parquet.damage(lake.readings.files, file)
        if reason:
            lake.readings.quarantine(file, reason)
            found += 1
    if not found:
        raise


def read_sound(lake: Lake, chosen: Sequence[DataFile], points: tuple[int, int] | None = None) -> tuple[Readings, list[DataFile]]:  # fmt: skip
    """Return the rows of those files that are sound, and these files; the others are quarantined.

    Raises `Conflict` when a file has been replaced meanwhile, and what reading raises when the file itself is sound.
    """
    parts, sound = [], []
    for file in chosen:
        try:
            parts += [
                columns.from_table(t) for t in parquet.read_rows(lake.readings.files, [file], None, points)
            ]
        except (OSError, pa.ArrowException):
            take_out_damaged(lake, [file])
            continue
        sound.append(file)
    return columns.join(parts), sound


def kept_from(lake: Lake) -> int:
    """Return the day number from which raw readings are kept."""
    return lake.readings.transactions().get(RAW_KEPT_FROM, -(2**31))


def sort_arrivals(lake: Lake, at_least: int = 2) -> int:
    """Sort what has arrived into days, a bounded number of rows; return how many files of arrival are gone.

    Rows of days whose raw readings have been removed by retention are not taken up again.
    """
    arrived = [file for file in lake.readings.snapshot().files if file.level == ARRIVED]
    if len(arrived) < at_least:
        return 0
    taken: list[DataFile] = []
    total = 0
    for file in sorted(arrived, key=lambda f: f.written):
        if taken and total + file.rows > PASS_ROWS:
            break
        taken.append(file)
        total += file.rows
    rows, sound = read_sound(lake, taken)
    rows = columns.settle(rows)
    first = kept_from(lake)
    adds = []
    for day, part in columns.by_day(rows):
        if as_number(day) < first:
            logger.warning(
                "lake: %s readings of %s came after raw readings of that day were removed", len(part), day
            )
            continue
        adds.append(
            lake.readings.write(columns.to_table(part), {"level": str(SORTED), "day": day.isoformat()})
        )
    if sound:
        lake.readings.commit(adds, [file.path for file in sound], operation="SORT")
    return len(sound)


def merge_runs(lake: Lake, level: int, day: date, runs: Sequence[DataFile]) -> int:
    """Merge the smallest files of a day's sorted (or misdated) readings into one; return how many there were."""
    taken: list[DataFile] = []
    total = 0
    for file in sorted(runs, key=lambda f: f.rows):
        if len(taken) > 1 and (total + file.rows > PASS_ROWS or file.rows > 4 * total):
            break
        taken.append(file)
        total += file.rows
    rows, sound = read_sound(lake, taken)
    rows = columns.settle(rows)
    if len(sound) < 2:
        return 0
    add = lake.readings.write(columns.to_table(rows), {"level": str(level), "day": day.isoformat()})
    lake.readings.commit([add], [file.path for file in sound], operation="MERGE")
    return len(sound)


def _counts(lake: Lake, chosen: Sequence[DataFile]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Return the points of files and how many rows each has at most. Raises for a damaged file."""
    total: dict[int, int] = defaultdict(int)
    for table in parquet.read_rows(lake.readings.files, chosen, ["point"]):
        points, counts = np.unique(np.asarray(table["point"]), return_counts=True)
        for point, count in zip(points.tolist(), counts.tolist(), strict=True):
            total[point] += count
    order = sorted(total)
    return np.array(order, np.int32), np.array([total[p] for p in order], np.int64)


def _ranges(points: npt.NDArray[np.int32], counts: npt.NDArray[np.int64]) -> Iterable[tuple[int, int]]:
    """Cut points into ranges of about `FILE_ROWS` rows; a point is never cut."""
    before = np.cumsum(counts) - counts
    part = before // FILE_ROWS
    cuts = np.flatnonzero(np.diff(part)) + 1
    for chunk in np.split(points, cuts):
        if len(chunk):
            yield int(chunk[0]), int(chunk[-1])


def _territories(old: Sequence[DataFile]) -> list[tuple[int, int, DataFile | None]]:
    """Return ranges of points that together hold all, each with the compacted file that lies in it."""
    if not old:
        return [(-(2**31), 2**31 - 1, None)]
    files = sorted(old, key=lambda f: f.first_point)
    lows = [-(2**31), *(file.first_point for file in files[1:])]
    highs = [*(low - 1 for low in lows[1:]), 2**31 - 1]
    return list(zip(lows, highs, files, strict=True))


def compact_day(lake: Lake, day: date) -> int:
    """Bring the sorted readings of a day into its compacted files; return how many files went in. Raises `Conflict`.

    Of compacted files only those are written anew in whose range of points there is something new.
    """
    of_day = [file for file in lake.readings.snapshot().files if file.day == day]
    runs = [file for file in of_day if file.level == SORTED]
    old = [file for file in of_day if file.level == COMPACTED]
    if not runs:
        return 0
    try:
        points, counts = _counts(lake, runs)
    except (OSError, pa.ArrowException):
        take_out_damaged(lake, runs)
        return compact_day(lake, day)
    adds: list[DataFile] = []
    removes = [file.path for file in runs]
    part = {"level": str(COMPACTED), "day": day.isoformat()}
    for low, high, file in _territories(old):
        inside = (points >= low) & (points <= high)
        if not inside.any():
            continue
        mine, new = points[inside], counts[inside]
        if file is not None:
            try:
                theirs, held = _counts(lake, [file])
            except (OSError, pa.ArrowException):
                take_out_damaged(lake, [file])
                return compact_day(lake, day)
            removes.append(file.path)
            every = np.union1d(mine, theirs).astype(np.int32)
            sums = np.zeros(len(every), np.int64)
            sums[np.searchsorted(every, mine)] += new
            sums[np.searchsorted(every, theirs)] += held
            mine, new = every, sums
        sources = [*runs, file] if file else runs
        for span in _ranges(mine, new):
            rows, sound = read_sound(lake, sources, span)
            if len(sound) < len(sources):
                return compact_day(lake, day)  # the damaged one is out of the table now
            rows = columns.settle(rows)
            if len(rows):
                adds.append(lake.readings.write(columns.to_table(rows), part, compression=3))
    lake.readings.commit(adds, removes, operation="COMPACT")
    return len(removes)


def days_with_runs(lake: Lake) -> dict[date, list[DataFile]]:
    """Return the sorted, not yet compacted files by day."""
    found: dict[date, list[DataFile]] = defaultdict(list)
    for file in lake.readings.snapshot().files:
        if file.level == SORTED and file.day:
            found[file.day].append(file)
    return dict(found)


def due(lake: Lake, now: float, *, quiet: float = 600.0, everything: bool = False) -> list[date]:
    """Return the days worth compacting, oldest first.

    A day is: when what is new is half of what is compacted and at least a million rows; when it is over and nothing new has
    come for `quiet` seconds; or (`everything`) when it is over.
    """
    today = as_date(columns.day_number(int(now * columns.SECOND)))
    compacted: dict[date, int] = defaultdict(int)
    for file in lake.readings.snapshot().files:
        if file.level == COMPACTED and file.day:
            compacted[file.day] += file.rows
    found = []
    for day, runs in days_with_runs(lake).items():
        new = sum(file.rows for file in runs)
        over = day < today
        still = max(file.written for file in runs) < now - quiet
        if new >= max(1_000_000, compacted[day] // 2) or (over and (still or everything)):
            found.append(day)
    return sorted(found)


def merge_small(lake: Lake, runs: int = RUNS) -> int:
    """Merge the sorted files of days that have many of them; return how many went in."""
    merged = 0
    for day, files in days_with_runs(lake).items():
        if len(files) > runs:
            merged += merge_runs(lake, SORTED, day, files)
    apart = [file for file in lake.readings.snapshot().files if file.level == APART]
    if len(apart) > runs:
        merged += merge_runs(lake, APART, MISDATED, apart)
    return merged
