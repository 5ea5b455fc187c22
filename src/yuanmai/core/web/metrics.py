"""What the web processes count: requests and their times by page, for Prometheus (``/metrics``).

Every process counts in memory and writes its counts to a small file every few seconds; whichever process is asked adds
the files up. So the numbers of all processes of one machine stand together without a library or a shared memory.
"""

import json
import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from yuanmai import __version__
from yuanmai.core.jobs.models import Job
from yuanmai.core.policy import Denied
from yuanmai.core.scope import everywhere

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.3, 0.6, 1.0, 2.5, 5.0, 10.0)  # seconds
FLUSH_EVERY = 5.0
Key = tuple[str, str, str]  # view, method, status class


class Counts:
    """Requests by view, method and class of status: how many per bucket of time (the last: longer), and seconds in all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.buckets: dict[Key, list[int]] = {}
        self.seconds: dict[Key, float] = {}

    def add(self, key: Key, seconds: float, buckets: Iterable[int] | None = None) -> None:
        """Count one request, or (with `buckets`) add the counts of another process."""
        with self.lock:
            row = self.buckets.setdefault(key, [0] * (len(BUCKETS) + 1))
            if buckets is None:
                row[bisect_left(BUCKETS, seconds)] += 1
            else:
                for index, count in enumerate(buckets):
                    row[index] += count
            self.seconds[key] = self.seconds.get(key, 0.0) + seconds

    def plain(self) -> list[list[Any]]:
        """Return the counts as JSON."""
        with self.lock:
            return [[list(key), self.seconds[key], row] for key, row in self.buckets.items()]

    def read(self, rows: list[list[Any]]) -> None:
        """Add counts from JSON."""
        for (view, method, status), seconds, buckets in rows:
            self.add((view, method, status), seconds, buckets)


COUNTS = Counts()
_written = [0.0]


def folder() -> Path:
    """Where the processes of this machine put their counts."""
    return Path(settings.HOME) / "metrics"


def write() -> None:
    """Write this process's counts; a disk that is full must not stop a page."""
    _written[0] = time.monotonic()
    try:
        folder().mkdir(exist_ok=True)
        target = folder() / f"{os.getpid()}.json"
        beside = target.with_suffix(f".{threading.get_ident()}.new")
        beside.write_text(json.dumps(COUNTS.plain()))
        beside.replace(target)
    except OSError:
        pass


def forget() -> None:
    """Remove the counts of earlier runs; called when an installation starts."""
    for path in folder().glob("*"):
        path.unlink(missing_ok=True)


class MetricsMiddleware:
    """Outermost: counts every request with the time it took."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        # The name of the page, not its address: addresses are many, and some hold names.
        view = (match.view_name or getattr(match.func, "__name__", "")) if match else "none"
        method = (
            request.method if request.method in {"GET", "POST", "HEAD", "PUT", "PATCH", "DELETE"} else "OTHER"
        )
        key = (str(view), str(method), f"{response.status_code // 100}xx")
        COUNTS.add(key, time.perf_counter() - began)
        if time.monotonic() - _written[0] >= FLUSH_EVERY:
            write()
        return response


def _allowed(request: HttpRequest) -> bool:
    """The machine itself may ask, and whoever knows the token; a forwarded request is not from the machine itself."""
    if token := settings.METRICS_TOKEN:
        return request.headers.get("Authorization", "") == f"Bearer {token}"
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    return not forwarded and request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"}


def metrics_text() -> str:
    """Return all numbers in Prometheus' text form."""
    write()
    total = Counts()
    for path in folder().glob("*.json"):
        try:
            total.read(json.loads(path.read_text()))
        except (OSError, ValueError):
            continue
    lines = [
        "# HELP yuanmai_info Version of the program.",
        "# TYPE yuanmai_info gauge",
        f'yuanmai_info{{version="{__version__}"}} 1',
        "# HELP yuanmai_request_seconds Time to answer a request.",
        "# TYPE yuanmai_request_seconds histogram",
    ]
    for (view, method, status), row in sorted(total.buckets.items()):
        labels = f'view="{_escape(view)}",method="{method}",status="{status}"'
        count = 0
        for bound, number in zip((*map(str, BUCKETS), "+Inf"), row, strict=True):
            count += number
            lines.append(f'yuanmai_request_seconds_bucket{{{labels},le="{bound}"}} {count}')
        lines.append(f"yuanmai_request_seconds_sum{{{labels}}} {total.seconds[view, method, status]:.6f}")
        lines.append(f"yuanmai_request_seconds_count{{{labels}}} {count}")
    with everywhere():
        states = dict(Job.objects.order_by().values_list("state").annotate(n=Count("id")))
    lines += ["# HELP yuanmai_jobs Background work by state.", "# TYPE yuanmai_jobs gauge"]
    lines += [f'yuanmai_jobs{{state="{state}"}} {states.get(state, 0)}' for state in Job.State.values]
    return "\n".join(lines) + "\n" + "".join(_told())


def _told() -> Iterable[str]:
    """Yield what other processes of the installation have written in Prometheus' form (`NAME.prom`)."""
    for path in sorted(folder().glob("*.prom")):
        try:
            yield path.read_text()
        except (OSError, ValueError):
            continue


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus; raises `Denied` for a stranger."""
    if not _allowed(request):
        raise Denied("metrics")
    return HttpResponse(metrics_text(), content_type="text/plain; version=0.0.4; charset=utf-8")
