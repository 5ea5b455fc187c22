"""Figures for programs: the same answers as on the page and on the command line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.conftest import AS_OF, Orgs

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(
    orgs: Orgs,
    make_project: Callable[..., Any],
    make_user: Callable[..., Any],
    client_as: Callable[..., Client],
) -> Client:
    make_project(orgs.north, "甲", plan=3_000_000, done=1_000_000, started=True)
    make_project(orgs.north, "乙", kind="continuing", plan=6_000_000, done=2_000_000, resumed=True)
    return client_as(make_user("leader", orgs.city))


def get(client: Client, path: str, **parameters: str) -> Any:
    return client.get(f"/api/v1/figures{path}", {"as_of": AS_OF.isoformat(), "org": "linzhou", **parameters})


def test_the_catalogue_says_what_each_figure_is(client: Client) -> None:
    listed = {entry["code"]: entry for entry in client.get("/api/v1/figures").json()}
    assert listed["projects.start_rate"]["unit"] == "ratio"
    assert "light" in listed["projects.start_rate"]["dimensions"]


def test_an_answer_is_unrounded_and_says_what_it_is_made_of(client: Client) -> None:
    answer = get(client, "/projects.completion_rate").json()
    assert answer["value"] == pytest.approx(1 / 3)
    assert (answer["numerator"], answer["denominator"]) == (3_000_000, 9_000_000)
    assert answer["display"] == "33.3 %"
    assert answer["rows_url"] == "/figures/projects.completion_rate?as_of=2022-03-31&org=linzhou"


def test_it_is_the_document_of_the_command_line(client: Client, orgs: Orgs) -> None:
    from django.utils import translation

    from yuanmai.cockpit.answers import figure_document
    from yuanmai.common.plain import plain
    from yuanmai.core.figures import Query
    from yuanmai.core.scope import everywhere

    with everywhere(), translation.override("en"):
        wanted = plain(
            figure_document("projects.completion_rate", Query(orgs.below(orgs.city), AS_OF), "linzhou")
        )
    answer = get(client, "/projects.completion_rate").json()
    assert {**wanted, "as_of": AS_OF.isoformat()} == answer


def test_a_figure_is_narrowed_and_split(client: Client) -> None:
    assert get(client, "/projects.count", kind="continuing").json()["value"] == 1
    parts = get(client, "/projects.count/by/kind").json()
    assert {part["value"]: part["result"] for part in parts} == {"new_start": 1, "continuing": 1}


def test_the_rows_come_in_pages(client: Client) -> None:
    page = get(client, "/projects.completion_rate/rows", limit="1").json()
    assert page["count"] == 2
    assert len(page["items"]) == 1
    assert page["items"][0]["columns"]["planned_investment"] in {3_000_000, 6_000_000}
    assert page["next"]


def test_wrong_questions_are_refused_with_a_reason(client: Client) -> None:
    assert get(client, "/projects.nothing").status_code == 404
    assert get(client, "/projects.count", colour="red").status_code in {400, 422}
    assert get(client, "/projects.time_progress", kind="continuing").status_code in {400, 422}
    assert get(client, "/projects.count/by/colour").status_code == 404
    assert get(client, "/projects.count", org="foreign").status_code == 404


def test_a_figure_of_a_room_that_is_closed_to_the_user_stays_closed(
    client: Client, orgs: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    grid = client_as(make_user("grid_officer", orgs.city))
    assert get(grid, "/funds.gap").status_code == 403
    assert "funds.gap" not in {entry["code"] for entry in grid.get("/api/v1/figures").json()}
