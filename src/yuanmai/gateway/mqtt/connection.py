"""One client of the broker: its packets in, ours out. Its messages go through `incoming`."""

from typing import TYPE_CHECKING

from yuanmai.gateway.mqtt.access import Identity
from yuanmai.gateway.mqtt.incoming import ALIASES, RECEIVE_MAXIMUM, Incoming
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

CONNECT_WITHIN = 15.0
PARTIAL_WITHIN = 60.0  # seconds that one packet may take
MOST_PACKET = 256 << 10


class Client(Connection):
    """A connection, from CONNECT on with a session."""

    __slots__ = (
        "broker", "connected", "decoder", "identity", "incoming", "keep_alive", "most", "session", "speaking", "version", "will",
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
        self.incoming = Incoming(self)

    # --- what the server asks ---------------------------------------------------------------------------------------------

    def feed(self, data: bytes) -> tuple[int, int]:
        """Take bytes of the stream."""
        good = 0
        for packet in self.decoder.feed(data):
            if packet.__class__ is Publish:
                self.incoming.publish(packet)
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
        self.incoming.forget()
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

    def _acknowledged(self, packet: Ack) -> None:
        session = self.session
        assert session is not None
        number = packet.packet_id
        if packet.kind == kinds.PUBREL:
            self.incoming.release(session, number)
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
        self.incoming.unacked = len(session.received)

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
