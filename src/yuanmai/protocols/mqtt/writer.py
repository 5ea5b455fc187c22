"""Packets as bytes: the shortest form the standards allow. What may not be sent raises ValueError."""

from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt import properties
from yuanmai.protocols.mqtt.packets import (
    V5,
    V31,
    Ack,
    Auth,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Ping,
    Publish,
    Subscribe,
    SubscribeAck,
    Unsubscribe,
)
from yuanmai.protocols.mqtt.properties import U16, put_binary, put_text, put_varint
from yuanmai.protocols.mqtt.reader import FLAGS
from yuanmai.protocols.mqtt.topics import is_filter, is_name


def encode(packet: Packet, version: int) -> bytes:
    """Return the bytes of a packet in a version (3, 4, 5; CONNECT brings its own). Raises ValueError for what may not be sent."""
    match packet:
        case Publish():
            return publish(packet, version)
        case Ack():
            return ack(packet.kind, packet.packet_id, version, packet.code, packet.properties)
        case Connect():
            return _framed(kinds.CONNECT, _connect(packet))
        case Connack(code, present):
            tail = properties.write(packet.properties, kinds.CONNACK) if version == V5 else b""
            return _framed(kinds.CONNACK, bytes((present, code)) + tail)
        case Subscribe() | Unsubscribe():
            return _subscribing(packet, version)
        case SubscribeAck(kind, number, codes):
            body = _number(number)
            if version == V5:
                body += properties.write(packet.properties, kind)
            if version == V5 or kind == kinds.SUBACK:
                body += bytes(codes)
            return _framed(kind, body)
        case Ping(kind):
            return bytes((kind << 4, 0))
        case Disconnect() | Auth():
            kind = kinds.DISCONNECT if isinstance(packet, Disconnect) else kinds.AUTH
            if version != V5 or not (packet.code or packet.properties):
                return bytes((kind << 4, 0))
            tail = properties.write(packet.properties, kind) if packet.properties else b""
            return _framed(kind, bytes((packet.code,)) + tail)
    raise ValueError(f"no packet: {packet!r}")


def publish(packet: Publish, version: int) -> bytes:
    """Return a message. Raises ValueError for a wildcard in its topic, or an identifier where none belongs."""
    if bool(packet.packet_id) != bool(packet.qos) or not 0 <= packet.qos <= 2:
        raise ValueError(f"identifier {packet.packet_id} at QoS {packet.qos}")
    if packet.dup and not packet.qos:
        raise ValueError("a message of QoS 0 is not sent again")
    alias = version == V5 and bool(packet.properties) and "topic_alias" in (packet.properties or {})
    if not is_name(packet.topic) and (packet.topic or not alias):
        raise ValueError(f"no name of a topic: {packet.topic!r}")
    body = put_text(packet.topic)
    if packet.qos:
        body += _number(packet.packet_id)
    if version == V5:
        body += properties.write(packet.properties, kinds.PUBLISH)
    head = kinds.PUBLISH << 4 | packet.dup << 3 | packet.qos << 1 | packet.retain
    return bytes((head,)) + put_varint(len(body) + len(packet.payload)) + body + packet.payload


def ack(kind: int, number: int, version: int, code: int = 0, given: kinds.Properties | None = None) -> bytes:
    """Return PUBACK, PUBREC, PUBREL or PUBCOMP. Code and properties are left out before 5.0."""
    head = bytes((kind << 4 | FLAGS.get(kind, 0),))
    if version != V5 or not (code or given):
        return head + b"\x02" + _number(number)
    tail = properties.write(given, kind) if given else b""
    body = _number(number) + bytes((code,)) + tail
    return head + put_varint(len(body)) + body


def _connect(packet: Connect) -> bytes:
    version, will = packet.version, packet.will
    flags = packet.clean << 1 | (packet.username is not None) << 7 | (packet.password is not None) << 6
    if will is not None:
        flags |= 4 | will.qos << 3 | will.retain << 5
        if not is_name(will.topic):
            raise ValueError(f"no name of a topic: {will.topic!r}")
    if packet.password is not None and packet.username is None and version != V5:
        raise ValueError("a password without a user")
    body = put_text("MQIsdp" if version == V31 else "MQTT") + bytes((version, flags))
    body += U16.pack(packet.keep_alive)
    if version == V5:
        body += properties.write(packet.properties, kinds.CONNECT)
    body += put_text(packet.client_id)
    if will is not None:
        if version == V5:
            body += properties.write(will.properties, properties.WILL)
        body += put_text(will.topic) + put_binary(will.payload)
    if packet.username is not None:
        body += put_text(packet.username)
    if packet.password is not None:
        body += put_binary(packet.password)
    return body


def _subscribing(packet: Subscribe | Unsubscribe, version: int) -> bytes:
    kind = kinds.SUBSCRIBE if isinstance(packet, Subscribe) else kinds.UNSUBSCRIBE
    body = _number(packet.packet_id)
    if version == V5:
        body += properties.write(packet.properties, kind)
    if not packet.filters:
        raise ValueError("no filters")
    for wanted in packet.filters:
        pattern = wanted if isinstance(wanted, str) else wanted.filter
        if not is_filter(pattern):
            raise ValueError(f"no filter: {pattern!r}")
        body += put_text(pattern)
        if not isinstance(wanted, str):
            options = wanted.qos
            if version == V5:
                options |= (
                    wanted.no_local << 2 | wanted.retain_as_published << 3 | wanted.retain_handling << 4
                )
            body += bytes((options,))
    return _framed(kind, body)


def _number(number: int) -> bytes:
    if not 0 < number <= 0xFFFF:
        raise ValueError(f"a packet identifier is 1 to 65535, not {number}")
    return U16.pack(number)


def _framed(kind: int, body: bytes) -> bytes:
    return bytes((kind << 4 | FLAGS.get(kind, 0),)) + put_varint(len(body)) + body
