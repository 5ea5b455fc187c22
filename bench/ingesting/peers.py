"""The same rows into databases that stand in Debian, each as durable as it can be told to be, one writer, bounded time."""

from __future__ import annotations

import contextlib
import http.client
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.ingesting.report import Watch, cpu_seconds, memory_mb, report
from bench.ingesting.store import columns


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def find(*names: str) -> str | None:
    """A program of the path or of Debian's folders."""
    for name in names:
        for place in [shutil.which(name), f"/usr/sbin/{name}", f"/usr/lib/postgresql/15/bin/{name}"]:
            if place and Path(place).is_file():
                return place
    return None


def skip(system: str, package: str) -> None:
    """Say that a peer is not here."""
    report("store peer", system, skipped=f"not installed: apt-get install {package}")


def lines(number: int, batch: int) -> bytes:
    """A batch as line protocol: a series per point, as its users are told to."""
    point, moment, value = columns(number, batch)
    return "\n".join(
        f"r,point={p} value={v},quality=0i {t}000"
        for p, t, v in zip(point.tolist(), moment.tolist(), value.tolist(), strict=True)
    ).encode()


def tabbed(number: int, batch: int) -> bytes:
    """A batch as text with tabs: point, time, value, quality."""
    point, moment, value = columns(number, batch)
    whole = [
        time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(t // 1_000_000)) for t in sorted(set(moment.tolist()))
    ]
    names = dict(zip(sorted(set(moment.tolist())), whole, strict=True))
    return "".join(
        f"{p}\t{names[t]}\t{v}\t0\n"
        for p, t, v in zip(point.tolist(), moment.tolist(), value.tolist(), strict=True)
    ).encode()


@contextlib.contextmanager
def server(
    command: list[str], ready: Callable[[], bool], user: str = "", folder: Path | None = None
) -> Iterator[int]:
    """A process that is stopped afterwards; gives its id once it answers."""
    account = pwd.getpwnam(user) if user and os.geteuid() == 0 else None
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True,
        user=account.pw_uid if account else None, group=account.pw_gid if account else None,
    )  # fmt: skip
    try:
        until = time.monotonic() + 40
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if ready():
                    break
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{command[0]} does not start")
            time.sleep(0.2)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def timed(
    system: str, batch: int, rows: int, seconds: float, make: Callable[[int, int], bytes], send: Callable[[bytes], None], pid: int,
    counted: Callable[[], int], durable: str,
) -> None:  # fmt: skip
    """Send prepared batches one after the other until rows or time are used up."""
    prepared = [make(number, batch) for number in range(max(1, rows // batch))]
    used, watch, count = cpu_seconds([pid]), Watch(), 0
    for body in prepared:
        send(body)
        count += batch
        if time.perf_counter() - watch.wall > seconds:
            break
    figures = watch.figures(count)
    figures["cpu_seconds"] = round(figures["cpu_seconds"] + cpu_seconds([pid]) - used, 3)
    report(
        "store peer", system, batch=batch, **figures, rss_mb=memory_mb([pid]), durable=durable, counted=counted(),
    )  # fmt: skip


def _post(port: int, path: str, body: bytes) -> bytes:
    kept = _connections.setdefault(port, http.client.HTTPConnection("127.0.0.1", port, timeout=120))
    kept.request("POST", path, body)
    answer = kept.getresponse()
    text = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{path}: {answer.status} {text[:200]!r}")
    return text


_connections: dict[int, http.client.HTTPConnection] = {}


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 300
    finally:
        connection.close()


def influxdb(batch: int, rows: int, seconds: float) -> None:
    """InfluxDB 1: `/write`, its log fsynced before each answer (its default)."""
    program = find("influxd")
    if program is None:
        skip("influxdb", "influxdb")
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        port, folder = free_port(), Path(name)
        (folder / "influxdb.conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n[meta]\n dir = "{name}/meta"\n[data]\n dir = "{name}/data"\n'
            f' wal-dir = "{name}/wal"\n wal-fsync-delay = "0s"\n index-version = "tsi1"\n'
            f'[http]\n bind-address = "127.0.0.1:{port}"\n log-enabled = false\n max-body-size = 0\n'
        )
        with server([program, "-config", f"{name}/influxdb.conf"], lambda: _answers(port, "/ping")) as pid:
            _post(port, "/query?q=CREATE+DATABASE+b", b"")

            def counted() -> int:
                text = _post(port, "/query?db=b&q=SELECT+count(value)+FROM+r", b"")
                return int(text.rpartition(b",")[2].split(b"]")[0])

            timed(
                "influxdb 1.6", batch, rows, seconds, lines, lambda body: void(_post(port, "/write?db=b&precision=ns", body)), pid, counted,
                "log fsynced before each answer",
            )  # fmt: skip
        _connections.pop(port).close()


def void(_value: object) -> None:
    """Drop an answer."""


def victoria_metrics(batch: int, rows: int, seconds: float) -> None:
    """VictoriaMetrics: `/write`. It answers before anything is on the disk; what it has in memory is lost with the power."""
    program = find("victoria-metrics")
    if program is None:
        skip("victoria-metrics", "victoria-metrics")
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        port = free_port()
        command = [
            program,
            f"-storageDataPath={name}",
            f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=100y",
            "-loggerLevel=ERROR",
        ]
        with server(command, lambda: _answers(port, "/health")) as pid:

            def counted() -> int:
                # In pieces: what it answers is text, and Python should not be its measure.
                _post(port, "/internal/force_flush", b"")
                total = 0
                for first in range(1, 1001, 250):
                    choice = (
                        "%7B__name__%3D%22r_value%22%2Cpoint%3D~%22"
                        + "%7C".join(str(p) for p in range(first, first + 250))
                        + "%22%7D"
                    )
                    text = _post(port, f"/api/v1/export?match%5B%5D={choice}", b"")
                    total += sum(
                        line.count(b",", line.find(b'"timestamps":[')) + 1
                        for line in text.splitlines()
                        if line
                    )
                return total

            timed(
                "victoria-metrics 1.79", batch, rows, seconds, lines, lambda body: void(_post(port, "/write", body)), pid, counted,
                "none at the answer",
            )  # fmt: skip
        _connections.pop(port).close()


def postgresql(batch: int, rows: int, seconds: float) -> None:
    """PostgreSQL: one COPY and commit per batch; the table has the same key as ours, (point, time)."""
    program, init = find("postgres"), find("initdb")
    if program is None or init is None:
        skip("postgresql", "postgresql-15")
        return
    import psycopg

    with tempfile.TemporaryDirectory(dir="/var/tmp", prefix="bench-") as name:
        user = "postgres" if os.geteuid() == 0 else ""
        if user:
            shutil.chown(name, user)
        account = {"user": user, "group": user} if user else {}
        subprocess.run(
            [init, "-D", f"{name}/data", "-U", "bench", "--auth=trust"], check=True, capture_output=True, cwd=name,
            **account,  # type: ignore[call-overload]
        )  # fmt: skip
        port = free_port()
        options = [
            "shared_buffers=512MB",
            "max_wal_size=4GB",
            f"port={port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={name}",
        ]
        command = [program, "-D", f"{name}/data", *(part for option in options for part in ("-c", option))]
        address = f"host=127.0.0.1 port={port} user=bench dbname=postgres"

        def ready() -> bool:
            try:
                psycopg.connect(address).close()
            except psycopg.OperationalError:
                return False
            return True

        with (
            server(command, ready, user, Path(name)) as pid,
            psycopg.connect(address, autocommit=True) as connection,
        ):
            connection.execute(
                "CREATE TABLE r (point int, time timestamptz, value float8, quality smallint, PRIMARY KEY (point, time))"
            )
            backend = connection.info.backend_pid

            def send(body: bytes) -> None:
                with connection.cursor() as cursor, cursor.copy("COPY r FROM STDIN") as copy:
                    copy.write(body)

            def counted() -> int:
                row = connection.execute("SELECT count(*) FROM r").fetchone()
                return int(row[0]) if row else 0

            assert pid
            timed(
                "postgresql 15 COPY", batch, rows, seconds, tabbed, send, backend, counted, "log fsynced in each commit",
            )  # fmt: skip


def mariadb(batch: int, rows: int, seconds: float) -> None:
    """MariaDB: one LOAD DATA and commit per batch; same key."""
    program, client, install = find("mariadbd"), find("mariadb"), find("mariadb-install-db")
    if program is None or client is None or install is None:
        skip("mariadb", "mariadb-server")
        return
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as name:
        user = [f"--user={pwd.getpwuid(os.geteuid()).pw_name}"]
        subprocess.run(
            [install, "--no-defaults", f"--datadir={name}/data", "--auth-root-authentication-method=normal", *user],
            check=True, capture_output=True,
        )  # fmt: skip
        place = f"{name}/s"
        command = [
            program, "--no-defaults", f"--datadir={name}/data", f"--socket={place}", "--skip-networking", "--local-infile=1", *user,
            "--innodb-buffer-pool-size=512M", "--innodb-log-file-size=1G", "--innodb-flush-log-at-trx-commit=1",
        ]  # fmt: skip
        base = [client, "--no-defaults", f"--socket={place}", "-uroot", "--local-infile=1", "-N", "-n"]

        def ready() -> bool:
            return subprocess.run([*base, "-e", "SELECT 1"], capture_output=True, check=False).returncode == 0

        with server(command, ready) as pid:
            subprocess.run(
                [*base, "-e", "CREATE DATABASE b; CREATE TABLE b.r (point INT, time DATETIME, value DOUBLE, quality SMALLINT, PRIMARY KEY (point, time))"],
                check=True,
            )  # fmt: skip
            session = subprocess.Popen([*base, "b"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            assert session.stdin is not None
            assert session.stdout is not None
            batch_file = Path(name) / "batch.txt"

            def send(body: bytes) -> None:
                batch_file.write_bytes(body)
                session.stdin.write(
                    f"LOAD DATA LOCAL INFILE '{batch_file}' INTO TABLE r; SELECT ROW_COUNT();\n".encode()
                )  # type: ignore[union-attr]
                session.stdin.flush()  # type: ignore[union-attr]
                done = session.stdout.readline()  # type: ignore[union-attr]
                if int(done) != batch:
                    raise RuntimeError(f"LOAD DATA took {done!r} of {batch}")

            def counted() -> int:
                found = subprocess.run(
                    [*base, "-e", "SELECT COUNT(*) FROM b.r"], capture_output=True, check=True
                )
                return int(found.stdout)

            timed(
                "mariadb 10.11 LOAD DATA",
                batch,
                rows,
                seconds,
                tabbed,
                send,
                pid,
                counted,
                "log fsynced in each commit",
            )
            session.stdin.close()
            session.wait(10)


PEERS = {
    "influxdb": influxdb,
    "victoria-metrics": victoria_metrics,
    "postgresql": postgresql,
    "mariadb": mariadb,
}
