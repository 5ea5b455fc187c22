"""The frame of every page: search palette, themes, language, scope, as-of date, drawer on a phone, accessibility."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import PHONE, accessibility_faults, overflow, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def officer(make_user: Callable[..., Any], orgs: Any) -> Any:
    return make_user("project_officer", orgs.city)


@pytest.fixture
def projects(make_project: Callable[..., Any], orgs: Any) -> None:
    make_project(orgs.north, "碧泉标准厂房", started=True, done=500_000, total=20_000_000)
    make_project(orgs.south, "南镇道路", started=False, done=0, total=8_000_000)


def test_the_palette_finds_by_pinyin_initials_and_opens(
    open_page: Callable[..., Page], officer: Any, projects: None
) -> None:
    page = open_page("/places/list/park/?as_of=2022-03-31", officer)
    page.keyboard.press("Control+k")
    page.keyboard.type("bqbz")
    page.locator(".ym-palette [role=option]").first.wait_for()
    assert "碧泉标准厂房" in page.locator(".ym-palette [role=option]").first.inner_text()
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects/**")
    assert "碧泉标准厂房" in page.locator("h1").inner_text()


def test_the_palette_says_when_nothing_is_found_and_closes(
    open_page: Callable[..., Page], officer: Any
) -> None:
    page = open_page("/", officer)
    page.keyboard.press("Control+k")
    page.keyboard.type("zzzzqq")
    page.get_by_text("Nothing found for “zzzzqq”.").wait_for()
    page.keyboard.press("Escape")
    assert not page.locator("dialog.ym-palette").is_visible()


def test_the_theme_is_remembered(open_page: Callable[..., Page], officer: Any) -> None:
    page = open_page("/", officer)
    page.get_by_role("button", name="Appearance").click()
    page.get_by_role("button", name="Dark theme").click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    red, green, blue = (int(part) for part in background.strip("rgb()").split(","))
    assert max(red, green, blue) < 60


def test_the_language_switch(open_page: Callable[..., Page], officer: Any) -> None:
    page = open_page("/places/list/park/", officer, language="en-GB")
    assert page.locator("h1").inner_text() == "Parks and space"
    with page.expect_navigation():
        page.locator(".ym-lang").click()
    assert page.locator("h1").inner_text() == "园区与空间"
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"


def test_an_unknown_language_gets_chinese(open_page: Callable[..., Page], officer: Any) -> None:
    page = open_page("/places/list/park/", officer, language="fr-FR")
    assert page.locator("h1").inner_text() == "园区与空间"


def test_scope_and_date_govern_the_pages(
    open_page: Callable[..., Page], officer: Any, projects: None
) -> None:
    page = open_page("/projects/?as_of=2022-03-31", officer)
    assert page.get_by_text("南镇道路").count() > 0
    page.locator(".ym-scope-btn").click()
    page.get_by_placeholder("Find an organisation").fill("north")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "North Park" in page.locator(".ym-scope-btn").inner_text()
    page.goto("/projects/?as_of=2022-03-31")
    assert page.get_by_text("南镇道路").count() == 0
    assert page.get_by_text("碧泉标准厂房").count() > 0
    with page.expect_navigation():
        page.locator(".ym-asof input[name=as_of]").fill("2021-06-30")
    assert "Figures as of 2021-06-30" in page.locator(".ym-past").inner_text()
    with page.expect_navigation():
        page.get_by_role("button", name="Back to today").click()
    assert page.locator(".ym-past").count() == 0


def test_the_navigation_is_a_drawer_on_a_phone(open_page: Callable[..., Page], officer: Any) -> None:
    page = open_page("/", officer, viewport=PHONE)
    assert overflow(page) == 0
    assert not page.locator(".ym-side").is_visible()
    page.get_by_role("button", name="Open the navigation").click()
    page.locator(".ym-side").wait_for(state="visible")
    small = page.evaluate(
        "[...document.querySelectorAll('.ym-nav-item')].filter(e => e.getBoundingClientRect().height < 44).length"
    )
    assert small == 0
    page.keyboard.press("Escape")
    wait_until(page, "getComputedStyle(document.querySelector('.ym-side')).visibility === 'hidden'")


def test_the_first_stop_of_the_keyboard_skips_to_the_content(
    open_page: Callable[..., Page], officer: Any
) -> None:
    page = open_page("/", officer)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


@pytest.mark.parametrize("theme", ["light", "dark", "sun"])
@pytest.mark.parametrize(
    "path", ["/", "/projects/", "/places/list/park/", "/figures/", "/account/login/", "/nowhere/"]
)
def test_pages_have_no_serious_accessibility_fault(
    open_page: Callable[..., Page], officer: Any, projects: None, path: str, theme: str
) -> None:
    stranger = path == "/account/login/"
    page = open_page(f"{path}?as_of=2022-03-31", None if stranger else officer, theme=theme, language="zh-CN")
    page.wait_for_timeout(300)
    assert accessibility_faults(page) == []
    assert overflow(page) == 0


@pytest.mark.parametrize("path", ["/", "/projects/", "/places/list/park/", "/account/login/"])
def test_pages_can_be_read_at_200_percent(
    open_page: Callable[..., Page], officer: Any, projects: None, path: str
) -> None:
    """Zoomed to 200 % a window of 1280 × 800 has the width of 640: nothing may be cut off."""
    stranger = path == "/account/login/"
    page = open_page(
        f"{path}?as_of=2022-03-31", None if stranger else officer, viewport={"width": 640, "height": 400}
    )
    assert overflow(page) == 0
    assert page.locator("h1").first.is_visible()
