"""Frames out of a stream of bytes, however it is cut, with resynchronisation after nonsense."""

import re

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.crc import ALGORITHMS, WRITTEN
from yuanmai.protocols.hj212.frame import HEAD, HEX, STANDARD, Frame, Profile, decode, read

START = re.compile(rb"##\d{4}")
LENGTHS = {b"##%04d" % length: length for length in range(10_000)}
# The beginning of a frame after the end of another, where a data segment should still go on: the length was a lie.
INNER = re.compile(rb"(?:\r\n|&&[0-9A-Fa-f]{4})##\d{4}")


class Decoder:
    """Turns what a station sends into frames and faults; give it the bytes as they come.

    After a bad frame it looks for the next `##` and four digits behind the bad `##`, never behind the length the bad frame
    claimed. `noise` counts the bytes between frames, `rejected` the frames that were none. No more than one frame is kept.
    """

    def __init__(self, profile: Profile = STANDARD) -> None:
        self.profile = profile
        self.noise = 0
        self.rejected = 0
        self._kept = b""
        self._sum = ALGORITHMS[profile.crc]
        self._longest = profile.max_length

    @property
    def pending(self) -> bytes:
        """The bytes of a frame that has not ended yet."""
        return self._kept

    def feed(self, data: bytes) -> list[Frame | Fault]:
        """Return the frames and faults that these bytes complete, in their order."""
        return self._scan(self._kept + data, ended=False)

    def settle(self) -> list[Frame | Fault]:
        """Say that the sender has paused: a frame that lacks only its line end is complete, others go on waiting."""
        return self._scan(self._kept, ended=True)

    def flush(self) -> list[Frame | Fault]:
        """Say that the rest will not come (time-out, connection closed): what is incomplete is handed out as `truncated`."""
        found = self.settle()
        while self._kept:
            self.rejected += 1
            found.append(Fault("truncated", self._kept))
            rest = self._kept[2:]
            self._kept = b""
            found += self._scan(rest, ended=True)
        return found

    def _scan(self, data: bytes, *, ended: bool) -> list[Frame | Fault]:
        found: list[Frame | Fault] = []
        place, size = 0, len(data)
        while place < size:
            length = LENGTHS.get(data[place : place + HEAD], -1)
            if length < 0:
                begin = START.search(data, place)
                if begin is None:
                    keep = _promising(data, place)
                    self.noise += keep - place
                    place = keep
                    break
                self.noise += begin.start() - place
                place = begin.start()
                length = LENGTHS[data[place : place + HEAD]]
            begins, end = place + HEAD, place + HEAD + length
            answer: Frame | Fault | None = None
            # As the standard wants it: capitals, line end, nothing inside that looks like another frame.
            if end + 6 <= size and 0 < length <= self._longest:
                segment = data[begins:end]
                written = WRITTEN.get(self._sum(segment))
                if written and data[end : end + 6] == written[0] and b"##" not in segment:
                    end += 6
                    answer = read(data[place:end], segment, written[1], self.profile)
            if answer is None:
                ends = self._end(data, place, ended)
                if ends is None:
                    break
                end = abs(ends)
                answer = (
                    decode(data[place:end], self.profile)
                    if ends > 0
                    else Fault("bad_length", data[place:end])
                )
            if isinstance(answer, Fault):
                self.rejected += 1
                place += 2
                # What follows the checksum has no part in the fault, whether it has come or not.
                answer = Fault(answer.reason, answer.raw[: HEAD + length + 4], answer.details)
            else:
                place = end
            found.append(answer)
        self._kept = data[place:]
        return found

    def _end(self, data: bytes, place: int, ended: bool) -> int | None:
        """Return where the frame at `place` ends, below zero where it cannot be one, nothing while it goes on."""
        length = int(data[place + 2 : place + HEAD])
        if not 0 < length <= self.profile.max_length:
            return place + HEAD  # decode() names the fault
        end = place + HEAD + length
        if data.find(b"##", place + 2, end + 4) >= 0:
            inner = INNER.search(data, place + HEAD, end + 4)
            if inner is not None:
                return HEAD - inner.end()
        stop = end + 4
        if len(data) < stop:
            return None
        if not HEX.issuperset(data[end:stop]):
            return stop
        tail = data[stop : stop + 2]
        if tail == b"\r\n":
            return stop + 2
        if not ended and tail in (b"", b"\r"):
            return None
        return stop


def _promising(data: bytes, place: int) -> int:
    """Return from where on the last bytes may be the beginning of a frame."""
    for begin in range(max(place, len(data) - HEAD + 1), len(data)):
        rest = data[begin:]
        if rest == b"#" or (rest[:2] == b"##" and (len(rest) == 2 or rest[2:].isdigit())):
            return begin
    return len(data)
