"""Pages and API of the places room: what they show, to whom, in how many queries."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from python_calamine import CalamineWorkbook

from tests.places.test_features import feature, text
from tests.places.test_geometry import BOW, SQUARE
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.places import actions
from yuanmai.places.models import Building, GridCell, Park

pytestmark = pytest.mark.django_db


def put(org: Any, code: str, model: type[Any] = Park, **values: Any) -> Any:
    with everywhere():
        place = model(org_id=org.pk)
        return actions.save_place(
            SYSTEM, place, {"code": code, "name": f"Name {code}", **values}, geometry=SQUARE
        )


@pytest.fixture
def officer(make_user: Callable[..., Any], orgs: Any) -> Any:
    return make_user("project_officer", orgs.city)


@pytest.fixture
def client(client_as: Callable[..., Any], officer: Any) -> Iterator[Any]:
    return client_as(officer)  # type: ignore[no-any-return]


def test_a_list_shows_own_places_and_areas_by_kind(client: Any, orgs: Any) -> None:
    put(orgs.north, "p1", area_certificate=Decimal(10_000))
    put(orgs.foreign, "p2")
    html = client.get("/places/list/park/").content.decode()
    assert "Name p1" in html and "Name p2" not in html
    assert "15.00" in html and "By certificate" in html


def test_queries_of_a_list_do_not_grow(client: Any, orgs: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get("/places/list/building/").status_code == 200
        return len(caught)

    put(orgs.north, "b0", Building)
    client.get("/places/list/building/")
    few = queries()
    for n in range(1, 12):
        put(orgs.north, f"b{n}", Building, floors=n)
    client.get("/places/list/building/")
    assert queries() == few


def test_filters_and_sorting_are_in_the_address(client: Any, orgs: Any) -> None:
    park = put(orgs.north, "p1")
    put(orgs.north, "b1", Building, park=park)
    put(orgs.south, "b2", Building)
    page = client.get("/places/list/building/", {"park": park.pk, "sort": "-name"})
    assert [b.code for b in page.context["page_obj"]] == ["b1"]
    page = client.get("/places/list/building/", {"sort": "-code"})
    assert [b.code for b in page.context["page_obj"]] == ["b2", "b1"]
    assert [b.code for b in client.get("/places/list/building/", {"q": "name b2"}).context["page_obj"]] == [
        "b2"
    ]
    assert client.get("/places/list/building/", {"park": "x", "page": "99", "sort": "%"}).status_code == 200


def test_the_export_has_the_rows_of_the_filter(client: Any, orgs: Any) -> None:
    put(orgs.north, "p1", area_certificate=Decimal(20_000))
    put(orgs.south, "p2")
    answer = client.get("/places/list/park/export", {"q": "p1"})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    flat = [cell for row in rows for cell in row]
    assert "p1" in flat and "p2" not in flat
    assert 20_000 in flat and 30 in flat


def test_a_record_states_its_areas(client: Any, orgs: Any) -> None:
    park = put(orgs.north, "p1", area_certificate=Decimal("1000000"))
    put(orgs.north, "b1", Building, park=park)
    html = client.get(f"/places/park/{park.pk}/").content.decode()
    for shown in ("1,000,000.00", "1,500.00", "1,091,965.84", "1,092,279.59", "Name b1"):
        assert shown in html


def test_a_foreign_place_is_not_there(client: Any, orgs: Any) -> None:
    park = put(orgs.foreign, "p2")
    for address in (
        f"/places/park/{park.pk}/",
        f"/places/park/{park.pk}/edit/",
        f"/api/v1/places/park/{park.pk}",
    ):
        assert client.get(address).status_code == 404, address
    assert client.get("/places/list/castle/").status_code == 404


def test_who_only_reads_sees_why_the_button_is_grey(client_as: Any, make_user: Any, orgs: Any) -> None:
    park = put(orgs.north, "p1")
    leader = client_as(make_user("leader", orgs.city))
    html = leader.get(f"/places/park/{park.pk}/").content.decode()
    assert 'aria-disabled="true"' in html
    assert leader.get(f"/places/park/{park.pk}/edit/").status_code == 403
    assert leader.post(f"/places/park/{park.pk}/remove/").status_code == 403


def test_an_import_shows_first_and_stores_on_demand(client: Any, orgs: Any) -> None:
    source = text(feature(BOW, code="g1", name="Cell 1"), feature(code="g2", name="Cell 2"))
    file = SimpleUploadedFile("cells.geojson", source.encode())
    form = {"org": orgs.north.pk, "system": "wgs84"}
    seen = client.post("/places/list/gridcell/import/", {**form, "file": file})
    assert seen.status_code == 200 and "crossed itself" in seen.content.decode()
    with everywhere():
        assert not GridCell.objects.exists()
    done = client.post("/places/list/gridcell/import/", {**form, "text": source, "commit": "1"})
    assert done.status_code == 302
    with everywhere():
        assert sorted(GridCell.objects.values_list("code", "org_id")) == [
            ("g1", orgs.north.pk),
            ("g2", orgs.north.pk),
        ]


def test_a_broken_import_names_every_fault_and_stores_nothing(client: Any, orgs: Any) -> None:
    source = text(
        feature(name="x"),
        feature({"type": "Point", "coordinates": [1, 2]}, code="b", name="y"),
        feature(code="c", name="z"),
    )
    form = {"org": orgs.north.pk, "system": "wgs84", "text": source, "commit": "1"}
    answer = client.post("/places/list/park/import/", form)
    assert answer.status_code == 422
    assert [(row["fault"].index, row["fault"].rule) for row in answer.context["faults"]] == [
        (1, "no_code"),
        (2, "kind"),
    ]
    with everywhere():
        assert not Park.objects.exists()


def test_an_import_into_a_foreign_organisation_is_refused(client: Any, orgs: Any) -> None:
    form = {
        "org": orgs.foreign.pk,
        "system": "wgs84",
        "text": text(feature(code="c", name="z")),
        "commit": "1",
    }
    assert client.post("/places/list/park/import/", form).status_code == 422
    with everywhere():
        assert not Park.objects.exists()


def test_editing_an_outline(client: Any, orgs: Any) -> None:
    park = put(orgs.north, "p1")
    address = f"/places/park/{park.pk}/edit/"
    form = {"code": "p1", "name": "Renamed", "outline": json.dumps(SQUARE)}
    assert client.post(address, {**form, "outline": "{}"}).status_code == 422
    assert client.post(address, form).status_code == 302
    park.refresh_from_db()
    assert park.name == "Renamed"
    other = put(orgs.north, "p2")
    taken = client.post(f"/places/park/{other.pk}/edit/", form)
    assert taken.status_code == 422 and taken.context["form"].errors


def test_the_layers_of_the_map_hold_own_places_only(client: Any, orgs: Any) -> None:
    put(orgs.north, "p1")
    put(orgs.foreign, "p2")
    put(orgs.north, "b1", Building, floors=5, storey_height=Decimal("4.5"))
    described = client.get("/places/map/layers.json").json()
    assert [layer["id"] for layer in described["layers"]][:5] == [
        "parks",
        "zones",
        "cells",
        "parcels",
        "buildings",
    ]
    assert described["bounds"] == [112.9, 27.8, 112.91, 27.81]
    parks = client.get("/places/map/parks.geojson").json()
    assert [f["properties"]["name"] for f in parks["features"]] == ["Name p1"]
    (building,) = client.get("/places/map/buildings.geojson").json()["features"]
    assert building["properties"]["height"] == 22.5
    assert building["geometry"]["type"] == "Polygon"
    assert client.get("/places/map/castles.geojson").status_code == 404
    only = client.get("/places/map/layers.json", {"show": "parks,nonsense"}).json()["layers"]
    assert [layer["id"] for layer in only if layer["visible"]] == ["parks"]
    assert [layer["id"] for layer in only] == [layer["id"] for layer in described["layers"]]


def test_project_sites_are_a_layer(client: Any, orgs: Any, make_project: Any) -> None:
    make_project(orgs.north, "Sited", version={"site": {"type": "Point", "coordinates": [112.9, 27.8]}})
    make_project(orgs.foreign, "Far", version={"site": {"type": "Point", "coordinates": [112.9, 27.8]}})
    answer = client.get("/places/map/sites.geojson", {"as_of": "2022-03-31"}).json()
    assert [f["properties"]["name"] for f in answer["features"]] == ["Sited"]


def test_the_api_lists_and_shows(client: Any, orgs: Any) -> None:
    park = put(orgs.north, "p1")
    put(orgs.foreign, "p2")
    listed = client.get("/api/v1/places/park").json()
    assert [item["code"] for item in listed["items"]] == ["p1"] and listed["items"][0]["geometry"] is None
    one = client.get(f"/api/v1/places/park/{park.pk}").json()
    assert one["geometry"]["type"] == "Polygon" and one["bounds"] == [112.9, 27.8, 112.91, 27.81]
    assert client.get("/api/v1/places/castle").status_code == 422
