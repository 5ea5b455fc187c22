"""A disk that remembers: every write, sync, rename and removal is done and noted, may be made to fail, and a power cut at any moment can
be played out from the notes: only what was synced is sure to survive, of the rest any part may.
"""

import errno
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from yuanmai.devices.store.journal.files import Files

SECTOR = 512


@dataclass
class Step:
    """One thing that happened: `what` is write, truncate, sync, name, folder, or a note of the test's own."""

    what: str
    inode: int = 0
    offset: int = 0
    data: bytes = b""
    path: str = ""
    other: str = ""
    note: object = None


class Killed(BaseException):
    """The process ends here (kill -9): what it wrote stays in the system's cache, nothing more is done."""


@dataclass
class Faults:
    """What fails next. Each is a countdown in calls: 0 fails the next one, None never."""

    write: int | None = None
    write_errno: int = errno.ENOSPC
    short: bool = False  # a failing write takes half of the bytes first
    sync: int | None = None
    sync_errno: int = errno.EIO
    truncate: bool = False
    folder: int | None = None
    free: int | None = None
    kill: int | None = None  # a countdown in steps of any kind


class RecordingDisk(Files):
    """Works on real files under `root`."""

    def __init__(self, root: Path, after: Callable[[], None] | None = None) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.steps: list[Step] = []
        self.faults = Faults()
        self.after = after
        self._inodes: dict[str, int] = {}
        self._handles: dict[int, int] = {}
        self._next = 0

    def note(self, what: str, note: object) -> None:
        self.steps.append(Step(what, note=note))

    def _did(self, step: Step) -> None:
        self.steps.append(step)
        if self._due("kill"):
            raise Killed
        if self.after is not None:
            self.after()

    def _name(self, path: Path) -> str:
        return str(path.relative_to(self.root))

    def _due(self, which: str) -> bool:
        left: int | None = getattr(self.faults, which)
        if left is None:
            return False
        setattr(self.faults, which, None if left == 0 else left - 1)
        return left == 0

    def open(self, path: Path, *, create: bool = False) -> int:
        handle = super().open(path, create=create)
        name = self._name(path)
        if create:
            self._next += 1
            self._inodes[name] = self._next
            self._did(Step("name", self._next, path=name))
        self._handles[handle] = self._inodes[name]
        return handle

    def write(self, handle: int, data: bytes | memoryview, offset: int) -> int:
        inode = self._handles[handle]
        if self._due("write"):
            if self.faults.short:
                half = bytes(data[: len(data) // 2])
                super().write(handle, half, offset)
                self._did(Step("write", inode, offset, half))
                self.faults.write = 0  # the rest of it fails
                self.faults.short = False
                return len(half)
            raise OSError(self.faults.write_errno, os.strerror(self.faults.write_errno))
        taken = super().write(handle, data, offset)
        self._did(Step("write", inode, offset, bytes(data[:taken])))
        return taken

    def sync(self, handle: int) -> None:
        if self._due("sync"):
            # The kernel gives up the dirty pages and calls them clean: they may never reach the medium.
            self._did(Step("forget", self._handles[handle]))
            raise OSError(self.faults.sync_errno, os.strerror(self.faults.sync_errno))
        self._did(Step("sync", self._handles[handle]))

    def truncate(self, handle: int, length: int) -> None:
        if self.faults.truncate:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(handle, length)
        self._did(Step("truncate", self._handles[handle], length))

    def close(self, handle: int) -> None:
        self._handles.pop(handle, None)
        super().close(handle)

    def sync_folder(self, path: Path) -> None:
        if self._due("folder"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._did(Step("folder", path=self._name(path)))

    def rename(self, source: Path, target: Path) -> None:
        super().rename(source, target)
        name, other = self._name(source), self._name(target)
        self._inodes[other] = self._inodes.pop(name)
        self._did(Step("name", self._inodes[other], path=other, other=name))

    def remove(self, path: Path) -> None:
        super().remove(path)
        name = self._name(path)
        self._inodes.pop(name, None)
        self._did(Step("name", 0, path=name))

    def space(self, path: Path) -> tuple[int, int]:
        found = super().space(path)
        return (found[0] if self.faults.free is None else self.faults.free), found[1]


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)


def _apply(data: bytearray, step: Step) -> None:
    if step.what == "truncate":
        del data[step.offset :]
        data.extend(bytes(step.offset - len(data)))
        return
    end = step.offset + len(step.data)
    if len(data) < end:
        data.extend(bytes(end - len(data)))
    data[step.offset : end] = step.data


def _survive(file: _File, chance: random.Random) -> bytes:
    """What the medium holds: all that was synced, and of the rest nothing, all, or any sectors."""
    data = bytearray(file.durable)
    mode = chance.choice(("none", "all", "first", "some", "some"))
    if mode == "none":
        return bytes(data)
    pending = file.pending
    if mode == "first":
        pending = pending[: chance.randint(0, len(pending))]
    for step in pending:
        if step.what == "truncate":
            if mode != "some" or chance.random() < 0.5:
                _apply(data, step)
            continue
        if mode != "some":
            _apply(data, step)
            continue
        begin = step.offset
        while begin < step.offset + len(step.data):
            end = min((begin // SECTOR + 1) * SECTOR, step.offset + len(step.data))
            if chance.random() < 0.5:
                piece = step.data[begin - step.offset : end - step.offset]
                _apply(data, Step("write", offset=begin, data=piece))
            begin = end
    return bytes(data)


def power_cut(steps: list[Step], chance: random.Random, target: Path) -> None:
    """Lay out under `target` what a disk holds whose power went after these steps."""
    files: dict[int, _File] = {}
    durable: dict[str, int] = {}
    pending: list[Step] = []

    def rename(names: dict[str, int], step: Step) -> None:
        if step.other:
            names.pop(step.other, None)
        if step.inode:
            names[step.path] = step.inode
        else:
            names.pop(step.path, None)

    for step in steps:
        file = files.setdefault(step.inode, _File())
        if step.what in ("write", "truncate"):
            file.pending.append(step)
        elif step.what == "sync":
            for write in file.pending:
                _apply(file.durable, write)
            file.pending.clear()
        elif step.what == "forget":
            for write in file.pending:
                if write.what == "truncate" or chance.random() < 0.5:
                    _apply(file.durable, write)
            file.pending.clear()
        elif step.what == "name":
            pending.append(step)
        elif step.what == "folder":
            for change in [row for row in pending if str(Path(row.path).parent) == step.path]:
                rename(durable, change)
                pending.remove(change)
    # Names reach the medium in the order of the file system's own log: any beginning of what is left may have.
    for change in pending[: chance.randint(0, len(pending))]:
        rename(durable, change)
    for name, inode in durable.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_survive(files[inode], chance))
