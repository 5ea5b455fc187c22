"""The checks of the ground floor: Python, files, secrets, clock, database, assets."""

import contextlib
import os
import shutil
import socket
import sqlite3
import stat
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.audit.guard import locked
from yuanmai.core.audit.models import AuditEntry, AuditHead
from yuanmai.core.doctor.model import Outcome, check
from yuanmai.core.documents.build_fonts import FACES
from yuanmai.core.engine.chain import GENESIS, entry_hash, seal

PYTHON = (3, 11)
SQLITE = (3, 37, 0)
POSTGRESQL = 150000
LITTLE_SPACE, NO_SPACE = 2 * 1024**3, 200 * 1024**2
AUDIT_TAIL = 2000


@check("python", gettext_lazy("Python"))
def python() -> Outcome:
    """The version of Python, and that it is a 64-bit one (the figures' dependencies exist for nothing else)."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        return Outcome.fail(
            version, _("Install Python 3.11 or newer and run 'make setup PYTHON=python3.11'.")
        )
    return Outcome.ok(version)


@check("home", gettext_lazy("Data directory"))
def home() -> Outcome:
    """The data directory can be written, and its disk has room."""
    path = Path(settings.HOME)
    try:
        with tempfile.NamedTemporaryFile(dir=path) as file:
            file.write(b"0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return Outcome.fail(
            f"{path}: {error.strerror}",
            _(
                "Give the user that runs Yuanmai the right to write there, or set YUANMAI_HOME to another directory."
            ),
        )
    free = shutil.disk_usage(path).free
    what = _("%(path)s, %(free).1f GB free") % {"path": path, "free": free / 1024**3}
    mend = _("Free space on this disk, or move the directory and set YUANMAI_HOME.")
    if free < NO_SPACE:
        return Outcome.fail(what, mend)
    return Outcome.warn(what, mend) if free < LITTLE_SPACE else Outcome.ok(what)


@check("secret_key", gettext_lazy("Secret key"))
def secret_key() -> Outcome:
    """The key that signs sessions and seals the audit log is long, and only its owner can read it."""
    if len(settings.SECRET_KEY) < 32:
        return Outcome.fail(
            _("shorter than 32 characters"),
            _("Set YUANMAI_SECRET_KEY to a long random text, or remove it and let Yuanmai make one."),
        )
    path = Path(settings.HOME) / "secret.key"
    if os.environ.get("YUANMAI_SECRET_KEY"):
        return Outcome.ok(_("from YUANMAI_SECRET_KEY"))
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Outcome.fail(_("%(path)s can be read by other users") % {"path": path}, f"chmod 600 {path}")
    return Outcome.ok(str(path))


@check("time_zone", gettext_lazy("Time zone"))
def time_zone() -> Outcome:
    """The time zone of the screens exists on this machine."""
    name = settings.TIME_ZONE
    now = datetime.now(ZoneInfo(name))
    return Outcome.ok(f"{name}, {now:%Y-%m-%d %H:%M}")


@check("assets", gettext_lazy("Scripts and styles"))
def assets() -> Outcome:
    """The front end has been built into the package."""
    manifest = Path(settings.ASSETS) / "manifest.json"
    if not manifest.is_file():
        return Outcome.fail(_("not built (%(path)s is missing)") % {"path": manifest}, _("Run 'make setup'."))
    built = datetime.fromtimestamp(manifest.stat().st_mtime, UTC)
    return Outcome.ok(_("built on %(date)s") % {"date": timezone.localtime(built).strftime("%Y-%m-%d %H:%M")})


@check("fonts", gettext_lazy("Chinese fonts of documents"))
def fonts() -> Outcome:
    """The fonts that PDF documents embed have been built, so that they look the same on every machine."""
    folder = Path(settings.ASSETS) / "fonts"
    missing = [face.target for face in FACES if not (folder / face.target).is_file()]
    if missing:
        return Outcome.fail(_("missing: %(files)s") % {"files": ", ".join(missing)}, _("Run 'make setup'."))
    return Outcome.ok(_("%(n)d files") % {"n": len(FACES)})


@check("translations", gettext_lazy("Translations"))
def translations() -> Outcome:
    """Every translation file has been compiled, and since its last change."""
    stale, count = [], 0
    rooms = [
        Path(config.path) / "locale"
        for config in apps.get_app_configs()
        if config.name.startswith("yuanmai.")
    ]
    for locale in [*rooms, *map(Path, settings.LOCALE_PATHS)]:
        for folder in locale.glob("*/LC_MESSAGES"):
            source, compiled = folder / "django.po", folder / "django.mo"
            count += 1
            if not compiled.exists() or (
                source.exists() and source.stat().st_mtime > compiled.stat().st_mtime
            ):
                stale.append(locale.parent.name)
    if stale:
        return Outcome.warn(
            _("not compiled: %(rooms)s") % {"rooms": ", ".join(stale)},
            _("Run 'make setup', or 'python -m yuanmai.common.messages'."),
        )
    return Outcome.ok(_("%(n)d files compiled") % {"n": count})


@check("port", gettext_lazy("Port"))
def port() -> Outcome:
    """Nothing else listens where the pages are to be served."""
    address = urlsplit(settings.BASE_URL)
    number = address.port or {"https": 443}.get(address.scheme, 80)
    if address.hostname not in {"127.0.0.1", "localhost", "::1"}:
        return Outcome.ok(_("%(address)s is served through another host") % {"address": settings.BASE_URL})
    try:
        conversation = socket.create_connection((address.hostname, number), timeout=2)
    except OSError:
        return Outcome.ok(_("%(port)d is free") % {"port": number})
    answer = b""
    with conversation, contextlib.suppress(OSError):
        conversation.sendall(b"GET /healthz HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        answer = conversation.recv(200)
    if b" 200 " in answer.split(b"\r\n", 1)[0]:
        return Outcome.ok(_("a server answers on %(port)d") % {"port": number})
    return Outcome.warn(
        _("%(port)d is used by another program") % {"port": number},
        _("Choose another port: 'yuanmai serve --port 8001', and set YUANMAI_BASE_URL to match."),
    )


@check("database", gettext_lazy("Database"))
def database() -> Outcome:
    """The database answers, is new enough, and (SQLite) writes ahead in a journal so that readers do not wait."""
    try:
        if connection.vendor == "postgresql":
            _reach_postgresql()
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("PRAGMA journal_mode")
                mode = cursor.fetchone()[0]
                return _sqlite(mode)
            cursor.execute("SHOW server_version_num")
            number = int(cursor.fetchone()[0])
    except DatabaseError as error:
        return Outcome.fail(
            " ".join(str(error).split()),
            _("Check DATABASE_URL, that the server runs, and that the user may sign in from this machine."),
        )
    what = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number < POSTGRESQL:
        return Outcome.fail(what, _("Yuanmai needs PostgreSQL 15 or newer."))
    return Outcome.ok(what)


def _reach_postgresql() -> None:
    """Connect once without the pool, which would try for ten seconds and then hide the server's answer.

    Raises `DatabaseError` with what the server said.
    """
    import psycopg

    parameters = {key: value for key, value in connection.get_connection_params().items() if key != "pool"}
    try:
        psycopg.connect(**{**parameters, "connect_timeout": 5}).close()
    except psycopg.Error as error:
        raise DatabaseError(str(error)) from error


def _sqlite(mode: str) -> Outcome:
    what = f"SQLite {sqlite3.sqlite_version}, {mode.upper()}"
    if sqlite3.sqlite_version_info < SQLITE:
        return Outcome.fail(what, _("Yuanmai needs SQLite 3.37 or newer: use a newer system, or PostgreSQL."))
    if mode.lower() != "wal":
        return Outcome.warn(
            what,
            _("Put the data directory on a local disk: write-ahead logging does not work over a network."),
        )
    return Outcome.ok(what)


@check("migrations", gettext_lazy("Tables"), needs_database=True)
def migrations() -> Outcome:
    """The tables are those that this version needs."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return Outcome.fail(
            _("%(n)d changes are not applied, the first is %(name)s") % {"n": len(plan), "name": plan[0][0]},
            _("Make a backup and run 'yuanmai migrate'."),
        )
    return Outcome.ok(_("up to date"))


