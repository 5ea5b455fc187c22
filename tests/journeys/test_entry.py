"""The half-month routine in a browser: the sheet on a desk, one project on a phone; the library and a blocker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.conftest import Orgs
from tests.journeys.conftest import PHONE, accessibility_faults, overflow
from yuanmai.core.scope import everywhere
from yuanmai.projects.models import Blocker, ProjectState

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FRAME = "as_of=2022-03-31&org=north"
Visit = Callable[..., Page]


@pytest.fixture
def project(orgs: Orgs, make_project: Any) -> Any:
    """A started project with a report of mid-March and a site."""
    return make_project(
        orgs.north, "北园道路", plan=10_000_000, done=2_000_000, total=50_000_000, started=True, as_of=date(2022, 3, 15),
        version={"responsible": "建设局", "leader": "李四", "site": {"type": "Point", "coordinates": [113.4, 22.3]}},
    )  # fmt: skip


@pytest.mark.parametrize("viewport", [None, PHONE], ids=["desk", "phone"])
def test_the_pages_are_accessible_and_fit(
    open_page: Visit, make_user: Any, orgs: Orgs, project: Any, viewport: Any
) -> None:
    user = make_user("project_officer", orgs.city, posts=[("finance_officer", orgs.city)])
    page = open_page(f"/projects/?{FRAME}", user, viewport=viewport)
    record = f"/projects/{project.uid}"
    paths = (
        "/projects/", "/projects/progress/", "/projects/new/", "/projects/lights/", "/projects/blockers/", "/funds/",
        f"{record}/", f"{record}/progress/", f"{record}/history/", f"{record}/lists/", f"{record}/report/",
        f"{record}/plan/", f"/funds/projects/{project.uid}/", f"/funds/projects/{project.uid}/edit/",
    )  # fmt: skip
    faults = {}
    for path in paths:
        page.goto(f"{path}?{FRAME}")
        if found := [*accessibility_faults(page), *([f"overflow {n}"] if (n := overflow(page)) else [])]:
            faults[path] = found
    assert faults == {}


def test_the_sheet_is_filled_in_and_undone(
    open_page: Visit, make_user: Any, orgs: Orgs, project: Any
) -> None:
    page = open_page(
        f"/projects/progress/?{FRAME}&period=2022-03-2&mode=sheet", make_user("project_officer", orgs.city)
    )
    cell = page.locator("ym-sheet tbody td:not(.ym-sheet-no) input").first
    cell.fill("250")
    page.locator("ym-sheet .ym-sheet-foot .btn-primary").click()
    page.wait_for_url("**/projects/progress/?period=2022-03-2")
    with everywhere():
        assert ProjectState.objects.at(date(2022, 3, 31)).get(project=project).investment_done == 2_500_000
    page.locator(".ym-toast form button").first.click()
    page.wait_for_load_state("networkidle")
    with everywhere():
        assert ProjectState.objects.at(date(2022, 3, 31)).get(project=project).investment_done == 2_000_000


def test_a_report_from_a_phone_warns_before_it_saves(
    open_page: Visit, make_user: Any, orgs: Orgs, project: Any, tmp_path: Any
) -> None:
    path = f"/projects/{project.uid}/report/?{FRAME}&period=2022-03-2"
    page = open_page(path, make_user("project_officer", orgs.city), viewport=PHONE, language="zh-CN")
    page.get_by_label("本年完成投资（万元）").fill("100")
    page.get_by_role("button", name="保存填报").click()
    assert "小于上期" in page.locator(".alert-warning").inner_text()
    page.screenshot(path=str(tmp_path / "phone.png"), full_page=True)
    page.locator("input[name=confirmed]").check()
    page.get_by_role("button", name="保存填报").click()
    page.wait_for_url("**/progress/")
    with everywhere():
        assert ProjectState.objects.at(date(2022, 3, 31)).get(project=project).investment_done == 1_000_000


def test_a_blocker_is_recorded_handed_over_and_closed(
    open_page: Visit, make_user: Any, orgs: Orgs, project: Any
) -> None:
    page = open_page(
        f"/projects/{project.uid}/blockers/new/?{FRAME}", make_user("project_officer", orgs.city)
    )
    page.get_by_label("What stops it").fill("No power")
    page.locator("form.ym-form .ym-form-actions .btn-primary").click()
    page.locator("#id_hand_body, #hand_body").fill("Power company")
    page.locator("#hand_due_on").fill("2030-01-01")
    page.locator("form[action*='/hand/'] .btn-primary").click()
    page.locator("#answer_text").fill("Cable laid")
    page.locator("form[action*='/answer/'] .btn-primary").click()
    page.locator("#close_text").fill("Seen on site")
    page.locator("form[action*='/close/'] .btn-primary").click()
    page.locator(".ym-record .ym-badge", has_text="Closed").wait_for()
    with everywhere():
        assert Blocker.objects.get().state == "closed"
