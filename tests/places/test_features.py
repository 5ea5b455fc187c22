"""Reading GeoJSON collections: words of properties, faults all at once."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.places.test_geometry import BOW, SQUARE
from yuanmai.places.engine.features import read

WORDS = {
    "code": ["编号", "zdmj_no"],
    "name": ["名称"],
    "floors": ["层数"],
    "area_certificate": ["证载面积"],
    "park": ["所属园区"],
}


def feature(geometry: Any = SQUARE, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def text(*features: Any, **members: Any) -> str:
    return json.dumps(
        {"type": "FeatureCollection", "features": list(features), **members}, ensure_ascii=False
    )


def rules(source: str) -> list[tuple[int, str]]:
    return [(fault.index, fault.rule) for fault in read(source, WORDS).faults]


def test_properties_are_understood_by_their_words() -> None:
    reading = read(
        text(
            feature(**{"编 号": "A-1", "名称": "一号楼", "层数": "６", "证载面积": "1,234.5", "颜色": "红"})
        ),
        WORDS,
    )
    assert reading.faults == []
    (record,) = reading.records
    assert (record.code, record.name) == ("A-1", "一号楼")
    assert record.fields == {"floors": Decimal(6), "area_certificate": Decimal("1234.5")}
    assert reading.ignored == ("颜色",)


def test_the_id_of_a_feature_is_a_code() -> None:
    one = {**feature(name="x"), "id": 17}
    assert read(json.dumps(one), WORDS).records[0].code == "17"


def test_every_fault_at_once() -> None:
    source = text(
        feature(code="a", name="x", floors="six"),
        feature(name="no code"),
        feature(code="b"),
        feature(None, code="c", name="x"),
        feature(code="d", name="x", floors="2.5"),
        feature(code="e", name="x", floors=-1),
        feature(code="f", name="x"),
        feature(code="f", name="x"),
        "nonsense",
        feature(code="g", name={"a": 1}),
    )
    assert rules(source) == [
        (1, "not_number"), (2, "no_code"), (3, "no_name"), (4, "missing"), (5, "not_whole"), (6, "range"), (9, "not_geojson"),
        (10, "not_text"), (10, "no_name"), (8, "twice"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ("{", "not_json"),
        ("[]", "not_geojson"),
        ('{"type": "Topology"}', "not_geojson"),
        (text(), "no_features"),
        (
            text(feature(code="a", name="x"), crs={"properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}),
            "system",
        ),
    ],
)
def test_a_file_that_is_none(source: str, rule: str) -> None:
    assert rules(source) == [(0, rule)]


def test_national_and_plain_degrees_are_both_fine() -> None:
    for name in ("urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4490", "urn:ogc:def:crs:EPSG::4326"):
        assert rules(text(feature(code="a", name="x"), crs={"properties": {"name": name}})) == []


def test_a_repair_is_noted() -> None:
    assert read(text(feature(BOW, code="a", name="x")), WORDS).records[0].notes == ("repaired",)
