"""How fast pages are with 20,000 projects: 20 signed-in users, 20 requests a second, then as many as go through.

    python bench/pages.py [--projects 20000] [--rate 20] [--seconds 30] [--database sqlite --database postgresql]

Starts the real web process (``yuanmai web``) on a temporary home, signs the users in through the sign-in page, and asks
for home, library, record and figure page in turn at a fixed rate, whether or not earlier answers have come (so that a slow
answer is not hidden by fewer questions). Prints one line of JSON for each page: median, p95 and worst time from the question
to the last byte, over the loopback, in milliseconds; then one line with the throughput when 20 users ask without a pause.
Beside the wall clock every line of a run says what else the machine did (`load`, the load average when the run began) and the
last ones say how much processor time the web process itself spent on a request (`server_cpu_ms`; PostgreSQL's own not
counted), which a busy machine does not distort. With ``--home DIR`` the filled SQLite library is kept there and used again.
With ``--write-every N`` a progress report is recorded every N seconds meanwhile, so that kept figures become stale.
The goal is p95 under 150 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.ledger import PASSWORD, fill, keep_writing, users  # noqa: E402
from scripts.with_postgres import server as postgresql  # noqa: E402

GOAL_MS = 150
PAGES = ("home", "library", "library_filtered", "record", "figure")


class User:
    """A signed-in browser: keeps its connection and its cookies."""

    def __init__(self, port: int, account: str, address: str) -> None:
        self.port, self.account = port, account
        self.cookies: dict[str, str] = {}
        self.location = ""
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=60, source_address=(address, 0)
        )
        self.lock = threading.Lock()
        self.sign_in()

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Ask for a page (or send a form); returns the status and the body. Redirects are not followed."""
        headers = {
            "Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()),
            "Accept-Language": "zh-CN",
            "Host": f"127.0.0.1:{self.port}",
        }
        body = None
        if form is not None:
            body = urllib.parse.urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.connection.request("GET" if form is None else "POST", path, body, headers)
            answer = self.connection.getresponse()
        except (http.client.HTTPException, ConnectionError):
            self.connection.close()
            self.connection.request("GET" if form is None else "POST", path, body, headers)
            answer = self.connection.getresponse()
        content = answer.read()
        self.location = answer.headers.get("Location") or ""
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.split(";", 1)[0].partition("=")
            self.cookies[name] = value
        return answer.status, content

    def sign_in(self) -> None:
        """Fill in the sign-in page. Raises SystemExit when it does not let the user in."""
        self.ask("/")
        door = self.location
        status, page = self.ask(door)
        token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if token is None:
            raise SystemExit(f"{door!r} shows no form to sign in with (HTTP {status})")
        form = {"csrfmiddlewaretoken": token[1].decode(), "login": self.account, "password": PASSWORD}
        status, page = self.ask(door, form)
        if status != 302:
            raise SystemExit(f"{self.account} was not signed in: HTTP {status}")


def paths(user: User) -> dict[str, Iterator[str]]:
    """The addresses that a user asks for, page by page; records in turn, as found in the library."""
    status, library = user.ask("/projects/")
    found = sorted(set(re.findall(r'href="(/projects/[0-9a-f-]{36}/)', library.decode())))
    if status != 200 or not found:
        raise SystemExit(f"the library shows no projects to {user.account} (HTTP {status})")
    return {
        "home": itertools.repeat("/"),
        "library": itertools.cycle(f"/projects/?page={n}" for n in range(1, 6)),
        "library_filtered": itertools.cycle(("/projects/?q=%E7%94%B5%E5%AD%90", "/projects/?kind=new_start", "/projects/?q=dzxx")),
        "record": itertools.cycle(found),
        "figure": itertools.cycle(f"/figures/projects.{c}" for c in ("completion_rate", "start_rate", "investment_done")),
    }  # fmt: skip


@contextlib.contextmanager
def writing(environment: dict[str, str], every: float) -> Iterator[None]:
    """Somebody who enters reports meanwhile."""
    if not every:
        yield
        return
    process = subprocess.Popen(
        [sys.executable, __file__, "--writer", "--write-every", str(every)], env=environment
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextlib.contextmanager
def web(environment: dict[str, str], workers: int) -> Iterator[tuple[int, int]]:
    """The web process; yields its port, when it answers, and its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "yuanmai", "web", "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the web process did not start")
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.2)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(timeout=20)


def processor_time(pid: int) -> float:
    """Seconds of processor time that a process and its descendants have used (Linux)."""
    parents: dict[int, int] = {}
    used: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                parents[int(entry.name)] = int(fields[1])
                used[int(entry.name)] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return sum(used.get(member, 0.0) for member in family)


def hold(people: list[User], rate: float, seconds: float) -> tuple[dict[str, list[float]], int]:
    """Ask at a fixed rate, the pages in turn, the users in turn; times in ms by page, and the number of failures."""
    times: dict[str, list[float]] = defaultdict(list)
    failures = 0
    routes = [paths(user) for user in people]
    begin = time.monotonic()

    def one(number: int) -> None:
        nonlocal failures
        who, page = number % len(people), PAGES[number % len(PAGES)]
        due = begin + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        with people[who].lock:
            path = next(routes[who][page])
            status, _body = people[who].ask(path)
        # Counted from when the question was due: waiting behind a slow answer belongs to the time that a person waits.
        times[page].append((time.monotonic() - due) * 1000)
        if status != 200:
            failures += 1
            sys.stderr.write(f"HTTP {status} for {path}\n")

    # 21 users' worth of pages in turn would always meet the same page with the same user.
    numbers = [n + n // len(people) for n in range(int(rate * seconds))]
    numbers = [n for n in numbers if n < rate * seconds]
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(one, numbers))
    return times, failures


def saturate(people: list[User], seconds: float) -> tuple[float, float, int]:
    """Every user asks without a pause; answers per second, the p95 in ms, and the number of answers."""
    end = time.monotonic() + seconds
    times: list[float] = []

    def busy(user: User) -> None:
        routes = paths(user)
        pages = itertools.cycle(PAGES)
        while time.monotonic() < end:
            start = time.monotonic()
            user.ask(next(routes[next(pages)]))
            times.append((time.monotonic() - start) * 1000)

    begin = time.monotonic()
    with ThreadPoolExecutor(len(people)) as pool:
        list(pool.map(busy, people))
    return len(times) / (time.monotonic() - begin), percentile(times, 95), len(times)


def percentile(values: list[float], share: int) -> float:
    """The smallest value that ``share`` percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 100) - 1)]


