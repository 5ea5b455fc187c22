"""The bytes of a journal: segments, records, the mark. Pure; the layout is described in the package."""

import struct
from collections.abc import Iterable
from typing import NamedTuple
from zlib import crc32

from yuanmai.devices.store.records import Record

VERSION = 1
SEGMENT_MAGIC = b"YMJ1SEGM"
RECORD_MAGIC = b"\xf5YMR"
MARK_MAGIC = b"YMRK"

_SEGMENT = struct.Struct("<8sI16sQq")
_RECORD = struct.Struct("<4sIQqIHHI")
_MARK = struct.Struct("<4sIQQQI")
_CHECK = struct.Struct("<I")
_FULL_RECORD = struct.Struct("<4sIQqIHHII")

SEGMENT_BYTES = _SEGMENT.size + 4
RECORD_BYTES = _RECORD.size + 4
MARK_BYTES = _MARK.size + 4
MARK_SLOTS = (0, 512)
MARK_FILE_BYTES = 4096

MAX_KEY = 0xFFFF
MAX_PAYLOAD = 256 << 20


class Damage(NamedTuple):
    """A place whose checksum does not hold, or which is missing: sequences from `first` to `last` cannot be served from it."""

    segment: int
    offset: int
    length: int
    first: int
    last: int


class Mark(NamedTuple):
    """How far a journal is durable: the last sequence, and where it ends."""

    sequence: int
    segment: int
    offset: int


class Entry(NamedTuple):
    """What the writer is given for one record, before it has a sequence."""

    kind: int
    key: bytes
    payload: bytes
    received: int


def salt_of(stream: bytes) -> int:
    """Return the start value of the record checksums of a stream (16 bytes)."""
    return crc32(stream)


def entry(kind: int, key: str, payload: bytes, received: int) -> Entry:
    """Check the limits of a record. Raises ValueError naming the one that is passed."""
    raw = key.encode("utf-8", "surrogateescape")
    if len(raw) > MAX_KEY:
        raise ValueError(f"key of {len(raw)} bytes; at most {MAX_KEY}")
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"payload of {len(payload)} bytes; at most {MAX_PAYLOAD}")
    return Entry(int(kind), raw, payload, received)


def segment_header(stream: bytes, first: int, begun: int) -> bytes:
    """Return the header of a segment."""
    raw = _SEGMENT.pack(SEGMENT_MAGIC, VERSION, stream, first, begun)
    return raw + _CHECK.pack(crc32(raw))


def read_segment_header(data: bytes) -> tuple[bytes, int] | None:
    """Return (stream, first sequence), or None where the header is not whole. Raises ValueError for a later version."""
    if len(data) < SEGMENT_BYTES or _CHECK.unpack_from(data, _SEGMENT.size)[0] != crc32(
        data[: _SEGMENT.size]
    ):
        return None
    magic, version, stream, first, _begun = _SEGMENT.unpack_from(data)
    if magic != SEGMENT_MAGIC:
        return None
    if version != VERSION:
        raise ValueError(f"journal segment of version {version}; this program reads {VERSION}")
    return stream, first


def encode(entries: Iterable[Entry], first: int, place: int, salt: int) -> list[bytes]:
    """Return the parts of a group's bytes: for every record its head, key and payload. `place` is that of the first in its group."""
    parts: list[bytes] = []
    push, pack, check = parts.append, _RECORD.pack, _CHECK.pack
    sequence = first
    for kind, key, payload, received in entries:
        head = pack(
            RECORD_MAGIC, len(payload), sequence, received, place, len(key), kind, crc32(payload, crc32(key, salt))
        )  # fmt: skip
        push(head)
        push(check(crc32(head, salt)))
        push(key)
        push(payload)
        sequence += 1
        place += 1
    return parts


class Head(NamedTuple):
    """The head of a record, its own checksum being right."""

    sequence: int
    received: int
    place: int
    kind: int
    key_length: int
    length: int
    check: int

    @property
    def size(self) -> int:
        """Bytes of the whole record."""
        return RECORD_BYTES + self.key_length + self.length


def read_head(data: bytes, offset: int, salt: int) -> Head | None:
    """Return the head that stands at an offset, or None where none does."""
    if offset + RECORD_BYTES > len(data):
        return None
    magic, length, sequence, received, place, key_length, kind, check, own = _FULL_RECORD.unpack_from(
        data, offset
    )
    if magic != RECORD_MAGIC or own != crc32(memoryview(data)[offset : offset + _RECORD.size], salt):
        return None
    return Head(sequence, received, place, kind, key_length, length, check)


def find_head(data: bytes, offset: int, salt: int) -> tuple[int, Head] | None:
    """Return the first head at or behind an offset, and where."""
    while (offset := data.find(RECORD_MAGIC, offset)) >= 0:
        head = read_head(data, offset, salt)
        if head is not None:
            return offset, head
        offset += 1
    return None


def body_holds(data: bytes, offset: int, head: Head, salt: int) -> bool:
    """Return whether key and payload of a record are here and match their checksum."""
    begin, end = offset + RECORD_BYTES, offset + head.size
    if end > len(data):
        return False
    view = memoryview(data)
    split = begin + head.key_length
    return crc32(view[split:end], crc32(view[begin:split], salt)) == head.check


def decode(data: bytes, offset: int, salt: int, expected: int, last: int, out: list[Record]) -> int:
    """Append records to `out` from an offset on, as long as whole ones with the expected sequences (up to `last`) follow each other.

    Returns the offset behind the last taken: at the end of data, before a piece, or before something that is no record.
    """
    unpack, push, end = _FULL_RECORD.unpack_from, out.append, len(data)
    view = memoryview(data)
    while expected <= last and offset + RECORD_BYTES <= end:
        magic, length, sequence, received, _place, key_length, kind, check, own = unpack(data, offset)
        begin = offset + RECORD_BYTES
        split = begin + key_length
        stop = split + length
        if (
            magic != RECORD_MAGIC
            or sequence != expected
            or own != crc32(view[offset : begin - 4], salt)
            or stop > end
        ):
            break
        key, payload = data[begin:split], data[split:stop]
        if crc32(payload, crc32(key, salt)) != check:
            break
        push(Record(sequence, received, kind, key.decode("utf-8", "surrogateescape"), payload))
        offset = stop
        expected += 1
    return offset


def pack_mark(mark: Mark, salt: int) -> bytes:
    """Return the bytes of one slot of the mark."""
    raw = _MARK.pack(MARK_MAGIC, 0, mark.sequence, mark.segment, mark.offset, 0)
    return raw + _CHECK.pack(crc32(raw, salt))


def read_mark(data: bytes, salt: int) -> Mark | None:
    """Return the greater of the slots that hold, or None."""
    found: Mark | None = None
    for slot in MARK_SLOTS:
        raw = data[slot : slot + MARK_BYTES]
        if len(raw) < MARK_BYTES or _CHECK.unpack_from(raw, _MARK.size)[0] != crc32(raw[: _MARK.size], salt):
            continue
        magic, _zero, sequence, segment, offset, _none = _MARK.unpack_from(raw)
        if magic != MARK_MAGIC:
            continue
        mark = Mark(sequence, segment, offset)
        if found is None or mark > found:
            found = mark
    return found
