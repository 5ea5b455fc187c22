"""kill -9 of the real processes under load over real sockets: every acknowledged reading is in the lake, once, and right.

By default a bounded number of kills; `YUANMAI_FAULT_KILLS=100` makes it a hundred of each process.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uvloop

from bench.ingesting.check import verify
from bench.ingesting.clients import SOURCES, Load
from bench.ingesting.home import Home
from tests.installation import Installations
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.upkeep import maintain

KILLS = int(os.environ.get("YUANMAI_FAULT_KILLS", "4"))
CLIENTS = {"hj212": 10, "jt808": 10, "mqtt": 20}
RATE = 200.0  # frames a second of each protocol
pytestmark = pytest.mark.slow


@pytest.fixture
def home(installations: Installations) -> Any:
    """A migrated installation with ports of its own."""
    made = installations.migrated()
    home = Home(made.home, {"DATABASE_URL": made.database_url})
    yield home
    home.stop(kill=True)


def prepare(home: Home, frames: int) -> tuple[list[Load], dict[str, dict[str, list[int]]]]:
    """Devices of each protocol in the register, and their clients."""
    loads, orders = [], []
    base = int(time.time()) // 60 * 60 - 12 * 3600
    for protocol, count in CLIENTS.items():
        source = SOURCES[protocol](base)
        keys = [source.key(index) for index in range(count)]
        orders.append({"protocol": protocol, "keys": keys, "addresses": source.addresses})
        load = Load(source, home.ports[protocol], rate=RATE, window=16)
        load.prepare(keys, frames)
        loads.append(load)
    return loads, dict(zip(CLIENTS, home.populate(*orders), strict=True))


def check(home: Home, loads: list[Load], points: dict[str, dict[str, list[int]]]) -> None:
    """Every acknowledged reading is there; no record came in twice; after compaction nothing is there twice at all."""
    rows = home.rows()
    for load in loads:
        theirs = np.isin(
            rows.point, [number for numbers in points[load.source.protocol].values() for number in numbers]
        )
        verdict = verify(
            load.source,
            load.clients,
            points[load.source.protocol],
            type(rows)(*(column[theirs] for column in rows)),
        )
        assert verdict.holds, (load.source.protocol, verdict)
        assert verdict.acknowledged == load.acknowledged * len(load.source.addresses) > 0
        assert load.strange == 0
    maintain(Lake(str(home.folder / "lake")), quiet=0, everything=True)
    keys = home.rows().keys()
    assert len(np.unique(keys)) == len(keys) == len(np.unique(rows.keys()))


async def until(done: Any, seconds: float, what: str) -> None:
    """Wait for something that must happen."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.01)


async def under_load(loads: list[Load], work: Coroutine[Any, Any, None]) -> None:
    """Run `work` while all clients send, come back when they are cut off, and send again what was not answered."""
    over = False
    tasks = [asyncio.create_task(load.keep_connected()) for load in loads]
    tasks += [asyncio.create_task(load.pace(lambda: over)) for load in loads]
    try:
        await work
        over = True
        for load in loads:
            await load.settle(60)
    finally:
        over = True
        for load in loads:
            load.trying = False
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def test_gateway_killed_under_load(home: Home) -> None:
    """The gateway dies at random instants; whoever restarts it is not asked to repair anything."""
    chance = random.Random(20261122)
    loads, points = prepare(home, 2_000 + KILLS * 400)
    home.start("ingest")

    async def kills() -> None:
        for _kill in range(KILLS):
            before = [load.acknowledged for load in loads]
            await until(
                lambda before=before: all(load.acknowledged > was for load, was in zip(loads, before, strict=True)), 60,
                "the gateway acknowledges nothing",
            )  # fmt: skip
            await asyncio.sleep(chance.uniform(0, 0.7))
            home.stop("gateway", kill=True)
            await asyncio.get_running_loop().run_in_executor(None, home.start_gateway)

    home.start_gateway()
    uvloop.run(under_load(loads, kills()))
    home.drain(120)
    home.stop("gateway", "ingest")
    assert all(client.lost >= KILLS for load in loads for client in load.clients)
    check(home, loads, points)


def test_ingest_killed_under_load(home: Home) -> None:
    """The process that fills the lake dies at random instants, also between a commit of the lake and what it notes of it."""
    chance = random.Random(4)
    loads, points = prepare(home, 2_000 + KILLS * 800)
    lake = Lake(str(home.folder / "lake"))

    async def kills() -> None:
        for turn in range(KILLS):
            began = home.start("ingest")
            stood = lake.positions()
            # Half of them as soon as something has come into the lake, the others at any time.
            if turn % 2:
                await until(lambda stood=stood: lake.positions() != stood, 60, "nothing comes into the lake")
            await asyncio.sleep(chance.uniform(0, 0.5) if turn % 2 else chance.uniform(0.5, 5))
            assert began.poll() is None, Path(home.folder / "ingest.log").read_text()[-2000:]
            os.killpg(began.pid, signal.SIGKILL)
            home.stop("ingest")

    home.start_gateway()
    uvloop.run(under_load(loads, kills()))
    home.start("ingest")
    home.drain(120)
    home.stop("gateway", "ingest")
    check(home, loads, points)


def test_everything_sent_five_times(home: Home) -> None:
    """Each frame comes five times, in five connections, in another order: the lake holds it once."""
    chance = random.Random(9)
    loads, points = prepare(home, 40)
    home.start("ingest")
    home.start_gateway()

    async def again() -> None:
        for turn in range(5):
            for load in loads:
                load.paced, load.stopping, load.trying = False, True, True
                await load.connect()
                for client in load.clients:
                    client.again.extend(chance.sample(range(40), 40) if turn else range(40))
                    client.next = 40
                await load.settle()
                load.close()
                await asyncio.sleep(0.05)

    uvloop.run(again())
    home.drain(120)
    home.stop("gateway", "ingest")
    assert all(load.acknowledged == 5 * 40 * len(load.clients) for load in loads)
    for load in loads:
        load.acknowledged //= 5
    check(home, loads, points)
    rows = home.rows()
    assert len(rows.point) == sum(40 * len(load.clients) * len(load.source.addresses) for load in loads)
