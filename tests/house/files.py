"""The files of the project, as its tests about itself see them."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "yuanmai"


@functools.cache
def project_files() -> tuple[Path, ...]:
    """Every file that git tracks or would track (new and not ignored), relative to the root."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    paths = (Path(name) for name in listing.split("\0") if name)
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def having(*suffixes: str, under: str = "") -> list[Path]:
    """The project's files with one of these endings, below the folder ``under``."""
    return [p for p in project_files() if p.suffix in suffixes and p.as_posix().startswith(under)]


def text(path: Path) -> str:
    """The text of one of these files."""
    return (ROOT / path).read_text("utf-8")
