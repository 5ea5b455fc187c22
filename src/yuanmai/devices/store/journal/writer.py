"""The one writer of a journal."""

import contextlib
import errno
import fcntl
import os
import secrets
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Self

from yuanmai.devices.store.journal.errors import JournalBroken, JournalError, JournalFull, JournalLocked
from yuanmai.devices.store.journal.files import (
    Files,
    journals,
    prune,
    read_stream,
    segment_path,
    segments_of,
    set_aside,
    write_new,
    write_whole,
)
from yuanmai.devices.store.journal.format import (
    MARK_FILE_BYTES,
    MARK_SLOTS,
    SEGMENT_BYTES,
    Damage,
    Entry,
    Mark,
    encode,
    entry,
    pack_mark,
    read_mark,
    read_segment_header,
    salt_of,
    segment_header,
)
from yuanmai.devices.store.journal.recovery import survey

SEGMENT_LIMIT = 64 << 20
RESERVE_BYTES = 256 << 20
RESERVE_SHARE = 50  # of the file system: 2 %
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Ticket:
    """What one thread waits for (`group.write_durable`)."""

    __slots__ = ("entries", "error", "first", "settled")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        self.first = 0
        self.error: JournalError | None = None
        self.settled = False


class Journal:
    """An append log in a folder of its own, with one writer. All methods may be called from any thread.

    `append` and `sync` are for one owner who does both; where several threads write, use `commit` (a group of its own, at once),
    `write_durable` (threads share groups) or `GroupCommit` (asyncio).
    """

    def __init__(self, folder: Path, segment_bytes: int, reserve_bytes: int | None, files: Files) -> None:
        """Use `open`."""
        self.folder = folder
        self.damages: list[Damage] = []
        self.groups = self.bytes_written = self.refused_groups = 0
        self.lock = threading.RLock()
        self.queue_lock = threading.Lock()
        self.queue: list[Ticket] = []
        self._files = files
        self._segment_bytes = segment_bytes
        self._reserve = reserve_bytes
        self._buffer: list[Entry] = []
        self._handle = -1
        self._segment = 0
        self._offset = 0
        self._last = 0
        self._marks = 0
        self._seal = False  # a new segment must be begun before the next group
        self._suspect: tuple[int, int] | None = (
            None  # segment and length to be read again after a failed sync
        )
        self._lock_handle = -1
        self._mark_handle = -1

    @classmethod
    def open(
        cls, folder: Path, name: str, *, segment_bytes: int = SEGMENT_LIMIT, reserve_bytes: int | None = None,
        files: Files | None = None, patience: float = 2.0,
    ) -> Self:  # fmt: skip
        """Open (or make) the journal `folder / name` for writing and put right what a crash left.

        `reserve_bytes`: room left to others on the disk; by default 256 MiB, on small disks 2 % of them. `patience`: seconds to wait for
        another process to let go (`recover` holds a journal for a moment). Raises JournalLocked where it does not, OSError where the folder cannot be used.
        """
        made = cls(folder / name, segment_bytes, reserve_bytes, files or Files())
        try:
            made._take(patience)
            made._recover()
        except BaseException:
            made._release()
            raise
        return made

    @classmethod
    def claim(
        cls,
        folder: Path,
        prefix: str,
        *,
        segment_bytes: int = SEGMENT_LIMIT,
        reserve_bytes: int | None = None,
    ) -> Self:
        """Open the first of `prefix-1`, `prefix-2` … that no other process writes: for processes that come in numbers."""
        for number in range(1, 1000):
            with contextlib.suppress(JournalLocked):
                return cls.open(
                    folder, f"{prefix}-{number}", segment_bytes=segment_bytes, reserve_bytes=reserve_bytes, patience=0
                )  # fmt: skip
        raise JournalLocked(f"{folder}: {prefix}-1 to {prefix}-999 are all being written")

    @property
    def stream(self) -> str:
        """The identity of this journal: 32 hex digits."""
        return self._stream.hex()

    @property
    def last(self) -> int:
        """The last durable sequence; 0 where there is none."""
        return self._last

    def append(self, kind: int, key: str, payload: bytes, received: int) -> int:
        """Buffer a record; return the sequence it has once `sync` succeeds. Raises ValueError where it is too large."""
        made = entry(kind, key, payload, received)
        with self.lock:
            self._buffer.append(made)
            return self._last + len(self._buffer)

    def sync(self) -> int:
        """Make durable what was appended; return the last durable sequence.

        Raises JournalFull or JournalBroken: then nothing of what was appended since the last sync is kept.
        """
        with self.lock:
            group, self._buffer = self._buffer, []
            if group:
                self._write(group)
            return self._last

    def commit(self, entries: Sequence[Entry]) -> int:
        """Make a group durable by itself; return the sequence of its first record. Raises as `sync`."""
        with self.lock:
            if self._buffer:
                self.sync()
            self._write(entries)
            return self._last - len(entries) + 1

    def prune(self, up_to: int) -> int:
        """Remove segments of which all records are at or before a sequence (never the last segment); return how many."""
        with self.lock:
            return prune(self.folder, up_to, self._files)

    def room(self) -> int:
        """Return how many bytes may be written before groups are refused."""
        free, size = self._files.space(self.folder)
        return free - self._reserve_of(size)

    def close(self) -> None:
        """Let others write. What was appended and not synced is dropped. May be called twice."""
        with self.lock:
            with contextlib.suppress(OSError):
                if self._mark_handle >= 0:
                    self._files.sync(self._mark_handle)
            self._release()

    def __enter__(self) -> Self:
        """Close it at the end of a `with`."""
        return self

    def __exit__(self, *_error: object) -> None:
        """As `close`."""
        self.close()

    # -- writing ---------------------------------------------------------------------------------------------------------------

    def _reserve_of(self, size: int) -> int:
        return min(RESERVE_BYTES, size // RESERVE_SHARE) if self._reserve is None else self._reserve

    def _write(self, group: Sequence[Entry]) -> None:
        """Write and sync a group, or keep nothing of it."""
        if self._lock_handle < 0:
            raise JournalBroken(f"{self.folder}: closed")
        if not group:
            return
        data = b"".join(encode(group, self._last + 1, 0, self._salt))
        try:
            if self.room() < len(data):
                raise JournalFull(f"{self.folder}: less than {len(data)} bytes above the reserve")
            if self._seal or self._offset >= self._segment_bytes:
                self._begin_segment(self._last + 1)
            self._put(data)
        except JournalFull:
            self.refused_groups += 1
            raise
        except OSError as error:
            self.refused_groups += 1
            kind = JournalFull if error.errno in _NO_ROOM else JournalBroken
            raise kind(f"{self.folder}: {error.strerror or error}") from error
        self._offset += len(data)
        self._last += len(group)
        self.groups += 1
        self.bytes_written += len(data)
        self._publish()

    def _put(self, data: bytes) -> None:
        try:
            write_whole(self._files, self._handle, data, self._offset)
        except OSError as error:
            # Nobody has read behind the durable length: cutting back leaves no trace. Where even that fails, the segment is left.
            try:
                self._files.truncate(self._handle, self._offset)
                self._files.sync(self._handle)
            except OSError:
                self._give_up()
            if error.errno not in _NO_ROOM or error.errno == errno.EFBIG:
                self._give_up()
            raise
        try:
            self._files.sync(self._handle)
        except OSError:
            with contextlib.suppress(OSError):
                self._files.truncate(self._handle, self._offset)
            self._give_up()
            raise

    def _give_up(self) -> None:
        """Never write to this segment again, and look at what is durable in it before the next one begins."""
        self._seal = True
        self._suspect = (self._segment, self._offset)

    def _begin_segment(self, first: int) -> None:
        """Make a segment and everything its name hangs on durable, then write there."""
        if self._suspect is not None:
            self._verify(*self._suspect)
            self._suspect = None
        path = segment_path(self.folder, first)
        header = segment_header(self._stream, first, time.time_ns() // 1000)
        # Where nothing durable stood in a segment given up, its name goes over to a file of its own pages.
        part = path.with_name(path.name + ".new")
        if part.exists():
            self._files.remove(part)
        handle = self._files.open(part, create=True)
        try:
            write_whole(self._files, handle, header, 0)
            self._files.sync(handle)
            self._files.rename(part, path)
            self._files.sync_folder(self.folder)
        except BaseException:
            self._files.close(handle)
            for left in (part, path):
                with contextlib.suppress(OSError):
                    self._files.remove(left)
            self._seal = True
            raise
        if self._handle >= 0:
            self._files.close(self._handle)
        self._handle, self._segment, self._offset, self._seal = handle, first, len(header), False

    def _verify(self, segment: int, length: int) -> None:
        """Read a segment's durable part again from the medium; what does not hold is reported."""
        try:
            data = self._files.read(segment_path(self.folder, segment))
        except OSError:
            return
        mark = Mark(self._last, segment, length)
        self._report(data, survey(data[:length], segment, self._salt, mark).damages)

    def _report(self, data: bytes, damages: Iterable[Damage]) -> None:
        for damage in damages:
            if damage not in self.damages:
                self.damages.append(damage)
                set_aside(
                    self.folder,
                    damage.segment,
                    damage.offset,
                    data[damage.offset : damage.offset + damage.length],
                )

    def _publish(self) -> None:
        """Let readers see up to here. A mark that cannot be written only delays them: the next one, or the next start, shows it."""
        raw = pack_mark(Mark(self._last, self._segment, self._offset), self._salt)
        with contextlib.suppress(OSError):
            self._files.write(self._mark_handle, raw, MARK_SLOTS[self._marks % 2])
        self._marks += 1

    # -- opening ---------------------------------------------------------------------------------------------------------------

    def _take(self, patience: float) -> None:
        """Hold the folder, and learn whose stream it is."""
        self._files.make_folder(self.folder)
        self._lock_handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
        until = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(self._lock_handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise JournalLocked(f"{self.folder}: another process writes it") from None
            time.sleep(0.02)
        self._stream = self._identity()
        self._salt = salt_of(self._stream)
        marks = self.folder / "mark"
        if not marks.exists() or marks.stat().st_size != MARK_FILE_BYTES:
            write_new(self._files, marks, bytes(MARK_FILE_BYTES))
        self._mark_handle = self._files.open(marks)

    def _identity(self) -> bytes:
        """Return the stream of the folder: as its file says, else as its segments say, else a new one."""
        path = self.folder / "stream"
        stream = read_stream(self.folder)
        if stream is None:
            stream = secrets.token_bytes(16)
            for first in segments_of(self.folder):
                with segment_path(self.folder, first).open("rb") as source:
                    header = read_segment_header(source.read(SEGMENT_BYTES))
                if header is not None:
                    stream = header[0]
                    break
            write_new(self._files, path, stream.hex().encode() + b"\n")
        return stream

    def _recover(self) -> None:
        """Find where the durable records end, cut what was never finished, and write on from there."""
        mark = read_mark((self.folder / "mark").read_bytes(), self._salt)
        last = mark.sequence if mark is not None else 0
        segments = segments_of(self.folder)
        while segments:
            first = segments[-1]
            path = segment_path(self.folder, first)
            data = self._files.read(path)
            found = survey(
                data, first, self._salt, mark if mark is not None and mark.segment == first else None
            )
            if found.empty and read_segment_header(data) is None:
                # Begun and not finished: its name is durable by chance, nothing in it is.
                self._files.remove(path)
                self._files.sync_folder(self.folder)
                segments.pop()
                continue
            self._report(data, found.damages)
            if found.legible_cut:
                set_aside(self.folder, first, found.end, data[found.end :])
            self._handle, self._segment, self._offset = self._files.open(path), first, found.end
            if found.cut:
                self._files.truncate(self._handle, found.end)
            self._files.sync(self._handle)
            self._files.sync_folder(self.folder)
            self._last, self._seal = found.last, found.seal
            break
        if self._last < last:
            # Acknowledged records are gone from the folder. Their numbers must not be given again: the lake knows them.
            self.damages.append(Damage(self._segment, self._offset, 0, self._last + 1, last))
            self._last, self._seal = last, True
        if self._handle < 0 or self._seal:
            self._begin_segment(self._last + 1)
        self._publish()

    def _release(self) -> None:
        for handle in (self._handle, self._mark_handle, self._lock_handle):
            if handle >= 0:
                with contextlib.suppress(OSError):
                    os.close(handle)
        self._handle = self._mark_handle = self._lock_handle = -1


def recover(folder: Path) -> list[Path]:
    """Open and close every journal under a folder that no process writes, so that readers see all of it. Returns those.

    A process that ended for good leaves a journal whose last durable records its mark may not show (after a power cut).
    """
    done = []
    for path in journals(folder):
        with contextlib.suppress(JournalLocked), Journal.open(path.parent, path.name, patience=0):
            done.append(path)
    return done
