"""Properties of MQTT 5.0: which there are, in which packets they may stand, and how they look on the wire."""

from struct import Struct
from typing import Any

from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt.packets import Properties

U16, U32 = Struct(">H"), Struct(">I")
BYTE, TWO, FOUR, VARINT, TEXT, BINARY, PAIR = range(7)
WILL = 0  # a place of its own beside the types of packets
MOST_VARINT = 268_435_455
_ACKS = frozenset({kinds.PUBACK, kinds.PUBREC, kinds.PUBREL, kinds.PUBCOMP, kinds.SUBACK, kinds.UNSUBACK})
_MESSAGE = frozenset({kinds.PUBLISH, WILL})
_EVERYWHERE = frozenset(range(16)) - {kinds.PINGREQ, kinds.PINGRESP}
_CONNACK = frozenset({kinds.CONNACK})

# Identifier → name, form, where it may stand (MQTT 5.0, table 2-4).
KNOWN: dict[int, tuple[str, int, frozenset[int]]] = {
    0x01: ("payload_format_indicator", BYTE, _MESSAGE),
    0x02: ("message_expiry_interval", FOUR, _MESSAGE),
    0x03: ("content_type", TEXT, _MESSAGE),
    0x08: ("response_topic", TEXT, _MESSAGE),
    0x09: ("correlation_data", BINARY, _MESSAGE),
    0x0B: ("subscription_identifier", VARINT, frozenset({kinds.PUBLISH, kinds.SUBSCRIBE})),
    0x11: ("session_expiry_interval", FOUR, frozenset({kinds.CONNECT, kinds.CONNACK, kinds.DISCONNECT})),
    0x12: ("assigned_client_identifier", TEXT, _CONNACK),
    0x13: ("server_keep_alive", TWO, _CONNACK),
    0x15: ("authentication_method", TEXT, frozenset({kinds.CONNECT, kinds.CONNACK, kinds.AUTH})),
    0x16: ("authentication_data", BINARY, frozenset({kinds.CONNECT, kinds.CONNACK, kinds.AUTH})),
    0x17: ("request_problem_information", BYTE, frozenset({kinds.CONNECT})),
    0x18: ("will_delay_interval", FOUR, frozenset({WILL})),
    0x19: ("request_response_information", BYTE, frozenset({kinds.CONNECT})),
    0x1A: ("response_information", TEXT, _CONNACK),
    0x1C: ("server_reference", TEXT, frozenset({kinds.CONNACK, kinds.DISCONNECT})),
    0x1F: ("reason_string", TEXT, _ACKS | {kinds.CONNACK, kinds.DISCONNECT, kinds.AUTH}),
    0x21: ("receive_maximum", TWO, frozenset({kinds.CONNECT, kinds.CONNACK})),
    0x22: ("topic_alias_maximum", TWO, frozenset({kinds.CONNECT, kinds.CONNACK})),
    0x23: ("topic_alias", TWO, frozenset({kinds.PUBLISH})),
    0x24: ("maximum_qos", BYTE, _CONNACK),
    0x25: ("retain_available", BYTE, _CONNACK),
    0x26: ("user_property", PAIR, _EVERYWHERE),
    0x27: ("maximum_packet_size", FOUR, frozenset({kinds.CONNECT, kinds.CONNACK})),
    0x28: ("wildcard_subscription_available", BYTE, _CONNACK),
    0x29: ("subscription_identifier_available", BYTE, _CONNACK),
    0x2A: ("shared_subscription_available", BYTE, _CONNACK),
}
BY_NAME = {name: (number, form, where) for number, (name, form, where) in KNOWN.items()}
# Those that may not be 0.
POSITIVE = frozenset({"receive_maximum", "maximum_packet_size", "subscription_identifier", "topic_alias"})


class WrongError(Exception):
    """Inside the codec only: the bytes are no packet; with the reason code of 5.0 and what is wrong."""

    def __init__(self, what: str, code: int = kinds.MALFORMED) -> None:
        super().__init__(what)
        self.what, self.code = what, code


def varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """Return a number of one to four bytes and where it ends. Raises WrongError, also where it is longer than it need be."""
    value = shift = 0
    while place < end and shift < 28:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if not byte and shift:
                raise WrongError("a number longer than it need be")
            return value, place
        shift += 7
    raise WrongError("a number without end" if shift == 28 else "too short")