def run(database: str, url: str | None, options: argparse.Namespace) -> bool:
    """Fill, serve, measure, print; returns whether the goal was met."""
    keep = options.home is not None and url is None
    home = options.home if keep else Path(tempfile.mkdtemp(prefix="yuanmai-bench-"))
    home.mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("YUANMAI_", "DATABASE_", "DJANGO_"))}
    environment = {**kept, "YUANMAI_HOME": str(home), "YUANMAI_ALLOWED_HOSTS": "127.0.0.1"}
    environment["DJANGO_SETTINGS_MODULE"] = "yuanmai.config.settings"
    if url:
        environment["DATABASE_URL"] = url
    common = {"bench": "pages", "database": database, "projects": options.projects, "users": len(users())}
    common["load"] = round(os.getloadavg()[0], 1)
    met = True
    try:
        begin = time.monotonic()
        if not (keep and (home / "filled").exists()):
            fill_command = [sys.executable, __file__, "--fill", "--projects", str(options.projects)]
            subprocess.run(fill_command, env=environment, check=True)
            (home / "filled").write_text(f"{options.projects}\n")
        else:
            subprocess.run([sys.executable, "-m", "yuanmai", "migrate"], env=environment, check=True)
        filled = time.monotonic() - begin
        sys.stderr.write(f"{database}: filled after {filled:.0f} s\n")
        with web(environment, options.workers) as (port, pid):
            # Each from an address of its own, as from desks: sign-ins from one address are rate-limited.
            people = [User(port, account, f"127.0.0.{n + 2}") for n, (account, _r, _o) in enumerate(users())]
            sys.stderr.write(f"{database}: {len(people)} users signed in\n")
            hold(people, options.rate, 5)
            spent = processor_time(pid)
            with writing(environment, options.write_every):
                times, failures = hold(people, options.rate, options.seconds)
            spent = processor_time(pid) - spent
            for page in PAGES:
                p95 = percentile(times[page], 95)
                met = met and p95 < GOAL_MS and not failures
                line = {
                    **common, "page": page, "requests": len(times[page]), "rate": options.rate, "write_every_s": options.write_every,
                    "median_ms": round(statistics.median(times[page]), 1), "p95_ms": round(p95, 1),
                    "worst_ms": round(max(times[page]), 1), "goal_p95_ms": GOAL_MS, "failures": failures,
                }  # fmt: skip
                print(json.dumps(line), flush=True)
            requests = sum(map(len, times.values()))
            line = {
                **common, "page": "mixed", "requests": requests, "rate": options.rate, "write_every_s": options.write_every,
                "server_cpu_ms": round(spent / requests * 1000, 1),
            }  # fmt: skip
            print(json.dumps(line), flush=True)
            spent = processor_time(pid)
            through, p95, number = saturate(people, options.saturate)
            spent = processor_time(pid) - spent
            line = {
                **common, "page": "mixed, saturated", "throughput_per_s": round(through, 1), "p95_ms": round(p95, 1),
                "server_cpu_ms": round(spent / number * 1000, 1),
                "workers": options.workers, "cpus": os.cpu_count(), "fill_s": round(filled, 1),
                "python": platform.python_version(),
            }  # fmt: skip
            print(json.dumps(line), flush=True)
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)
    return met


def main() -> int:
    """The command line; returns 1 when a page misses the goal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--projects", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=20, help="requests per second")
    parser.add_argument("--seconds", type=float, default=30, help="how long the rate is held")
    parser.add_argument(
        "--write-every", type=float, default=10, help="seconds between recorded reports; 0: none"
    )
    parser.add_argument("--saturate", type=float, default=10, help="how long users ask without a pause")
    parser.add_argument("--workers", type=int, default=max(1, os.cpu_count() or 1))
    parser.add_argument("--database", action="append", choices=("sqlite", "postgresql"))
    parser.add_argument("--home", type=Path, help="keep the SQLite library in this folder and use it again")
    parser.add_argument("--writer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.fill or options.writer:
        import django

        django.setup()
        if options.writer:
            keep_writing(options.write_every, date.today())
        fill(options.projects, date.today())
        return 0
    met = True
    for database in options.database or ("sqlite", "postgresql"):
        if database == "postgresql":
            with postgresql(durable=True) as url:
                met = run(database, url, options) and met
        else:
            met = run(database, None, options) and met
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
