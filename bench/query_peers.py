"""The same questions to databases that stand in Debian, on the same 8.64 million readings: see `query`."""

from __future__ import annotations

import io
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from bench.ingesting.peers import _answers, _post, find, free_port, server
from bench.query import BEGIN, DAYS, END, POINTS, day_of, report

HOURLY, ONE, LATEST = "hourly mean of all", "one device, 30 days hourly", "latest of 1,000 devices"


def days(step: int) -> Iterator[pa.Table]:
    """Yield the readings as point, time (µs), value, a day each."""
    for day in range(DAYS):
        rows = day_of(day, step)
        yield pa.table({"point": rows.point, "time": rows.time, "value": rows.value})


def as_csv(table: pa.Table) -> bytes:
    """Return a table as CSV without its head."""
    sink = io.BytesIO()
    pa.csv.write_csv(table, sink, pa.csv.WriteOptions(include_header=False, quoting_style="none"))
    return sink.getvalue()


def ask(system: str, question: str, rows: int, work: Callable[[], object]) -> None:
    """Ask once, then five times more; print the first and the median."""
    times = []
    for _ in range(6):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    report(f"{question}: {system}", sorted(times[1:])[2], first=round(times[0], 4), rows=rows)


def skip(system: str, package: str) -> None:
    """Say that a peer is not here."""
    report(f"peer: {system}", 0, skipped=f"not installed: apt-get install {package}")


def postgres(step: int) -> None:
    """PostgreSQL: COPY, an index on (point, time), ANALYZE; the answer fetched in binary form."""
    import psycopg

    from scripts.with_postgres import server as postgresql

    if find("initdb") is None and not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        skip("PostgreSQL", "postgresql")
        return
    with postgresql(durable=True) as url, psycopg.connect(url, autocommit=True) as database:
        begin, rows = time.perf_counter(), 0
        database.execute("CREATE TABLE r (point integer, t bigint, value double precision)")
        for table in days(step):
            with database.cursor().copy("COPY r FROM STDIN (FORMAT csv)") as copy:
                copy.write(as_csv(table))
            rows += len(table)
        database.execute("ALTER TABLE r ALTER t TYPE timestamptz USING to_timestamp(t / 1e6)")
        database.execute("CREATE INDEX r_point ON r (point, t)")
        database.execute("VACUUM ANALYZE r")
        report("fill: PostgreSQL 15", time.perf_counter() - begin, rows=rows)

        def fetch(query: str, count: int) -> None:
            got = database.execute(query, binary=True).fetchall()
            assert len(got) == count, (len(got), count)

        ask("PostgreSQL 15", HOURLY, rows, lambda: fetch("SELECT point, date_trunc('hour', t) AS h, avg(value) FROM r GROUP BY 1, 2", POINTS * DAYS * 24))  # fmt: skip
        ask("PostgreSQL 15", ONE, rows, lambda: fetch("SELECT date_trunc('hour', t) AS h, avg(value) FROM r WHERE point = 77 GROUP BY 1", DAYS * 24))  # fmt: skip
        ask("PostgreSQL 15", LATEST, rows, lambda: fetch(f"SELECT p, l.t, l.value FROM generate_series(1, {POINTS}) p, LATERAL (SELECT t, value FROM r WHERE point = p ORDER BY t DESC LIMIT 1) l", POINTS))  # fmt: skip


