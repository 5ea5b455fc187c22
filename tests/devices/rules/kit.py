"""A small register and readings by hand for the tests of rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from yuanmai.devices.engine.registry import DeviceSpec, PointSpec, Registry
from yuanmai.devices.engine.rules.definition import read
from yuanmai.devices.engine.rules.evaluator import Evaluator
from yuanmai.devices.engine.rules.target import Rule, Transition
from yuanmai.devices.store.readings import Readings

SECOND = 1_000_000
MINUTE = 60 * SECOND
# Monday 2022-03-07 00:00 in Shanghai.
START = 1_646_582_400 * SECOND
CODES = ("cod", "ph", "fault", "lat", "lng", "speed", "count")


def device(number: int, codes: Iterable[str] = CODES, code: str = "") -> DeviceSpec:
    """Device `number` whose points are numbered `number` × 100 + place in `codes`."""
    points = {c: (PointSpec(number * 100 + i, c, c),) for i, c in enumerate(codes)}
    return DeviceSpec(number, 1, code or f"D{number}", "mqtt", f"d{number}", {}, points)


REGISTRY = Registry([device(1), device(2), device(3)])


def point(code: str, number: int = 1) -> int:
    """The number of a point of one of the devices above."""
    return number * 100 + CODES.index(code)


def rule(when: Mapping[str, Any], number: int = 1, *, devices: tuple[int, ...] = (1,), severity: int = 3, version: int = 1, **more: Any) -> Rule:  # fmt: skip
    """A rule in force."""
    return Rule(number, version, severity, read({"when": when, **more}), devices)


def above(limit: float, code: str = "cod", **more: Any) -> dict[str, Any]:
    """A condition on a limit."""
    return {"kind": "threshold", "point": code, "compare": "above", "limit": limit, **more}


def readings(*rows: tuple[Any, ...]) -> Readings:
    """Readings of (seconds after START, point, value[, quality[, seconds until arrival]])."""
    full = [(*row, *(0, 0)[len(row) - 3 :]) for row in rows]
    time = np.array([int(r[0] * SECOND) + START for r in full], np.int64)
    return Readings(
        np.array([r[1] for r in full], np.int32), time, np.array([r[2] for r in full], np.float64),
        np.array([r[3] for r in full], np.int16), time + np.array([int(r[4] * SECOND) for r in full], np.int64),
        np.arange(1, len(full) + 1, dtype=np.int64),
    )  # fmt: skip


def cut(whole: Readings, begin: int, end: int) -> Readings:
    """A piece of readings."""
    return Readings(*(getattr(whole, name)[begin:end] for name in Readings.__slots__))


def told(transitions: Iterable[Transition]) -> list[tuple[str, float, int]]:
    """(what, seconds after START, severity)."""
    return [(t.kind, (t.at - START) / SECOND, t.severity) for t in transitions]


def run(rules: Iterable[Rule], rows: Iterable[tuple[Any, ...]], until: float | None = None, **options: Any) -> list[tuple[str, float, int]]:  # fmt: skip
    """What the rules say of readings, told shortly; `until` ticks at the end."""
    evaluator = Evaluator(rules, REGISTRY, begin=START, **options)
    found = evaluator.feed(readings(*rows))
    if until is not None:
        found += evaluator.tick(START + int(until * SECOND))
    return told(found)
