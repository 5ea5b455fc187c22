"""Devices in a browser, with all processes running and simulated devices speaking over real sockets: an unknown one is adopted, a
history has a gap, a vehicle moves on the map, one command is answered and another is not."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.installation import Installations
from tests.journeys.conftest import accessibility_faults, colours, overflow, wait_until
from tests.journeys.devices_kit import Site, close_site, open_site
from yuanmai.demo.simulators.mqtt import Sensor
from yuanmai.demo.simulators.station import Station, Surge
from yuanmai.demo.simulators.terminal import Terminal
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries

pytestmark = pytest.mark.browser
WAY = [(112.94, 22.70), (112.96, 22.70), (112.96, 22.71), (112.94, 22.71)]


@pytest.fixture(scope="module")
def site(installations: Installations) -> Iterator[Site]:
    """One installation for all journeys of this file."""
    opened = open_site(installations.migrated())
    yield opened
    close_site(opened)


@pytest.fixture
def page(site: Site, chromium: Browser) -> Iterator[Page]:
    """A page of the operator."""
    page = site.sign_in(chromium)
    yield page
    page.context.close()


def looks_right(page: Page) -> None:
    """Nothing is hidden from anybody, nothing sticks out."""
    assert accessibility_faults(page) == []
    assert overflow(page) <= 0


def test_an_unknown_device_is_adopted_with_all_it_has_said(site: Site, page: Page, tmp_path: Path) -> None:
    key = "YMTEST0000000000000000NEW"
    with site.play.playing(Station(site.host, site.ports["hj212"], 0.5, site.stats, mn=key, kind="39")):
        site.wait_for(f"SELECT frames >= 4 FROM devices_unknowndevice WHERE key = '{key}'")
        ((since,),) = site.made.rows(f"SELECT first_seen FROM devices_unknowndevice WHERE key = '{key}'")
        page.goto("/devices/unknown/")
        card = page.locator("li", has_text=key)
        assert "a34002-Rtd" in card.inner_text()
        looks_right(page)
        page.screenshot(path=str(tmp_path / "unknown.png"))
        card.get_by_role("button", name="Adopt into").click()
        page.wait_for_load_state("networkidle")
        of_it = f"FROM devices_point p JOIN devices_device d ON d.id = p.device_id WHERE d.key = '{key}'"
        site.wait_for(f"SELECT count(*) >= 9 FROM devices_latest WHERE point_id IN (SELECT p.id {of_it})")
        ((pk,),) = site.made.rows(f"SELECT id FROM devices_device WHERE key = '{key}'")
        page.goto(f"/devices/{pk}/")
        wait_until(page, "document.querySelector('ym-live').dataset.state === 'live'")
        before = page.locator("[data-live] table").first.inner_text()
        wait_until(page, f"document.querySelector('[data-live] table').innerText !== {json.dumps(before)}")
        looks_right(page)
        page.screenshot(path=str(tmp_path / "adopted.png"))
    # What it said before anybody knew it is in the lake as well.
    ((point,),) = site.made.rows(f"SELECT p.id {of_it} AND p.address = 'a34002-Rtd'")
    first = moment_of(since)
    deadline = time.monotonic() + 30
    while True:
        rows = Queries(Lake(str(site.made.home / "lake"))).raw(
            [point], first - timedelta(minutes=5), first + timedelta(hours=1)
        )
        if len(rows) and rows.time[0] <= (first.timestamp() + 1.5) * 1_000_000:
            break
        assert time.monotonic() < deadline, (first, rows.time[:3])
        time.sleep(0.5)


def moment_of(stored: Any) -> datetime:
    """A moment as SQLite (text) or PostgreSQL gives it."""
    moment = stored if isinstance(stored, datetime) else datetime.fromisoformat(str(stored))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def test_a_gap_in_the_history_is_seen_as_one(site: Site, page: Page, tmp_path: Path) -> None:
    sensor = Sensor(site.host, site.ports["mqtt"], 3600, site.stats, name="env-1")
    now = time.time() // 600 * 600
    moments = [now - 86_000 + step * 600 for step in range(143) if not 60 <= step < 90]
    with site.play.playing(sensor):
        wait_for(lambda: sensor.writer is not None)

        async def tell() -> None:
            for moment in moments:
                sensor.say(moment)

        site.play.run(tell()).result(30)
        wait_for(lambda: len(sensor.waiting) == 0)
    ((point,),) = site.made.rows(
        f"SELECT id FROM devices_point WHERE device_id = {site.devices['sensor']} AND code = 'temperature'"
    )
    page.goto(f"/devices/{site.devices['sensor']}/history/?point={point}")
    for _attempt in range(30):
        if page.locator("canvas").count():
            break
        time.sleep(1)  # the lake is written every few seconds
        page.reload()
    page.wait_for_timeout(800)
    looks_right(page)
    assert colours(page.screenshot(path=str(tmp_path / "gap.png"))) > 100


def wait_for(ready: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_vehicle_moves_on_the_map_by_itself(site: Site, page: Page, tmp_path: Path) -> None:
    truck = Terminal(
        site.host, site.ports["jt808"], 0.5, site.stats, phone="13900000001", ring=WAY, kmh=200, rests=False
    )
    with site.play.playing(truck):
        placed = f"SELECT longitude IS NOT NULL FROM devices_devicestate WHERE device_id = {site.devices['answers']}"
        site.wait_for(placed)
        page.goto("/places/map/")
        wait_until(page, "document.querySelector('ym-map').dataset.state === 'ready'", seconds=60)
        wait_until(page, "Number(document.querySelector('ym-map').dataset.moves) >= 3", seconds=60)
        assert colours(page.locator("ym-map canvas").screenshot(path=str(tmp_path / "map.png"))) > 100


def send_text(page: Page, device: int, text: str) -> None:
    """Ask for a text to be shown to a driver, through the forms."""
    page.goto(f"/devices/commands/new/{device}/")
    page.get_by_role("link", name="Send a text").click()
    page.wait_for_load_state("networkidle")
    page.locator("form.ym-form textarea, form.ym-form input[type=text]").first.fill(text)
    page.locator("form.ym-form .btn-primary").first.click()
    page.wait_for_load_state("networkidle")


def test_one_command_is_answered_and_another_is_not(site: Site, page: Page, tmp_path: Path) -> None:
    hears = Terminal(site.host, site.ports["jt808"], 2, site.stats, phone="13900000001", ring=WAY)
    mute = Terminal(
        site.host, site.ports["jt808"], 2, site.stats, phone="13900000002", ring=WAY, mute=frozenset({0x8300})
    )
    with site.play.playing(hears, mute):
        for name in ("answers", "mute"):
            site.wait_for(f"SELECT online FROM devices_devicestate WHERE device_id = {site.devices[name]}")
        send_text(page, site.devices["answers"], "前方施工，请绕行")
        site.wait_for("SELECT count(*) FROM devices_command WHERE state = 'done'")
        wait_until(page, "document.body.innerText.includes('Done')", seconds=15)
        assert hears.texts == ["前方施工，请绕行"]
        looks_right(page)
        page.screenshot(path=str(tmp_path / "answered.png"))
        send_text(page, site.devices["mute"], "听得到吗")
        site.wait_for("SELECT count(*) FROM devices_command WHERE state = 'timed_out'", seconds=60)
        wait_until(page, "document.body.innerText.includes('No answer')", seconds=15)
        page.screenshot(path=str(tmp_path / "timed-out.png"))
        assert mute.texts == []


def draw_rule(page: Page) -> None:
    """Fill the editor in: an alarm where the chemical oxygen demand of waste water is above 80 mg/L."""
    page.goto("/devices/rules/new/")
    page.fill("[name=point]", "cod")
    page.fill("[name=limit]", "80")
    page.fill("[name=name]", "化学需氧量超标")
    page.fill("[name=code]", "cod-over")
    page.fill("[name=source]", "排污许可")
    page.select_option("[name=template]", label="Waste-water station")


def test_a_rule_is_drawn_tried_raises_and_is_dealt_with(site: Site, page: Page, tmp_path: Path) -> None:
    station = Station(
        site.host, site.ports["hj212"], 0.5, site.stats, mn="YMTEST0000000000000000WW", kind="32",
        surge=Surge("w01018", 3.0, 1.0, 0.0),
    )  # fmt: skip
    with site.play.playing(station):
        of_it = f"FROM devices_point WHERE device_id = {site.devices['station']} AND address = 'w01018-Rtd'"
        site.wait_for(f"SELECT count(*) FROM devices_latest WHERE point_id IN (SELECT id {of_it})")
        draw_rule(page)
        wait_until(page, "document.querySelector('#rule-preview').innerText.includes('80')")
        looks_right(page)
        page.screenshot(path=str(tmp_path / "rule.png"))
        page.get_by_role("button", name="Try on history").click()
        page.get_by_text("Tried on 1 device").wait_for(timeout=60_000)
        looks_right(page)
        draw_rule(page)
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_load_state("networkidle")
        site.wait_for("SELECT count(*) FROM devices_alarmrule WHERE code = 'cod-over'")
        page.goto("/devices/rules/alarms/")
        wait_until(page, "document.querySelector('ym-live').dataset.state === 'live'")
        time.sleep(3)  # until the ingest process has taken the rule
        began = time.monotonic()
        station.surge = Surge("w01018", 3.0, 1.0, 1.0)  # from now on three times as much
        wait_until(
            page, "document.querySelector('[data-live]').innerText.includes('化学需氧量超标')", seconds=30
        )
        assert time.monotonic() - began < 10  # the machine runs five processes, a browser and other tests
        page.screenshot(path=str(tmp_path / "raised.png"))
        page.goto("/")  # the control room sees it at once, too
        wait_until(page, "document.querySelector('#operator-now').innerText.includes('化学需氧量超标')")
        looks_right(page)
        page.screenshot(path=str(tmp_path / "control-room.png"))
        page.goto("/devices/rules/alarms/")
        page.locator("tr", has_text="化学需氧量超标").get_by_role("link").first.click()
        page.wait_for_load_state("networkidle")
        page.get_by_role("button", name="Acknowledge").click()
        page.wait_for_load_state("networkidle")
        site.wait_for("SELECT count(*) FROM devices_alarm WHERE state = 'acknowledged'")
        station.surge = None
        site.wait_for("SELECT count(*) FROM devices_alarm WHERE cleared_at IS NOT NULL", seconds=60)
        page.get_by_role("button", name="Close", exact=True).first.click()
        dialog = page.locator("dialog[open]")
        dialog.locator("textarea").fill("曝气池风机已修复")
        dialog.locator("button.btn-primary").click()
        page.wait_for_load_state("networkidle")
        site.wait_for("SELECT count(*) FROM devices_alarm WHERE state = 'closed'")
        looks_right(page)
        page.screenshot(path=str(tmp_path / "closed.png"))
