"""Questions to the lake, cold and warm, beside what Debian has of other stores.

    python bench/query.py [--rows small|large|both] [--folder DIR] [--keep] [--peers postgres,victoria,influx] [--seconds 20]

small: 8.64 million readings (1,000 points × 30 days, one each 5 minutes); large: 51.84 million (one each 50 s). Prints one JSON
line per measurement: what, rows, seconds, goal (where there is one), and more. Each measurement runs in a process of its own;
"cold" means a new process, nothing opened, the lake's files dropped from the cache (as far as an ordinary user may).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    from yuanmai.devices.store.readings import Readings

POINTS, DAYS = 1000, 30
BEGIN = 1_767_196_800_000_000  # 2026-01-01 00:00 in Shanghai, µs
DAY = 86_400_000_000
END = BEGIN + DAYS * DAY
STEPS = {"small": 300_000_000, "large": 50_000_000}


def report(what: str, seconds: float, **more: object) -> None:
    """Print a measurement."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    line = {
        "what": what,
        "seconds": round(seconds, 4),
        **more,
        "cpu_seconds": round(time.process_time(), 2),
        "peak_rss_mb": peak,
    }
    print(json.dumps(line), flush=True)


def day_of(day: int, step: int) -> Readings:
    """Return all readings of a day, sorted by time as they would come: values walk and have two decimals."""
    import numpy as np

    from yuanmai.devices.store.readings import Readings

    count = DAY // step
    chance = np.random.default_rng(day)
    walk = np.round(50 + np.cumsum(chance.normal(0, 0.4, (count, POINTS)), axis=0), 2).ravel()
    time_ = np.repeat(BEGIN + day * DAY + np.arange(count, dtype=np.int64) * step, POINTS)
    point = np.tile(np.arange(1, POINTS + 1, dtype=np.int32), count)
    received = time_ + chance.integers(50_000, 900_000, len(time_))
    return Readings(point, time_, walk, np.zeros(len(time_), np.int16), received, np.arange(len(time_), dtype=np.int64) // 100)  # fmt: skip


def fill(folder: Path, step: int) -> None:
    """Append 30 days, compact and roll up; what each of it takes."""
    from yuanmai.devices.store import upkeep
    from yuanmai.devices.store.lake import Lake

    lake = Lake(str(folder))
    rows, appending = 0, 0.0
    for day in range(DAYS):
        readings = day_of(day, step)
        begin = time.perf_counter()
        lake.append(readings, {"bench": day + 1})
        appending += time.perf_counter() - begin
        rows += len(readings)
    report("append", appending, rows=rows, rows_per_second=round(rows / appending))
    begin = time.perf_counter()
    upkeep.maintain(lake, time.time(), everything=True)
    took = time.perf_counter() - begin
    size = upkeep.numbers(lake)["bytes"]
    report("sort, compact, roll up", took, rows=rows, rows_per_second=round(rows / took), bytes_per_row=round(size / rows, 2))  # fmt: skip


def forget(folder: Path) -> None:
    """Drop the lake's files from the system's cache."""
    os.sync()
    for path in folder.rglob("*.parquet"):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def ask(folder: Path, question: str, cold: bool, goal: float | None, rows: int) -> None:
    """Ask one question; cold: once, opening included; warm: the median and 99th percentile of many."""
    import numpy as np

    from yuanmai.devices.store.lake import Lake
    from yuanmai.devices.store.query import Queries

    np.asarray(__import__("pyarrow").chunked_array([[1.0]]))  # pyarrow looks for pandas once in a process
    if cold:
        forget(folder)
    chance = np.random.default_rng(7)
    begin = time.perf_counter()
    queries = Queries(Lake(str(folder)))
    opened = time.perf_counter() - begin
    some = list(range(1, POINTS + 1))

    def one() -> int:
        point = int(chance.integers(1, POINTS + 1))
        if question == "hourly mean of all, from readings":
            return queries.hourly_mean(None, BEGIN, END, source="raw").num_rows
        if question == "hourly mean of all, from roll-ups":
            return queries.hourly_mean(None, BEGIN, END).num_rows
        if question == "one device, 30 days hourly":
            return queries.history([point], BEGIN, END, "hour").num_rows
        if question == "one device, 30 days hourly, from readings":
            return queries.hourly_mean([point], BEGIN, END, source="raw").num_rows
        if question == "one device, 30 days raw, as a chart":
            return len(queries.chart(point, BEGIN, END).time)
        if question == "latest of 1,000 devices":
            return len(queries.latest(some))
        return len(queries.latest(some, at=BEGIN + int(chance.integers(DAY, END - BEGIN))))

    begin = time.perf_counter()
    answer = one()
    first = time.perf_counter() - begin
    if cold:
        report(
            f"{question}, cold",
            first + opened,
            goal=goal,
            opening=round(opened, 4),
            rows=rows,
            answer_rows=answer,
        )
        return
    times = []
    used = time.process_time()
    until = time.perf_counter() + 2.0
    while len(times) < 5 or (time.perf_counter() < until and len(times) < 200):
        begin = time.perf_counter()
        one()
        times.append(time.perf_counter() - begin)
    used = time.process_time() - used
    times.sort()
    report(f"{question}, warm", times[len(times) // 2], p99=round(times[int(len(times) * 0.99)], 4), goal=goal, cpu_each=round(used / len(times), 4), rows=rows, answer_rows=answer)  # fmt: skip


def arrive(folder: Path, seconds: float, rate: int) -> None:
    """Append readings of now at a rate, one commit a second, as the ingest process does."""
    import numpy as np

    from yuanmai.devices.store.lake import Lake
    from yuanmai.devices.store.readings import Readings

    lake = Lake(str(folder))
    chance = np.random.default_rng(3)
    count, begin, late = 0, time.perf_counter(), 0.0
    while time.perf_counter() - begin < seconds:
        count += 1
        now = time.time_ns() // 1000
        point = np.tile(np.arange(1, POINTS + 1, dtype=np.int32), rate // POINTS)
        times = now - chance.integers(0, 1_000_000, len(point))
        lake.append(
            Readings(point, times, np.round(chance.normal(50, 5, len(point)), 2), np.zeros(len(point), np.int16), np.full(len(point), now), np.full(len(point), count)),
            {"live": time.time_ns()},
        )  # fmt: skip
        rest = begin + count - time.perf_counter()
        late = max(late, -rest)
        time.sleep(max(0.0, rest))
    took = time.perf_counter() - begin
    report(
        "arriving", took, rows=count * rate, rows_per_second=round(count * rate / took), behind=round(late, 2)
    )


def keep_up(folder: Path, seconds: float) -> None:
    """Keep house meanwhile, as the worker does (there once a minute, here every five seconds)."""
    from yuanmai.core.jobs.gently import gently
    from yuanmai.devices.store import upkeep
    from yuanmai.devices.store.lake import Lake

    lake = Lake(str(folder))
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        time.sleep(5)
        gently(lambda: upkeep.maintain(lake))


def read_meanwhile(folder: Path, seconds: float, rows: int) -> None:
    """Readers' answering times while readings arrive and house is kept."""
    import numpy as np

    from yuanmai.devices.store.lake import Lake
    from yuanmai.devices.store.query import Queries

    me = [sys.executable, __file__, "--folder", str(folder), "--seconds", str(seconds), "--only"]
    others = [subprocess.Popen([*me, "arrive"]), subprocess.Popen([*me, "keep"])]
    queries = Queries(Lake(str(folder)))
    chance = np.random.default_rng(11)
    times: dict[str, list[float]] = {"hour": [], "today": [], "latest": []}
    begin = time.perf_counter()
    number = 0
    while others[0].poll() is None:
        point = int(chance.integers(1, POINTS + 1))
        number += 1
        kind = ("hour", "today", "latest")[number % 3]
        start = time.perf_counter()
        if kind == "hour":
            assert queries.history([point], BEGIN, END, "hour").num_rows == DAYS * 24
        elif kind == "today":
            now = time.time_ns() // 1000
            queries.history([point], now - 600_000_000, now)
        else:
            assert len(queries.latest(list(range(1, POINTS + 1)))) == POINTS
        if time.perf_counter() - begin > 2:
            times[kind].append(time.perf_counter() - start)
        time.sleep(0.05)
    others[1].wait()
    every = sorted(t for kind in times.values() for t in kind)
    detail = {kind: [round(sorted(t)[len(t) // 2], 4), round(sorted(t)[int(len(t) * 0.99)], 4)] for kind, t in times.items()}  # fmt: skip
    report("readers while 500,000 rows/s arrive, p99", every[int(len(every) * 0.99)], goal=0.3, rows=rows, questions=len(every), median_p99=detail)  # fmt: skip


QUESTIONS: list[tuple[str, dict[str, float], dict[str, float]]] = [
    ("hourly mean of all, from readings", {"small": 0.25, "large": 3.0}, {"small": 0.25}),
    ("hourly mean of all, from roll-ups", {"small": 0.25, "large": 3.0}, {"small": 0.25}),
    ("one device, 30 days hourly", {}, {"large": 0.1, "small": 0.1}),
    ("one device, 30 days hourly, from readings", {}, {}),
    ("one device, 30 days raw, as a chart", {}, {"large": 0.3, "small": 0.3}),
    ("latest of 1,000 devices", {}, {"large": 0.02, "small": 0.02}),
    ("latest of 1,000 devices at a moment", {}, {}),
]


def main() -> None:
    """Fill, ask, compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", choices=["small", "large", "both"], default="both")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", action="store_true", help="leave the lake for the next run")
    parser.add_argument("--peers", default="postgres,victoria,influx")
    parser.add_argument("--seconds", type=float, default=20.0, help="of arrivals while readers ask")
    parser.add_argument("--only", default="")
    parser.add_argument("--question", type=int, default=0)
    parser.add_argument("--cold", action="store_true")
    options = parser.parse_args()
    if options.only in ("arrive", "keep"):
        arrive(options.folder, options.seconds, 500_000) if options.only == "arrive" else keep_up(options.folder, options.seconds)  # fmt: skip
        return
    sizes = ["small", "large"] if options.rows == "both" else [options.rows]
    step = STEPS[sizes[0]]
    rows = POINTS * DAYS * DAY // step
    if options.only == "fill":
        fill(options.folder, step)
        return
    if options.only == "ask":
        name, cold, warm = QUESTIONS[options.question]
        ask(options.folder, name, options.cold, (cold if options.cold else warm).get(sizes[0]), rows)
        return
    if options.only == "meanwhile":
        read_meanwhile(options.folder, options.seconds, rows)
        return
    if options.only == "peers":
        from bench import query_peers

        query_peers.run(options.peers.split(","), step)
        return
    base = options.folder or Path(tempfile.mkdtemp(prefix="yuanmai-bench-"))
    try:
        for size in sizes:
            folder = base / size

            def run(*values: str, folder: Path = folder, size: str = size) -> None:
                subprocess.run([sys.executable, __file__, "--rows", size, "--folder", str(folder), "--seconds", str(options.seconds), "--peers", options.peers, *values], check=True)  # fmt: skip

            if not folder.exists():
                run("--only", "fill")
            for number in range(len(QUESTIONS)):
                run("--only", "ask", "--question", str(number), "--cold")
                run("--only", "ask", "--question", str(number))
            if size == "small":
                if options.peers:
                    run("--only", "peers")
            else:
                run("--only", "meanwhile")
    finally:
        if not options.keep:
            shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
