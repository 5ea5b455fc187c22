"""The home pages by role: what they show, to whom, at which day, and that they cost the same with more rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.conftest import AS_OF, Orgs
from yuanmai.core.findings import Finding
from yuanmai.projects.models import Blocker

pytestmark = pytest.mark.django_db
FRAME = {"as_of": AS_OF.isoformat()}


@pytest.fixture
def filled(make_project: Callable[..., Any], orgs: Orgs) -> Orgs:
    make_project(orgs.north, "到位的", plan=4_000_000, done=1_200_000, started=True)
    make_project(orgs.north, "落后的", plan=4_000_000, done=0, started=True, version={"leader": "李四"})
    make_project(orgs.south, "续建的", kind="continuing", plan=2_000_000, done=600_000, resumed=True)
    make_project(orgs.foreign, "外地的", plan=9_000_000, done=0, started=True)
    return orgs


def stored(org: Any, in_scope: Callable[..., Any], **values: Any) -> Finding:
    with in_scope(None):
        return Finding.objects.create(
            org=org, kind="test.kind", key=values.pop("key", "a"), found_at=datetime(2022, 4, 1, tzinfo=UTC),
            **{"effective_on": AS_OF, **values},
        )  # fmt: skip


def test_the_leader_sees_figures_lights_and_who_is_behind(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    context = client_as(make_user("leader", filled.city)).get("/", FRAME).context
    shown = {card["url"].split("?")[0].split(".")[-1]: card["display"] for card in context["cards"]}
    assert shown["count"] == "3"
    assert shown["completion_rate"] == "18.0 %"
    assert shown["start_rate"] == "100.0 %"
    lights = {part["light"]: part["count"] for part in context["lights"]["parts"]}
    assert sum(lights.values()) == 3
    assert [row.name for row in context["lights"]["behind"]] == ["落后的"]
    assert "25.0 points behind" in context["lights"]["behind"][0].words
    assert context["lights"]["behind"][0].leader == "李四"


def test_every_card_opens_to_the_same_number(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    client = client_as(make_user("leader", filled.city))
    for card in client.get("/", FRAME).context["cards"]:
        assert client.get(card["url"]).context["display"] == card["display"], card["label"]


def test_a_change_is_told_against_the_month_before(
    orgs: Orgs,
    make_project: Callable[..., Any],
    make_user: Callable[..., Any],
    client_as: Callable[..., Client],
) -> None:
    make_project(orgs.north, plan=4_000_000, done=1_000_000, as_of=AS_OF)
    cards = client_as(make_user("leader", orgs.city)).get("/", FRAME).context["cards"]
    done = next(card for card in cards if card["url"].startswith("/figures/projects.investment_done"))
    assert done["change"] == "+CNY 1.00 m"
    assert done["change_tone"] == "success"
    assert "2022-02" in done["note"]


def test_the_units_are_compared_by_their_completion_rate(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    context = client_as(make_user("leader", filled.city)).get("/", FRAME).context
    assert [row["name"] for row in context["compare"]["rows"]] == ["South Town", "North Park"]
    below = client_as(make_user("leader", filled.north)).get("/", FRAME).context
    assert below["compare"] is None


def test_open_findings_and_raised_blockers_are_on_the_page(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client], in_scope: Callable[..., Any],
    make_project: Callable[..., Any],
) -> None:  # fmt: skip
    stored(filled.north, in_scope)
    stored(filled.foreign, in_scope)
    stored(filled.north, in_scope, key="later", effective_on=date(2022, 6, 30))
    project = make_project(filled.north, "堵住的")
    with in_scope(None):
        for level, title in ((0, "小事"), (2, "大事")):
            Blocker.objects.create(
                org=filled.north, project=project, kind="land", title=title, level=level,
                opened_on=date(2022, 3, 1), due_on=date(2022, 4, 30), recorded_at=datetime(2022, 3, 1, tzinfo=UTC),
            )  # fmt: skip
    context = client_as(make_user("leader", filled.city)).get("/", FRAME).context
    assert context["findings"]["count"] == 1
    assert [row["title"] for row in context["needs"]["rows"]] == ["大事"]


def test_an_empty_scope_is_told_what_to_do_first(
    orgs: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    response = client_as(make_user("project_officer", orgs.north)).get("/")
    assert response.context["empty"]["day"] is None
    assert response.context["empty"]["import_url"] == "/import/new/"
    assert client_as(make_user("leader", orgs.north)).get("/").context["empty"]["import_url"] == ""


def test_a_day_without_data_offers_the_one_that_has_some(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    client = client_as(make_user("leader", filled.city))
    empty = client.get("/", {"as_of": "2021-06-30"}).context["empty"]
    assert empty["day"] == AS_OF
    assert client.get(empty["day_url"]).context["cards"]


def test_the_knowledge_of_then(
    orgs: Orgs,
    make_project: Callable[..., Any],
    make_user: Callable[..., Any],
    client_as: Callable[..., Client],
) -> None:
    make_project(orgs.north, "早", recorded_at=datetime(2022, 4, 1, tzinfo=UTC))
    make_project(orgs.north, "晚", recorded_at=datetime(2022, 5, 1, tzinfo=UTC))
    client = client_as(make_user("leader", orgs.city))
    cards = client.get("/", {**FRAME, "known_at": "2022-04-15T00:00"}).context["cards"]
    assert cards[0]["display"] == "1"


@pytest.mark.parametrize("role", ["leader", "project_officer"])
def test_home_costs_the_same_with_more_projects(
    role: str, filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client],
    make_project: Callable[..., Any],
) -> None:  # fmt: skip
    client = client_as(make_user(role, filled.city))

    def queries() -> int:
        from django.core.cache import cache

        client.get("/", FRAME)
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            client.get("/", FRAME)
        return len(captured)

    make_project(filled.north, "又一个落后的", plan=4_000_000, done=0, started=True)
    before = queries()
    for number in range(12):
        make_project(filled.north, f"更多 {number}", plan=4_000_000, done=0, started=True)
    assert queries() == before


def test_home_is_answered_from_memory_the_second_time(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    client = client_as(make_user("leader", filled.city))
    client.get("/", FRAME)
    with CaptureQueriesContext(connection) as captured:
        client.get("/", FRAME)
    assert len(captured) <= 12, "\n".join(q["sql"][:120] for q in captured)


@pytest.mark.parametrize(
    ("role", "word"),
    [
        ("system_administrator", "System administration"),
        ("security_administrator", "Security administration"),
        ("audit_administrator", "Audit administration"),
        ("enterprise_user", "not open yet"),
    ],
)
def test_every_other_role_has_its_own_home(
    role: str, word: str, filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    response = client_as(make_user(role, filled.city)).get("/")
    assert response.status_code == 200
    assert word in response.content.decode()
    for task in response.context.get("tasks") or []:
        client = client_as(make_user(role, filled.city))
        answer = client.post(task["url"], follow=True) if task["post"] else client.get(task["url"])
        assert answer.status_code == 200, task["url"]


def test_several_roles_are_tabs(
    filled: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    user = make_user("leader", filled.city, posts=[("project_officer", filled.north)])
    client = client_as(user)
    tabs = client.get("/").context["tabs"]
    assert [str(tab["label"]) for tab in tabs] == ["Overview", "My work"]
    assert client.get("/" + tabs[1]["url"]).context["shown"] == "officer"


def test_someone_without_a_post_is_told_so(
    orgs: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    user = make_user("leader", orgs.city)
    user.posts.all().delete()
    assert "hold no post" in client_as(user).get("/").content.decode()
