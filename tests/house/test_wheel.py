"""The wheel carries everything: installed alone, without Node and without the tools of developers, it serves its pages."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.house.files import PACKAGE, ROOT, having, text

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        not (PACKAGE / "assets" / "manifest.json").exists(), reason="needs the assets: make setup"
    ),
]

# Refuses every module that only the lists for set-up and tests bring along.
SITECUSTOMIZE = """
import sys
BLOCKED = {blocked!r}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"No module named {{name!r}} (not among the requirements of the wheel)", name=name)
sys.meta_path.insert(0, Refuse())
"""


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> set[str]:
    """The distributions of one lock file."""
    return {
        normal(m)
        for m in re.findall(r"^([A-Za-z0-9._-]+)==", text(Path(f"requirements/{name}.txt")), re.MULTILINE)
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the working tree."""
    out = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel unpacked, and with a guard against modules that a user would not have."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    extra = locked("dev") - locked("base")
    owners = importlib.metadata.packages_distributions()
    blocked = sorted(module for module, dists in owners.items() if {normal(d) for d in dists} <= extra)
    assert "babel" in blocked
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE.format(blocked=set(blocked)))
    return folder


def yuanmai(site: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-c", "from yuanmai.cli import main; main()", *arguments]


def environment(site: Path, home: Path) -> dict[str, str]:
    """What a user's shell would have, without Node; the database is the default one of the empty directory."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("YUANMAI_", "DJANGO_", "DATABASE_", "PYTEST_"))
    }
    return {**kept, "PYTHONPATH": str(site), "PATH": "/nowhere", "PWD": str(home)}


@contextmanager
def serving(site: Path, home: Path) -> Iterator[str]:
    """``yuanmai serve`` in an empty directory; yields its address when it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home.parent / "serve.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            yuanmai(site, "serve", "--port", str(port)),
            cwd=home,
            env=environment(site, home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 120
        while True:
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            try:
                with urllib.request.urlopen(f"{address}/healthz", timeout=5):
                    break
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.3)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_the_wheel_holds_what_the_program_reads(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    needed = having(".html", ".yaml", ".typ", ".docx", under="src/yuanmai")
    catalogs = [path.with_suffix(".mo") for path in having(".po", under="src/yuanmai")]
    assert [str(p) for p in [*needed, *catalogs] if p.relative_to("src").as_posix() not in names] == []
    assert {"yuanmai/assets/manifest.json", "yuanmai/py.typed"} <= names
    assert [name for name in names if name.startswith("yuanmai/assets/fonts/") and name.endswith(".ttf")]
    assert [
        name for name in names if "node_modules" in name or name.startswith(("tests/", "frontend/"))
    ] == []


def test_the_wheel_declares_the_dependencies_of_base(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    declared = {
        normal(m)
        for m in re.findall(r"^Requires-Dist: ([A-Za-z0-9._-]+)", archive.read(metadata).decode(), re.M)
    }
    wanted = {
        normal(re.split(r"[\[~=<>;# ]", line)[0]) for line in text(Path("requirements/base.in")).splitlines()
    } - {""}
    assert declared == wanted


def test_the_installed_wheel_is_the_one_that_runs(site: Path, tmp_path: Path) -> None:
    code = "import yuanmai; print(yuanmai.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(site, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith(str(site)), done.stdout + done.stderr


def test_an_empty_directory_becomes_a_working_installation(site: Path, tmp_path: Path) -> None:
    home = tmp_path / "empty"
    home.mkdir()
    with serving(site, home) as address:
        with urllib.request.urlopen(f"{address}/", timeout=30) as page:
            body = page.read().decode()
            assert page.status == 200
            assert "<html" in body
        scripts = re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css))"', body)
        assert scripts
        for path in scripts:
            with urllib.request.urlopen(address + path, timeout=30) as asset:
                assert asset.status == 200
        done = subprocess.run(
            yuanmai(site, "doctor", "--json"),
            cwd=home,
            env=environment(site, home),
            capture_output=True,
            text=True,
        )
        checks = json.loads(done.stdout)["checks"]
        assert [c for c in checks if c["state"] == "fail"] == [], done.stderr
    assert (home / "yuanmai-data" / "yuanmai.sqlite3").is_file()
