"""The font builder: families of their own names, nothing built twice, and a remedy when packages are absent."""

from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.ttLib import TTFont

from yuanmai.core.documents.build_fonts import FACES, build, main


def _packages(folder: Path) -> Path:
    for face in FACES:
        path = folder / "@fontsource" / face.package / "files" / face.file
        path.parent.mkdir(parents=True, exist_ok=True)
        builder = FontBuilder(1000, isTTF=True)
        builder.setupGlyphOrder([".notdef"])
        builder.setupCharacterMap({})
        builder.setupGlyf({".notdef": _empty()})
        builder.setupHorizontalMetrics({".notdef": (500, 0)})
        builder.setupHorizontalHeader(ascent=800, descent=-200)
        builder.setupNameTable(
            {"familyName": "Original Thin", "styleName": "Regular", "typographicFamily": "Original"}
        )
        builder.setupOS2(usWeightClass=100)
        builder.setupPost()
        builder.font.flavor = "woff"
        builder.save(path)
        (path.parents[1] / "LICENSE").write_text("OFL", encoding="utf-8")
    return folder


def _empty() -> object:
    from fontTools.ttLib.tables._g_l_y_f import Glyph

    return Glyph()


def test_faces_are_built_under_their_own_names(tmp_path: Path) -> None:
    out = tmp_path / "out"
    paths = build(_packages(tmp_path), out)
    for path, face in zip(paths, FACES, strict=True):
        font = TTFont(path)
        assert font.flavor is None
        assert font["name"].getDebugName(1) == face.family
        assert font["name"].getDebugName(16) is None
        assert font["OS/2"].usWeightClass == face.weight
    assert (out / "LICENSE-noto-serif-sc.txt").read_text(encoding="utf-8") == "OFL"


def test_a_second_run_builds_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, out = _packages(tmp_path), tmp_path / "out"
    first = [path.stat().st_mtime_ns for path in build(source, out)]
    assert main(["--source", str(source), "--out", str(out)]) == 0
    assert [path.stat().st_mtime_ns for path in build(source, out)] == first
    assert "yuanmai-song.ttf" in capsys.readouterr().out


def test_absent_packages_are_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="npm ci"):
        build(tmp_path, tmp_path / "out")
