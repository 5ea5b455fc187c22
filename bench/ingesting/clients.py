"""Lean clients of devices' protocols: frames made beforehand, acknowledgements counted and timed. They share no code with the server.

Every frame of a device has a number n, which stands in its time (`BASE` + n seconds) and its values, so that whatever is in the lake
can be told to be right, missing, doubled or wrong.
"""

from __future__ import annotations

import asyncio
import re
import struct
import time
from abc import ABC, abstractmethod
from array import array
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

EAST = 8 * 3600
Marks = npt.NDArray[np.bool_]


def value_of(number: int, place: int) -> float:
    """What point `place` has in frame `number` (shifted by the device): 10.0 to 99.9."""
    return (100 + (number + 7 * place) % 900) / 10


def shift_of(key: str) -> int:
    """How far the values of a device are ahead, so that not all of them reach a limit at the same moment."""
    return int(key[-5:]) * 37 % 900


class Source(ABC):
    """Makes the frames of a protocol."""

    protocol = ""
    addresses: tuple[str, ...] = ()

    def __init__(self, base: int) -> None:
        self.base = base  # whole seconds since 1970 of frame 0

    @abstractmethod
    def key(self, index: int) -> str:
        """What device `index` calls itself."""

    @abstractmethod
    def frames(self, key: str, first: int, count: int) -> list[bytes]:
        """Frames of a device from a number on."""

    def greeting(self, key: str) -> bytes:
        """What is sent at the start of a connection."""
        return b""

    @staticmethod
    @abstractmethod
    def name(frame: bytes) -> bytes:
        """By what a frame is acknowledged."""

    @abstractmethod
    def answers(self, client: Client) -> int:
        """Take answers off the client's buffer and settle what they acknowledge; return whether the greeting was answered."""

    def expected(self, numbers: npt.NDArray[np.int64], place: int) -> npt.NDArray[np.float64]:
        """What the lake must hold at point `place`."""
        return (100 + (numbers + 7 * place) % 900) / 10


def _table() -> npt.NDArray[np.uint16]:
    value = np.arange(256, dtype=np.uint16)
    for _bit in range(8):
        value = np.where(value & 1, (value >> 1) ^ 0xA001, value >> 1).astype(np.uint16)
    return value


CRC = _table()


class Hj212(Source):
    """HJ 212-2017 real-time data (2011) with an answer wanted (Flag 5); three factors."""

    protocol = "hj212"
    addresses = ("w01018-Rtd", "w21003-Rtd", "w01001-Rtd")
    _answer = re.compile(rb"QN=(\d{17});[^#]*?CN=9014;")

    def key(self, index: int) -> str:
        return f"88888880000{index:013d}"

    def frames(self, key: str, first: int, count: int) -> list[bytes]:
        texts, shift = [], shift_of(key)
        for number in range(first, first + count):
            when = time.strftime("%Y%m%d%H%M%S", time.gmtime(self.base + number + EAST))
            a, b, c = (value_of(number + shift, place) for place in range(3))
            texts.append(
                f"QN={when}{number % 1000:03d};ST=32;CN=2011;PW=123456;MN={key};Flag=5;CP=&&DataTime={when};"
                f"w01018-Rtd={a},w01018-Flag=N;w21003-Rtd={b},w21003-Flag=N;w01001-Rtd={c},w01001-Flag=N&&".encode()
            )
        length = len(texts[0])
        columns = np.frombuffer(b"".join(texts), np.uint8).reshape(count, length)
        crc = np.full(count, 0xFFFF, np.uint16)
        for place in range(length):
            crc = CRC[(crc >> 8) ^ columns[:, place]]
        head = f"##{length:04d}".encode()
        return [
            head + text + f"{check:04X}\r\n".encode() for text, check in zip(texts, crc.tolist(), strict=True)
        ]

    def answers(self, client: Client) -> int:
        end = client.buffer.rfind(b"\r\n")
        if end < 0:
            return 0
        whole, client.buffer = client.buffer[:end], client.buffer[end + 2 :]
        for found in self._answer.finditer(whole):
            client.settle(found[1])
        return 0

    @staticmethod
    def name(frame: bytes) -> bytes:
        """The QN by which a frame is acknowledged."""
        return frame[9:26]


