"""Frames of Modbus: MBAP header (TCP), or address and CRC (RTU behind a serial server); decoders for both kinds of stream."""

import re
from dataclasses import dataclass
from struct import Struct

from yuanmai.protocols.bits import crc_modbus
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.modbus.pdu import MOST_PDU, READS, REFUSED, WRITE_COIL, WRITE_REGISTER, WRITES

MBAP = Struct(">HHHB")  # transaction, protocol (0), length of unit and PDU, unit
# A transaction, protocol 0, a length of 2 to 254.
HEAD = re.compile(rb"(?s:..)\0\0\0[\x02-\xFE]")
MOST_RTU = MOST_PDU + 3
MOST_WRONG = 4 * MOST_RTU
CHECKED = 2  # bytes of the CRC


@dataclass(frozen=True, slots=True)
class Adu:
    """A frame: `unit` is the device behind the gateway, `pdu` what it says; `transaction` is -1 in RTU, which has none."""

    unit: int
    pdu: bytes
    transaction: int = -1
    raw: bytes = b""


def encode_tcp(transaction: int, unit: int, pdu: bytes) -> bytes:
    """Return the frame of Modbus TCP. Raises ValueError for a PDU of no 1 to 253 bytes or a number out of range."""
    _check(unit, pdu)
    if not 0 <= transaction <= 0xFFFF:
        raise ValueError(f"a transaction has 16 bits: {transaction}")
    return MBAP.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def encode_rtu(unit: int, pdu: bytes) -> bytes:
    """Return the frame of Modbus RTU. Raises ValueError for a PDU of no 1 to 253 bytes or a unit of more than a byte."""
    _check(unit, pdu)
    body = bytes((unit,)) + pdu
    return body + crc_modbus(body).to_bytes(CHECKED, "little")


def _check(unit: int, pdu: bytes) -> None:
    if not 1 <= len(pdu) <= MOST_PDU:
        raise ValueError(f"a PDU has 1 to {MOST_PDU} bytes, not {len(pdu)}")
    if not 0 <= unit <= 255:
        raise ValueError(f"a unit has one byte: {unit}")


def right(raw: bytes) -> bool:
    """Return whether the CRC at the end of these bytes is right."""
    return crc_modbus(raw[:-CHECKED]) == int.from_bytes(raw[-CHECKED:], "little")


class TcpDecoder:
    """Turns what comes from a Modbus TCP connection into frames and faults; give it the bytes as they come.

    What is no header is one fault `syntax` up to the next bytes that may be one. `noise` counts those bytes, `rejected` the faults.
    """

    def __init__(self) -> None:
        self.noise = 0
        self.rejected = 0
        self._kept = b""

    @property
    def pending(self) -> bytes:
        """The bytes of a frame that has not ended yet."""
        return self._kept

    def feed(self, data: bytes) -> list[Adu | Fault]:
        """Return the frames and faults that these bytes complete, in their order."""
        data = self._kept + data
        found: list[Adu | Fault] = []
        place = 0
        while place < len(data):
            head = HEAD.search(data, place)
            begin = head.start() if head is not None else self._promising(data, place)
            if begin > place:
                self.noise += begin - place
                self.rejected += 1
                found.append(Fault("syntax", data[place:begin]))
                place = begin
            if head is None or len(data) - place < 6 + data[place + 5]:
                break
            raw = data[place : place + 6 + data[place + 5]]
            found.append(Adu(raw[6], raw[7:], raw[0] << 8 | raw[1], raw))
            place += len(raw)
        self._kept = data[place:]
        return found

    @staticmethod
    def _promising(data: bytes, place: int) -> int:
        """Return from where on the last bytes may be the beginning of a header."""
        for begin in range(max(place, len(data) - 5), len(data)):
            if not any(data[begin + 2 :]):
                return begin
        return len(data)

    def flush(self) -> list[Adu | Fault]:
        """Say that the rest will not come: an unfinished frame is `truncated`."""
        kept, self._kept = self._kept, b""
        if not kept:
            return []
        self.rejected += 1
        return [Fault("truncated", kept)]


