"""One connection of our client to a broker: packets in, acknowledgements out when the journal has the message."""

import asyncio
import contextlib
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, cast

from yuanmai.devices.store.records import Kind
from yuanmai.gateway.mqtt.link import RETRY
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt import writer
from yuanmai.protocols.mqtt.packets import (
    Ack,
    Connack,
    Disconnect,
    Packet,
    Ping,
    Publish,
    SubscribeAck,
)
from yuanmai.protocols.mqtt.stream import Decoder, message_of

if TYPE_CHECKING:
    from yuanmai.gateway.mqtt.client import Upstream

KEEP_ALIVE = 30
MOST_PACKET = 4 << 20


class Wire(asyncio.Protocol):
    """One connection to the broker."""

    def __init__(self, upstream: "Upstream") -> None:
        loop = asyncio.get_running_loop()
        self.upstream, self.hub, self.loop = upstream, upstream.hub, loop
        self.decoder = Decoder(upstream.version, server=False, most=MOST_PACKET)
        self.version = upstream.version
        self.transport: asyncio.Transport
        self.welcome: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.asked: dict[int, list[str]] = {}
        self.why = ""
        self.in_flight = 0
        self.unkept: deque[tuple[Publish, Kind, str]] = deque()
        self.heard = time.monotonic()
        self.out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The broker takes the connection."""
        self.transport = cast(asyncio.Transport, transport)
        if self.hub.paused:
            self.hold()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended; what was not acknowledged comes again in the next one."""
        self.unkept.clear()
        for future in (self.lost, self.welcome):
            if not future.done():
                if future is self.welcome:
                    future.set_exception(
                        ConnectionResetError(self.why or "the broker has closed the connection")
                    )
                else:
                    future.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Take what the broker sends."""
        self.heard = time.monotonic()
        for packet in self.decoder.feed(data):
            if isinstance(packet, Publish):
                self._publish(packet)
            elif isinstance(packet, Fault):
                self.end(f"the broker sends nonsense ({packet.details['what']})")
            else:
                self._take(packet)

    def send(self, packet: Packet) -> None:
        """Write a packet; what is written in one round of the loop goes out together."""
        self.put(writer.encode(packet, self.version))

    def put(self, data: bytes) -> None:
        """Write bytes."""
        self.out.append(data)
        if len(self.out) == 1:
            self.loop.call_soon(self._flush)

    def _flush(self) -> None:
        out, self.out = self.out, []
        if not self.transport.is_closing():
            self.transport.write(b"".join(out))

    def end(self, why: str) -> None:
        """Give the connection up."""
        self.why = self.why or why
        self.transport.abort()

    def pulse(self) -> None:
        """Twice in a keep-alive: is the broker still there?"""
        if time.monotonic() - self.heard > KEEP_ALIVE * 1.5 and not self.hub.paused and not self.unkept:
            self.end("the broker has fallen silent")
        else:
            self.send(Ping(kinds.PINGREQ))

    def hold(self) -> None:
        """Read nothing more for the moment."""
        with contextlib.suppress(RuntimeError):
            self.transport.pause_reading()

    def free(self) -> None:
        """Read again."""
        if not self.hub.paused and not self.unkept and not self.transport.is_closing():
            self.heard = time.monotonic()
            with contextlib.suppress(RuntimeError):
                self.transport.resume_reading()

    def _take(self, packet: Packet) -> None:
        if isinstance(packet, Connack):
            self.why = self.upstream.welcomed(self, packet)
            if self.why:
                self.transport.abort()
            elif not self.welcome.done():
                self.welcome.set_result(None)
        elif isinstance(packet, Ack):
            if packet.kind == kinds.PUBACK:
                self.upstream.acknowledged(packet.packet_id)
            elif packet.kind == kinds.PUBREL:
                self.send(Ack(kinds.PUBCOMP, packet.packet_id))
        elif isinstance(packet, SubscribeAck):
            for pattern, code in zip(self.asked.pop(packet.packet_id, []), packet.codes, strict=False):
                if code >= kinds.UNSPECIFIED:
                    self.upstream.filters.discard(pattern)
                    self.hub.count("mqtt", "", "subscription_refused", f"{pattern} {code:#04x}")
        elif isinstance(packet, Disconnect):
            self.end(f"the broker sends us away: {packet.code:#04x}")

    # --- messages -------------------------------------------------------------------------------------------------------------

    def _publish(self, packet: Publish) -> None:
        place = self.upstream.place_of(packet)
        if place is None:
            self._acknowledge(packet)
        elif self.unkept:
            self.unkept.append((packet, *place))
        else:
            self._record(packet, *place)

    def _record(self, packet: Publish, kind: Kind, key: str) -> None:
        self.in_flight += 1
        self.hub.record(kind, key, message_of(packet), partial(self._kept, packet, kind, key))

    def _kept(self, packet: Publish, kind: Kind, key: str, error: Exception | None) -> None:
        self.in_flight -= 1
        if error is not None or self.hub.trouble is not None:
            self.hub.note(error)
        if error is None:
            self._acknowledge(packet)
            self.upstream.durable(kind, packet)
            return
        self.hub.tally("unacknowledged.mqtt")
        if packet.qos and not self.lost.done():
            if not self.unkept:
                self.hold()
                self.loop.call_later(RETRY, self._retry)
            self.unkept.append((packet, kind, key))

    def _retry(self) -> None:
        waiting = list(self.unkept)
        self.unkept.clear()
        for entry in waiting:
            self._record(*entry)
        self.free()

    def _acknowledge(self, packet: Publish) -> None:
        if packet.qos == 1:
            self.put(b"\x40\x02" + packet.packet_id.to_bytes(2, "big"))
        elif packet.qos == 2:
            self.send(Ack(kinds.PUBREC, packet.packet_id))

    async def finish(self, farewell: Publish | None) -> None:
        """Read no more, acknowledge what is durable, say goodbye."""
        self.hold()
        deadline = time.monotonic() + 5
        while self.in_flight and time.monotonic() < deadline:
            await asyncio.sleep(0.005)
        if farewell is not None and self.upstream.connected:
            self.send(Publish(farewell.topic, farewell.payload, 0, farewell.retain))
        self.send(Disconnect())
        await asyncio.sleep(0.01)
        self.transport.close()