class Jt808(Source):
    """JT/T 808-2013 positions, each acknowledged by the general answer."""

    protocol = "jt808"
    addresses = ("lat", "lng", "speed", "mileage")
    _positions = struct.Struct(">IIIIHHH")

    def key(self, index: int) -> str:
        return f"139{index:08d}"

    def frames(self, key: str, first: int, count: int) -> list[bytes]:
        phone = bytes.fromhex(key.rjust(12, "0"))
        raw, shift = bytearray(), shift_of(key)
        for number in range(first, first + count):
            tenths = [100 + (number + shift + 7 * place) % 900 for place in range(4)]
            when = time.strftime("%y%m%d%H%M%S", time.gmtime(self.base + number + EAST))
            body = self._positions.pack(
                0, 3, 22_000_000 + tenths[0], 113_000_000 + tenths[1], 30, tenths[2], 90
            )
            body += bytes.fromhex(when) + b"\x01\x04" + struct.pack(">I", tenths[3])
            raw += struct.pack(">HH", 0x0200, len(body)) + phone + struct.pack(">H", number & 0xFFFF) + body
        columns = np.frombuffer(bytes(raw), np.uint8).reshape(count, -1)
        checks = np.bitwise_xor.reduce(columns, axis=1).tolist()
        size, data = columns.shape[1], bytes(raw)
        return [
            b"\x7e" + (data[place * size : (place + 1) * size] + bytes([check])).replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"
            for place, check in enumerate(checks)
        ]  # fmt: skip

    def answers(self, client: Client) -> int:
        while (end := client.buffer.find(b"\x7e", 1)) >= 0:
            frame, client.buffer = client.buffer[1:end], client.buffer[end + 1 :]
            frame = frame.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
            if frame[:2] == b"\x80\x01" and frame[14:17] == b"\x02\x00\x00":
                client.settle(frame[12:14])
        return 0

    @staticmethod
    def name(frame: bytes) -> bytes:
        """The serial by which a frame is acknowledged."""
        return frame[1:-1].replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")[10:12]

    def expected(self, numbers: npt.NDArray[np.int64], place: int) -> npt.NDArray[np.float64]:
        tenths = 100 + (numbers + 7 * place) % 900
        return ((22_000_000 + tenths) / 1e6, (113_000_000 + tenths) / 1e6, tenths / 10, tenths / 10)[place]


class Mqtt(Source):
    """MQTT 3.1.1, QoS 1, JSON with three values."""

    protocol = "mqtt"
    addresses = ("a", "b", "c")

    def key(self, index: int) -> str:
        return f"bench-{index:06d}"

    def greeting(self, key: str) -> bytes:
        client = key.encode()
        rest = (
            b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack(">H", len(client)) + client
        )  # clean session, no keep-alive
        return b"\x10" + bytes([len(rest)]) + rest

    def frames(self, key: str, first: int, count: int) -> list[bytes]:
        topic = f"devices/{key}/telemetry".encode()
        made, shift = [], shift_of(key)
        for number in range(first, first + count):
            a, b, c = (value_of(number + shift, place) for place in range(3))
            body = f'{{"ts":{(self.base + number) * 1000},"a":{a},"b":{b},"c":{c}}}'.encode()
            rest = struct.pack(">H", len(topic)) + topic + struct.pack(">H", number % 65_535 + 1) + body
            assert len(rest) < 128
            made.append(b"\x32" + bytes([len(rest)]) + rest)
        return made

    def answers(self, client: Client) -> int:
        greeted = 0
        buffer = client.buffer
        place = 0
        while len(buffer) - place >= 4:
            kind = buffer[place]
            if kind == 0x40:
                client.settle(buffer[place + 2 : place + 4])
            elif kind == 0x20:
                if buffer[place + 3]:
                    raise RuntimeError(f"connection refused: {buffer[place + 3]}")
                greeted = 1
            place += 2 + buffer[place + 1]
        client.buffer = buffer[place:]
        return greeted

    @staticmethod
    def name(frame: bytes) -> bytes:
        """The packet identifier."""
        size = frame[3] + 4
        return frame[size : size + 2]


SOURCES: dict[str, type[Source]] = {"hj212": Hj212, "jt808": Jt808, "mqtt": Mqtt}


class Lazily(Sequence[bytes]):
    """Frames that are made a few at a time, when they are wanted."""

    AT_ONCE = 64

    def __init__(self, source: Source, key: str, count: int) -> None:
        self.source, self.key, self.count = source, key, count
        self.begin, self.made = 0, list[bytes]()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> bytes:  # type: ignore[override]
        if not self.begin <= number < self.begin + len(self.made):
            self.begin = number
            self.made = self.source.frames(self.key, number, self.AT_ONCE)
        return self.made[number - self.begin]


