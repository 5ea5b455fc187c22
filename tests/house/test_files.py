"""What every file of the project keeps to: its length, its size, and whom it mentions."""

from __future__ import annotations

import re
import subprocess
import warnings
from pathlib import Path

import pytest

from tests.house.files import ROOT, having, project_files, text

LONGEST, LONG = 600, 400
GENERATED = re.compile(
    r"(^|/)(node_modules|__pycache__|\.venv|dist|build|site|\.mypy_cache|\.ruff_cache)/|^src/yuanmai/assets/"
    r"|\.(mo|pyc|sqlite3|db|log|egg-info)$|(^|/)\.coverage$"
)
# What a lock file must not carry: where the packages came from is decided by the machine that installs them.
REGISTRY = re.compile(
    r"https?://[^\s\"']*(registry|/simple\b|/packages/|pythonhosted|npmmirror|\.tgz|\.whl)|file://|--(extra-)?index-url|--find-links"
)
OUTSIDE = re.compile(r"(?:https?:)?//[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,}", re.IGNORECASE)
# Names that look like addresses and are never fetched: XML namespaces, the licence, examples reserved by RFC 2606.
NAMES_ONLY = re.compile(
    r"//(www\.w3\.org|schemas\.[a-z]+\.org|www\.apache\.org|[a-z0-9.-]*\bexample\.(com|org|cn|net))"
)


def handwritten(*suffixes: str) -> list[Path]:
    return [p for p in having(*suffixes) if "migrations" not in p.parts]


@pytest.mark.parametrize("path", handwritten(".py", ".ts", ".css", ".html"), ids=str)
def test_no_file_is_too_long(path: Path) -> None:
    lines = text(path).count("\n")
    assert lines <= LONGEST, f"{path} has {lines} lines; split it by noun (the house allows {LONGEST})"
    if lines > LONG:
        warnings.warn(f"{path} has {lines} lines, more than {LONG}: time to split it", stacklevel=1)


def test_no_file_is_over_one_megabyte() -> None:
    big = {
        str(p): (ROOT / p).stat().st_size for p in project_files() if (ROOT / p).stat().st_size > 1_000_000
    }
    assert not big


def test_nothing_generated_is_tracked() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert [name for name in tracked.splitlines() if GENERATED.search(name)] == []


@pytest.mark.parametrize(
    "path",
    [p for p in project_files() if p.name == "package-lock.json" or p.parent.name == "requirements"],
    ids=str,
)
def test_lock_files_carry_no_address_of_a_registry(path: Path) -> None:
    found = [line.strip() for line in text(path).splitlines() if REGISTRY.search(line)]
    assert found == []


def test_every_locked_python_package_has_a_hash() -> None:
    for path in having(".txt", under="requirements/"):
        entries = re.split(r"\n(?=\S)", text(path))
        packages = [entry for entry in entries if "==" in entry.split("\n", 1)[0]]
        assert packages, path
        assert [e.split("\n", 1)[0] for e in packages if "--hash=sha256:" not in e] == [], path


def test_every_locked_node_package_has_an_integrity() -> None:
    import json

    packages = json.loads(text(Path("frontend/package-lock.json")))["packages"]
    assert [
        name
        for name, entry in packages.items()
        if name and not entry.get("link") and "integrity" not in entry
    ] == []


@pytest.mark.parametrize(
    "path",
    having(".html", ".ts", ".js", ".css", ".svg", under="src/") + having(".ts", ".css", under="frontend/src"),
    ids=str,
)
def test_no_page_or_script_names_an_outside_host(path: Path) -> None:
    found = [
        line.strip()[:160] for line in text(path).splitlines() if OUTSIDE.search(NAMES_ONLY.sub("", line))
    ]
    assert found == []


@pytest.mark.parametrize("path", having(".html", under="src/"), ids=str)
def test_templates_keep_to_the_content_security_policy(path: Path) -> None:
    """Inline styles, inline handlers and inline scripts are refused by the browser, so a page with one is broken."""
    source = text(path)
    assert re.findall(r"<[^>{]*\sstyle=", source) == []
    assert re.findall(r"<[^>]*\son[a-z]+=[\"']", source) == []
    assert (
        re.findall(r"<script(?![^>]*\b(?:src=|type=\"application/(?:json|ld\+json)\"|nonce=))[^>]*>", source)
        == []
    )
    assert "javascript:" not in source


def test_nothing_is_unfinished_by_its_own_words() -> None:
    words = re.compile(
        r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b|(?i:coming soon|敬请期待|开发中|lorem ipsum)"
    )
    here = Path(__file__).relative_to(Path(__file__).resolve().parents[2])
    found = [
        f"{path}:{number}"
        for path in handwritten(".py", ".ts", ".html")
        if path != here
        for number, line in enumerate(text(path).splitlines(), start=1)
        if words.search(line)
    ]
    assert found == []
