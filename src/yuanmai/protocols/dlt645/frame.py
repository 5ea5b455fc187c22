"""One DL/T 645-2007 frame: 68 address 68 control length data sum 16; every byte of data travels with 33H added."""

from dataclasses import dataclass

from yuanmai.protocols.bits import byte_sum
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.meters import END, START, WAKE, MeterDecoder

HEAD = 10  # 68, six bytes of address, 68, control, length
MOST_DATA = 200
BROADCAST, ANY = "999999999999", "AAAAAAAAAAAA"
ADD = bytes((byte + 0x33) & 0xFF for byte in range(256))
SUBTRACT = bytes((byte - 0x33) & 0xFF for byte in range(256))
REPLY, ABNORMAL, FOLLOW = 0x80, 0x40, 0x20
# Functions, D4 to D0 of the control byte.
CLOCK, READ, READ_ON, READ_ADDRESS, WRITE, WRITE_ADDRESS = 0x08, 0x11, 0x12, 0x13, 0x14, 0x15
FREEZE, BAUD, PASSWORD, CLEAR_DEMAND, CLEAR_METER, CLEAR_EVENTS = 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B
ERRORS = ("other", "no_such_data", "unauthorised", "baud_rate", "year_zones", "day_slots", "tariffs")


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose sum and end are right. `address` has twelve digits, high first; `data` is without the 33H."""

    address: str
    control: int
    data: bytes = b""
    preamble: int = 0
    checksum: int = 0
    raw: bytes = b""

    @property
    def reply(self) -> bool:
        """Whether a meter speaks (else it is a request, perhaps our own as an echo)."""
        return bool(self.control & REPLY)

    @property
    def abnormal(self) -> bool:
        """Whether the meter refuses."""
        return bool(self.control & ABNORMAL)

    @property
    def follow(self) -> bool:
        """Whether more data follows (to be read with function 12)."""
        return bool(self.control & FOLLOW)

    @property
    def function(self) -> int:
        """What is done: 11 read, 14 write …"""
        return self.control & 0x1F

    @property
    def errors(self) -> list[str]:
        """What the error word of a refusal says."""
        word = self.data[0] if self.abnormal and self.data else 0
        return [name for bit, name in enumerate(ERRORS) if word >> bit & 1]


def decode(raw: bytes) -> Frame | Fault:
    """Return the frame in these bytes, or why there is none; bytes behind it are left alone.

    Reasons: too_short (fewer bytes than any frame has), start_mark (no 68, or the second one missing), length_too_long (more
    than 200 bytes of data), truncated, checksum, end_mark.
    """
    bare = raw.lstrip(bytes((WAKE,)))
    preamble = len(raw) - len(bare)
    if len(bare) < HEAD + 2:
        return Fault("too_short", raw)
    if bare[0] != START or bare[7] != START:
        return Fault("start_mark", raw)
    length = bare[9]
    if length > MOST_DATA:
        return Fault("length_too_long", raw, {"length": length})
    end = HEAD + length
    if len(bare) < end + 2:
        return Fault("truncated", raw, {"length": length})
    right = byte_sum(bare[:end])
    if bare[end] != right:
        return Fault("checksum", raw, {"cs_received": f"{bare[end]:02X}", "cs_expected": f"{right:02X}"})
    if bare[end + 1] != END:
        return Fault("end_mark", raw)
    address = bare[6:0:-1].hex().upper()
    return Frame(address, bare[8], bare[HEAD:end].translate(SUBTRACT), preamble, right, bare[: end + 2])


def encode(address: str, control: int, data: bytes = b"", preamble: int = 0) -> bytes:
    """Return the frame on the wire. Raises ValueError for an address without twelve digits or more than 200 bytes of data."""
    packed = bytes.fromhex(address)
    if len(packed) != 6:
        raise ValueError(f"an address has twelve digits: {address}")
    if len(data) > MOST_DATA:
        raise ValueError(f"up to {MOST_DATA} bytes of data, not {len(data)}")
    body = bytes((START, *packed[::-1], START, control, len(data))) + data.translate(ADD)
    return bytes((WAKE,)) * preamble + body + bytes((byte_sum(body), END))


def read(address: str, di: str, preamble: int = 4) -> bytes:
    """Return the request for a data item (DI of eight digits, high first: 00010000)."""
    return encode(address, READ, bytes.fromhex(di)[::-1], preamble)


def read_on(address: str, di: str, number: int, preamble: int = 4) -> bytes:
    """Return the request for what follows, number 1 to 255."""
    return encode(address, READ_ON, bytes.fromhex(di)[::-1] + bytes((number,)), preamble)


def read_address(preamble: int = 4) -> bytes:
    """Return the request for the address of the only meter on a bus."""
    return encode(ANY, READ_ADDRESS, b"", preamble)


def write(address: str, di: str, value: bytes, password: bytes, operator: bytes, preamble: int = 4) -> bytes:
    """Return the request to write an item: value low byte first, four bytes of password, four of operator."""
    if len(password) != 4 or len(operator) != 4:
        raise ValueError("password and operator have four bytes each")
    return encode(address, WRITE, bytes.fromhex(di)[::-1] + password + operator + value, preamble)


class Decoder(MeterDecoder[Frame]):
    """Frames of DL/T 645 out of a stream."""

    def measure(self, head: bytes) -> int | None:
        """Return the size of the frame that begins so."""
        if len(head) > 7 and head[7] != START:
            return 0
        if len(head) < HEAD:
            return None
        return 0 if head[9] > MOST_DATA else HEAD + head[9] + 2

    def decode(self, raw: bytes) -> Frame | Fault:
        """Return the frame in these bytes."""
        return decode(raw)
