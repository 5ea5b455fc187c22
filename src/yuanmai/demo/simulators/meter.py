"""Meters that are asked: an electricity meter (DL/T 645-2007 behind a serial server) and one with Modbus TCP registers."""

import asyncio
import contextlib
import struct
import time

from yuanmai.demo.simulators.stats import Stats
from yuanmai.demo.simulators.world import SINCE, counted, signal

SHIFT = 0x33
# Of the energy in all: by tariff (1 sharp, 2 peak, 3 flat, 4 valley).
ENERGY = {0: 1.0, 1: 0.0, 2: 0.41, 3: 0.37, 4: 0.22}


def decimal(value: int, width: int) -> bytes:
    """Return decimal digits two to a byte, low byte first."""
    return bytes.fromhex(str(value).zfill(width * 2)[-width * 2 :])[::-1]


class Bus:
    """A serial server with electricity meters on its bus, asked over TCP."""

    def __init__(self, addresses: list[str], stats: Stats, *, echo: bool = False) -> None:
        self.addresses, self.stats, self.echo = addresses, stats, echo
        self.since = SINCE
        self.server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port."""
        self.server = await asyncio.start_server(self.serve, host, port)
        return int(self.server.sockets[0].getsockname()[1])

    def value(self, address: str, item: int, at: float) -> bytes | None:
        """Return the value of a data identifier as the meter writes it."""
        watt = signal(address + "w", at, 42_000, 0.7, 11.0)
        energy = counted(address, at, 42 / 3600, self.since)
        if item == 0x00020000:
            return decimal(0, 4)
        if item >> 16 == 0x0001 and item & 0xFF == 0 and item >> 8 & 0xFF in ENERGY:  # kWh, 0.01
            return decimal(int(energy * ENERGY[item >> 8 & 0xFF] * 100), 4)
        family, phase = item >> 16, item >> 8 & 0xFF
        if item & 0xFF == 0 and phase <= 3:
            share = 1.0 if phase == 0 else (0.34, 0.335, 0.325)[phase - 1]
            volt = 228 + 3 * (signal(address + "u", at, 1, 0.02) - 1) + (0, 0, 0.6, -0.7)[phase]
            if family == 0x0201 and phase:
                return decimal(int(volt * 10), 2)
            if family == 0x0202 and phase:
                return decimal(int(watt * share / volt / 0.95 * 1000), 3)
            if family == 0x0203:  # kW, 0.0001
                return decimal(int(watt * share * 10), 3)
            if family == 0x0204:
                return decimal(int(watt * share * 0.33 * 10), 3)
            if family == 0x0206:
                return decimal(950, 2)
        if item == 0x02800002:
            return decimal(5000 + int(2 * signal(address + "f", at, 1, 0.5)), 2)
        if item == 0x02800004:
            return decimal(int(watt * 9.7), 3)
        return None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one master."""
        self.stats.connections += 1
        heard = b""
        with contextlib.suppress(OSError):
            while data := await reader.read(4096):
                if self.echo:
                    writer.write(data)
                heard += data
                while (begin := heard.find(b"\x68")) >= 0 and len(heard) >= begin + 12:
                    size = heard[begin + 9]
                    end = begin + 12 + size
                    if len(heard) < end:
                        break
                    asked, heard = heard[begin:end], heard[end:]
                    answer = self.answer(asked)
                    if answer:
                        await asyncio.sleep(0.02)
                        writer.write(b"\xfe\xfe\xfe\xfe" + answer)
                        await writer.drain()
        self.stats.connections -= 1
        writer.close()

    def answer(self, asked: bytes) -> bytes | None:
        """Return the answer to one request; nothing for what is not ours or is damaged."""
        if sum(asked[:-2]) % 256 != asked[-2] or asked[7] != 0x68:
            return None
        address = asked[1:7][::-1].hex()
        if address not in self.addresses:
            return None
        control, content = asked[8], bytes((byte - SHIFT) % 256 for byte in asked[10:-2])
        self.stats.sent += 1
        if control != 0x11:
            return self.wrap(asked[1:7], control | 0xC0, b"\x01")
        item = int.from_bytes(content[:4], "little")
        value = self.value(address, item, time.time())
        if value is None:
            return self.wrap(asked[1:7], 0xD1, b"\x02")
        self.stats.acknowledged += 1
        return self.wrap(asked[1:7], 0x91, content[:4] + value)

    @staticmethod
    def wrap(address: bytes, control: int, content: bytes) -> bytes:
        """Return a frame."""
        shifted = bytes((byte + SHIFT) % 256 for byte in content)
        body = b"\x68" + address + b"\x68" + bytes([control, len(content)]) + shifted
        return body + bytes([sum(body) % 256, 0x16])


