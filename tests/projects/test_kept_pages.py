"""What is kept of pages: whoever writes sees it at once, others see their own, and a page seen before asks for no rows."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import AS_OF
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.projects.actions import report_progress

pytestmark = pytest.mark.django_db

PAGES = (f"/projects/?as_of={AS_OF}", f"/figures/projects.investment_done?as_of={AS_OF}")


@pytest.mark.parametrize("address", PAGES)
def test_a_report_is_seen_at_once(
    address: str, orgs: Any, make_project: Any, make_user: Any, client_as: Any
) -> None:
    project = make_project(orgs.north, "甲厂房", plan=90_000_000, done=12_340_000, total=90_000_000)
    client = client_as(make_user("project_officer", orgs.city))
    assert "1,234" in client.get(address).content.decode()
    with everywhere():
        report_progress(SYSTEM, AS_OF, [(project, {"investment_done": Decimal(56_780_000)})])
    page = client.get(address).content.decode()
    assert "5,678" in page
    assert "1,234" not in page


@pytest.mark.parametrize("address", PAGES)
def test_a_page_seen_before_reads_no_rows(
    address: str, orgs: Any, make_project: Any, make_user: Any, client_as: Any
) -> None:
    make_project(orgs.north, "甲厂房", done=1)
    make_project(orgs.south, "乙道路", done=1)
    city, south = (client_as(make_user("project_officer", org)) for org in (orgs.city, orgs.south))
    first = city.get(address).content.decode()
    with CaptureQueriesContext(connection) as asked:
        again = city.get(address).content.decode()
    assert not [q for q in asked.captured_queries if "projects_projectstate" in q["sql"]]
    assert "甲厂房" in first
    assert "甲厂房" in again
    assert "乙道路" in again
    # Another scope has rows of its own, whatever was kept before.
    there = south.get(address).content.decode()
    assert "乙道路" in there
    assert "甲厂房" not in there
    with CaptureQueriesContext(connection) as asked:
        chinese = (
            client_as(make_user("project_officer", orgs.city), language="zh-CN").get(address).content.decode()
        )
    assert asked.captured_queries
    assert chinese != again, "each language has its own"
