"""What waits for a person: sources, order, counter, page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from tests.conftest import AS_OF, Orgs
from yuanmai.cockpit import todo
from yuanmai.core.findings import Finding
from yuanmai.core.todo import Todo, TodoSource, register_todo, todo_count, todos
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.projects.models import Blocker

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english() -> Any:
    with translation.override("en"):
        yield


@pytest.fixture
def officer(orgs: Orgs, make_user: Callable[..., Any]) -> Any:
    return make_user("project_officer", orgs.city)


def ask(
    source: Any, user: Any, actor_of: Callable[..., Any], in_scope: Callable[..., Any], today: date
) -> Any:
    actor = actor_of(user)
    with in_scope(actor):
        return source(actor, today)


def test_reports_are_due_for_the_half_month(
    orgs: Orgs,
    officer: Any,
    actor_of: Callable[..., Any],
    in_scope: Callable[..., Any],
    make_project: Callable[..., Any],
) -> None:
    make_project(orgs.north, "报过", started=True, done=1)
    make_project(orgs.north, "没报")
    make_project(orgs.north, "完工", report={"completed": True, "effective_on": date(2022, 2, 1)})
    make_project(orgs.foreign, "外地")
    (late, now) = ask(todo.reports, officer, actor_of, in_scope, date(2022, 4, 3))
    assert (late.count, late.due, late.tone) == (1, date(2022, 3, 31), "danger")
    assert (now.count, now.due) == (2, date(2022, 4, 15))
    assert now.url == "/projects/progress/?period=2022-04-1&missing=1"
    assert now.title == "Report 2 projects for the first half of 2022-04"


def test_blockers_wait_for_whoever_dispatches(
    orgs: Orgs,
    officer: Any,
    actor_of: Callable[..., Any],
    in_scope: Callable[..., Any],
    make_project: Callable[..., Any],
) -> None:
    project = make_project(orgs.north)
    with in_scope(None):
        for title, state, due in (
            ("提出", "open", None), ("交办未到期", "handed", date(2022, 5, 1)), ("交办逾期", "handed", date(2022, 3, 1)),
            ("已答复", "answered", date(2022, 4, 9)), ("已办结", "closed", date(2022, 3, 1)),
        ):  # fmt: skip
            Blocker.objects.create(org=orgs.north, project=project, kind="land", title=title, state=state, due_on=due,
                                   opened_on=date(2022, 2, 1), recorded_at=datetime(2022, 2, 1, tzinfo=UTC))  # fmt: skip
    items = ask(todo.blockers, officer, actor_of, in_scope, AS_OF)
    assert [item.title for item in items] == ["交办逾期", "已答复", "提出"]
    assert items[0].tone == "danger"


def test_findings_and_imports_of_mine(
    orgs: Orgs, officer: Any, actor_of: Callable[..., Any], in_scope: Callable[..., Any]
) -> None:
    with in_scope(None):
        for key, owner in (("mine", officer), ("nobody's", None)):
            Finding.objects.create(org=orgs.north, kind="k", key=key, owner=owner, effective_on=AS_OF,
                                   found_at=datetime(2022, 4, 1, tzinfo=UTC))  # fmt: skip
        for name, state in (("看过.xlsx", "previewed"), ("入库.xlsx", "committed")):
            ImportBatch.objects.create(org=orgs.north, kind="k", file_name=name, digest="0", state=state,
                                       created_at=timezone.now(), created_by=officer)  # fmt: skip
    assert len(ask(todo.findings, officer, actor_of, in_scope, AS_OF)) == 1
    assert [i.title for i in ask(todo.imports, officer, actor_of, in_scope, AS_OF)] == ["看过.xlsx"]


@pytest.mark.parametrize(("age", "waits"), [(10, False), (80, True), (120, True)])
def test_the_password_is_announced_two_weeks_ahead(
    age: int, waits: bool, officer: Any, actor_of: Callable[..., Any], in_scope: Callable[..., Any]
) -> None:
    officer.password_changed_at = timezone.now() - timedelta(days=age)
    officer.save()
    items = ask(todo.password, officer, actor_of, in_scope, AS_OF)
    assert bool(items) is waits
    assert not items or (items[0].tone == "danger") is (age > 90)


def test_the_nearest_deadline_comes_first_and_the_counter_counts(
    orgs: Orgs, officer: Any, actor_of: Callable[..., Any], in_scope: Callable[..., Any], client_as: Callable[..., Client],
    make_project: Callable[..., Any],
) -> None:  # fmt: skip
    project = make_project(orgs.north)
    with in_scope(None):
        Blocker.objects.create(org=orgs.north, project=project, kind="land", title="无期限", opened_on=AS_OF,
                               recorded_at=datetime(2022, 2, 1, tzinfo=UTC))  # fmt: skip
    actor = actor_of(officer)
    with in_scope(actor):
        found = todos(actor, AS_OF)
        assert todo_count(actor, AS_OF) == len(found) == 2
    assert [item.due for item in found] == [date(2022, 3, 15), None]
    response = client_as(officer).get("/todo/", {"as_of": AS_OF.isoformat()})
    assert response.context["todo_count"] == 2
    assert response.content.decode().count("ym-todo-text") == 2


def test_a_source_is_declared_once() -> None:
    source = TodoSource("reports", "x", lambda actor, today: [Todo("a", "b", "/", "c")])
    with pytest.raises(ValueError, match="reports"):
        register_todo(source)


def test_nothing_waits_is_said(
    orgs: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    body = client_as(make_user("enterprise_user", orgs.north)).get("/todo/").content.decode()
    assert "Nothing waits for you" in body
