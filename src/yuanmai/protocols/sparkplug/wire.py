"""The wire form of protocol buffers, as much as Sparkplug B needs: varints, fixed numbers, bytes."""

from collections.abc import Iterator
from struct import Struct

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FLOAT, DOUBLE = Struct("<f"), Struct("<d")
U32, U64 = Struct("<I"), Struct("<Q")


class WireError(Exception):
    """Inside the codec only: the bytes are no message."""


def varint(data: bytes, place: int) -> tuple[int, int]:
    """Return a varint (64 bits) and where it ends. Raises WireError."""
    value = shift = 0
    size = len(data)
    while place < size and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, place
        shift += 7
    raise WireError("varint")


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Return number, kind and content of each field: numbers as they stand, fixed ones as their bits. Raises WireError."""
    place, size = 0, len(data)
    while place < size:
        tag, place = varint(data, place)
        number, kind = tag >> 3, tag & 7
        if not number or number >= 1 << 29:
            raise WireError("field number")
        if kind == VARINT:
            value, place = varint(data, place)
            yield number, kind, value
        elif kind == BYTES:
            length, place = varint(data, place)
            end = place + length
            if end > size:
                raise WireError("truncated")
            yield number, kind, data[place:end]
            place = end
        elif kind in (FIXED64, FIXED32):
            width = 8 if kind == FIXED64 else 4
            if place + width > size:
                raise WireError("truncated")
            yield number, kind, int.from_bytes(data[place : place + width], "little")
            place += width
        else:
            raise WireError("wire type")


def number_of(kind: int, content: int | bytes) -> int:
    """Return the content of a varint field. Raises WireError for any other."""
    if kind != VARINT or isinstance(content, bytes):
        raise WireError("no number")
    return content


def bytes_of(kind: int, content: int | bytes) -> bytes:
    """Return the content of a field of bytes. Raises WireError for any other."""
    if kind != BYTES or not isinstance(content, bytes):
        raise WireError("no bytes")
    return content


def text_of(kind: int, content: int | bytes) -> str:
    """Return the text of a field. Raises WireError for anything but UTF-8."""
    try:
        return bytes_of(kind, content).decode()
    except UnicodeDecodeError as error:
        raise WireError("text") from error


def float_of(kind: int, content: int | bytes) -> float:
    """Return the content of a float field. Raises WireError."""
    if kind != FIXED32 or isinstance(content, bytes):
        raise WireError("no float")
    return FLOAT.unpack(U32.pack(content))[0]


def double_of(kind: int, content: int | bytes) -> float:
    """Return the content of a double field. Raises WireError."""
    if kind != FIXED64 or isinstance(content, bytes):
        raise WireError("no double")
    return DOUBLE.unpack(U64.pack(content))[0]


def pack_varint(value: int) -> bytes:
    """Return a number of up to 64 bits as a varint."""
    value &= 0xFFFFFFFFFFFFFFFF
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def put_number(field: int, value: int) -> bytes:
    """Return a varint field."""
    return pack_varint(field << 3) + pack_varint(value)


def put_bytes(field: int, value: bytes) -> bytes:
    """Return a field of bytes."""
    return pack_varint(field << 3 | BYTES) + pack_varint(len(value)) + value


def put_float(field: int, value: float) -> bytes:
    """Return a float field."""
    return pack_varint(field << 3 | FIXED32) + FLOAT.pack(value)


def put_double(field: int, value: float) -> bytes:
    """Return a double field."""
    return pack_varint(field << 3 | FIXED64) + DOUBLE.pack(value)
