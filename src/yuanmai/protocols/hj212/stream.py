"""Frames out of a stream of bytes, however it is cut, with resynchronisation after nonsense."""

import re

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212.crc import ALGORITHMS, WRITTEN
from yuanmai.protocols.hj212.frame import HEAD, HEX, STANDARD, Frame, Profile, decode, read

START = re.compile(rb"##\d{4}")
LENGTHS = {b"##%04d" % length: length for length in range(10_000)}
# A frame as the standard wants it; after so many faults in a row nothing less is looked at.
WHOLE = re.compile(rb"##\d{4}[^#]*&&[0-9A-Fa-f]{4}\r\n")
MOST_WRONG = 100


class Decoder:
    """Turns what a station sends into frames and faults; give it the bytes as they come.

    After a bad frame it looks for the next `##` and four digits behind the bad `##`, never behind the length the bad frame
    claimed; where another frame begins inside of what it claims, it is one. `noise` counts the bytes between frames, `rejected`
    the frames that were none. No more than one frame is kept. Of more than a hundred faults in a row the others are only
    counted, and until a good frame comes only those are looked at that are whole.
    """

    def __init__(self, profile: Profile = STANDARD) -> None:
        self.profile = profile
        self.noise = 0
        self.rejected = 0
        self._kept = b""
        self._sum = ALGORITHMS[profile.crc]
        self._longest = profile.max_length
        self._wrong = 0  # faults in a row

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
        checksum, longest, profile = self._sum, self._longest, self.profile
        while place < size:
            length = LENGTHS.get(data[place : place + HEAD], -1)
            if length < 0 or self._wrong > MOST_WRONG:
                begin = (WHOLE if self._wrong > MOST_WRONG else START).search(data, place)
                keep = begin.start() if begin is not None else self._promising(data, place)
                self.noise += keep - place
                place = keep
                if begin is None:
                    break
                length = LENGTHS[data[place : place + HEAD]]
            end = place + HEAD + length
            answer: Frame | Fault | None = None
            # As the standard wants it: capitals, line end, nothing inside that looks like another frame.
            if end + 6 <= size and 0 < length <= longest:
                segment = data[place + HEAD : end]
                if b"##" not in segment:
                    written = WRITTEN.get(checksum(segment))
                    if written and data[end : end + 6] == written[0]:
                        end += 6
                        answer = read(data[place:end], segment, written[1], profile)
            if answer is None:
                stop = self._end(data, place, length, ended)
                if stop is None:
                    break
                end = abs(stop)
                raw = data[place:end]
                answer = decode(raw, profile) if stop > 0 else Fault("bad_length", raw)
            if isinstance(answer, Fault):
                self.rejected += 1
                self._wrong += 1
                place += 2
                if self._wrong > MOST_WRONG:
                    continue
                # What follows the checksum has no part in the fault, whether it has come or not.
                answer = Fault(answer.reason, answer.raw[: HEAD + length + 4], answer.details)
            else:
                self._wrong = 0
                place = end
            found.append(answer)
        self._kept = data[place:]
        return found

    def _end(self, data: bytes, place: int, length: int, ended: bool) -> int | None:
        """Return where the frame at `place` ends, below zero where another begins inside of it, nothing while it goes on."""
        if not 0 < length <= self._longest:
            return place + HEAD  # decode() names the fault
        stop = place + HEAD + length + 4
        inner = START.search(data, place + HEAD, stop)
        if inner is not None:
            return -inner.start()
        if len(data) < stop:
            return None
        if not HEX.issuperset(data[stop - 4 : stop]):
            return stop
        tail = data[stop : stop + 2]
        if tail == b"\r\n":
            return stop + 2
        if not ended and tail in (b"", b"\r"):
            return None
        return stop

    def _promising(self, data: bytes, place: int) -> int:
        """Return from where on the last bytes may be the beginning of a frame."""
        size = len(data)
        if self._wrong > MOST_WRONG:
            last = data.rfind(b"##", max(place, size - HEAD - self._longest - 6))
            if last >= 0 and data[last : last + HEAD] in LENGTHS:
                return last
        for begin in range(max(place, size - HEAD + 1), size):
            rest = data[begin:]
            if rest == b"#" or (rest[:2] == b"##" and (len(rest) == 2 or rest[2:].isdigit())):
                return begin
        return size
