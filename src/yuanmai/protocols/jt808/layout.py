"""Bodies as tables: each part reads its bytes and writes them again, so one table is both decoder and encoder.

A body is a dictionary of named values. A part that is conditional asks the values before it and the edition of the standard.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from yuanmai.protocols.faults import ShortError
from yuanmai.protocols.jt808.location import bcd_time, pack_time

Body = dict[str, Any]
CODING = "gb18030"  # all of GBK and more


@dataclass(slots=True)
class Reader:
    """Bytes with a place in them; the edition of the standard goes with them."""

    data: bytes
    standard: int
    place: int = 0

    def take(self, size: int) -> bytes:
        """Return the next bytes. Raises ShortError where there are fewer."""
        end = self.place + size
        if end > len(self.data):
            raise ShortError
        found = self.data[self.place : end]
        self.place = end
        return found

    def rest(self) -> bytes:
        """Return all bytes that are left."""
        found = self.data[self.place :]
        self.place = len(self.data)
        return found

    def number(self, size: int) -> int:
        """Return the next bytes as an unsigned number."""
        return int.from_bytes(self.take(size), "big")

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.place


class Part(Protocol):
    """A piece of a body."""

    def read(self, source: Reader, body: Body) -> None:
        """Add to the body what stands here."""

    def write(self, body: Body, standard: int) -> bytes:
        """Return the bytes of it."""


@dataclass(frozen=True, slots=True)
class Uint:
    """An unsigned number of `size` bytes."""

    name: str
    size: int

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = source.number(self.size)

    def write(self, body: Body, _standard: int) -> bytes:
        return int(body[self.name]).to_bytes(self.size, "big")


def byte(name: str) -> Uint:
    """Return a BYTE."""
    return Uint(name, 1)


def word(name: str) -> Uint:
    """Return a WORD."""
    return Uint(name, 2)


def dword(name: str) -> Uint:
    """Return a DWORD."""
    return Uint(name, 4)


@dataclass(frozen=True, slots=True)
class MessageId:
    """The number of a message, written 0x0200."""

    name: str

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = f"0x{source.number(2):04X}"

    def write(self, body: Body, _standard: int) -> bytes:
        return int(body[self.name], 16).to_bytes(2, "big")


@dataclass(frozen=True, slots=True)
class Digits:
    """BCD digits as they are: `size` bytes, twice as many digits."""

    name: str
    size: int

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = source.take(self.size).hex()

    def write(self, body: Body, _standard: int) -> bytes:
        return bytes.fromhex(str(body[self.name]).rjust(self.size * 2, "0"))


@dataclass(frozen=True, slots=True)
class LastDigits:
    """BCD digits at the end of a body, of which some terminals send fewer."""

    name: str
    size: int

    def read(self, source: Reader, body: Body) -> None:
        if source.left:
            body[self.name] = source.take(min(self.size, source.left)).hex()

    def write(self, body: Body, _standard: int) -> bytes:
        return bytes.fromhex(str(body.get(self.name, "")))


@dataclass(frozen=True, slots=True)
class Time:
    """Six BCD bytes, written 20YY-MM-DD hh:mm:ss."""

    name: str

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = bcd_time(source.take(6))

    def write(self, body: Body, _standard: int) -> bytes:
        return pack_time(body[self.name])


def text_of(data: bytes) -> str:
    """Return GBK text without the filling on both sides; what is no GBK shows as \\xNN."""
    return data.strip(b"\0").decode(CODING, "backslashreplace").strip(" \0")


@dataclass(frozen=True, slots=True)
class Text:
    """Text in a field of fixed size, filled with NUL; the size may depend on the edition of the standard."""

    name: str
    size: int
    since_2019: int = 0

    def _size(self, standard: int) -> int:
        return self.since_2019 if self.since_2019 and standard >= 2019 else self.size

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = text_of(source.take(self._size(source.standard)))

    def write(self, body: Body, standard: int) -> bytes:
        size = self._size(standard)
        packed = str(body[self.name]).encode(CODING)
        if len(packed) > size:
            raise ValueError(f"{self.name} has {size} bytes at most")
        return packed.ljust(size, b"\0")


@dataclass(frozen=True, slots=True)
class CountedText:
    """Text after its length in bytes."""

    name: str
    size: int = 1

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = text_of(source.take(source.number(self.size)))

    def write(self, body: Body, _standard: int) -> bytes:
        packed = str(body[self.name]).encode(CODING)
        return len(packed).to_bytes(self.size, "big") + packed


@dataclass(frozen=True, slots=True)
class RestText:
    """Text up to the end."""

    name: str

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = text_of(source.rest())

    def write(self, body: Body, _standard: int) -> bytes:
        return str(body[self.name]).encode(CODING)


@dataclass(frozen=True, slots=True)
class RestHex:
    """Bytes up to the end."""

    name: str

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = source.rest().hex()

    def write(self, body: Body, _standard: int) -> bytes:
        return bytes.fromhex(body[self.name])


@dataclass(frozen=True, slots=True)
class Hex:
    """A fixed number of bytes."""

    name: str
    size: int

    def read(self, source: Reader, body: Body) -> None:
        body[self.name] = source.take(self.size).hex()

    def write(self, body: Body, _standard: int) -> bytes:
        return bytes.fromhex(body[self.name])


@dataclass(frozen=True, slots=True)
class When:
    """Parts that are there only under a condition on the values before them and the edition."""

    holds: Callable[[Body, int], bool]
    parts: Sequence[Part]

    def read(self, source: Reader, body: Body) -> None:
        if self.holds(body, source.standard):
            read_parts(self.parts, source, body)

    def write(self, body: Body, standard: int) -> bytes:
        return write_parts(self.parts, body, standard) if self.holds(body, standard) else b""


@dataclass(frozen=True, slots=True)
class WhenLeft:
    """Parts that may be missing at the end: there if at least `least` bytes are left; written if the values are given."""

    parts: Sequence[Part]
    key: str
    least: int = 1

    def read(self, source: Reader, body: Body) -> None:
        if source.left >= self.least:
            read_parts(self.parts, source, body)

    def write(self, body: Body, standard: int) -> bytes:
        return write_parts(self.parts, body, standard) if self.key in body else b""


@dataclass(frozen=True, slots=True)
class Records:
    """A counted list of records. `shown` keeps the number announced under that name."""

    name: str
    count_size: int
    parts: Sequence[Part]
    shown: str = ""

    def read(self, source: Reader, body: Body) -> None:
        count = source.number(self.count_size)
        if self.shown:
            body[self.shown] = count
        found: list[Body] = []
        body[self.name] = found
        for _number in range(count):
            record: Body = {}
            before = source.place
            read_parts(self.parts, source, record)
            if source.place == before:
                raise ShortError
            found.append(record)

    def write(self, body: Body, standard: int) -> bytes:
        records = body[self.name]
        count = len(records).to_bytes(self.count_size, "big")
        return count + b"".join(write_parts(self.parts, record, standard) for record in records)


@dataclass(frozen=True, slots=True)
class RestRecords:
    """Records up to the end."""

    name: str
    parts: Sequence[Part]

    def read(self, source: Reader, body: Body) -> None:
        found: list[Body] = []
        body[self.name] = found
        while source.left:
            record: Body = {}
            read_parts(self.parts, source, record)
            found.append(record)

    def write(self, body: Body, standard: int) -> bytes:
        return b"".join(write_parts(self.parts, record, standard) for record in body[self.name])


@dataclass(frozen=True, slots=True)
class EitherRecords:
    """Counted records of one of several layouts, told by the value `by`; where none fits to the end the bytes stay as they are."""

    name: str
    count_size: int
    by: str
    layouts: Mapping[int, Sequence[Part]]

    @property
    def _bytes(self) -> str:
        return f"{self.name}_hex"

    def read(self, source: Reader, body: Body) -> None:
        body["count"] = count = source.number(self.count_size)
        begin, layout = source.place, self.layouts.get(body[self.by])
        found: list[Body] = []
        if layout is not None and count <= source.left:
            with suppress(ShortError):
                for _record in range(count):
                    record: Body = {}
                    read_parts(layout, source, record)
                    found.append(record)
                if not source.left:
                    body[self.name] = found
                    return
        source.place = begin
        body[self._bytes] = source.rest().hex()

    def write(self, body: Body, standard: int) -> bytes:
        if self.name not in body:
            return int(body["count"]).to_bytes(self.count_size, "big") + bytes.fromhex(body[self._bytes])
        records, layout = body[self.name], self.layouts[body[self.by]]
        packed = b"".join(write_parts(layout, record, standard) for record in records)
        return len(records).to_bytes(self.count_size, "big") + packed


@dataclass(frozen=True, slots=True)
class Numbers:
    """A list of unsigned numbers: counted (the width of the count may depend on the edition), or up to the end."""

    name: str
    size: int
    count_size: int = 0
    count_since_2019: int = 0

    def _count_size(self, standard: int) -> int:
        return self.count_since_2019 if self.count_since_2019 and standard >= 2019 else self.count_size

    def read(self, source: Reader, body: Body) -> None:
        width = self._count_size(source.standard)
        count = source.number(width) if width else source.left // self.size
        if count * self.size > source.left:
            raise ShortError
        body[self.name] = [source.number(self.size) for _number in range(count)]

    def write(self, body: Body, standard: int) -> bytes:
        numbers = body[self.name]
        width = self._count_size(standard)
        count = len(numbers).to_bytes(width, "big") if width else b""
        return count + b"".join(int(number).to_bytes(self.size, "big") for number in numbers)


def read_parts(parts: Sequence[Part], source: Reader, body: Body) -> None:
    """Read one part after the other into the body. Raises ShortError."""
    for part in parts:
        part.read(source, body)


def write_parts(parts: Sequence[Part], body: Body, standard: int) -> bytes:
    """Return the bytes of the parts. Raises KeyError, ValueError, OverflowError where a value is missing or does not fit."""
    return b"".join(part.write(body, standard) for part in parts)
