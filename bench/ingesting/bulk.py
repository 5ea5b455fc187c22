"""POST /api/v1/readings: rows per second that are durable before the answer; one client, and several."""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.ingesting.home import Home, fresh_home
from bench.ingesting.report import cpu_seconds, memory_mb, percentile, rate, report

POINTS = 1_000
KEY = "bench-http"
Columns = tuple[np.ndarray, np.ndarray, np.ndarray]  # type: ignore[type-arg]


def columns(number: int, rows: int, base: int) -> Columns:
    """Batch `number`: places of points, whole seconds, values in tenths."""
    index = np.arange(number * rows, (number + 1) * rows, dtype=np.int64)
    return index % POINTS, base + index // POINTS, 100 + (index + index // POINTS) % 900


def as_csv(found: Columns) -> bytes:
    place, when, tenths = found
    lines = [
        f"p{p},{t},{v / 10}" for p, t, v in zip(place.tolist(), when.tolist(), tenths.tolist(), strict=True)
    ]
    return ("point,time,value\n" + "\n".join(lines) + "\n").encode()


def as_json(found: Columns) -> bytes:
    place, when, tenths = found
    return json.dumps(
        {"point": [f"p{p}" for p in place.tolist()], "time": when.tolist(), "value": (tenths / 10).tolist()},
        separators=(",", ":"),
    ).encode()


def as_rows(found: Columns) -> bytes:
    place, when, tenths = found
    return json.dumps(
        [
            {"device": KEY, "point": f"p{p}", "time": t, "value": v / 10}
            for p, t, v in zip(place.tolist(), when.tolist(), tenths.tolist(), strict=True)
        ],
        separators=(",", ":"),
    ).encode()


def as_lines(found: Columns) -> bytes:
    place, when, tenths = found
    return "\n".join(
        f"{KEY} p{p}={v / 10} {t}000000000"
        for p, t, v in zip(place.tolist(), when.tolist(), tenths.tolist(), strict=True)
    ).encode()


