"""From a definition back to the form that shows it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from yuanmai.devices.models import AlarmRule
from yuanmai.devices.rules.editor import KINDS, ROWS
from yuanmai.devices.rules.hours import hours_text


def kind_of(definition: Mapping[str, Any]) -> str:
    """Return the form that can show a definition."""
    for kind in KINDS:
        if kind != "expert" and _shown_as(kind, definition) is not None:
            return kind
    return "expert"


def initial_of(rule: AlarmRule, kind: str, device_codes: Sequence[str]) -> dict[str, Any]:
    """Return what the form of a rule starts with."""
    version = rule.current
    assert version is not None
    found = {
        "name": rule.name, "name_en": rule.name_en, "code": rule.code, "severity": version.severity, "org": rule.org_id,
        "template": version.template_id, "park": version.park_id, "devices": " ".join(device_codes),
        "source": version.source, "advice": version.advice, "enabled": rule.enabled,
    }  # fmt: skip
    return {**found, **(_shown_as(kind, version.definition) or {})}


def _shown_as(kind: str, definition: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the fields of a kind for a definition; None where this kind cannot show all of it."""
    if kind == "expert":
        return {"definition": json.dumps(definition, ensure_ascii=False, indent=2)}
    found = _condition_fields(kind, definition.get("when", {}))
    grades = definition.get("grades", [])
    if found is None or (grades and (kind != "threshold" or len(grades) > 1 or "limit" not in grades[0])):
        return None
    if grades:
        found |= {"second_limit": grades[0]["limit"], "second_severity": grades[0]["severity"]}
    hold = definition.get("hold", {})
    if hold.get("of"):
        found |= {"hold": "minutes", "hold_minutes": hold["minutes"], "hold_of": hold["of"]}
    elif hold.get("for"):
        found |= {"hold": "for", "hold_for": hold["for"]}
    if kind == "missing" and hold:
        return None
    return {
        **found,
        "clear_for": definition.get("clear_for"),
        "hours": hours_text(definition.get("active", [])),
    }


def _condition_fields(kind: str, when: Mapping[str, Any]) -> dict[str, Any] | None:
    if kind == "combined":
        return _combined_fields(when)
    if when.get("kind") != kind or when.get("device"):
        return None
    found = {k: v for k, v in when.items() if k not in {"kind", "shape", "values"}}
    if kind == "state":
        found["values"] = ", ".join(f"{v:g}" for v in when["values"])
    if kind == "geofence":
        shape = when["shape"]
        if shape["type"] == "Circle":
            found |= {"figure": "circle", "longitude": shape["center"][0], "latitude": shape["center"][1],
                      "radius": shape["radius"]}  # fmt: skip
        elif shape["type"] == "Polygon" and len(shape["coordinates"]) == 1:
            lines = [f"{p[0]}, {p[1]}" for p in shape["coordinates"][0]]
            found |= {"figure": "polygon", "corners": "\n".join(lines)}
        else:
            found |= {"figure": "polygon", "corners": json.dumps(shape)}
    return found


def _combined_fields(when: Mapping[str, Any]) -> dict[str, Any] | None:
    parts = when.get("conditions", [])
    if when.get("kind") not in {"all", "any"} or not 0 < len(parts) <= ROWS:
        return None
    found: dict[str, Any] = {"joint": when["kind"]}
    for i, part in enumerate(parts):
        negated = part.get("kind") == "not"
        inner = part["condition"] if negated else part
        kind = inner.get("kind")
        if kind == "state":
            compare, text = ("is_not" if negated else "is"), ", ".join(f"{v:g}" for v in inner["values"])
        elif negated or kind not in {"threshold", "missing"} or inner.get("hysteresis"):
            return None
        elif kind == "missing":
            compare, text = "silent", f"{inner['after']:g}"
        else:
            compare = inner["compare"]
            limits = [inner["limit"]] if compare in {"above", "below"} else [inner["low"], inner["high"]]
            text = ", ".join(f"{v:.12g}" for v in limits)
        found |= {f"compare_{i}": compare, f"value_{i}": text, f"point_{i}": inner.get("point", ""),
                  f"device_{i}": inner.get("device", "")}  # fmt: skip
    return found
