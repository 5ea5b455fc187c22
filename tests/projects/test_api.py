"""The routers of the projects and funds rooms."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

FRAME = "as_of=2022-03-31&org=linzhou"
pytestmark = pytest.mark.django_db


@pytest.fixture
def officer(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A signed-in project officer who is finance officer, too."""
    return client_as(make_user("project_officer", orgs.city, posts=[("finance_officer", orgs.city)]))


def send(client: Client, method: str, path: str, body: Any = None) -> Any:
    sep = "&" if "?" in path else "?"
    address = f"/api/v1/{path}{sep}{FRAME}"
    if body is None:
        return client.get(address)
    return getattr(client, method)(address, body, content_type="application/json")


def test_projects_are_listed_filtered_and_counted(officer: Client, orgs: Any, make_project: Any) -> None:
    for number in range(5):
        make_project(
            orgs.north, f"N{number}", plan=1_000_000, done=number * 100_000, started=True, lists=["技改"]
        )
    make_project(orgs.foreign, "Foreign")
    page = send(officer, "get", "projects?limit=2&order=-investment_done").json()
    assert page["count"] == 5 and [p["name"] for p in page["items"]] == ["N4", "N3"]
    first = page["items"][0]
    assert (first["light"], first["completion_rate"], first["lists"]) == ("green", 0.4, ["技改"]) and page[
        "next"
    ]
    assert send(officer, "get", "projects?light=yellow&list=技改").json()["count"] == 2
    assert send(officer, "get", "projects?light=blue").status_code == 422


def test_listing_takes_a_constant_number_of_queries(officer: Client, orgs: Any, make_project: Any) -> None:
    def count() -> int:
        send(officer, "get", "projects")
        with CaptureQueriesContext(connection) as captured:
            send(officer, "get", "projects")
        return len(captured)

    make_project(orgs.north, "A")
    few = count()
    for number in range(10):
        make_project(orgs.north, f"B{number}")
    assert count() == few


def test_a_project_lives_through_the_api(officer: Client, orgs: Any) -> None:
    new = {"organisation": "north", "name": "A", "total_investment": 1_000_000, "effective_on": "2022-01-01"}
    made = send(officer, "post", "projects", new)
    assert made.status_code == 201
    path = f"projects/{made.json()['uid']}"
    months = [10_000] * 12
    wrong = send(officer, "post", f"{path}/plans", {"year": 2022, "planned_investment": 1, "monthly": months})
    assert wrong.status_code == 422 and "planned_investment" in wrong.content.decode()
    plan = {"year": 2022, "kind": "new_start", "planned_investment": 120_000, "monthly": months}
    assert send(officer, "post", f"{path}/plans", plan | {"effective_on": "2022-01-01"}).status_code == 201
    report = {"effective_on": "2022-03-15", "investment_done": "30000.00", "started": True}
    assert send(officer, "post", f"{path}/reports", report).status_code == 201
    less = {"effective_on": "2022-03-31", "investment_done": 20_000}
    assert send(officer, "post", f"{path}/reports", less).status_code == 422
    assert send(officer, "post", f"{path}/reports", less | {"confirmed": True}).status_code == 201
    shown = send(officer, "get", path).json()
    assert (shown["investment_done"], shown["kind"], shown["stage"]) == (20_000, "new_start", "construction")
    assert "behind the time progress" in shown["light_reason"]
    assert send(officer, "get", f"{path}/reports").json()["count"] == 2
    assert send(officer, "get", f"{path}/plans").json()[0]["monthly"] == months
    assert send(officer, "put", path, {"name": "B", "total_investment": 1}).status_code == 200
    part = new | {"name": "Part", "main": made.json()["uid"]}
    assert send(officer, "post", "projects", part).status_code == 201
    assert send(officer, "get", f"{path}/subprojects").json()["count"] == 1


def test_blockers_move_through_the_api(officer: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "A")
    made = send(
        officer, "post", f"projects/{project.uid}/blockers", {"title": "No power", "kind": "utilities"}
    ).json()
    assert made["possible"] == ["hand", "close", "escalate"]
    step = f"projects/blockers/{made['id']}"
    assert send(officer, "post", f"{step}/hand", {"body": "X"}).status_code == 422
    assert (
        send(officer, "post", f"{step}/hand", {"body": "X", "due_on": "2022-05-01"}).json()["state"]
        == "handed"
    )
    conflict = send(officer, "post", f"{step}/hand", {"body": "X", "due_on": "2022-05-01"})
    assert conflict.status_code == 409 and "not possible any more" in conflict.content.decode()
    assert send(officer, "post", f"{step}/dance", {}).status_code == 404
    assert send(officer, "get", "projects/blockers?state=handed").json()["count"] == 1


def test_funding_through_the_api(officer: Client, orgs: Any, make_project: Any) -> None:
    project = make_project(orgs.north, "Park", total=1_185_000_000)
    path = f"funds/projects/{project.uid}"
    body = {
        "sources": [
            {"source": "fiscal", "security": "secured", "amount": 735_000_000},
            {"source": "special_bond", "security": "issued", "year": 2022, "amount": 207_000_000},
            {"source": "special_bond", "security": "planned", "year": 2023, "amount": 100_000_000},
        ]
    }
    assert send(officer, "put", path, body).json()["gap"] == 143_000_000
    assert send(officer, "get", "funds/projects?missing=true").json()["items"][0]["gap"] == 143_000_000
    assert send(officer, "put", path, body).status_code == 422  # nothing changes
    assert (
        send(
            officer, "put", path, {"sources": [{"source": "gift", "security": "secured", "amount": 1}]}
        ).status_code
        == 422
    )


def test_a_foreign_project_is_not_found_and_a_reader_may_not_write(
    orgs: Any, make_project: Any, make_user: Any, client_as: Any
) -> None:
    foreign, own = make_project(orgs.foreign, "Foreign"), make_project(orgs.north, "Own")
    leader = client_as(make_user("leader", orgs.city))
    assert send(leader, "get", f"projects/{foreign.uid}").status_code == 404
    assert send(leader, "get", f"funds/projects/{foreign.uid}").status_code == 404
    assert (
        send(leader, "post", f"projects/{own.uid}/reports", {"effective_on": "2022-03-31"}).status_code == 403
    )
    assert send(leader, "put", f"funds/projects/{own.uid}", {"sources": []}).status_code == 403
