"""Copying readings as of one moment while everything goes on, and bringing a copy back.

The journals are copied first, then the lake is held still (nothing is removed from it meanwhile) and the files of one version of
each table are named. So whatever was acknowledged before the copy began is in one of them: a journal gives up a record only when
the lake has it for good. A copied journal is only read again, never written on: it comes back under another name, and the
positions in the copied lake say what of it is still to be taken in, exactly once.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from yuanmai.devices.store.entries import LOG
from yuanmai.devices.store.files import LocalFiles
from yuanmai.devices.store.journal.files import journals, segment_path, segments_of
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.upkeep import tables

Member = tuple[str, Path]  # name inside the copy, and where it lies


def copy_journals(root: Path, target: Path) -> list[Member]:
    """Copy all journals below a folder; one that is removed meanwhile needs no copy."""
    found: list[Member] = []
    for folder in journals(root):
        place = target / folder.name
        place.mkdir(parents=True)
        # The mark before the segments are looked for: it never says that more is durable than the copy holds.
        _copy(folder, place, ["lock", "stream", "mark"], found)
        _copy(folder, place, [segment_path(folder, first).name for first in segments_of(folder)], found)
    return found


def _copy(folder: Path, place: Path, names: list[str], found: list[Member]) -> None:
    for name in names:
        with suppress(FileNotFoundError):
            shutil.copyfile(folder / name, place / name)
            found.append((f"{folder.name}/{name}", place / name))


@contextmanager
def held(lake: Lake) -> Iterator[list[Member]]:
    """Hold a lake still and name the files of its newest version; nothing where it lies in an object store, which keeps its own
    versions. Readings go on arriving.
    """
    found: list[Member] = []
    with ExitStack() as stack:
        if lake.readings.files.local:
            stack.enter_context(lake.readings.files.lock("upkeep"))
            for table in tables(lake):
                assert isinstance(table.files, LocalFiles)
                root = Path(table.files.root)
                snapshot = table.snapshot()
                log = [path for path in sorted((root / LOG).iterdir()) if _of(path, snapshot.version)]
                files = [root / file.path for file in snapshot.files]
                found += [
                    (f"{root.name}/{path.relative_to(root).as_posix()}", path) for path in [*log, *files]
                ]
        yield found


def _of(path: Path, version: int) -> bool:
    """Whether a file of the log belongs to a version or one before it."""
    if not path.is_file():
        return False
    digits = path.name[:20]
    return int(digits) <= version if digits.isdigit() else not path.name.startswith(".")


def holds_readings(lake: Path) -> bool:
    """Return whether files of readings lie below a lake's folder; the log of an empty table is none."""
    return any(LOG not in path.parts for path in lake.rglob("*.parquet"))


def bring_back(copy: Path, journal_root: Path, lake: Path | None, stamp: str) -> None:
    """Move a copy into an empty installation: `copy` holds the folders `lake` and `journal`. Durable when this returns.

    `lake` may be None where the copy holds none. Raises FileExistsError where there are readings already.
    """
    if lake is not None and holds_readings(lake):
        raise FileExistsError(str(lake))
    for table in sorted((copy / "lake").iterdir()) if (copy / "lake").is_dir() else ():
        assert lake is not None
        shutil.rmtree(lake / table.name, ignore_errors=True)
        lake.mkdir(parents=True, exist_ok=True)
        shutil.move(table, lake / table.name)
    for folder in sorted((copy / "journal").iterdir()) if (copy / "journal").is_dir() else ():
        journal_root.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, journal_root / f"{folder.name}.{stamp}")
    os.sync()
