"""The stream of events: who hears what, resume, stalled listeners, the same by polling."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tests.conftest import Orgs
from yuanmai.core.scope import everywhere
from yuanmai.devices.live import app
from yuanmai.devices.live.feed import Cursor, changes
from yuanmai.devices.live.topics import Topics
from yuanmai.devices.models import Device, DeviceState, Latest, Point, ProductTemplate

T = TypeVar("T")
pytestmark = pytest.mark.django_db


def make_device(org: Any, code: str, *, mobile: bool = False) -> Device:
    with everywhere():
        template, _new = ProductTemplate.objects.get_or_create(
            org=org, code="t", defaults={"name": "样机", "protocol": "http"}
        )
        device = Device.objects.create(
            org=org, code=code, name=code, template=template, protocol="http", key=code, mobile=mobile
        )
        Point.objects.create(device=device, code="t", name="温度", address="t")
    return device


def point_of(device: Device) -> Point:
    with everywhere():
        return Point.objects.get(device=device)


def heard(device: Device, revision: int, value: float = 20.0) -> None:
    now = timezone.now()
    with everywhere():
        Latest.objects.update_or_create(
            point=point_of(device),
            defaults={"time": now, "value": value, "received": now, "revision": revision},
        )
        DeviceState.objects.update_or_create(
            device=device,
            defaults={
                "online": True, "changed_at": now, "last_seen": now, "revision": revision,
                **({"longitude": 112.9, "latitude": 22.7, "positioned_at": now} if device.mobile else {}),
            },
        )  # fmt: skip


def test_changes_are_told_once_and_only_of_what_is_wanted(orgs: Orgs) -> None:
    lamp, lorry = make_device(orgs.north, "lamp"), make_device(orgs.north, "lorry", mobile=True)
    heard(lamp, 10)
    heard(lorry, 11)
    found = changes(Cursor(), Topics.read(f"positions,device:{lamp.pk}"))
    assert [(event.kind, event.device) for event in found.events] == [
        ("latest", lamp.pk),
        ("state", lamp.pk),
        ("state", lorry.pk),
    ]
    assert found.cursor == Cursor(10, 11)
    assert changes(found.cursor, Topics.read("devices,positions")).events == []
    heard(lamp, 12, 21.5)
    (event, _state) = changes(found.cursor, Topics.read(f"device:{lamp.pk}")).events
    assert event.data["points"][str(point_of(lamp).pk)][1] == 21.5


def test_changes_of_other_organisations_are_left_out(orgs: Orgs) -> None:
    heard(make_device(orgs.foreign, "x"), 5)
    topics = Topics.read("devices")
    assert changes(Cursor(), topics, [orgs.north.pk]).events == []
    assert len(changes(Cursor(), topics, [orgs.foreign.pk]).events) == 1


def test_too_many_changes_ask_for_a_look_at_everything(orgs: Orgs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yuanmai.devices.live.feed.MOST_EVENTS", 3)
    for number in range(4):
        heard(make_device(orgs.north, f"d{number}"), number + 1)
    found = changes(Cursor(), Topics.read("devices"))
    assert found.reset
    assert found.cursor == Cursor(4, 4)


def test_the_number_of_queries_does_not_grow(
    orgs: Orgs, django_assert_num_queries: Callable[..., Any]
) -> None:
    devices = [make_device(orgs.north, f"d{number}") for number in range(12)]
    for number, device in enumerate(devices):
        heard(device, number + 1)
    topics = Topics.read(
        ",".join(["devices", "alarms", "commands", *(f"device:{device.pk}" for device in devices)])
    )
    with django_assert_num_queries(4):  # values, states, commands, alarms
        assert len(changes(Cursor(), topics).events) == 24


@pytest.fixture
def client_of(make_user: Callable[..., Any], client_as: Callable[..., Client]) -> Callable[..., Client]:
    """``client_of("operator", org)``: a signed-in client of a new user with that post."""
    return lambda role, org: client_as(make_user(role, org))


def run_here(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine with the connection of the test: Django gives every loop connections of its own."""
    mine = connections["default"]

    async def run() -> T:
        connections["default"] = mine
        return await work()

    return asyncio.run(run())


