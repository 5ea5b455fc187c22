"""What of a folder is on the medium, seen from its syncs: the whole process is watched, whoever writes.

Between two syncs everything may be lost: for each file the medium holds what it held at its last sync, or any mixture of that and the present;
for each folder the names of its last sync, with any of the changes since.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SECTOR = 512


@dataclass
class Instant:
    """The moment of one sync: what was durable, and what was there."""

    durable_names: dict[str, dict[str, int]]
    durable_data: dict[int, bytes]
    names: dict[str, dict[str, int]]
    data: dict[int, bytes]
    known: int  # the length of the test's own notes at this moment


class Watch:
    """Notes every sync of files and folders below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.instants: list[Instant] = []
        self.notes: list[int] = []
        self._names: dict[str, dict[str, int]] = {}
        self._data: dict[int, bytes] = {}
        self._seen: dict[int, tuple[tuple[int, int], bytes]] = {}
        self._held: dict[int, int] = {}  # open, so that no other file gets the same number

    def _look(self) -> tuple[dict[str, dict[str, int]], dict[int, bytes]]:
        names: dict[str, dict[str, int]] = {}
        data: dict[int, bytes] = {}
        for folder, _folders, files in os.walk(self.root):
            here = names[os.path.relpath(folder, self.root)] = {}
            for name in files:
                path = Path(folder, name)
                info = path.stat()
                if info.st_ino not in self._held:
                    self._held[info.st_ino] = os.open(path, os.O_RDONLY)
                here[name] = info.st_ino
                stamp = (info.st_mtime_ns, info.st_size)
                if self._seen.get(info.st_ino, ((0, 0), b""))[0] != stamp:
                    self._seen[info.st_ino] = (stamp, path.read_bytes())
                data[info.st_ino] = self._seen[info.st_ino][1]
        return names, data

    def synced(self, handle: int) -> None:
        """A file or folder is about to be synced."""
        path = Path(f"/proc/self/fd/{handle}").readlink()
        if not path.is_relative_to(self.root):
            return
        self.instant()
        names = self.instants[-1].names
        if path.is_dir():
            self._names = {
                **self._names,
                str(path.relative_to(self.root)): names[str(path.relative_to(self.root))],
            }
        else:
            inode = os.fstat(handle).st_ino
            # Not through its stamp: a file may be written twice within one tick of the clock.
            self._data = {**self._data, inode: Path(f"/proc/self/fd/{handle}").read_bytes()}

    def instant(self) -> None:
        """Keep this moment, as one in which the power may go."""
        names, data = self._look()
        self.instants.append(Instant(self._names, self._data, names, data, len(self.notes)))


@contextmanager
def watching(root: Path, patch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Watch the syncs of this process below a folder."""
    watch = Watch(root)
    for name in ("fsync", "fdatasync"):
        patch.setattr(os, name, watch.synced)  # and not the real one: the medium is played here
    try:
        yield watch
        watch.instant()
    finally:
        patch.undo()
        for handle in watch._held.values():
            os.close(handle)


def _mixed(old: bytes, new: bytes, chance: random.Random) -> bytes:
    mode = chance.choice(("old", "new", "mixed", "mixed"))
    if mode == "old" or old == new:
        return old
    if mode == "new":
        return new
    length = chance.choice(
        (len(old), len(new), chance.randint(min(len(old), len(new)), max(len(old), len(new))))
    )
    found = bytearray(length)
    for begin in range(0, length, SECTOR):
        piece = chance.choice((old, new, new, b""))[begin : min(begin + SECTOR, length)]
        if not piece and begin < len(old):
            piece = old[begin : min(begin + SECTOR, length)]
        found[begin : begin + len(piece)] = piece
    # What was durable and has not been changed is not touched by writing elsewhere in the file.
    same = min(len(old), len(new), length)
    for begin in range(0, same, SECTOR):
        end = min(begin + SECTOR, same)
        if old[begin:end] == new[begin:end]:
            found[begin:end] = old[begin:end]
    return bytes(found)


def power_cut(instant: Instant, chance: random.Random, target: Path) -> None:
    """Lay out under `target` what the disk may hold when the power goes at this moment."""
    for folder in sorted({*instant.names, *instant.durable_names}):
        durable, present = instant.durable_names.get(folder, {}), instant.names.get(folder, {})
        (target / folder).mkdir(parents=True, exist_ok=True)
        for name in sorted({*durable, *present}):
            choices = [inode for inode in {durable.get(name), present.get(name)} if inode is not None]
            if (name not in durable or name not in present) and chance.random() < 0.5:
                continue
            inode = chance.choice(choices)
            if inode == durable.get(name) and inode not in instant.data:
                data = instant.durable_data.get(
                    inode, b""
                )  # removed, and the removal has not reached the medium
            else:
                data = _mixed(instant.durable_data.get(inode, b""), instant.data[inode], chance)
            (target / folder / name).write_bytes(data)
