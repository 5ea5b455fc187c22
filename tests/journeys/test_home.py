"""Home, to-do and drill-down in a browser: from a number to its definition, its parts, its rows; on desk and phone."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.conftest import AS_OF, Orgs
from tests.journeys.conftest import PHONE, accessibility_faults, overflow, wait_until
from yuanmai.core.findings import Finding
from yuanmai.projects.models import Blocker

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FRAME = f"as_of={AS_OF.isoformat()}"


@pytest.fixture
def filled(orgs: Orgs, make_project: Callable[..., Any], in_scope: Callable[..., Any]) -> Orgs:
    dates = {
        "start_on": date(2022, 1, 10),
        "finish_on": date(2023, 6, 30),
        "responsible": "建设局",
        "leader": "李四",
    }
    make_project(
        orgs.north,
        "标准厂房一期",
        plan=40_000_000,
        done=12_000_000,
        started=True,
        total=900_000_000,
        version=dates,
    )
    project = make_project(orgs.north, "污水管网", plan=40_000_000, done=0, started=True, version=dates)
    make_project(
        orgs.south,
        "园区道路",
        kind="continuing",
        plan=20_000_000,
        done=6_000_000,
        resumed=True,
        version=dates,
    )
    with in_scope(None):
        Blocker.objects.create(org=orgs.north, project=project, kind="land", title="用地手续未完成", level=2,
                               opened_on=date(2022, 3, 1), due_on=date(2022, 3, 20),
                               recorded_at=datetime(2022, 3, 1, tzinfo=UTC))  # fmt: skip
        Finding.objects.create(org=orgs.north, kind="k", key="a", effective_on=AS_OF,
                               found_at=datetime(2022, 4, 1, tzinfo=UTC))  # fmt: skip
    return orgs


@pytest.mark.parametrize(
    "path", ["/", "/todo/", "/figures/projects.completion_rate", "/wall/", "/wall/?view=table", "/findings/"]
)
@pytest.mark.parametrize(("viewport", "theme"), [(None, "light"), (None, "dark"), (PHONE, "light")])
def test_the_pages_can_be_used_by_everybody(
    path: str,
    viewport: Any,
    theme: str,
    filled: Orgs,
    make_user: Callable[..., Any],
    open_page: Callable[..., Page],
) -> None:
    user = make_user("project_officer", filled.city, posts=[("leader", filled.city)])
    separator = "&" if "?" in path else "?"
    page = open_page(f"{path}{separator}{FRAME}", user, language="zh-CN", viewport=viewport, theme=theme)
    page.wait_for_load_state("networkidle")
    assert accessibility_faults(page) == []
    assert overflow(page) <= 0


def test_from_a_number_to_its_rows_and_to_the_project(
    filled: Orgs, make_user: Callable[..., Any], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/?{FRAME}", make_user("leader", filled.city))
    page.get_by_role("link", name="18.0 %").first.click()
    assert page.get_by_role("heading", level=1).inner_text() == "Completion rate"
    assert "= 18.0 %" in page.inner_text(".ym-formula")
    wait_until(page, "document.querySelectorAll('ym-chart canvas').length >= 1")
    page.get_by_role("link", name="Leader in charge").click()
    page.get_by_role("link", name="李四").first.click()
    assert "Leader in charge: 李四" in page.inner_text(".ym-chips")
    assert page.locator("#rows tbody tr").count() == 3
    assert "10,000" in page.inner_text("#rows tfoot")
    page.get_by_role("link", name="污水管网").click()
    assert "/projects/" in page.url


def test_the_rows_come_as_a_workbook(
    filled: Orgs, make_user: Callable[..., Any], open_page: Callable[..., Page]
) -> None:
    import openpyxl

    page = open_page(f"/figures/projects.start_rate?{FRAME}", make_user("leader", filled.city))
    with page.expect_download() as download:
        page.get_by_role("link", name="Export to Excel").click()
    assert download.value.suggested_filename.endswith(".xlsx")
    content = io.BytesIO(
        download.value.path().read_bytes()
    )  # the browser keeps it under a name without an ending
    sheet = openpyxl.load_workbook(content).active
    names = {cell.value for row in sheet.iter_rows() for cell in row}
    assert {"标准厂房一期", "污水管网", "Total"} <= names


def test_search_from_the_keyboard(
    filled: Orgs, make_user: Callable[..., Any], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/?{FRAME}", make_user("leader", filled.city), language="zh-CN")
    page.keyboard.press("Control+k")
    page.keyboard.type("wsgw")
    wait_until(
        page, "[...document.querySelectorAll('.ym-palette li b')].some(b => b.textContent === '污水管网')"
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/projects/**")


def test_one_tap_from_the_to_do_list_on_a_phone(
    filled: Orgs, make_user: Callable[..., Any], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"/todo/?{FRAME}", make_user("project_officer", filled.city), viewport=PHONE)
    button = page.locator(".ym-todo a.btn").first
    box = button.bounding_box()
    assert box is not None
    assert box["height"] >= 44
    button.click()
    assert "/blockers/" in page.url or "/progress/" in page.url
