"""One client of the broker: its packets in, ours out. PUBACK and PUBREC go out when the journal has the message, never before."""

import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from yuanmai.devices.store.records import Kind
from yuanmai.gateway.mqtt.access import Identity, may_publish
from yuanmai.gateway.mqtt.session import WINDOW, Session
from yuanmai.gateway.mqtt.subscribing import subscribe, unsubscribe
from yuanmai.gateway.server import Connection
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt import writer
from yuanmai.protocols.mqtt.packets import (
    V5,
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Ping,
    Properties,
    Publish,
    Subscribe,
    Unsubscribe,
    Will,
)
from yuanmai.protocols.mqtt.stream import Decoder

if TYPE_CHECKING:
    from yuanmai.gateway.mqtt.broker import Broker

FULL = 16  # why a socket is not read: too much waits for room in the journal
CONNECT_WITHIN = 15.0
PARTIAL_WITHIN = 60.0  # seconds that one packet may take
RECEIVE_MAXIMUM = 500  # messages of 5.0 that may be under way to us
ALIASES = 32
MOST_PACKET = 256 << 10
MOST_TOPICS = 2_000  # whose right to be used is remembered
MOST_UNKEPT, MOST_UNKEPT_BYTES = 500, 1 << 20
REFUSED = (Kind.MQTT, "", b"")


class Entry(NamedTuple):
    """A message on its way into the journal."""

    packet: Publish
    kind: Kind
    key: str
    payload: bytes
    session: Session | None


