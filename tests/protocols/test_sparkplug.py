"""Sparkplug B: values of all data types both ways, topics, the course of a session."""

from __future__ import annotations

from typing import Any

import pytest

from yuanmai.protocols.answers.sparkplug import answer
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.sparkplug.payload import (
    DataSet,
    Metric,
    Payload,
    Template,
    decode,
    encode,
    rebirth_command,
)
from yuanmai.protocols.sparkplug.session import Node
from yuanmai.protocols.sparkplug.topic import Topic, parse
from yuanmai.protocols.sparkplug.values import DataType, type_name

D = DataType
VALUES: list[tuple[int, Any]] = [
    (D.Int8, -128), (D.Int16, -32768), (D.Int32, -(2**31)), (D.Int64, -(2**63)),
    (D.UInt8, 255), (D.UInt16, 65535), (D.UInt32, 2**32 - 1), (D.UInt64, 2**64 - 1),
    (D.Float, 12.5), (D.Double, 0.1), (D.Boolean, True), (D.Boolean, False),
    (D.String, "园区"), (D.Text, ""), (D.UUID, "a-b"), (D.DateTime, 1_700_000_000_000),
    (D.Bytes, b"\x00\xff"), (D.File, b"x"),
    (D.Int8Array, [-1, 2]), (D.Int16Array, [-1, 2]), (D.Int32Array, [-1, 2]), (D.Int64Array, [-1, 2]),
    (D.UInt8Array, [1, 255]), (D.UInt16Array, [1]), (D.UInt32Array, [1]), (D.UInt64Array, [2**64 - 1]),
    (D.FloatArray, [0.5]), (D.DoubleArray, [0.1]), (D.BooleanArray, [True, False, True] * 4), (D.StringArray, ["a", "", "园"]),
    (D.DateTimeArray, [1]), (D.Int32Array, []),
    (D.DataSet, DataSet(["a", "b"], [D.Int32, D.String], [[-1, "x"], [2, "y"]])),
    (D.Template, Template("1", "ref", False, [Metric("m", datatype=D.Int8, value=-1)], {"p": (D.Double, 0.5)})),
]  # fmt: skip


def good(raw: bytes) -> Payload:
    found = decode(raw)
    assert isinstance(found, Payload), found
    return found


@pytest.mark.parametrize(
    ("datatype", "value"), VALUES, ids=[f"{n}-{type_name(v[0])}" for n, v in enumerate(VALUES)]
)
def test_a_value_comes_out_as_it_went_in(datatype: int, value: Any) -> None:
    given = Payload(1, 255, "u", [Metric("name", 7, 2, datatype, value, False, True, False)])
    raw = encode(given)
    assert good(raw) == given
    assert encode(good(raw)) == raw


def test_every_type_is_covered() -> None:
    known = {datatype for datatype, _value in VALUES} | {D.Unknown, D.PropertySet, D.PropertySetList}
    assert known == set(DataType)


def test_properties_and_nulls() -> None:
    properties: dict[str, tuple[int, Any]] = {
        "Quality": (D.Int32, 192),
        "engUnit": (D.String, "kWh"),
        "none": (D.Int32, None),
        "set": (D.PropertySet, {"low": (D.Double, 0.5)}),
        "list": (D.PropertySetList, [{"a": (D.Boolean, True)}, {}]),
    }
    given = Payload(
        None, None, None, [Metric("n", datatype=D.Int32, null=True, properties=properties)], b"body"
    )
    assert good(encode(given)) == given
    (metric,) = answer({"hex": encode(given).hex()})["metrics"]
    assert metric["is_null"] is True
    assert "value" not in metric
    assert metric["properties"] == {
        "Quality": 192,
        "engUnit": "kWh",
        "none": None,
        "set": {"low": 0.5},
        "list": [{"a": True}, {}],
    }


def test_small_integers_in_thirty_two_bits_or_eight() -> None:
    for bits in (0xFFFFFFD8, 0xD8, 0xFFFFFFFFFFFFFFD8):
        metric = b"\x20\x01\x50" + varint(bits)  # data type Int8, int_value
        assert good(b"\x12" + varint(len(metric)) + metric).metrics[0].value == -40


def varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes((*parts, value))


@pytest.mark.parametrize(
    "raw",
    [
        "08", "0880", "12ff", "0f", "00", "1205", "0a0101", "2201ff", "08011a0100", "08" + "ff" * 11, "120250", "12036a0000",
        "12062017820101" "00", "12078a010422020a00",
    ],
)  # fmt: skip
def test_what_is_no_payload_is_a_fault(raw: str) -> None:
    found = decode(bytes.fromhex(raw))
    assert isinstance(found, Fault)
    assert found.reason == "protobuf"


