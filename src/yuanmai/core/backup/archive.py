"""Writing and reading backups.

A backup is a tar file (gzip) that starts with ``yuanmai-backup.json``: version, moment, make of the database, its migrations,
and the SHA-256 of every other member. The database is taken as one consistent moment while the program goes on running:
with SQLite's ``VACUUM INTO``, or with ``pg_dump``. What rooms keep outside of it (readings) is taken just before. The secret key is left out unless asked for: who has key and database
can forge the seal of the audit log, so they are better kept apart.
"""

import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _

from yuanmai import __version__
from yuanmai.core.backup.parts import PARTS
from yuanmai.core.console import Refused

MANIFEST = "yuanmai-backup.json"
DATABASES = {"sqlite": "database.sqlite3", "postgresql": "database.pgdump"}
KEY = "secret.key"


@dataclass(frozen=True)
class Summary:
    """What a backup holds: uploaded files, files of readings and the like, size in bytes, and whether the key is in it."""

    database: str
    files: int
    others: int
    size: int
    secret_key: bool
    created_at: str


def write(
    target: Path, *, with_key: bool = False, without: tuple[str, ...] = (), now: datetime | None = None
) -> Summary:
    """Write a backup to `target`, which appears only when it is complete; `without`: codes of parts that stay out.

    Raises `Refused` where it cannot be made.
    """
    if target.exists():
        raise Refused(_("%(path)s exists already.") % {"path": target})
    if not target.parent.is_dir():
        raise Refused(_("There is no directory %(path)s.") % {"path": target.parent})
    # Beside the target: the disk that has to hold the backup also holds its parts, and the last step is a rename.
    with (
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".yuanmai-backup-") as folder,
        ExitStack() as stack,
    ):
        parts = [
            (f"{part.code}/{name}", path)
            for part in PARTS.values() if part.code not in without
            for name, path in stack.enter_context(part.hold(Path(folder) / part.code))
        ]  # fmt: skip
        database = Path(folder) / DATABASES[connection.vendor]
        _dump(database)
        members = [(database.name, database), *parts]
        if with_key:
            members.append((KEY, _key_file(Path(folder))))
        media = Path(settings.MEDIA_ROOT)
        members += [(f"files/{path.relative_to(media).as_posix()}", path) for path in _files(media)]
        manifest = {
            "format": 1,
            "version": __version__,
            "created_at": (now or datetime.now(UTC)).isoformat(timespec="seconds"),
            "database": connection.vendor,
            "migrations": sorted(".".join(key) for key in MigrationRecorder(connection).applied_migrations()),
            "sha256": {name: _digest(path) for name, path in members},
        }
        (Path(folder) / MANIFEST).write_text(json.dumps(manifest, indent=1))
        whole = Path(folder) / "backup"
        with tarfile.open(whole, "w:gz", compresslevel=6) as archive:
            archive.add(Path(folder) / MANIFEST, MANIFEST)
            for name, path in members:
                archive.add(path, name, recursive=False)
        whole.chmod(0o600)
        with whole.open("rb") as stream:
            os.fsync(stream.fileno())
        whole.rename(target)
    return _summary(manifest, target)


def restore(source: Path) -> Summary:
    """Bring a backup back into an empty installation of the same make of database.

    Every checksum is compared before anything is changed. Raises `Refused` for a file that is damaged or no backup, for an
    installation that is not empty, and for another make of database.
    """
    if not source.is_file():
        raise Refused(_("There is no file %(path)s.") % {"path": source})
    _require_empty()
    with tempfile.TemporaryDirectory(dir=settings.HOME, prefix=".yuanmai-restore-") as name:
        folder = Path(name)
        try:
            with tarfile.open(source, "r:gz") as archive:
                archive.extractall(folder, filter="data")
            manifest = json.loads((folder / MANIFEST).read_text())
        except (tarfile.TarError, OSError, EOFError, ValueError) as error:
            raise Refused(
                _("%(path)s is not a whole backup: %(error)s") % {"path": source, "error": error}
            ) from error
        _compare(folder, manifest, source)
        if manifest["database"] != connection.vendor:
            raise Refused(
                _("The backup is of %(theirs)s, this installation uses %(ours)s. Set DATABASE_URL to match.")
                % {"theirs": manifest["database"], "ours": connection.vendor}
            )
        for part in PARTS.values():
            part.require_place(folder / part.code)
        # The database first: it is what may yet fail, and then nothing else has been changed.
        _load(folder / DATABASES[connection.vendor])
        stamp = re.sub(r"\D", "", str(manifest["created_at"]))[:14]
        for part in PARTS.values():
            part.bring_back(folder / part.code, stamp)
        media = Path(settings.MEDIA_ROOT)
        if (folder / "files").is_dir():
            shutil.copytree(folder / "files", media, dirs_exist_ok=True)
        if (folder / KEY).is_file():
            target = Path(settings.HOME) / KEY
            shutil.copyfile(folder / KEY, target)
            target.chmod(0o600)
    return _summary(manifest, source)


def _summary(manifest: dict[str, Any], path: Path) -> Summary:
    names = manifest["sha256"]
    files = sum(name.startswith("files/") for name in names)
    others = sum(name.split("/", 1)[0] in PARTS for name in names)
    size = path.stat().st_size
    return Summary(manifest["database"], files, others, size, KEY in names, manifest["created_at"])


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else ()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _compare(folder: Path, manifest: dict[str, Any], source: Path) -> None:
    present = {path.relative_to(folder).as_posix() for path in _files(folder)} - {MANIFEST}
    stated: dict[str, str] = manifest["sha256"]
    damaged = sorted(
        n for n in present | set(stated) if n not in present or _digest(folder / n) != stated.get(n)
    )
    if damaged:
        raise Refused(
            _("%(path)s is damaged: %(names)s. Nothing was changed; use another backup.")
            % {"path": source, "names": ", ".join(PurePosixPath(n).as_posix() for n in damaged[:5])}
        )


def _key_file(folder: Path) -> Path:
    """The key as a file, also where it comes from the environment."""
    path = folder / KEY
    path.write_text(settings.SECRET_KEY)
    path.chmod(0o600)
    return path


def _require_empty() -> None:
    tables = set(connection.introspection.table_names())
    if "people_user" in tables:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM people_user LIMIT 1")
            if cursor.fetchone():
                raise Refused(
                    _("This installation holds data. Set YUANMAI_HOME (and DATABASE_URL) to an empty one.")
                )


def _dump(target: Path) -> None:
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(target)])
        return
    _postgresql("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={target}")


def _load(source: Path) -> None:
    if connection.vendor == "sqlite":
        connection.close()
        target = sqlite3.connect(settings.DATABASES["default"]["NAME"])
        origin = sqlite3.connect(source)
        try:
            origin.backup(target)
        finally:
            origin.close()
            target.close()
        return
    connection.close()
    _postgresql(
        "pg_restore",
        "--clean",
        "--if-exists",
        "--no-owner",
        "--exit-on-error",
        "--single-transaction",
        str(source),
    )


def _postgresql(program: str, *arguments: str) -> None:
    """Run one of PostgreSQL's programs on our database; the password goes by environment, not by command line."""
    path = shutil.which(program)
    if path is None:
        raise Refused(
            _("%(program)s is missing: install PostgreSQL's client programs.") % {"program": program}
        )
    database = settings.DATABASES["default"]
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    variables = {variable: str(database[key]) for key, variable in names.items() if database.get(key)}
    done = subprocess.run(  # noqa: S603
        [path, f"--dbname={database['NAME']}", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Refused(f"{program}: {done.stderr.strip()}")
