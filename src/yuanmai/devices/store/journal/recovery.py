"""What a journal's last segment holds after a crash: where its legible records end, what is damaged, what was never finished."""

from dataclasses import dataclass, field

from yuanmai.devices.store.journal.format import (
    RECORD_BYTES,
    SEGMENT_BYTES,
    Damage,
    Mark,
    body_holds,
    find_head,
    read_head,
    read_segment_header,
)


@dataclass
class Found:
    """How a segment is to be taken up.

    `end`: bytes to keep; `last`: the last sequence in them (first − 1 where there is none); `damages`: places before that which are kept as
    they are; `cut`: bytes behind `end`, to be cut; `legible_cut`: whether legible records are among them; `seal`: whether a new
    segment must be begun (with `last` + 1) instead of writing on in this one.
    """

    end: int = SEGMENT_BYTES
    last: int = 0
    damages: list[Damage] = field(default_factory=list)
    cut: int = 0
    legible_cut: bool = False
    seal: bool = False
    empty: bool = True


@dataclass
class _Place:
    """A stretch of bytes that is no record, and the sequences around it."""

    offset: int
    end: int
    expected: int
    following: int | None


def survey(data: bytes, first: int, salt: int, mark: Mark | None) -> Found:
    """Read a segment from its bytes; `mark` where it speaks of this segment."""
    places, expected, last_begin, end = _walk(data, first, salt)
    found = Found(last=first - 1, seal=read_segment_header(data) is None)
    durable = mark.sequence if mark is not None else 0
    # Whatever stands before the last legible record's group was synced before that group was written.
    floor = max(last_begin, durable + 1)
    found.empty = expected == first
    for place in places:
        if place.expected >= floor:  # torn: never acknowledged
            found.end, found.last = place.offset, place.expected - 1
            found.cut = len(data) - place.offset
            found.legible_cut = place.following is not None
            return found
        if place.following is None:  # the acknowledged end itself is illegible or missing
            found.damages.append(
                Damage(first, place.offset, place.end - place.offset, place.expected, durable)
            )
            found.end, found.last, found.seal, found.empty = place.end, durable, True, False
            return found
        found.damages.append(
            Damage(first, place.offset, place.end - place.offset, place.expected, place.following - 1)
        )
    found.end, found.last = end, expected - 1
    if found.last < durable:  # cut off cleanly between two records, although it was acknowledged
        found.damages.append(Damage(first, end, 0, found.last + 1, durable))
        found.last, found.seal, found.empty = durable, True, False
    return found


def _walk(data: bytes, first: int, salt: int) -> tuple[list[_Place], int, int, int]:
    """Return the illegible places, the sequence after the last legible record, the first of its group, and where the bytes end."""
    offset, expected, begin = SEGMENT_BYTES, first, first
    places: list[_Place] = []
    bad: _Place | None = None
    while offset < len(data):
        head = read_head(data, offset, salt)
        if head is not None and head.sequence >= expected and body_holds(data, offset, head, salt):
            if bad is not None or head.sequence > expected:
                bad = bad or _Place(offset, offset, expected, None)
                bad.end, bad.following = offset, head.sequence
                places.append(bad)
                bad = None
            expected, begin = head.sequence + 1, head.sequence - head.place
            offset += head.size
            continue
        bad = bad or _Place(offset, offset, expected, None)
        # A head that holds says where the next one is, though its body does not hold; else look for the next.
        if head is not None and offset + head.size <= len(data):
            offset += head.size
        else:
            following = find_head(data, offset + 1, salt)
            offset = following[0] if following else len(data)
    if bad is not None:
        bad.end = len(data)
        places.append(bad)
    return places, expected, begin, len(data)


def first_damage(data: bytes, offset: int, salt: int) -> int:
    """Return how many bytes from an offset on are no record, up to the next head (or the end)."""
    head = read_head(data, offset, salt)
    if head is not None and offset + head.size <= len(data):
        return head.size
    following = find_head(data, offset + (1 if head is None else RECORD_BYTES), salt)
    return (following[0] if following else len(data)) - offset
