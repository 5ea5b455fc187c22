"""JSON over MQTT: which device, when, what; in the forms that devices and platforms of the field use."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.devices.engine.mapping import (
    JsonReading,
    Mappings,
    profile_of,
    read_json,
)
from yuanmai.devices.engine.moments import microseconds
from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.devices.engine.topics import answer_topics, command_topics, filter_of, topic_fits, topics_of
from yuanmai.protocols.faults import Fault

NOON = 1704081600_000_000  # 2024-01-01 12:00 in China, 04:00 UTC


def device(name: str, number: int = 1, **profile: Any) -> DeviceSpec:
    return DeviceSpec(number, 1, f"code-{name}", "mqtt", name, profile, {})


def test_key_from_the_topic_values_flattened() -> None:
    body = b'{"ts":1704081600000,"values":{"t":21.5,"on":true,"x":{"y":[1,{"z":"a"}]}}}'
    assert read_json("park/lamp-1/up", body, {"topics": "park/{key}/up"}, "me") == [
        JsonReading("lamp-1", NOON, {"t": 21.5, "on": True, "x.y[0]": 1, "x.y[1].z": "a"})
    ]


def test_a_list_is_a_batch_and_the_client_speaks_for_itself() -> None:
    body = b'[{"t":1,"ts":1704081600},{"t":2,"time":"2024-01-01 12:00:00"},{"t":3}]'
    assert read_json("v1/devices/me/telemetry", body, {}, "me") == [
        JsonReading("me", NOON, {"t": 1}),
        JsonReading("me", NOON, {"t": 2}),
        JsonReading("me", None, {"t": 3}),
    ]


def test_an_object_of_devices() -> None:
    body = b'{"A":[{"ts":1704081600000,"values":{"t":1}},{"t":2}],"B":{"t":NaN}}'
    found = read_json("v1/gateway/telemetry", body, {"by_device": True}, "gw")
    assert isinstance(found, list)
    assert found[:2] == [JsonReading("A", NOON, {"t": 1}), JsonReading("A", None, {"t": 2})]
    assert found[2].key == "B"
    assert math.isnan(found[2].values["t"])  # type: ignore[arg-type]


def test_pairs_with_units_and_the_device_in_the_body() -> None:
    profile = {
        "key": "head.dev", "time": "head.at", "values": "d", "name": "n", "value": "v", "units": {"kPa": 1000, "Pa": 1},
    }  # fmt: skip
    body = b'{"head":{"dev":7,"at":"20240101120000"},"d":[{"n":"p","v":"101.3 kPa"},{"n":"q","v":"5 bar"},{"n":"r","v":"-2e1"}]}'
    assert read_json("x", body, profile) == [
        JsonReading("7", NOON, {"p": 101300.0, "q": "5 bar", "r": -20.0})
    ]


def test_rows_take_time_and_key_from_around_them() -> None:
    body = b'{"id":"z","at":1704081600000,"list":[{"t":1},{"t":2,"at":1704081601000,"id":"y"}]}'
    assert read_json("x", body, {"key": "id", "rows": "list", "time": "at"}) == [
        JsonReading("z", NOON, {"t": 1}),
        JsonReading("y", NOON + 1_000_000, {"t": 2}),
    ]


def test_an_unreadable_time_is_said_and_the_values_stay() -> None:
    assert read_json("x", b'{"ts":"yesterday","t":1}', {}, "c") == [
        JsonReading("c", None, {"t": 1}, "clock_unreadable")
    ]


def test_bodies_in_gb18030() -> None:
    body = json.dumps({"名称": "泵", "t": 1}, ensure_ascii=False).encode("gb18030")
    assert isinstance(read_json("x", body, {}, "c"), Fault)
    assert read_json("x", body, {"encoding": "gb18030"}, "c") == [
        JsonReading("c", None, {"名称": "泵", "t": 1})
    ]


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"", "json"), (b"{", "json"), (b"[" * 100_000, "json"), (b"5", "form"), (b'"x"', "form"), (b"[1,2]", "form"), (b"\xff", "json")],
)  # fmt: skip
def test_what_is_no_message_has_a_reason(body: bytes, reason: str) -> None:
    found = read_json("x", body, {})
    assert isinstance(found, Fault)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("profile", "entry"),
    [
        ({"topics": ["a/#/b"]}, "topics"), ({"topics": ["a/b+"]}, "topics"), ({"topics": ["{key}/{key}"]}, "topics"),
        ({"topics": [3]}, "topics"), ({"time_unit": "weeks"}, "time_unit"), ({"zone": 99}, "zone"), ({"key": 5}, "key"),
        ({"units": {"a": "b"}}, "units"), ({"encoding": "klingon"}, "encoding"),
    ],
)  # fmt: skip
def test_a_wrong_profile_names_its_entry(profile: dict[str, Any], entry: str) -> None:
    with pytest.raises(ValueError, match=entry):
        profile_of(profile)
    found = read_json("x", b"{}", profile)
    assert isinstance(found, Fault)
    assert found.reason == "profile"


@pytest.mark.parametrize(
    ("told", "time"),
    [
        (1704081600, NOON), (1704081600.5, NOON + 500_000), (1704081600000, NOON), (1704081600000000, NOON),
        (1704081600000000000, NOON), ("1704081600", NOON), ("1704081600000", NOON), ("2024-01-01T04:00:00Z", NOON),
        ("2024-01-01T12:00:00+08:00", NOON), ("2024/01/01 12:00:00", NOON), ("20240101120000", NOON),
        ("20240101120000250", NOON + 250_000), (0, 0), (-1, -1_000_000), (4291747200, 4291747200_000_000),
        (True, None), (None, None), ("", None), ("9" * 400, None), (1e300, None), (float("nan"), None), ("2024-13-01", None),
    ],
)  # fmt: skip
def test_times_as_devices_write_them(told: Any, time: int | None) -> None:
    assert microseconds(told) == time


def test_the_register_decides_by_topic() -> None:
    both = {"topics": ["park/{key}/up", "park/all"], "time": "at"}
    mappings = Mappings(
        Registry(
            [
                device("a", 1, **both),
                device("b", 2, **both | {"time": "when"}),
                device("pump", 3, topics=["special/topic"]),
                device("bad", 4, topics=["#/x"]),
                device("plain", 5),
            ]
        )
    )
    assert list(mappings.wrong) == [4]
    assert mappings.filters() == [
        "devices/+/data",
        "devices/+/telemetry",
        "park/+/up",
        "park/all",
        "special/topic",
        "v1/devices/me/telemetry",
    ]
    one = b'{"at":1,"when":2,"t":3}'
    assert mappings.read("park/a/up", one) == [JsonReading("a", 1_000_000, {"when": 2, "t": 3})]
    assert mappings.read("park/b/up", one) == [JsonReading("b", 2_000_000, {"at": 1, "t": 3})]
    assert mappings.read("park/new/up", one) == [JsonReading("new", 1_000_000, {"when": 2, "t": 3})]
    assert mappings.read("park/all", one, "b") == [JsonReading("b", 2_000_000, {"at": 1, "t": 3})]
    assert mappings.read("special/topic", b'{"t":1}', "whoever") == [JsonReading("pump", None, {"t": 1})]
    assert mappings.read("devices/plain/telemetry", b'{"t":1}', "x") == [JsonReading("plain", None, {"t": 1})]
    assert mappings.read("v1/devices/me/telemetry", b'{"t":1}', "plain") == [
        JsonReading("plain", None, {"t": 1})
    ]
    assert mappings.read("never/heard", b'{"t":1}', "stranger") == [JsonReading("stranger", None, {"t": 1})]


def test_topics() -> None:
    assert filter_of("park/{key}/x-{area}/#") == "park/+/+/#"
    assert topic_fits("park/a/up", ["park/{key}/up"], "a")
    assert not topic_fits("park/b/up", ["park/{key}/up"], "a")
    assert topic_fits("x/y/z", ["x/#"], "a")
    assert topic_fits("x", ["x/#"], "a")
    assert command_topics(device("k")) == ("devices/k/commands",)
    assert command_topics(device("k", commands="down/{key}")) == (
        "down/k",
        "devices/k/commands",
    )
    assert answer_topics(device("k", answers="re/{key}")) == ("re/k", "devices/k/answers")
    assert topic_fits("devices/k/data", topics_of(device("k", topic="devices/+/data", key="topic:1")), "k")
    assert not topic_fits(
        "devices/j/data", topics_of(device("k", topic="devices/+/data", key="topic:1")), "k"
    )


def test_the_level_that_names_the_device_may_be_counted() -> None:
    body = b'{"time":1704081600000,"t":1}'
    assert read_json(
        "devices/k/data", body, {"topic": "devices/+/data", "key": "topic:1", "time": "time"}
    ) == [JsonReading("k", NOON, {"t": 1})]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["ts", "values", "a", "b.c", ""]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(
    JSON,
    st.fixed_dictionaries(
        {},
        optional={
            "key": st.sampled_from(["a", "b.c", "a[0]"]), "rows": st.sampled_from(["values", "a"]), "by_device": st.booleans(),
            "values": st.sampled_from(["values", "b.c"]), "name": st.just("a"), "value": st.just("ts"), "time": st.just("ts"),
            "time_unit": st.sampled_from(["s", "ms", "ns", "text", "auto"]), "units": st.just({"m": 2.0}),
        },
    ),
)  # fmt: skip
def test_any_document_gives_records_or_a_fault(document: Any, profile: dict[str, Any]) -> None:
    found = read_json("devices/k/telemetry", json.dumps(document).encode(), profile, "c")
    if not isinstance(found, Fault):
        assert all(
            isinstance(value, int | float | str | None) for entry in found for value in entry.values.values()
        )


@given(st.binary(max_size=200))
def test_any_bytes_give_records_or_a_fault(body: bytes) -> None:
    assert isinstance(read_json("x", body, {}), list | Fault)
