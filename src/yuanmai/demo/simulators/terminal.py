"""A vehicle terminal: JT/T 808-2013 or -2019 over TCP."""

import asyncio
import math
import struct
import time
from datetime import datetime, timedelta, timezone

from yuanmai.demo.simulators.link import Client
from yuanmai.demo.simulators.stats import Stats
from yuanmai.demo.simulators.world import SINCE, chance, counted, drive, signal

LOCAL = timezone(timedelta(hours=8))
RING = [(112.9388, 28.2282), (112.9468, 28.2282), (112.9468, 28.2342), (112.9388, 28.2342)]


def digits(text: str, width: int) -> bytes:
    """Return decimal digits two to a byte, filled with zeros on the left to `width` bytes."""
    return bytes.fromhex(text.zfill(width * 2))


def clock(at: float) -> bytes:
    """Return a time as six bytes of decimal digits, local."""
    return bytes.fromhex(datetime.fromtimestamp(at, LOCAL).strftime("%y%m%d%H%M%S"))


class Terminal(Client):
    """One terminal on its round. `limit_kmh` is what it drives at; `ring` is its way (longitude, latitude)."""

    def __init__(
        self,
        host: str,
        port: int,
        period: float,
        stats: Stats,
        *,
        phone: str,
        plate: str = "",
        newer: bool = False,
        ring: list[tuple[float, float]] | None = None,
        kmh: float = 36.0,
        mute: frozenset[int] = frozenset(),
        rests: bool = True,
    ) -> None:
        super().__init__(host, port, period, stats)
        self.phone, self.plate, self.newer, self.kmh = phone, plate, newer, kmh
        self.ring = ring or RING
        self.rests = rests
        self.mute = mute  # messages that it does not answer
        self.serial = 0
        self.heard = bytearray()
        self.parts: dict[tuple[int, int], dict[int, bytes]] = {}
        self.parameters: dict[int, bytes] = {0x0001: struct.pack(">I", 60), 0x0055: struct.pack(">I", 80)}
        self.texts: list[str] = []
        self.areas: dict[int, bytes] = {}
        self.code = b""
        self.registered = asyncio.Event()
        self.since = SINCE

    # --- outwards ---------------------------------------------------------------------------------------------------

    def message(self, kind: int, body: bytes) -> tuple[int, bytes]:
        """Return serial and frame of a message."""
        serial, self.serial = self.serial, (self.serial + 1) & 0xFFFF
        size = len(body) | (0x4000 if self.newer else 0)
        head = struct.pack(">HH", kind, size)
        head += b"\x01" + digits(self.phone, 10) if self.newer else digits(self.phone, 6)
        whole = head + struct.pack(">H", serial) + body
        check = 0
        for byte in whole:
            check ^= byte
        plain = whole + bytes([check])
        return serial, b"\x7e" + plain.replace(b"\x7d", b"\x7d\x01").replace(b"\x7e", b"\x7d\x02") + b"\x7e"

    def tell(self, kind: int, body: bytes, *, expects: bool = True) -> None:
        """Send a message and count its acknowledgement."""
        serial, wire = self.message(kind, body)
        self.send(wire, (serial, kind) if expects else None)

    async def greet(self, reader: asyncio.StreamReader) -> None:
        """Register and authenticate."""
        wide = (11, 30, 30) if self.newer else (5, 20, 7)
        maker, model, own = (
            text.ljust(width, b"\0")
            for text, width in zip((b"YMSIM", b"T-1", self.phone[-7:].encode()), wide, strict=True)
        )
        body = struct.pack(">HH", 43, 124) + maker + model + own + b"\x02" + self.plate.encode("gbk")
        self.registered.clear()
        self.tell(0x0100, body)
        deadline = time.monotonic() + 10
        while not self.registered.is_set() and time.monotonic() < deadline:
            data = await asyncio.wait_for(reader.read(4096), 10)
            if not data:
                raise ConnectionResetError
            self.hear(data)
        if self.newer:
            body = bytes([len(self.code)]) + self.code + b"860000000000000" + b"1.0".ljust(20, b"\0")
        else:
            body = self.code
        self.tell(0x0102, body)

    def position(self, at: float) -> bytes:
        """Return the body of a position with mileage, fuel, signal and satellites."""
        longitude, latitude, direction, speed = drive(self.phone, at, self.ring, self.kmh, rests=self.rests)
        status = 0x0003 | (0x0100_0000 * 0)  # ignition on, fixed
        if latitude < 0:
            status |= 4
        if longitude < 0:
            status |= 8
        base = struct.pack(
            ">IIIIHHH",
            0, status, round(abs(latitude) * 1e6), round(abs(longitude) * 1e6), 45, round(speed * 10), round(direction) % 360,
        )  # fmt: skip
        mileage = counted(self.phone + "km", at, self.kmh / 3600 * 10 * 0.8, self.since)
        items = struct.pack(">BBI", 0x01, 4, math.floor(mileage))
        items += struct.pack(">BBH", 0x02, 2, round(signal(self.phone + "fuel", at, 420, 0.6)))
        items += struct.pack(">BBB", 0x30, 1, 20 + round(8 * chance(self.phone, int(at // 60))))
        items += struct.pack(">BBB", 0x31, 1, 9 + round(5 * chance(self.phone, int(at // 90))))
        return base + clock(at) + items

    def say(self, at: float) -> None:
        """Send the position."""
        self.tell(0x0200, self.position(at))

    # --- inwards ----------------------------------------------------------------------------------------------------

    def hear(self, data: bytes) -> None:
        """Take frames of the platform."""
        self.heard += data
        while True:
            begin = self.heard.find(0x7E)
            end = self.heard.find(0x7E, begin + 1) if begin >= 0 else -1
            if end < 0:
                return
            piece = bytes(self.heard[begin + 1 : end])
            del self.heard[: end + 1 if piece else end]
            if not piece:
                continue
            plain = piece.replace(b"\x7d\x02", b"\x7e").replace(b"\x7d\x01", b"\x7d")
            check = 0
            for byte in plain:
                check ^= byte
            if check:
                self.stats.refused += 1
                continue
            self.understand(plain[:-1])

    def understand(self, plain: bytes) -> None:
        """Take one message; put split ones together."""
        kind, size = struct.unpack_from(">HH", plain)
        place = 15 if size & 0x4000 else 10
        (serial,) = struct.unpack_from(">H", plain, place)
        place += 2
        if size & 0x2000:
            total, number = struct.unpack_from(">HH", plain, place)
            parts = self.parts.setdefault((kind, total), {})
            parts[number] = plain[place + 4 :]
            if len(parts) < total:
                return
            body = b"".join(parts[index] for index in range(1, total + 1))
            del self.parts[kind, total]
        else:
            body = plain[place:]
        self.answer(kind, serial, body)

    def answer(self, kind: int, serial: int, body: bytes) -> None:
        """Do what the platform says and answer it."""
        if kind == 0x8001:
            answered, what, _result = struct.unpack(">HHB", body)
            self.acknowledge((answered, what))
            return
        if kind == 0x8100:
            (answered, result) = struct.unpack_from(">HB", body)
            self.acknowledge((answered, 0x0100))
            if result == 0:
                self.code = body[3:]
            self.registered.set()
            return
        if kind in self.mute:
            return
        self.stats.commands += 1
        result = self.obey(kind, serial, body)
        if result is not None:
            self.tell(0x0001, struct.pack(">HHB", serial, kind, result), expects=False)

    def obey(self, kind: int, serial: int, body: bytes) -> int | None:
        """Carry out a command; return the result of the general answer, or None where an answer of its own has gone."""
        if kind == 0x8300:
            self.texts.append(body[2 if self.newer else 1 :].decode("gbk", "replace"))
        elif kind == 0x8103:
            place = 1
            for _index in range(body[0]):
                number, width = struct.unpack_from(">IB", body, place)
                self.parameters[number] = body[place + 5 : place + 5 + width]
                place += 5 + width
        elif kind in (0x8104, 0x8106):
            wanted = (
                list(self.parameters)
                if kind == 0x8104
                else [v[0] for v in struct.iter_unpack(">I", body[1:])]
            )
            found = {number: self.parameters[number] for number in wanted if number in self.parameters}
            told = b"".join(struct.pack(">IB", number, len(value)) + value for number, value in found.items())
            self.tell(0x0104, struct.pack(">HB", serial, len(found)) + told, expects=False)
            return None
        elif kind == 0x8201:
            self.tell(0x0201, struct.pack(">H", serial) + self.position(time.time()), expects=False)
            return None
        elif kind in (0x8600, 0x8602):
            self.areas[kind] = body
        elif kind in (0x8604, 0x8606):
            (number,) = struct.unpack_from(">I", body)
            self.areas[number] = body
        elif kind in (0x8601, 0x8603, 0x8605, 0x8607):
            self.areas.clear()
        elif kind not in (0x8105, 0x8202, 0x8203, 0x8400, 0x8801):
            return 3
        return 0
