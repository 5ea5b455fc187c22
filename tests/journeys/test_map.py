"""The map: drawn from our own data, usable from the list, layers, selection, phone; nobody else's places."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import PHONE, accessibility_faults, colours, overflow, wait_until
from tests.places.test_geometry import polygon
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.places import actions
from yuanmai.places.models import Building, Park, Zone

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
READY = "document.querySelector('ym-map')?.dataset.state === 'ready'"


def square(x: float, y: float, size: float) -> dict[str, Any]:
    return polygon((x, y), (x + size, y), (x + size, y + size), (x, y + size))


@pytest.fixture
def places(orgs: Any) -> dict[str, Any]:
    """A park with two zones and twelve buildings in the north, another park abroad."""
    with everywhere():
        park = actions.save_place(
            SYSTEM,
            Park(org_id=orgs.north.pk),
            {"code": "p", "name": "碧泉智造园"},
            geometry=square(112.9, 27.8, 0.02),
        )
        for n in range(2):
            values = {"code": f"z{n}", "name": f"起步区{n + 1}", "park": park}
            actions.save_place(
                SYSTEM, Zone(org_id=orgs.north.pk), values, geometry=square(112.901 + n * 0.01, 27.801, 0.008)
            )
        for n in range(12):
            values = {
                "code": f"b{n}",
                "name": f"{n + 1}号厂房",
                "park": park,
                "floors": 2 + n % 5,
                "storey_height": Decimal("4.5"),
            }
            where = square(112.902 + 0.004 * (n % 4), 27.803 + 0.004 * (n // 4), 0.0015)
            actions.save_place(SYSTEM, Building(org_id=orgs.north.pk), values, geometry=where)
        actions.save_place(
            SYSTEM,
            Park(org_id=orgs.foreign.pk),
            {"code": "f", "name": "Abroad"},
            geometry=square(113.9, 28.8, 0.02),
        )
    return {"park": park}


@pytest.fixture
def officer(make_user: Callable[..., Any], orgs: Any) -> Any:
    return make_user("project_officer", orgs.city)


def rendered(page: Page) -> int:
    return int(wait_until(page, "document.querySelector('ym-map').rendered"))


def test_the_map_is_drawn_from_own_data(open_page: Callable[..., Page], officer: Any, places: Any) -> None:
    page = open_page("/places/map/", officer)
    wait_until(page, READY)
    assert page.evaluate("!!document.querySelector('ym-map canvas').getContext('webgl2')")
    box = page.locator("ym-map canvas").bounding_box()
    assert box is not None and box["height"] > 300 and box["width"] > 500
    assert rendered(page) > 0
    assert colours(page.locator("ym-map canvas").screenshot()) > 100
    names = page.locator(".ym-map-list li button").all_inner_texts()
    assert any("碧泉智造园" in name for name in names)
    assert not any("Abroad" in name for name in names)
    assert overflow(page) == 0
    assert accessibility_faults(page) == []


def test_a_choice_in_the_list_opens_the_place(
    open_page: Callable[..., Page], officer: Any, places: Any
) -> None:
    page = open_page("/places/map/", officer)
    wait_until(page, READY)
    page.get_by_role("button", name="碧泉智造园").focus()
    page.keyboard.press("Enter")
    page.locator(".maplibregl-popup a").click()
    page.wait_for_url(f"**/places/park/{places['park'].pk}/")
    assert page.locator("h1").inner_text() == "碧泉智造园"


def test_a_layer_can_be_switched_off(open_page: Callable[..., Page], officer: Any, places: Any) -> None:
    page = open_page("/places/map/", officer)
    wait_until(page, READY)
    before = page.locator(".ym-map-list li").count()
    page.get_by_role("checkbox", name="Buildings").uncheck()
    assert page.locator(".ym-map-list li").count() == before - 12
    page.wait_for_timeout(300)
    kinds = page.evaluate("document.querySelector('ym-map').rendered")
    assert kinds > 0


def test_buildings_stand_up(open_page: Callable[..., Page], officer: Any, places: Any) -> None:
    page = open_page("/places/map/", officer)
    wait_until(page, READY)
    flat = page.locator("ym-map canvas").screenshot()
    page.get_by_role("button", name="3D view").click()
    page.wait_for_timeout(1200)
    tilted = page.locator("ym-map canvas").screenshot()
    assert flat != tilted
    assert page.get_by_role("button", name="Flat view").is_visible()


def test_an_address_selects_a_place(open_page: Callable[..., Page], officer: Any, places: Any) -> None:
    page = open_page(f"/places/map/?selected=park-{places['park'].pk}", officer)
    wait_until(page, "document.querySelector('.maplibregl-popup')")
    assert "碧泉智造园" in page.locator(".maplibregl-popup").inner_text()


def test_the_map_fits_a_phone_and_the_dark(open_page: Callable[..., Page], officer: Any, places: Any) -> None:
    page = open_page("/places/map/", officer, viewport=PHONE, theme="dark", language="zh-CN")
    wait_until(page, READY)
    assert overflow(page) == 0
    assert page.locator("h1").inner_text() == "地图"
    assert accessibility_faults(page) == []


def test_a_scope_without_places_says_so(open_page: Callable[..., Page], make_user: Any, orgs: Any) -> None:
    page = open_page("/places/map/", make_user("project_officer", orgs.south))
    wait_until(page, READY)
    assert page.get_by_text("Nothing in this scope has a position yet.").first.is_visible()
