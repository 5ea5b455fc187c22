"""Small sums and number forms that several protocols share."""

from functools import reduce
from operator import xor


def xor_sum(data: bytes) -> int:
    """Return the XOR of all bytes: folded in halves, as one long number, which is faster than byte by byte."""
    size = len(data)
    if size < 16:
        return reduce(xor, data, 0)
    folded = int.from_bytes(data, "big")
    bits = size * 8
    while bits > 64:
        bits = (bits + 127) // 128 * 64
        folded = folded >> bits ^ folded & (1 << bits) - 1
    folded ^= folded >> 32
    folded ^= folded >> 16
    return (folded ^ folded >> 8) & 0xFF


def byte_sum(data: bytes) -> int:
    """Return the sum of all bytes modulo 256."""
    return sum(data) & 0xFF


def is_bcd(text: str) -> bool:
    """Return whether hexadecimal digits are decimal ones."""
    return text.isdigit()


def luhn_digit(digits: str) -> int:
    """Return the check digit that completes an IMEI (Luhn, ISO/IEC 7812-1 Annex B)."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        value = int(sign) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return -total % 10


def _rounds(register: int) -> int:
    for _round in range(8):
        register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return register


# What eight rounds of the polynomial make of a byte.
CRC_ROUND = tuple(_rounds(value) for value in range(256))


def crc_modbus(data: bytes) -> int:
    """Return CRC-16/MODBUS (`123456789` gives 0x4B37)."""
    register = 0xFFFF
    for byte in data:
        register = register >> 8 ^ CRC_ROUND[(register ^ byte) & 255]
    return register
