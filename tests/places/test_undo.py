"""Imports, changes and removals of places taken back: exactly, all of it or nothing, by whoever may, for thirty days."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from tests.places.test_geometry import SQUARE
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import Denied
from yuanmai.core.scope import everywhere
from yuanmai.core.undo.models import RowChange, UndoStep
from yuanmai.places import actions
from yuanmai.places.engine.features import Record
from yuanmai.places.models import Building, Parcel, Park, Unit, Zone
from yuanmai.places.queries import KINDS

pytestmark = pytest.mark.django_db
MOVED = {"type": "Polygon", "coordinates": [[[x + 0.01, y] for x, y in SQUARE["coordinates"][0]]]}


@pytest.fixture
def officer(make_user: Callable[..., Any], orgs: Any, actor_of: Callable[..., Any]) -> Any:
    return actor_of(make_user("project_officer", orgs.city))


def table(*models: type[Any]) -> list[Any]:
    """Every column of every row of some models."""
    with everywhere():
        return [row for model in models for row in model._base_manager.order_by("pk").values_list()]


def records(names: list[str], geometry: Any = SQUARE, **fields: Any) -> list[Record]:
    return [Record(i + 1, f"c{i}", name, fields, geometry, ()) for i, name in enumerate(names)]


def latest() -> UndoStep:
    with everywhere():
        return UndoStep.objects.latest("pk")


def test_an_import_is_taken_back_exactly(officer: Any, orgs: Any, in_scope: Callable[..., Any]) -> None:
    with in_scope(officer):
        actions.import_places(officer, KINDS["park"], orgs.north.pk, records(["P"]), "parks")
        fields = {
            "park": "c0",
            "floors": Decimal(3),
            "height": Decimal("13.5"),
            "floor_area": Decimal("5000.5"),
        }
        actions.import_places(
            officer, KINDS["building"], orgs.north.pk, records(["A", "B"], **fields), "first"
        )
        before = table(Park, Building)
        changed = [*records(["A2", "B"], MOVED, floors=Decimal(4)), Record(3, "new", "New", {}, None, ())]
        done = actions.import_places(officer, KINDS["building"], orgs.north.pk, changed, "second.geojson")
        assert (done.created, done.updated) == (1, 2)
        assert done.undo is not None and done.undo.name == "second.geojson"
        assert table(Park, Building) != before
        assert actions.undo_change(officer, done.undo) == 3
    assert table(Park, Building) == before
    entry = AuditEntry.objects.get(action="places.undo")
    assert (entry.before["action"], entry.after["undone"]) == ("places.import", 3)
    with in_scope(officer):
        again = actions.import_places(officer, KINDS["building"], orgs.north.pk, changed, "third")
        assert (again.created, again.updated) == (1, 2)


def test_nothing_changed_leaves_nothing_to_undo(
    officer: Any, orgs: Any, in_scope: Callable[..., Any]
) -> None:
    with in_scope(officer):
        actions.import_places(officer, KINDS["park"], orgs.north.pk, records(["P"]), "parks")
        again = actions.import_places(officer, KINDS["park"], orgs.north.pk, records(["P"]), "parks")
    assert again.undo is None


@pytest.mark.parametrize("geometry", [SQUARE, MOVED, None])
def test_a_change_is_taken_back_exactly(
    geometry: Any, officer: Any, orgs: Any, in_scope: Callable[..., Any]
) -> None:
    with in_scope(officer):
        park = actions.save_place(
            officer, Park(org_id=orgs.north.pk), {"code": "p", "name": "P"}, geometry=SQUARE
        )
        before = table(Park)
        values = {"name": "Q", "level": "national", "area_certificate": Decimal("12.34"), "note": "n"}
        changed = actions.save_place(officer, Park.objects.get(pk=park.pk), values, geometry=geometry)
        actions.undo_change(officer, changed.undo_step)
    assert table(Park) == before


def test_a_new_place_is_removed_and_a_removed_one_comes_back(
    officer: Any, orgs: Any, in_scope: Callable[..., Any]
) -> None:
    with in_scope(officer):
        empty = table(Building)
        values = {"code": "b", "name": "B", "floors": 2, "built_on": date(2020, 5, 1)}
        building = actions.save_place(officer, Building(org_id=orgs.north.pk), values, geometry=SQUARE)
        made, stood = building.undo_step, table(Building)
        step = actions.remove_place(officer, Building.objects.get(pk=building.pk))
        assert step is not None and table(Building) == empty
        actions.undo_change(officer, step)
        assert table(Building) == stood
        actions.undo_change(officer, made)
    assert table(Building) == empty


def test_a_unit_is_taken_back(officer: Any, orgs: Any, in_scope: Callable[..., Any]) -> None:
    with in_scope(officer):
        building = actions.save_place(
            officer, Building(org_id=orgs.north.pk), {"code": "b", "name": "B", "floors": 3}
        )
        unit = actions.save_unit(officer, Unit(building=building), {"code": "101", "area": Decimal(80)})
        before = table(Unit)
        changed = actions.save_unit(
            officer, Unit.objects.get(pk=unit.pk), {"state": "let", "area": Decimal("81.55")}
        )
        actions.undo_change(officer, changed.undo_step)  # type: ignore[attr-defined]
    assert table(Unit) == before


def test_what_something_newer_builds_on_stays_as_a_whole(
    officer: Any, orgs: Any, in_scope: Callable[..., Any], english: None
) -> None:
    with in_scope(officer):
        done = actions.import_places(officer, KINDS["park"], orgs.north.pk, records(["P", "Q"]), "parks")
        assert done.undo is not None
        zone = actions.save_place(
            officer,
            Zone(org_id=orgs.north.pk),
            {"code": "z", "name": "Z", "park": Park.objects.get(code="c0")},
        )
        before = table(Park, Zone)
        with pytest.raises(ValidationError, match="“P” is referred to by zone"):
            actions.undo_change(officer, done.undo)
        assert table(Park, Zone) == before
        actions.undo_change(officer, zone.undo_step)
        renamed = actions.save_place(officer, Park.objects.get(code="c1"), {"name": "R"})
        with pytest.raises(ValidationError, match="“Q” changed since"):
            actions.undo_change(officer, done.undo)
        actions.undo_change(officer, renamed.undo_step)
        assert actions.undo_change(officer, done.undo) == 2
        with pytest.raises(ValidationError, match="undone already"):
            actions.undo_change(officer, done.undo)
    assert table(Park, Zone) == []


def test_only_who_may_edit_there_may_undo(
    officer: Any,
    orgs: Any,
    make_user: Callable[..., Any],
    actor_of: Callable[..., Any],
    in_scope: Callable[..., Any],
) -> None:
    with in_scope(officer):
        park = actions.save_place(officer, Park(org_id=orgs.north.pk), {"code": "p", "name": "P"})
    for user in (make_user("leader", orgs.north), make_user("project_officer", orgs.foreign)):
        with in_scope(), pytest.raises(Denied):
            actions.undo_change(actor_of(user), park.undo_step)
    assert len(table(Park)) == 1


def test_queries_of_import_and_undo_do_not_grow(
    officer: Any, orgs: Any, in_scope: Callable[..., Any], django_assert_max_num_queries: Any
) -> None:
    with in_scope(officer):
        for number in (2, 300):
            rows = [Record(i, f"{number}-{i}", "Name", {}, SQUARE, ()) for i in range(number)]
            with django_assert_max_num_queries(26):
                done = actions.import_places(officer, KINDS["parcel"], orgs.north.pk, rows, "parcels")
            assert done.created == number
    with everywhere():
        assert RowChange.objects.count() == 302
        assert Parcel.objects.count() == 302


# ----- pages


def test_the_page_offers_undo_and_takes_back(
    orgs: Any, make_user: Callable[..., Any], client_as: Callable[..., Any]
) -> None:
    client = client_as(make_user("project_officer", orgs.north))
    feature = {"type": "Feature", "properties": {"code": "x1", "name": "Geo"}, "geometry": SQUARE}
    form = {
        "org": orgs.north.pk, "system": "wgs84", "commit": "1",
        "text": json.dumps({"type": "FeatureCollection", "features": [feature]}),
    }  # fmt: skip
    shown = client.post(reverse("places:import", args=["park"]), form, follow=True)
    url = reverse("places:undo", args=[latest().token])
    assert url in shown.content.decode()
    assert len(table(Park)) == 1
    listed = client.get(reverse("places:changes")).content.decode()
    assert url in listed and "Import of outlines" in listed
    back = client.post(url, {"next": reverse("places:list", args=["park"])}, follow=True)
    assert b"Undone: 1 entry is as it was." in back.content
    assert back.redirect_chain[-1][0] == reverse("places:list", args=["park"])
    assert table(Park) == []
    assert url not in client.get(reverse("places:changes")).content.decode()
    twice = client.post(url, follow=True)
    assert b"undone already" in twice.content


def test_undo_has_an_end_and_no_foreign_hands(
    orgs: Any,
    make_user: Callable[..., Any],
    client_as: Callable[..., Any],
    in_scope: Callable[..., Any],
    officer: Any,
) -> None:
    with in_scope(officer):
        park = actions.save_place(officer, Park(org_id=orgs.north.pk), {"code": "p", "name": "P"})
    url = reverse("places:undo", args=[park.undo_step.token])
    assert client_as(make_user("project_officer", orgs.foreign)).post(url).status_code == 404
    assert client_as(make_user("leader", orgs.north)).post(url).status_code == 403
    with everywhere():
        UndoStep.objects.update(created_at=timezone.now() - timedelta(days=31))
    client = client_as(make_user("project_officer", orgs.north))
    assert client.post(url).status_code == 404
    assert url not in client.get(reverse("places:changes")).content.decode()
    assert len(table(Park)) == 1
