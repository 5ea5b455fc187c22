"""One line of JSON per measurement."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def load() -> float:
    """The load of the machine just now: a measurement beside others is worth little, and says so."""
    return round(os.getloadavg()[0], 2)


def report(what: str, system: str, **figures: Any) -> dict[str, Any]:
    """Print a line."""
    line = {"what": what, "system": system, **figures, "load": load()}
    print(json.dumps(line, ensure_ascii=False), flush=True)
    return line


def rate(rows: int, seconds: float) -> int:
    """Rows per second."""
    return round(rows / seconds) if seconds > 0 else 0


def peak_mb() -> int:
    """The most memory this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def memory_mb(pids: list[int]) -> float:
    """The memory of processes, shared pages counted once per process."""
    total = 0
    for pid in pids:
        try:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    total += int(line.split()[1])
        except OSError:
            continue
    return round(total / 1024, 1)


def cpu_seconds(pids: list[int]) -> float:
    """What processes have used."""
    ticks = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


class Watch:
    """Wall and CPU time from here."""

    def __init__(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def figures(self, rows: int) -> dict[str, Any]:
        """What a line says of time."""
        wall = time.perf_counter() - self.wall
        return {
            "rows": rows, "seconds": round(wall, 3), "cpu_seconds": round(time.process_time() - self.cpu, 3),
            "rows_per_second": rate(rows, wall),
        }  # fmt: skip


def percentile(values: Sequence[float], share: float) -> float | None:
    """A percentile in milliseconds of times in seconds."""
    if not len(values):
        return None
    return round(1000 * float(np.quantile(np.asarray(values), share, method="higher")), 2)
