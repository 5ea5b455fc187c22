"""Positions (0x0200): 28 bytes that every report has, and additional items behind them."""

from dataclasses import dataclass, field
from struct import Struct

from yuanmai.protocols.faults import ShortError
from yuanmai.protocols.moments import exists

BASIC = Struct(">IIIIHHH6s")
SOUTH, WEST, FIXED = 1 << 2, 1 << 3, 1 << 1
Extra = tuple[int, int, bytes]  # id, announced length, content


@dataclass(slots=True)
class Location:
    """A position as reported: degrees × 1e6, metres, 0.1 km/h, degrees from north, time of the terminal (GMT+8).

    `extras` are the additional items as they came, also twice and unknown: id, length announced, content (shorter than
    announced only for the last one, whose end is missing). `tail` is a byte behind them that begins no item.
    """

    alarm: int
    status: int
    lat_raw: int
    lng_raw: int
    altitude: int
    speed: int
    direction: int
    time: str
    extras: list[Extra] = field(default_factory=list)
    tail: bytes = b""

    @property
    def latitude(self) -> float:
        """Degrees, south below zero (by the status bit or as two's complement: both are met)."""
        return degrees(self.lat_raw, self.status & SOUTH)

    @property
    def longitude(self) -> float:
        """Degrees, west below zero."""
        return degrees(self.lng_raw, self.status & WEST)

    @property
    def time_valid(self) -> bool:
        """Whether the time is one of the calendar."""
        return valid_time(self.time)

    @property
    def plausible(self) -> bool:
        """Whether the position is on the globe and not the nought a terminal sends for lack of one."""
        if abs(self.latitude) > 90 or abs(self.longitude) > 180:
            return False
        return not (self.status & FIXED and not self.lat_raw and not self.lng_raw)


def degrees(raw: int, negative: int) -> float:
    """Return degrees of an unsigned number of millionths with its sign bit."""
    if raw >= 0x80000000:
        raw = 0x100000000 - raw
        negative = 1
    return -raw / 1e6 if negative and raw else raw / 1e6


def bcd_time(packed: bytes) -> str:
    """Return six BCD bytes as `20YY-MM-DD hh:mm:ss`, digits as they are: a time may be impossible."""
    text = packed.hex()
    return f"20{text[:2]}-{text[2:4]}-{text[4:6]} {text[6:8]}:{text[8:10]}:{text[10:]}"


def pack_time(text: str) -> bytes:
    """Return `20YY-MM-DD hh:mm:ss` as six BCD bytes. Raises ValueError for anything else."""
    if len(text) != 19 or text[:2] != "20":
        raise ValueError(f"no time of the form 20YY-MM-DD hh:mm:ss: {text}")
    return bytes.fromhex(text[2:4] + text[5:7] + text[8:10] + text[11:13] + text[14:16] + text[17:19])


def valid_time(text: str) -> bool:
    """Return whether `20YY-MM-DD hh:mm:ss` is a time of the calendar."""
    parts = [text[2:4], text[5:7], text[8:10], text[11:13], text[14:16], text[17:19]]
    if not all(part.isdigit() for part in parts):
        return False
    year, month, day, hour, minute, second = map(int, parts)
    return exists(2000 + year, month, day, hour, minute, second)


def decode(body: bytes) -> Location:
    """Return the position in a body of 0x0200. Raises ShortError below 28 bytes; broken items at the end are kept as they are."""
    size = len(body)
    if size < 28:
        raise ShortError
    alarm, status, lat, lng, altitude, speed, direction, packed = BASIC.unpack_from(body)
    text = packed.hex()
    time = f"20{text[:2]}-{text[2:4]}-{text[4:6]} {text[6:8]}:{text[8:10]}:{text[10:]}"
    extras: list[Extra] = []
    place = 28
    last = size - 1
    while place < last:
        begin = place + 2
        length = body[place + 1]
        end = begin + length
        extras.append((body[place], length, body[begin:end]))
        place = end
    return Location(alarm, status, lat, lng, altitude, speed, direction, time, extras, body[place:])


def encode(given: Location) -> bytes:
    """Return the body of 0x0200. Raises ValueError or struct.error where a number does not fit."""
    parts = [
        BASIC.pack(
            given.alarm,
            given.status,
            given.lat_raw,
            given.lng_raw,
            given.altitude,
            given.speed,
            given.direction,
            pack_time(given.time),
        )
    ]
    parts += [bytes((number, length)) + content for number, length, content in given.extras]
    parts.append(given.tail)
    return b"".join(parts)