def test_deep_nesting_ends() -> None:
    metric = b""
    for _level in range(200):
        template = b"\x12" + varint(len(metric)) + metric
        metric = b"\x92\x01" + varint(len(template)) + template
    assert isinstance(decode(b"\x12" + varint(len(metric)) + metric), Fault)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("spBv1.0/g/NBIRTH/n", Topic("NBIRTH", "g", "n")),
        ("spBv1.0/g/DCMD/n/d", Topic("DCMD", "g", "n", "d")),
        ("spBv1.0/STATE/h", Topic("STATE", host="h")),
    ],
)
def test_topics(text: str, topic: Topic) -> None:
    assert parse(text) == topic
    assert str(topic) == text


@pytest.mark.parametrize(
    "text",
    ["", "spBv1.0", "spAv1.0/g/NBIRTH/n", "spBv1.0/g/NBIRTH", "spBv1.0/g/NBIRTH/n/d", "spBv1.0/g/DDATA/n", "spBv1.0//NBIRTH/n",
     "spBv1.0/g/XBIRTH/n", "spBv1.0/g/NDATA/+", "spBv1.0/g/DDATA/n/d/e", "STATE"],
)  # fmt: skip
def test_topics_that_are_none(text: str) -> None:
    assert answer({"topic": text}) == {"valid": False, "reason": "syntax"}


def births(bdseq: int = 1, aliases: dict[str, int] | None = None) -> Payload:
    metrics = [Metric("bdSeq", datatype=D.UInt64, value=bdseq)]
    metrics += [Metric(name, alias, datatype=D.Float) for name, alias in (aliases or {}).items()]
    return Payload(seq=0, metrics=metrics)


def test_a_session_by_its_numbers() -> None:
    node = Node()
    assert node.take("NDATA", Payload(seq=5))  # nothing is known yet
    assert not node.take("NDATA", Payload(seq=6))  # asked already
    assert not node.take("NBIRTH", births())
    assert not node.take("DBIRTH", Payload(seq=1, metrics=[Metric("p", 4, datatype=D.Float)]), "lamp")
    data = Payload(seq=2, metrics=[Metric(alias=4, value=1.5)])
    assert not node.take("DDATA", data, "lamp")
    assert [(metric.name, metric.datatype) for metric in node.resolve(data, "lamp")] == [("p", D.Float)]
    assert node.resolve(Payload(metrics=[Metric(alias=9)]), "lamp") == []
    assert node.take("DDATA", Payload(seq=4), "lamp")
    assert not node.take("NDEATH", births(bdseq=0))
    assert node.online
    assert not node.take("NDEATH", births(bdseq=1))
    assert (node.online, node.devices) == (False, set())


def test_the_run_of_numbers_wraps_and_aliases_must_be_known() -> None:
    node = Node()
    node.take("NBIRTH", births(aliases={"a": 1}))
    assert not any(node.take("NDATA", Payload(seq=seq & 255)) for seq in range(1, 513))
    assert node.take("NDATA", Payload(seq=1, metrics=[Metric(alias=2)]))
    node.take("NBIRTH", births())
    assert node.take("DDATA", Payload(seq=1), "stranger")
    node.take("NBIRTH", births())
    node.take("DBIRTH", Payload(seq=1), "d")
    assert not node.take("DDEATH", Payload(seq=2), "d")
    assert node.devices == set()
    assert not node.take("NCMD", Payload())
    assert node.take("NBIRTH", Payload(seq=3))


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([["NBIRTH", 0], ["NDATA", 1]], {"rebirth_requested": False, "node_online": True, "devices_online": []}),
        ([["NBIRTH", 0, 5], ["DBIRTH", 1, "d"], ["NDEATH", 4]], {"node_online": True, "devices_online": ["d"]}),
        ([{"type": "NBIRTH", "seq": 0, "bdSeq": 5}, {"type": "NDEATH", "bdSeq": 5}], {"node_online": False, "devices_online": []}),
        ([{"type": "NBIRTH", "seq": 0, "aliases": {"a": 1}}, {"type": "NDATA", "seq": 1, "alias": 2}], {"rebirth_requested_at": 1}),
        ([{"type": "NBIRTH", "seq": 0, "metrics": [{"name": "a", "alias": 1}]}, {"type": "NDATA", "seq": 1, "aliases": [1]}],
         {"rebirth_requested": False}),
        ([{"topic": "spBv1.0/g/NBIRTH/n", "hex": "1800"}, ["spBv1.0/g/DBIRTH/n/d", {"seq": 1}]], {"devices_online": ["d"]}),
        ([["DDATA", 3]], {"rebirth_requested_at": 0, "node_online": False}),
    ],
)  # fmt: skip
def test_sessions_told_in_a_line(events: list[Any], expected: dict[str, Any]) -> None:
    found = answer({"events": events})
    assert {key: found.get(key) for key in expected} == expected


def test_the_command_for_a_rebirth() -> None:
    (metric,) = good(rebirth_command(5)).metrics
    assert (metric.name, metric.value, metric.datatype) == ("Node Control/Rebirth", True, D.Boolean)
