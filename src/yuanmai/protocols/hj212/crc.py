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


def _folds(length: int) -> tuple[tuple[int, int], ...]:
    """Return by how many bits a segment of this length is shifted, and which are kept, until 64 are left."""
    bits = length * 8
    found = []
    while bits > 64:
        bits = (bits + 127) // 128 * 64
        found.append((bits, (1 << bits) - 1))
    return tuple(found)


FOLDS = [_folds(length) for length in range(1025)]


def crc(segment: bytes) -> int:
    """Return the checksum of a data segment by HJ 212-2017 Appendix A (`123456789` gives 0x2F80)."""
    length = len(segment)
    if not length:
        return 0xFFFF
    folded = int.from_bytes(segment, "big")
    for bits, kept in FOLDS[length] if length < 1025 else _folds(length):
        folded = folded >> bits ^ folded & kept
    b7, b6, b5, b4, b3, b2, b1, b0 = folded.to_bytes(8, "big")
    return START[length & 7] ^ W0[b0] ^ W1[b1] ^ W2[b2] ^ W3[b3] ^ W4[b4] ^ W5[b5] ^ W6[b6] ^ W7[b7]


# Some makers take the MODBUS one.
ALGORITHMS = {"hj212": crc, "modbus": crc_modbus}


def possible(value: int) -> bool:
    """Return whether the standard's algorithm can give this value at all; only 256 of 65,536 it can."""
    return value in POSSIBLE


POSSIBLE = frozenset(ROUND)
# The same, as a frame ends with them, and as text.
WRITTEN = {value: (b"%04X\r\n" % value, f"{value:04X}") for value in POSSIBLE}
