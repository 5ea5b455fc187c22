"""The verbs of the places room: import, change, removal; refused elsewhere; audited; constant in queries."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.places.test_geometry import SQUARE
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import Denied
from yuanmai.core.scope import everywhere
from yuanmai.places import actions
from yuanmai.places.engine.features import Record
from yuanmai.places.models import Building, Park, Unit, Zone
from yuanmai.places.queries import KINDS

pytestmark = pytest.mark.django_db


def records(count: int, **fields: Any) -> list[Record]:
    return [Record(i + 1, f"c{i}", f"Place {i}", fields, SQUARE, ()) for i in range(count)]


@pytest.fixture
def officer(make_user: Callable[..., Any], orgs: Any, actor_of: Callable[..., Any]) -> Any:
    """A project officer of the city: may edit places there and below."""
    return actor_of(make_user("project_officer", orgs.city))


def test_an_import_creates_updates_and_leaves_alone(
    officer: Any, orgs: Any, in_scope: Callable[..., Any]
) -> None:
    with in_scope(officer):
        first = actions.import_places(officer, KINDS["park"], orgs.north.pk, records(3), "a.geojson")
        again = actions.import_places(officer, KINDS["park"], orgs.north.pk, records(3), "a.geojson")
        changed = [Record(1, "c0", "New name", {"level": "national"}, SQUARE, ()), *records(3)[1:]]
        third = actions.import_places(officer, KINDS["park"], orgs.north.pk, changed, "b.geojson")
        park = Park.objects.get(code="c0")
    assert (first.created, first.updated, first.unchanged) == (3, 0, 0)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    assert (third.created, third.updated, third.unchanged) == (0, 1, 2)
    assert (park.name, park.level) == ("New name", "national")
    assert (park.west, park.north) == (112.9, 27.81)
    assert park.area_geodesic == Decimal("1091965.84")
    assert park.area_projected == Decimal("1092279.59")
    assert park.area_certificate is None


def test_an_unknown_park_stops_the_whole_import(
    officer: Any, orgs: Any, in_scope: Callable[..., Any]
) -> None:
    with in_scope(officer):
        result = actions.import_places(
            officer, KINDS["zone"], orgs.north.pk, records(2, park="nowhere"), "z.geojson"
        )
        assert [(f.index, f.rule, f.value) for f in result.faults] == [
            (1, "no_parent", "nowhere"),
            (2, "no_parent", "nowhere"),
        ]
        assert not Zone.objects.exists()


def test_a_building_finds_its_park_by_name_and_takes_its_height(
    officer: Any, orgs: Any, in_scope: Callable[..., Any]
) -> None:
    fields = {"park": "Place 0", "floors": Decimal(6), "height": Decimal(27), "kind": "office"}
    with in_scope(officer):
        actions.import_places(officer, KINDS["park"], orgs.north.pk, records(1), "p.geojson")
        actions.import_places(officer, KINDS["building"], orgs.north.pk, records(1, **fields), "b.geojson")
        building = Building.objects.select_related("park").get()
    assert building.park is not None and building.park.code == "c0"
    assert (building.floors, building.storey_height, building.kind) == (6, Decimal("4.5"), "office")


def test_a_foreign_organisation_is_refused(officer: Any, orgs: Any, in_scope: Callable[..., Any]) -> None:
    with in_scope(officer), pytest.raises(Denied):
        actions.import_places(officer, KINDS["park"], orgs.foreign.pk, records(1), "p.geojson")
    with everywhere():
        assert not Park.objects.exists()


def test_queries_do_not_grow_with_the_rows(
    officer: Any, orgs: Any, in_scope: Callable[..., Any], django_assert_max_num_queries: Any
) -> None:
    with in_scope(officer):
        actions.import_places(officer, KINDS["park"], orgs.north.pk, records(1), "warm")
        with django_assert_max_num_queries(24):
            actions.import_places(officer, KINDS["parcel"], orgs.north.pk, records(400, park="c0"), "big")


def test_saving_is_audited_and_checks_the_owner_of_a_park(
    officer: Any, orgs: Any, in_scope: Callable[..., Any]
) -> None:
    with in_scope(officer):
        north = actions.save_place(
            officer, Park(org_id=orgs.north.pk), {"code": "p", "name": "North"}, geometry=SQUARE
        )
        south = actions.save_place(officer, Park(org_id=orgs.south.pk), {"code": "p", "name": "South"})
        with pytest.raises(ValidationError) as refused:
            actions.save_place(officer, Zone(org_id=orgs.north.pk), {"code": "z", "name": "Z", "park": south})
        assert "park" in refused.value.message_dict
        with pytest.raises(ValidationError):  # the code is taken
            actions.save_place(officer, Park(org_id=orgs.north.pk), {"code": "p", "name": "Twice"})
        actions.save_place(officer, north, {"name": "Norther"}, geometry=None)
        north.refresh_from_db()
    assert (north.name, north.west, north.area_geodesic) == ("Norther", None, None)
    with everywhere():
        entry = AuditEntry.objects.filter(action="places.edit").order_by("-pk").first()
    assert entry is not None
    assert entry.before["name"] == "North" and entry.after["name"] == "Norther"


def test_a_place_that_is_referred_to_stays(officer: Any, orgs: Any, in_scope: Callable[..., Any]) -> None:
    with in_scope(officer):
        park = actions.save_place(officer, Park(org_id=orgs.north.pk), {"code": "p", "name": "North"})
        zone = actions.save_place(
            officer, Zone(org_id=orgs.north.pk), {"code": "z", "name": "Z", "park": park}
        )
        with pytest.raises(ValidationError):
            actions.remove_place(officer, park)
        actions.remove_place(officer, zone)
        actions.remove_place(officer, park)
        assert not Park.objects.exists()


def test_a_unit_lies_on_a_floor_of_its_building(
    officer: Any, orgs: Any, in_scope: Callable[..., Any]
) -> None:
    with in_scope(officer):
        building = actions.save_place(
            officer, Building(org_id=orgs.north.pk), {"code": "b", "name": "B", "floors": 3}
        )
        values = {"code": "301", "floor": 3, "area": Decimal(1200), "state": "let"}
        unit = actions.save_unit(officer, Unit(building=building), values)
        assert unit.org_id == orgs.north.pk
        with pytest.raises(ValidationError) as refused:
            actions.save_unit(officer, Unit(building=building), {**values, "code": "401", "floor": 4})
    assert "floor" in refused.value.message_dict
