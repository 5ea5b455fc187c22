"""Meters that are asked: an electricity meter (DL/T 645-2007 behind a serial server) and one with Modbus TCP registers."""

import asyncio
import contextlib
import struct
import time

from yuanmai.demo.simulators.stats import Stats
from yuanmai.demo.simulators.world import counted, signal

SHIFT = 0x33


def decimal(value: int, width: int) -> bytes:
    """Return decimal digits two to a byte, low byte first."""
    return bytes.fromhex(str(value).zfill(width * 2)[-width * 2 :])[::-1]


class Bus:
    """A serial server with electricity meters on its bus, asked over TCP."""

    def __init__(self, addresses: list[str], stats: Stats, *, echo: bool = False) -> None:
        self.addresses, self.stats, self.echo = addresses, stats, echo
        self.since = time.time() - 86_400 * 300
        self.server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port."""
        self.server = await asyncio.start_server(self.serve, host, port)
        return int(self.server.sockets[0].getsockname()[1])

    def value(self, address: str, item: int, at: float) -> bytes | None:
        """Return the value of a data identifier as the meter writes it."""
        volt = 228 + 3 * (signal(address + "u", at, 1, 0.02) - 1)
        watt = signal(address + "w", at, 42_000, 0.7, 11.0)
        ampere = watt / 3 / volt
        energy = counted(address, at, 42 / 3600, self.since)
        known = {
            0x00010000: lambda: decimal(int(energy * 100), 4),  # positive active energy, 0.01 kWh
            0x00000000: lambda: decimal(int(energy * 100), 4),
            0x02010100: lambda: decimal(int(volt * 10), 2),
            0x02010200: lambda: decimal(int((volt + 0.6) * 10), 2),
            0x02010300: lambda: decimal(int((volt - 0.7) * 10), 2),
            0x02020100: lambda: decimal(int(ampere * 1000), 3),
            0x02020200: lambda: decimal(int(ampere * 1010), 3),
            0x02020300: lambda: decimal(int(ampere * 990), 3),
            0x02030000: lambda: decimal(int(watt * 10), 3),  # active power, 0.0001 kW
            0x02060000: lambda: decimal(950, 2),  # power factor, 0.001
        }
        return known[item]() if item in known else None

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
    """A meter with Modbus TCP: holding registers 0… as 32-bit floats (high word first) and a switch that can be set.

    0 voltage V · 2 current A · 4 active power kW · 6 power factor · 8 energy kWh · 20 target temperature ×10 (16 bits, writable);
    coil 0: relay (writable).
    """

    def __init__(self, name: str, stats: Stats) -> None:
        self.name, self.stats = name, stats
        self.since = time.time() - 86_400 * 250
        self.held = {20: 220}
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
        values = (
            volt,
            kilowatt * 1000 / volt / 3,
            kilowatt,
            0.96,
            counted(self.name, at, 18 / 3600, self.since),
        )
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
