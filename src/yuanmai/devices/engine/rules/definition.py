"""A rule's definition: JSON in, typed conditions out, or every fault at once.

```
{"when": CONDITION, "hold": {"for": 300} | {"minutes": 3, "of": 5}, "clear_for": 60,
 "grades": [{"severity": 4, "limit": 100}], "active": [{"days": "working", "from": "08:00", "until": "18:00"}]}
```
A CONDITION names its `kind`: ``threshold``, ``rate``, ``state``, ``missing``, ``quality``, ``geofence``, or combines others: ``all``,
``any`` (with `conditions`), ``not`` (with `condition`). Times are seconds. `device` names another device by its code; without it
the condition speaks of the device that the rule is applied to.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from yuanmai.devices.engine.rules.conditions import (
    COMPARE,
    FLAGS,
    PER,
    All,
    Among,
    AnyOf,
    Bounds,
    Condition,
    Doubtful,
    Fence,
    Missing,
    Not,
    Rate,
    Threshold,
)
from yuanmai.devices.engine.rules.shapes import ShapeFault, read_shape
from yuanmai.devices.engine.rules.windows import Window, WindowFault, read_window

SEVERITIES = (1, 2, 3, 4)  # hint, minor, important, urgent
LONGEST = 31 * 86400  # seconds that anything may last
DEEPEST = 6
MOST = 40  # conditions in one rule
MOST_WINDOWS = 50


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: where (`when.conditions.0.limit`), which rule was broken, and what the message needs."""

    path: str
    rule: str
    values: Mapping[str, Any] = field(default_factory=dict)


class DefinitionError(ValueError):
    """The definition cannot be used; `faults` say why."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.path}: {fault.rule}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True)
class Hold:
    """How long it must hold: `seconds` without interruption, or in at least `minutes` of the last `of` minutes (`of` > 0)."""

    seconds: float = 0.0
    minutes: int = 0
    of: int = 0


@dataclass(frozen=True)
class Definition:
    """A rule as data. `grades` are (severity, condition) from mild to severe; severity 0 stands for the rule's own."""

    when: Condition
    hold: Hold = Hold()
    clear_for: float = 0.0
    grades: tuple[tuple[int, Condition], ...] = ()
    active: tuple[Window, ...] = ()


