"""A curve as it is drawn: where readings are missing there is a hole, not a line."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SECOND = 1_000_000
SLACK = 2.5  # how many of its intervals a point may be silent before that is a gap
LEAST = 5  # neighbours that say what the interval is
NEAR = 12  # neighbours on either side that say what it was at the time


@dataclass(frozen=True, slots=True)
class Curve:
    """Moments (µs since 1970) and values, NaN in the middle of every gap; `gaps` are (begin, end) pairs in µs.

    `expected` is the interval in µs at which the point speaks, 0 where that cannot be told.
    """

    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    gaps: npt.NDArray[np.int64]
    expected: int


def interval_of(time: npt.NDArray[np.int64], least: int = 0) -> int:
    """Return the usual distance between neighbours in µs: their median, at least `least`; 0 for too few of them."""
    if len(time) <= LEAST:
        return least
    return max(int(np.quantile(np.diff(time), 0.5, method="lower")), least, 1)


def _near(steps: npt.NDArray[np.int64], places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return the usual distance around some of the distances: the greater of those before and after; 0 where too few say."""
    found = np.zeros(len(places))
    for reach in (np.arange(-NEAR, 0), np.arange(1, NEAR + 1)):
        at = places[:, None] + reach
        there = (at >= 0) & (at < len(steps))
        beside = np.where(there, steps[np.clip(at, 0, len(steps) - 1)], np.nan)
        enough = there.sum(axis=1) > LEAST
        if enough.any():
            found[enough] = np.maximum(found[enough], np.nanmedian(beside[enough], axis=1))
    return found


def drawn(time: npt.NDArray[np.int64], value: npt.NDArray[np.float64], *, least: int = 0) -> Curve:
    """Return a curve with holes where more than `SLACK` intervals pass without a reading.

    `time` is sorted. The interval follows from the readings themselves, and from those around where a point spoke less often for a
    while, as after a change of its interval; `least` is that of hours or days, which does not change.
    """
    expected = interval_of(time, least)
    if len(time) < 2 or not expected:
        return Curve(time, value, np.empty((0, 2), np.int64), expected)
    steps = np.diff(time)
    wide = np.flatnonzero(steps > expected * SLACK)
    if not least:
        wide = wide[steps[wide] > _near(steps, wide) * SLACK]
    gaps = np.column_stack([time[wide], time[wide + 1]])
    middles = (gaps[:, 0] + gaps[:, 1]) // 2
    return Curve(
        np.insert(time, wide + 1, middles),
        np.insert(value, wide + 1, np.nan),
        gaps.astype(np.int64),
        expected,
    )


def thinned(time: npt.NDArray[np.int64], value: npt.NDArray[np.float64], most: int) -> npt.NDArray[np.int64]:
    """Return the places of at most about `most` readings that look the same: of each stretch the first, the least and the greatest.

    All places where there are no more than `most`. Extremes are never lost; NaN (a gap) is kept.
    """
    if len(time) <= most:
        return np.arange(len(time))
    width = -(-len(time) // max(most // 3, 1))
    places = []
    for start in range(0, len(time), width):
        part = value[start : start + width]
        keep = {start, *(start + np.flatnonzero(np.isnan(part))).tolist()}
        if not np.isnan(part).all():
            keep |= {start + int(np.nanargmin(part)), start + int(np.nanargmax(part))}
        places += sorted(keep)
    return np.asarray(places, np.int64)