def put_varint(value: int) -> bytes:
    """Return the bytes of a number. Raises ValueError outside of 0 to 268,435,455."""
    if not 0 <= value <= MOST_VARINT:
        raise ValueError(f"a length is 0 to {MOST_VARINT}, not {value}")
    if value < 0x80:
        return bytes((value,))
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def text(data: bytes, place: int, end: int) -> tuple[str, int]:
    """Return a text with its length before it, and where it ends. Raises WrongError: no UTF-8, NUL, too short."""
    raw, place = binary(data, place, end)
    try:
        found = raw.decode()
    except UnicodeDecodeError:
        raise WrongError("no UTF-8") from None
    if "\0" in found:
        raise WrongError("NUL in a text")
    return found, place


def binary(data: bytes, place: int, end: int) -> tuple[bytes, int]:
    """Return bytes with their length before them, and where they end. Raises WrongError."""
    begin = place + 2
    if begin > end:
        raise WrongError("too short")
    place = begin + (data[place] << 8 | data[place + 1])
    if place > end:
        raise WrongError("too short")
    return data[begin:place], place


def put_text(value: str) -> bytes:
    """Return a text with its length. Raises ValueError where it is too long, no UTF-8 or has NUL in it."""
    if "\0" in value:
        raise ValueError("a text of MQTT has no NUL")
    try:
        return put_binary(value.encode())
    except UnicodeEncodeError:
        raise ValueError("a text of MQTT has no half characters") from None


def put_binary(value: bytes) -> bytes:
    """Return bytes with their length. Raises ValueError above 65,535."""
    if len(value) > 0xFFFF:
        raise ValueError(f"up to 65535 bytes, not {len(value)}")
    return U16.pack(len(value)) + value


def read(data: bytes, place: int, end: int, where: int) -> tuple[Properties, int]:
    """Return the properties that begin here with their length, and where they end. Raises WrongError."""
    length, place = varint(data, place, end)
    stop = place + length
    if stop > end:
        raise WrongError("too short")
    found: Properties = {}
    while place < stop:
        number, place = varint(data, place, stop)
        known = KNOWN.get(number)
        if known is None:
            raise WrongError(f"no property {number:#04x}")
        name, form, places = known
        if where not in places:
            raise WrongError(f"{name} does not belong there", kinds.PROTOCOL_ERROR)
        value, place = _value(data, place, stop, form)
        _check(name, form, value)
        if form == PAIR or (name == "subscription_identifier" and where == kinds.PUBLISH):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise WrongError(f"{name} twice", kinds.PROTOCOL_ERROR)
        else:
            found[name] = [value] if name == "subscription_identifier" else value
    return found, stop


def _value(data: bytes, place: int, end: int, form: int) -> tuple[Any, int]:
    if form == VARINT:
        return varint(data, place, end)
    if form == TEXT:
        return text(data, place, end)
    if form == BINARY:
        return binary(data, place, end)
    if form == PAIR:
        key, place = text(data, place, end)
        value, place = text(data, place, end)
        return (key, value), place
    size = (1, 2, 4)[form]
    if place + size > end:
        raise WrongError("too short")
    return int.from_bytes(data[place : place + size], "big"), place + size


def _check(name: str, form: int, value: Any) -> None:
    if form == BYTE and value > 1:
        raise WrongError(f"{name} is 0 or 1", kinds.PROTOCOL_ERROR)
    if name in POSITIVE and not value:
        code = kinds.BAD_ALIAS if name == "topic_alias" else kinds.PROTOCOL_ERROR
        raise WrongError(f"{name} is 0", code)
    if name == "response_topic" and ("+" in value or "#" in value):
        raise WrongError("a response topic has no wildcards", kinds.PROTOCOL_ERROR)


def write(properties: Properties | None, where: int) -> bytes:
    """Return properties with their length, in the order given. Raises ValueError for one that is unknown or not at home there."""
    if not properties:
        return b"\0"
    found = bytearray()
    for name, value in properties.items():
        if name not in BY_NAME or where not in BY_NAME[name][2]:
            raise ValueError(f"no property of this packet: {name}")
        number, form, _places = BY_NAME[name]
        several = isinstance(value, list)
        for one in value if several else [value]:
            found.append(number)
            found += _put(form, one, name)
    return put_varint(len(found)) + bytes(found)


def _put(form: int, value: Any, name: str) -> bytes:
    if form == TEXT:
        return put_text(value)
    if form == BINARY:
        return put_binary(value)
    if form == PAIR:
        return put_text(value[0]) + put_text(value[1])
    if form == VARINT:
        return put_varint(value)
    size = (1, 2, 4)[form]
    try:
        return int(value).to_bytes(size, "big")
    except OverflowError:
        raise ValueError(f"{name} has {size} bytes, not {value}") from None
