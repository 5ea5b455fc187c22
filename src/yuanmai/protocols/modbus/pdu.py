"""What Modbus says, without the frame: requests of functions 1 to 6, 15 and 16, answers, exceptions (Modbus Application Protocol 1.1b3)."""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct

from yuanmai.protocols.faults import Fault

READ_COILS, READ_INPUTS, READ_HOLDING, READ_INPUT_REGISTERS = 1, 2, 3, 4
WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS = 5, 6, 15, 16
READS_OF_BITS = frozenset({READ_COILS, READ_INPUTS})
READS_OF_REGISTERS = frozenset({READ_HOLDING, READ_INPUT_REGISTERS})
READS = READS_OF_BITS | READS_OF_REGISTERS
WRITES = frozenset({WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS})
# How many bits or registers one request may have.
MOST = {
    READ_COILS: 2000,
    READ_INPUTS: 2000,
    READ_HOLDING: 125,
    READ_INPUT_REGISTERS: 125,
    WRITE_COILS: 1968,
    WRITE_REGISTERS: 123,
}
MOST_PDU = 253
REFUSED = 0x80
EXCEPTIONS = {
    1: "function",
    2: "address",
    3: "value",
    4: "device_failure",
    5: "acknowledged",
    6: "busy",
    8: "memory_parity",
    10: "gateway_path",
    11: "gateway_target",
}
# Refusals after which to wait before asking again.
BACK_OFF = frozenset({6, 11})
ON = 0xFF00
SPAN = Struct(">BHH")


