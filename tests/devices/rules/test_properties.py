"""However readings are cut into pieces, interrupted by the clock or by restarts, rules say the same."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.rules.kit import CODES, REGISTRY, SECOND, START, above, cut, readings, rule
from yuanmai.devices.engine import quality
from yuanmai.devices.engine.rules.evaluator import Evaluator
from yuanmai.devices.store.readings import Readings

CIRCLE = {"type": "Circle", "center": [113.0, 27.8], "radius": 1000}
FAULT = {"kind": "state", "point": "fault", "values": [1, 2]}
RULES = [
    rule(above(5, hysteresis=1), 1, devices=(1, 2, 3), grades=[{"severity": 4, "limit": 8}]),
    rule(above(5), 2, devices=(1, 2), hold={"for": 40}, clear_for=15),
    rule(above(4), 3, devices=(1, 3), hold={"minutes": 2, "of": 3}),
    rule({"kind": "missing", "after": 90}, 4, devices=(1, 2, 3)),
    rule({"kind": "missing", "after": 50, "point": "ph"}, 5, devices=(2,)),
    rule({"kind": "all", "conditions": [FAULT, {"kind": "not", "condition": above(5)}]}, 6, devices=(1, 2, 3), hold={"for": 10}),
    rule({"kind": "rate", "point": "count", "compare": "above", "limit": 3, "per": "minute", "over": 60, "counter": True}, 7,
         devices=(1, 2)),
    rule({"kind": "geofence", "shape": CIRCLE, "where": "outside", "margin": 100}, 8, devices=(1,), hold={"for": 20}),
    rule({"kind": "quality", "point": "cod"}, 9, devices=(1, 2), severity=1),
    rule({"kind": "state", "point": "fault", "values": [1]}, 10, devices=(1, 2, 3),
         active=[{"days": "all", "from": "00:02", "until": "00:05"}]),
    rule({"kind": "any", "conditions": [{**above(7), "device": "D3"}, {"kind": "missing", "after": 70, "point": "cod"}]}, 11,
         devices=(1,), clear_for=5),
    rule({"kind": "threshold", "point": "ph", "compare": "inside", "low": 3, "high": 6}, 12, devices=(2, 3), clear_for=20),
]  # fmt: skip


@st.composite
def streams(draw: st.DrawFn) -> Readings:
    """Readings in order of time and arrival, half a second to two minutes apart, with doubtful and doubled ones."""
    rows: list[tuple[Any, ...]] = []
    now = 0.0
    for _ in range(draw(st.integers(1, 60))):
        now += draw(st.sampled_from([0, 0.5, 5, 10, 30, 60, 120]))
        device, code = draw(st.integers(1, 3)), draw(st.sampled_from(CODES))
        number = device * 100 + CODES.index(code)
        value = float(draw(st.integers(0, 10)))
        if code in {"lat", "lng"}:
            value = {"lat": 27.8, "lng": 113.0}[code] + draw(st.sampled_from([0, 0.0099, 0.02]))
            rows.append(
                (
                    now,
                    device * 100 + CODES.index("lat" if code == "lng" else "lng"),
                    113.0 if code == "lat" else 27.8,
                )
            )
        flags = draw(st.sampled_from([0, 0, 0, 0, quality.FLAGGED, quality.RANGE]))
        rows.append((now, number, value, flags))
    return readings(*rows)


def in_one(stream: Readings, end: int) -> list[Any]:
    evaluator = Evaluator(RULES, REGISTRY, begin=START)
    return sorted(evaluator.feed(stream) + evaluator.tick(end), key=order)


def order(transition: Any) -> Any:
    return (
        transition.rule,
        transition.device,
        transition.at,
        transition.raised_at,
        transition.kind != "cleared",
    )


@settings(max_examples=200, deadline=None)
@given(st.data(), streams())
def test_any_cut_gives_the_same_transitions(data: st.DataObject, stream: Readings) -> None:
    end = int(stream.received.max()) + 400 * SECOND
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=8)) | {0, len(stream)})
    restart = data.draw(st.booleans())
    evaluator = Evaluator(RULES, REGISTRY, begin=START)
    found = []
    for begin, until in pairwise(cuts):
        found += evaluator.feed(cut(stream, begin, until))
        if until < len(stream) and data.draw(st.booleans()):
            # The clock may come anywhere between what has arrived and what comes next.
            between = data.draw(st.floats(0, 1))
            last, following = int(stream.received[until - 1]), int(stream.received[until])
            found += evaluator.tick(last + int(between * (following - last)))
        if restart:
            kept = json.loads(json.dumps(evaluator.state()))
            evaluator = Evaluator(RULES, REGISTRY, begin=START)
            assert evaluator.restore(kept, START) == []
    found += evaluator.tick(end)
    assert sorted(found, key=order) == in_one(stream, end)


@settings(max_examples=80, deadline=None)
@given(streams())
def test_an_alarm_has_one_beginning_and_one_end(stream: Readings) -> None:
    """Of one rule and device: raised, changed any number of times, cleared, in order of time; never raised twice at once."""
    open_: dict[tuple[int, int], Any] = {}
    evaluator = Evaluator(RULES, REGISTRY, begin=START)
    for t in evaluator.feed(stream) + evaluator.tick(int(stream.received.max()) + 400 * SECOND):
        key = (t.rule, t.device)
        if t.kind == "raised":
            assert key not in open_ and t.raised_at == t.at and t.before == 0 < t.severity
            open_[key] = t
        else:
            before = open_[key]
            assert t.raised_at == before.raised_at and t.at >= before.at and t.before == before.severity
            assert (t.severity == 0) == (t.kind == "cleared")
            open_[key] = t
            if t.kind == "cleared":
                del open_[key]


@settings(max_examples=80, deadline=None)
@given(streams(), st.randoms(use_true_random=False))
def test_order_within_one_call_does_not_matter(stream: Readings, random: Any) -> None:
    # Equal times are the newest record wins; distinct points or times can come in any order.
    keys = list(zip(stream.point.tolist(), stream.time.tolist(), strict=True))
    if len(set(keys)) < len(keys) or len(set(stream.time.tolist())) < len(keys):
        return
    shuffled = np.array(random.sample(range(len(stream)), len(stream)))
    mixed = Readings(*(getattr(stream, name)[shuffled] for name in Readings.__slots__))
    end = int(stream.received.max()) + 400 * SECOND
    assert in_one(mixed, end) == in_one(stream, end)


@settings(max_examples=60, deadline=None)
@given(streams())
def test_what_comes_twice_changes_nothing(stream: Readings) -> None:
    """After a crash everything since the last state is fed again: from the state after it, nothing happens, also after a restart."""
    evaluator = Evaluator(RULES[:6], REGISTRY, begin=START)
    evaluator.feed(stream)
    again = Evaluator(RULES[:6], REGISTRY, begin=START)
    again.restore(json.loads(json.dumps(evaluator.state())), int(stream.received.max()))
    assert again.feed(stream) == []
    assert evaluator.feed(stream) == []
