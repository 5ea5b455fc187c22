"""A real installation for tests that start processes: its own directory and database, SQLite or PostgreSQL."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dj_database_url
import psycopg

ROOT = Path(__file__).resolve().parents[1]


def connect(url: str, dbname: str = "") -> psycopg.Connection[Any]:
    """Connect to PostgreSQL by the address that the program understands."""
    parts = dj_database_url.parse(url)
    return psycopg.connect(
        host=parts["HOST"], port=parts["PORT"] or None, user=parts["USER"], password=parts["PASSWORD"] or None,
        dbname=dbname or parts["NAME"], autocommit=True,
    )  # fmt: skip


@dataclass
class Installation:
    """A data directory and database; `run` calls the program in it."""

    home: Path
    database_url: str
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What the processes of this installation find in their environment."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("YUANMAI_", "DJANGO_"))}
        return {
            **kept,
            "YUANMAI_HOME": str(self.home),
            "DATABASE_URL": self.database_url,
            "YUANMAI_LANGUAGE": "en",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "DJANGO_SETTINGS_MODULE": "yuanmai.config.settings",
        }

    def run(
        self, *arguments: str, stdin: str | None = None, timeout: float = 120, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Call ``yuanmai …`` and return what it said."""
        return subprocess.run(
            [sys.executable, "-m", "yuanmai", *arguments],
            env={**self.environment, **environment},
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Call ``yuanmai … --json``, check the exit code, and return the document."""
        done = self.run(*arguments, "--json")
        assert done.returncode == status, done.stdout + done.stderr
        return json.loads(done.stdout)

    def python(self, code: str) -> Any:
        """Run Python in the installation (Django set up, every row visible); return what it leaves in `answer`."""
        program = (
            "import json, django; django.setup()\n"
            "from yuanmai.core.scope import everywhere\nanswer = None\n"
            "with everywhere():\n" + "".join(f"    {line}\n" for line in code.strip().splitlines())
        )
        program += "    print(json.dumps(answer, default=str))\n"
        done = subprocess.run(
            [sys.executable, "-c", program],
            env=self.environment, cwd=self.home, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.strip().splitlines()[-1])

    def start(self, *command: str, **environment: str) -> subprocess.Popen[str]:
        """Start a process that is ended with the installation."""
        with (self.home / "log.txt").open("a") as log:
            process = subprocess.Popen(
                command, env={**self.environment, **environment}, cwd=self.home, text=True,
                stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    @property
    def log(self) -> str:
        """What the started processes have said so far."""
        path = self.home / "log.txt"
        return path.read_text() if path.exists() else ""

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Ask the database directly: quick, and from outside of the program."""
        if self.database_url.startswith("sqlite"):
            with closing(
                sqlite3.connect(self.database_url.removeprefix("sqlite:///"), timeout=30)
            ) as connection:
                return connection.execute(statement).fetchall()
        with connect(self.database_url) as connection:
            return connection.execute(statement.encode()).fetchall()

    def stop(self) -> None:
        """End what is still running."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()


def _migrate(first: Installation) -> None:
    done = first.run("migrate")
    assert done.returncode == 0, done.stderr


class Installations:
    """Makes installations as copies of one migrated database, so that each costs no migration."""

    def __init__(self, base: Path, shared: Path) -> None:
        self.base = base
        self.shared = shared  # a folder of all workers of this run
        self.made: list[Installation] = []
        self.databases: list[str] = []
        url = os.environ.get("DATABASE_URL", "")
        self.server = url if url.startswith("postgres") else ""
        self._template: str = ""

    def empty(self) -> Installation:
        """An installation whose database has nothing in it, not even tables."""
        home = self.base / f"home-{uuid.uuid4().hex[:8]}"
        home.mkdir()
        made = Installation(
            home, self._database() if self.server else f"sqlite:///{home / 'yuanmai.sqlite3'}"
        )
        self.made.append(made)
        return made

    def migrated(self) -> Installation:
        """An installation that is ready to be used."""
        if not self.server:
            made = self.empty()
            shutil.copy(self.file(), made.home / "yuanmai.sqlite3")
            return made
        if not self._template:
            first = self.empty()
            _migrate(first)
            self._template = first.database_url
        made = self.empty()
        made.database_url = self._database(template=self._template.rpartition("/")[2])
        return made

    def file(self) -> Path:
        """A migrated database of SQLite, made by the first worker that asks for it; to be copied."""
        file = self.shared / "migrated.sqlite3"
        with (self.shared / "migrated.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                home = self.base / "first"
                home.mkdir()
                first = Installation(home, f"sqlite:///{home / 'yuanmai.sqlite3'}")
                _migrate(first)
                with closing(sqlite3.connect(home / "yuanmai.sqlite3")) as database:
                    # One file is copied: nothing may wait in another.
                    database.execute("PRAGMA journal_mode=DELETE")
                (home / "yuanmai.sqlite3").rename(file)
        return file

    def _database(self, template: str = "template0") -> str:
        name = f"ym_{uuid.uuid4().hex[:12]}"
        self._execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        self.databases.append(name)
        return f"{self.server.rpartition('/')[0]}/{name}"

    def _execute(self, statement: str) -> None:
        with connect(self.server, dbname="postgres") as connection:
            connection.execute(statement.encode())

    def remove(self) -> None:
        """End all processes and remove the databases."""
        for made in self.made:
            made.stop()
        for name in self.databases:
            self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
