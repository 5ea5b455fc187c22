"""Frames out of a stream of bytes, however it is cut, with resynchronisation after nonsense."""

import re

from yuanmai.protocols.bits import xor_sum
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808.frame import (
    LONGEST,
    MARK,
    MOST_BODY,
    PACKAGED,
    SHORTEST,
    VERSIONED,
    Frame,
    decode,
    unescape_kindly,
)


def resembles(piece: bytes) -> bool:
    """Return whether bytes behind the end of a frame were meant as one: either its checksum or its length is right."""
    plain = unescape_kindly(piece)
    if len(plain) < SHORTEST:
        return False
    if xor_sum(plain) == 0:
        return True
    begin = (17 if plain[2] & VERSIONED >> 8 else 12) + (4 if plain[2] & PACKAGED >> 8 else 0)
    return len(plain) == begin + ((plain[2] << 8 | plain[3]) & MOST_BODY) + 1


IDLE = re.compile(rb"\x7e{3,}")
# Between marks, too short for a frame.
SHORT = re.compile(rb"(?:\x7e[^\x7e]{1,12})+(?=\x7e)")
MOST_WRONG = 100
PIECE = 65536


class Decoder:
    """Turns what a terminal sends into frames and faults; give it the bytes as they come.

    Every 7E ends a frame and may begin the next, so a mark shared by two frames, idle 7E 7E and a frame that lost its end do
    no harm. Bytes behind the end of a frame that make no frame are noise unless they have a mark of their own in front.
    It never keeps more than `most` bytes, the longest legal frame: what grows beyond is a fault `length_too_long`, and the next
    mark counts. `noise` counts bytes between frames, `rejected` frames that were none, `peak` the most bytes it has kept. Of
    more than a hundred faults in a row the others are only counted.
    """

    most = LONGEST

    def __init__(self, *, tolerant: bool = False) -> None:
        self.tolerant = tolerant
        self.noise = 0
        self.rejected = 0
        self.peak = 0
        self._kept = bytearray()
        self._open = False  # a mark has been seen
        self._shared = False  # that mark also was the end of a good or bad frame
        self._overlong = False  # the frame has grown too long; wait for a mark
        self._wrong = 0  # faults in a row

    @property
    def pending(self) -> bytes:
        """The bytes of a frame that has not ended yet, with its mark."""
        if not self._open or (self._shared and not self._kept):
            return b""
        return bytes(self._kept) if self._shared else MARK + self._kept

    def feed(self, data: bytes) -> list[Frame | Fault]:
        """Return the frames and faults that these bytes complete, in their order."""
        if len(data) <= PIECE:
            return self._feed(data)
        pieces = (data[begin : begin + PIECE] for begin in range(0, len(data), PIECE))
        return [entry for piece in pieces for entry in self._feed(piece)]

    def _feed(self, data: bytes) -> list[Frame | Fault]:
        found: list[Frame | Fault] = []
        if self._wrong >= MOST_WRONG:
            marks = data.count(MARK)
            data = SHORT.sub(b"", data)
            self.rejected += marks - data.count(MARK)
        if b"\x7e\x7e\x7e" in data:
            data = IDLE.sub(MARK * 2, data)  # idle marks mean nothing
        *ended, rest = data.split(MARK)
        for piece in ended:
            answer = self._end(piece)
            if answer is not None:
                found.append(answer)
        self._keep(rest)
        return found

    def flush(self) -> list[Frame | Fault]:
        """Say that the rest will not come: a frame without an end is handed out as `truncated`."""
        found: list[Frame | Fault] = []
        if self._kept and self._open and not self._shared:
            self.rejected += 1
            found.append(Fault("truncated", self.pending))
        self._kept.clear()
        self._open = self._shared = self._overlong = False
        return found

    def _keep(self, piece: bytes) -> None:
        """Keep bytes that no mark has ended yet, as far as a frame may go."""
        if not piece:
            return
        if not self._open or self._overlong:
            self.noise += len(piece)
            return
        room = LONGEST - len(MARK) * 2 - len(self._kept)
        self._kept += piece[:room]
        self.peak = max(self.peak, len(self._kept) + 1)
        if len(piece) > room:
            self.noise += len(piece) - room
            self._overlong = True

    def _end(self, piece: bytes) -> Frame | Fault | None:
        """Return what ends with a mark after this piece; nothing for idle marks and noise."""
        if self._kept or self._overlong or len(piece) > LONGEST - len(MARK) * 2:
            self._keep(piece)
            piece = bytes(self._kept)
            self._kept.clear()
        shared, self._shared = self._shared, True
        if not self._open:
            self.noise += len(piece)
            self._open, self._shared = True, False
            return None
        if self._overlong:
            self._overlong = False
            return self._reject(Fault("length_too_long", MARK + piece[:64]))
        if not piece:
            self._shared = False  # two marks in a row: the second begins a frame
            return None
        if self._wrong >= MOST_WRONG and len(piece) < SHORTEST:
            self.rejected += 1
            return None
        answer = decode(b"\x7e%b\x7e" % piece, tolerant=self.tolerant)
        if isinstance(answer, Fault):
            if shared and not resembles(piece):
                self.noise += len(piece)
                self._shared = False
                return None
            return self._reject(answer)
        self._wrong = 0
        return answer

    def _reject(self, fault: Fault) -> Fault | None:
        self.rejected += 1
        self._wrong += 1
        return fault if self._wrong <= MOST_WRONG else None