def as_arrow(found: Columns) -> bytes:
    place, when, tenths = found
    names = pa.DictionaryArray.from_arrays(
        pa.array(place.astype(np.int32)), pa.array([f"p{p}" for p in range(POINTS)])
    )
    batch = pa.record_batch(
        [names, pa.array(when * 1_000_000).cast(pa.timestamp("us", "UTC")), pa.array(tenths / 10)],
        names=["point", "time", "value"],
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()


FORMATS: dict[str, tuple[str, Callable[[Columns], bytes]]] = {
    "csv": ("text/csv", as_csv),
    "json columns": ("application/json", as_json),
    "json rows": ("application/json", as_rows),
    "lines": ("text/plain", as_lines),
    "arrow": ("application/vnd.apache.arrow.stream", as_arrow),
}


def start_web(home: Home) -> None:
    """Start the web process and return when it answers."""
    home.start("web", "--port", str(home.ports["web"]), "--workers", "2")
    until = time.monotonic() + 90
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", home.ports["web"], timeout=5)
            connection.request("GET", "/api/v1/readings")
            connection.getresponse().read()
            return
        except OSError:
            if time.monotonic() > until:
                raise RuntimeError((home.folder / "web.log").read_text()[-2000:]) from None
            time.sleep(0.2)


def warm_up(home: Home, secret: str) -> None:
    """Have every worker load what it needs, by batches it refuses."""
    for _turn in range(24):
        with socket.create_connection(("127.0.0.1", home.ports["web"])) as link:
            body = b"point,time,value\nnone,1700000000,1\n"
            link.sendall(
                f"POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\nContent-Type: text/csv\r\n"
                f"Content-Length: {len(body)}\r\n\r\n".encode()
                + body
            )
            assert _answer(link, bytearray())[0] == 422


def _answer(link: socket.socket, buffer: bytearray) -> tuple[int, bytes]:
    """Read one answer with a Content-Length."""
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        piece = link.recv(65_536)
        if not piece:
            raise RuntimeError("the web process hung up")
        buffer += piece
    head = bytes(buffer[:end]).lower()
    size = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(buffer) < end + 4 + size:
        buffer += link.recv(65_536)
    body = bytes(buffer[end + 4 : end + 4 + size])
    del buffer[: end + 4 + size]
    return int(head.split()[1]), body


def send(
    port: int, bodies: Iterator[bytes], kind: str, secret: str, end: float, rows: int, times: list[float]
) -> None:
    """One client: a batch, its answer, the next; until the time is over or nothing is left."""
    buffer = bytearray()
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for body in bodies:
            began = time.perf_counter()
            head = (
                f"POST /api/v1/readings HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\r\n"
                f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            link.sendall(head.encode() + body)
            status, text = _answer(link, buffer)
            times.append(time.perf_counter() - began)
            if status != 200 or json.loads(text)["accepted"] != rows:
                raise RuntimeError(f"{status}: {text[:500]!r}")
            if time.perf_counter() >= end:
                break


def measure(options: argparse.Namespace) -> None:
    """Each form, one client with batches of 1,000 and 60,000 rows; CSV also with four clients; then every row is looked for."""
    secret = secrets.token_urlsafe(24)
    with fresh_home(Path.cwd()) as home:
        order = {
            "protocol": "http", "keys": [KEY], "addresses": [f"p{place}" for place in range(POINTS)],
            "secret_hash": hashlib.sha256(secret.encode()).hexdigest(),
        }  # fmt: skip
        points = home.populate(order)[0][KEY]
        start_web(home)
        warm_up(home, secret)
        # 60 days back: room for the seconds of all batches. Readings that are late are marked, and kept like others.
        base, sent = int(time.time()) // 60 * 60 - 60 * 86_400, 0
        seconds = max(1.0, options.seconds / 8)
        wanted: list[np.ndarray] = []  # type: ignore[type-arg]
        plans = [(name, 1, batch) for batch in (options.batch, 60_000) for name in FORMATS] + [
            ("csv", 4, options.batch),
            ("csv", 2, 60_000),
        ]
        for name, clients, batch in plans:
            kind, encode = FORMATS[name]
            count = max(
                clients,
                min(int(1_500_000 * seconds), 64_000_000 // (60 if name == "json rows" else 24)) // batch,
            )
            first = -(-sent // batch)  # numbers of batches of this size begin behind everything sent so far
            numbers = range(first, first + count)
            bodies = [encode(columns(number, batch, base)) for number in numbers]
            sent = (first + count) * batch
            used = cpu_seconds(home.pids("web"))
            times: list[list[float]] = [[] for _client in range(clients)]
            faults: list[Exception] = []

            def work(
                client: int,
                times: list[list[float]] = times,
                faults: list[Exception] = faults,
                bodies: list[bytes] = bodies,
                kind: str = kind,
                clients: int = clients,
                batch: int = batch,
            ) -> None:
                try:
                    mine = iter(bodies[client::clients])
                    send(
                        home.ports["web"],
                        mine,
                        kind,
                        secret,
                        time.perf_counter() + seconds,
                        batch,
                        times[client],
                    )
                except Exception as error:
                    faults.append(error)

            began = time.perf_counter()
            threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            wall = time.perf_counter() - began
            if faults:
                raise faults[0]
            for client in range(clients):
                wanted += [
                    columns(number, batch, base)
                    for number in list(numbers)[client::clients][: len(times[client])]
                ]  # type: ignore[misc]
            taken = sum(map(len, times)) * batch
            latencies = [value for client in times for value in client]
            report(
                "http end to end", "yuanmai", format=name, batch=batch, clients=clients, rows=taken, seconds=round(wall, 3),
                rows_per_second=rate(taken, wall), ack_p50_ms=percentile(latencies, 0.5), ack_p99_ms=percentile(latencies, 0.99),
                web_cpu=round((cpu_seconds(home.pids("web")) - used) / wall, 2), web_mb=memory_mb(home.pids("web")),
            )  # fmt: skip
        home.start("ingest")
        behind = home.drain()
        home.stop()
        check(home, np.array(points, np.int64), wanted, behind)


def check(home: Home, points: np.ndarray, wanted: list[Columns], behind: float) -> None:  # type: ignore[type-arg]
    """Every row that was answered for must be there once, and right; and no other."""
    rows = home.rows()
    keys = rows.keys()
    order = np.argsort(keys)
    keys, value = keys[order], rows.value[order]
    doubled = int((keys[1:] == keys[:-1]).sum())
    place, when, tenths = (np.concatenate(column) for column in zip(*wanted, strict=True))
    asked = points[place] * 10_000_000_000 + when
    order = np.argsort(asked)
    asked, tenths = asked[order], tenths[order]
    there = np.isin(asked, keys)
    lost, foreign = int((~there).sum()), int((~np.isin(keys, asked)).sum())
    wrong = int((~np.isclose(value, tenths / 10)).sum()) if not (lost or foreign or doubled) else 0
    report(
        "http into the lake", "yuanmai", acknowledged=len(asked), lost=lost, wrong=wrong, doubled=doubled, foreign=foreign,
        into_the_lake_s=round(behind, 2), rows_per_second=rate(len(asked), behind),
    )  # fmt: skip
    if lost or wrong or doubled or foreign:
        raise SystemExit("http: rows are lost, wrong or doubled")
