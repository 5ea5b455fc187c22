"""From sockets to durable acknowledgements: `yuanmai gateway` and `ingest` in a fresh installation, clients in this process."""

from __future__ import annotations

import argparse
import asyncio
import resource
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import uvloop

from bench.ingesting.check import verify
from bench.ingesting.clients import SOURCES, Load
from bench.ingesting.home import Home, fresh_home
from bench.ingesting.report import cpu_seconds, memory_mb, percentile, rate, report

CONNECTIONS = {"mqtt": 5_000, "jt808": 1_000, "hj212": 500}
MOST_FRAMES = 1_500_000  # made beforehand where no rate says how many are needed


class Samples:
    """Memory of the gateway and of ingest while it runs."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.gateway: list[tuple[float, float]] = []
        self.ingest: list[float] = []

    async def run(self) -> None:
        """Look once a second."""
        while True:
            self.gateway.append((time.monotonic(), memory_mb(self.home.pids("gateway"))))
            self.ingest.append(memory_mb(self.home.pids("ingest")))
            await asyncio.sleep(1)

    def slope(self) -> float:
        """MB a minute that the gateway grew by in the second half."""
        half = self.gateway[len(self.gateway) // 2 :]
        if len(half) < 2 or half[-1][0] - half[0][0] < 10:
            return 0.0
        return round((half[-1][1] - half[0][1]) / (half[-1][0] - half[0][0]) * 60, 2)


def alarms(home: Home) -> int:
    """How many alarms have been raised."""
    with closing(sqlite3.connect(home.folder / "yuanmai.sqlite3", timeout=30)) as database:
        return int(database.execute("SELECT count(*) FROM devices_alarm").fetchone()[0])


async def _run(load: Load, home: Home, seconds: float) -> dict[str, Any]:
    began = time.perf_counter()
    load.stopping = True  # connect first
    await load.connect()
    while load.connected < len(load.clients):
        await asyncio.sleep(0.02)
        if time.perf_counter() - began > 120:
            raise RuntimeError(f"only {load.connected} of {len(load.clients)} are connected")
    connected_in = time.perf_counter() - began
    await asyncio.sleep(1)
    idle = memory_mb(home.pids("gateway"))
    samples = Samples(home)
    watching = asyncio.create_task(samples.run())
    used = {name: cpu_seconds(home.pids(name)) for name in ("gateway", "ingest")}
    load.stopping = False
    began, own = time.perf_counter(), time.process_time()
    end = began + seconds

    def over() -> bool:
        return time.perf_counter() >= end or all(client.next == len(client.frames) for client in load.clients)

    if load.paced:
        await load.pace(over)
    else:
        for client in load.clients:
            client.push()
        while not over():
            await asyncio.sleep(0.02)
    at_end = load.acknowledged
    wall = time.perf_counter() - began
    await load.settle()
    watching.cancel()
    each = len(load.source.addresses)
    return {
        "connections": len(load.clients), "connected_s": round(connected_in, 2), "seconds": round(wall, 2), "frames": load.acknowledged,
        "frames_per_second": rate(at_end, wall), "points_per_second": rate(at_end * each, wall),
        "ack_p50_ms": percentile(load.latencies, 0.5), "ack_p99_ms": percentile(load.latencies, 0.99),
        "ack_max_ms": percentile(load.latencies, 1.0), "gateway_idle_mb": idle,
        "gateway_mb": max(mb for _when, mb in samples.gateway), "gateway_mb_per_minute": samples.slope(), "ingest_mb": max(samples.ingest),
        "gateway_cpu": round((cpu_seconds(home.pids("gateway")) - used["gateway"]) / wall, 2),
        "ingest_cpu": round((cpu_seconds(home.pids("ingest")) - used["ingest"]) / wall, 2),
        "client_cpu": round((time.process_time() - own) / wall, 2), "strange_answers": load.strange,
    }  # fmt: skip


def frames_needed(options: argparse.Namespace, connections: int, each: int, seconds: float) -> int:
    """How many frames each client is given."""
    if options.rate:
        return int(options.rate / each / connections * seconds * 1.05) + 2
    return max(10, min(int(60_000 / each * seconds / connections), MOST_FRAMES // connections))


def measure(what: str, options: argparse.Namespace) -> None:
    """One source against a fresh installation."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65_536)), hard))
    if what == "http":
        from bench.ingesting import bulk

        bulk.measure(options)
        return
    if not options.long:
        with fresh_home(Path.cwd()) as home:
            one(what, options, home, options.seconds, f"{what} end to end")
        return
    options.rules = options.rules or 20
    for title, points, seconds in (("held", options.rate or 15_000, options.long), ("burst", 60_000, 60.0)):
        options.rate = points
        with fresh_home(Path.cwd()) as home:
            one(what, options, home, seconds, f"{what} {title}")


def one(what: str, options: argparse.Namespace, home: Home, seconds: float, title: str) -> None:
    """Load, then hold every acknowledged reading against the lake."""
    source = SOURCES[what](int(time.time()) // 60 * 60 - 12 * 3600)
    connections = options.connections or CONNECTIONS[what]
    keys = [source.key(index) for index in range(connections)]
    order = {"protocol": source.protocol, "keys": keys, "addresses": source.addresses, "rules": options.rules}
    points = home.populate(order)[0]
    each = len(source.addresses)
    load = Load(source, home.ports[what], rate=options.rate / each, window=8 if not options.rate else 64)
    load.prepare(keys, frames_needed(options, connections, each, seconds))
    home.start_gateway()
    home.start("ingest")
    figures = uvloop.run(_run(load, home, seconds))
    behind = home.drain()
    load.close()
    raised = alarms(home)
    home.stop()
    verdict = verify(source, load.clients, points, home.rows())
    report(
        title, "yuanmai", offered_points_per_second=options.rate or None, rules=options.rules, alarms=raised, **figures,
        into_the_lake_s=round(behind, 2), **verdict.figures(),
    )  # fmt: skip
    if not verdict.holds or load.strange:
        raise SystemExit(f"{title}: {verdict}, {load.strange} strange answers")
