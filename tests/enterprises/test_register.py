"""The register of enterprises: pages, rights, search, API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from tests.conftest import AS_OF, Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import Denied
from yuanmai.enterprises import actions
from yuanmai.enterprises.models import Enterprise

pytestmark = pytest.mark.django_db
CODE = "91110000802100433B"


@pytest.fixture
def officer(orgs: Orgs, make_user: Callable[..., Any]) -> Any:
    return make_user("project_officer", orgs.city)


@pytest.fixture
def enter(
    officer: Any, orgs: Orgs, actor_of: Callable[..., Any], in_scope: Callable[..., Any]
) -> Callable[..., Any]:
    def run(name: str = "北园精密制造有限公司", org: Any = None, **values: Any) -> Enterprise:
        actor = actor_of(officer)
        with in_scope(actor):
            return actions.add_enterprise(actor, (org or orgs.north).pk, name=name, **values)

    return run


def test_an_enterprise_is_entered_found_and_audited(enter: Callable[..., Any]) -> None:
    row = enter(credit_code="9111 0000 8021 0043 3b")
    assert row.credit_code == CODE
    assert row.pinyin.startswith("byjmzzyxgs ")
    entry = AuditEntry.objects.get(action="enterprises.add")
    assert entry.after["name"] == row.name


@pytest.mark.parametrize(
    ("values", "field"),
    [({"name": " "}, "name"), ({"credit_code": "91110000802100433C"}, "credit_code")],
)
def test_wrong_values_are_refused_at_their_field(
    values: dict[str, str], field: str, enter: Callable[..., Any]
) -> None:
    with pytest.raises(ValidationError) as caught:
        enter(**{"name": "甲", **values})
    assert list(caught.value.message_dict) == [field]


def test_name_and_code_stand_once(enter: Callable[..., Any]) -> None:
    enter(credit_code=CODE)
    with pytest.raises(ValidationError) as caught:
        enter(credit_code=CODE)
    assert set(caught.value.message_dict) == {"name", "credit_code"}


def test_a_retired_enterprise_gives_its_name_back(
    enter: Callable[..., Any], officer: Any, actor_of: Callable[..., Any], in_scope: Callable[..., Any]
) -> None:
    row = enter()
    actor = actor_of(officer)
    with in_scope(actor):
        actions.retire_enterprise(actor, row)
    assert enter(industry="机械").pk == row.pk


def test_a_foreign_register_is_closed(
    orgs: Orgs, officer: Any, actor_of: Callable[..., Any], in_scope: Callable[..., Any]
) -> None:
    actor = actor_of(officer)
    with in_scope(actor), pytest.raises(Denied):
        actions.add_enterprise(actor, orgs.foreign.pk, name="外")


def test_the_list_is_narrowed_sorted_and_scoped(
    enter: Callable[..., Any],
    orgs: Orgs,
    officer: Any,
    client_as: Callable[..., Client],
    make_user: Callable[..., Any],
) -> None:
    enter("甲电子", industry="电子")
    enter("乙机械", industry="机械")
    client = client_as(officer)
    assert [r.name for r in client.get("/enterprises/", {"industry": "电子"}).context["rows"]] == ["甲电子"]
    assert [r.name for r in client.get("/enterprises/", {"q": "yjx"}).context["rows"]] == ["乙机械"]
    assert len(client.get("/enterprises/", {"sort": "-name"}).context["rows"]) == 2
    foreign = client_as(make_user("leader", orgs.foreign))
    assert foreign.get("/enterprises/").context["rows"] == []


def test_the_number_of_queries_does_not_depend_on_the_rows(
    enter: Callable[..., Any],
    officer: Any,
    client_as: Callable[..., Client],
    django_assert_max_num_queries: Any,
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_as(officer)

    def queries() -> int:
        client.get("/enterprises/")
        with CaptureQueriesContext(connection) as captured:
            client.get("/enterprises/")
        return len(captured)

    enter("企业 0")
    before = queries()
    for number in range(1, 15):
        enter(f"企业 {number}")
    assert queries() == before


def test_entry_by_the_form_and_a_mistyped_code(
    orgs: Orgs, officer: Any, client_as: Callable[..., Client], in_scope: Callable[..., Any]
) -> None:
    client = client_as(officer)
    values = {"org": str(orgs.north.pk), "name": "表单公司", "credit_code": "91110000802100433C"}
    refused = client.post("/enterprises/new/", values)
    assert refused.status_code == 422
    assert "“B” follows from the others" in refused.content.decode()
    done = client.post("/enterprises/new/", {**values, "credit_code": CODE}, follow=True)
    assert done.redirect_chain
    with in_scope(None):
        row = Enterprise.objects.get(name="表单公司")
    changed = client.post(
        f"/enterprises/{row.pk}/edit/", {"name": "表单公司", "credit_code": CODE, "phone": "1"}
    )
    assert changed.status_code == 302
    with in_scope(None):
        assert Enterprise.objects.get(pk=row.pk).phone == "1"


def test_taking_out_can_be_undone(
    enter: Callable[..., Any], officer: Any, client_as: Callable[..., Client]
) -> None:
    row, client = enter(), client_as(officer)
    client.post(f"/enterprises/{row.pk}/retire/")
    assert client.get("/enterprises/").context["rows"] == []
    client.post(f"/enterprises/{row.pk}/restore/")
    assert [r.pk for r in client.get("/enterprises/").context["rows"]] == [row.pk]


def test_the_past_of_knowledge(
    enter: Callable[..., Any], officer: Any, client_as: Callable[..., Client]
) -> None:
    enter()
    before = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert client_as(officer).get("/enterprises/", {"known_at": before}).context["rows"] == []


def test_the_record_shows_its_projects(
    enter: Callable[..., Any],
    orgs: Orgs,
    officer: Any,
    client_as: Callable[..., Client],
    make_project: Callable[..., Any],
) -> None:
    row = enter()
    make_project(orgs.north, "它的厂房", version={"owner": row})
    make_project(orgs.north, "别人的厂房")
    (section,) = (
        client_as(officer).get(f"/enterprises/{row.pk}/", {"as_of": AS_OF.isoformat()}).context["sections"]
    )
    assert [item.label for item in section.items] == ["它的厂房"]


def test_a_reader_may_not_write(
    enter: Callable[..., Any], orgs: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Client]
) -> None:
    row = enter()
    reader = client_as(make_user("leader", orgs.city))
    assert reader.get(f"/enterprises/{row.pk}/").status_code == 200
    assert reader.get("/enterprises/new/").status_code == 403
    assert reader.post(f"/enterprises/{row.pk}/retire/").status_code == 403
    assert client_as(make_user("leader", orgs.foreign)).get(f"/enterprises/{row.pk}/").status_code == 404


def test_the_export_opens(enter: Callable[..., Any], officer: Any, client_as: Callable[..., Client]) -> None:
    import io

    import openpyxl

    enter(credit_code=CODE)
    sheet = openpyxl.load_workbook(io.BytesIO(client_as(officer).get("/enterprises/export/").content)).active
    cells = {cell.value for line in sheet.iter_rows() for cell in line}
    assert CODE in cells


def test_programs_enter_change_list_and_retire(
    officer: Any, client_as: Callable[..., Client], orgs: Orgs
) -> None:
    client = client_as(officer)

    def send(method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        return getattr(client, method)(f"/api/v1/enterprises{path}", body, content_type="application/json")

    created = send("post", "", {"organisation": "north", "name": "接口公司", "credit_code": CODE})
    assert created.status_code == 201, created.content
    pk = created.json()["id"]
    assert send("patch", f"/{pk}", {"phone": "020"}).json()["phone"] == "020"
    assert client.get("/api/v1/enterprises", {"q": "jkgs"}).json()["count"] == 1
    refused = send(
        "post", "", {"organisation": "north", "name": "又一家", "credit_code": "91110000802100433C"}
    )
    assert refused.status_code == 422
    assert send("post", "", {"organisation": "foreign", "name": "外"}).status_code == 404
    assert client.delete(f"/api/v1/enterprises/{pk}").status_code == 204
    assert client.get(f"/api/v1/enterprises/{pk}").status_code == 404
