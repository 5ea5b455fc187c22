"""Rules at work: cases worked by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.devices.rules.kit import (
    MINUTE,
    REGISTRY,
    SECOND,
    START,
    above,
    point,
    readings,
    rule,
    run,
    told,
)
from yuanmai.devices.engine import quality
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.engine.rules.evaluator import Evaluator

COD = point("cod")


def rows(*pairs: tuple[float, float], code: str = "cod", number: int = 1) -> list[tuple[Any, ...]]:
    """Rows of one point."""
    return [(at, point(code, number), value) for at, value in pairs]


def test_a_value_above_its_limit_raises_and_one_at_the_limit_clears() -> None:
    found = run([rule(above(50))], rows((0, 49), (10, 50.1), (20, 70), (30, 50)))
    assert found == [("raised", 10, 3), ("cleared", 30, 0)]


def test_hysteresis_keeps_an_alarm_until_the_value_is_well_below() -> None:
    found = run([rule(above(50, hysteresis=5))], rows((0, 51), (10, 49), (20, 45.1), (30, 45), (40, 49)))
    assert found == [("raised", 0, 3), ("cleared", 30, 0)]


@pytest.mark.parametrize(
    ("bounds", "values", "expected"),
    [
        ({"compare": "below", "limit": 6}, (7, 6, 5.9, 6), [2, 3]),
        ({"compare": "outside", "low": 6, "high": 9}, (7, 9, 9.1, 6, 5.9, 9), [2, 3, 4, 5]),
        ({"compare": "inside", "low": 6, "high": 9}, (5, 6, 9, 9.1), [1, 3]),
        ({"compare": "inside", "low": 6, "high": 9, "hysteresis": 1}, (5, 6, 5.5, 10, 10.1), [1, 4]),
        ({"compare": "below", "limit": 6, "hysteresis": 1}, (5, 6.5, 7), [0, 2]),
    ],
)
def test_the_four_ways_to_compare(
    bounds: dict[str, Any], values: tuple[float, ...], expected: list[int]
) -> None:
    found = run([rule({"kind": "threshold", "point": "ph", **bounds})], rows(*enumerate(values), code="ph"))
    assert [at for _kind, at, _severity in found] == expected


def test_a_duration_counts_from_the_first_value_and_ends_without_a_reading() -> None:
    minute = {"hold": {"for": 60}}
    assert run([rule(above(50), **minute)], rows((0, 60), (59, 40), (70, 60))) == []
    # The value of second 70 still stands: 60 s later, with the grace of 2 s, it has held long enough.
    assert run([rule(above(50), **minute)], rows((70, 60)), until=131.9) == []
    assert run([rule(above(50), **minute)], rows((70, 60)), until=132) == [("raised", 130, 3)]
    # A reading at or after the moment settles it before it is looked at.
    assert run([rule(above(50), **minute)], rows((70, 60), (130, 10))) == [
        ("raised", 130, 3),
        ("cleared", 130, 0),
    ]


def test_clearing_may_wait_too() -> None:
    slow = {"clear_for": 30}
    found = run([rule(above(50), **slow)], rows((0, 60), (10, 40), (20, 60), (30, 40), (70, 40)))
    assert found == [("raised", 0, 3), ("cleared", 60, 0)]


def test_three_of_five_minutes() -> None:
    three = {"hold": {"minutes": 3, "of": 5}}
    # Minutes 0, 2 and 4 hold: raised with the reading of minute 4. Minute 0 leaves at the beginning of minute 5.
    values = rows((0, 60), (60, 40), (120, 60), (180, 40), (240, 60), (270, 61))
    assert run([rule(above(50), **three)], values, until=1000) == [("raised", 240, 3), ("cleared", 300, 0)]
    # Many readings of one minute count once.
    assert run([rule(above(50), **three)], rows((0, 60), (10, 60), (20, 60), (70, 60), (80, 40))) == []
    # Minute 0 has left the window when minute 5 comes.
    assert run([rule(above(50), **three)], rows((0, 60), (60, 60), (70, 0), (300, 60))) == []


def test_grades_change_the_severity_of_one_alarm() -> None:
    graded = rule(above(50, hysteresis=2), grades=[{"severity": 4, "limit": 100}])
    found = run([graded], rows((0, 60), (10, 120), (20, 99), (30, 97), (40, 40)))
    assert found == [("raised", 0, 3), ("changed", 10, 4), ("changed", 30, 3), ("cleared", 40, 0)]


def test_an_alarm_knows_what_it_rests_on_and_its_worst_reading() -> None:
    evaluator = Evaluator([rule(above(50), version=7)], REGISTRY, begin=START)
    raised, cleared = evaluator.feed(readings(*rows((0, 60), (10, 90), (20, 70), (30, 40))))
    assert (raised.rule, raised.version, raised.device, raised.point, raised.cause) == (1, 7, 1, COD, "value")
    assert [(e.point, e.time, e.value) for e in raised.evidence] == [(COD, START, 60)]
    assert cleared.raised_at == raised.at == START
    assert cleared.peak is not None
    assert (cleared.peak.time - START, cleared.peak.value) == (10 * SECOND, 90)


def test_a_rate_is_measured_over_its_stretch() -> None:
    rate = {"kind": "rate", "point": "cod", "compare": "above", "limit": 10, "per": "minute", "over": 120}
    # 30 in 2 minutes: 15 a minute; then 12 in 2 minutes: 6 a minute. A jump alone, without two minutes of past, says nothing.
    found = run([rule(rate)], rows((0, 0), (5, 100), (60, 0), (120, 30), (180, 12)))
    assert found == [("raised", 120, 3), ("cleared", 180, 0)]


def test_a_meter_that_stops() -> None:
    stop = {"kind": "rate", "point": "count", "compare": "below", "limit": 0.5, "per": "hour", "over": 3600,
            "counter": True}  # fmt: skip
    minutes = [(60 * m, float(min(m, 30))) for m in range(100)]
    # It stands still at 30 from minute 30 on: the increase of the last hour is below 0.5 from minute 90 on.
    assert run([rule(stop)], rows(*minutes, code="count")) == [("raised", 5400, 3)]


def test_an_exchanged_meter_begins_anew() -> None:
    fast = {"kind": "rate", "point": "count", "compare": "outside", "low": -1, "high": 100, "per": "hour",
            "over": 600, "counter": True}  # fmt: skip
    exchanged = [(0, 9000.0), (600, 9001.0), (1200, 3.0), (1500, 4.0), (1800, 5.0)]
    assert run([rule(fast)], rows(*exchanged, code="count")) == []
    as_gauge = rule({**fast, "counter": False})
    assert run([as_gauge], rows(*exchanged, code="count"))[0] == ("raised", 1200, 3)


def test_silence_of_a_point_and_of_a_device() -> None:
    quiet = rule({"kind": "missing", "after": 600, "point": "cod"})
    whole = rule({"kind": "missing", "after": 600}, 2, severity=2)
    other = (300, point("ph"), 7.0)
    assert run([quiet, whole], [(0, COD, 1.0), other], until=700) == [("raised", 600, 3)]
    assert run([quiet, whole], [(0, COD, 1.0), other], until=1000) == [("raised", 600, 3), ("raised", 900, 2)]
    # Noticed with the next reading, and ended by it. Readings without value are heard as well.
    late = (2000, COD, float("nan"), quality.NOT_A_NUMBER)
    assert run([quiet], [(0, COD, 1.0), late]) == [("raised", 600, 3), ("cleared", 2000, 0)]


def test_who_was_never_heard_is_silent_from_the_beginning() -> None:
    assert run([rule({"kind": "missing", "after": 600})], [], until=603) == [("raised", 600, 3)]


def test_silence_is_measured_by_arrival_not_by_the_time_of_readings() -> None:
    quiet = rule({"kind": "missing", "after": 600, "point": "cod"})
    # Means of ten minutes come ten minutes after the time they bear.
    assert run([quiet], [(0, COD, 1.0, 0, 600), (500, COD, 1.0, 0, 600)], until=1100) == []


def test_a_duration_waits_for_readings_that_always_come_late() -> None:
    held = rule(above(50), hold={"for": 60})
    evaluator = Evaluator([held], REGISTRY, begin=START)
    # The reading of second 0 comes 600 s late: at its arrival nobody knows what the minute after it brought.
    assert evaluator.feed(readings((0, COD, 60.0, 0, 600))) == []
    assert evaluator.tick(START + 650 * SECOND) == []
    assert evaluator.feed(readings((50, COD, 40.0, 0, 610))) == []
    assert evaluator.tick(START + 5000 * SECOND) == []


def test_a_late_reading_does_not_change_the_present() -> None:
    evaluator = Evaluator([rule(above(50))], REGISTRY, begin=START)
    assert told(evaluator.feed(readings((100, COD, 40.0)))) == []
    assert evaluator.feed(readings((50, COD, 99.0, 0, 60))) == []
    assert evaluator.late == 1


def test_a_reading_from_the_future_counts_when_it_came() -> None:
    ahead = (1000, COD, 60.0, quality.AHEAD, -900)
    wrong = (5_000_000, COD, 60.0, quality.CLOCK, -4_999_700)
    assert run([rule(above(50))], [ahead]) == [("raised", 100, 3)]
    assert run([rule(above(50))], [wrong]) == [], "a wrong clock says nothing of the value's time"


def test_doubtful_readings_raise_no_alarm_of_values_but_one_of_quality() -> None:
    doubt = rule({"kind": "quality", "point": "cod", "flags": ["flagged", "range"]}, 2, severity=1)
    flagged = (10, COD, 999.0, quality.FLAGGED)
    found = run([rule(above(50)), doubt], [(0, COD, 1.0), flagged, (20, COD, 1.0)])
    assert found == [("raised", 10, 1), ("cleared", 20, 0)]


def test_states_and_their_combination() -> None:
    fault = {"kind": "state", "point": "fault", "values": [1, 3]}
    both = {"kind": "all", "conditions": [fault, above(50)]}
    values = [(0, point("fault"), 1.0), (10, COD, 60.0), (20, point("fault"), 2.0), (30, point("fault"), 3.0)]
    assert run([rule(both)], values) == [("raised", 10, 3), ("cleared", 20, 0), ("raised", 30, 3)]
    either = {"kind": "any", "conditions": [fault, above(50)]}
    assert run([rule(either)], values) == [("raised", 0, 3)]
    # Not: nothing is said as long as nothing is known.
    dry = {"kind": "all", "conditions": [above(50), {"kind": "not", "condition": fault}]}
    assert run([rule(dry)], values) == [("raised", 20, 3), ("cleared", 30, 0)]
    assert run([rule({"kind": "not", "condition": fault})], [(0, COD, 1.0)]) == []


def test_a_condition_on_another_device_by_its_name() -> None:
    upstream = {**above(50), "device": "D2"}
    both = rule({"kind": "all", "conditions": [above(50), upstream]})
    values = [*rows((0, 60)), *rows((5, 60), number=2)]
    assert run([both], values) == [("raised", 5, 3)]


def test_a_device_without_the_point_is_not_concerned() -> None:
    assert run([rule(above(5, "nothing"))], rows((0, 9))) == []
    evaluator = Evaluator([rule(above(5), devices=(1, 99))], REGISTRY, begin=START)
    assert len(evaluator.feed(readings((0, COD, 9.0)))) == 1


SQUARE = {"type": "Polygon", "coordinates": [[[113, 27.8], [113.01, 27.8], [113.01, 27.81], [113, 27.81]]]}


def at(second: float, longitude: float, latitude: float) -> list[tuple[Any, ...]]:
    return [(second, point("lat"), latitude), (second, point("lng"), longitude)]


def test_a_vehicle_that_leaves_its_area_and_stays_away() -> None:
    out = rule({"kind": "geofence", "shape": SQUARE, "where": "outside"}, hold={"for": 60})
    inside, outside = (113.005, 27.805), (113.02, 27.805)
    drive = [*at(0, *inside), *at(30, *outside), *at(60, *inside), *at(90, *outside), *at(160, *outside),
             *at(200, *inside)]  # fmt: skip
    assert run([out], drive) == [("raised", 150, 3), ("cleared", 200, 0)]


def test_the_edge_of_a_fence_does_not_flutter() -> None:
    near = {"kind": "geofence", "where": "inside", "margin": 50,
            "shape": {"type": "Circle", "center": [113.0, 27.8], "radius": 100}}  # fmt: skip
    metre = 1 / 111_194.9266
    drive = [
        row for i, far in enumerate((300, 99, 120, 149, 151, 120)) for row in at(i, 113.0, 27.8 + far * metre)
    ]
    assert run([rule(near)], drive) == [("raised", 1, 3), ("cleared", 4, 0)]


def test_hours_end_an_alarm_and_begin_a_count() -> None:
    # START is midnight of a Monday.
    office = {"active": [{"days": "working", "from": "08:00", "until": "18:00"}]}
    eight, six = 8 * 3600, 18 * 3600
    found = run([rule(above(50), **office)], rows((100, 60)), until=86_400)
    assert found == [("raised", eight, 3), ("cleared", six, 0)]
    held = rule(above(50), hold={"for": 600}, **office)
    assert run([held], rows((100, 60)), until=eight + 700) == [("raised", eight + 600, 3)]
    assert run([rule(above(50), **office)], rows((eight - 10, 60), (eight + 5, 40))) == [
        ("raised", eight, 3),
        ("cleared", eight + 5, 0),
    ]


def test_a_restart_neither_raises_again_nor_forgets() -> None:
    rules = [rule(above(50), hold={"for": 60}), rule({"kind": "missing", "after": 600}, 2)]
    before = Evaluator(rules, REGISTRY, begin=START)
    assert told(before.feed(readings(*rows((0, 60))))) == []
    kept = json.loads(json.dumps(before.state()))
    after = Evaluator(rules, REGISTRY, begin=START)
    assert after.restore(kept, START) == []
    assert told(after.tick(START + 100 * SECOND)) == [("raised", 60, 3)]
    again = Evaluator(rules, REGISTRY, begin=START)
    again.restore(json.loads(json.dumps(after.state())), START)
    assert told(again.tick(START + 200 * SECOND)) == []
    assert told(again.feed(readings(*rows((210, 60), (220, 40))))) == [("cleared", 220, 0)]
    assert told(again.tick(START + 900 * SECOND)) == [("raised", 820, 3)]


def test_another_version_of_a_rule_decides_on_the_open_alarm_with_the_next_reading() -> None:
    evaluator = Evaluator([rule(above(50))], REGISTRY, begin=START)
    evaluator.feed(readings(*rows((0, 60))))
    assert evaluator.replace([rule(above(55), version=2)], REGISTRY, START + 10 * SECOND) == []
    assert evaluator.feed(readings(*rows((20, 58)))) == []
    assert told(evaluator.feed(readings(*rows((30, 52))))) == [("cleared", 30, 0)]
    minutes = {"hold": {"minutes": 2, "of": 3}}
    evaluator = Evaluator([rule(above(50))], REGISTRY, begin=START)
    evaluator.feed(readings(*rows((0, 60))))
    evaluator.replace([rule(above(50), version=2, **minutes)], REGISTRY, START + 10 * SECOND)
    assert told(evaluator.tick(START + 10 * MINUTE)) == [("cleared", 180, 0)]


def test_a_rule_or_device_that_is_gone_clears_its_alarms() -> None:
    evaluator = Evaluator([rule(above(50))], REGISTRY, begin=START)
    evaluator.feed(readings(*rows((0, 60))))
    (cleared,) = evaluator.replace([], REGISTRY, START + 10 * SECOND)
    assert (cleared.kind, cleared.cause, cleared.raised_at) == ("cleared", "withdrawn", START)
    evaluator = Evaluator([rule(above(50))], REGISTRY, begin=START)
    evaluator.feed(readings(*rows((0, 60))))
    assert told(evaluator.replace([rule(above(50))], Registry([]), START)) == [("cleared", 0, 0)]


def test_after_a_time_without_listening_silence_begins_anew() -> None:
    quiet = rule({"kind": "missing", "after": 600})
    evaluator = Evaluator([quiet], REGISTRY, begin=START)
    evaluator.feed(readings(*rows((0, 1))))
    evaluator.listened_again(START + 5000 * SECOND)
    assert evaluator.tick(START + 5500 * SECOND) == []
    assert told(evaluator.tick(START + 5700 * SECOND)) == [("raised", 5600, 3)]


def test_what_need_not_be_kept_is_not_kept() -> None:
    evaluator = Evaluator([rule(above(50))], REGISTRY, begin=START)
    evaluator.feed(readings(*rows((0, 60))))
    (kept,) = evaluator.changes().values()
    assert kept is not None and kept["severity"] == 3
    evaluator.feed(readings(*rows((10, 40))))
    assert evaluator.changes() == {(1, 1): None}
    evaluator.feed(readings(*rows((20, 41), (30, 42))))
    assert evaluator.changes() == {}, "a reading that changes nothing touches nothing"
