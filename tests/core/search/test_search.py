"""Search over everything: what is found, for whom, how it is ranked, and how little it asks the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import Orgs
from yuanmai.core.search import SOURCES, clean, rank_of, register_source, words
from yuanmai.projects.models import Blocker

pytestmark = pytest.mark.django_db


@pytest.fixture
def filled(orgs: Orgs, make_project: Callable[..., Any], in_scope: Callable[..., Any]) -> Orgs:
    project = make_project(orgs.north, "坦洲园厂房一期", version={"code": "ZD-2022-017"})
    make_project(orgs.south, "道路改造")
    make_project(orgs.foreign, "坦洲园外地厂房")
    with in_scope(None):
        Blocker.objects.create(org=orgs.north, project=project, kind="land", title="用地手续未完成",
                               opened_on=datetime(2022, 2, 1, tzinfo=UTC), recorded_at=datetime(2022, 2, 1, tzinfo=UTC))  # fmt: skip
    return orgs


@pytest.fixture
def client(filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]) -> Client:
    return client_as(make_user("leader", filled.city, full_name="王小明"), language="zh-hans")


def results(client: Client, text: str) -> dict[str, list[str]]:
    answer = client.get("/search", {"q": text, "format": "json"}).json()["results"]
    found: dict[str, list[str]] = {}
    for hit in answer:
        found.setdefault(hit["kind"], []).append(hit["title"])
        assert hit["url"].startswith("/")
    return found


def titles(client: Client, text: str) -> list[str]:
    return [title for found in results(client, text).values() for title in found]


@pytest.mark.parametrize(
    "text", ["厂房", "tzycf", "tanzhouyuan", "ZD-2022-017", "zd-2022", "ＺＤ-2022", "坦洲 一期"]
)
def test_a_project_is_found_by_part_initials_pinyin_and_code(text: str, client: Client) -> None:
    assert "坦洲园厂房一期" in titles(client, text)


def test_what_lies_outside_the_scope_is_not_found(client: Client) -> None:
    assert "坦洲园外地厂房" not in titles(client, "坦洲园")
    assert "外园" not in titles(client, "外园")


@pytest.mark.parametrize(
    ("text", "title"),
    [("北园", "北园"), ("bei", "北园"), ("王小明", "王小明"), ("wxm", "王小明"), ("用地手续", "用地手续未完成"),
     ("projects.start_rate", None), ("挂图", None)],
)  # fmt: skip
def test_other_things_are_found(text: str, title: str | None, client: Client) -> None:
    found = titles(client, text)
    assert found
    assert title is None or title in found


def test_nothing_is_found_without_the_right(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    client = client_as(make_user("security_administrator", filled.city), language="zh-hans")
    assert "坦洲园厂房一期" not in titles(client, "坦洲园")


def test_search_asks_one_query_a_source_whatever_the_number_of_projects(
    client: Client, filled: Orgs, make_project: Callable[..., Any]
) -> None:
    def queries() -> int:
        results(client, "厂房")
        with CaptureQueriesContext(connection) as captured:
            results(client, "厂房")
        return len(captured)

    before = queries()
    for number in range(10):
        make_project(filled.north, f"厂房 {number}")
    assert queries() == before
    assert before <= 25


@pytest.mark.parametrize("text", ["%", "_", "\\", "'", '"', "<b>", "( | )", "  ", "厂" * 200])
def test_any_text_is_only_text(text: str, client: Client) -> None:
    response = client.get("/search", {"q": text})
    assert response.status_code == 200
    assert "坦洲园厂房一期" not in response.content.decode()
    assert "<b>" not in response.context["q"] or "&lt;b&gt;" in response.content.decode()


def test_the_page_says_what_can_be_found(client: Client) -> None:
    assert client.get("/search").status_code == 200
    assert client.get("/search", {"q": "厂房", "of": "projects"}).context["only"] == "projects"


def test_ranks() -> None:
    assert rank_of("开工率", "开工率") == 0
    assert rank_of("开工", "开工率") == 1
    assert rank_of("kgl", "开工率") == 2
    assert rank_of("工率", "开工率") == 3
    assert rank_of("复工", "开工率") is None
    assert words("  开工　率 ") == ["开工", "率"]
    assert clean("ＡＢ　１") == "AB 1"


def test_a_source_is_declared_once() -> None:
    with pytest.raises(ValueError, match="projects"):
        register_source("projects", "x", lambda actor, text, limit: [])
    assert {
        "projects",
        "enterprises",
        "places",
        "organisations",
        "people",
        "figures",
        "pages",
        "findings",
        "blockers",
    } <= set(SOURCES)
