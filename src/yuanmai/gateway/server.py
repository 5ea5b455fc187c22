"""A TCP server that no client can hurt: limits per connection and address, time-outs, back-pressure, answers written together.

A protocol derives from `Connection` and says what to do with bytes. Nothing here waits in a queue without bound: when the
journal falls behind, or a client is too fast or takes no answers, its socket is not read, and TCP makes it wait.
"""

import asyncio
import contextlib
import ipaddress
import logging
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, cast

from yuanmai.gateway.certificate import Certificate
from yuanmai.gateway.hub import Hub, Limits

logger = logging.getLogger(__name__)

PRESSURE, RATE, STALLED, ENDING, TURN = 1, 2, 4, 8, 16  # why a socket is not read
SWEEP = 1.0  # seconds between two looks at all connections
HANDSHAKE = 10.0  # seconds
BACKLOG = 4096
READ_BUFFER = 64 << 10  # bytes taken from one client before the others have their turn
SEND_BUFFER = 128 << 10


class Connection(asyncio.BufferedProtocol, ABC):
    """One client. Subclasses give `feed`, `partial`, `settle`, `give_up` and `gone`."""

    __slots__ = (
        "address", "allowed_bytes", "allowed_frames", "bad", "ended", "false_starts", "good", "heard", "holds", "host", "nonsense",
        "out", "partial_since", "reason", "refilled", "server", "stalled_since", "transport",
    )  # fmt: skip

    def __init__(self, server: "Server") -> None:
        self.server = server
        self.transport: asyncio.Transport
        self.address = self.host = ""
        self.reason = ""  # why it ended or is ending
        self.ended = False
        self.holds = 0
        self.good = 0  # good frames so far
        self.bad = 0  # bad frames since the last good one
        self.nonsense = 0  # bytes since the last good frame
        self.false_starts = 0
        self.heard = self.refilled = server.clock()
        self.partial_since = self.stalled_since = 0.0
        self.allowed_frames = server.limits.frames_burst
        self.allowed_bytes = server.limits.bytes_burst
        self.out: list[bytes] = []

    # --- what a protocol does -------------------------------------------------------------------------------------------

    @abstractmethod
    def feed(self, data: bytes) -> tuple[int, int]:
        """Take bytes; return how many good frames and how many bad ones they completed."""

    @abstractmethod
    def partial(self) -> bool:
        """Return whether a frame has begun and not ended."""

    def settle(self) -> int:
        """The client has paused within a frame: return the number of good frames that are whole all the same."""
        return 0

    @abstractmethod
    def give_up(self) -> None:
        """The rest of a frame has not come in time: forget it."""

    @abstractmethod
    def gone(self, reason: str) -> None:
        """The connection has ended."""

    # --- asyncio --------------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take or refuse a client."""
        self.transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.host = str(peer[0]) if peer else "?"
        self.address = (
            f"[{self.host}]:{peer[1]}"
            if peer and ":" in self.host
            else f"{self.host}:{peer[1] if peer else 0}"
        )
        if not self.server.admit(self):
            self.ended = True
            self.transport.abort()
            return
        self.transport.set_write_buffer_limits(high=self.server.limits.write_bytes)
        connected = transport.get_extra_info("socket")
        if connected is not None:
            with contextlib.suppress(OSError):
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                # Answers are short; left to itself the system keeps megabytes for a client that takes none.
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if self.server.hub.paused:
            # The loop begins to read after this call, whatever is said within it.
            self.server.loop.call_soon(self._hold_when_paused)

    def _hold_when_paused(self) -> None:
        if self.server.hub.paused:
            self.hold(PRESSURE)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return where the loop writes what it reads: one place for all, for it is taken at once."""
        return self.server.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what has been read. Who has more to say waits until the others have been heard."""
        if nbytes == READ_BUFFER:
            self.hold(TURN)
            self.server.loop.call_soon(self.free, TURN)
        self.data_received(bytes(self.server.view[:nbytes]))

    def data_received(self, data: bytes) -> None:
        """Take what the client sent, count it, and slow the client down if it is too fast."""
        if self.ended:
            return
        now = self.server.clock()
        try:
            good, bad = self.feed(data)
        except Exception:
            # A codec must never raise; if one does, one client suffers from it and nobody else.
            logger.exception("%s: bytes of %s broke the listener", self.server.protocol, self.address)
            self.server.hub.count(self.server.protocol, "", "listener_error", data[:200].hex())
            self.close("error")
            return
        if good:
            self.good += good
            self.bad = self.nonsense = self.false_starts = 0
            self.heard = now
        else:
            self.nonsense += len(data)
        if bad:
            self.bad += bad
        limits = self.server.limits
        if not good and (self.bad > limits.nonsense_frames or self.nonsense > limits.nonsense_bytes):
            self.close("nonsense")
            return
        if not self.partial():
            self.partial_since = 0.0
        elif good or bad or not self.partial_since:
            self.partial_since = now
        self.allowed_frames -= good + bad
        self.allowed_bytes -= len(data)
        if self.allowed_frames < 0 or self.allowed_bytes < 0:
            self._slow_down(now, limits)

    def _slow_down(self, now: float, limits: Limits) -> None:
        passed = now - self.refilled
        self.refilled = now
        self.allowed_frames = min(
            limits.frames_burst, self.allowed_frames + passed * limits.frames_per_second
        )
        self.allowed_bytes = min(limits.bytes_burst, self.allowed_bytes + passed * limits.bytes_per_second)
        wait = max(
            -self.allowed_frames / limits.frames_per_second, -self.allowed_bytes / limits.bytes_per_second
        )
        if wait > 0 and not self.holds & RATE:
            self.server.hub.tally("slowed")
            self.hold(RATE)
            self.server.loop.call_later(wait, self.free, RATE)

    def eof_received(self) -> bool:
        """The client sends nothing more. What it sent is still acknowledged: half of the connection stays open for that."""
        self.reason = self.reason or "closed"
        # TLS knows no half connection.
        if self.server.in_flight and not self.ended and not self.transport.get_extra_info("ssl_object"):
            self.server.loop.call_later(1.0, self.close, "closed")
            return True
        return False

    def pause_writing(self) -> None:
        """The client takes no answers: read nothing more from it."""
        self.stalled_since = self.server.clock()
        self.hold(STALLED)

    def resume_writing(self) -> None:
        """The client takes answers again."""
        self.stalled_since = 0.0
        self.free(STALLED)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, whoever ended it."""
        if self.server.dismiss(self):
            self.ended = True
            self.gone(self.reason or ("broken" if exc else "closed"))
        self.out.clear()

    # --- reading and writing --------------------------------------------------------------------------------------------

    def hold(self, why: int) -> None:
        """Stop reading for a reason."""
        if not self.holds and not self.ended and not self.transport.is_closing():
            self.transport.pause_reading()
        self.holds |= why

    def free(self, why: int) -> None:
        """Take back a reason; read again when none is left."""
        if not self.holds & why:
            return
        self.holds &= ~why
        if not self.holds and not self.ended and not self.transport.is_closing():
            self.heard = max(self.heard, self.server.clock() - self.server.idle / 2)
            if self.partial_since:
                self.partial_since = self.server.clock()
            self.transport.resume_reading()

    def write(self, data: bytes) -> None:
        """Send bytes; what is written in one round of the loop goes out together."""
        if self.ended:
            return
        self.out.append(data)
        if len(self.out) == 1:
            self.server.wrote(self)

    def flush(self) -> None:
        """Give what was written to the system."""
        if self.out and not self.ended and not self.transport.is_closing():
            self.transport.write(self.out[0] if len(self.out) == 1 else b"".join(self.out))
        self.out.clear()

    def close(self, reason: str) -> None:
        """End the connection after what was written has gone out."""
        if self.ended:
            return
        self.flush()
        self.reason = self.reason or reason
        self.server.hub.tally(f"closed.{self.server.protocol}.{self.reason}")
        self.transport.close()

    def abort(self, reason: str) -> None:
        """End the connection at once."""
        if not self.ended:
            self.reason = self.reason or reason
            self.server.hub.tally(f"closed.{self.server.protocol}.{self.reason}")
            self.transport.abort()

    def look(self, now: float) -> None:
        """Once a second: has this client stalled, fallen silent, or broken off within a frame?"""
        limits = self.server.limits
        if self.stalled_since and now - self.stalled_since > limits.stalled_seconds:
            self.abort("stalled")
        elif self.holds:
            return
        elif self.partial_since and now - self.partial_since > 0.5:
            settled = self.settle()
            if settled:
                self.good += settled
                self.heard = now
                self.partial_since = now if self.partial() else 0.0
            elif now - self.partial_since > limits.partial_seconds:
                self.give_up()
                self.partial_since = 0.0
                self.false_starts += 1
                if not self.good or self.false_starts > 2:
                    self.close("partial")
        elif now - self.heard > (self.server.idle if self.good else limits.first_frame_seconds):
            self.close("idle" if self.good else "silent")


class Server:
    """A listening address with all its connections: a listener of the gateway."""

    def __init__(
        self,
        hub: Hub,
        protocol: str,
        host: str,
        port: int,
        make: Callable[["Server"], Connection],
        idle: float,
    ) -> None:
        self.hub, self.protocol, self.host, self.port = hub, protocol, host, port
        self.make, self.idle = make, idle
        self.limits = hub.limits
        self.clock = time.monotonic
        self.connections: set[Connection] = set()
        self.per_address: dict[str, int] = {}
        self.in_flight = 0  # frames whose durability is awaited before they are answered
        self.loop: asyncio.AbstractEventLoop
        self.addresses: list[str] = []
        self.secure: tuple[int, Certificate] | None = None  # a second port, with TLS
        self.buffer = bytearray(READ_BUFFER)
        self.view = memoryview(self.buffer)
        self._to_flush: list[Connection] = []
        self._servers: list[asyncio.Server] = []
        self._sweeper: asyncio.Task[None] | None = None
        hub.on_pressure(self._pause, self._resume)

    async def start(self) -> None:
        """Listen."""
        self.loop = asyncio.get_running_loop()
        if self.port >= 0:
            await self._listen(self.port)
        if self.secure is not None:
            port, certificate = self.secure
            await self._listen(port, ssl=certificate.context, ssl_handshake_timeout=HANDSHAKE)
        self._sweeper = asyncio.create_task(self._sweep())

    async def _listen(self, port: int, **secure: Any) -> None:
        listening = await self.loop.create_server(
            lambda: self.make(self), self.host, port, backlog=BACKLOG, reuse_address=True, **secure
        )
        self._servers.append(listening)
        self.addresses += ["{}:{}".format(*bound.getsockname()[:2]) for bound in listening.sockets]

    async def stop(self) -> None:
        """Listen no more, read no more, wait until what came is durable and answered, then close all connections."""
        if not self._servers:
            return
        for listening in self._servers:
            listening.close()
        for connection in list(self.connections):
            connection.hold(ENDING)
        deadline = self.clock() + 5
        while self.in_flight and self.clock() < deadline:
            await asyncio.sleep(0.005)
        if self._sweeper is not None:
            self._sweeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeper
        for connection in list(self.connections):
            connection.close("stopping")
        deadline = self.clock() + 2
        while self.connections and self.clock() < deadline:
            await asyncio.sleep(0.005)
        for connection in list(self.connections):
            connection.abort("stopping")
        await asyncio.sleep(0)

    def admit(self, connection: Connection) -> bool:
        """Return whether one more connection of this address is taken, and count it."""
        here = self.per_address.get(connection.host, 0)
        full = len(self.connections) >= self.limits.connections
        if full or (here >= self.limits.per_address and not is_local(connection.host)):
            self.hub.tally(f"refused.{self.protocol}.{'full' if full else 'address'}")
            self.hub.count(self.protocol, "", "refused_full" if full else "refused_address", connection.host)
            return False
        self.per_address[connection.host] = here + 1
        self.connections.add(connection)
        return True

    def dismiss(self, connection: Connection) -> bool:
        """Forget a connection; return whether it had been admitted."""
        if connection not in self.connections:
            return False
        self.connections.discard(connection)
        left = self.per_address[connection.host] - 1
        if left:
            self.per_address[connection.host] = left
        else:
            del self.per_address[connection.host]
        return True

    def wrote(self, connection: Connection) -> None:
        """Remember that a connection has something to send at the end of this round of the loop."""
        self._to_flush.append(connection)
        if len(self._to_flush) == 1:
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        ready, self._to_flush = self._to_flush, []
        for connection in ready:
            connection.flush()

    def _pause(self) -> None:
        for connection in self.connections:
            connection.hold(PRESSURE)

    def _resume(self) -> None:
        for connection in self.connections:
            connection.free(PRESSURE)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            now = self.clock()
            if self.secure is not None:
                self.secure[1].refresh()
            for place, connection in enumerate(list(self.connections)):
                try:
                    connection.look(now)
                except Exception:
                    logger.exception("%s: looking after %s failed", self.protocol, connection.address)
                    connection.abort("error")
                if place % 500 == 499:
                    await asyncio.sleep(0)


def is_local(host: str) -> bool:
    """Return whether an address is this machine's own (`127.0.0.1`, `::1`)."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
