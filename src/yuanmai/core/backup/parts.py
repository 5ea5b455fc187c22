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
    copied, so that the database is never behind. `require_empty()` raises `Refused` where the installation holds something of
    it already; `bring_back(folder, stamp)` takes the extracted folder, or one that is empty.
    """

    code: str
    hold: Callable[[Path], AbstractContextManager[list[Member]]]
    require_empty: Callable[[], None]
    bring_back: Callable[[Path, str], None]


PARTS: dict[str, Part] = {}


def register_part(part: Part) -> Part:
    """Declare a part; raises `ValueError` for a code declared twice."""
    if part.code in PARTS:
        raise ValueError(f"part {part.code} of a backup is declared twice")
    PARTS[part.code] = part
    return part
