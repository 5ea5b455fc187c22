"""The checksum of HJ 212, Appendix A, and the MODBUS one some makers use instead.

Per byte the standard shifts the register right by eight *before* it mixes the byte in, so what the low half held is lost. The
map is linear and has order 8: a byte counts only through its value and its place modulo 8, counted from the end. So the
segment may be folded to eight bytes by XOR first, and eight look-ups do the rest.
"""

from yuanmai.protocols.bits import CRC_ROUND as ROUND
from yuanmai.protocols.bits import crc_modbus


def _after(register: int, steps: int) -> int:
    for _step in range(steps):
        register = ROUND[register >> 8]
    return register


# WEIGHT[k][b]: what byte b adds when k bytes (modulo 8) follow it. START[n]: what is left of 0xFFFF after n bytes (modulo 8).
WEIGHT = tuple(tuple(_after(ROUND[byte], place) for byte in range(256)) for place in range(8))
W0, W1, W2, W3, W4, W5, W6, W7 = WEIGHT
START = tuple(_after(0xFFFF, length or 8) for length in range(8))


def crc(segment: bytes) -> int:
    """Return the checksum of a data segment by HJ 212-2017 Appendix A (`123456789` gives 0x2F80)."""
    length = len(segment)
    if not length:
        return 0xFFFF
    folded = int.from_bytes(segment, "big")
    bits = length * 8
    while bits > 64:
        bits = (bits + 127) // 128 * 64
        folded = folded >> bits ^ folded & (1 << bits) - 1
    return (
        START[length & 7]
        ^ W0[folded & 255]
        ^ W1[folded >> 8 & 255]
        ^ W2[folded >> 16 & 255]
        ^ W3[folded >> 24 & 255]
        ^ W4[folded >> 32 & 255]
        ^ W5[folded >> 40 & 255]
        ^ W6[folded >> 48 & 255]
        ^ W7[folded >> 56]
    )


# Some makers take the MODBUS one.
ALGORITHMS = {"hj212": crc, "modbus": crc_modbus}


def possible(value: int) -> bool:
    """Return whether the standard's algorithm can give this value at all; only 256 of 65,536 it can."""
    return value in POSSIBLE


POSSIBLE = frozenset(ROUND)
# The same, as they are written in a frame.
WRITTEN = {value: (b"%04X" % value, f"{value:04X}") for value in POSSIBLE}
