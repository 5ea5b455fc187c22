"""Readings as columns: what goes into the lake and comes out of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns of equal length. (point, time) is the key; of two with the same key the greater (received, sequence) counts.

    `point` int32: primary key of `devices.Point`; `time`, `received` int64: microseconds since 1970, UTC; `value` float64 (NaN
    where there is none); `quality` int16: bits of `devices.engine.quality`; `sequence` int64: the journal's record.
    """

    point: npt.NDArray[np.int32]
    time: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    quality: npt.NDArray[np.int16]
    received: npt.NDArray[np.int64]
    sequence: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.point)
