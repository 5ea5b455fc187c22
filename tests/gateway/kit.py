"""Clients over real sockets that share no code with the server, and gateways for them to speak with."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import uvloop

from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.gateway.hub import Hub, Limits, MemoryJournal
from yuanmai.gateway.orders import Order
from yuanmai.gateway.server import Server

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T], seconds: float = 30) -> T:
    """Run in a fresh uvloop, as the gateway does."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(work, seconds))


def spec(protocol: str, key: str, *, secret: str = "", number: int = 1, **profile: Any) -> DeviceSpec:
    """A registered device without points."""
    shown = hashlib.sha256(secret.encode()).hexdigest() if secret else ""
    return DeviceSpec(number, 1, f"D-{number}", protocol, key, profile, {}, shown)


def hub_of(*devices: DeviceSpec, limits: Limits | None = None, **journal: Any) -> tuple[Hub, MemoryJournal]:
    """A hub over a journal in memory."""
    kept = MemoryJournal(**journal)
    hub = Hub("test", kept, Registry(devices, 1), limits, secret=b"installation")
    kept.paused, kept.resumed = hub.pause, hub.resume
    return hub, kept


@asynccontextmanager
async def serving(server: Server) -> AsyncIterator[int]:
    """A server on a port of its own; gives the port."""
    await server.start()
    try:
        yield int(server.addresses[0].rpartition(":")[2])
    finally:
        await server.stop()


class Client:
    """A TCP client that sends and reads as it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> Client:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def send(self, *pieces: bytes, pause: float = 0.0) -> None:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            if pause:
                await asyncio.sleep(pause)

    async def line(self, seconds: float = 5) -> bytes:
        """One HJ 212 frame, without its line end."""
        return (await asyncio.wait_for(self.reader.readuntil(b"\r\n"), seconds))[:-2]

    async def marked(self, seconds: float = 5) -> bytes:
        """One JT/T 808 frame, unescaped, without marks and checksum."""
        async with asyncio.timeout(seconds):
            await self.reader.readexactly(1)
            plain = b""
            while not plain:
                plain = (await self.reader.readuntil(b"\x7e"))[:-1]
        plain = plain.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
        total = 0
        for byte in plain:
            total ^= byte
        assert total == 0, plain.hex()
        return plain[:-1]

    async def nothing(self, seconds: float = 0.2) -> bool:
        """Whether nothing comes."""
        try:
            return not await asyncio.wait_for(self.reader.read(1), seconds)
        except TimeoutError:
            return True

    async def ended(self, seconds: float = 5) -> bool:
        """Whether the server ends the connection."""
        try:
            while await asyncio.wait_for(self.reader.read(65536), seconds):
                pass
        except ConnectionError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self.writer.close()


async def until(holds: Callable[[], Any], seconds: float = 5) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.005)


def order_of(device: DeviceSpec, verb: str, number: int = 1, **parameters: Any) -> Order:
    """A command as the gateway takes it from the table."""
    return Order(number, f"order-{number}", device, verb, parameters, datetime.now(UTC) + timedelta(hours=1))


# --- HJ 212, bit by bit as Appendix A says ---


def crc212(data: bytes) -> int:
    register = 0xFFFF
    for byte in data:
        register = (register >> 8) ^ byte
        for _bit in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return register


def crc_modbus(data: bytes) -> int:
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _bit in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return register


def hj212(segment: str, crc: Callable[[bytes], int] = crc212) -> bytes:
    data = segment.encode()
    return b"##%04d%b%04X\r\n" % (len(data), data, crc(data))


def upload(
    qn: str = "20260101000000001",
    mn: str = "MN0001",
    cn: str = "2011",
    flag: int = 5,
    cp: str = "",
    **more: str,
) -> bytes:
    body = cp or "DataTime=20260101000000;w01018-Rtd=12.5,w01018-Flag=N"
    return hj212(f"QN={qn};ST=32;CN={cn};PW={more.get('pw', '123456')};MN={mn};Flag={flag};CP=&&{body}&&")


def said(frame: bytes) -> dict[str, str]:
    """What a frame of the platform says, checked."""
    assert frame[:2] == b"##"
    length = int(frame[2:6])
    segment, checksum = frame[6 : 6 + length], frame[6 + length :]
    assert checksum == b"%04X" % crc212(segment)
    head, _mark, body = segment.decode().partition("CP=&&")
    found = dict(item.split("=", 1) for item in head.split(";") if item)
    found["CP"] = body.removesuffix("&&")
    return found


# --- JT/T 808 ---


def jt808(
    message: int, body: bytes, phone: str = "013912345678", serial: int = 1, *, since_2019: bool = False,
    part: tuple[int, int] | None = None,
) -> bytes:  # fmt: skip
    properties = len(body) | (0x4000 if since_2019 else 0) | (0x2000 if part else 0)
    head = message.to_bytes(2, "big") + properties.to_bytes(2, "big")
    head += b"\x01" + bytes.fromhex(phone.rjust(20, "0")) if since_2019 else bytes.fromhex(phone)
    head += serial.to_bytes(2, "big")
    if part:
        head += part[0].to_bytes(2, "big") + part[1].to_bytes(2, "big")
    plain = head + body
    total = 0
    for byte in plain:
        total ^= byte
    plain += bytes((total,))
    return b"\x7e" + plain.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"


def position(
    lat: int = 27_830_000, lng: int = 113_150_000, when: str = "260101120000", speed: int = 300
) -> bytes:
    body = (0).to_bytes(4, "big") + (3).to_bytes(4, "big") + lat.to_bytes(4, "big") + lng.to_bytes(4, "big")
    return (
        body
        + (50).to_bytes(2, "big")
        + speed.to_bytes(2, "big")
        + (90).to_bytes(2, "big")
        + bytes.fromhex(when)
    )
