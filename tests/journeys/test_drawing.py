"""Areas drawn on the map of a form: a polygon for the geofence of a rule, a circle for the terminal of a vehicle, a way without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import PHONE, accessibility_faults, overflow, wait_until
from tests.journeys.test_map import square
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.devices.models import AlarmRule, Command, ProductTemplate
from yuanmai.devices.registry.actions.devices import add_device
from yuanmai.devices.registry.actions.templates import load_templates
from yuanmai.places import actions
from yuanmai.places.models import Park

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
READY = "document.querySelector('ym-draw')?.dataset.state === 'ready'"
CORNERS = ((0.4, 0.4), (0.6, 0.4), (0.6, 0.6), (0.4, 0.6))


@pytest.fixture
def truck(orgs: Any) -> Any:
    """A vehicle of a park that has an outline."""
    with everywhere():
        values = {"code": "p", "name": "碧泉智造园"}
        outline = square(112.9, 27.8, 0.02)
        park = actions.save_place(SYSTEM, Park(org_id=orgs.north.pk), values, geometry=outline)
        load_templates(SYSTEM, orgs.north.pk)
        template = ProductTemplate.objects.get(org_id=orgs.north.pk, code="jt808-vehicle")
        return add_device(
            SYSTEM,
            orgs.north.pk,
            code="truck-1",
            name="巡查车",
            template=template,
            key="13900000001",
            park=park,
        )


@pytest.fixture
def operator(make_user: Callable[..., Any], orgs: Any) -> Any:
    return make_user("operator", orgs.north)


def click(page: Page, across: float, down: float) -> None:
    """Click on the map, at a part of its width and height."""
    box = page.locator("ym-draw canvas").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)


def ring(page: Page) -> list[list[float]]:
    """What stands in the field of corners."""
    lines = page.input_value("#rule_corners").splitlines()
    return [[float(part) for part in line.split(",")] for line in lines]


def test_a_polygon_is_drawn_for_a_rule_and_saved(
    open_page: Callable[..., Page], operator: Any, truck: Any, tmp_path: Path
) -> None:
    page = open_page("/devices/rules/new/?kind=geofence", operator)
    wait_until(page, READY)
    page.locator("[data-tool=polygon]").click()
    for across, down in CORNERS:
        click(page, across, down)
    wait_until(page, "document.querySelector('ym-draw').dataset.points === '4'")
    drawn = ring(page)
    assert drawn[0][0] == drawn[3][0] < drawn[1][0] == drawn[2][0]
    assert drawn[2][1] == drawn[3][1] < drawn[0][1] == drawn[1][1]
    assert "Area" in page.locator(".ym-draw-said").inner_text()

    # Without a mouse: a dot is moved by the arrow keys, taken away by Delete, and brought back.
    dot = page.get_by_role("button", name="Point 2", exact=True)
    dot.focus()
    page.keyboard.press("Shift+ArrowUp")
    assert ring(page)[1][1] > drawn[1][1] and ring(page)[0] == drawn[0]
    page.keyboard.press("Delete")
    assert len(ring(page)) == 3
    page.locator("[data-do=back]").click()
    page.locator("[data-do=back]").click()
    assert ring(page) == drawn
    # What is typed is drawn as well.
    page.fill("#rule_corners", page.input_value("#rule_corners") + "\n112.9, 27.8")
    wait_until(page, "document.querySelector('ym-draw').dataset.points === '5'")
    page.fill("#rule_corners", "\n".join(f"{x}, {y}" for x, y in drawn))
    assert accessibility_faults(page) == []
    assert overflow(page) <= 0
    page.screenshot(path=str(tmp_path / "polygon.png"))

    page.fill("[name=name]", "车辆越界")
    page.fill("[name=code]", "out-of-bounds")
    page.fill("[name=source]", "园区管理办法")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(lambda url: "/new/" not in url)
    with everywhere():
        version = AlarmRule.objects.get(code="out-of-bounds").current
        assert version is not None
        shape = version.definition["when"]["shape"]
    assert shape == {"type": "Polygon", "coordinates": [drawn]}

    # Opened again it lies where it was drawn.
    page.goto(page.url + "edit/")
    wait_until(page, READY)
    wait_until(page, "document.querySelector('ym-draw').dataset.points === '4'")
    assert page.locator(".ym-draw-dot:not(.is-between)").count() == 4


def test_a_circle_is_drawn_for_a_vehicle(
    open_page: Callable[..., Page], operator: Any, truck: Any, tmp_path: Path
) -> None:
    page = open_page(f"/devices/commands/new/{truck.pk}/?verb=circle_set", operator)
    wait_until(page, READY)
    click(page, 0.5, 0.5)
    click(page, 0.6, 0.5)
    radius = int(page.input_value("[name=radius]"))
    assert radius != 200 and radius > 0  # 200 stood there before
    assert abs(float(page.input_value("[name=longitude]")) - 112.91) < 0.001
    page.locator("[data-do=back]").click()
    assert page.input_value("[name=longitude]") == ""
    page.get_by_role("button", name="Send").click()
    # Nothing is lost, and what is missing is said at its field.
    page.locator("#id_longitude_errors").wait_for()
    assert page.input_value("[name=radius]") == str(radius)
    wait_until(page, READY)
    page.locator("[data-do=centre]").click()  # without a mouse: the map is moved under its centre
    page.locator("ym-draw canvas").focus()
    assert accessibility_faults(page) == []
    page.screenshot(path=str(tmp_path / "circle.png"))
    page.get_by_role("button", name="Send").click()
    page.locator("#command").wait_for()
    with everywhere():
        sent = Command.objects.get(device=truck)
    assert sent.verb == "circle_set" and sent.parameters["radius"] == radius
    assert abs(sent.parameters["latitude"] - 27.81) < 0.001


def test_an_area_is_drawn_on_a_phone(open_page: Callable[..., Page], operator: Any, truck: Any) -> None:
    page = open_page(f"/devices/commands/new/{truck.pk}/?verb=rectangle_set", operator, viewport=PHONE)
    wait_until(page, READY)
    click(page, 0.4, 0.4)
    click(page, 0.7, 0.6)
    north, south = (float(page.input_value(f"[name={side}]")) for side in ("north", "south"))
    west, east = (float(page.input_value(f"[name={side}]")) for side in ("west", "east"))
    assert north > south and east > west
    assert overflow(page) <= 0
    assert accessibility_faults(page) == []
