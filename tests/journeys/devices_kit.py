"""A whole installation with devices: all its processes, one operator, simulated devices that a test can start and silence."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser, Page

from tests.installation import Installation
from tests.journeys.conftest import DESK
from yuanmai.demo.simulators.link import Client
from yuanmai.demo.simulators.stats import Stats

PASSWORD = "Tide-And-Harbour-7"
SET_UP = """
from django.utils import timezone
from yuanmai.core.policy import SYSTEM
from yuanmai.people.models import Organisation, Post, Role, User
from yuanmai.people.presets_loader import ensure_roles
from yuanmai.places.models import Park
from yuanmai.devices.models import ProductTemplate
from yuanmai.devices.registry.actions.devices import add_device
from yuanmai.devices.registry.actions.templates import load_templates
ensure_roles()
org = Organisation.add_root(code="linzhou-park", name="临洲园区", kind="park")
ring = [[112.93, 22.69], [112.97, 22.69], [112.97, 22.72], [112.93, 22.72], [112.93, 22.69]]
park = Park.objects.create(org=org, code="p", name="临洲园区", geometry={"type": "Polygon", "coordinates": [ring]}, west=112.93, south=22.69, east=112.97, north=22.72)
user = User(username="operator", full_name="Operator", password_changed_at=timezone.now(), must_change_password=False) if hasattr(User, "must_change_password") else User(username="operator", full_name="Operator", password_changed_at=timezone.now())
user.set_password("Tide-And-Harbour-7")
user.save()
for code, title in (("operator", ""), ):
    _post = Post.objects.create(user=user, org=org, role=Role.objects.get(code=code))
_count = load_templates(SYSTEM, org.pk)
templates = {row.code: row for row in ProductTemplate.objects.filter(org=org)}
def add(code, template, key, **more): return add_device(SYSTEM, org.pk, code=code, name=code, template=templates[template], key=key, park=park, **more).pk
answer = {"answers": add("truck-1", "jt808-vehicle", "13900000001"), "mute": add("truck-2", "jt808-vehicle", "13900000002", profile={"timeout": 1, "resends": 1}), "sensor": add("env-1", "mqtt-environment", "env-1", longitude=112.95, latitude=22.70), "station": add("ww-1", "hj212-wastewater", "YMTEST0000000000000000WW", longitude=112.94, latitude=22.70)}
"""


def free_ports(count: int) -> list[int]:
    """Return ports that nothing listens on at this moment."""
    held = [socket.socket() for _index in range(count)]
    try:
        for each in held:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in held]
    finally:
        for each in held:
            each.close()


@dataclass
class Play:
    """Simulated devices in a thread of their own."""

    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)

    def __post_init__(self) -> None:
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    @contextmanager
    def playing(self, *clients: Client) -> Iterator[None]:
        """Let devices speak inside the block."""
        tasks = [self.run(client.run()) for client in clients]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run something beside the test."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def end(self) -> None:
        """End the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)


@dataclass
class Site:
    """A running installation. `devices`: primary keys by what they are for; `ports`: of the listeners."""

    made: Installation
    url: str
    ports: dict[str, int]
    devices: dict[str, int]
    play: Play
    stats: Stats = field(default_factory=Stats)

    @property
    def host(self) -> str:
        """Where the listeners are."""
        return "127.0.0.1"

    def sign_in(self, chromium: Browser, viewport: dict[str, int] | None = None) -> Page:
        """Return a page of the operator, signed in by the form."""
        context = chromium.new_context(
            viewport=viewport or DESK,  # type: ignore[arg-type]
            locale="en-GB",
            timezone_id="Asia/Shanghai",
            base_url=self.url,
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.goto("/account/login/")
        page.fill("input[name=login]", "operator")
        page.fill("input[name=password]", PASSWORD)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "login" not in url)
        return page

    def wait_for(self, statement: str, *, seconds: float = 30) -> list[tuple[Any, ...]]:
        """Ask the database until it has an answer with a first row whose first value is true."""
        end = time.monotonic() + seconds
        while True:
            rows = self.made.rows(statement)
            if rows and rows[0][0]:
                return rows
            assert time.monotonic() < end, f"{statement}: {rows}\n{self.made.log[-3000:]}"
            time.sleep(0.2)


def open_site(made: Installation) -> Site:
    """Set an installation up and start all its processes."""
    web, live, hj212, jt808, mqtt = free_ports(5)
    devices: dict[str, int] = made.python(SET_UP)
    made.start(
        sys.executable, "-m", "yuanmai", "serve", "--port", str(web), "--workers", "1",
        YUANMAI_LIVE_PORT=str(live), YUANMAI_PORT_HJ212=str(hj212), YUANMAI_PORT_JT808=str(jt808),
        YUANMAI_PORT_MQTT=str(mqtt), YUANMAI_BASE_URL=f"http://127.0.0.1:{web}",
    )  # fmt: skip
    site = Site(
        made, f"http://127.0.0.1:{web}", {"hj212": hj212, "jt808": jt808, "mqtt": mqtt}, devices, Play()
    )
    end = time.monotonic() + 240
    for port, path in ((web, "/healthz"), (live, "/healthz"), *((port, "") for port in site.ports.values())):
        while not _answers(port, path):
            assert time.monotonic() < end, made.log[-3000:]
            time.sleep(0.3)
    return site


def _answers(port: int, path: str) -> bool:
    try:
        if path:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True


def close_site(site: Site) -> None:
    """End devices and processes."""
    site.play.end()
    for process in site.made.processes:
        process.terminate()
    for process in site.made.processes:
        process.wait(30)
