"""The few operations on files that durability hangs on, in one place: tests put a recording or failing one in its stead."""

import os
from itertools import pairwise
from pathlib import Path

SEGMENT_SUFFIX = ".seg"
_BLOCK = 4096


class Files:
    """The operating system's own. All raise OSError."""

    def open(self, path: Path, *, create: bool = False) -> int:
        """Open for reading and writing; with `create`, a file that must not be there yet."""
        return os.open(path, os.O_RDWR | (os.O_CREAT | os.O_EXCL if create else 0), 0o640)

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> int:
        """Write at an offset; return how many bytes were taken, which may be fewer."""
        return os.pwrite(handle, data, offset)

    def sync(self, handle: int) -> None:
        """Return when the file's bytes and length are on the medium."""
        os.fdatasync(handle)

    def truncate(self, handle: int, length: int) -> None:
        """Cut the file."""
        os.ftruncate(handle, length)

    def close(self, handle: int) -> None:
        """Close the file."""
        os.close(handle)

    def make_folder(self, path: Path) -> None:
        """Make a folder and those above it, each synced into the one above."""
        if path.is_dir():
            return
        self.make_folder(path.parent)
        path.mkdir(exist_ok=True)
        self.sync_folder(path.parent)

    def sync_folder(self, path: Path) -> None:
        """Return when the names in a folder are on the medium."""
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def rename(self, source: Path, target: Path) -> None:
        """Rename, replacing."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        path.unlink()

    def read(self, path: Path) -> bytes:
        """Return all of a file as the medium has it: its cached pages are dropped first where they can be."""
        with path.open("rb") as source:
            os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return read_around(source.fileno(), 0, os.fstat(source.fileno()).st_size)

    def space(self, path: Path) -> tuple[int, int]:
        """Return (free for us, all) bytes of the file system."""
        found = os.statvfs(path)
        return found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize


def segment_path(folder: Path, first: int) -> Path:
    """Return the path of the segment that begins with a sequence."""
    return folder / f"{first:020d}{SEGMENT_SUFFIX}"


def segments_of(folder: Path) -> list[int]:
    """Return the first sequences of a journal's segments, rising."""
    found = []
    with os.scandir(folder) as entries:
        for item in entries:
            stem, dot, suffix = item.name.partition(".")
            if dot + suffix == SEGMENT_SUFFIX and stem.isascii() and stem.isdigit() and len(stem) == 20:
                found.append(int(stem))
    return sorted(found)


def read_around(handle: int, offset: int, size: int) -> bytes:
    """Read a piece of a file; blocks the medium does not give back are zeros, which no checksum takes for anything."""
    found = bytearray()
    try:
        while len(found) < size and (data := os.pread(handle, size - len(found), offset + len(found))):
            if len(data) == size:
                return data
            found += data
        return bytes(found)
    except OSError:
        if size <= _BLOCK:
            return bytes(size)
    # The end of each piece but the last lies on a block's border.
    for begin in range(offset - offset % _BLOCK, offset + size, _BLOCK):
        low, high = max(begin, offset), min(begin + _BLOCK, offset + size)
        try:
            data = os.pread(handle, high - low, low)
        except OSError:
            data = b""
        found[low - offset :] = data.ljust(high - low, b"\0")
    return bytes(found)


def write_whole(files: Files, handle: int, data: bytes, offset: int) -> None:
    """Write all of data, however small the pieces the system takes."""
    view = memoryview(data)
    while view:
        taken = files.write(handle, view, offset)
        if taken <= 0:
            raise OSError(5, "write took nothing")
        view = view[taken:]
        offset += taken


def write_new(files: Files, path: Path, data: bytes) -> None:
    """Make a small file that is there whole or not at all, also after a power cut."""
    part = path.with_name(path.name + ".new")
    if part.exists():
        files.remove(part)
    handle = files.open(part, create=True)
    try:
        write_whole(files, handle, data, 0)
        files.sync(handle)
    finally:
        files.close(handle)
    files.rename(part, path)
    files.sync_folder(path.parent)


def set_aside(folder: Path, segment: int, offset: int, data: bytes) -> None:
    """Keep bytes that are not served, for whoever looks into it. Done as well as it goes: a full disk must not stop the rest."""
    place = folder / "quarantine"
    target = place / f"{segment:020d}-{offset}.bin"
    try:
        place.mkdir(exist_ok=True)
        if not target.exists():
            target.write_bytes(data)
    except OSError:
        return


def read_stream(folder: Path) -> bytes | None:
    """Return the identity that stands in a journal's folder, or None where none (legibly) does."""
    try:
        raw = bytes.fromhex((folder / "stream").read_text("ascii"))
    except (OSError, ValueError):
        return None
    return raw if len(raw) == 16 else None


def prune(folder: Path, up_to: int, files: Files) -> int:
    """Remove the segments of a journal of which nothing is needed behind a sequence; the last one stays."""
    segments = segments_of(folder)
    removed = 0
    for first, following in pairwise(segments):
        if following - 1 > up_to:
            break
        files.remove(segment_path(folder, first))
        removed += 1
    if removed:
        files.sync_folder(folder)
    return removed


def journals(folder: Path) -> list[Path]:
    """Return the journals that stand under a folder, by name."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if (path / "lock").exists())
