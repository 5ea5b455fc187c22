"""Every registered figure opens; its rows and its parts add up to its value; in a constant number of queries."""

from __future__ import annotations

import html
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import AS_OF, Orgs
from yuanmai.cockpit import figure_pages as pages
from yuanmai.cockpit.answers import figure_document
from yuanmai.core.figures import FIGURES, Calendar, Facts, Query, breakdown, evaluate, rows

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(make_project: Callable[..., Any], orgs: Orgs) -> Orgs:
    """Eight projects of all kinds in two parks, and one in a foreign park."""
    make_project(
        orgs.north,
        "厂房一期",
        plan=4_000_000,
        done=1_000_000,
        started=True,
        total=2_000_000_000,
        lists=["市重点"],
    )
    make_project(orgs.north, "厂房二期", plan=6_000_000, done=0, started=False, lists=["市重点", "技改"])
    make_project(orgs.north, "管网", kind="continuing", plan=5_000_000, done=2_500_000, resumed=True,
                 version={"category": "基础设施", "leader": "张三", "responsible": "建设局"})  # fmt: skip
    make_project(orgs.south, "道路", kind="continuing", plan=3_000_000, done="333333.33", resumed=False,
                 version={"category": "基础设施"})  # fmt: skip
    make_project(orgs.south, "停车场", kind="reserve", plan=None)
    make_project(orgs.foreign, "外地项目", plan=9_000_000, done=9_000_000, started=True)
    return orgs


def page_of(client: Client, code: str, **parameters: str) -> Any:
    return client.get(f"/figures/{code}", {"as_of": AS_OF.isoformat(), **parameters})