@check("clock", gettext_lazy("Clock"), needs_database=True)
def clock() -> Outcome:
    """The clock agrees with the database's, and does not stand before what has been recorded already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT CURRENT_TIMESTAMP")
        value = cursor.fetchone()[0]
    theirs = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    theirs = theirs if theirs.tzinfo else theirs.replace(tzinfo=UTC)
    now = timezone.now()
    mend = _("Set the clock of this machine (and of the database's) by a time server.")
    if abs(now - theirs) > timedelta(seconds=30):
        seconds = (now - theirs).total_seconds()
        return Outcome.fail(_("%(n)d seconds away from the database's clock") % {"n": seconds}, mend)
    last = AuditEntry.objects.order_by("-sequence").values_list("at", flat=True).first()
    if last and last > now + timedelta(seconds=30):
        moment = timezone.localtime(last).strftime("%Y-%m-%d %H:%M")
        return Outcome.fail(
            _("the last recorded event is in the future (%(moment)s)") % {"moment": moment}, mend
        )
    return Outcome.ok(timezone.localtime(now).strftime("%Y-%m-%d %H:%M:%S"))


@check("audit", gettext_lazy("Audit log"), needs_database=True)
def audit() -> Outcome:
    """The newest entries of the audit log are as they were written (``yuanmai audit verify`` reads all of them)."""
    rows = list(AuditEntry.objects.order_by("-sequence")[:AUDIT_TAIL])[::-1]
    head = AuditHead.objects.filter(pk=1).first()
    if not rows and head is None:
        return Outcome.ok(_("empty"))
    last = rows[0].previous if rows else GENESIS
    whole = True
    for row in rows:
        row.at = row.at.astimezone(UTC)
        whole = whole and row.previous == last and row.hash == entry_hash(last, row.content())
        last = row.hash
    count = rows[-1].sequence if rows else 0
    if not whole or head is None or (head.count, head.last) != (count, last):
        return Outcome.fail(
            _("changed since it was written"),
            _("Run 'yuanmai audit verify' for the first bad entry, and compare with the last backup."),
        )
    if head.seal != seal(settings.SECRET_KEY, count, last):
        return Outcome.fail(
            _("sealed with another secret key"),
            _("Bring back the secret key that this database was used with (secret.key, YUANMAI_SECRET_KEY)."),
        )
    what = _("the newest %(n)d entries are whole") % {"n": len(rows)}
    if not locked(connection):
        unlocked = _("%(what)s, but the database does not refuse changes to them") % {"what": what}
        return Outcome.warn(unlocked, _("Run 'yuanmai migrate', which sets the lock again."))
    return Outcome.ok(what)
