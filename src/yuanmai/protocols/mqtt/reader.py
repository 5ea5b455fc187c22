"""Packets out of their bytes, strictly: what the standards forbid is no packet."""

from collections.abc import Callable

from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt import properties
from yuanmai.protocols.mqtt.packets import (
    V5,
    V31,
    V311,
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
    SubscribeAck,
    Subscription,
    Unsubscribe,
    Will,
)
from yuanmai.protocols.mqtt.properties import WrongError, binary, text
from yuanmai.protocols.mqtt.topics import is_filter, is_name, name_of

NAMES = {"MQTT": (V311, V5), "MQIsdp": (V31,)}
# Flags in the first byte; those of PUBLISH say something.
FLAGS = {kinds.PUBREL: 2, kinds.SUBSCRIBE: 2, kinds.UNSUBSCRIBE: 2}
ACKS = frozenset({kinds.PUBACK, kinds.PUBREC, kinds.PUBREL, kinds.PUBCOMP})
# Reason codes of 5.0 by packet (table 2-6).
_RECEIVED = frozenset({0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99})
_RELEASED = frozenset({0x00, 0x92})
CODES: dict[int, frozenset[int]] = {
    kinds.CONNACK: frozenset({0, *range(0x80, 0x8B), 0x8C, 0x90, 0x95, 0x97, *range(0x99, 0x9E), 0x9F}),
    kinds.PUBACK: _RECEIVED,
    kinds.PUBREC: _RECEIVED,
    kinds.PUBREL: _RELEASED,
    kinds.PUBCOMP: _RELEASED,
    kinds.SUBACK: frozenset({0, 1, 2, 0x80, 0x83, 0x87, 0x8F, 0x91, 0x97, 0x9E, 0xA1, 0xA2}),
    kinds.UNSUBACK: frozenset({0x00, 0x11, 0x80, 0x83, 0x87, 0x8F, 0x91}),
    kinds.DISCONNECT: frozenset(
        {0x00, 0x04, *range(0x80, 0x84), 0x87, 0x89, *range(0x8B, 0x91), *range(0x93, 0xA3)}
    ),
    kinds.AUTH: frozenset({0x00, 0x18, 0x19}),
}


def read(head: int, data: bytes, begin: int, end: int, version: int) -> Packet:
    """Return the packet whose first byte is `head` and whose rest stands between `begin` and `end`. Raises WrongError."""
    kind, flags = head >> 4, head & 15
    if kind == kinds.PUBLISH:
        return publish(flags, data, begin, end, version)
    if flags != FLAGS.get(kind, 0):
        raise WrongError("flags of the first byte")
    reader = READERS.get(kind)
    if reader is None or (kind == kinds.AUTH and version != V5):
        raise WrongError("no type of packet")
    return reader(kind, data, begin, end, version)


def publish(flags: int, data: bytes, begin: int, end: int, version: int) -> Publish:
    """Return a message. Raises WrongError."""
    qos = flags >> 1 & 3
    place = begin + 2
    if place > end:
        raise WrongError("too short")
    stop = place + (data[begin] << 8 | data[begin + 1])
    if stop > end:
        raise WrongError("too short")
    topic = name_of(data[place:stop])
    if topic is None:
        raise WrongError("no name of a topic")
    number = 0
    if qos:
        if qos == 3:
            raise WrongError("no quality of service 3")
        if stop + 2 > end:
            raise WrongError("too short")
        number = data[stop] << 8 | data[stop + 1]
        if not number:
            raise WrongError("packet identifier 0")
        stop += 2
    elif flags & 8:
        raise WrongError("a message of QoS 0 sent again")
    found: Properties | None = None
    if version == V5:
        if stop < end and not data[stop]:
            stop += 1
        else:
            found, stop = properties.read(data, stop, end, kinds.PUBLISH)
        if not topic and (found is None or "topic_alias" not in found):
            raise WrongError("neither topic nor alias", kinds.PROTOCOL_ERROR)
    elif not topic:
        raise WrongError("no name of a topic")
    return Publish(topic, data[stop:end], qos, bool(flags & 1), bool(flags & 8), number, found)


def _connect(kind: int, data: bytes, begin: int, end: int, _version: int) -> Connect:
    name, place = text(data, begin, end)
    if place + 4 > end:
        raise WrongError("too short")
    version, flags = data[place], data[place + 1]
    if version not in NAMES.get(name, ()):
        raise WrongError(f"no protocol {name} {version}", kinds.UNSUPPORTED_VERSION)
    found = Connect(version=version, keep_alive=data[place + 2] << 8 | data[place + 3])
    place += 4
    if flags & 1:
        raise WrongError("reserved flag")
    found.clean = bool(flags & 2)
    if version == V5:
        found.properties, place = properties.read(data, place, end, kinds.CONNECT)
        if "authentication_data" in found.properties and "authentication_method" not in found.properties:
            raise WrongError("authentication without a method", kinds.PROTOCOL_ERROR)
    found.client_id, place = text(data, place, end)
    place = _will(found, flags, data, place, end)
    if flags & 0x80:
        found.username, place = text(data, place, end)
    if flags & 0x40:
        if not flags & 0x80 and version != V5:
            raise WrongError("a password without a user")
        found.password, place = binary(data, place, end)
    if place != end:
        raise WrongError("too long")
    return found