class RtuDecoder:
    """Turns what comes from a bus behind a serial server into frames and faults; give it the bytes as they come.

    RTU has no marks: the end follows from function and count, and the CRC proves it. `master` says whose bytes they are: answers
    of devices (what a master hears, the default), or requests. Behind bytes that make no frame the search goes on with the
    next byte, up to 1,024 in a row; then nothing is heard until `flush` tells of a pause. `noise` counts bytes of no frame,
    `rejected` the faults: `checksum`, `syntax` (a function not known here).
    """

    def __init__(self, *, master: bool = True) -> None:
        self.master = master
        self.noise = 0
        self.rejected = 0
        self._kept = b""
        self._wrong = 0  # bytes in a row that made no frame
        self._echo = b""

    @property
    def pending(self) -> bytes:
        """The bytes of a frame that has not ended yet."""
        return self._kept

    def feed(self, data: bytes) -> list[Adu | Fault]:
        """Return the frames and faults that these bytes complete, in their order."""
        data = self._kept + data
        if self._echo:
            if self._echo != data and self._echo.startswith(data):
                self._kept = data
                return []
            data, self._echo = data.removeprefix(self._echo), b""
        return self._scan(data)

    def expect_echo(self, sent: bytes) -> None:
        """Say what was sent on a bus that returns it: if the same bytes come next they are left out."""
        self._echo = sent

    def flush(self) -> list[Adu | Fault]:
        """Say that a pause has come: an unfinished frame is `truncated`, and what stands behind its first byte is looked at."""
        found: list[Adu | Fault] = []
        self._echo = b""
        while self._kept:
            found.append(self._reject("truncated", self._kept))
            found += self._scan(self._kept[1:])
        self._wrong = 0
        return found

    def _scan(self, data: bytes) -> list[Adu | Fault]:
        found: list[Adu | Fault] = []
        place = 0
        while place < len(data):
            if self._wrong >= MOST_WRONG:
                self.noise += len(data) - place
                place = len(data)
                break
            size = self._measure(data[place : place + 7])
            if size is None or (size and len(data) - place < size):
                later = self._later(data, place + 1) if self._wrong else 0
                if not later:
                    break
                self.noise += later - place
                place = later
                continue
            raw = data[place : place + size]
            if size and right(raw):
                found.append(Adu(raw[0], raw[1:-CHECKED], -1, raw))
                place += size
                self._wrong = 0
                continue
            if not self._wrong:
                found.append(self._reject("checksum" if size else "syntax", raw or data[place : place + 2]))
            self.noise += 1
            self._wrong += 1
            place += 1
        self._kept = data[place:]
        return found

    def _later(self, data: bytes, place: int) -> int:
        """Return where a whole frame stands behind bytes that look like the beginning of one but follow nonsense; else 0."""
        for begin in range(place, len(data) - 4):
            size = self._measure(data[begin : begin + 7])
            if size and begin + size <= len(data) and right(data[begin : begin + size]):
                return begin
        return 0

    def _measure(self, head: bytes) -> int | None:
        """Return the size of the frame that begins so, 0 where none begins, nothing while more bytes are wanted."""
        if len(head) < 2:
            return None
        function = head[1]
        if self.master:
            if function & REFUSED:
                return 5 if function & ~REFUSED in READS | WRITES else 0
            if function in READS:
                if len(head) < 3:
                    return None
                return 5 + head[2] if 0 < head[2] <= MOST_RTU - 5 else 0
            return 8 if function in WRITES else 0
        if function in READS or function in (WRITE_COIL, WRITE_REGISTER):
            return 8
        if function not in WRITES:
            return 0
        if len(head) < 7:
            return None
        return 9 + head[6] if 0 < head[6] <= MOST_RTU - 9 else 0

    def _reject(self, reason: str, raw: bytes) -> Fault:
        self.rejected += 1
        return Fault(reason, raw)