@dataclass(frozen=True, slots=True)
class Request:
    """What a master asks: `values` are bits (True, False) or registers (0 to 65,535) to write, empty when reading."""

    function: int
    address: int
    count: int
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a device answers. Reading brings `count` values, bits as True and False; writing has none, only where and how many."""

    function: int
    address: int
    count: int
    values: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """An exception answer: `code` as sent, `name` of it (`address`, `busy` …, `unknown` for a code of no standard)."""

    function: int
    code: int

    @property
    def name(self) -> str:
        """What the code says."""
        return EXCEPTIONS.get(self.code, "unknown")


def read(function: int, address: int, count: int) -> bytes:
    """Return the request to read bits (functions 1, 2) or registers (3, 4) from an address that begins at 0.

    Raises ValueError for another function, and outside of 65,536 addresses, 2,000 bits or 125 registers.
    """
    if function not in READS:
        raise ValueError(f"functions 1 to 4 read, not {function}")
    _check(address, count, MOST[function])
    return SPAN.pack(function, address, count)


def write_coil(address: int, on: bool) -> bytes:
    """Return the request to set one coil (function 5). Raises ValueError for an address of no 16 bits."""
    _check(address, 1, 1)
    return SPAN.pack(WRITE_COIL, address, ON if on else 0)


def write_register(address: int, value: int) -> bytes:
    """Return the request to set one register (function 6). Raises ValueError where address or value has no 16 bits."""
    _check(address, 1, 1)
    return SPAN.pack(WRITE_REGISTER, address, _register(value))


def write_coils(address: int, values: Sequence[bool]) -> bytes:
    """Return the request to set 1 to 1,968 coils (function 15). Raises ValueError outside of that."""
    _check(address, len(values), MOST[WRITE_COILS])
    packed = pack_bits(values)
    return SPAN.pack(WRITE_COILS, address, len(values)) + bytes((len(packed),)) + packed


def write_registers(address: int, values: Sequence[int]) -> bytes:
    """Return the request to set 1 to 123 registers (function 16). Raises ValueError outside of that."""
    _check(address, len(values), MOST[WRITE_REGISTERS])
    packed = pack_registers(values)
    return SPAN.pack(WRITE_REGISTERS, address, len(values)) + bytes((len(packed),)) + packed


def encode(request: Request) -> bytes:
    """Return the bytes of a request. Raises ValueError where it is none that may be sent."""
    function, address = request.function, request.address
    if function in READS:
        return read(function, address, request.count)
    if function == WRITE_COILS:
        return write_coils(address, [bool(value) for value in request.values])
    if function == WRITE_REGISTERS:
        return write_registers(address, request.values)
    if function not in WRITES or len(request.values) != 1:
        raise ValueError(f"no request of function {function} with {len(request.values)} values")
    value = request.values[0]
    return write_coil(address, bool(value)) if function == WRITE_COIL else write_register(address, value)


def decode_request(pdu: bytes) -> Request | Fault:
    """Return the request in these bytes.

    Reasons: too_short, syntax (a function not known here, a coil neither FF00 nor 0000), bad_length (bytes and count differ),
    out_of_range (more than a request may have, or beyond the last address).
    """
    if len(pdu) < SPAN.size:
        return Fault("too_short", pdu)
    function, address, count = SPAN.unpack_from(pdu)
    if function not in READS | WRITES:
        return Fault("syntax", pdu)
    rest = pdu[SPAN.size :]
    if function in (WRITE_COIL, WRITE_REGISTER):
        if rest:
            return Fault("bad_length", pdu)
        if function == WRITE_COIL and count not in (0, ON):
            return Fault("syntax", pdu)
        value = count == ON if function == WRITE_COIL else count
        return Request(function, address, 1, (value,))
    if not 1 <= count <= MOST[function] or address + count > 0x10000:
        return Fault("out_of_range", pdu)
    if function in READS:
        return Fault("bad_length", pdu) if rest else Request(function, address, count)
    size = (count + 7) // 8 if function == WRITE_COILS else count * 2
    if len(rest) != size + 1 or rest[0] != size:
        return Fault("bad_length", pdu)
    values = unpack_bits(rest[1:], count) if function == WRITE_COILS else unpack_registers(rest[1:])
    return Request(function, address, count, values)


def answer(request: Request, values: Sequence[int] = ()) -> bytes:
    """Return what a device answers when all went well; `values` are those that were read. Raises ValueError for a wrong number."""
    function = request.function
    if function in READS:
        if len(values) != request.count:
            raise ValueError(f"{request.count} values were asked for, not {len(values)}")
        packed = pack_bits(values) if function in READS_OF_BITS else pack_registers(values)
        return bytes((function, len(packed))) + packed
    if function in (WRITE_COIL, WRITE_REGISTER):
        return encode(request)
    return SPAN.pack(function, request.address, request.count)


def refuse(function: int, code: int) -> bytes:
    """Return an exception answer."""
    return bytes((function | REFUSED, code))


def decode(request: Request, pdu: bytes) -> Answer | Refusal | Fault:
    """Return what the answer to a request says.

    Reasons: too_short, mismatch (function, address, count or value are not those of the request: a late answer of another one),
    bad_length (not as many bytes as were asked for).
    """
    if len(pdu) < 2:
        return Fault("too_short", pdu)
    function = pdu[0]
    if function & ~REFUSED != request.function:
        return Fault("mismatch", pdu)
    if function & REFUSED:
        return Refusal(request.function, pdu[1]) if len(pdu) == 2 else Fault("bad_length", pdu)
    if function in READS:
        bits = function in READS_OF_BITS
        size = (request.count + 7) // 8 if bits else request.count * 2
        if pdu[1] != size or len(pdu) != size + 2:
            return Fault("bad_length", pdu)
        values = unpack_bits(pdu[2:], request.count) if bits else unpack_registers(pdu[2:])
        return Answer(function, request.address, request.count, values)
    if len(pdu) != SPAN.size:
        return Fault("bad_length", pdu)
    _function, address, told = SPAN.unpack(pdu)
    wanted = request.count
    if function in (WRITE_COIL, WRITE_REGISTER):
        wanted = (ON if request.values[0] else 0) if function == WRITE_COIL else request.values[0]
    if address != request.address or told != wanted:
        return Fault("mismatch", pdu)
    return Answer(function, address, request.count)


def pack_bits(values: Sequence[int]) -> bytes:
    """Return bits, the first one lowest in the first byte."""
    packed = bytearray((len(values) + 7) // 8)
    for place, value in enumerate(values):
        if value:
            packed[place >> 3] |= 1 << (place & 7)
    return bytes(packed)


def unpack_bits(packed: bytes, count: int) -> tuple[bool, ...]:
    """Return the first bits of these bytes."""
    return tuple(bool(packed[place >> 3] >> (place & 7) & 1) for place in range(count))


def pack_registers(values: Sequence[int]) -> bytes:
    """Return registers, high byte first. Raises ValueError outside of 16 bits."""
    return b"".join(_register(value).to_bytes(2, "big") for value in values)


def unpack_registers(packed: bytes) -> tuple[int, ...]:
    """Return the registers in these bytes, high byte first."""
    return tuple(packed[place] << 8 | packed[place + 1] for place in range(0, len(packed) - 1, 2))


def _register(value: int) -> int:
    if not 0 <= value <= 0xFFFF:
        raise ValueError(f"a register holds 0 to 65535, not {value}")
    return value


def _check(address: int, count: int, most: int) -> None:
    if not 1 <= count <= most:
        raise ValueError(f"1 to {most} values in one request, not {count}")
    if not 0 <= address <= 0x10000 - count:
        raise ValueError(f"addresses are 0 to 65535: {count} from {address} on go beyond")
