"""One CJ/T 188 frame: 68 type address control length data sum 16."""

from dataclasses import dataclass
from decimal import Decimal

from yuanmai.protocols.bits import byte_sum
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.meters import END, START, WAKE, MeterDecoder
from yuanmai.protocols.moments import Moment

HEAD = 11  # 68, type, seven bytes of address, control, length
MOST_DATA = 200
REPLY, ABNORMAL = 0x80, 0x40
READ, READ_ADDRESS, WRITE, WRITE_ADDRESS, WRITE_MOTOR = 0x01, 0x03, 0x04, 0x15, 0x16
ANY_TYPE, ANY_ADDRESS = 0xAA, "AAAAAAAAAAAAAA"
TYPES = {
    0x10: "cold water",
    0x11: "hot water",
    0x12: "drinking water",
    0x13: "reclaimed water",
    0x20: "heat",
    0x21: "cold",
    0x30: "gas",
    0x40: "electricity",
}
OPEN_VALVE, CLOSE_VALVE = 0x55, 0x99
CUBIC_METRES = 0x2C


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame whose sum and end are right. `address` has fourteen digits, high first (the first four name the maker)."""

    kind: int
    address: str
    control: int
    data: bytes = b""
    preamble: int = 0
    checksum: int = 0
    trailing: int = 0
    raw: bytes = b""

    @property
    def reply(self) -> bool:
        """Whether a meter speaks."""
        return bool(self.control & REPLY)

    @property
    def abnormal(self) -> bool:
        """Whether the meter refuses."""
        return bool(self.control & ABNORMAL)


def decode(raw: bytes) -> Frame | Fault:
    """Return the frame in these bytes, or why there is none; bytes behind it (radio modules add some) are counted.

    Reasons: too_short, start_mark, length_too_long, truncated, checksum, end_mark.
    """
    bare = raw.lstrip(bytes((WAKE,)))
    preamble = len(raw) - len(bare)
    if len(bare) < HEAD + 2:
        return Fault("too_short", raw)
    if bare[0] != START:
        return Fault("start_mark", raw)
    length = bare[10]
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
    address = bare[8:1:-1].hex().upper()
    return Frame(
        bare[1], address, bare[9], bare[HEAD:end], preamble, right, len(bare) - end - 2, bare[: end + 2]
    )


def encode(kind: int, address: str, control: int, data: bytes = b"", preamble: int = 0) -> bytes:
    """Return the frame on the wire. Raises ValueError for an address without fourteen digits or too much data."""
    packed = bytes.fromhex(address)
    if len(packed) != 7:
        raise ValueError(f"an address has fourteen digits: {address}")
    if len(data) > MOST_DATA:
        raise ValueError(f"up to {MOST_DATA} bytes of data, not {len(data)}")
    body = bytes((START, kind, *packed[::-1], control, len(data))) + data
    return bytes((WAKE,)) * preamble + body + bytes((byte_sum(body), END))


def read(kind: int, address: str, serial: int = 0, *, low_first: bool = True, preamble: int = 4) -> bytes:
    """Return the request for the reading (901F); meters differ in which byte of the DI they want first."""
    return encode(kind, address, READ, _di("901F", low_first) + bytes((serial & 0xFF,)), preamble)


def read_address(serial: int = 0, *, low_first: bool = True, preamble: int = 4) -> bytes:
    """Return the request for the address of the only meter on a bus (810A)."""
    data = _di("810A", low_first) + bytes((serial & 0xFF,))
    return encode(ANY_TYPE, ANY_ADDRESS, READ_ADDRESS, data, preamble)


def set_valve(
    kind: int, address: str, serial: int, *, opened: bool, low_first: bool = True, preamble: int = 4
) -> bytes:
    """Return the command that opens or closes the valve (A017)."""
    data = _di("A017", low_first) + bytes((serial & 0xFF, OPEN_VALVE if opened else CLOSE_VALVE))
    return encode(kind, address, WRITE, data, preamble)


def set_clock(
    kind: int, address: str, serial: int, when: Moment, *, low_first: bool = True, preamble: int = 4
) -> bytes:
    """Return the command that sets the clock (A015)."""
    digits = (when.month, when.day, when.hour, when.minute, when.second)
    packed = bytes.fromhex(f"{when.year:04d}" + "".join(f"{number:02d}" for number in digits))[::-1]
    return encode(kind, address, WRITE, _di("A015", low_first) + bytes((serial & 0xFF,)) + packed, preamble)


def write_address(
    kind: int, address: str, serial: int, new: str, *, low_first: bool = True, preamble: int = 4
) -> bytes:
    """Return the command that gives a meter a new address of fourteen digits (A018)."""
    packed = bytes.fromhex(new)
    if len(packed) != 7:
        raise ValueError(f"an address has fourteen digits: {new}")
    data = _di("A018", low_first) + bytes((serial & 0xFF,)) + packed[::-1]
    return encode(kind, address, WRITE_ADDRESS, data, preamble)


def set_total(
    kind: int,
    address: str,
    serial: int,
    total: Decimal,
    unit: int = CUBIC_METRES,
    *,
    low_first: bool = True,
    preamble: int = 4,
) -> bytes:
    """Return the command that sets the electronic total to the mechanical one (A016). Raises ValueError where it does not fit."""
    digits = f"{total * 100:08.0f}"
    if len(digits) != 8 or not digits.isdigit():
        raise ValueError(f"a total has six digits and two decimals: {total}")
    packed = bytes.fromhex(digits)[::-1] + bytes((unit,))
    return encode(
        kind, address, WRITE_MOTOR, _di("A016", low_first) + bytes((serial & 0xFF,)) + packed, preamble
    )


def _di(di: str, low_first: bool) -> bytes:
    packed = bytes.fromhex(di)
    return packed[::-1] if low_first else packed


class Decoder(MeterDecoder[Frame]):
    """Frames of CJ/T 188 out of a stream."""

    def measure(self, head: bytes) -> int | None:
        """Return the size of the frame that begins so; 68 has no second mark here, so type and control must be known."""
        if len(head) > 1 and head[1] not in TYPES and not 0x10 <= head[1] <= 0x4F and head[1] != ANY_TYPE:
            return 0
        if len(head) < HEAD:
            return None
        return 0 if head[10] > MOST_DATA else HEAD + head[10] + 2

    def decode(self, raw: bytes) -> Frame | Fault:
        """Return the frame in these bytes."""
        return decode(raw)
