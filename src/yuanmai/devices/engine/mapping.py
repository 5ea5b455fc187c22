"""JSON over MQTT: which device a message is about, when it was measured, and what it says at which address.

A mapping stands in the profile of a template or a device; every entry may be left out:

* `topics`: patterns of topics. `{key}` is the part that names the device, `+` any part, `#` the rest; a list or one text.
* `key`: path in the body to what names the device (where the topic does not).
* `rows`: path to a list of records, each with its own time and values (a body that is a list is one anyway).
* `by_device`: true where the body is an object of devices: name → record or list of records.
* `values`: path inside a record to the object with the values; `name` and `value` where values come as a list of pairs
  (`[{"n": "temp", "v": 21.5}]` has `values: …, name: n, value: v`).
* `time`: path to the time, in the record or else in the body; `time_unit`: `s`, `ms`, `us`, `ns`, `text`, or `auto` (by size);
  `zone`: hours ahead of UTC of times without a zone (8).
* `units`: factors of units that stand behind numbers in texts: `{"kPa": 1000, "Pa": 1}` makes 101300 of `"101.3 kPa"`.
* `encoding`: of the body, where it is not UTF-8 (`gb18030`).

Without any of them a message is read as most devices mean it: one record or a list of them, values at the top or in `values`,
time in `ts`, `time` or `timestamp`.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from yuanmai.devices.engine.moments import microseconds
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.engine.topics import DEFAULT_TOPICS, compiled, filter_of, key_in, topics_in
from yuanmai.protocols.faults import Fault

TIMES = ("ts", "time", "timestamp")
MOST_VALUES = 2_000  # of one record
MOST_RECORDS = 20_000  # of one message
DEEPEST = 16
Raw = int | float | str | bool | None
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S.*?)?\s*")
_STEP = re.compile(r"\[(\d+)\]")


class JsonReading(NamedTuple):
    """A record of a message. `key` names the device ("" if nobody is named), `time` is in microseconds since 1970 (UTC), or nothing.

    `odd` says what was strange: `clock_unreadable` (there is a time, but it is none), `too_many` (values were left out).
    """

    key: str
    time: int | None
    values: dict[str, Raw]
    odd: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """A mapping, checked and ready. Made by `profile_of`."""

    topics: tuple[str, ...] = ()
    key: str = ""
    rows: str = ""
    by_device: bool = False
    values: str = ""
    name: str = ""
    value: str = ""
    time: str = ""
    time_unit: str = "auto"
    zone: float = 8.0
    units: Mapping[str, float] = field(default_factory=dict, hash=False)
    encoding: str = ""

    @property
    def plain(self) -> bool:
        """Whether nothing says where the values of a record stand."""
        return not (self.values or self.name)


TEXTS = ("key", "rows", "values", "name", "value", "time", "encoding")
TIME_UNITS = ("auto", "s", "ms", "us", "ns", "text")


def profile_of(given: Mapping[str, Any]) -> Profile:
    """Return the mapping in a profile. Raises ValueError naming the entry that is wrong."""
    topics = topics_in(given)
    for name in TEXTS:
        if not isinstance(given.get(name, ""), str):
            raise ValueError(f"{name}: {given[name]!r} is no text")
    unit = given.get("time_unit", "auto")
    if unit not in TIME_UNITS:
        raise ValueError(f"time_unit: one of {', '.join(TIME_UNITS)}, not {unit!r}")
    units = given.get("units", {})
    if not isinstance(units, Mapping) or not all(isinstance(one, int | float) for one in units.values()):
        raise ValueError("units: factors by unit are wanted")
    zone = given.get("zone", 8)
    if not isinstance(zone, int | float) or not -14 <= zone <= 14:
        raise ValueError(f"zone: -14 to 14 hours, not {zone!r}")
    if given.get("encoding"):
        try:
            "".encode(given["encoding"])
        except LookupError:
            raise ValueError(f"encoding: {given['encoding']!r} is unknown") from None
    in_topic = str(given.get("key", "")).startswith("topic:")
    return Profile(
        topics=topics,
        by_device=bool(given.get("by_device", False)),
        time_unit=unit,
        zone=float(zone),
        units=dict(units),
        **{name: given.get(name, "") for name in TEXTS} | ({"key": ""} if in_topic else {}),
    )


def read_json(
    topic: str, body: bytes, profile: Profile | Mapping[str, Any], client: str = ""
) -> list[JsonReading] | Fault:
    """Return the records of a message. The device is who the body names, else the topic, else `client`.

    Reasons: json (the body is none), form (it is not built as the mapping says), profile (the mapping itself is wrong).
    """
    if not isinstance(profile, Profile):
        try:
            profile = profile_of(profile)
        except ValueError as error:
            return Fault("profile", body, {"what": str(error)})
    return _read(body, profile, key_in(topic, profile.topics or DEFAULT_TOPICS) or client)


def _read(body: bytes, profile: Profile, key: str) -> list[JsonReading] | Fault:
    document = _load(body, profile.encoding)
    if isinstance(document, Fault):
        return document
    found: list[JsonReading] = []
    for named, record in _records(document, profile, key):
        if len(found) >= MOST_RECORDS:
            found[-1] = found[-1]._replace(odd="too_many")
            break
        found.append(_reading(named, record, document, profile))
    if not found and document not in ([], {}):
        return Fault("form", body, {"what": f"no records at {profile.rows or profile.values or 'the top'}"})
    return found


def _load(body: bytes, encoding: str) -> Any:
    try:
        return orjson.loads(body if not encoding else body.decode(encoding))
    except ValueError:
        pass
    try:  # NaN and Infinity, which JSON does not have but devices send; numbers of any size
        return json.loads(body.decode(encoding or "utf-8-sig").rstrip("\0\r\n \t"))
    except (ValueError, RecursionError) as error:
        return Fault("json", body, {"what": str(error)[:200]})


def _records(document: Any, profile: Profile, key: str) -> Iterable[tuple[str, Any]]:
    """Return the device and the record for each record of a message."""
    if profile.by_device:
        inside = _at(document, profile.rows)
        if isinstance(inside, dict):
            for name, records in inside.items():
                for record in records if isinstance(records, list) else [records]:
                    yield name, record
        return
    inside = _at(document, profile.rows)
    top = _text(_at(document, profile.key)) if profile.key and isinstance(document, dict) else ""
    for record in inside if isinstance(inside, list) else [inside]:
        if isinstance(record, dict) or (profile.name and isinstance(record, list)):
            named = _text(_at(record, profile.key)) if profile.key else ""
            yield named or top or key, record


def _reading(key: str, record: Any, document: Any, profile: Profile) -> JsonReading:
    content, used = record, ""
    if profile.values:
        content = _at(record, profile.values)
    elif profile.plain and isinstance(record, dict) and isinstance(record.get("values"), dict):
        content = record["values"]
    told, time, odd = None, None, ""
    for path in (profile.time, *TIMES) if profile.time else TIMES:
        for holder in (record, document) if record is not document else (record,):
            told = _at(holder, path) if isinstance(holder, dict) else None
            if told is not None:
                used = path if holder is content else ""
                break
        if told is not None:
            time = microseconds(told, profile.time_unit, profile.zone)
            odd = "" if time is not None else "clock_unreadable"
            break
    values = _pairs(content, profile) if profile.name else _flat(content)
    if used:
        values.pop(used, None)
    if profile.key and content is record:
        values.pop(profile.key, None)
    if len(values) >= MOST_VALUES:
        odd = odd or "too_many"
    if profile.units:
        values = {name: _measured(value, profile.units) for name, value in values.items()}
    return JsonReading(key, time, values, odd)


def _pairs(content: Any, profile: Profile) -> dict[str, Raw]:
    found: dict[str, Raw] = {}
    for entry in content if isinstance(content, list) else []:
        if not isinstance(entry, dict):
            continue
        name, value = _text(_at(entry, profile.name)), _at(entry, profile.value or "value")
        if name and not isinstance(value, dict | list) and len(found) < MOST_VALUES:
            found[name] = value
    return found


def _flat(content: Any) -> dict[str, Raw]:
    """Return the single values by their paths: `a.b[0].c`."""
    if not isinstance(content, dict):
        return {}
    for value in content.values():
        if value.__class__ is dict or value.__class__ is list:
            found: dict[str, Raw] = {}
            _flatten(content, "", found, 0)
            return found
    return content if len(content) <= MOST_VALUES else dict(list(content.items())[:MOST_VALUES])


def _flatten(content: Any, path: str, found: dict[str, Raw], depth: int) -> None:
    if depth > DEEPEST or len(found) >= MOST_VALUES:
        return
    if isinstance(content, dict):
        for name, value in content.items():
            _flatten(value, f"{path}.{name}" if path else name, found, depth + 1)
    elif isinstance(content, list):
        for place, value in enumerate(content):
            _flatten(value, f"{path}[{place}]", found, depth + 1)
    else:
        found[path] = content


def _at(content: Any, path: str) -> Any:
    """Return what stands at a path, or nothing; the empty path is the whole. A name with dots in it is found as well."""
    if not path:
        return content
    if isinstance(content, dict) and path in content:
        return content[path]
    for step in _steps(path):
        if isinstance(step, int):
            content = content[step] if isinstance(content, list) and step < len(content) else None
        else:
            content = content.get(step) if isinstance(content, dict) else None
        if content is None:
            return None
    return content


@lru_cache(maxsize=4096)
def _steps(path: str) -> tuple[str | int, ...]:
    steps: list[str | int] = []
    for part in path.split("."):
        name = part.partition("[")[0]
        if name:
            steps.append(name)
        steps += [int(place) for place in _STEP.findall(part)]
    return tuple(steps)


def _text(value: Any) -> str:
    """Return what names something: texts and whole numbers, else nothing."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _measured(value: Raw, units: Mapping[str, float]) -> Raw:
    if isinstance(value, str) and (parts := _NUMBER.fullmatch(value)) is not None:
        factor = units.get(parts[2] or "", None if parts[2] else 1)
        return value if factor is None else float(parts[1]) * factor
    return value


