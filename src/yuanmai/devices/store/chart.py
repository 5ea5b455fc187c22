"""Curves for charts: few enough points to draw, with every extreme and every gap in them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from yuanmai.devices.store.readings import Readings

_LEAST_GAP = 60_000_000  # µs; what is closer together is never a gap


@dataclass(frozen=True, slots=True)
class Curve:
    """Moments (µs) and values to draw, a NaN where the line is to be broken; `readings` it was made of, `gap` in µs."""

    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int16]
    readings: int
    gap: int


def usual_gap(time: npt.NDArray[np.int64]) -> int:
    """Return from which distance on two readings have a gap between them: over three times the usual distance."""
    if len(time) < 3:
        return _LEAST_GAP
    return max(_LEAST_GAP, 3 * int(np.median(np.diff(time))) + 1)


def curve(rows: Readings, width: int = 1000, gap: int | None = None) -> Curve:
    """Return the curve of one point's readings, sorted by time, for a chart `width` pixels wide.

    Of each of `width` equal spans the first, the least, the greatest and the last reading stay (at most 4 × `width`), and all
    readings without a value. Where two neighbours are farther apart than `gap` (default: `usual_gap`) the line is broken.
    """
    if not len(rows):
        return Curve(rows.time, rows.value, rows.quality, 0, gap or _LEAST_GAP)
    gap = gap or usual_gap(rows.time)
    holes = np.flatnonzero(np.diff(rows.time) > gap)
    if len(rows) > 4 * width:
        keep = _extremes(rows.time, rows.value, width)
        keep[holes] = keep[holes + 1] = True
        at = np.flatnonzero(keep)
    else:
        at = np.arange(len(rows))
    time, value, quality = rows.time[at], rows.value[at], rows.quality[at]
    if len(holes):
        # One empty reading right behind the last one before each gap.
        places = np.searchsorted(at, holes) + 1
        time = np.insert(time, places, rows.time[holes] + 1)
        value = np.insert(value, places, np.nan)
        quality = np.insert(quality, places, 0)
    return Curve(time, value, quality.astype(np.int16), len(rows), gap)


def _extremes(
    time: npt.NDArray[np.int64], value: npt.NDArray[np.float64], width: int
) -> npt.NDArray[np.bool_]:
    """Return which readings stay: first, least, greatest, last of each span, and the empty ones at the edges of holes."""
    keep = np.zeros(len(time), np.bool_)
    empty = np.isnan(value)
    edge = np.flatnonzero(np.diff(empty.astype(np.int8)))
    keep[edge] = keep[edge + 1] = True
    span = max(1, -(-(int(time[-1]) - int(time[0]) + 1) // width))
    bucket = (time - time[0]) // span
    starts = np.flatnonzero(np.append(True, np.diff(bucket) != 0))
    keep[starts] = True
    keep[np.append(starts[1:], len(time)) - 1] = True
    for sign in (1.0, -1.0):
        height = np.where(empty, np.inf, sign * value)
        least = np.repeat(np.minimum.reduceat(height, starts), np.diff(np.append(starts, len(time))))
        hits = np.flatnonzero(height == least)
        first = np.flatnonzero(np.append(True, np.diff(bucket[hits]) != 0))
        keep[hits[first]] = True
    return keep
