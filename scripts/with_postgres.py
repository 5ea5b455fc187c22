#!/usr/bin/env python3
"""Run a command beside a private PostgreSQL server that lives in a temporary directory and dies with the command.

    python scripts/with_postgres.py [--durable] -- pytest tests

The command finds the server through ``DATABASE_URL``. The server listens on a Unix socket only, so nothing else on the
machine or the network reaches it. PostgreSQL refuses to run as root: then the server runs as ``postgres`` (or
``nobody``). Without ``--durable`` it does not wait for the disk, which is right for tests and wrong for measurements.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DATABASE = "yuanmai"
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
COMMON = ("listen_addresses=", "max_connections=200", "shared_buffers=256MB", "timezone=UTC")


def programs() -> Path:
    """The folder with initdb and pg_ctl, the newest version first. Raises SystemExit when there is none."""
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[4]))
    if not versions:
        raise SystemExit("PostgreSQL's server programs are missing: apt-get install postgresql")
    return versions[-1].parent


def account() -> list[str]:
    """The words that come before a command so that it does not run as root; empty for an ordinary user."""
    if os.geteuid() != 0:
        return []
    for name in ("postgres", "nobody"):
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return ["runuser", "-u", name, "--"]
    raise SystemExit(
        "PostgreSQL cannot run as root, and this system has neither the user postgres nor nobody."
    )


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Start a new, empty server; yields its ``DATABASE_URL`` and stops and removes it afterwards.

    ``durable`` keeps PostgreSQL's own settings for writing to disk, as a real installation has them.
    """
    binaries, before = programs(), account()
    home = Path(tempfile.mkdtemp(prefix="yuanmai-pg-"))
    try:
        if before:
            shutil.chown(home, before[2])
        home.chmod(0o755)
        data, log = home / "data", home / "log"
        run = [*before, "env", "LC_ALL=C.UTF-8", "TZ=UTC"]
        first = [
            str(binaries / "initdb"),
            "--pgdata",
            str(data),
            "--username",
            "yuanmai",
            "--auth",
            "trust",
            "-E",
            "UTF8",
        ]
        _quietly([*run, *first, "--no-sync"])
        settings = [*COMMON, f"unix_socket_directories={home}", *(() if durable else FAST)]
        flags = " ".join(f"-c {setting}" for setting in settings)
        control = [*run, str(binaries / "pg_ctl"), "--pgdata", str(data), "--log", str(log), "--wait"]
        _quietly([*control, "--options", flags, "start"], log)
        try:
            _quietly(
                [str(binaries / "createdb"), "--host", str(home), "--username", "yuanmai", DATABASE], log
            )
            yield f"postgres://yuanmai@{str(home).replace('/', '%2F')}/{DATABASE}"
        finally:
            _quietly([*control, "--mode", "immediate", "stop"], log)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _quietly(command: list[str], log: Path | None = None) -> None:
    """Run a command and stay silent unless it fails; then raise SystemExit with what it and the server's log said."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd="/")
    if done.returncode:
        said = done.stdout + done.stderr + (log.read_text(errors="replace") if log and log.exists() else "")
        raise SystemExit(f"{' '.join(command)} failed:\n{said}")


def main() -> int:
    """The command line; returns the exit code of the command that was run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--durable", action="store_true", help="write to disk as a real installation does")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    with server(durable=options.durable) as url:
        try:
            return subprocess.run(options.command, env={**os.environ, "DATABASE_URL": url}).returncode
        except KeyboardInterrupt:
            return 130


if __name__ == "__main__":
    sys.exit(main())
