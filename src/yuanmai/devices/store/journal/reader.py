"""Reading a journal while another process writes it: durable records only, in order, across segments and past damage."""

import contextlib
import os
from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from yuanmai.devices.store.journal.errors import JournalError
from yuanmai.devices.store.journal.files import (
    Files,
    prune,
    read_around,
    read_stream,
    segment_path,
    segments_of,
    set_aside,
)
from yuanmai.devices.store.journal.format import (
    MARK_FILE_BYTES,
    RECORD_BYTES,
    SEGMENT_BYTES,
    Damage,
    Mark,
    decode,
    read_head,
    read_mark,
    salt_of,
)
from yuanmai.devices.store.journal.recovery import first_damage
from yuanmai.devices.store.records import Record

CHUNK_BYTES = 8 << 20


class Reader:
    """Follows one journal. `damages` holds what could not be read; `on_damage` is called for each, once."""

    def __init__(self, folder: Path, on_damage: Callable[[Damage], None] | None = None) -> None:
        """Raises JournalError where the folder holds no journal (yet)."""
        stream = read_stream(folder)
        if stream is None:
            raise JournalError(f"{folder}: no journal")
        self.folder = folder
        self.stream = stream.hex()
        self.damages: list[Damage] = []
        self._on_damage = on_damage
        self._salt = salt_of(stream)
        self._handle = -1
        self._segment = 0
        self._offset = 0
        self._passed = 0  # the last sequence before the cursor, served or damaged
        self._served = -1  # the last sequence that was returned
        self._stop: int | None = None  # the last sequence of this segment that counts, once the next is known
        self._segments: list[int] = []

    def durable(self) -> int:
        """Return the last sequence that may be read now; 0 where there is none."""
        mark = self._mark()
        return mark.sequence if mark is not None else 0

    def read(self, after: int, limit_bytes: int = CHUNK_BYTES) -> list[Record]:
        """Return durable records behind a sequence, in order: about `limit_bytes` of them, at least one where there is one."""
        mark = self._mark()
        if mark is None or mark.sequence <= after:
            return []
        here = self._handle >= 0 and after in (self._passed, self._served)
        if not here and not self._seek(after):
            return []
        found: list[Record] = []
        while not found and self._passed < mark.sequence:
            if not self._step(mark, limit_bytes, found):
                break
        while found and found[0].sequence <= after:  # at a start in the middle of a chunk
            found = [row for row in found if row.sequence > after]
            if not found and self._passed < mark.sequence and not self._step(mark, limit_bytes, found):
                break
        if found:
            self._served = found[-1].sequence
        return found

    def prune(self, up_to: int) -> int:
        """Remove segments of which all records are at or before a sequence (never the last); return how many."""
        return prune(self.folder, up_to, Files())

    def close(self) -> None:
        """Close the file held. The reader may be used again."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    # -- where to read ---------------------------------------------------------------------------------------------------------

    def _mark(self) -> Mark | None:
        # Read, not mapped: a mark file that a crash cut short must not kill its reader.
        for _attempt in range(3):
            try:
                data = (self.folder / "mark").read_bytes()
            except FileNotFoundError:
                return None
            mark = read_mark(data[:MARK_FILE_BYTES], self._salt)
            if mark is not None:
                return mark
        return None

    def _seek(self, after: int) -> bool:
        """Go to the segment in which the record behind `after` stands (or the first there is)."""
        self._segments = segments_of(self.folder)
        if not self._segments:
            return False
        place = max(bisect_right(self._segments, after + 1) - 1, 0)
        return self._enter(self._segments[place])

    def _enter(self, segment: int) -> bool:
        self.close()
        try:
            self._handle = os.open(segment_path(self.folder, segment), os.O_RDONLY)
        except FileNotFoundError:
            return False
        self._segment, self._offset, self._passed = segment, SEGMENT_BYTES, segment - 1
        later = [first for first in self._segments if first > segment]
        self._stop = later[0] - 1 if later else None
        return True

    def _leave(self, mark: Mark) -> bool:
        """Go on to the next segment; report what lies between."""
        self._segments = segments_of(self.folder)
        later = [first for first in self._segments if first > self._segment]
        if not later:
            self._stop = None
            return False
        if later[0] - 1 > self._passed:
            last = min(later[0] - 1, mark.sequence)
            self._report(Damage(self._segment, self._offset, 0, self._passed + 1, last), b"")
        return self._enter(later[0])

    # -- reading ---------------------------------------------------------------------------------------------------------------

    def _step(self, mark: Mark, limit_bytes: int, found: list[Record]) -> bool:
        """Read a piece into `found`, or pass a damaged place, or go to the next segment. False where there is no more."""
        if self._stop is None and mark.segment != self._segment:
            self._segments = segments_of(self.folder)
            later = [first for first in self._segments if first > self._segment]
            if not later:
                return False
            self._stop = later[0] - 1
        active = mark.segment == self._segment
        last = mark.sequence if active or self._stop is None else min(self._stop, mark.sequence)
        if self._passed >= last:
            return self._leave(mark)
        if self._offset == SEGMENT_BYTES and not self._enter(self._segment):
            return False  # pruned; opened anew, because a segment given up empty hands its name on
        end = mark.offset if active else os.fstat(self._handle).st_size
        size = min(limit_bytes, end - self._offset)
        if self._take(self._pread(size), last, found):
            return True
        # No whole record in the piece: it is larger than the limit, or damaged.
        head = read_head(self._pread(min(RECORD_BYTES, end - self._offset)), 0, self._salt)
        whole = head is not None and size < head.size <= end - self._offset
        if whole and head is not None and self._take(self._pread(head.size), last, found):
            return True
        return self._pass_damage(end, last)

    def _pread(self, size: int) -> bytes:
        return read_around(self._handle, self._offset, size) if size > 0 else b""

    def _take(self, data: bytes, last: int, found: list[Record]) -> bool:
        taken = decode(data, 0, self._salt, self._passed + 1, last, found)
        if not taken:
            return False
        self._offset += taken
        self._passed = found[-1].sequence
        return True

    def _pass_damage(self, end: int, last: int) -> bool:
        """Step over what is no record of the expected sequence."""
        data = self._pread(end - self._offset)
        begin = self._offset
        skipped, sequence = 0, None
        while skipped < len(data):
            head = read_head(data, skipped, self._salt)
            if (
                head is not None
                and head.sequence > self._passed
                and (skipped or head.sequence != self._passed + 1)
            ):
                sequence = head.sequence
                break
            skipped += first_damage(data, skipped, self._salt)
        self._offset += skipped
        passed = min((sequence - 1) if sequence is not None else last, last)
        self._report(Damage(self._segment, begin, skipped, self._passed + 1, passed), data[:skipped])
        self._passed = passed
        return True

    def _report(self, damage: Damage, data: bytes) -> None:
        if damage in self.damages:
            return
        self.damages.append(damage)
        if data:
            set_aside(self.folder, damage.segment, damage.offset, data)
        if self._on_damage is not None:
            with contextlib.suppress(Exception):
                self._on_damage(damage)
