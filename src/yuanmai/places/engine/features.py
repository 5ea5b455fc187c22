"""A GeoJSON collection becomes place records: which property means what, what is wrong, what was repaired (pure).

Nothing is looked up and nothing is stored: references to other places stay codes or names, to be resolved by the action.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made
from decimal import Decimal, InvalidOperation
from typing import Any

from yuanmai.common.geometry import GeometryError, clean

MOST_FEATURES = 20_000
TEXT_LIMITS = {"code": 60, "name": 120, "name_en": 160, "holder": 120, "use": 60, "level": 60, "park": 120, "zone": 120,
               "parcel": 120}  # fmt: skip
NUMBERS = {"floors": (1, 300), "storey_height": (2, 30), "height": (2, 900), "floor_area": (0, 10**9),
           "area_certificate": (0, 10**11)}  # fmt: skip
# Coordinate systems that a collection may name; any other is projected or foreign.
PLAIN_SYSTEMS = ("CRS84", "4326", "4490", "CGCS2000", "WGS84", "WGS 84")


@dataclass(frozen=True)
class Fault:
    """What is wrong: `index` from 1 (0: the file), `field` and `value` as they stand, `rule` and what its message needs."""

    index: int
    rule: str
    field: str = ""
    value: str = ""
    values: Mapping[str, Any] = made(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """One place as read: `fields` holds what the file says, `notes` the rules by which the geometry was repaired."""

    index: int
    code: str
    name: str
    fields: Mapping[str, Any]
    geometry: dict[str, Any]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """Everything a file holds, and every fault of it."""

    records: list[Record]
    faults: list[Fault]
    ignored: tuple[str, ...] = ()


def plain(text: Any) -> str:
    """A property's name or text for comparison: usual-width characters, no blanks or signs, lower case."""
    return re.sub(r"[\s_\-()（）:：]+", "", unicodedata.normalize("NFKC", str(text))).lower()


def read(text: str, words: Mapping[str, list[str]], *, system: str = "wgs84") -> Reading:
    """Read a FeatureCollection, a feature or a bare geometry. `words` maps a field to the property names that mean it."""
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        line = getattr(error, "lineno", 0)
        return Reading([], [Fault(0, "not_json", value=text[:40], values={"line": line})])
    features, faults = _features(document)
    if faults:
        return Reading([], faults)
    if isinstance(document, dict) and (fault := _system(document)):
        return Reading([], [fault])
    known = {plain(word): field for field, names in words.items() for word in [field, *names]}
    records: list[Record] = []
    ignored: set[str] = set()
    for index, feature in enumerate(features, start=1):
        record, found = _record(index, feature, known, system, ignored)
        faults.extend(found)
        if record is not None:
            records.append(record)
    faults.extend(_twice(records))
    return Reading(records, faults, tuple(sorted(ignored)))


def _features(document: Any) -> tuple[list[Any], list[Fault]]:
    if not isinstance(document, dict):
        return [], [Fault(0, "not_geojson")]
    kind = document.get("type")
    if kind == "FeatureCollection":
        features = document.get("features")
        if not isinstance(features, list):
            return [], [Fault(0, "not_geojson")]
    elif kind == "Feature":
        features = [document]
    elif "coordinates" in document:
        features = [{"type": "Feature", "properties": {}, "geometry": document}]
    else:
        return [], [Fault(0, "not_geojson", value=str(kind))]
    if not features:
        return [], [Fault(0, "no_features")]
    if len(features) > MOST_FEATURES:
        return [], [Fault(0, "too_many_features", values={"count": len(features), "most": MOST_FEATURES})]
    return features, []


def _system(document: dict[str, Any]) -> Fault | None:
    """A collection may name its coordinate system (GeoJSON 2008); other systems than ours are refused, not guessed."""
    crs = document.get("crs")
    if not isinstance(crs, dict):
        return None
    properties = crs.get("properties")
    name = str(properties.get("name", "")) if isinstance(properties, dict) else ""
    if not name or any(word in name.upper() for word in PLAIN_SYSTEMS):
        return None
    return Fault(0, "system", field="crs", value=name)


def _record(
    index: int, feature: Any, known: Mapping[str, str], system: str, ignored: set[str]
) -> tuple[Record | None, list[Fault]]:
    if not isinstance(feature, dict):
        return None, [Fault(index, "not_geojson", value=str(feature)[:40])]
    properties = feature.get("properties") or {}
    if not isinstance(properties, dict):
        return None, [Fault(index, "not_geojson", field="properties")]
    faults: list[Fault] = []
    fields: dict[str, Any] = {}
    for key, value in properties.items():
        name = known.get(plain(key))
        if name is None:
            ignored.add(str(key))
        elif value not in (None, "") and name not in fields:
            taken, fault = _value(index, name, str(key), value)
            if fault:
                faults.append(fault)
            else:
                fields[name] = taken
    code = str(fields.pop("code", "") or feature.get("id") or "").strip()
    name = fields.pop("name", "")
    if not code:
        faults.append(Fault(index, "no_code", field="code"))
    elif len(code) > TEXT_LIMITS["code"]:
        faults.append(
            Fault(index, "too_long", field="code", value=code, values={"most": TEXT_LIMITS["code"]})
        )
    if not name:
        faults.append(Fault(index, "no_name", field="name"))
    try:
        cleaned = clean(feature.get("geometry"), system=system)
    except GeometryError as fault:
        return None, [*faults, Fault(index, fault.rule, field="geometry", values=fault.values)]
    if faults:
        return None, faults
    return Record(index, code, str(name), fields, cleaned.geometry, cleaned.notes), []


def _value(index: int, name: str, key: str, value: Any) -> tuple[Any, Fault | None]:
    if name in NUMBERS:
        low, high = NUMBERS[name]
        try:
            number = Decimal(unicodedata.normalize("NFKC", str(value)).replace(",", "").strip())
        except InvalidOperation:
            return None, Fault(index, "not_number", field=key, value=str(value))
        if isinstance(value, bool) or not number.is_finite() or not low <= number <= high:
            return None, Fault(index, "range", field=key, value=str(value), values={"low": low, "high": high})
        if name == "floors" and number != number.to_integral_value():
            return None, Fault(index, "not_whole", field=key, value=str(value))
        return number, None
    if isinstance(value, dict | list):
        return None, Fault(index, "not_text", field=key, value=str(value)[:40])
    text = unicodedata.normalize("NFC", str(value)).strip()
    most = TEXT_LIMITS.get(name, 200)
    if len(text) > most:
        return None, Fault(index, "too_long", field=key, value=text[:40], values={"most": most})
    return text, None


def _twice(records: list[Record]) -> list[Fault]:
    first: dict[str, int] = {}
    faults = []
    for record in records:
        if record.code in first:
            faults.append(
                Fault(
                    record.index,
                    "twice",
                    field="code",
                    value=record.code,
                    values={"first": first[record.code]},
                )
            )
        first.setdefault(record.code, record.index)
    return faults
