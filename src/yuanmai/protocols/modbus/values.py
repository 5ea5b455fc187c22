"""Numbers in registers: whole and floating ones of 16, 32 and 64 bits, in the four orders of bytes that devices use."""

import struct
from collections.abc import Sequence

# Kind → its form for `struct`, high byte first.
KINDS = {
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "uint64": "Q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}
# ABCD high byte first all through; CDAB low register first; BADC the bytes of each register swapped; DCBA low byte first.
ORDERS = ("ABCD", "CDAB", "BADC", "DCBA")


def registers_of(kind: str) -> int:
    """Return how many registers a number takes. Raises ValueError for an unknown kind."""
    return struct.calcsize(_form(kind)) // 2


def unpack(registers: Sequence[int], kind: str, order: str = "ABCD") -> int | float:
    """Return the number in these registers. Raises ValueError for an unknown kind or order and for a wrong number of registers."""
    form = _form(kind)
    if len(registers) * 2 != struct.calcsize(form):
        raise ValueError(f"{kind} takes {registers_of(kind)} registers, not {len(registers)}")
    try:
        packed = b"".join(register.to_bytes(2, "big") for register in registers)
    except OverflowError:
        raise ValueError("a register holds 0 to 65535") from None
    return struct.unpack(form, _ordered(packed, order))[0]


def pack(value: int | float, kind: str, order: str = "ABCD") -> list[int]:
    """Return the registers of a number. Raises ValueError where it does not fit, and for an unknown kind or order."""
    form = _form(kind)
    try:
        packed = struct.pack(form, value)
    except (struct.error, OverflowError):
        raise ValueError(f"{value} is no {kind}") from None
    packed = _ordered(packed, order)
    return [packed[place] << 8 | packed[place + 1] for place in range(0, len(packed), 2)]


def _form(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"no kind of number: {kind} (one of {', '.join(KINDS)})")
    return f">{KINDS[kind]}"


def _ordered(packed: bytes, order: str) -> bytes:
    """Return bytes of ABCD in another order; doing it twice undoes it."""
    if order not in ORDERS:
        raise ValueError(f"no order of bytes: {order} (one of {', '.join(ORDERS)})")
    if order in ("DCBA", "CDAB"):
        packed = packed[::-1]
    if order in ("BADC", "CDAB"):
        packed = b"".join(packed[place : place + 2][::-1] for place in range(0, len(packed), 2))
    return packed
