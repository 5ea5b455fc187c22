"""Definitions, hours and figures on the ground: what is taken, and what is wrong with the rest."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.devices.rules.kit import MINUTE, START, above
from yuanmai.common.working_days import china
from yuanmai.devices.engine.rules.conditions import Threshold
from yuanmai.devices.engine.rules.definition import DefinitionError, read
from yuanmai.devices.engine.rules.shapes import METRES, corners_of, read_shape
from yuanmai.devices.engine.rules.windows import Activity, read_window
from yuanmai.devices.rules.hours import hours_of, hours_text
from yuanmai.devices.rules.wording import RULES_OF_FAULTS, PointName, faults_text, named_by, sentence

CIRCLE = {"type": "Circle", "center": [113, 27.8], "radius": 100}


def faults(document: Any) -> list[tuple[str, str]]:
    with pytest.raises(DefinitionError) as error:
        read(document)
    assert faults_text(error.value.faults)
    return [(fault.path, fault.rule) for fault in error.value.faults]


def test_every_fault_is_told_at_once_with_its_place() -> None:
    document = {
        "when": {"kind": "all", "conditions": [{"kind": "threshold", "compare": "above", "limit": "much"}, {"kind": "guess"}]},
        "hold": {"minutes": 5, "of": 3}, "active": [{"days": "sunny", "from": "8:00", "until": "18:00"}], "colour": 1,
    }  # fmt: skip
    assert faults(document) == [
        ("colour", "unknown"), ("when.conditions.0.point", "missing"), ("when.conditions.0.limit", "number"),
        ("when.conditions.1.kind", "choice"), ("hold.minutes", "range"), ("active.0.days", "weekdays"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (None, ("", "object")),
        ({}, ("when", "missing")),
        ({"when": {"kind": "threshold", "point": "a", "compare": "outside", "low": 9, "high": 6}}, ("when.low", "order")),
        ({"when": {**above(1), "compare": "outside", "low": 6, "high": 9, "hysteresis": 2}}, ("when.hysteresis", "hysteresis")),
        ({"when": above(math.inf)}, ("when.limit", "number")),
        ({"when": above(True)}, ("when.limit", "number")),
        ({"when": {"kind": "missing", "after": 0}}, ("when.after", "range")),
        ({"when": {"kind": "state", "point": "a", "values": []}}, ("when.values", "numbers")),
        ({"when": {"kind": "geofence", "where": "inside"}}, ("when.shape", "missing")),
        ({"when": {"kind": "geofence", "where": "inside", "shape": {**CIRCLE, "radius": 0}}}, ("when.shape", "radius")),
        ({"when": {"kind": "geofence", "where": "inside", "shape": {"type": "Polygon", "coordinates": [[[1, 1], [2, 2]]]}}}, ("when.shape", "corners")),
        ({"when": {"kind": "not"}}, ("when.condition", "missing")),
        ({"when": {"kind": "missing", "after": 60}, "grades": [{"severity": 4, "limit": 1}]}, ("grades", "grades_kind")),
        ({"when": above(1), "grades": [{"severity": 4, "limit": 2}, {"severity": 4, "limit": 3}]}, ("grades", "twice")),
        ({"when": above(1), "active": [{"days": [8], "from": "08:00", "until": "09:00"}]}, ("active.0.days", "weekdays")),
        ({"when": above(1), "active": [{"from": "08:00", "until": "08:00"}]}, ("active.0.until", "empty")),
    ],
)  # fmt: skip
def test_single_faults(document: Any, expected: tuple[str, str]) -> None:
    assert expected in faults(document)


def test_a_definition_cannot_be_nested_without_end() -> None:
    condition: dict[str, Any] = above(1)
    for _ in range(10):
        condition = {"kind": "not", "condition": condition}
    assert any(rule == "too_deep" for _path, rule in faults({"when": condition}))


json_like = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
    | st.sampled_from(["threshold", "rate", "state", "missing", "quality", "geofence", "all", "any", "not", "above", "point", "08:00"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.sampled_from(["when", "kind", "point", "limit", "compare", "conditions", "condition", "hold", "for", "of",
                                       "minutes", "grades", "severity", "active", "days", "from", "until", "shape", "type",
                                       "coordinates", "center", "radius", "after", "values", "flags", "low", "high"]), inner, max_size=6),
    max_leaves=25,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(json_like)
def test_any_document_is_a_rule_or_has_faults(document: Any) -> None:
    try:
        definition = read(document)
    except DefinitionError as error:
        assert error.faults and {fault.rule for fault in error.faults} <= set(RULES_OF_FAULTS)
        assert all(faults_text(error.faults))
    else:
        assert sentence(definition, 3)


def test_grades_go_from_mild_to_severe() -> None:
    definition = read(
        {"when": above(1), "grades": [{"severity": 4, "limit": 9}, {"severity": 3, "limit": 5}]}
    )
    assert [(s, c.bounds.high) for s, c in definition.grades if isinstance(c, Threshold)] == [(3, 5), (4, 9)]


def minute(*parts: int) -> int:
    """A moment in Shanghai as microseconds."""
    return int(datetime(*parts, tzinfo=UTC).timestamp() - 8 * 3600) * 1_000_000  # type: ignore[arg-type,misc]


def test_hours_follow_the_working_calendar() -> None:
    working = Activity((read_window({"days": "working", "from": "08:00", "until": "18:00"}),), china())
    # National Day 2022: off on Monday 3 October, worked on Saturday 8 October.
    assert china().is_working(date(2022, 10, 8)) and not china().is_working(date(2022, 10, 3))
    assert working.at(minute(2022, 10, 3, 9, 0))[0] is False
    assert working.at(minute(2022, 10, 8, 9, 0)) == (True, minute(2022, 10, 8, 18, 0))
    assert working.at(minute(2022, 10, 8, 18, 0))[0] is False, "the end is outside"


def test_hours_over_midnight_and_touching_ones() -> None:
    night = Activity((read_window({"days": [5], "from": "22:00", "until": "06:00"}),), china())
    assert night.at(minute(2022, 3, 12, 5, 59)) == (True, minute(2022, 3, 12, 6, 0)), "the night of Friday"
    assert night.at(minute(2022, 3, 11, 5, 0)) == (False, minute(2022, 3, 11, 22, 0))
    both = Activity(
        (read_window({"from": "00:00", "until": "12:00"}), read_window({"from": "12:00", "until": "24:00"})),
        china(),
    )
    assert all(both.at(START + n * 37 * MINUTE)[0] for n in range(100))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 400 * 1440),
    st.sampled_from(["all", "working", "off"]),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
def test_an_answer_holds_until_the_next_change(at: int, days: str, begin: int, end: int) -> None:
    if begin == end:
        return
    window = read_window({"days": days, "from": f"{begin // 60:02}:{begin % 60:02}",
                          "until": "24:00" if end == 1440 else f"{end // 60:02}:{end % 60:02}"})  # fmt: skip
    moment = START + at * MINUTE
    active, until = Activity((window,), china()).at(moment)
    assert until is not None and until > moment
    for probe in (moment, (moment + until) // 2, until - 1):
        assert Activity((window,), china()).at(probe)[0] == active
    day = date(1970, 1, 1).toordinal() + (moment + 8 * 3600 * 1_000_000) // (86_400 * 1_000_000)
    spans = [
        window.span(date.fromordinal(day + ahead))
        for ahead in (-1, 0)
        if window.on(date.fromordinal(day + ahead), china())
    ]
    assert active == any(b <= moment < e for b, e in spans)


def test_depth_in_a_circle_and_in_a_square_with_a_hole() -> None:
    circle = read_shape(CIRCLE)
    assert circle.depth(113, 27.8) == pytest.approx(100)
    assert circle.depth(113, 27.8 + 150 / METRES) == pytest.approx(-50, abs=0.01)
    east = 113 + 60 / (METRES * math.cos(math.radians(27.8)))
    assert circle.depth(east, 27.8) == pytest.approx(40, abs=0.05)
    outer = [[113, 27.8], [113.01, 27.8], [113.01, 27.81], [113, 27.81], [113, 27.8]]
    hole = [[113.004, 27.804], [113.006, 27.804], [113.006, 27.806], [113.004, 27.806]]
    square = read_shape({"type": "Polygon", "coordinates": [outer, hole]})
    assert square.depth(113.002, 27.805) > 0 > square.depth(113.005, 27.805)
    assert square.depth(113.005, 27.7999) == pytest.approx(-0.0001 * METRES, rel=0.001)


@settings(max_examples=80, deadline=None)
@given(st.floats(-300, 300), st.floats(-300, 300))
def test_a_circle_and_its_drawing_agree(east: float, north: float) -> None:
    circle = read_shape(CIRCLE)
    drawn = read_shape({"type": "Polygon", "coordinates": [corners_of(113, 27.8, 100, 256)]})
    x, y = 113 + east / (METRES * math.cos(math.radians(27.8))), 27.8 + north / METRES
    assert circle.depth(x, y) == pytest.approx(drawn.depth(x, y), abs=0.5)


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_hours_are_typed_and_shown_in_the_language_of_the_page(language: str) -> None:
    hours = [
        {"days": "working", "from": "08:00", "until": "18:00"},
        {"days": [6, 7], "from": "09:00", "until": "17:00"},
    ]
    with override(language):
        assert hours_of(hours_text(hours)) == hours
        shown = hours_text(hours)
    assert ("工作日" in shown and "周六、周日" in shown) == (language != "en")


@pytest.mark.parametrize(
    ("text", "days"),
    [("工作日 8:00－18:00", "working"), ("daily 08:00-18:00", "all"), ("周一、星期三 08:00 至 18:00", [1, 3]), ("每天08:00-18:00", "all")],
)  # fmt: skip
def test_hours_are_understood_as_people_write_them(text: str, days: Any) -> None:
    assert hours_of(text) == [{"days": days, "from": "08:00", "until": "18:00"}]


def test_hours_that_are_none_are_said_at_their_field() -> None:
    with pytest.raises(ValidationError) as caught:
        hours_of("工作日\n")
    assert set(caught.value.message_dict) == {"hours"}
    document = {"when": above("cod", 5), "active": hours_of("any day 08:00-18:00")}
    with pytest.raises(DefinitionError):
        read(document)


def test_states_are_called_by_their_names() -> None:
    named = named_by({"lamp": PointName("灯", "", {"0": "灭|Off", "1": "亮|On"})})
    definition = read({"when": {"kind": "state", "point": "lamp", "values": [1, 7]}})
    with override("en"):
        assert "灯 is “On” or 7" in sentence(definition, 3, named)
    with override("zh-hans"):
        assert sentence(definition, 3, named).startswith("灯为“亮”、7 时报警")
