"""The log in words: names of fields, choices, rows and codes instead of what the database keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import AS_OF, Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.audit.queries import differences
from yuanmai.core.audit.words import Values, field_name
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.enterprises.actions import add_enterprise, revise_enterprise
from yuanmai.people.actions import give_post
from yuanmai.people.models import Role
from yuanmai.places.actions import save_place, undo_change
from yuanmai.places.models import Building, Parcel, Park
from yuanmai.projects.actions import plan_year, raise_blocker

pytestmark = pytest.mark.django_db


def shown(action: str) -> dict[str, tuple[str, str]]:
    """The last entry of an action as label → (before, after)."""
    entry = AuditEntry.objects.filter(action=action).latest("sequence")
    return {row["label"]: (row["before"], row["after"]) for row in differences(entry)}


def test_rows_and_choices_have_names(orgs: Orgs, english: None) -> None:
    with everywhere():
        park = save_place(SYSTEM, Park(org_id=orgs.north.pk), {"code": "p", "name": "North Works"})
        parcel = save_place(
            SYSTEM, Parcel(org_id=orgs.north.pk), {"code": "l", "name": "Lot 1", "park": park}
        )
        values = {"code": "b", "name": "B", "parcel": parcel, "kind": "standard_factory"}
        building = save_place(SYSTEM, Building(org_id=orgs.north.pk), values)
        made = shown("places.edit")
        assert made["Parcel"] == ("", "Lot 1")
        assert made["Kind"] == ("", "Standard factory")
        undo_change(SYSTEM, building.undo_step)
        action = shown("places.undo")["Action"]
    assert action[0] == "Add, change and import places"
    assert not any("_" in label for label in made)


def test_a_row_that_is_gone_is_shown_as_kept(orgs: Orgs, english: None) -> None:
    with everywhere():
        park = save_place(SYSTEM, Park(org_id=orgs.north.pk), {"code": "p", "name": "P"})
        zone = save_place(SYSTEM, Parcel(org_id=orgs.north.pk), {"code": "l", "name": "L", "park": park})
        undo_change(SYSTEM, zone.undo_step)
        undo_change(SYSTEM, park.undo_step)
        entry = AuditEntry.objects.filter(target_type="places.parcel").latest("sequence")
        labels = {row["label"]: row["after"] for row in differences(entry)}
    assert labels["Park"] == str(entry.after["park"])


def test_what_was_said_of_a_project_has_its_names(orgs: Orgs, make_project: Any, english: None) -> None:
    project = make_project(orgs.north, plan=5)
    with everywhere():
        plan = {"year": AS_OF.year, "kind": "continuing", "planned_investment": Decimal(7)}
        plan_year(SYSTEM, project, AS_OF, plan)
        raise_blocker(SYSTEM, project, date(2022, 3, 1), {"title": "Pipes", "kind": "utilities"})
        blocker = AuditEntry.objects.latest("sequence")
    entry = AuditEntry.objects.filter(target_type="projects.project", before__isnull=False).latest("sequence")
    rows = {row["label"]: (row["before"], row["after"]) for row in differences(entry)}
    assert rows["Kind"][1] == "Continuing"
    assert any(label.startswith("Planned investment") for label in rows)
    assert {row["after"] for row in differences(blocker)} >= {"Water and power"}


def test_roles_organisations_and_rights_have_names(
    orgs: Orgs, make_user: Callable[..., Any], english: None
) -> None:
    user = make_user("leader", orgs.north)
    with everywhere():
        give_post(SYSTEM, user, role=Role.objects.get(code="finance_officer"), org=orgs.south)
    rows = shown("people.give_post")
    assert rows["Role"] == ("", "Finance officer")
    assert rows["Organisation"] == ("", "South Town")
    assert Values().show("people.role", "permissions", ["projects.view"]) == "See projects"


def test_fields_of_an_enterprise(orgs: Orgs, english: None) -> None:
    with everywhere():
        row = add_enterprise(SYSTEM, orgs.north.pk, name="甲公司")
        revise_enterprise(SYSTEM, row, credit_code="91110000802100433B")
    assert shown("enterprises.revise") == {"Unified social credit code": ("", "91110000802100433B")}
    assert field_name("enterprises.enterprise", "park_id") == "Park"
    assert field_name("nothing.known", "whatever") == "whatever"


def test_the_page_and_the_file_say_the_same_words(
    orgs: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Any], make_project: Any
) -> None:
    project = make_project(orgs.north)
    with everywhere():
        raise_blocker(SYSTEM, project, date(2022, 3, 1), {"title": "管线", "kind": "utilities"})
    entry = AuditEntry.objects.latest("sequence")
    client = client_as(make_user("audit_administrator", orgs.province), language="zh-hans")
    page = client.get(reverse("core:audit_entry", args=[entry.sequence])).content.decode()
    assert "水电" in page
    assert "utilities" not in page


def test_looking_up_is_done_once(orgs: Orgs, django_assert_max_num_queries: Any, english: None) -> None:
    with everywhere():
        park = save_place(SYSTEM, Park(org_id=orgs.north.pk), {"code": "p", "name": "P"})
        for number in range(6):
            save_place(
                SYSTEM, Parcel(org_id=orgs.north.pk), {"code": f"l{number}", "name": "L", "park": park}
            )
        entries = list(AuditEntry.objects.filter(target_type="places.parcel"))
        values = Values()
        with django_assert_max_num_queries(1):
            assert all(any(row["after"] == "P" for row in differences(entry, values)) for entry in entries)
