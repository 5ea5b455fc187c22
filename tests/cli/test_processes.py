"""The processes: they start, answer, say what is wrong, and stop gently."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from tests.installation import Installation, Installations

pytestmark = pytest.mark.slow


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def get(port: int, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body, {k.lower(): v for k, v in answer.getheaders()}


def until_it_answers(port: int, place: Installation) -> None:
    end = time.monotonic() + 240
    while time.monotonic() < end:
        try:
            if get(port, "/readyz")[0] == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise AssertionError(place.log)


@pytest.fixture(scope="module")
def served(installations: Installations) -> Iterator[tuple[Installation, int]]:
    place = installations.migrated()
    port = free_port()
    process = place.start(
        sys.executable, "-m", "yuanmai", "serve", "--port", str(port), "--workers", "2", YUANMAI_LOG_FORMAT="json"
    )  # fmt: skip
    until_it_answers(port, place)
    yield place, port
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=40) == 0
    with pytest.raises(OSError):
        get(port, "/healthz")


def test_health_and_readiness(served: tuple[Installation, int]) -> None:
    _place, port = served
    assert json.loads(get(port, "/healthz")[1])["status"] == "ok"
    assert json.loads(get(port, "/readyz")[1])["status"] == "ok"


def test_the_headers_of_every_answer(served: tuple[Installation, int]) -> None:
    _place, port = served
    for path in ("/healthz", "/account/login/", "/api/v1/me", "/nothing-here"):
        headers = get(port, path)[2]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "geolocation=(self)" in headers["permissions-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert re.fullmatch(r"[0-9a-f]{16}", headers["x-request-id"])


def test_prometheus_reads_the_counts_of_all_processes(served: tuple[Installation, int]) -> None:
    _place, port = served
    time.sleep(5.5)  # counts are written every five seconds
    for _call in range(20):
        get(port, "/healthz")
    time.sleep(5.5)
    for _call in range(10):
        get(port, "/healthz")
    status, text, _headers = get(port, "/metrics")
    assert status == 200
    samples = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _space, value = line.rpartition(" ")
            samples[name] = float(value)
            assert re.fullmatch(r'[a-z_]+(\{([a-z]+="[^"]*",?)+\})?', name)
    key = 'view="core:healthz",method="GET",status="2xx"'
    count = samples[f"yuanmai_request_seconds_count{{{key}}}"]
    assert count >= 20
    assert samples[f'yuanmai_request_seconds_bucket{{{key},le="+Inf"}}'] == count
    assert samples['yuanmai_jobs{state="waiting"}'] == 0
    assert get(port, "/metrics", **{"X-Forwarded-For": "10.0.0.1"})[0] == 403


def test_log_lines_are_json_and_carry_the_requests_id(served: tuple[Installation, int]) -> None:
    place, port = served
    reference = get(port, "/api/v1/nothing-here")[2]["x-request-id"]
    time.sleep(0.3)
    lines = [json.loads(line) for line in place.log.splitlines() if line.startswith("{")]
    assert [line["level"] for line in lines if line.get("request") == reference] == ["WARNING"]


def test_a_taken_port_is_said_in_words(served: tuple[Installation, int]) -> None:
    place, port = served
    for command in ("serve", "web"):
        done = place.run(command, "--port", str(port))
        assert done.returncode == 1
        assert str(port) in done.stderr and "--port" in done.stderr
        assert "Traceback" not in done.stderr


def test_the_worker_is_part_of_it(served: tuple[Installation, int]) -> None:
    place, _port = served
    end = time.monotonic() + 30
    while place.rows("SELECT count(*) FROM core_scheduledrun") == [(0,)]:
        assert time.monotonic() < end, place.log
        time.sleep(0.3)


def test_before_migrations_it_is_not_ready(installations: Installations) -> None:
    place = installations.empty()
    port = free_port()
    process = place.start(sys.executable, "-m", "yuanmai", "web", "--port", str(port), "--workers", "1")
    end = time.monotonic() + 240
    status, body = 0, ""
    while not status and time.monotonic() < end:
        try:
            status, body, _headers = get(port, "/readyz")
        except OSError:
            time.sleep(0.2)
    assert (status, json.loads(body)["status"]) == (503, "migrations pending")
    process.terminate()
    assert process.wait(timeout=20) in {0, -signal.SIGTERM}
