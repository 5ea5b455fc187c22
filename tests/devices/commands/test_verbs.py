"""Every command can be said in its protocol; parameters take what is right and name what is wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from yuanmai.devices.commands.verb_tables import VERBS
from yuanmai.devices.commands.verbs import Verb, checked, verb_of
from yuanmai.devices.models import Point, Protocol
from yuanmai.gateway.hj212 import verbs as hj212
from yuanmai.gateway.jt808 import verbs as jt808
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808.bodies import decode_body

SAMPLES: dict[str, Any] = {
    "factor": "w01018", "begin": "2026-01-01T08:00", "end": "2026-01-02T08:00", "info": "i13004", "password": "abc123",
    "text": "请减速慢行", "longitude": 113.1512, "latitude": -27.8305, "west": 113.1, "east": 113.2, "north": 27.9, "south": 27.8,
    "corners": "113.1, 27.8\n113.2，27.8\n113.2 27.9", "areas": "1, 2", "names": "heartbeat_s, plate", "values": "max_speed_kmh=60\nplate=湘A12345",
    "control": 4, "alarms": 1, "max_speed": 60, "name": "北门", "value": "1.5", "validity": 60, "topic": "lamp/1/set", "point": "level",
    "seconds": 60, "report": 30, "heartbeat": 60,
}  # fmt: skip


def verb(protocol: str, code: str) -> Verb:
    found = verb_of(protocol, code)
    assert found is not None
    return found


def filled(found: Verb) -> dict[str, Any]:
    """Every parameter given."""
    return {
        p.name: SAMPLES.get(p.name, p.default if p.default is not None else 10 if p.kind == "whole" else "on")
        for p in found.parameters
    }


def least(found: Verb) -> dict[str, Any]:
    """Only what must be given."""
    return {
        name: value
        for name, value in filled(found).items()
        if next(p for p in found.parameters if p.name == name).required
    }


EVERY = [(protocol, code) for protocol, found in VERBS.items() for code in found]


def test_every_protocol_of_the_tables_is_one() -> None:
    assert set(VERBS) <= set(Protocol.values)
    assert len(EVERY) >= 50


@pytest.mark.parametrize(("protocol", "code"), [each for each in EVERY if each[0] == "hj212"])
def test_every_command_to_a_station_has_a_form_on_the_wire(protocol: str, code: str) -> None:
    for given in (filled, least):
        found = verb(protocol, code)
        number, parameters = hj212.wire(code, checked(found, given(found)), datetime(2026, 1, 1, tzinfo=UTC))
        assert number.isdigit()
        assert all(isinstance(value, str) for value in parameters.values())


@pytest.mark.parametrize("standard", [2011, 2013, 2019])
@pytest.mark.parametrize(("protocol", "code"), [each for each in EVERY if each[0] == "jt808"])
def test_every_command_to_a_terminal_has_a_form_on_the_wire(protocol: str, code: str, standard: int) -> None:
    found = verb(protocol, code)
    given = filled(found) if code != "intervals_set" else {"report": 30}
    for values in (given, least(found) if code != "intervals_set" else given):
        wire = jt808.wire(code, checked(found, values), standard)
        assert not isinstance(decode_body(wire.message, wire.body, standard), Fault)


def test_tables_and_wire_know_the_same_commands() -> None:
    assert set(VERBS["hj212"]) == set(hj212.VERBS)
    assert set(VERBS["jt808"]) == set(jt808.VERBS)


def faults(protocol: str, code: str, points: list[Point] | None = None, **given: Any) -> set[str]:
    with pytest.raises(ValidationError) as caught:
        checked(verb(protocol, code), given, points or [])
    return set(caught.value.message_dict)


@pytest.mark.parametrize(
    ("protocol", "code", "given", "wrong"),
    [
        ("hj212", "realtime_interval_set", {"seconds": 29}, {"seconds"}),
        ("hj212", "realtime_interval_set", {"seconds": "3601"}, {"seconds"}),
        ("hj212", "realtime_interval_set", {"seconds": True}, {"seconds"}),
        ("hj212", "realtime_interval_set", {}, {"seconds"}),
        ("hj212", "realtime_interval_set", {"seconds": 60, "more": 1}, {"more"}),
        ("hj212", "minute_interval_set", {"minutes": 7}, {"minutes"}),
        ("hj212", "password_set", {"password": "12345;"}, {"password"}),
        ("hj212", "history_hour", {"begin": "2026-01-02", "end": "2026-01-01"}, {"end"}),
        ("hj212", "history_hour", {"begin": "yesterday", "end": "2026-01-01"}, {"begin"}),
        ("hj212", "parameter_set", {"factor": "w01018", "info": "i1", "value": "1;CN=1"}, {"value"}),
        ("jt808", "text", {"text": "慢" * 501}, {"text"}),
        ("jt808", "text", {"text": ["x"]}, {"text"}),
        ("jt808", "circle_set", {"area": 1, "longitude": 181, "latitude": 0, "radius": 5}, {"longitude"}),
        ("jt808", "circle_set", {"area": 1, "longitude": "nan", "latitude": 0, "radius": 5}, {"longitude"}),
        ("jt808", "circle_set", {"area": 1, "longitude": 1, "latitude": 0, "radius": 5, "begin": "2026-01-01"}, {"end"}),
        ("jt808", "rectangle_set", {"area": 1, "west": 2, "east": 1, "north": 1, "south": 0}, {"north"}),
        ("jt808", "polygon_set", {"area": 1, "corners": "1,1\n2,2"}, {"corners"}),
        ("jt808", "polygon_set", {"area": 1, "corners": "1,1\n2,2\n3,x"}, {"corners"}),
        ("jt808", "parameters_set", {"values": "heartbeat_s=soon"}, {"values"}),
        ("jt808", "parameters_set", {"values": {"no_such": 1}}, {"values"}),
        ("jt808", "intervals_set", {}, {"report"}),
        ("jt808", "circle_delete", {"areas": "1, two"}, {"areas"}),
        ("mqtt", "publish", {"topic": "a/#", "payload": "x"}, {"topic"}),
    ],
)  # fmt: skip
def test_wrong_parameters_are_named(protocol: str, code: str, given: dict[str, Any], wrong: set[str]) -> None:
    assert faults(protocol, code, **given) == wrong


def test_only_points_that_can_be_set_are_written_and_only_plausible_values() -> None:
    level = Point(code="level", low=0, high=100, writable=True)
    switch = Point(code="switch", kind="state", states={"0": "关", "1": "开"}, writable=True)
    points = [level, switch]
    assert checked(verb("modbus", "write"), {"point": "level", "value": "55"}, points) == {
        "point": "level",
        "value": 55.0,
    }
    assert checked(verb("mqtt", "write"), {"point": "switch", "value": 1}, points)
    assert faults("modbus", "write", points, point="level", value=101) == {"value"}
    assert faults("modbus", "write", points, point="switch", value=2) == {"value"}
    assert faults("modbus", "write", points, point="other", value=1) == {"point"}


def test_moments_are_read_in_local_time() -> None:
    values = checked(
        verb("hj212", "history_hour"), {"begin": "2026-01-01T08:00", "end": "2026-01-01T03:00:00+00:00"}
    )
    assert values == {"begin": "2026-01-01T00:00:00+00:00", "end": "2026-01-01T03:00:00+00:00"}
