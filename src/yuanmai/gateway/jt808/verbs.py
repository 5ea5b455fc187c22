"""What each command to a terminal is on the wire: message, body, and the answer that is awaited."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from yuanmai.gateway.orders import RefusedError
from yuanmai.protocols.jt808.bodies import encode_body
from yuanmai.protocols.jt808.params import BY_NAME, write

CHINA = timezone(timedelta(hours=8))
SOUTH, WEST = 1 << 6, 1 << 7  # attributes of an area
ALARMS = {
    "in_alarm_driver": 1 << 2,
    "in_alarm_platform": 1 << 3,
    "out_alarm_driver": 1 << 4,
    "out_alarm_platform": 1 << 5,
}
Given = Mapping[str, Any]
Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wire:
    """A message to send. `answers` are the messages that end it besides a refusal; without any a general answer does."""

    message: int
    body: bytes
    answers: tuple[int, ...] = ()


def _micro(degrees: float) -> int:
    return round(abs(float(degrees)) * 1_000_000)


def _bcd(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(CHINA).strftime("%y%m%d%H%M%S")


def _attributes(given: Given, latitude: float, longitude: float) -> int:
    attributes = sum(bit for name, bit in ALARMS.items() if given.get(name))
    attributes |= 1 if given.get("begin") else 0
    attributes |= 2 if given.get("max_speed") else 0
    return attributes | (SOUTH if latitude < 0 else 0) | (WEST if longitude < 0 else 0)


def _conditions(given: Given) -> Body:
    """Validity, speed and name, as far as they are given; the layout takes what the attributes announce."""
    body: Body = {"name": str(given.get("name") or "")}
    if given.get("begin"):
        body |= {"start_time": _bcd(given["begin"]), "end_time": _bcd(given["end"])}
    if given.get("max_speed"):
        speed = int(given["max_speed"])
        body |= {
            "max_speed_kmh": speed,
            "overspeed_duration_s": int(given.get("duration") or 10),
            "night_max_speed_kmh": int(given.get("night_max_speed") or speed),
        }
    return body


def _circle(given: Given, _standard: int) -> Body:
    latitude, longitude = float(given["latitude"]), float(given["longitude"])
    area = {
        "id": int(given["area"]), "attr": _attributes(given, latitude, longitude), "lat_raw": _micro(latitude),
        "lng_raw": _micro(longitude), "radius_m": int(given["radius"]), **_conditions(given),
    }  # fmt: skip
    return {"action": 1, "items": [area]}


def _rectangle(given: Given, _standard: int) -> Body:
    north, west, south, east = (float(given[side]) for side in ("north", "west", "south", "east"))
    area = {
        "id": int(given["area"]), "attr": _attributes(given, north, west), "ul_lat_raw": _micro(north), "ul_lng_raw": _micro(west),
        "lr_lat_raw": _micro(south), "lr_lng_raw": _micro(east), **_conditions(given),
    }  # fmt: skip
    return {"action": 1, "items": [area]}


def _polygon(given: Given, _standard: int) -> Body:
    corners = [(float(latitude), float(longitude)) for longitude, latitude in given["corners"]]
    return {
        "id": int(given["area"]), "attr": _attributes(given, *corners[0]), **_conditions(given),
        "vertices": [[_micro(latitude), _micro(longitude)] for latitude, longitude in corners],
    }  # fmt: skip


def _route(given: Given, _standard: int) -> Body:
    turns = []
    limit = _conditions(given)
    for number, (longitude, latitude) in enumerate(given["corners"], 1):
        attributes = (
            (2 if given.get("max_speed") else 0) | (4 if latitude < 0 else 0) | (8 if longitude < 0 else 0)
        )
        turns.append({
            "point_id": number, "section_id": number, "lat_raw": _micro(latitude), "lng_raw": _micro(longitude),
            "width_m": int(given.get("width") or 50), "attr": attributes, **limit,
        })  # fmt: skip
    route = {
        "id": int(given["area"]),
        "attr": _attributes({**given, "max_speed": None}, 0, 0),
        "points": turns,
    }
    return {**limit, **route}


def _deleted(given: Given, _standard: int) -> Body:
    return {"ids": [int(number) for number in given.get("areas") or []]}


def _text(given: Given, standard: int) -> Body:
    urgent, display, speak = (bool(given.get(name)) for name in ("urgent", "display", "speak"))
    if standard >= 2019:
        flag = (2 if urgent else 1) | (4 if display else 0) | (8 if speak else 0)
    else:
        flag = (
            (1 if urgent else 0)
            | (4 if display else 0)
            | (8 if speak else 0)
            | (16 if given.get("advert") else 0)
        )
    return {"flag": flag, "text_type": 1, "text": str(given["text"])}


def _parameters(given: Given, _standard: int) -> Body:
    return {"params": [write(name, value) for name, value in given["values"].items()]}


def _asked(given: Given, _standard: int) -> Body:
    return {"ids": [BY_NAME[name] for name in given["names"]]}


def _intervals(given: Given, _standard: int) -> Body:
    names = {
        "report": "report_default_s",
        "asleep": "report_asleep_s",
        "emergency": "report_in_emergency_s",
        "heartbeat": "heartbeat_s",
    }
    return {"params": [write(name, given[short]) for short, name in names.items() if given.get(short)]}


def _control(given: Given, _standard: int) -> Body:
    return {"raw_hex": f"{int(given['control']):02x}"}


def _track(given: Given, _standard: int) -> Body:
    return {"interval_s": int(given["seconds"]), "validity_s": int(given.get("validity") or 0)}


def _confirm(given: Given, _standard: int) -> Body:
    return {"ack_serial": int(given.get("serial") or 0), "alarm": int(given["alarms"])}


def _photo(given: Given, _standard: int) -> Body:
    return {
        "channel": int(given["channel"]), "command": int(given["shots"]), "interval_or_duration_s": int(given.get("interval") or 0),
        "save": 0, "resolution": int(given["resolution"]), "quality": int(given["quality"]), "brightness": 128, "contrast": 64,
        "saturation": 64, "chroma": 128,
    }  # fmt: skip


def _nothing(_given: Given, _standard: int) -> Body:
    return {}


VERBS: dict[str, tuple[int, Callable[[Given, int], Body], tuple[int, ...]]] = {
    "text": (0x8300, _text, ()),
    "circle_set": (0x8600, _circle, ()),
    "circle_delete": (0x8601, _deleted, ()),
    "rectangle_set": (0x8602, _rectangle, ()),
    "rectangle_delete": (0x8603, _deleted, ()),
    "polygon_set": (0x8604, _polygon, ()),
    "polygon_delete": (0x8605, _deleted, ()),
    "route_set": (0x8606, _route, ()),
    "route_delete": (0x8607, _deleted, ()),
    "parameters_set": (0x8103, _parameters, ()),
    "parameters_read": (0x8104, _nothing, (0x0104,)),
    "parameters_ask": (0x8106, _asked, (0x0104,)),
    "intervals_set": (0x8103, _intervals, ()),
    "attributes_read": (0x8107, _nothing, (0x0107,)),
    "control": (0x8105, _control, ()),
    "locate": (0x8201, _nothing, (0x0201,)),
    "track": (0x8202, _track, ()),
    "alarm_confirm": (0x8203, _confirm, ()),
    "photo": (0x8801, _photo, (0x0805,)),
}
ANSWERS = frozenset(answer for _message, _body, answers in VERBS.values() for answer in answers)


def wire(verb: str, given: Given, standard: int) -> Wire:
    """Return what is sent in this edition of the standard. Raises RefusedError for what cannot be said in JT/T 808."""
    known = VERBS.get(verb)
    if known is None:
        raise RefusedError("unknown_verb", verb)
    message, body, answers = known
    if verb == "photo" and standard < 2013:
        answers = ()
    try:
        return Wire(message, encode_body(message, body(given, standard), standard), answers)
    except (KeyError, ValueError, TypeError, OverflowError, struct.error, UnicodeError) as problem:
        raise RefusedError("bad_parameters", str(problem)) from None
