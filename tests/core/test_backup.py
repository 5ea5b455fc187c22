"""A backup brings everything back, refuses what is damaged, and never overwrites data."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.devices.store.test_journal_lake import contents, drain, payload_of
from tests.installation import Installations
from yuanmai.core.backup.parts import PARTS
from yuanmai.core.console import Refused
from yuanmai.devices.store.journal import Journal
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.records import Kind

# The commands work on installations of their own; the marker takes these tests along to PostgreSQL.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.django_db]

Yuanmai = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the installations of this module lie."""
    return tmp_path_factory.mktemp("installations")


@pytest.fixture(scope="module")
def installation(place: Path) -> Iterator[Callable[[str], Yuanmai]]:
    """``installation("a")("migrate")``: commands on an installation of their own, on the tests' make of database."""
    made: list[str] = []
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("YUANMAI_", "DJANGO_", "DATABASE_"))}

    def make(name: str) -> Yuanmai:
        home = place / name
        home.mkdir()
        environment = {**kept, "YUANMAI_HOME": str(home), "LANG": "en_US.UTF-8"}
        if connection.vendor == "postgresql":
            made.append(f"backup_{uuid.uuid4().hex}")
            administer(f"CREATE DATABASE {made[-1]}")
            environment["DATABASE_URL"] = os.environ["DATABASE_URL"].rpartition("/")[0] + f"/{made[-1]}"

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "yuanmai", *arguments]
            return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

        return run

    yield make
    for name in made:
        administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def administer(statement: str) -> None:
    """One statement on the server, outside a transaction."""
    import psycopg

    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(statement.encode())


@pytest.fixture(scope="module")
def filled(installation: Callable[[str], Yuanmai], installations: Installations, place: Path) -> Yuanmai:
    """An installation with an organisation and an uploaded file, which the tests leave as it is."""
    yuanmai = installation("first")
    if connection.vendor == "sqlite":
        shutil.copy(installations.file(), place / "first" / "yuanmai.sqlite3")
    assert yuanmai("migrate").returncode == 0
    assert yuanmai("org", "add", "tanzhou", "坦洲镇", "--kind", "town").returncode == 0
    assert yuanmai("user", "add", "someone", "--role", "leader", "--org", "tanzhou").returncode == 0
    (place / "first" / "files" / "imports").mkdir(parents=True)
    (place / "first" / "files" / "imports" / "台账.xlsx").write_bytes(b"workbook" * 1000)
    with Journal.open(place / "first" / "journal", "gateway") as journal:
        for number in range(1, 101):
            journal.append(Kind.READINGS, "d", payload_of(number), 1)
            if number == 60:
                journal.sync()
                drain(journal.folder, Lake(str(place / "first" / "lake")))
        journal.sync()
    return yuanmai


def readings_of(home: Path) -> Counter[tuple[int, int, float, int]]:
    """The readings of an installation once everything in its journals has been taken in."""
    lake = Lake(str(home / "lake"))
    for folder in (home / "journal").iterdir():
        drain(folder, lake)
    return contents(lake)


def test_everything_comes_back(
    filled: Yuanmai, installation: Callable[[str], Yuanmai], place: Path, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    done = filled("backup", str(file), "--with-secret-key", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["files"], summary["secret_key"], summary["database"]) == (1, True, connection.vendor)
    assert file.stat().st_mode & 0o077 == 0, "a backup holds everything: only its owner may read it"
    second = installation("second")
    done = second("restore", str(file))
    assert done.returncode == 0, done.stderr
    assert json.loads(second("org", "list", "--json").stdout) == json.loads(
        filled("org", "list", "--json").stdout
    )
    assert (place / "second" / "files" / "imports" / "台账.xlsx").read_bytes() == b"workbook" * 1000
    assert summary["others"] > 5
    assert sum(contents(Lake(str(place / "second" / "lake"))).values()) == 60 * 3
    found = readings_of(place / "second")
    assert {int(value) for _point, _time, value, _sequence in found} == set(range(1, 101))
    assert set(found.values()) == {1}
    checks = {c["name"]: c["state"] for c in json.loads(second("doctor", "--json").stdout)["checks"]}
    assert (checks["audit"], checks["migrations"], checks["secret_key"]) == ("ok", "ok", "ok")


def test_without_the_key_the_backup_says_so(filled: Yuanmai, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    done = filled("backup", str(file), "--without-readings")
    assert "secret key" in done.stdout
    with tarfile.open(file) as archive:
        assert "secret.key" not in archive.getnames()
        assert not [name for name in archive.getnames() if name.startswith("readings/")]


def test_readings_are_never_written_over(
    filled: Yuanmai, installation: Callable[[str], Yuanmai], place: Path, tmp_path: Path
) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", str(file)).returncode == 0
    fourth = installation("fourth")
    shutil.copytree(place / "first" / "lake", place / "fourth" / "lake")
    done = fourth("restore", str(file), "--json")
    assert done.returncode == 1
    assert "YUANMAI_LAKE" in json.loads(done.stdout)["title"]
    assert not (place / "fourth" / "files").exists()


def test_a_backup_never_overwrites_a_file(filled: Yuanmai, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    file.write_text("something of mine")
    assert filled("backup", str(file)).returncode == 1
    assert file.read_text() == "something of mine"


def test_data_are_never_overwritten(filled: Yuanmai, tmp_path: Path) -> None:
    file = tmp_path / "backup.tar.gz"
    assert filled("backup", str(file)).returncode == 0
    done = filled("restore", str(file), "--json")
    assert done.returncode == 1
    assert "YUANMAI_HOME" in json.loads(done.stdout)["title"]


def test_readings_that_have_no_place_here_are_told_before_anything_is_changed(
    settings: Any, tmp_path: Path
) -> None:
    settings.LAKE = "s3://park/lake"
    PARTS["readings"].require_place(tmp_path)  # a backup without readings
    (tmp_path / "lake").mkdir()
    with pytest.raises(Refused, match="s3://park/lake"):
        PARTS["readings"].require_place(tmp_path)


def test_a_damaged_backup_is_refused_whole(
    filled: Yuanmai, installation: Callable[[str], Yuanmai], place: Path, tmp_path: Path
) -> None:
    file, other = tmp_path / "backup.tar.gz", tmp_path / "damaged.tar.gz"
    assert filled("backup", str(file)).returncode == 0
    unpacked = tmp_path / "unpacked"
    with tarfile.open(file) as archive:
        archive.extractall(unpacked, filter="data")
        names = archive.getnames()
    stored = unpacked / "files" / "imports" / "台账.xlsx"
    stored.write_bytes(b"Workbook" + stored.read_bytes()[8:])
    with tarfile.open(other, "w:gz") as archive:
        for name in names:
            archive.add(unpacked / name, name)
    third = installation("third")
    done = third("restore", str(other))
    assert done.returncode == 1
    assert "台账.xlsx" in done.stderr
    assert not (place / "third" / "files").exists()
    file.write_bytes(file.read_bytes()[:-1000])
    assert third("restore", str(file)).returncode == 1
    assert "not a whole backup" in third("restore", str(file)).stderr
