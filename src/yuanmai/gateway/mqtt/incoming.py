"""What a client publishes, on its way into the journal. PUBACK and PUBREC go out when the journal has the message, never before."""

import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from yuanmai.devices.store.records import Kind
from yuanmai.gateway.mqtt.access import may_publish
from yuanmai.gateway.mqtt.session import Session
from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt import writer
from yuanmai.protocols.mqtt.packets import V5, Ack, Publish

if TYPE_CHECKING:
    from yuanmai.gateway.mqtt.connection import Client

FULL = 16  # why a socket is not read: too much waits for room in the journal
RECEIVE_MAXIMUM = 500  # messages of 5.0 that may be under way to us
ALIASES = 32
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


class Incoming:
    """The messages of one connection: judged by topic, journalled, acknowledged; for want of room in the journal they wait here."""

    __slots__ = ("aliases", "client", "registry", "topics", "unacked", "unkept", "unkept_bytes")

    def __init__(self, client: "Client") -> None:
        self.client = client
        self.registry = client.server.hub.registry
        self.topics: dict[str, tuple[Kind, str, bytes]] = {}
        self.aliases: dict[int, str] = {}
        self.unacked = 0
        self.unkept: deque[Entry] = deque()
        self.unkept_bytes = 0

    def publish(self, packet: Publish) -> None:
        """Take a message: write it into the journal where the client may send it, refuse it where not."""
        client = self.client
        topic = packet.topic
        if packet.properties is not None and "topic_alias" in packet.properties:
            alias = packet.properties["topic_alias"]
            if alias > ALIASES or (not topic and alias not in self.aliases):
                client.end("protocol", kinds.BAD_ALIAS if alias > ALIASES else kinds.PROTOCOL_ERROR)
                return
            if topic:
                self.aliases[alias] = topic
            packet.topic = topic = topic or self.aliases[alias]
        known = self.topics.get(topic)
        if known is None or self.registry is not client.server.hub.registry:
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
            if self.unacked > RECEIVE_MAXIMUM and client.version == V5:
                client.end("protocol", kinds.RECEIVE_MAXIMUM)
                return
        entry = Entry(packet, kind, key, head + packet.payload, client.session)
        if self.unkept:
            self._wait(entry)
        else:
            self._record(entry)

    def _record(self, entry: Entry) -> None:
        server = self.client.server
        server.in_flight += 1
        server.hub.journal.add(
            entry.kind, entry.key, entry.payload, time.time_ns() // 1000, partial(self._kept, entry)
        )

    def _kept(self, entry: Entry, error: Exception | None) -> None:
        """The journal has a message, or has no room for it."""
        server = self.client.server
        server.in_flight -= 1
        packet = entry.packet
        if error is not None or server.hub.trouble is not None:
            server.hub.note(error)
            if error is not None:
                self._unkept(entry)
                return
        if packet.qos == 1:
            self.unacked -= 1
            self.client.write(b"\x40\x02" + packet.packet_id.to_bytes(2, "big"))
        elif packet.qos == 2:
            self._half(entry.session, packet.packet_id)
        self.client.broker.published(entry.kind, packet, entry.session)

    def _unkept(self, entry: Entry) -> None:
        """The disk is full: 5.0 is told so and may send it again; for older clients, who cannot be told, the message waits here."""
        client, packet = self.client, entry.packet
        client.server.hub.tally("unacknowledged.mqtt")
        gone = client.ended or client.session is not entry.session
        if packet.qos == 2 and entry.session is not None and (gone or client.version == V5):
            entry.session.received.pop(packet.packet_id, None)  # it may come again and is new then
        if gone or not packet.qos:
            return
        if client.version == V5:
            self.unacked -= 1
            client.send(Ack(kinds.PUBACK if packet.qos == 1 else kinds.PUBREC, packet.packet_id, kinds.QUOTA))
            return
        self._wait(entry)

    def _wait(self, entry: Entry) -> None:
        self.unkept.append(entry)
        self.unkept_bytes += len(entry.payload)
        if len(self.unkept) > MOST_UNKEPT or self.unkept_bytes > MOST_UNKEPT_BYTES:
            self.client.hold(FULL)
        self.client.broker.waits(self.client)

    def retry(self) -> None:
        """Hand over again what the journal had no room for."""
        waiting = list(self.unkept)
        self.unkept.clear()
        self.unkept_bytes = 0
        self.client.free(FULL)
        for entry in waiting:
            self._record(entry)

    def forget(self) -> None:
        """The connection has ended: what waits here is lost, and may come again."""
        for entry in self.unkept:
            if entry.packet.qos == 2 and entry.session is not None:
                entry.session.received.pop(entry.packet.packet_id, None)
        self.unkept.clear()

    def _first(self, packet: Publish) -> bool:
        """Return whether a message of QoS 2 comes for the first time; one that comes again is told what it was told before."""
        session = self.client.session
        assert session is not None
        ready = session.received.get(packet.packet_id)
        if ready is None:
            session.received[packet.packet_id] = False
            return True
        if ready:
            self.client.write(writer.ack(kinds.PUBREC, packet.packet_id, self.client.version))
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

    def release(self, session: Session, number: int) -> None:
        """Answer PUBREL: a message of QoS 2 is through, its identifier free again."""
        known = session.received.pop(number, None) is not None
        if known:
            self.unacked = max(self.unacked - 1, 0)
            if session.store is not None:
                session.store.write(
                    "DELETE FROM received WHERE client = ? AND packet = ?", session.client_id, number
                )
        code = kinds.SUCCESS if known else kinds.ID_NOT_FOUND
        self.client.send(Ack(kinds.PUBCOMP, number, code if self.client.version == V5 else 0))

    def _judge(self, topic: str) -> tuple[Kind, str, bytes]:
        """Find out whether this client may use a topic, and what becomes of its messages."""
        client = self.client
        if self.registry is not client.server.hub.registry:
            self.registry = client.server.hub.registry
            self.topics.clear()
            client.broker.learn(client)
        if len(self.topics) >= MOST_TOPICS:
            self.topics.clear()
        allowed = may_publish(client.identity, topic, self.registry, client.broker.mappings)
        raw = topic.encode()
        known = REFUSED if allowed is None else (*allowed, len(raw).to_bytes(2, "big") + raw)
        self.topics[topic] = known
        if allowed is not None and not client.speaking:
            client.broker.announce(client, allowed[0])
        return known

    def _refuse(self, packet: Publish) -> None:
        client = self.client
        client.server.hub.count(
            client.identity.protocol, client.identity.key, "topic_not_allowed", packet.topic
        )
        if client.version != V5:
            if packet.qos:  # an older client takes any answer for a yes
                client.end("not_allowed", kinds.NOT_AUTHORIZED)
        elif packet.qos:
            kind = kinds.PUBACK if packet.qos == 1 else kinds.PUBREC
            client.send(Ack(kind, packet.packet_id, kinds.NOT_AUTHORIZED))
