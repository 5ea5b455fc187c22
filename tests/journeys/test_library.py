"""The library in a browser: filters in the address, a saved view, the export."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page

from tests.conftest import Orgs

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
FRAME = "as_of=2022-03-31&org=linzhou"


def test_filter_save_the_view_and_export(
    open_page: Callable[..., Page], make_user: Any, orgs: Orgs, make_project: Any, tmp_path: Any
) -> None:
    make_project(orgs.north, "北园道路", plan=1_000_000, done=400_000, started=True)
    make_project(orgs.south, "南镇厂房", plan=1_000_000, done=50_000, started=True)
    page = open_page(f"/projects/?{FRAME}", make_user("project_officer", orgs.city))
    page.locator("#filter_light").select_option("yellow")
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**light=yellow**")
    assert page.locator("tbody tr").count() == 1 and "南镇厂房" in page.locator("tbody").inner_text()
    page.get_by_role("button", name="Views").click()
    page.locator("input[name=name]").fill("Behind")
    page.get_by_role("button", name="Save the view").click()
    page.goto(f"/projects/?{FRAME}")
    assert page.locator("tbody tr").count() == 2
    page.get_by_role("button", name="Views").click()
    page.get_by_role("link", name="Behind").click()
    page.wait_for_url("**light=yellow**")
    assert "南镇厂房" in page.locator("tbody").inner_text() and page.locator("tbody tr").count() == 1
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Export to Excel").click()
    waiting.value.save_as(tmp_path / "library.xlsx")
    sheet = load_workbook(tmp_path / "library.xlsx").active
    text = [cell.value for row in sheet.iter_rows() for cell in row]
    assert "南镇厂房" in text and "北园道路" not in text
