"""What rooms put into a backup besides the database and the uploaded files."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

Member = tuple[str, Path]  # name in the archive, below the part's own folder, and the file


@dataclass(frozen=True)
class Part:
    """A part of a backup, in the archive's folder `code`.

    `hold(folder)` gives the files while they are held still; copies may be made in `folder`. It is asked before the database is
    copied, so that the database is never behind. `require_place(folder)` raises `Refused` where the extracted folder cannot come
    back: the installation holds something of it already, or keeps it elsewhere; it is asked before anything is changed.
    `bring_back(folder, stamp)` moves the folder, which is missing in a backup without this part, into its place.
    """

    code: str
    hold: Callable[[Path], AbstractContextManager[list[Member]]]
    require_place: Callable[[Path], None]
    bring_back: Callable[[Path, str], None]


PARTS: dict[str, Part] = {}


def register_part(part: Part) -> Part:
    """Declare a part; raises `ValueError` for a code declared twice."""
    if part.code in PARTS:
        raise ValueError(f"part {part.code} of a backup is declared twice")
    PARTS[part.code] = part
    return part