class Client(Connection):
    """A connection, from CONNECT on with a session."""

    __slots__ = (
        "aliases", "broker", "connected", "decoder", "identity", "keep_alive", "most", "registry", "session", "speaking", "topics",
        "unacked", "unkept", "unkept_bytes", "version", "will",
    )  # fmt: skip

    def __init__(self, server: "Broker") -> None:
        super().__init__(server)
        self.broker = server
        self.decoder = Decoder(most=MOST_PACKET)
        self.version = 0
        self.identity = Identity("", "")
        self.session: Session | None = None
        self.connected = server.clock()
        self.keep_alive = 0.0
        self.most = 0  # bytes of a packet that the client takes; 0: any
        self.will: Will | None = None
        self.speaking = False  # whether it has been announced
        self.registry = server.hub.registry
        self.topics: dict[str, tuple[Kind, str, bytes]] = {}
        self.aliases: dict[int, str] = {}
        self.unacked = 0
        self.unkept: deque[Entry] = deque()
        self.unkept_bytes = 0

    # --- what the server asks ---------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> tuple[int, int]:
        """Take bytes of the stream."""
        good = 0
        for packet in self.decoder.feed(data):
            if packet.__class__ is Publish:
                self._publish(packet)
            elif isinstance(packet, Fault):
                self._fault(packet)
                return good, 1
            else:
                self._take(packet)
            good += 1
            if self.reason or self.ended:
                break
        return good, 0

    def partial(self) -> bool:
        """Return whether a packet has begun."""
        return self.decoder.begun

    def give_up(self) -> None:
        """Forget a packet that does not end: there is no way to the next one."""
        self.end("partial", kinds.MALFORMED)

    def look(self, now: float) -> None:
        """Once a second: has the client fallen silent (keep-alive × 1.5), stalled, or broken off within a packet?"""
        if self.stalled_since:
            if now - self.stalled_since > self.server.limits.stalled_seconds:
                self.abort("stalled")
        elif self.holds:
            return
        elif self.session is None:
            if now - self.connected > CONNECT_WITHIN:
                self.close("silent")
        elif self.partial_since and now - self.partial_since > PARTIAL_WITHIN:
            self.give_up()
        elif self.keep_alive and now - self.heard > self.keep_alive:
            self.end("idle", kinds.KEEP_ALIVE)

    def free(self, why: int) -> None:
        """Take back a reason not to read; while nothing was read the client could not be heard."""
        super().free(why)
        if not self.holds:
            self.heard = self.server.clock()

    def close(self, reason: str) -> None:
        """End the connection after what was written has gone out; when the gateway stops, 5.0 is told so."""
        if reason == "stopping" and self.version == V5 and not self.reason and not self.ended:
            self.send(Disconnect(kinds.SHUTTING_DOWN))
        super().close(reason)

    def gone(self, reason: str) -> None:
        """The connection has ended."""
        for entry in self.unkept:
            if entry.packet.qos == 2 and entry.session is not None:
                entry.session.received.pop(entry.packet.packet_id, None)
        self.unkept.clear()
        self.broker.left(self, reason)

    # --- packets --------------------------------------------------------------------------------------------------------

    def _take(self, packet: Packet) -> None:
        if isinstance(packet, Ping):
            self.write(b"\xd0\x00")
        elif isinstance(packet, Ack):
            self._acknowledged(packet)
        elif isinstance(packet, Connect):
            self.broker.connect(self, packet)
        elif isinstance(packet, Subscribe):
            subscribe(self, packet)
        elif isinstance(packet, Unsubscribe):
            unsubscribe(self, packet)
        elif isinstance(packet, Disconnect):
            self._disconnect(packet)
        elif isinstance(packet, Auth):
            self.end("protocol", kinds.PROTOCOL_ERROR)

    def _fault(self, fault: Fault) -> None:
        self.server.hub.count(self.identity.protocol, self.identity.key, fault.reason, fault.raw[:100].hex())
        if self.session is None:
            if fault.reason == "version":
                version = V5 if b"MQTT" in fault.raw[:10] and fault.raw[8:9] > b"\x05" else kinds.V311
                self.write(writer.encode(Connack(kinds.UNSUPPORTED_VERSION if version == V5 else 1), version))
            self.close("protocol")
        else:
            self.end("protocol", int(fault.details["code"]))

    def _disconnect(self, packet: Disconnect) -> None:
        if packet.code != kinds.DISCONNECT_WITH_WILL:
            self.will = None
        expiry = packet.properties.get("session_expiry_interval")
        if expiry is not None and self.session is not None:
            if not self.session.expiry and expiry:
                self.end("protocol", kinds.PROTOCOL_ERROR)
                return
            self.broker.expire(self.session, expiry)
        self.close("left")

    # --- messages from the client -----------------------------------------------------------------------------------------

    def _publish(self, packet: Publish) -> None:
        topic = packet.topic
        if packet.properties is not None and "topic_alias" in packet.properties:
            alias = packet.properties["topic_alias"]
            if alias > ALIASES or (not topic and alias not in self.aliases):
                self.end("protocol", kinds.BAD_ALIAS if alias > ALIASES else kinds.PROTOCOL_ERROR)
                return
            if topic:
                self.aliases[alias] = topic
            packet.topic = topic = topic or self.aliases[alias]
        known = self.topics.get(topic)
        if known is None or self.registry is not self.server.hub.registry:
            known = self._judge(topic)
        kind, key, head = known
        if not head:
            self._refuse(packet)
            return
        qos = packet.qos
        if qos:
            if qos == 2 and not self._first(packet):
                return
            self.unacked += 1
            if self.unacked > RECEIVE_MAXIMUM and self.version == V5:
                self.end("protocol", kinds.RECEIVE_MAXIMUM)
                return
        entry = Entry(packet, kind, key, head + packet.payload, self.session)
        if self.unkept:
            self._wait(entry)
        else:
            self._record(entry)

    def _record(self, entry: Entry) -> None:
        server = self.server
        server.in_flight += 1
        server.hub.journal.add(
            entry.kind, entry.key, entry.payload, time.time_ns() // 1000, partial(self._kept, entry)
        )

    def _kept(self, entry: Entry, error: Exception | None) -> None:
        """The journal has a message, or has no room for it."""
        server = self.server
        server.in_flight -= 1
        packet = entry.packet
        if error is not None or server.hub.trouble is not None:
            server.hub.note(error)
            if error is not None:
                self._unkept(entry)
                return
        if packet.qos == 1:
            self.unacked -= 1
            self.write(b"\x40\x02" + packet.packet_id.to_bytes(2, "big"))
        elif packet.qos == 2:
            self._half(entry.session, packet.packet_id)
        self.broker.published(entry.kind, packet, entry.session)

    def _unkept(self, entry: Entry) -> None:
        """The disk is full: 5.0 is told so and may send it again; for older clients, who cannot be told, the message waits here."""
        packet = entry.packet
        self.server.hub.tally("unacknowledged.mqtt")
        gone = self.ended or self.session is not entry.session
        if packet.qos == 2 and entry.session is not None and (gone or self.version == V5):
            entry.session.received.pop(packet.packet_id, None)  # it may come again and is new then
        if gone or not packet.qos:
            return
        if self.version == V5:
            self.unacked -= 1
            self.send(Ack(kinds.PUBACK if packet.qos == 1 else kinds.PUBREC, packet.packet_id, kinds.QUOTA))
            return
        self._wait(entry)

    def _wait(self, entry: Entry) -> None:
        self.unkept.append(entry)
        self.unkept_bytes += len(entry.payload)
        if len(self.unkept) > MOST_UNKEPT or self.unkept_bytes > MOST_UNKEPT_BYTES:
            self.hold(FULL)
        self.broker.waits(self)

    def retry(self) -> None:
        """Hand over again what the journal had no room for."""
        waiting = list(self.unkept)
        self.unkept.clear()
        self.unkept_bytes = 0
        self.free(FULL)
        for entry in waiting:
            self._record(entry)

    def _first(self, packet: Publish) -> bool:
        """Return whether a message of QoS 2 comes for the first time; one that comes again is told what it was told before."""
        session = self.session
        assert session is not None
        ready = session.received.get(packet.packet_id)
        if ready is None:
            session.received[packet.packet_id] = False
            return True
        if ready:
            self.write(writer.ack(kinds.PUBREC, packet.packet_id, self.version))
        return False

    @staticmethod
    def _half(session: Session | None, number: int) -> None:
        """A message of QoS 2 is in the journal; its identifier must outlive us too before the client hears of it.

        The client may have gone meanwhile: it hears of it in its next connection, when it asks again.
        """
        if session is None or number not in session.received:
            return

        def said(_error: Exception | None) -> None:
            if number in session.received:
                session.received[number] = True
                if session.client is not None:
                    session.client.write(writer.ack(kinds.PUBREC, number, session.client.version))

        if session.store is None:
            said(None)
        else:
            session.store.write(
                "INSERT OR REPLACE INTO received VALUES (?, ?)", session.client_id, number, kept=said
            )

    def _judge(self, topic: str) -> tuple[Kind, str, bytes]:
        """Find out whether this client may use a topic, and what becomes of its messages."""
        if self.registry is not self.server.hub.registry:
            self.registry = self.server.hub.registry
            self.topics.clear()
            self.broker.learn(self)
        if len(self.topics) >= MOST_TOPICS:
            self.topics.clear()
        allowed = may_publish(self.identity, topic, self.registry, self.broker.mappings)
        raw = topic.encode()
        known = REFUSED if allowed is None else (*allowed, len(raw).to_bytes(2, "big") + raw)
        self.topics[topic] = known
        if allowed is not None and not self.speaking:
            self.broker.announce(self, allowed[0])
        return known

    def _refuse(self, packet: Publish) -> None:
        self.server.hub.count(self.identity.protocol, self.identity.key, "topic_not_allowed", packet.topic)
        if self.version != V5:
            if packet.qos:  # an older client takes any answer for a yes
                self.end("not_allowed", kinds.NOT_AUTHORIZED)
        elif packet.qos:
            kind = kinds.PUBACK if packet.qos == 1 else kinds.PUBREC
            self.send(Ack(kind, packet.packet_id, kinds.NOT_AUTHORIZED))

    def _acknowledged(self, packet: Ack) -> None:
        session = self.session
        assert session is not None
        number = packet.packet_id
        if packet.kind == kinds.PUBREL:
            known = session.received.pop(number, None) is not None
            if known:
                self.unacked = max(self.unacked - 1, 0)
                if session.store is not None:
                    session.store.write(
                        "DELETE FROM received WHERE client = ? AND packet = ?", session.client_id, number
                    )
            code = kinds.SUCCESS if known else kinds.ID_NOT_FOUND
            self.send(Ack(kinds.PUBCOMP, number, code if self.version == V5 else 0))
        elif packet.kind == kinds.PUBACK:
            if not session.acknowledged(number):
                self.server.hub.count(
                    self.identity.protocol, self.identity.key, "answer_to_nothing", "PUBACK"
                )
        elif packet.kind == kinds.PUBREC:  # we send nothing of QoS 2
            self.send(Ack(kinds.PUBREL, number, kinds.ID_NOT_FOUND if self.version == V5 else 0))

    # --- to the client --------------------------------------------------------------------------------------------------

    def send(self, packet: Packet) -> None:
        """Write a packet in the client's version."""
        self.write(writer.encode(packet, self.version))

    def deliver(self, message: Publish) -> bool:
        """Write a message; return whether it was: not where the client does not take it, or (QoS 0) not now."""
        if self.ended or (not message.qos and (self.stalled_since or not self.session)):
            return False
        given: Properties | None = message.properties if self.version == V5 else None
        data = writer.publish(
            Publish(message.topic, message.payload, message.qos, message.retain, message.dup, message.packet_id, given), self.version
        )  # fmt: skip
        if self.most and len(data) > self.most:
            return False
        self.write(data)
        return True

    def accept(
        self, connect: Connect, session: Session, present: bool, identity: Identity, given: Properties
    ) -> None:
        """Let the client in."""
        self.version, self.identity, self.session, self.will = (
            connect.version,
            identity,
            session,
            connect.will,
        )
        self.keep_alive = connect.keep_alive * 1.5
        told = connect.properties if connect.version == V5 else {}
        self.most = told.get("maximum_packet_size", 0)
        session.window = min(told.get("receive_maximum", WINDOW), 100)
        properties: Properties = {}
        if connect.version == V5:
            properties = given | {
                "receive_maximum": RECEIVE_MAXIMUM,
                "maximum_packet_size": MOST_PACKET,
                "topic_alias_maximum": ALIASES,
                "shared_subscription_available": 0,
            }
        self.send(Connack(kinds.SUCCESS, present, properties))
        self.unacked = len(session.received)

    def refuse(self, connect: Connect, code: int) -> None:
        """Do not let the client in."""
        version = connect.version
        told = code if version == V5 else kinds.OLD_REFUSALS.get(code, 3)
        self.write(writer.encode(Connack(told), version))
        self.close("refused")

    def end(self, reason: str, code: int) -> None:
        """Close the connection; 5.0 is told why."""
        if self.version == V5 and not self.reason:
            self.send(Disconnect(code))
        self.close(reason)
