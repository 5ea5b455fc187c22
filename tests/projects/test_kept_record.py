"""The overview of a project is written once and shown again, until something that it shows has changed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.actions import set_funding
from yuanmai.projects.actions import raise_blocker, report_progress

pytestmark = pytest.mark.django_db
DAY = date(2022, 3, 31)
FRAME = {"as_of": "2022-03-31", "org": "linzhou"}


@pytest.fixture(autouse=True)
def _empty() -> None:
    caches["fragments"].clear()


@pytest.fixture
def project(orgs: Any, make_project: Any) -> Any:
    return make_project(orgs.north, "Pipes", plan=1_000_000, total=5_000_000, done=100_000, started=True)


def body(client: Any, project: Any) -> str:
    answer = client.get(reverse("projects:record", args=[project.uid]), FRAME)
    assert answer.status_code == 200
    return str(answer.content.decode())


def test_seen_again_it_reads_no_project_rows(make_user: Any, client_as: Any, orgs: Any, project: Any) -> None:
    client = client_as(make_user("leader", orgs.city))
    first = body(client, project)
    with CaptureQueriesContext(connection) as asked:
        again = body(client, project)
    assert not [query for query in asked.captured_queries if "projectstate" in query["sql"]]
    assert "Pipes" in again and len(again) == len(first)


def test_whatever_it_shows_is_new_at_once(make_user: Any, client_as: Any, orgs: Any, project: Any) -> None:
    client = client_as(make_user("leader", orgs.city))
    body(client, project)
    with everywhere():
        report_progress(
            SYSTEM,
            DAY,
            [
                (
                    project,
                    {"investment_done": Decimal(730_000), "visible_progress": "Trench dug", "started": True},
                )
            ],
        )
    assert "Trench dug" in body(client, project)
    with everywhere():
        raise_blocker(SYSTEM, project, DAY, {"title": "No power on site", "kind": "utilities"})
    assert "No power on site" in body(client, project)
    before = body(client, project)
    with everywhere():
        line = {"source": "fiscal", "security": "secured", "amount": Decimal(3_000_000)}
        set_funding(SYSTEM, project, DAY, [line])
    assert body(client, project) != before


def test_each_right_and_scope_sees_its_own(make_user: Any, client_as: Any, orgs: Any, project: Any) -> None:
    officer = client_as(make_user("project_officer", orgs.city))
    edit = reverse("projects:revise", args=[project.uid])
    assert edit in body(officer, project)
    assert edit not in body(client_as(make_user("leader", orgs.city)), project)
    assert edit in body(officer, project)
    foreign = client_as(make_user("leader", orgs.foreign))
    assert (
        foreign.get(reverse("projects:record", args=[project.uid]), {"as_of": "2022-03-31"}).status_code
        == 404
    )
