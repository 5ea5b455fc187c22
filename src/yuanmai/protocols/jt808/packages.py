"""Messages in several packages: joined, and the missing ones asked for again."""

from dataclasses import dataclass, field
from typing import Any

from yuanmai.protocols.jt808.bodies import encode_body
from yuanmai.protocols.jt808.frame import Frame


@dataclass(slots=True)
class Parts:
    """The packages of one message that have come, by number from 1; re-sent ones are the same bytes."""

    msg_id: int
    total: int
    first_serial: int
    bodies: dict[int, bytes] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every package has come."""
        return len(self.bodies) == self.total

    @property
    def missing(self) -> list[int]:
        """The numbers that have not come."""
        return [number for number in range(1, self.total + 1) if number not in self.bodies]

    @property
    def body(self) -> bytes:
        """The bodies that have come, one after the other."""
        return b"".join(self.bodies[number] for number in sorted(self.bodies))

    def request(self, standard: int) -> bytes:
        """Return the body of 0x8003 (0x0005) that asks for the missing packages; the count is a BYTE in 2013, a WORD in 2019."""
        missing = self.missing if standard >= 2019 else self.missing[:255]
        return encode_body(0x8003, {"first_serial": self.first_serial, "ids": missing}, standard)

    def media_request(self) -> bytes | None:
        """Return the body of 0x8800 that does it for media, nothing before the first package has told which medium."""
        first = self.bodies.get(1, b"")
        if self.msg_id != 0x0801 or len(first) < 4:
            return None
        values: dict[str, object] = {"media_id": int.from_bytes(first[:4], "big")}
        if self.missing:
            values["retransmit_ids"] = self.missing[:255]
        return encode_body(0x8800, values)


class Assembler:
    """Collects packages of one terminal. A message is told by number, total and the serial its first package has.

    It keeps up to `most` unfinished messages and `most_bytes` of them; the oldest goes first.
    """

    def __init__(self, most: int = 16, most_bytes: int = 8 << 20) -> None:
        self.most, self.most_bytes = most, most_bytes
        self.dropped = 0
        self._open: dict[tuple[str, int, int, int], Parts] = {}
        self._bytes = 0

    @property
    def unfinished(self) -> list[Parts]:
        """The messages that wait for packages, oldest first."""
        return list(self._open.values())

    def add(self, frame: Frame) -> Parts | None:
        """Take in a package; return the message if this one completes it. Impossible numbers are left out."""
        header = frame.header
        if not header.packaged or not 1 <= header.number <= header.total:
            return None
        first = header.serial - header.number + 1 & 0xFFFF
        key = (header.phone, header.msg_id, header.total, first)
        parts = self._open.get(key)
        if parts is None:
            parts = self._open[key] = Parts(header.msg_id, header.total, first)
        if header.number not in parts.bodies:
            parts.bodies[header.number] = frame.body
            self._bytes += len(frame.body) + 64
        if parts.complete:
            self._forget(key)
            return parts
        while self._open and (len(self._open) > self.most or self._bytes > self.most_bytes):
            self._forget(next(iter(self._open)))
            self.dropped += 1
        return None

    def plain(self) -> list[list[object]]:
        """Return what is unfinished as JSON, for a process that goes on later."""
        return [
            [*key, {str(number): body.hex() for number, body in parts.bodies.items()}]
            for key, parts in self._open.items()
        ]

    def restore(self, plain: list[list[Any]]) -> None:
        """Take what `plain` returned."""
        for phone, msg_id, total, first, bodies in plain:
            parts = Parts(
                msg_id, total, first, {int(number): bytes.fromhex(body) for number, body in bodies.items()}
            )
            self._open[phone, msg_id, total, first] = parts
            self._bytes += sum(len(body) + 64 for body in parts.bodies.values())

    def _forget(self, key: tuple[str, int, int, int]) -> None:
        parts = self._open.pop(key)
        self._bytes -= sum(len(body) + 64 for body in parts.bodies.values())
