"""Things that speak MQTT 3.1.1: lamps, gates and sensors, with a client of no more than they need."""

import asyncio
import json
import struct
import time
from abc import abstractmethod
from typing import Any

from yuanmai.demo.simulators.link import Client
from yuanmai.demo.simulators.stats import Stats
from yuanmai.demo.simulators.world import SINCE, chance, counted, daily, noise, signal


def text(value: str) -> bytes:
    """Return a string with its length in front."""
    raw = value.encode()
    return struct.pack(">H", len(raw)) + raw


def packet(first: int, rest: bytes) -> bytes:
    """Return a control packet: its first byte, the remaining length seven bits at a time, the rest."""
    length, head = len(rest), bytearray([first])
    while True:
        head.append(length % 128 | (128 if length >= 128 else 0))
        length //= 128
        if not length:
            return bytes(head) + rest


class Thing(Client):
    """A thing with topics of its own: `devices/<id>/telemetry` with its values, `…/commands` with what it shall do."""

    def __init__(
        self,
        host: str,
        port: int,
        period: float,
        stats: Stats,
        *,
        name: str,
        user: str = "",
        password: str = "",
    ) -> None:
        super().__init__(host, port, period, stats)
        self.name, self.user, self.password = name, user, password
        self.heard = bytearray()
        self.number = 0
        self.state: dict[str, Any] = {}
        self.since = SINCE

    @abstractmethod
    def values(self, at: float) -> dict[str, Any]:
        """Return what the thing says of itself."""

    async def greet(self, reader: asyncio.StreamReader) -> None:
        """Connect with a clean session and ask for commands."""
        flags = 0x02 | (0x80 if self.user else 0) | (0x40 if self.password else 0)
        body = (
            text("MQTT")
            + bytes([4, flags])
            + struct.pack(">H", max(30, int(self.period * 3)))
            + text(self.name)
        )
        if self.user:
            body += text(self.user)
        if self.password:
            body += text(self.password)
        self.heard.clear()
        self.send(packet(0x10, body))
        answer = await reader.readexactly(4)
        if answer[0] != 0x20 or answer[3] != 0:
            self.stats.refused += 1
            await asyncio.sleep(5)
            raise ConnectionRefusedError(f"CONNACK {answer.hex()}")
        self.send(
            packet(
                0x82, struct.pack(">H", self.next_number()) + text(f"devices/{self.name}/commands") + b"\x01"
            )
        )

    def next_number(self) -> int:
        """Return a packet identifier."""
        self.number = self.number % 0xFFFF + 1
        return self.number

    def publish(self, topic: str, content: dict[str, Any]) -> None:
        """Publish JSON at quality of service 1."""
        number = self.next_number()
        body = text(topic) + struct.pack(">H", number) + json.dumps(content, separators=(",", ":")).encode()
        self.send(packet(0x32, body), number)

    def say(self, at: float) -> None:
        """Publish the values of the moment."""
        self.publish(f"devices/{self.name}/telemetry", {"time": int(at * 1000), **self.values(at)})

    def hear(self, data: bytes) -> None:
        """Take packets of the broker."""
        self.heard += data
        while len(self.heard) >= 2:
            length, shift, place = 0, 0, 1
            while place < len(self.heard):
                byte = self.heard[place]
                length |= (byte & 127) << shift
                shift, place = shift + 7, place + 1
                if not byte & 128:
                    break
            else:
                return
            if len(self.heard) < place + length:
                return
            first, body = self.heard[0], bytes(self.heard[place : place + length])
            del self.heard[: place + length]
            self.take(first, body)

    def take(self, first: int, body: bytes) -> None:
        """Take one packet."""
        if first >> 4 == 4:
            self.acknowledge(struct.unpack_from(">H", body)[0])
        elif first >> 4 == 3:
            (size,) = struct.unpack_from(">H", body)
            place = 2 + size
            if first >> 1 & 3:
                self.send(packet(0x40, body[place : place + 2]))
                place += 2
            try:
                wish = json.loads(body[place:])
            except ValueError:
                self.stats.refused += 1
                return
            if isinstance(wish, dict):
                self.stats.commands += 1
                self.obey(wish)

    def obey(self, wish: dict[str, Any]) -> None:
        """Do what is asked and say the new state at once."""
        known = {key: value for key, value in wish.items() if key in self.state}
        self.state.update(known)
        self.say(time.time())


