"""Frames of meters out of a stream: 68 … 16 with a length inside and a sum at the end, after any number of FE bytes."""

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from yuanmai.protocols.faults import Fault

START, END, WAKE = 0x68, 0x16, 0xFE
MOST_WRONG = 1000
FrameT = TypeVar("FrameT")


class MeterDecoder(ABC, Generic[FrameT]):
    """Turns what comes from a bus into frames and faults; give it the bytes as they come.

    68 and 16 may stand inside a frame, so ends are found by the length, never by searching 16; after a bad frame the search
    goes on behind its first 68. `noise` counts the bytes between frames, `rejected` frames whose sum or end is wrong. After a
    thousand places in a row where a frame began that was none, the rest of what came at once is left out.
    """

    def __init__(self) -> None:
        self.noise = 0
        self.rejected = 0
        self._kept = b""

    @property
    def pending(self) -> bytes:
        """The bytes of a frame that has not ended yet."""
        return self._kept

    def feed(self, data: bytes) -> list[FrameT | Fault]:
        """Return the frames and faults that these bytes complete, in their order."""
        return self._scan(self._kept + data)

    def flush(self) -> list[FrameT | Fault]:
        """Say that the rest will not come: an unfinished frame is `truncated`, and what stands behind its 68 is looked at."""
        found: list[FrameT | Fault] = []
        while self._kept:
            self.rejected += 1
            found.append(Fault("truncated", self._kept))
            found += self._scan(self._kept[1:])
        return found

    def _scan(self, data: bytes) -> list[FrameT | Fault]:
        found: list[FrameT | Fault] = []
        place = wrong = 0
        while wrong < MOST_WRONG:
            begin = data.find(START, place)
            if begin < 0:
                self.noise += len(data) - place
                place = len(data)
                break
            self.noise += begin - place
            place = begin
            size = self.measure(data[place : place + 11])
            if size is None or (size and len(data) - place < size):
                break
            if not size:
                self.noise += 1
                place += 1
                wrong += 1
                continue
            answer = self.decode(data[place : place + size])
            found.append(answer)
            if isinstance(answer, Fault):
                self.rejected += 1
                place += 1
                wrong += 1
            else:
                place += size
                wrong = 0
        if wrong >= MOST_WRONG:
            self.noise += len(data) - place
            place = len(data)
        self._kept = data[place:]
        return found

    @abstractmethod
    def measure(self, head: bytes) -> int | None:
        """Return the size of the frame that begins so, 0 where none begins, nothing while more bytes are wanted."""

    @abstractmethod
    def decode(self, raw: bytes) -> FrameT | Fault:
        """Return the frame in exactly these bytes."""
