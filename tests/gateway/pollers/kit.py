"""Pollers at work in a test, what their journal says, and gateways that do what a test tells them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.gateway.kit import hub_of
from yuanmai.devices.engine.registry import DeviceSpec, PointSpec
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub, MemoryJournal
from yuanmai.gateway.orders import Order, Outcome
from yuanmai.gateway.pollers.listeners import Pollers


def device(
    key: str, addresses: dict[str, str], protocol: str = "modbus", number: int = 1, **profile: Any
) -> DeviceSpec:
    """A device whose points are address → code; asked ten times a second."""
    points = {
        address: (PointSpec(place, code, address, scale=0.1 if code.endswith("10") else 1.0),)
        for place, (address, code) in enumerate(addresses.items(), number * 100)
    }
    return DeviceSpec(
        number,
        1,
        f"D-{number}",
        protocol,
        key,
        {"interval": 0.1, "timeout": 0.3, "retries": 0} | profile,
        points,
    )


@asynccontextmanager
async def polling(*devices: DeviceSpec) -> AsyncIterator[tuple[Hub, MemoryJournal, Pollers]]:
    """The pollers at work."""
    hub, journal = hub_of(*devices)
    pollers = Pollers(hub)
    await pollers.start()
    try:
        yield hub, journal, pollers
    finally:
        await pollers.stop()


async def until(truth: Callable[[], Any], seconds: float = 15) -> None:
    async with asyncio.timeout(seconds):
        while not truth():
            await asyncio.sleep(0.01)


def rounds(journal: MemoryJournal, kind: Kind = Kind.MODBUS) -> list[dict[str, Any]]:
    return [json.loads(record[2]) for record in journal.of(kind)]


def oddities(journal: MemoryJournal) -> set[str]:
    return {json.loads(record[2])["kind"] for record in journal.of(Kind.ODD)}


def order(of: DeviceSpec, **parameters: Any) -> Order:
    return Order(1, "uid-1", of, "write", parameters, datetime.now(UTC) + timedelta(minutes=1))


async def sent(hub: Hub, asked: Order) -> Outcome:
    sender = hub.commands.find(asked.device)
    assert sender is not None
    return await sender(asked)


Serve = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def scripted(serve: Serve, port: int = 0) -> AsyncIterator[int]:
    """A gateway that does with each request what the test says."""
    writers: set[asyncio.StreamWriter] = set()

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            while data := await reader.read(4096):
                await serve(data, writer)
        except ConnectionError:
            pass
        finally:
            writers.discard(writer)
            writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", port, reuse_address=True)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in list(writers):
            writer.transport.abort()