class Registers:
    """A meter with Modbus TCP: holding registers 0… as 32-bit floats (high word first) and a breaker that can be set.

    0 2 4 voltages V · 6 8 10 currents A · 12 active, 14 reactive power kW, kvar · 16 power factor · 18 frequency Hz · 20 energy kWh ·
    100 a limit in kW (16 bits, writable); coil 0: breaker (writable).
    """

    def __init__(self, name: str, stats: Stats) -> None:
        self.name, self.stats = name, stats
        self.since = SINCE
        self.held = {100: 220}
        self.coil = True
        self.server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port."""
        self.server = await asyncio.start_server(self.serve, host, port)
        return int(self.server.sockets[0].getsockname()[1])

    def image(self, at: float) -> dict[int, int]:
        """Return the registers at a moment."""
        volt, kilowatt = (
            229 + 2 * (signal(self.name, at, 1, 0.02) - 1),
            signal(self.name + "w", at, 18, 0.6, 10.0),
        )
        if not self.coil:
            kilowatt = 0.0
        ampere = kilowatt * 1000 / volt / 3
        energy = counted(self.name, at, 18 / 3600, self.since)
        values = (
            volt, volt + 0.5, volt - 0.4, ampere, ampere * 1.02, ampere * 0.98, kilowatt, kilowatt * 0.29, 0.96, 50.01, energy,
        )  # fmt: skip
        result = dict(self.held)
        for index, value in enumerate(values):
            result[index * 2], result[index * 2 + 1] = struct.unpack(">HH", struct.pack(">f", value))
        return result

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one master."""
        self.stats.connections += 1
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                number, protocol, size, unit = struct.unpack(">HHHB", await reader.readexactly(7))
                if protocol != 0 or not 2 <= size <= 254:
                    break
                answer = self.answer(await reader.readexactly(size - 1))
                self.stats.sent += 1
                writer.write(struct.pack(">HHHB", number, 0, len(answer) + 1, unit) + answer)
                await writer.drain()
        self.stats.connections -= 1
        writer.close()

    def answer(self, asked: bytes) -> bytes:
        """Return the answer to one request: read holding or input registers and coils, write one or several."""
        function = asked[0]
        try:
            first, count = struct.unpack_from(">HH", asked, 1)
        except struct.error:
            return bytes([function | 0x80, 3])
        if function in (3, 4):
            image = self.image(time.time())
            if not 1 <= count <= 125:
                return bytes([function | 0x80, 3])
            if any(first + index not in image for index in range(count)):
                return bytes([function | 0x80, 2])
            self.stats.acknowledged += 1
            return bytes([function, count * 2]) + b"".join(
                struct.pack(">H", image[first + index]) for index in range(count)
            )
        if function in (1, 2) and first == 0 and count == 1:
            return bytes([function, 1, int(self.coil)])
        if function == 5 and first == 0:
            self.coil = count == 0xFF00
            return asked
        if function == 6 and first in self.held:
            self.held[first] = count
            return asked
        if (
            function == 16
            and all(first + index in self.held for index in range(count))
            and len(asked) == 6 + 2 * count
        ):
            for index in range(count):
                (self.held[first + index],) = struct.unpack_from(">H", asked, 6 + 2 * index)
            return asked[:5]
        return bytes([function | 0x80, 2 if function in (1, 2, 5, 6, 16) else 1])