def victoria(step: int) -> None:
    """VictoriaMetrics: import of CSV, questions in MetricsQL."""
    program = find("victoria-metrics")
    if program is None:
        skip("VictoriaMetrics", "victoria-metrics")
        return
    with tempfile.TemporaryDirectory(prefix="yuanmai-bench-") as name:
        port = free_port()
        command = [
            program, f"-storageDataPath={name}", f"-httpListenAddr=127.0.0.1:{port}", "-retentionPeriod=100y",
            "-loggerLevel=ERROR", "-search.latencyOffset=0s", "-search.disableCache",
        ]  # fmt: skip
        with server(command, lambda: _answers(port, "/health")):
            begin, rows = time.perf_counter(), 0
            for table in days(step):
                milli = table.set_column(1, "time", pc.divide(table["time"], 1000))
                _post(
                    port, "/api/v1/import/csv?format=1:label:point,2:time:unix_ms,3:metric:r", as_csv(milli)
                )
                rows += len(table)
            _post(port, "/internal/force_flush", b"")
            report("fill: VictoriaMetrics 1.79", time.perf_counter() - begin, rows=rows)
            first, last = BEGIN // 1_000_000 + 3600, END // 1_000_000

            def fetch(
                query: str, path: str = f"/api/v1/query_range?start={first}&end={last}&step=3600"
            ) -> None:
                got = _post(port, f"{path}&query={urllib.parse.quote(query)}", b"")
                assert got.startswith(b'{"status":"success"') and len(got) > 500, got[:200]

            ask("VictoriaMetrics 1.79", HOURLY, rows, lambda: fetch("avg_over_time(r[1h])"))
            ask("VictoriaMetrics 1.79", ONE, rows, lambda: fetch('avg_over_time(r{point="77"}[1h])'))
            ask("VictoriaMetrics 1.79", LATEST, rows, lambda: fetch("last_over_time(r[2h])", f"/api/v1/query?time={last - 1}"))  # fmt: skip


def influx(step: int) -> None:
    """InfluxDB 1: line protocol, questions in InfluxQL, answers as CSV."""
    program = find("influxd")
    if program is None:
        skip("InfluxDB", "influxdb")
        return
    with tempfile.TemporaryDirectory(prefix="yuanmai-bench-") as name:
        port = free_port()
        Path(name, "influxdb.conf").write_text(
            f'reporting-disabled = true\nbind-address = "127.0.0.1:{free_port()}"\n[meta]\n dir = "{name}/meta"\n[data]\n dir = "{name}/data"\n'
            f' wal-dir = "{name}/wal"\n index-version = "tsi1"\n'
            f'[http]\n bind-address = "127.0.0.1:{port}"\n log-enabled = false\n max-body-size = 0\n max-row-limit = 0\n'
        )
        with server([program, "-config", f"{name}/influxdb.conf"], lambda: _answers(port, "/ping")):
            _post(port, "/query?q=CREATE+DATABASE+b", b"")
            begin, rows = time.perf_counter(), 0
            for table in days(step):
                line = pc.binary_join_element_wise(
                    "r,point=", table["point"].cast(pa.string()), " value=", table["value"].cast(pa.string()), " ",
                    table["time"].cast(pa.string()), "",
                )  # fmt: skip
                for at in range(0, len(line), 50_000):
                    _post(
                        port,
                        "/write?db=b&precision=u",
                        "\n".join(line.slice(at, 50_000).to_pylist()).encode(),
                    )
                rows += len(table)
            report("fill: InfluxDB 1.6", time.perf_counter() - begin, rows=rows)

            def fetch(query: str) -> None:
                got = _post(port, f"/query?db=b&epoch=s&q={urllib.parse.quote(query)}", b"")
                assert b"error" not in got[:300] and len(got) > 500, got[:200]

            span = f"time >= {BEGIN}u AND time < {END}u"
            ask(
                "InfluxDB 1.6",
                HOURLY,
                rows,
                lambda: fetch(f"SELECT mean(value) FROM r WHERE {span} GROUP BY time(1h), point"),
            )
            ask(
                "InfluxDB 1.6",
                ONE,
                rows,
                lambda: fetch(f"SELECT mean(value) FROM r WHERE {span} AND point = '77' GROUP BY time(1h)"),
            )
            ask("InfluxDB 1.6", LATEST, rows, lambda: fetch("SELECT last(value) FROM r GROUP BY point"))


PEERS = {"postgres": postgres, "victoria": victoria, "influx": influx}


def run(names: list[str], step: int) -> None:
    """Ask the peers, one after the other."""
    for name in names:
        PEERS[name](step)