@pytest.mark.parametrize("code", sorted(FIGURES))
def test_every_figure_opens(
    code: str, filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    response = page_of(client_as(make_user("leader", filled.city)), code)
    assert response.status_code == 200
    body = html.unescape(response.content.decode())
    assert figure_of(code, filled)["display"] in body
    assert str(FIGURES[code].definition) in body


def figure_of(code: str, orgs: Orgs) -> dict[str, Any]:
    from django.utils import translation

    from yuanmai.core.scope import everywhere

    with everywhere(), translation.override("en"):
        return figure_document(code, Query(orgs.below(orgs.city), AS_OF), "linzhou")


@pytest.mark.parametrize("code", sorted(c for c, f in FIGURES.items() if not isinstance(f, Calendar)))
def test_the_rows_sum_to_the_value(code: str, filled: Orgs, in_scope: Callable[..., Any]) -> None:
    query = Query(filled.below(filled.city), AS_OF)
    with in_scope(filled.city):
        base, facts = rows(code, query)
        result = evaluate(base.code, query)
        assert facts is not None
        entries = list(facts)
        assert len(entries) == len(facts)
        assert sum((r.numerator or 0 for r in entries), Decimal(0)) == result.numerator
        if result.denominator is not None:
            assert sum((r.denominator or 0 for r in entries), Decimal(0)) == result.denominator
    assert all("外地" not in entry.view.label for entry in entries)


@pytest.mark.parametrize("code", sorted(c for c, f in FIGURES.items() if isinstance(f, Facts)))
def test_the_parts_add_up_and_each_link_gives_the_part(
    code: str, filled: Orgs, in_scope: Callable[..., Any]
) -> None:
    figure = FIGURES[code]
    query = Query(filled.below(filled.city), AS_OF)
    with in_scope(filled.city):
        whole = evaluate(code, query)
        for dimension in figure.dimensions:
            groups = breakdown(code, query, dimension.code)
            for group in groups:
                assert evaluate(code, query.where(**{dimension.code: group.value})) == group.result
            if not pages.overlapping(figure, dimension.code):
                total = sum((g.result.numerator or Decimal(0) for g in groups), Decimal(0))
                assert total == whole.numerator


def test_the_page_shows_numerator_denominator_and_rows(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    response = page_of(client_as(make_user("leader", filled.city)), "projects.start_rate")
    assert response.context["display"] == "50.0 %"
    assert response.context["formula"] == "1 ÷ 2 = 50.0 %"
    assert [row["label"] for row in response.context["rows"]] == ["厂房一期", "厂房二期"]
    assert [row["numerator"].text for row in response.context["rows"]] == ["1", "0"]
    assert response.context["total_numerator"].text == "1"
    assert response.context["total_denominator"].text == "2"


def test_money_is_shown_in_wan_with_the_exact_yuan_behind_it(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    response = page_of(client_as(make_user("leader", filled.city)), "projects.completion_rate")
    shares = {row["label"]: row["numerator"] for row in response.context["rows"]}
    assert shares["道路"].text == "33.33"
    assert shares["道路"].title == "333,333.33"


def test_narrowing_by_a_dimension_and_taking_it_back(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    client = client_as(make_user("leader", filled.city))
    response = page_of(client, "projects.count", kind="continuing")
    assert response.context["display"] == "2"
    (narrowed,) = response.context["narrowed"]
    assert narrowed["value"] == "Continuing"
    assert client.get(narrowed["url"]).context["display"] == "4"


def test_a_tag_may_overlap_and_then_no_total_is_claimed(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    response = page_of(client_as(make_user("leader", filled.city)), "projects.count", by="list")
    assert response.context["overlap"] is True
    assert {part.label: part.display for part in response.context["parts"]} == {"市重点": "2", "技改": "1"}


def test_the_number_of_queries_does_not_depend_on_the_rows(
    filled: Orgs,
    make_user: Callable[..., Any],
    client_as: Callable[..., Client],
    make_project: Callable[..., Any],
) -> None:
    client = client_as(make_user("leader", filled.city))

    def queries() -> int:
        from django.core.cache import cache

        page_of(client, "projects.completion_rate")
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page_of(client, "projects.completion_rate")
        return len(captured)

    before = queries()
    for number in range(12):
        make_project(filled.north, f"更多 {number}", version={"category": f"类 {number}"})
    assert queries() == before


def test_an_unknown_dimension_is_refused_with_the_ones_there_are(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    response = page_of(client_as(make_user("leader", filled.city)), "projects.count", colour="red")
    assert response.status_code == 400
    assert "leader" in response.content.decode()


def test_an_unknown_figure_is_not_found(
    make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    assert page_of(client_as(make_user("leader")), "projects.happiness").status_code == 404


def test_a_foreign_organisation_is_refused_instead_of_showing_another_number(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    response = page_of(client_as(make_user("leader", filled.north)), "projects.count", org="foreign")
    assert response.status_code == 403
    assert "foreign" in response.content.decode()


def test_without_the_right_the_figure_stays_closed(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    client = client_as(make_user("grid_officer", filled.north))
    assert page_of(client, "funds.gap").status_code == 403
    assert page_of(client, "projects.count").status_code == 200


def test_a_right_in_one_place_does_not_open_another(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    """Finance officer in the north, grid officer in the south: the gap is the north's alone."""
    user = make_user("finance_officer", filled.north, posts=[("grid_officer", filled.city)])
    response = page_of(client_as(user), "funds.gap", org="linzhou")
    assert {row["label"] for row in response.context["rows"]} == {"厂房一期", "厂房二期", "管网"}


def test_as_known_at_shows_what_was_known(
    orgs: Orgs,
    make_user: Callable[..., Any],
    client_as: Callable[..., Client],
    make_project: Callable[..., Any],
) -> None:
    from datetime import UTC, datetime

    make_project(orgs.north, "早", recorded_at=datetime(2022, 4, 1, tzinfo=UTC))
    make_project(orgs.north, "晚", recorded_at=datetime(2022, 5, 1, tzinfo=UTC))
    client = client_as(make_user("leader", orgs.city))
    response = page_of(client, "projects.count", known_at="2022-04-15T00:00")
    assert response.context["display"] == "1"
    assert "2022-04-15 00:00" in response.content.decode()
    assert page_of(client, "projects.count").context["display"] == "2"


def test_the_export_has_every_row_and_the_totals(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    client = client_as(make_user("leader", filled.city))
    response = client.get("/figures/projects.completion_rate/export", {"as_of": AS_OF.isoformat()})
    sheet = openpyxl.load_workbook(io.BytesIO(response.content)).active
    values = [[c.value for c in row] for row in sheet.iter_rows()]
    total = next(row for row in values if row[0] == "Total")
    assert total[-2:] == [pytest.approx(3833333.33), 18000000]
    names = {row[0] for row in values}
    assert {"厂房一期", "厂房二期", "管网", "道路"} <= names
    assert "停车场" not in names
    assert any("Completion rate: 21.3 %" in str(row[0]) for row in values)


def test_the_catalogue_finds_by_name_code_and_initials(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    client = client_as(make_user("leader", filled.city), language="zh-hans")
    everything = client.get("/figures/").context["count"]
    assert everything == len(FIGURES)

    def found(text: str) -> set[str]:
        groups = client.get("/figures/", {"q": text}).context["groups"]
        return {entry["figure"].code for group in groups for entry in group["figures"]}

    assert "projects.start_rate" in found("start_rate")
    assert found("zzzz") == set()
