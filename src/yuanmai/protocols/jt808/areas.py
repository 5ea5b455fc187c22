"""Bodies of areas and routes (0x8600 … 0x8608): circles, rectangles, polygons, routes."""

from collections.abc import Sequence
from dataclasses import dataclass

from yuanmai.protocols.faults import ShortError
from yuanmai.protocols.jt808.layout import (
    Body,
    CountedText,
    Digits,
    EitherRecords,
    Numbers,
    Part,
    Reader,
    Records,
    When,
    byte,
    dword,
    word,
)

# Attributes of an area; those of a section of a route have only the first two, and their own meaning.
TIMED, SPEED_LIMITED = 1, 2


def timed(body: Body, _standard: int) -> bool:
    """Return whether begin and end of validity follow."""
    return bool(body["attr"] & TIMED)


def limited(body: Body, _standard: int) -> bool:
    """Return whether a highest speed follows."""
    return bool(body["attr"] & SPEED_LIMITED)


def limited_at_night(body: Body, standard: int) -> bool:
    """Return whether a highest speed at night follows."""
    return standard >= 2019 and limited(body, standard)


def since_2019(_body: Body, standard: int) -> bool:
    """Return whether the standard is that of 2019."""
    return standard >= 2019


VALIDITY = When(timed, (Digits("start_time", 6), Digits("end_time", 6)))
SPEED = When(limited, (word("max_speed_kmh"), byte("overspeed_duration_s")))
NIGHT_SPEED = When(limited_at_night, (word("night_max_speed_kmh"),))
NAME = When(since_2019, (CountedText("name", 2),))


@dataclass(frozen=True, slots=True)
class Vertices:
    """Counted pairs of latitude and longitude."""

    name: str

    def read(self, source: Reader, body: Body) -> None:
        count = source.number(2)
        if count * 8 > source.left:
            raise ShortError
        body[self.name] = [[source.number(4), source.number(4)] for _vertex in range(count)]

    def write(self, body: Body, _standard: int) -> bytes:
        packed = [int(number).to_bytes(4, "big") for vertex in body[self.name] for number in vertex]
        return len(body[self.name]).to_bytes(2, "big") + b"".join(packed)


CIRCLE: Sequence[Part] = (
    dword("id"),
    word("attr"),
    dword("lat_raw"),
    dword("lng_raw"),
    dword("radius_m"),
    VALIDITY,
    SPEED,
    NIGHT_SPEED,
    NAME,
)
RECTANGLE: Sequence[Part] = (
    dword("id"),
    word("attr"),
    dword("ul_lat_raw"),
    dword("ul_lng_raw"),
    dword("lr_lat_raw"),
    dword("lr_lng_raw"),
    VALIDITY,
    SPEED,
    NIGHT_SPEED,
    NAME,
)
# The night speed stands behind the vertices, by the text of 2019.
POLYGON: Sequence[Part] = (
    dword("id"),
    word("attr"),
    VALIDITY,
    SPEED,
    Vertices("vertices"),
    NIGHT_SPEED,
    NAME,
)
TURN: Sequence[Part] = (
    dword("point_id"),
    dword("section_id"),
    dword("lat_raw"),
    dword("lng_raw"),
    byte("width_m"),
    byte("attr"),
    When(timed, (word("too_long_s"), word("too_short_s"))),
    SPEED,
    NIGHT_SPEED,
)
ROUTE: Sequence[Part] = (dword("id"), word("attr"), VALIDITY, Records("points", 2, TURN), NAME)
DELETED: Sequence[Part] = (Numbers("ids", 4, 1),)

AREAS: dict[int, Sequence[Part]] = {
    0x8600: (byte("action"), Records("items", 1, CIRCLE)),
    0x8601: DELETED,
    0x8602: (byte("action"), Records("items", 1, RECTANGLE)),
    0x8603: DELETED,
    0x8604: POLYGON,
    0x8605: DELETED,
    0x8606: ROUTE,
    0x8607: DELETED,
    0x8608: (byte("type"), Numbers("ids", 4, 4)),
    0x0608: (
        byte("type"),
        EitherRecords("items", 4, "type", {1: CIRCLE, 2: RECTANGLE, 3: POLYGON, 4: ROUTE}),
    ),
}
