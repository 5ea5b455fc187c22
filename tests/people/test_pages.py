"""Pages of organisations, people, roles, account and audit log: rights, scope, both languages, constant queries."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from tests.conftest import Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import PERMISSIONS, SYSTEM
from yuanmai.people import actions
from yuanmai.people.models import Organisation, Post, Role, User

pytestmark = pytest.mark.django_db

# Page → roles that may see it; `None`: everybody who is signed in.
PAGES: dict[str, set[str] | None] = {
    "/account/me/": None,
    "/account/rights/": None,
    "/account/rights/?right=people.grant": None,
    "/account/2fa/": None,
    "/account/2fa/keys/": None,
    "/account/sessions/": None,
    "/account/logout/": None,
    "/account/password/change/": None,
    "/manage/organisations/": {
        "leader",
        "system_administrator",
        "security_administrator",
        "audit_administrator",
    },
    "/manage/organisations/linzhou/": {
        "leader",
        "system_administrator",
        "security_administrator",
        "audit_administrator",
    },
    "/manage/organisations/new/": {"system_administrator"},
    "/manage/users/": {"leader", "system_administrator", "security_administrator", "audit_administrator"},
    "/manage/users/new/": {"system_administrator"},
    "/manage/roles/": {"security_administrator"},
    "/manage/roles/leader/": {"security_administrator"},
    "/manage/roles/audit_administrator/": {"security_administrator"},
    "/manage/audit/": {"audit_administrator"},
    "/account/tokens/": {"leader", "audit_administrator"},
}
WHO = ["leader", "enterprise_user", "system_administrator", "security_administrator", "audit_administrator"]
ENGLISH = re.compile(r">\s*([A-Za-z][a-z]+ [A-Za-z ]{3,})\s*<")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_for_whom_it_is_meant(
    path: str, make_user: Callable[..., User], client_as: Callable[..., Client], orgs: Orgs
) -> None:
    for role in WHO:
        allowed = PAGES[path]
        page = client_as(make_user(role, orgs.province)).get(path)
        assert page.status_code == (200 if allowed is None or role in allowed else 403), (path, role)
    assert Client().get(path).status_code in (200, 302)


@pytest.mark.parametrize("path", [p for p in PAGES if p != "/manage/audit/"])
def test_a_page_speaks_chinese_throughout(
    path: str, make_user: Callable[..., User], client_as: Callable[..., Client], orgs: Orgs
) -> None:
    role = next(iter(sorted(PAGES[path] or {"leader"})))
    page = client_as(make_user(role, orgs.city), language="zh-CN").get(path).content.decode()
    body = page[page.index("<main") : page.index("</main>")]
    left = {text.strip() for text in ENGLISH.findall(body) if not text.strip().startswith("Test ")}
    with translation.override("en"):
        rights = {str(right.name) for right in PERMISSIONS.values()}  # tests/house sees to their names
    assert left - rights == set()


def test_a_foreign_park_is_not_there(make_user: Any, client_as: Any, orgs: Orgs) -> None:
    stranger = make_user("leader", orgs.foreign)
    client = client_as(make_user("system_administrator", orgs.city))
    for path in ("/manage/organisations/foreign/", f"/manage/users/{stranger.pk}/"):
        assert client.get(path).status_code == 404
    for path in ("lock/", "unlock/", "reset/", "factor/", "edit/"):
        assert client.post(f"/manage/users/{stranger.pk}/{path}").status_code == 404
    for path in ("move/", "active/"):
        assert client.post(f"/manage/organisations/foreign/{path}").status_code == 404
    listing = client.get("/manage/users/").content.decode()
    assert stranger.username not in listing
    assert "Foreign Park" not in client.get("/manage/organisations/").content.decode()


def test_organisations_are_added_changed_moved_and_taken_out_of_use(
    make_user: Any, client_as: Any, orgs: Orgs
) -> None:
    client = client_as(make_user("system_administrator", orgs.city))
    leader = client_as(make_user("leader", orgs.north))
    answer = client.post(
        "/manage/organisations/new/",
        {"parent": orgs.south.pk, "name": "南镇招商办", "code": "south-office", "kind": "department"},
    )
    assert answer["Location"] == "/manage/organisations/south-office/"
    office = Organisation.objects.get(code="south-office")
    assert office.get_parent() == orgs.south
    again = client.post(
        "/manage/organisations/new/",
        {"parent": orgs.south.pk, "name": "x", "code": "south-office", "kind": "team"},
    )
    assert again.status_code == 200
    assert "already" in again.content.decode()
    assert (
        client.post(
            "/manage/organisations/new/", {"name": "x", "code": "new-root", "kind": "city"}
        ).status_code
        == 403
    )
    client.post(
        "/manage/organisations/south-office/",
        {
            "name": "招商服务中心",
            "kind": "department",
            "short_name": "",
            "name_en": "",
            "level": "",
            "default_as_of": "",
        },
    )
    office.refresh_from_db()
    assert office.name == "招商服务中心"

    assert leader.get("/manage/organisations/south-office/").status_code == 404
    client.post("/manage/organisations/south-office/move/", {"parent": orgs.north.pk})
    assert Organisation.objects.get(code="south-office").get_parent() == orgs.north
    assert leader.get("/manage/organisations/south-office/").status_code == 200, (
        "scope follows the move at once"
    )
    client.post("/manage/organisations/north/move/", {"parent": office.pk})
    assert Organisation.objects.get(code="north").get_parent() == orgs.city
    assert client.post("/manage/organisations/linzhou/move/", {"parent": orgs.south.pk}).status_code == 302
    assert Organisation.objects.get(code="linzhou").get_parent() == orgs.province

    client.post("/manage/organisations/north/active/")
    assert not Organisation.objects.get(code="south-office").active
    client.post("/manage/organisations/south-office/active/")
    assert not Organisation.objects.get(code="south-office").active, "its parent is out of use"
    client.post("/manage/organisations/north/active/")
    assert Organisation.objects.get(code="south-office").active


def test_an_account_from_its_making_to_its_first_post(
    make_user: Any, client_as: Any, orgs: Orgs, roles: dict[str, Role]
) -> None:
    system = client_as(make_user("system_administrator", orgs.city))
    security = client_as(make_user("security_administrator", orgs.city))
    page = system.post(
        "/manage/users/new/",
        {"username": "chen", "full_name": "陈晓", "org": orgs.north.pk, "phone": "138", "email": ""},
    )
    assert 'id="one-time"' in page.content.decode()
    person = User.objects.get(username="chen")
    assert person.org == orgs.north
    assert not person.posts.exists()
    give = f"/manage/users/{person.pk}/posts/"
    assert system.post(give, {"role": roles["leader"].pk, "org": orgs.north.pk}).status_code == 403
    assert security.post(give, {"role": roles["leader"].pk, "org": orgs.foreign.pk}).status_code == 422
    assert (
        security.post(
            give,
            {"role": roles["leader"].pk, "org": orgs.north.pk, "since": "2026-01-02", "until": "2026-01-01"},
        ).status_code
        == 422
    )
    assert security.post(give, {"role": roles["leader"].pk, "org": orgs.north.pk}).status_code == 302
    assert security.post(give, {"role": roles["leader"].pk, "org": orgs.north.pk}).status_code == 422
    assert (
        security.post(give, {"role": roles["audit_administrator"].pk, "org": orgs.north.pk}).status_code
        == 422
    )
    post = person.posts.get()
    assert system.post(f"{give}{post.pk}/take/").status_code == 403
    system.post(
        f"/manage/users/{person.pk}/edit/",
        {"full_name": "陈晓明", "org": orgs.south.pk, "phone": "139", "email": "c@example.org"},
    )
    person.refresh_from_db()
    assert (person.full_name, person.org, person.phone) == ("陈晓明", orgs.south, "139")
    system.post(f"/manage/users/{person.pk}/lock/", {"reason": "left"})
    person.refresh_from_db()
    assert not person.is_active
    found = [u.username for u in system.get("/manage/users/?state=locked").context["page_obj"]]
    assert found == ["chen"]
    assert security.post(f"{give}{post.pk}/take/").status_code == 302
    assert not person.posts.exists()


def test_the_list_is_narrowed_by_name_place_role_and_state(
    make_user: Any, client_as: Any, orgs: Orgs
) -> None:
    client = client_as(make_user("system_administrator", orgs.city, username="keeper"))
    make_user("leader", orgs.north, username="north-leader", full_name="李北")
    make_user("finance_officer", orgs.south, username="south-finance", full_name="王南")
    bare = make_user("leader", orgs.south, username="bare")
    User.objects.filter(pk=bare.pk).update(org=orgs.south)
    Post.objects.filter(user=bare).delete()
    cache.clear()

    def names(query: str) -> list[str]:
        return [u.username for u in client.get(f"/manage/users/?{query}").context["page_obj"]]

    assert names("") == ["bare", "keeper", "north-leader", "south-finance"]
    assert names("q=李") == ["north-leader"]
    assert names("at=south") == ["bare", "south-finance"]
    assert names("role=leader") == ["north-leader"]
    assert names("state=no_post") == ["bare"]


def queries_of(client: Client, path: str) -> int:
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


@pytest.mark.parametrize(
    "path",
    ["/manage/users/", "/manage/organisations/", "/manage/audit/", "/manage/roles/", "/account/rights/"],
)
def test_queries_do_not_grow_with_the_rows(path: str, make_user: Any, client_as: Any, orgs: Orgs) -> None:
    role = {"/manage/audit/": "audit_administrator", "/manage/roles/": "security_administrator"}.get(
        path, "system_administrator"
    )
    client = client_as(make_user(role, orgs.province))
    make_user("leader", orgs.north)
    few = queries_of(client, path)
    for number in range(12):
        make_user("leader", orgs.north, posts=[("finance_officer", orgs.south)])
        actions.add_organisation(
            SYSTEM, code=f"team-{number}", name=f"Team {number}", kind="team", parent_code="north"
        )
    assert queries_of(client, path) == few


def test_the_matrix_is_edited_and_counts_at_once(make_user: Any, client_as: Any, orgs: Orgs) -> None:
    security = client_as(make_user("security_administrator", orgs.province))
    officer = client_as(make_user("grid_officer", orgs.north))
    assert officer.get("/manage/users/").status_code == 403
    security.post("/manage/roles/grid_officer/", {"codes": ["people.view", "projects.view"]})
    assert Role.objects.get(code="grid_officer").permissions == ["people.view", "projects.view"]
    assert officer.get("/manage/users/").status_code == 200
    assert (
        security.post("/manage/roles/security_administrator/", {"codes": ["people.view"]}).status_code == 403
    )
    security.post("/manage/roles/grid_officer/second-factor/", {"required": "1"})
    assert officer.get("/manage/users/")["Location"] == "/account/required/"
    local = client_as(make_user("security_administrator", orgs.north))
    assert local.post("/manage/roles/leader/second-factor/", {"required": "1"}).status_code == 403


def test_a_refusal_says_what_is_missing_and_who_has_it(make_user: Any, client_as: Any, orgs: Orgs) -> None:
    page = client_as(make_user("leader", orgs.north)).get("/manage/roles/")
    assert page.status_code == 403
    text = page.content.decode()
    assert "Give and take roles" in text
    assert "Security administrator" in text
    assert "North Park" in text


def test_the_log_is_read_filtered_opened_verified_and_exported(
    make_user: Any, client_as: Any, orgs: Orgs, roles: dict[str, Role]
) -> None:
    keeper = make_user("system_administrator", orgs.city, full_name="王保管")
    person = make_user("leader", orgs.north)
    client_as(keeper).post(
        f"/manage/users/{person.pk}/edit/",
        {"full_name": "=cmd|x", "org": orgs.north.pk, "phone": "", "email": ""},
    )
    client = client_as(make_user("audit_administrator", orgs.province))
    page = client.get("/manage/audit/?action=people.edit_user")
    (row,) = page.context["rows"]
    assert row["action"] == "Change account"
    assert "王保管" in page.content.decode()
    entry = client.get(f"/manage/audit/{row['entry'].sequence}/").content.decode()
    assert "Full name" in entry
    assert "<ins>=cmd|x</ins>" in entry
    assert client.get("/manage/audit/?who=nobody").context["rows"] == []
    assert client.get("/manage/audit/?since=2030-01-01").context["rows"] == []
    assert client.get("/manage/audit/?since=nonsense").status_code == 200
    answer = client.post("/manage/audit/verify/", follow=True)
    assert "The log is whole" in answer.content.decode()
    book = openpyxl.load_workbook(
        io.BytesIO(client.get("/manage/audit/export/?action=people.edit_user").content)
    )
    cells = [cell for line in book.active.iter_rows() for cell in line if cell.value]
    assert any("=cmd|x" in str(cell.value) for cell in cells)
    assert all(cell.data_type != "f" for cell in cells)
    assert AuditEntry.objects.get(action="core.export_audit").after["entries"] == 1


def test_an_auditor_of_one_park_reads_only_that_parks_entries(
    make_user: Any, client_as: Any, orgs: Orgs
) -> None:
    here, there = make_user("leader", orgs.north), make_user("leader", orgs.foreign)
    User.objects.filter(pk=here.pk).update(org=orgs.north)
    User.objects.filter(pk=there.pk).update(org=orgs.foreign)
    here.refresh_from_db()
    there.refresh_from_db()
    for person in (here, there):
        actions.edit_user(SYSTEM, person, phone="1")
    client = client_as(make_user("auditor", orgs.north))
    rows = client.get("/manage/audit/?action=people.edit_user").context["rows"]
    assert [row["entry"].target_id for row in rows] == [str(here.pk)]
    foreign = AuditEntry.objects.get(action="people.edit_user", target_id=str(there.pk))
    assert client.get(f"/manage/audit/{foreign.sequence}/").status_code == 404
    assert client.post("/manage/audit/export/").status_code == 405


def test_a_script_in_a_name_stays_text(make_user: Any, client_as: Any, orgs: Orgs) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    person = make_user("leader", orgs.north, full_name=evil[:80])
    actions.edit_organisation(SYSTEM, orgs.north, name=evil, name_en=evil)
    client = client_as(make_user("system_administrator", orgs.city))
    for path in (
        f"/manage/users/{person.pk}/",
        "/manage/users/",
        "/manage/organisations/",
        "/manage/organisations/north/",
    ):
        text = client.get(path).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text