def _will(found: Connect, flags: int, data: bytes, place: int, end: int) -> int:
    qos = flags >> 3 & 3
    if not flags & 4:
        if flags & 0x38:
            raise WrongError("flags of a will that is none")
        return place
    if qos == 3:
        raise WrongError("no quality of service 3")
    given: Properties = {}
    if found.version == V5:
        given, place = properties.read(data, place, end, properties.WILL)
    topic, place = text(data, place, end)
    payload, place = binary(data, place, end)
    if not is_name(topic):
        raise WrongError("no name of a topic")
    found.will = Will(topic, payload, qos, bool(flags & 0x20), given)
    return place


def _connack(kind: int, data: bytes, begin: int, end: int, version: int) -> Connack:
    if begin + 2 > end:
        raise WrongError("too short")
    flags, code = data[begin], data[begin + 1]
    place = begin + 2
    found = Connack(code, bool(flags & 1))
    if flags & 0xFE or (code and flags):
        raise WrongError("flags of an answer to CONNECT")
    if version == V5:
        found.properties, place = properties.read(data, place, end, kind)
        _code(kind, code)
    elif code > 5:
        raise WrongError("no return code")
    if place != end:
        raise WrongError("too long")
    return found


def _ack(kind: int, data: bytes, begin: int, end: int, version: int) -> Ack:
    number, place = _number(data, begin, end)
    found = Ack(kind, number)
    if version == V5 and place < end:
        found.code = data[place]
        _code(kind, found.code)
        place += 1
        if place < end:
            found.properties, place = properties.read(data, place, end, kind)
            found.properties = found.properties or None
    if place != end:
        raise WrongError("too long")
    return found


def _subscribe(kind: int, data: bytes, begin: int, end: int, version: int) -> Subscribe:
    number, place = _number(data, begin, end)
    found = Subscribe(number, [])
    if version == V5:
        found.properties, place = properties.read(data, place, end, kind)
    while place < end:
        pattern, place = text(data, place, end)
        if place >= end:
            raise WrongError("too short")
        options = data[place]
        place += 1
        if not is_filter(pattern):
            raise WrongError("no filter")
        handling = options >> 4 & 3
        if options & 3 == 3 or options & (0xC0 if version == V5 else 0xFC):
            raise WrongError("options of a subscription")
        if handling == 3 or (options & 4 and pattern.startswith("$share/")):
            raise WrongError("options of a subscription", kinds.PROTOCOL_ERROR)
        found.filters.append(
            Subscription(pattern, options & 3, bool(options & 4), bool(options & 8), handling)
        )
    if not found.filters:
        raise WrongError("no filters", kinds.PROTOCOL_ERROR)
    return found


def _unsubscribe(kind: int, data: bytes, begin: int, end: int, version: int) -> Unsubscribe:
    number, place = _number(data, begin, end)
    found = Unsubscribe(number, [])
    if version == V5:
        found.properties, place = properties.read(data, place, end, kind)
    while place < end:
        pattern, place = text(data, place, end)
        if not is_filter(pattern):
            raise WrongError("no filter")
        found.filters.append(pattern)
    if not found.filters:
        raise WrongError("no filters", kinds.PROTOCOL_ERROR)
    return found


def _subscribe_ack(kind: int, data: bytes, begin: int, end: int, version: int) -> SubscribeAck:
    number, place = _number(data, begin, end)
    found = SubscribeAck(kind, number)
    if version == V5:
        found.properties, place = properties.read(data, place, end, kind)
    found.codes = list(data[place:end])
    if kind == kinds.UNSUBACK and version != V5:
        if found.codes:
            raise WrongError("too long")
        return found
    if not found.codes:
        raise WrongError("no codes", kinds.PROTOCOL_ERROR)
    for code in found.codes:
        if version == V5:
            _code(kind, code)
        elif code not in (0, 1, 2, 0x80):
            raise WrongError("no return code")
    return found


def _ping(kind: int, data: bytes, begin: int, end: int, version: int) -> Ping:
    if begin != end:
        raise WrongError("too long")
    return Ping(kind)


def _disconnect(kind: int, data: bytes, begin: int, end: int, version: int) -> Disconnect | Auth:
    code, place = 0, begin
    given: Properties = {}
    if version == V5 and place < end:
        code = data[place]
        _code(kind, code)
        place += 1
        if place < end:
            given, place = properties.read(data, place, end, kind)
    if place != end:
        raise WrongError("too long")
    return Disconnect(code, given) if kind == kinds.DISCONNECT else Auth(code, given)


def _number(data: bytes, begin: int, end: int) -> tuple[int, int]:
    """Return a packet identifier and where it ends."""
    if begin + 2 > end:
        raise WrongError("too short")
    number = data[begin] << 8 | data[begin + 1]
    if not number:
        raise WrongError("packet identifier 0", kinds.PROTOCOL_ERROR)
    return number, begin + 2


def _code(kind: int, code: int) -> None:
    if code not in CODES[kind]:
        raise WrongError("no reason code of this packet", kinds.PROTOCOL_ERROR)


READERS: dict[int, Callable[[int, bytes, int, int, int], Packet]] = {
    kinds.CONNECT: _connect,
    kinds.CONNACK: _connack,
    kinds.PUBACK: _ack,
    kinds.PUBREC: _ack,
    kinds.PUBREL: _ack,
    kinds.PUBCOMP: _ack,
    kinds.SUBSCRIBE: _subscribe,
    kinds.SUBACK: _subscribe_ack,
    kinds.UNSUBSCRIBE: _unsubscribe,
    kinds.UNSUBACK: _subscribe_ack,
    kinds.PINGREQ: _ping,
    kinds.PINGRESP: _ping,
    kinds.DISCONNECT: _disconnect,
    kinds.AUTH: _disconnect,
}
