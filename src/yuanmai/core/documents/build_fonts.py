"""Turns the web fonts of the front-end packages into the TrueType files that Typst embeds in PDFs.

Run once while setting up (``make setup``); the result is git-ignored and part of the wheel::

    python -m yuanmai.core.documents.build_fonts --source frontend/node_modules --out src/yuanmai/assets/fonts

Needs ``fonttools``, a build requirement only. The .woff files are read rather than the .woff2 ones: their glyphs need no
decoding in Python, which makes the difference between two seconds and a minute. The families get names of their own, because the
Open Font License reserves the original names for unmodified files.
"""

import argparse
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Face:
    """One file to build: where it comes from (below ``@fontsource``), and the family and weight it gets."""

    package: str
    file: str
    target: str
    family: str
    weight: int


#: 宋 stands for 仿宋 in the body and, bold, for 小标宋 in titles; 黑 for first-level heads; 楷 for second-level heads
#: and, having 30,000 glyphs, as the fallback for rare characters in names of people and places.
FACES = (
    Face(
        "noto-serif-sc",
        "noto-serif-sc-chinese-simplified-400-normal.woff",
        "yuanmai-song.ttf",
        "Yuanmai Song",
        400,
    ),
    Face(
        "noto-serif-sc",
        "noto-serif-sc-chinese-simplified-700-normal.woff",
        "yuanmai-song-bold.ttf",
        "Yuanmai Song",
        700,
    ),
    Face(
        "noto-sans-sc",
        "noto-sans-sc-chinese-simplified-500-normal.woff",
        "yuanmai-hei.ttf",
        "Yuanmai Hei",
        400,
    ),
    Face("lxgw-wenkai", "lxgw-wenkai-latin-500-normal.woff", "yuanmai-kai.ttf", "Yuanmai Kai", 400),
)


def _source_of(face: Face, source: Path) -> Path:
    path = source / "@fontsource" / face.package / "files" / face.file
    if not path.is_file():
        raise SystemExit(
            f"Font file not found: {path}. Run `npm ci` in frontend/ first "
            f"(package @fontsource/{face.package} must be in package.json)."
        )
    return path


def _convert(face: Face, source: Path, target: Path) -> None:
    from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

    font = TTFont(source, lazy=True, recalcBBoxes=False, recalcTimestamp=False)
    font.flavor = None
    bold = face.weight >= 700
    style = "Bold" if bold else "Regular"
    names = {
        1: face.family,
        2: style,
        3: f"{face.family} {style}",
        4: f"{face.family} {style}",
        6: f"{face.family.replace(' ', '')}-{style}",
    }
    table = font["name"]
    # Ids 16, 17, 21, 22 and 25 would name the original family a second time and win over 1 and 2.
    table.names = [record for record in table.names if record.nameID in {0, 5, 13, 14}]
    for name_id, value in names.items():
        table.setName(value, name_id, 3, 1, 0x409)
    os2 = font["OS/2"]
    os2.usWeightClass = face.weight
    os2.fsSelection = (os2.fsSelection & ~0b1100001) | (0b100000 if bold else 0b1000000)
    font["head"].macStyle = 1 if bold else 0
    font.save(target)


def build(source: Path, out: Path) -> list[Path]:
    """Builds every face that is missing in ``out`` or older than its source; returns all the paths.

    Raises ``SystemExit`` with advice when a source file is missing.
    """
    out.mkdir(parents=True, exist_ok=True)
    built = []
    for face in FACES:
        origin = _source_of(face, source)
        target = out / face.target
        if not target.is_file() or target.stat().st_mtime < origin.stat().st_mtime:
            part = target.with_suffix(".part")
            _convert(face, origin, part)
            part.replace(target)
        licence = source / "@fontsource" / face.package / "LICENSE"
        if licence.is_file():
            shutil.copyfile(licence, out / f"LICENSE-{face.package}.txt")
        built.append(target)
    return built


def main(arguments: list[str] | None = None) -> int:
    """Command line entry; prints one line per file."""
    parser = argparse.ArgumentParser(description="Build the fonts that PDF documents embed.")
    parser.add_argument("--source", type=Path, required=True, help="the node_modules folder")
    parser.add_argument("--out", type=Path, required=True, help="where the .ttf files go")
    options = parser.parse_args(arguments)
    for path in build(options.source, options.out):
        sys.stdout.write(f"{path} {path.stat().st_size // 1024} KiB\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
