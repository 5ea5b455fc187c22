"""A host of Sparkplug B: births, aliases, gaps, deaths, a restart in the middle of the journal."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.devices.engine.quality import FLAGGED, GOOD, NOT_A_NUMBER
from yuanmai.devices.engine.sparkplug_state import Sample, SparkplugHost, Told, host_state, rebirth
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.sparkplug import payload as payloads
from yuanmai.protocols.sparkplug.payload import Metric, Payload
from yuanmai.protocols.sparkplug.values import DataType

T = 1_700_000_000_000


def said(host: SparkplugHost, topic: str, seq: int | None, *metrics: Metric) -> Told:
    told = host.take(
        f"spBv1.0/{topic}", payloads.encode(Payload(timestamp=T, seq=seq, metrics=list(metrics)))
    )
    assert isinstance(told, Told)
    return told


def number(name: str | None, value: float | None, alias: int | None = None, **more: object) -> Metric:
    return Metric(name, alias, None, DataType.Double, value, null=value is None, **more)  # type: ignore[arg-type]


def bdseq(value: int) -> Metric:
    return Metric("bdSeq", datatype=DataType.UInt64, value=value)


def born(host: SparkplugHost) -> None:
    said(host, "park/NBIRTH/n1", 0, bdseq(3), number("t", 20.0, 7))
    said(host, "park/DBIRTH/n1/m1", 1, number("power", 1.0, 8), number("old", 2.0, 9))


def test_births_data_and_deaths() -> None:
    host = SparkplugHost()
    told = said(host, "park/NBIRTH/n1", 0, bdseq(3), number("t", 20.0, 7))
    assert told.online == ["park/n1"]
    assert told.samples == [Sample("park/n1", T * 1000, "t", 20.0)]
    assert said(host, "park/DBIRTH/n1/m1", 1, number("power", 1.0, 8)).online == ["park/n1/m1"]
    told = said(
        host, "park/DDATA/n1/m1", 2, Metric(alias=8, value=5.5, datatype=DataType.Double, timestamp=T + 1)
    )
    assert told.samples == [Sample("park/n1/m1", (T + 1) * 1000, "power", 5.5)]
    assert not told.rebirth
    told = said(host, "park/NDEATH/n1", None, bdseq(2))
    assert (told.offline, told.odd) == ([], [("park/n1", "old_death")])
    assert said(host, "park/NDEATH/n1", None, bdseq(3)).offline == ["park/n1", "park/n1/m1"]


def test_a_gap_asks_once_until_the_rebirth() -> None:
    host = SparkplugHost()
    born(host)
    assert said(host, "park/NDATA/n1", 2, number(None, 1.0, 7)).rebirth == ""
    told = said(host, "park/NDATA/n1", 4, number(None, 2.0, 7))
    assert (told.rebirth, told.odd) == ("park/n1", [("park/n1", "out_of_order")])
    assert [sample.raw for sample in told.samples] == [2.0]  # what is understood is kept
    assert said(host, "park/NDATA/n1", 9, number(None, 3.0, 7)).rebirth == ""
    born(host)
    assert said(host, "park/NDATA/n1", 7, number(None, 3.0, 7)).rebirth == "park/n1"


def test_data_before_a_birth_and_unknown_aliases() -> None:
    host = SparkplugHost()
    told = said(host, "park/DDATA/n1/m1", 5, number(None, 1.0, 8), number("named", 2.0))
    assert told.rebirth == "park/n1"
    assert [sample.address for sample in told.samples] == ["named"]
    assert ("park/n1/m1", "unknown_alias") in told.odd


def test_aliases_survive_a_restart_in_the_middle() -> None:
    host = SparkplugHost()
    born(host)
    again = SparkplugHost()
    again.load(host.dump())
    data = number(None, 4.0, 9)
    assert said(again, "park/DDATA/n1/m1", 2, data).samples == [Sample("park/n1/m1", T * 1000, "old", 4.0)]
    for wrong in (b"[]", b"{", b'{"a":{}}', b'{"a":{"aliases":3}}'):
        with pytest.raises(ValueError, match=r".+"):
            SparkplugHost().load(wrong)


def test_quality_null_and_history() -> None:
    host = SparkplugHost()
    bad = number("bad", 1.0, properties={"Quality": (DataType.Int32, 0)})
    fine = number("fine", 1.0, properties={"Quality": (DataType.Int32, 192)}, historical=True)
    late = Metric("when", datatype=DataType.DateTime, value=T)
    table = Metric("file", datatype=DataType.Bytes, value=b"x")
    told = said(host, "park/NBIRTH/n1", 0, bdseq(1), bad, fine, number("none", None), late, table)
    assert [(one.address, one.quality, one.historical) for one in told.samples] == [
        ("bad", FLAGGED, False),
        ("fine", GOOD, True),
        ("none", NOT_A_NUMBER, False),
        ("when", GOOD, False),
    ]
    assert told.samples[-1].raw == T / 1000


def test_what_is_sent() -> None:
    topic, body = rebirth("park/n1", T)
    assert topic == "spBv1.0/park/NCMD/n1"
    found = payloads.decode(body)
    assert isinstance(found, Payload)
    assert [(one.name, one.value) for one in found.metrics] == [("Node Control/Rebirth", True)]
    assert host_state("yuanmai", True, T) == (
        "spBv1.0/STATE/yuanmai",
        json.dumps({"online": True, "timestamp": T}).replace(" ", "").encode(),
    )
    with pytest.raises(ValueError, match="no node"):
        rebirth("park", T)


KINDS = st.sampled_from(["NBIRTH", "NDEATH", "NDATA", "NCMD"])


@given(st.lists(st.tuples(KINDS | st.text(max_size=6), st.binary(max_size=60)), max_size=6))
def test_any_messages(messages: list[tuple[str, bytes]]) -> None:
    host = SparkplugHost()
    for kind, body in messages:
        assert isinstance(host.take(f"spBv1.0/g/{kind}/n", body), Told | Fault)
    again = SparkplugHost()
    again.load(host.dump())
    assert set(again.nodes) == set(host.nodes)