class Mappings:
    """All mappings of one state of the register. `wrong` has what could not be understood, by the number of the device."""

    def __init__(self, registry: Registry) -> None:
        self.wrong: dict[int, str] = {}
        self._devices: dict[str, Profile] = {}
        self._patterns: dict[str, tuple[Profile, str | None]] = {}
        self._exact: dict[str, tuple[Profile, str | None]] = {}
        for topic in DEFAULT_TOPICS:
            (self._patterns if "{" in topic else self._exact)[topic] = (PLAIN, None)
        self._found: dict[str, tuple[Profile, str]] = {}
        self._guarded: set[int] = set()
        known: dict[str, Profile] = {}
        for device in registry.devices.values():
            if device.protocol != "mqtt":
                continue
            shape = json.dumps(dict(device.profile), sort_keys=True, default=str)
            try:
                profile = known.get(shape) or known.setdefault(shape, profile_of(device.profile))
            except (ValueError, TypeError) as error:
                self.wrong[device.number] = str(error)
                continue
            self._devices[device.key] = profile
            if device.secret_hash and (profile.key or profile.by_device):
                self._guarded.add(id(profile))
            for topic in profile.topics:
                named = "{" in topic or "+" in topic or "#" in topic
                table = self._patterns if named else self._exact
                # A topic without a name in it speaks for the only device that has it; of several, for the one that sends it.
                other = table.get(topic)
                if other is not None and other[0] is PLAIN:
                    other = None
                table[topic] = (
                    profile if other is None else other[0],
                    device.key if other is None and "{key}" not in topic else None,
                )

    def filters(self) -> list[str]:
        """Return the filters that hear all topics of the register, in order, none twice."""
        return sorted({filter_of(topic) for topic in (*self._patterns, *self._exact)})

    def key_of(self, topic: str) -> str:
        """Return the device that a topic names, or an empty text."""
        return (self._found.get(topic) or self._look(topic))[1]

    def guarded(self, topic: str) -> bool:
        """Return whether messages on a topic name devices in their bodies, one of which has a secret: no stranger may send them."""
        return id((self._found.get(topic) or self._look(topic))[0]) in self._guarded

    def read(self, topic: str, body: bytes, client: str = "") -> list[JsonReading] | Fault:
        """Return the records of a message that `client` has sent ("" where the broker does not say who). Faults: `read_json`."""
        own = self._devices.get(client)
        if own is not None and self._own(topic, own):
            return _read(body, own, client)
        profile, key = self._found.get(topic) or self._look(topic)
        return _read(body, profile, key or client)

    @staticmethod
    def _own(topic: str, profile: Profile) -> bool:
        """Return whether a topic names nobody, so that it speaks for the client that uses it."""
        if not profile.topics:
            return not key_in(topic, profile.topics or DEFAULT_TOPICS)
        return any("{key}" not in one and compiled(one).fullmatch(topic) for one in profile.topics)

    def _look(self, topic: str) -> tuple[Profile, str]:
        """Return mapping and device of a topic. Exact topics go before patterns, patterns that name a device before others."""
        best: tuple[int, Profile, str] = (0, PLAIN, "")
        exact = self._exact.get(topic)
        for pattern, (profile, only) in () if exact is not None else self._patterns.items():
            found = compiled(pattern).fullmatch(topic)
            if found is None:
                continue
            key = found["key"] if "{key}" in pattern else only or ""
            rank = 2 if "{key}" in pattern else 1
            if rank > best[0]:
                best = (rank, self._devices.get(key, profile) if key else profile, key)
        if exact is not None:
            key = exact[1] or ""
            best = (3, self._devices.get(key, exact[0]) if key else exact[0], key)
        if len(self._found) >= 65536:
            self._found.clear()
        self._found[topic] = best[1], best[2]
        return best[1], best[2]


PLAIN = Profile(topics=DEFAULT_TOPICS)
