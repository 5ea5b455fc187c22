"""Run where a small file system is mounted: `python full_disk.py HOME MOUNT DATABASE_URL`. The gateway's journal stands on it and fills it.

Nothing refused is acknowledged, nothing acknowledged is lost, the processes live on, and when there is room again they go on by themselves.
"""

import asyncio
import sys
import time
from pathlib import Path

import numpy as np
import uvloop

from bench.ingesting.check import verify
from bench.ingesting.clients import SOURCES, Load
from bench.ingesting.home import Home

BALLAST = 24 << 20


async def fill(loads: list[Load], home: Home, mount: Path) -> None:
    """Send until nothing is acknowledged any more, make room, and go on."""
    keeping = [asyncio.create_task(load.keep_connected()) for load in loads]
    gateway = home.processes["gateway"].pid
    last, since, sent = 0, time.monotonic(), 0
    while time.monotonic() - since < 3:
        # Devices whose frame is not answered within a second begin anew, as they do.
        await asyncio.sleep(0.5)
        now = sum(load.acknowledged for load in loads)
        if now != last:
            last, since = now, time.monotonic()
        else:
            for load in loads:
                for client in load.clients:
                    if client.transport is not None:
                        client.transport.abort()
        for load in loads:
            for client in load.clients:
                client.push()
        sent = sum(client.next for load in loads for client in load.clients)
        assert any(client.next < len(client.frames) for load in loads for client in load.clients), (
            "the disk has not become full"
        )
    assert sent > last > 1_000, (sent, last)
    assert home.processes["gateway"].poll() is None and home.processes["gateway"].pid == gateway
    (mount / "ballast").unlink()
    began = time.monotonic()
    while sum(load.acknowledged for load in loads) == last:
        await asyncio.sleep(0.1)
        assert time.monotonic() - began < 20, "there is room, and nothing is acknowledged"
    for load in loads:
        load.stopping = True
    for _turn in range(60):
        await asyncio.sleep(0.5)
        if not any(client.flight or client.again for load in loads for client in load.clients):
            break
        stood = [load.acknowledged for load in loads]
        for load in loads:
            for client in load.clients:
                client.push()
        await asyncio.sleep(0.5)
        for load, was in zip(loads, stood, strict=True):
            for client in load.clients:
                if load.acknowledged == was and client.flight and client.transport is not None:
                    client.transport.abort()
    left = sum(len(client.flight) + len(client.again) for load in loads for client in load.clients)
    assert not left, f"{left} frames were never acknowledged"
    assert home.processes["gateway"].poll() is None and home.processes["gateway"].pid == gateway
    for load in loads:
        load.trying = False
    for task in keeping:
        task.cancel()


def main(folder: Path, mount: Path, database: str) -> None:
    home = Home(folder, {"DATABASE_URL": database, "YUANMAI_JOURNAL": str(mount / "journal")})
    (mount / "ballast").write_bytes(bytes(BALLAST))
    base = int(time.time()) // 60 * 60 - 12 * 3600
    loads, orders = [], []
    for protocol, count in {"hj212": 10, "jt808": 10, "mqtt": 10}.items():
        source = SOURCES[protocol](base)
        keys = [source.key(index) for index in range(count)]
        orders.append({"protocol": protocol, "keys": keys, "addresses": source.addresses})
        load = Load(source, home.ports[protocol], window=8)
        load.prepare(keys, 800)
        loads.append(load)
    points = home.populate(*orders)
    try:
        home.start_gateway()
        uvloop.run(fill(loads, home, mount))
        home.start("ingest")
        home.drain(90, mount / "journal")
    finally:
        home.stop()
    rows = home.rows()
    for load, numbers in zip(loads, points, strict=True):
        mine = [number for theirs in numbers.values() for number in theirs]
        theirs = np.isin(rows.point, mine)
        verdict = verify(load.source, load.clients, numbers, type(rows)(*(column[theirs] for column in rows)))
        assert verdict.holds, (load.source.protocol, verdict)
        assert verdict.acknowledged > 1_000
        print(load.source.protocol, verdict)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
