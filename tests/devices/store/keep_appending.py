"""A process that appends and keeps house until it is killed: `python keep_appending.py FOLDER FIRST`.

After each commit it says so on stdout: what it has said must be in the lake.
"""

import sys
import threading

import numpy as np

from yuanmai.devices.store import upkeep
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.readings import Readings

START = 1_772_380_800_000_000
ROWS = 400


def batch(sequence: int) -> Readings:
    """Return the rows of a sequence: each appears in no other, over four days."""
    index = np.arange(ROWS, dtype=np.int64)
    time_ = START + (sequence % 4) * 86_400_000_000 + sequence * 1000 + index
    return Readings(
        (index % 7).astype(np.int32), time_, index + sequence * 0.5, np.zeros(ROWS, np.int16), time_,
        np.full(ROWS, sequence, np.int64),
    )  # fmt: skip


def keep_house(lake: Lake) -> None:
    """One round after the other."""
    while True:
        upkeep.maintain(lake, START / 1e6 + 40 * 86400, everything=True)
        upkeep.sweep(lake, grace=20.0)


def main() -> None:
    """Append until killed."""
    lake = Lake(sys.argv[1])
    threading.Thread(target=keep_house, args=(Lake(sys.argv[1]),), daemon=True).start()
    sequence = lake.positions().get("a", 0)
    print(sequence, flush=True)
    while True:
        sequence += 1
        lake.append(batch(sequence), {"a": sequence})
        print(sequence, flush=True)


if __name__ == "__main__":
    main()
