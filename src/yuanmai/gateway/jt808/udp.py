"""Terminals by UDP: every datagram holds whole frames, answers go back to where it came from."""

import asyncio
import logging
from typing import TYPE_CHECKING, cast

from yuanmai.gateway.jt808.session import PROTOCOL, Session
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808.frame import Frame
from yuanmai.protocols.jt808.stream import Decoder

if TYPE_CHECKING:
    from yuanmai.gateway.jt808.listener import Jt808Listener

logger = logging.getLogger(__name__)
Address = tuple[str, int]
SWEEP = 1.0


class Peer:
    """An address that a terminal sends from."""

    __slots__ = ("address", "allowed", "heard", "refilled", "session", "udp", "where")

    def __init__(self, udp: "Udp", where: Address) -> None:
        self.udp, self.where = udp, where
        self.address = f"{where[0]}:{where[1]}"
        self.heard = self.refilled = udp.listener.clock()
        self.allowed = udp.listener.limits.frames_burst
        self.session = Session(udp.listener, self)

    def write(self, data: bytes) -> None:
        """Send bytes as one datagram for each frame."""
        self.udp.send(data, self.where)

    def close(self, reason: str) -> None:
        """Forget the address."""
        self.udp.forget(self, reason)

    def may(self, now: float) -> bool:
        """Return whether one more datagram is taken from here now."""
        limits = self.udp.listener.limits
        self.allowed = min(
            limits.frames_burst, self.allowed + (now - self.refilled) * limits.frames_per_second
        )
        self.refilled = now
        self.allowed -= 1
        return self.allowed > 0


class Udp(asyncio.DatagramProtocol):
    """The UDP half of a listener. A datagram that cannot be taken is dropped: the terminal sends it again."""

    def __init__(self, listener: "Jt808Listener") -> None:
        self.listener = listener
        self.peers: dict[Address, Peer] = {}
        self.transport: asyncio.DatagramTransport | None = None
        self._reading = True
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=(host, port))
        self._sweeper = asyncio.create_task(self._sweep())

    def stop_reading(self) -> None:
        """Take no more datagrams; what came is still answered."""
        self._reading = False

    def stop(self) -> None:
        """Forget everybody and close."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for peer in list(self.peers.values()):
            self.forget(peer, "stopping")
        if self.transport is not None:
            self.transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Take the frames of a datagram."""
        hub = self.listener.hub
        if not self._reading or hub.paused:
            hub.tally("dropped.jt808.udp")
            return
        where = cast(Address, addr[:2])
        peer = self.peers.get(where)
        now = self.listener.clock()
        if peer is not None and not peer.may(now):
            hub.tally("dropped.jt808.udp")
            return
        try:
            self._take(data, where, peer, now)
        except Exception:
            logger.exception("a datagram of %s broke the listener", where)
            hub.count(PROTOCOL, "", "listener_error", data[:200].hex())

    def _take(self, data: bytes, where: Address, peer: Peer | None, now: float) -> None:
        decoder = Decoder()
        found: list[Frame | Fault] = [*decoder.feed(data), *decoder.flush()]
        if peer is None:
            # Nobody is remembered for nonsense.
            if not any(isinstance(answer, Frame) for answer in found):
                self.listener.hub.count(PROTOCOL, "", "nonsense_datagram", f"{where[0]} {data[:60].hex()}")
                return
            if len(self.peers) >= self.listener.limits.connections:
                self.listener.hub.tally("refused.jt808.full")
                return
            peer = self.peers[where] = Peer(self, where)
        for answer in found:
            if peer.session.take(answer):
                peer.heard = now

    def send(self, data: bytes, where: Address) -> None:
        """Send frames, each in a datagram of its own."""
        if self.transport is None or self.transport.is_closing():
            return
        for piece in data.split(b"\x7e"):
            if piece:
                self.transport.sendto(b"\x7e%b\x7e" % piece, where)

    def error_received(self, exc: Exception) -> None:
        """A datagram could not be delivered: the terminal is gone for now and will come again."""
        self.listener.hub.tally("undeliverable.jt808.udp")

    def forget(self, peer: Peer, reason: str) -> None:
        """Forget an address."""
        if self.peers.get(peer.where) is peer:
            del self.peers[peer.where]
            peer.session.gone(reason)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            now = self.listener.clock()
            for place, peer in enumerate(list(self.peers.values())):
                if now - peer.heard > self.listener.idle:
                    self.forget(peer, "idle")
                elif peer.session.assembler is not None:
                    peer.session.look(now)
                if place % 500 == 499:
                    await asyncio.sleep(0)
