"""Any bytes whatever, in whatever pieces: frames or named faults, never an exception, and the cut changes nothing."""

from __future__ import annotations

import json
from importlib import import_module
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuanmai.protocols.cjt188 import frame as cjt188
from yuanmai.protocols.commands import PROTOCOLS
from yuanmai.protocols.dlt645 import frame as dlt645
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.hj212 import frame as hj212_frame
from yuanmai.protocols.hj212 import stream as hj212
from yuanmai.protocols.jt808 import bodies
from yuanmai.protocols.jt808 import frame as jt808_frame
from yuanmai.protocols.jt808 import stream as jt808
from yuanmai.protocols.modbus import frame as modbus
from yuanmai.protocols.sparkplug import payload, wire

SEEDS: dict[str, list[bytes]] = {
    "hj212": [
        hj212_frame.wrap(
            b"QN=20160801085857223;ST=32;CN=2011;PW=1;MN=1;Flag=5;CP=&&DataTime=2;a-Rtd=1,a-Flag=N&&"
        ),
        hj212_frame.wrap(b"MN=1;CP=&&&&"),
        b"##0012",
        b"##",
        b"&&1C80",
        b"\r\n",
    ],
    "jt808": [
        jt808_frame.encode(jt808_frame.make_header(0x0200, "1", 1), bytes(28) + b"\x30\x01\x09"),
        jt808_frame.encode(jt808_frame.make_header(0x0002, "1", 1, 2019), b""),
        b"\x7e",
        b"\x7d\x01",
        b"\x7d",
    ],
    "dlt645": [dlt645.read("1" * 12, "00010000"), dlt645.encode("1" * 12, 0x91, bytes(8)), b"\x68", b"\x16"],
    "cjt188": [cjt188.read(0x10, "1" * 14), cjt188.encode(0x10, "1" * 14, 0x81, bytes(22)), b"\x68", b"\x16"],
}
DECODERS: dict[str, Any] = {
    "hj212": hj212.Decoder,
    "jt808": jt808.Decoder,
    "dlt645": dlt645.Decoder,
    "cjt188": cjt188.Decoder,
}


def streams(protocol: str) -> st.SearchStrategy[bytes]:
    """Frames, pieces of frames and noise in any order, with a byte changed here and there."""
    piece = st.one_of(st.sampled_from(SEEDS[protocol]), st.binary(max_size=6))
    return st.lists(piece, max_size=8).map(b"".join).flatmap(changed)


def changed(data: bytes) -> st.SearchStrategy[bytes]:
    if not data:
        return st.just(data)
    edit = st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255))
    return st.lists(edit, max_size=2).map(lambda edits: _edited(data, edits))


def _edited(data: bytes, edits: list[tuple[int, int]]) -> bytes:
    made = bytearray(data)
    for place, value in edits:
        made[place] = value
    return bytes(made)


def heard(protocol: str, chunks: list[bytes]) -> list[Any]:
    decoder = DECODERS[protocol]()
    found = [entry for chunk in chunks for entry in decoder.feed(chunk)]
    rest = decoder.pending
    after = decoder.flush()
    told = [(entry.reason if isinstance(entry, Fault) else "frame", entry.raw) for entry in [*found, *after]]
    return [told, rest, decoder.noise, decoder.rejected]


@pytest.mark.parametrize("protocol", SEEDS)
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_where_a_stream_is_cut_changes_nothing(protocol: str, data: st.DataObject) -> None:
    stream = data.draw(streams(protocol))
    whole = heard(protocol, [stream])
    cut = data.draw(st.integers(0, len(stream)))
    assert heard(protocol, [stream[:cut], stream[cut:]]) == whole
    assert heard(protocol, [stream[place : place + 1] for place in range(len(stream))]) == whole


@pytest.mark.parametrize("protocol", PROTOCOLS)
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_bytes_get_an_answer_that_is_json(protocol: str, data: st.DataObject) -> None:
    raw = data.draw(streams(protocol) if protocol in SEEDS else st.binary(max_size=60))
    answer = import_module(f"yuanmai.protocols.answers.{protocol}").answer
    found = answer({"hex": raw.hex()})
    assert "reason" in found or json.dumps(found, allow_nan=False)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(bodies.BODIES)), st.sampled_from([2011, 2013, 2019]), st.binary(max_size=80))
def test_any_body_is_read_or_too_short(number: int, standard: int, body: bytes) -> None:
    found = bodies.decode_body(number, body, standard)
    assert isinstance(found, dict) or found.reason == "body_too_short"


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=80))
def test_any_bytes_are_a_payload_or_a_fault(raw: bytes) -> None:
    found = payload.decode(raw)
    assert isinstance(found, payload.Payload) or found.reason == "protobuf"


STORMS: dict[str, list[bytes]] = {
    "hj212": [b"##0000", b"##9999", b"##0001x", b"\r\n##0900", b"&&ABCD##0100", b"##0008&&1234", b"#", b"##"],
    "jt808": [b"\x7e\x7d", b"\x7e", b"\x7d\x02", b"\x7e" + b"\x7d\x01" * 600, bytes(64)],
    "dlt645": [b"\x68", b"\xfe", b"\x68\1\2\3\4\5\6\x68\x11\xc8", bytes(64)],
    "cjt188": [b"\x68", b"\x68\x10", b"\x68\x10" + bytes(8) + b"\xc8", b"\xfe"],
    "modbus": [bytes(64), b"\xff", b"\0\1\0\0\0\xfe", b"\1\3\xfa"],
}
DECODERS |= {"modbus": modbus.RtuDecoder}


@pytest.mark.parametrize(
    ("protocol", "pattern"), [(name, pattern) for name, patterns in STORMS.items() for pattern in patterns]
)
def test_a_storm_takes_its_time_and_no_more(protocol: str, pattern: bytes) -> None:
    """Ten megabytes of nonsense: less than a second on a machine of our own, a few on a busy one; nothing piles up."""
    data = (pattern * (10_000_000 // len(pattern) + 1))[:10_000_000]
    decoder = DECODERS[protocol]()
    begin = process_time()
    found = decoder.feed(data)
    assert process_time() - begin < 5
    assert len(found) <= 1000
    assert len(decoder.pending) <= 10_100
    assert len(decoder.flush()) <= 2000


@pytest.mark.parametrize(
    "raw",
    [
        b"\x08\x01" * 500_000,
        b"\x12\x00" * 500_000,
        b"\x08" + b"\xff" * 4_000_000,
        wire.put_bytes(2, wire.put_bytes(17, b"\x22\x00" * 400_000)),
        wire.put_bytes(2, b"\x20\x20" + wire.put_bytes(16, b"\xff\xff\x7f\0" + b"\xff" * 1_000_000)),
    ],
)
def test_long_payloads_take_no_longer(raw: bytes) -> None:
    begin = process_time()
    payload.decode(raw)
    assert process_time() - begin < 5


def test_payloads_nest_no_deeper_than_they_may() -> None:
    nested = b""
    for _level in range(2000):
        nested = wire.put_bytes(2, wire.put_bytes(18, nested))
    found = payload.decode(nested)
    assert isinstance(found, Fault)
    assert (found.reason, found.details["what"]) == ("protobuf", "too deep")
