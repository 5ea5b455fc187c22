"""The side of a connection that every simulated client has: connect, say something at its pace, listen, come again."""

import asyncio
import contextlib
import random
import time
from abc import ABC, abstractmethod

from yuanmai.demo.simulators.stats import Stats


class Client(ABC):
    """A device that calls the gateway. Subclasses say what it sends and how it answers; `period` is in seconds."""

    def __init__(self, host: str, port: int, period: float, stats: Stats) -> None:
        self.host, self.port, self.period, self.stats = host, port, period, stats
        self.writer: asyncio.StreamWriter | None = None
        self.waiting: dict[object, float] = {}  # what is to be acknowledged → when it was sent
        self.quiet_until = 0.0  # of the monotonic clock; a test may silence a device

    @abstractmethod
    async def greet(self, reader: asyncio.StreamReader) -> None:
        """Say what comes first on a new connection."""

    @abstractmethod
    def say(self, at: float) -> None:
        """Send what is due at this moment (seconds since 1970)."""

    @abstractmethod
    def hear(self, data: bytes) -> None:
        """Take in what the platform sends, however it is cut."""

    def send(self, data: bytes, key: object = None) -> None:
        """Send bytes; `key` names the acknowledgement that is expected."""
        if self.writer is None:
            return
        self.writer.write(data)
        if key is not None:
            self.stats.sent += 1
            self.waiting[key] = time.monotonic()
            if len(self.waiting) > 10_000:
                self.waiting.pop(next(iter(self.waiting)))

    def acknowledge(self, key: object) -> None:
        """Count the acknowledgement of what was sent under this key."""
        sent_at = self.waiting.pop(key, None)
        if sent_at is not None:
            self.stats.answered(sent_at)

    async def run(self) -> None:
        """Stay connected until cancelled."""
        pause = 0.5
        while True:
            try:
                reader, self.writer = await asyncio.open_connection(self.host, self.port)
                pause = 0.5
                self.stats.connections += 1
                try:
                    await self.greet(reader)
                    await self._talk(reader)
                finally:
                    self.stats.connections -= 1
                    self.writer.close()
                    self.writer = None
            except (OSError, asyncio.IncompleteReadError):
                self.stats.reconnects += 1
            await asyncio.sleep(pause * (0.5 + random.random()))  # noqa: S311
            pause = min(pause * 2, 10.0)

    async def _talk(self, reader: asyncio.StreamReader) -> None:
        speaking = asyncio.create_task(self._speak())
        try:
            while data := await reader.read(65_536):
                self.hear(data)
        finally:
            speaking.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await speaking

    async def _speak(self) -> None:
        # Devices do not all speak at the same moment.
        due = time.monotonic() + self.period * random.random()  # noqa: S311
        while self.writer is not None:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + self.period, time.monotonic() - 1.0)
            if time.monotonic() >= self.quiet_until:
                self.say(time.time())
                await self.writer.drain()