class Lamp(Thing):
    """A street lamp: bright at night, dimmed after midnight. `brightness` (0–100 %) and `lamp` (0, 1) can be set."""

    def __init__(self, host: str, port: int, period: float, stats: Stats, *, name: str, **more: str) -> None:
        super().__init__(host, port, period, stats, name=name, **more)
        self.state = {"brightness": None, "lamp": None}  # None: as its own clock says

    def values(self, at: float) -> dict[str, Any]:
        """Return state and electrical values."""
        hour = (at / 3600 + 8) % 24
        own = 0 if 6.5 <= hour < 18.5 else 60 if 0 <= hour < 5 else 100
        wanted, switched = self.state["brightness"], self.state["lamp"]
        level = own if wanted is None else max(0, min(100, int(wanted)))
        if switched is not None:
            level = (level or 100) if switched else 0
        power = 1.2 + 1.18 * level * (1 + 0.02 * noise(self.name, at, 60))
        voltage = 226 + 4 * noise(self.name + "u", at, 120)
        return {
            "lamp": int(level > 0),
            "brightness": level,
            "voltage": round(voltage, 1),
            "current": round(power / voltage / 0.95, 3),
            "power": round(power, 1),
            "energy": round(counted(self.name, at, 60 / 3_600_000, self.since), 3),
            "power_factor": 0.95,
            "temperature": round(18 + 8 * daily(at, 15.0) + level * 0.12, 1),
            "tilt": round(0.6 + 0.2 * noise(self.name + "t", at, 900), 1),
        }


class Gate(Thing):
    """A gate: up or down, and how many passed. `gate` (1: keep it up, 0: let it work) can be set."""

    def __init__(self, host: str, port: int, period: float, stats: Stats, *, name: str, **more: str) -> None:
        super().__init__(host, port, period, stats, name=name, **more)
        self.state = {"gate": 0}

    def values(self, at: float) -> dict[str, Any]:
        """Return state and counts."""
        occupied = chance(self.name, int(at // 20)) < 0.35 * daily(at, 9.0)
        return {
            "gate": int(bool(self.state["gate"]) or occupied),
            "count": {
                "in": int(counted(self.name, at, 0.05, self.since)),
                "out": int(counted(self.name + "o", at, 0.05, self.since)),
            },
            "loop": int(occupied),
            "fault": 0,
        }


class Sensor(Thing):
    """An environment sensor on a pole."""

    def values(self, at: float) -> dict[str, Any]:
        """Return air, dust, noise, wind."""
        return {
            "temperature": round(12 + 9 * daily(at, 15.0) + 1.2 * noise(self.name, at, 400), 1),
            "humidity": round(68 - 18 * daily(at, 15.0) + 4 * noise(self.name + "h", at, 500), 1),
            "pressure": round(1009 + 3 * noise(self.name + "b", at, 7200), 1),
            "pm25": round(signal(self.name + "p", at, 38, 0.5, 8.0), 1),
            "pm10": round(signal(self.name + "q", at, 62, 0.5, 8.0), 1),
            "noise": round(54 + 6 * daily(at, 11.0) + 3 * noise(self.name + "n", at, 30), 1),
            "wind": {
                "speed": round(2.2 + 1.4 * noise(self.name + "w", at, 60), 1),
                "direction": round(140 + 60 * noise(self.name + "d", at, 600)),
            },
            "rain": 0,
            "light": round(60_000 * max(0.0, daily(at, 12.5) - 0.35)),
            "battery": round(12.6 + 0.2 * noise(self.name + "v", at, 3600), 2),
        }


class Load(Thing):
    """A thing for load tests: three values in each message."""

    def values(self, at: float) -> dict[str, Any]:
        """Return three numbers."""
        return {"a": round(20 + 5 * noise(self.name, at, 60), 2), "b": self.number, "c": 1}
