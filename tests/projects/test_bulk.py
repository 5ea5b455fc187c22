"""Changing and exporting the rows picked in the library: all or none, audited, taken back as one."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from tests.conftest import AS_OF, Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.figures import Query
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import everywhere
from yuanmai.projects.actions import assign_many, set_list_of_many, undo_facts
from yuanmai.projects.models import ListMembership, Project, ProjectState, ProjectVersion
from yuanmai.projects.queries import states

pytestmark = pytest.mark.django_db
FRAME = f"?as_of={AS_OF.isoformat()}"


@pytest.fixture
def three(orgs: Orgs, make_project: Callable[..., Any]) -> list[Project]:
    version = {
        "leader": "旧领导",
        "responsible": "旧单位",
        "address": "一号路",
        "content": "厂房",
        "extra": {"a": "b"},
    }
    return [
        make_project(orgs.north, f"项目{n}", version=version, lists=["技改"] if n == 1 else [])
        for n in range(3)
    ]


def standing(*projects: Project, day: date = AS_OF) -> list[ProjectState]:
    with everywhere():
        orgs = tuple({project.org_id for project in projects})
        found = {s.project_id: s for s in states(Query(orgs, day)).select_related("version")}
    return [found[project.pk] for project in projects]


def test_projects_are_put_on_a_list_and_taken_off(three: list[Project]) -> None:
    with everywhere():
        facts = set_list_of_many(SYSTEM, three, AS_OF, " 技改 ", on=True)
        assert [fact.project_id for fact in facts] == [three[0].pk, three[2].pk]  # type: ignore[attr-defined]
        assert {s.lists for s in standing(*three)} == {"|技改|"}
        assert AuditEntry.objects.filter(action="projects.list_many").count() == 2
        off = set_list_of_many(SYSTEM, three[:2], AS_OF, "技改", on=False)
        assert [s.lists for s in standing(*three)] == ["", "", "|技改|"]
        undo_facts(SYSTEM, off, "by mistake")
        undo_facts(SYSTEM, facts, "by mistake")
    assert [s.lists for s in standing(*three)] == ["", "|技改|", ""]


def test_assigning_keeps_everything_else_and_the_past(three: list[Project]) -> None:
    before = [(s.version.address, s.version.content, s.version.extra, s.name) for s in standing(*three)]
    with everywhere():
        facts = assign_many(SYSTEM, three, AS_OF, {"leader": " 新  领导 "})
    after = standing(*three)
    assert {(s.leader, s.responsible) for s in after} == {("新 领导", "旧单位")}
    assert [(s.version.address, s.version.content, s.version.extra, s.name) for s in after] == before
    assert {s.leader for s in standing(*three, day=date(2022, 3, 30))} == {"旧领导"}
    assert len(facts) == 3
    with everywhere():
        undo_facts(SYSTEM, facts, "by mistake")
    assert {s.leader for s in standing(*three)} == {"旧领导"}
    entry = AuditEntry.objects.filter(action="projects.assign_many").latest("sequence")
    assert (entry.before["leader"], entry.after["leader"]) == ("旧领导", "新 领导")


def test_what_is_so_already_is_left_alone(three: list[Project]) -> None:
    with everywhere():
        versions = ProjectVersion.objects.count()
        assert assign_many(SYSTEM, three, AS_OF, {"responsible": "旧单位"}) == []
        assert set_list_of_many(SYSTEM, [three[1]], AS_OF, "技改", on=True) == []
        assert ProjectVersion.objects.count() == versions


@pytest.mark.parametrize("name", ["", "  ", "a|b", "长" * 61])
def test_a_list_needs_a_proper_name(name: str, three: list[Project]) -> None:
    with everywhere(), pytest.raises(ValidationError):
        set_list_of_many(SYSTEM, three, AS_OF, name, on=True)


def test_only_what_is_meant_can_be_set(three: list[Project]) -> None:
    with everywhere():
        for values in ({"name": "all the same"}, {"leader": "长" * 81}, {"responsible": "长" * 121}):
            with pytest.raises(ValidationError):
                assign_many(SYSTEM, three, AS_OF, values)
        with pytest.raises(ValidationError):
            assign_many(SYSTEM, [], AS_OF, {"leader": "x"})


def test_one_foreign_project_stops_all(
    orgs: Orgs, three: list[Project], make_project: Any, make_user: Any, actor_of: Any
) -> None:
    foreign = make_project(orgs.foreign)
    actor = actor_of(make_user("project_officer", orgs.north))
    with everywhere():
        with pytest.raises(Denied):
            assign_many(actor, [*three, foreign], AS_OF, {"leader": "x"})
        with pytest.raises(Denied):
            set_list_of_many(actor, [*three, foreign], AS_OF, "x", on=True)
        assert not ListMembership.objects.filter(list_code="x").exists()
    assert {s.leader for s in standing(*three)} == {"旧领导"}


def test_queries_do_not_grow_with_the_projects(
    orgs: Orgs, make_project: Any, django_assert_max_num_queries: Any
) -> None:
    projects = [make_project(orgs.north) for _ in range(30)]
    with everywhere():
        for number in (3, 30):
            with django_assert_max_num_queries(45):
                assign_many(SYSTEM, projects[:number], AS_OF, {"leader": f"L{number}"})
            with django_assert_max_num_queries(45):
                set_list_of_many(SYSTEM, projects[:number], AS_OF, f"L{number}", on=True)


# ----- pages


@pytest.fixture
def client(orgs: Orgs, make_user: Any, client_as: Any) -> Any:
    return client_as(make_user("project_officer", orgs.north))


def test_the_library_offers_boxes_and_takes_back(client: Any, three: list[Project]) -> None:
    page = client.get(reverse("projects:library") + FRAME).content.decode()
    assert page.count("data-ym-pick ") == 3 and "data-ym-pick-all" in page
    assert f'action="{reverse("projects:bulk")}"' in page
    assert page.count('form="bulk-form"') == 3
    picked = {"project": [str(p.uid) for p in three[:2]], "do": "leader", "leader": "新领导"}
    done = client.post(reverse("projects:bulk") + FRAME, picked, follow=True)
    assert b"2 projects were changed." in done.content
    assert [s.leader for s in standing(*three)] == ["新领导", "新领导", "旧领导"]
    undo = re.search(r"/projects/undo/[^\"']+/", done.content.decode())
    assert undo is not None
    client.post(undo[0])
    assert {s.leader for s in standing(*three)} == {"旧领导"}
    again = client.post(reverse("projects:bulk") + FRAME, {**picked, "leader": "旧领导"}, follow=True)
    assert b"are so already" in again.content


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({}, b"Choose what shall be done."),
        ({"do": "remove"}, b"Choose what shall be done."),
        ({"do": "list_on", "list": "a|b"}, b"1 to 60 characters"),
        ({"leader": "a", "list": "b"}, b"Choose what shall be done."),
        ({"do": "leader", "leader": "a", "project": ["nonsense"]}, b"Choose at least one project."),
    ],
)
def test_a_wrong_form_says_what_is_missing(
    form: dict[str, Any], words: bytes, client: Any, three: list[Project]
) -> None:
    sent = {"project": [str(p.uid) for p in three], **form}
    assert words in client.post(reverse("projects:bulk") + FRAME, sent, follow=True).content
    assert {s.leader for s in standing(*three)} == {"旧领导"}


def test_enter_in_the_one_filled_field_is_understood(client: Any, three: list[Project]) -> None:
    sent = {"project": [str(p.uid) for p in three], "list": "市重点", "leader": "", "responsible": " "}
    client.post(reverse("projects:bulk") + FRAME, sent)
    assert all("|市重点|" in s.lists for s in standing(*three))


def test_the_picked_rows_as_a_workbook(
    client: Any, three: list[Project], orgs: Orgs, make_project: Any
) -> None:
    foreign = make_project(orgs.foreign, "外面的")
    ids = [str(three[2].uid), str(three[0].uid), str(foreign.uid)]
    answer = client.post(reverse("projects:bulk_export") + FRAME, {"project": ids})
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0].values)
    names = [row[0] for row in rows if row[0] and str(row[0]).startswith(("项目", "外面"))]
    assert names[-2:] == ["项目2", "项目0"] and "外面的" not in names
    empty = client.post(reverse("projects:bulk_export"), {}, follow=True)
    assert b"Choose at least one project." in empty.content


def test_a_reader_may_export_and_not_change(
    orgs: Orgs, three: list[Project], make_user: Any, client_as: Any
) -> None:
    leader = client_as(make_user("leader", orgs.north))
    page = leader.get(reverse("projects:library") + FRAME).content.decode()
    assert reverse("projects:bulk_export") in page and 'name="leader" list=' not in page
    ids = {"project": [str(three[0].uid)]}
    assert leader.post(reverse("projects:bulk"), {**ids, "do": "leader", "leader": "x"}).status_code == 403
    assert leader.post(reverse("projects:bulk_export"), ids).status_code == 200