class Browser:
    """One request to the ASGI program, in the loop of the test."""

    def __init__(self, topics: str, cookie: str = "", **headers: str) -> None:
        self.sent: list[dict[str, Any]] = []
        self.left = asyncio.Event()
        self.stalled = asyncio.Event()
        self.scope = {
            "type": "http",
            "method": "GET",
            "path": "/live/",
            "query_string": f"topics={topics}".encode(),
            "headers": [
                (name.replace("_", "-").encode(), value.encode())
                for name, value in {"host": "park.example:8001", "cookie": cookie, **headers}.items()
            ],
        }

    async def receive(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        if self.stalled.is_set():
            await asyncio.sleep(3600)
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def events(self) -> list[tuple[str, str, Any]]:
        text = b"".join(message.get("body", b"") for message in self.sent).decode()
        found = []
        for block in text.split("\n\n"):
            lines = dict(
                line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":"
            )
            if "event" in lines:
                found.append((lines.get("id", ""), lines["event"], json.loads(lines["data"])))
        return found

    async def until(self, ready: Callable[[], bool]) -> None:
        for _step in range(300):
            if ready():
                return
            await asyncio.sleep(0.02)
        raise AssertionError(self.sent)


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> app.Live:
    """The program asks the database in the test's own thread, which alone sees the test's transaction."""

    async def ask(self: app.Live, function: Callable[..., Any], *arguments: Any) -> Any:
        return function(*arguments)

    monkeypatch.setattr(app.Live, "ask", ask)
    monkeypatch.setattr(app, "POLL_EVERY", 0.05)
    fresh = app.Live()
    monkeypatch.setattr(app, "live", fresh)
    return fresh


def cookie_of(client: Client) -> str:
    return f"sessionid={client.cookies['sessionid'].value}"


def test_a_signed_in_listener_hears_and_resumes(
    inline: app.Live, orgs: Orgs, client_of: Callable[..., Client]
) -> None:
    device = make_device(orgs.north, "lamp")
    foreign = make_device(orgs.foreign, "other")
    cookie = cookie_of(client_of("operator", orgs.north))

    async def run() -> None:
        browser = Browser("devices", cookie, origin="http://park.example:8000")
        task = asyncio.create_task(app.application(browser.scope, browser.receive, browser.send))
        await browser.until(lambda: inline.cursor is not None)
        headers = dict(browser.sent[0]["headers"])
        assert browser.status == 200
        assert headers[b"access-control-allow-origin"] == b"http://park.example:8000"
        heard(foreign, 1)
        heard(device, 2)
        await browser.until(lambda: bool(browser.events))
        ((mark, kind, data),) = browser.events
        assert (kind, data["device"], data["online"]) == ("state", device.pk, True)
        browser.left.set()
        await asyncio.wait_for(task, 5)
        assert not inline.streams
        heard(device, 9)
        again = Browser("devices", cookie, last_event_id=mark)
        task = asyncio.create_task(app.application(again.scope, again.receive, again.send))
        await again.until(lambda: bool(again.events))
        await asyncio.sleep(
            3 * app.POLL_EVERY
        )  # the looks for changes that follow find it once more and do not tell it
        assert [event[2]["device"] for event in again.events] == [device.pk]
        again.left.set()
        await asyncio.wait_for(task, 5)

    run_here(run)


def test_who_may_not_listen_is_refused(
    inline: app.Live, orgs: Orgs, client_of: Callable[..., Client]
) -> None:
    async def answer(browser: Browser) -> int:
        await asyncio.wait_for(app.application(browser.scope, browser.receive, browser.send), 5)
        return browser.status

    allowed = cookie_of(client_of("operator", orgs.north))
    unable = cookie_of(client_of("system_administrator", orgs.north))
    assert run_here(lambda: answer(Browser("devices"))) == 401
    assert run_here(lambda: answer(Browser("devices", "sessionid=nothing"))) == 401
    assert run_here(lambda: answer(Browser("devices", unable))) == 401
    assert run_here(lambda: answer(Browser("everything", allowed))) == 400
    assert run_here(lambda: answer(Browser("devices", allowed, origin="https://evil.example"))) == 403


def test_a_session_that_ends_ends_the_stream(
    inline: app.Live, orgs: Orgs, client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "BEAT_EVERY", 0.1)
    client = client_of("operator", orgs.north)
    browser = Browser("devices", cookie_of(client))

    async def run() -> None:
        task = asyncio.create_task(app.application(browser.scope, browser.receive, browser.send))
        await browser.until(lambda: len(browser.sent) > 1)
        client.session.flush()
        await asyncio.wait_for(task, 5)

    run_here(run)
    assert browser.events[-1][1] == "bye"


def test_a_listener_who_takes_nothing_is_cut_off_and_one_who_is_slow_starts_anew(
    inline: app.Live, orgs: Orgs, client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "STALLED_AFTER", 0.2)
    monkeypatch.setattr(app, "MOST_WAITING", 2)
    device = make_device(orgs.north, "lamp")
    browser = Browser("devices", cookie_of(client_of("operator", orgs.north)))

    async def run() -> None:
        task = asyncio.create_task(app.application(browser.scope, browser.receive, browser.send))
        await browser.until(lambda: inline.cursor is not None)
        (stream,) = inline.streams
        for revision in range(1, 5):
            heard(device, revision)
            stream.offer(changes(Cursor(0, revision - 1), stream.topics))
        await browser.until(lambda: bool(browser.events))
        assert "reset" in [event[1] for event in browser.events]
        browser.stalled.set()
        heard(device, 100)
        await asyncio.wait({task}, timeout=3)
        assert not inline.streams
        task.cancel()

    run_here(run)


def test_pages_without_a_stream_get_the_same_by_asking(orgs: Orgs, client_of: Callable[..., Client]) -> None:
    client = client_of("operator", orgs.north)
    device, foreign = make_device(orgs.north, "lamp"), make_device(orgs.foreign, "other")
    address = reverse("devices:live_poll")
    mark = client.get(address, {"topics": "devices"}).json()["id"]
    heard(foreign, 1)
    heard(device, 2)
    answer = client.get(address, {"topics": "devices", "since": mark}).json()
    assert [event["data"]["device"] for event in answer["events"]] == [device.pk]
    assert client.get(address, {"topics": "all"}).status_code == 400


def test_an_idle_session_does_not_listen_and_listening_keeps_none_alive(
    inline: app.Live, orgs: Orgs, client_of: Callable[..., Client]
) -> None:
    from yuanmai.devices.live.listeners import listener_of
    from yuanmai.people.sessions import SEEN

    client = client_of("operator", orgs.north)
    session = client.session
    key = str(session.session_key)
    session[SEEN] = (timezone.now() - timedelta(minutes=29)).timestamp()
    session.save()
    assert listener_of(key) is not None
    assert client.session[SEEN] == session[SEEN]
    session[SEEN] = (timezone.now() - timedelta(minutes=31)).timestamp()
    session.save()
    assert listener_of(key) is None


def test_only_pages_of_those_who_see_devices_may_connect_to_the_stream(
    orgs: Orgs, client_of: Callable[..., Client], settings: Any
) -> None:
    settings.LIVE_PORT = 8001
    sees = client_of("operator", orgs.north).get("/")
    assert "http://testserver:8001" in sees.headers["Content-Security-Policy"]
    assert 'data-url="http://testserver:8001/live/"' in sees.content.decode()
    blind = client_of("system_administrator", orgs.north).get("/")
    assert "8001" not in blind.headers["Content-Security-Policy"]