class Client(asyncio.Protocol):
    """One device: sends its frames with at most `window` unanswered; notes which were acknowledged, and how long that took."""

    def __init__(self, source: Source, key: str, frames: Sequence[bytes], first: int, load: Load) -> None:
        self.source, self.key, self.frames, self.first, self.load = source, key, frames, first, load
        self.acknowledged: Marks = np.zeros(len(frames), np.bool_)
        self.next = 0
        self.flight: deque[tuple[int, float, bytes]] = deque()
        self.again: deque[int] = deque()  # sent before the connection broke, and not answered
        self.buffer = b""
        self.transport: asyncio.Transport | None = None
        self.ready = False
        self.credit = 0
        self.lost = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]
        self.buffer = b""
        greeting = self.source.greeting(self.key)
        if greeting:
            self.transport.write(greeting)  # type: ignore[union-attr]
        else:
            self.begin()

    def begin(self) -> None:
        self.ready = True
        self.load.connected += 1
        self.push()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.ready:
            self.load.connected -= 1
        self.ready, self.transport = False, None
        self.lost += 1
        self.again.extendleft(number for number, _began, _name in reversed(self.flight))
        self.flight.clear()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if self.source.answers(self) and not self.ready:
            self.begin()
        self.push()

    def settle(self, name: bytes) -> None:
        """An answer has come. Answers come in the order of frames."""
        flight = self.flight
        if not flight:
            self.load.strange += 1
            return
        number, began, wanted = flight.popleft()
        if wanted != name:
            self.load.strange += 1
        self.acknowledged[number] = True
        self.load.acknowledged += 1
        self.load.latencies.append(time.perf_counter() - began)

    def push(self) -> None:
        """Send as much as window and rate allow."""
        if not self.ready or self.transport is None:
            return
        out: list[bytes] = []
        now = time.perf_counter()
        while len(self.flight) < self.load.window and (self.credit > 0 or not self.load.paced):
            if self.again:
                number = self.again.popleft()
            elif self.next < len(self.frames) and not self.load.stopping:
                number = self.next
                self.next += 1
            else:
                break
            self.credit -= 1
            frame = self.frames[number]
            out.append(frame)
            self.flight.append((number, now, self.source.name(frame)))
        if out:
            self.transport.write(b"".join(out) if len(out) > 1 else out[0])


class Load:
    """Many clients, at a rate or as fast as they are answered."""

    def __init__(self, source: Source, port: int, *, window: int = 8, rate: float = 0.0) -> None:
        self.source, self.port, self.window, self.rate = source, port, window, rate
        self.paced = rate > 0  # frames a second, all clients together
        self.clients: list[Client] = []
        self.connected = self.acknowledged = self.strange = 0
        self.latencies = array("f")
        self.stopping = False
        self.trying = True
        self.began = 0.0

    def prepare(self, keys: Sequence[str], count: int) -> None:
        """Make the frames of all clients, or (of very many) see that they are made in time."""
        lazy = count * len(keys) > 3_000_000
        for key in keys:
            frames = Lazily(self.source, key, count) if lazy else self.source.frames(key, 0, count)
            self.clients.append(Client(self.source, key, frames, 0, self))

    async def connect(self, at_once: int = 200) -> None:
        """Connect everybody who is not."""
        loop = asyncio.get_running_loop()
        waiting = [client for client in self.clients if client.transport is None]
        reconnecting = any(client.lost for client in waiting)
        for begin in range(0, len(waiting), at_once):
            await asyncio.gather(
                *(loop.create_connection(lambda client=client: client, "127.0.0.1", self.port) for client in waiting[begin : begin + at_once]),  # type: ignore[misc]
                return_exceptions=reconnecting,
            )  # fmt: skip

    async def keep_connected(self) -> None:
        """Connect anew whoever was cut off, until told to stop."""
        while self.trying:
            if any(client.transport is None for client in self.clients):
                await self.connect()
            await asyncio.sleep(0.02)

    async def pace(self, until: Callable[[], bool]) -> None:
        """Hand out credit evenly: every client in turn, so that all send at the same rate."""
        given, place = 0, 0
        self.began = time.perf_counter()
        while not until():
            due = int((time.perf_counter() - self.began) * self.rate)
            while given < due:
                client = self.clients[place]
                client.credit += 1
                client.push()
                given += 1
                place = (place + 1) % len(self.clients)
            await asyncio.sleep(0.005)

    async def settle(self, seconds: float = 60) -> None:
        """Send nothing new; return when everything sent is answered."""
        self.stopping = True
        until = time.monotonic() + seconds
        while any(client.flight or client.again for client in self.clients):
            for client in self.clients:
                client.credit += len(client.again)
                client.push()
            if time.monotonic() > until:
                left = sum(len(client.flight) + len(client.again) for client in self.clients)
                raise RuntimeError(f"{left} frames are not answered after {seconds:.0f} s")
            await asyncio.sleep(0.02)

    def close(self) -> None:
        """Hang up."""
        self.trying = False
        for client in self.clients:
            if client.transport is not None:
                client.transport.abort()