def read(document: Any) -> Definition:
    """Return the definition of a JSON document; raises `DefinitionError` with every fault."""
    reader = _Reader()
    definition = reader.definition(document)
    if reader.faults or definition is None:
        raise DefinitionError(reader.faults)
    return definition


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.count = 0

    def fault(self, path: str, rule: str, **values: Any) -> None:
        self.faults.append(Fault(path, rule, values))

    def number(
        self, source: Mapping[str, Any], path: str, key: str, *, default: float | None = None,
        least: float = -math.inf, most: float = math.inf,
    ) -> float:  # fmt: skip
        value = source.get(key)
        if value is None and default is not None:
            return default
        where = f"{path}.{key}".lstrip(".")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.fault(where, "missing" if value is None else "number", value=str(value)[:40])
            return default or 0.0
        if not least <= value <= most:
            self.fault(where, "range", value=value, least=least, most=most)
        return float(value)

    def text(self, source: Mapping[str, Any], path: str, key: str, *, needed: bool = True) -> str:
        value = source.get(key, "")
        if not isinstance(value, str) or len(value) > 60 or (needed and not value.strip()):
            self.fault(f"{path}.{key}".lstrip("."), "text" if value else "missing", value=str(value)[:40])
            return ""
        return value.strip()

    def choice(self, source: Mapping[str, Any], path: str, key: str, among: Any, default: str = "") -> str:
        value = source.get(key, default)
        if value not in among:
            self.fault(f"{path}.{key}".lstrip("."), "choice", value=str(value)[:40], among=", ".join(among))
            return next(iter(among))
        return str(value)

    def known(self, source: Mapping[str, Any], path: str, *keys: str) -> None:
        for key in source:
            if key not in keys:
                self.fault(f"{path}.{key}".lstrip("."), "unknown", key=str(key)[:40])

    def definition(self, document: Any) -> Definition | None:
        if not isinstance(document, Mapping):
            self.fault("", "object")
            return None
        self.known(document, "", "when", "hold", "clear_for", "grades", "active")
        when = self.condition(document.get("when"), "when", 0)
        hold = self.hold(document.get("hold", {}))
        clear_for = self.number(document, "", "clear_for", default=0.0, least=0, most=LONGEST)
        if when is None:
            return None
        grades = self.grades(document.get("grades", []), when)
        active = self.active(document.get("active", []))
        return Definition(when, hold, clear_for, grades, active)

    def hold(self, source: Any) -> Hold:
        if not isinstance(source, Mapping):
            self.fault("hold", "object")
            return Hold()
        if "of" in source or "minutes" in source:
            self.known(source, "hold", "minutes", "of")
            of = self.number(source, "hold", "of", least=1, most=1440)
            minutes = self.number(source, "hold", "minutes", least=1, most=of or 1440)
            if of != int(of) or minutes != int(minutes):
                self.fault("hold", "whole")
            return Hold(0.0, int(minutes), int(of))
        self.known(source, "hold", "for")
        return Hold(self.number(source, "hold", "for", default=0.0, least=0, most=LONGEST))

    def grades(self, source: Any, when: Condition) -> tuple[tuple[int, Condition], ...]:
        if not isinstance(source, list) or len(source) > 3:
            self.fault("grades", "list", most=3)
            return ()
        if source and not isinstance(when, Threshold | Rate):
            self.fault("grades", "grades_kind")
            return ()
        result: list[tuple[int, Condition]] = []
        for index, grade in enumerate(source):
            path = f"grades.{index}"
            if not isinstance(grade, Mapping):
                self.fault(path, "object")
                continue
            self.known(grade, path, "severity", "limit", "low", "high")
            severity = grade.get("severity")
            if severity not in SEVERITIES:
                self.fault(f"{path}.severity", "choice", value=str(severity)[:40], among="1, 2, 3, 4")
                continue
            assert isinstance(when, Threshold | Rate)
            bounds = self.bounds({**grade, "compare": when.bounds.compare}, path, when.bounds.hysteresis)
            result.append((int(severity), replace(when, bounds=bounds)))
        if len({severity for severity, _ in result}) < len(result):
            self.fault("grades", "twice")
        return tuple(sorted(result, key=lambda pair: pair[0]))

    def active(self, source: Any) -> tuple[Window, ...]:
        if not isinstance(source, list) or len(source) > MOST_WINDOWS:
            self.fault("active", "list", most=MOST_WINDOWS)
            return ()
        result = []
        for index, entry in enumerate(source):
            try:
                result.append(read_window(entry))
            except WindowFault as error:
                self.fault(f"active.{index}{error.part}", error.rule, value=error.value)
        return tuple(result)

    def condition(self, source: Any, path: str, depth: int) -> Condition | None:
        self.count += 1
        if not isinstance(source, Mapping):
            self.fault(path, "missing" if source is None else "object")
            return None
        if depth > DEEPEST or self.count > MOST:
            self.fault(path, "too_deep", most=DEEPEST)
            return None
        kind = source.get("kind")
        method = getattr(self, f"_{kind}", None) if kind in KINDS else None
        if method is None:
            self.fault(f"{path}.kind", "choice", value=str(kind)[:40], among=", ".join(KINDS))
            return None
        result: Condition | None = method(source, path, depth)
        return result

    def _parts(self, source: Mapping[str, Any], path: str, depth: int) -> tuple[Condition, ...]:
        self.known(source, path, "kind", "conditions")
        parts = source.get("conditions")
        if not isinstance(parts, list) or not parts:
            self.fault(f"{path}.conditions", "missing")
            return ()
        read_parts = [
            self.condition(part, f"{path}.conditions.{i}", depth + 1) for i, part in enumerate(parts)
        ]
        return tuple(part for part in read_parts if part is not None)

    def _all(self, source: Mapping[str, Any], path: str, depth: int) -> Condition:
        return All(self._parts(source, path, depth))

    def _any(self, source: Mapping[str, Any], path: str, depth: int) -> Condition:
        return AnyOf(self._parts(source, path, depth))

    def _not(self, source: Mapping[str, Any], path: str, depth: int) -> Condition | None:
        self.known(source, path, "kind", "condition")
        part = self.condition(source.get("condition"), f"{path}.condition", depth + 1)
        return None if part is None else Not(part)

    def bounds(self, source: Mapping[str, Any], path: str, hysteresis: float | None = None) -> Bounds:
        compare = self.choice(source, path, "compare", COMPARE)
        if hysteresis is None:
            hysteresis = self.number(source, path, "hysteresis", default=0.0, least=0.0)
        if compare in {"above", "below"}:
            limit = self.number(source, path, "limit")
            return (
                Bounds(compare, -math.inf, limit, hysteresis)
                if compare == "above"
                else Bounds(compare, limit, math.inf, hysteresis)
            )
        low, high = self.number(source, path, "low"), self.number(source, path, "high")
        if low > high:
            self.fault(f"{path}.low", "order", low=low, high=high)
        elif compare == "outside" and 2 * hysteresis > high - low:
            self.fault(f"{path}.hysteresis", "hysteresis", value=hysteresis)
        return Bounds(compare, low, high, hysteresis)

    def _threshold(self, source: Mapping[str, Any], path: str, depth: int) -> Condition:
        self.known(source, path, "kind", "point", "device", "compare", "limit", "low", "high", "hysteresis")
        device = self.text(source, path, "device", needed=False)
        return Threshold(self.text(source, path, "point"), self.bounds(source, path), device)

    def _rate(self, source: Mapping[str, Any], path: str, depth: int) -> Condition:
        self.known(source, path, "kind", "point", "device", "compare", "limit", "low", "high", "hysteresis",
                   "per", "over", "counter")  # fmt: skip
        if not isinstance(source.get("counter", False), bool):
            self.fault(f"{path}.counter", "boolean")
        return Rate(
            self.text(source, path, "point"), self.bounds(source, path),
            self.choice(source, path, "per", PER, "hour"),
            self.number(source, path, "over", default=600.0, least=1, most=LONGEST),
            bool(source.get("counter", False)), self.text(source, path, "device", needed=False),
        )  # fmt: skip

    def _state(self, source: Mapping[str, Any], path: str, depth: int) -> Condition:
        self.known(source, path, "kind", "point", "device", "values")
        values = source.get("values")
        good = isinstance(values, list) and 0 < len(values) <= 100
        if not good or any(isinstance(v, bool) or not isinstance(v, int | float) for v in values or ()):
            self.fault(f"{path}.values", "numbers")
            values = []
        return Among(
            self.text(source, path, "point"), frozenset(map(float, values or ())),
            self.text(source, path, "device", needed=False),
        )  # fmt: skip

    def _missing(self, source: Mapping[str, Any], path: str, depth: int) -> Condition:
        self.known(source, path, "kind", "point", "device", "after")
        after = self.number(source, path, "after", least=1, most=LONGEST)
        point = self.text(source, path, "point", needed=False)
        return Missing(after, point, self.text(source, path, "device", needed=False))

    def _quality(self, source: Mapping[str, Any], path: str, depth: int) -> Condition:
        self.known(source, path, "kind", "point", "device", "flags")
        flags = source.get("flags", ["flagged", "range", "clock", "not_a_number", "jump"])
        if not isinstance(flags, list) or not flags or any(flag not in FLAGS for flag in flags):
            self.fault(f"{path}.flags", "choice", value=str(flags)[:40], among=", ".join(FLAGS))
            flags = []
        mask = 0
        for flag in flags:
            mask |= FLAGS[flag]
        device = self.text(source, path, "device", needed=False)
        return Doubtful(self.text(source, path, "point"), mask, device)

    def _geofence(self, source: Mapping[str, Any], path: str, depth: int) -> Condition | None:
        self.known(source, path, "kind", "device", "shape", "where", "margin")
        where = self.choice(source, path, "where", ("inside", "outside"))
        margin = self.number(source, path, "margin", default=0.0, least=0, most=10_000)
        try:
            shape = read_shape(source.get("shape"))
        except ShapeFault as error:
            self.fault(f"{path}.shape", error.rule, value=error.value)
            return None
        return Fence(shape, where == "inside", margin, self.text(source, path, "device", needed=False))


KINDS = ("threshold", "rate", "state", "missing", "quality", "geofence", "all", "any", "not")
