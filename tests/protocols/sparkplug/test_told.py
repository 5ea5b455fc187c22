"""Sparkplug B sessions told in many words, and payloads as other libraries encode them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yuanmai.protocols.answers.sparkplug import answer
from yuanmai.protocols.sparkplug.payload import Metric, Payload
from yuanmai.protocols.sparkplug.session import Node

SESSIONS: list[tuple[str, dict[str, Any]]] = [
    ('{"events": [["NBIRTH", 0, 5], ["NDEATH", null, 5]]}', {"node_online": False}),
    ('{"events": [["NBIRTH", 0, 5], ["NDEATH", null, 4]]}', {"node_online": True}),
    ('{"events": [["NBIRTH", 5], ["NDEATH", 4]]}', {"node_online": True, "rebirth_requested": False}),
    ('{"events": [["NBIRTH", 5], ["NDEATH", 5]]}', {"node_online": False, "rebirth_requested": False}),
    ('{"events": ["NBIRTH seq=0 bdSeq=1", "DBIRTH lamp seq=1", "NDEATH bdSeq=1"]}', {"node_online": False, "devices_online": []}),
    ('{"events": ["NBIRTH bdSeq 2", "NDEATH bdSeq 1"]}', {"node_online": True}),
    ('{"events": [{"type": "NBIRTH", "seq": 0, "metrics": [["a", 1]]}, {"type": "NDATA", "seq": 1, "metrics": [{"alias": 9}]}]}',
     {"rebirth_requested_at": 1}),
    ('{"events": [["NBIRTH", {"seq": 0, "metric_aliases": {"1": "a"}}], ["NDATA", {"seq": 1, "unknown_alias": 9}]]}',
     {"rebirth_requested_at": 1}),
    ('{"events": [["NBIRTH", {"seq": 0}], {"disconnect": true}, ["NDATA", {"seq": 1}]]}', {"rebirth_requested": False}),
    ('{"events": [["spBv1.0/p/NBIRTH/g", "1800"], ["spBv1.0/p/DBIRTH/g/lamp", {"payload": {"seq": 1}}]]}',
     {"rebirth_requested": False, "devices_online": ["lamp"]}),
    # a sequence told by seq alone may begin with data of a device
    ('{"sequence": [["NBIRTH", 0], ["DDATA", 1], ["DDATA", 2], ["DDATA", 2]]}', {"rebirth_requested_at": 3, "devices_online": []}),
    ('{"events": [["NBIRTH", 0], ["DDATA", 1]]}', {"rebirth_requested_at": 1}),
    ('{"sequence": [["NBIRTH", 0], ["DBIRTH", 1], ["DDEATH", 2], ["DDATA", 3]]}', {"rebirth_requested_at": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), SESSIONS)
def test_sessions(line: str, expected: dict[str, Any]) -> None:
    found = answer(json.loads(line))
    assert {key: found.get(key) for key in expected} == expected


def test_a_sequence_over_the_end_of_the_numbers() -> None:
    run = [["NBIRTH", 0], *(["DDATA", number & 255] for number in range(1, 600))]
    assert answer({"sequence": run})["rebirth_requested"] is False
    assert answer({"sequence": [*run, ["DDATA", 0]]})["rebirth_requested_at"] == 600


def test_what_tells_no_message_is_no_session() -> None:
    for events in (["connect"], [None], [{"foo": 1}]):
        with pytest.raises(KeyError):
            answer({"events": events})


def test_devices_may_use_the_aliases_of_their_node() -> None:
    node = Node()
    node.take("NBIRTH", Payload(seq=0, metrics=[Metric("shared", 1)]))
    node.take("DBIRTH", Payload(seq=1, metrics=[Metric("own", 2)]), "lamp")
    data = Payload(seq=2, metrics=[Metric(alias=1), Metric(alias=2)])
    assert not node.take("DDATA", data, "lamp")
    assert [metric.name for metric in node.resolve(data, "lamp")] == ["shared", "own"]
    assert node.take("NDATA", Payload(seq=3, metrics=[Metric(alias=2)]))


# Made with npm sparkplug-payload 1.0.3, which puts UInt32 into the long value and signs of small integers into 32 bits.
FOREIGN: list[tuple[str, list[Any]]] = [
    ("0880d095ffbc3112120a01611880d095ffbc3120015080ffffff0f12120a01621880d095ffbc312002508080feff0f12120a01631880d095ffbc31200350"
     "808080800812170a01641880d095ffbc3120045880808080808080808001", [-128, -32768, -(2**31), -(2**63)]),
    # what is null has no value
    ("0880d095ffbc31120e0a01781880d095ffbc3120033801120e0a01791880d095ffbc31200a3801120e0a01621880d095ffbc31200b700018ff01",
     ["none", "none", False]),
    ("0880d095ffbc31123c0a0264731880d095ffbc3120108a012c08021202696412046e616d651803180c22090a0208010a0332"
     "0161220f0a0608feffffff0f0a053203e59bad1806",
     [{"columns": ["id", "name"], "types": ["Int32", "String"], "rows": [[1, "a"], [-2, "园"]]}]),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "values"), FOREIGN)
def test_values_of_another_library(raw: str, values: list[Any]) -> None:
    found = answer({"hex": raw})
    assert [metric.get("value", "none") for metric in found["metrics"]] == values


def test_what_stands_beside_a_value() -> None:
    raw = (
        "0880d095ffbc3112100a01681880d095ffbc3120032801500512110a0274721880d095ffbc3120033001500512330a017018"
        "80d095ffbc3120094a200a075175616c6974790a07656e67556e69741205080318c0011205080c42015665008066431808"
    )
    historical, transient, plain = answer({"hex": raw})["metrics"]
    assert (historical["is_historical"], transient["is_transient"]) == (True, True)
    assert plain["properties"] == {"Quality": 192, "engUnit": "V"}
    assert "is_historical" not in plain
