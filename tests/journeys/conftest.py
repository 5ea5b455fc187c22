"""A browser for the journeys: Debian's Chromium through Playwright, signed in without the form, watched.

A page that asks another host, breaks the policy of the pages or throws fails its test, whatever else the test looks at.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, sync_playwright

from tests.house.files import ROOT

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--enable-unsafe-swiftshader"]
AXE = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}


@pytest.fixture(autouse=True)
def _marked(request: pytest.FixtureRequest) -> None:
    """Every journey is a browser test."""
    request.node.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def _playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="module")
def chromium(_playwright: Playwright) -> Iterator[Browser]:
    """The browser, started once for each file.

    As long as Playwright runs, its event loop counts as running in this thread: tests of other files that need a loop of their own
    could not follow in the same process.
    """
    browser = _playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    yield browser
    browser.close()


def _complaints(page: Page, host: str) -> list[str]:
    """Collect what must not happen on a page."""
    found: list[str] = []

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 4" not in message.text:  # a refusal is often what is tested
            found.append(f"console: {message.text}")

    def asked(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.netloc != host:
            found.append(f"foreign host: {request.url}")

    page.on("console", said)
    page.on("request", asked)
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    return found


@pytest.fixture
def open_page(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Page]]:
    """``open_page("/projects/", user, language="zh-CN", viewport=PHONE)``: a page of its own session.

    `user` is signed in by session cookie; None visits as a stranger. Files that the page offers can be downloaded.
    """
    opened: list[tuple[Any, list[str]]] = []

    def visit(
        path: str = "/",
        user: Any = None,
        *,
        language: str = "en-GB",
        viewport: dict[str, int] | None = None,
        theme: str = "",
    ) -> Page:
        context = chromium.new_context(
            viewport=viewport or DESK,  # type: ignore[arg-type]
            locale=language,
            accept_downloads=True,
            has_touch=(viewport or DESK)["width"] < 500,
            base_url=live_server.url,
            reduced_motion="reduce",
        )
        cookies = []
        if user is not None:
            client = Client()
            client.force_login(user, backend="yuanmai.people.backends.PasswordBackend")
            cookies.append((settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value))
        if theme:
            cookies.append(("ym_theme", theme))
        context.add_cookies(
            [{"name": name, "value": value, "url": live_server.url} for name, value in cookies]
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        opened.append((context, _complaints(page, urlsplit(live_server.url).netloc)))
        page.goto(path)
        return page

    yield visit
    complaints = [text for _context, found in opened for text in found]
    for context, _found in opened:
        context.close()
    UNDER_WAY.wait()
    assert complaints == []


class UnderWay:
    """Requests that the live server still works on: a page that is closed does not end what it had asked for."""

    def __init__(self) -> None:
        self._threads: set[int] = set()
        request_started.connect(self._began)
        # Behind Django's own receivers: by then the connection to the database has been given back.
        request_finished.connect(self._ended)

    def _began(self, **_signal: Any) -> None:
        if threading.current_thread() is not threading.main_thread():
            self._threads.add(threading.get_ident())

    def _ended(self, **_signal: Any) -> None:
        self._threads.discard(threading.get_ident())

    def wait(self, seconds: float = 30) -> None:
        """Return when nothing is under way: the database is about to be emptied."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            alive = {thread.ident for thread in threading.enumerate()}
            if not self._threads & alive:
                return
            time.sleep(0.02)


UNDER_WAY = UnderWay()


def wait_until(page: Page, script: str, *, seconds: float = 20) -> Any:
    """Poll an expression until it is true and return its value (the policy of the pages forbids `wait_for_function`)."""
    end = time.monotonic() + seconds
    while True:
        value = page.evaluate(script)
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"never came true within {seconds} s: {script}")
        page.wait_for_timeout(100)


def colours(picture: bytes) -> int:
    """The number of different colours of a picture."""
    found = Image.open(io.BytesIO(picture)).convert("RGB").getcolors(maxcolors=2**24)
    return len(found or [])


def accessibility_faults(page: Page) -> list[str]:
    """Violations of WCAG 2.2 AA that axe-core calls serious or critical, as ``rule: element``."""
    assert AXE.is_file(), "axe-core is missing: run `npm ci` in frontend/"
    page.evaluate(AXE.read_text("utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    result = page.evaluate("tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", tags)
    return [
        f"{violation['id']}: {node['target']} {node.get('failureSummary', '')[:160]}"
        for violation in result["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"]
    ]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
