"""The wall chart: board, table with bars, map; filters in the address; the engine of the axis."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import AS_OF, Orgs
from yuanmai.cockpit.engine.timeline import Axis, axis_for, bar, ticks

FRAME = {"as_of": AS_OF.isoformat()}
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[113.0, 22.0], [113.2, 22.0], [113.2, 22.4], [113.0, 22.4], [113.0, 22.0]]],
}


def test_the_axis_covers_all_spans_and_the_year() -> None:
    axis = axis_for([(date(2021, 5, 10), date(2023, 2, 3)), (None, None)], date(2022, 3, 31))
    assert axis == Axis(date(2021, 5, 1), date(2023, 2, 28))
    assert axis_for([], date(2022, 3, 31)) == Axis(date(2022, 1, 1), date(2022, 12, 31))


def test_the_axis_does_not_grow_without_end() -> None:
    axis = axis_for([(date(1995, 1, 1), date(2060, 1, 1))], date(2022, 3, 31))
    assert axis == Axis(date(2018, 1, 1), date(2026, 12, 31))


@pytest.mark.parametrize("years", [1, 2, 4, 8])
def test_the_marks_fit(years: int) -> None:
    marks = ticks(Axis(date(2020, 1, 1), date(2019 + years, 12, 31)))
    assert 2 <= len(marks) <= 17
    assert [mark.x for mark in marks] == sorted(mark.x for mark in marks)
    assert marks[0].label == "2020"


def test_a_bar_lies_between_start_and_completion() -> None:
    axis = Axis(date(2022, 1, 1), date(2022, 12, 31))
    found = bar(axis, date(2022, 4, 1), date(2022, 10, 1), 0.5)
    assert found is not None
    assert found.x == pytest.approx(24.7, abs=0.1)
    assert found.done == pytest.approx(found.width / 2, abs=0.02)
    assert bar(axis, None, date(2022, 10, 1), 0.5) is None
    assert bar(axis, date(2023, 4, 1), None, 0) is None
    late = bar(axis, date(2022, 7, 1), None, 2.0)
    assert late is not None
    assert late.open_end
    assert late.x + late.width == pytest.approx(100, abs=0.1)
    assert late.done == late.width


@pytest.fixture
def filled(make_project: Callable[..., Any], orgs: Orgs) -> Orgs:
    dates = {"start_on": date(2022, 1, 10), "finish_on": date(2022, 12, 20)}
    make_project(orgs.north, "在建一", plan=4_000_000, done=1_200_000, started=True,
                 version={**dates, "leader": "李四", "site": SQUARE}, report={"visible_percent": 40})  # fmt: skip
    make_project(
        orgs.north, "落后二", plan=4_000_000, done=0, started=True, version={**dates, "leader": "张三"}
    )
    make_project(orgs.south, "预备三", kind="reserve", plan=None)
    make_project(orgs.foreign, "外地四", started=True, version={"site": SQUARE})
    return orgs


@pytest.fixture
def client(filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]) -> Client:
    return client_as(make_user("leader", filled.city))


@pytest.mark.django_db
def test_the_board_has_a_column_per_stage(client: Client) -> None:
    columns = client.get("/wall/", FRAME).context["columns"]
    cards = {str(column["name"]): [card["name"] for card in column["cards"]] for column in columns}
    assert set(cards["Under construction"]) == {"在建一", "落后二"}
    assert cards["Reserve"] == ["预备三"]


@pytest.mark.django_db
def test_the_table_groups_by_leader_and_draws_bars(client: Client) -> None:
    context = client.get("/wall/", {**FRAME, "view": "table"}).context
    groups = [entry["group"] for entry in context["entries"] if entry["group"]]
    assert "张三" in groups
    assert "李四" in groups
    entry = next(e for e in context["entries"] if e["name"] == "在建一")
    assert entry["bar"].done == pytest.approx(entry["bar"].width * 0.4, abs=0.02)


@pytest.mark.django_db
def test_filters_stand_in_the_address(client: Client) -> None:
    context = client.get("/wall/", {**FRAME, "view": "table", "leader": "张三"}).context
    assert [entry["name"] for entry in context["entries"]] == ["落后二"]
    red = client.get("/wall/", {**FRAME, "view": "table", "light": "yellow"}).context
    assert [entry["name"] for entry in red["entries"]] == ["落后二"]
    assert client.get("/wall/", {**FRAME, "q": "zj"}).context["total"] == 1


@pytest.mark.django_db
def test_the_map_has_sites_in_the_colour_of_their_light(client: Client) -> None:
    layers = client.get("/wall/layers.json", FRAME).json()["layers"]
    points = next(layer for layer in layers if layer["id"] == "points")
    features = client.get(points["url"]).json()["features"]
    assert [f["properties"]["name"] for f in features] == ["在建一"]
    assert features[0]["geometry"] == {"type": "Point", "coordinates": [113.1, 22.2]}
    assert features[0]["properties"]["light"] == "green"
    areas = next(layer for layer in layers if layer["id"] == "areas")
    assert client.get(areas["url"]).json()["features"][0]["geometry"] == SQUARE


@pytest.mark.django_db
def test_the_full_screen_has_no_navigation(client: Client) -> None:
    body = client.get("/wall/", {**FRAME, "full": "1", "view": "table"}).content.decode()
    assert "ym-wall-full" in body
    assert 'id="ym-side"' not in body


@pytest.mark.django_db
@pytest.mark.parametrize("view", ["board", "table", "map"])
def test_it_costs_the_same_with_more_projects(
    view: str, client: Client, filled: Orgs, make_project: Callable[..., Any]
) -> None:
    from django.core.cache import cache

    def queries() -> int:
        client.get("/wall/", {**FRAME, "view": view})
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            client.get("/wall/", {**FRAME, "view": view})
        return len(captured)

    make_project(filled.north, "先", started=True, version={"leader": "王五"})
    before = queries()
    for number in range(10):
        make_project(filled.north, f"更多 {number}", started=True, version={"leader": f"某 {number}"})
    assert queries() == before


@pytest.mark.django_db
def test_without_the_right_the_wall_is_closed(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    assert client_as(make_user("system_administrator", filled.city)).get("/wall/").status_code == 403
