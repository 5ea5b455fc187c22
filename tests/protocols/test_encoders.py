"""Frames downwards: byte for byte as the standards print them, and the same again after decoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.protocols.cjt188 import frame as cjt
from yuanmai.protocols.dlt645 import frame as dlt
from yuanmai.protocols.hj212 import messages
from yuanmai.protocols.hj212.frame import Frame, Profile, decode, encode
from yuanmai.protocols.jt808 import location
from yuanmai.protocols.jt808.bodies import BODIES, decode_body, encode_body
from yuanmai.protocols.jt808.frame import Frame as Frame808
from yuanmai.protocols.jt808.frame import Header, make_header, split
from yuanmai.protocols.jt808.frame import decode as decode808
from yuanmai.protocols.jt808.frame import encode as encode808
from yuanmai.protocols.jt808.location import Location
from yuanmai.protocols.sparkplug import payload as spb
from yuanmai.protocols.sparkplug.values import DataType

QN, MN = "20160801085857223", "010000A8900016F000169DC0"
PERIOD = {"BeginTime": "20160801000000", "EndTime": "20160801030000"}
COMMANDS: list[tuple[str, dict[str, str], str]] = [
    ("1000", {"OverTime": "5", "ReCount": "3"}, "OverTime=5;ReCount=3"),
    ("1011", {"PolId": "w01018"}, "PolId=w01018"),
    ("1012", {"PolId": "w01018", "SystemTime": "20160801085857"}, "PolId=w01018;SystemTime=20160801085857"),
    ("1013", {"PolId": "w01018"}, "PolId=w01018"),
    ("1061", {}, ""),
    ("1062", {"RtdInterval": "30"}, "RtdInterval=30"),
    ("1063", {}, ""),
    ("1064", {"MinInterval": "10"}, "MinInterval=10"),
    ("1072", {"NewPW": "654321"}, "NewPW=654321"),
    *[(number, {}, "") for number in ("2011", "2012", "2021", "2022")],
    *[
        (number, PERIOD, "BeginTime=20160801000000;EndTime=20160801030000")
        for number in ("2031", "2041", "2051", "2061")
    ],
    *[(number, {"PolId": "w01018"}, "PolId=w01018") for number in ("3011", "3012", "3013", "3014", "3017", "3018", "3019")],
    ("3015", {}, ""),
    ("3016", {"PolId": "w01018", "CstartTime": "000000", "Ctime": "2"}, "PolId=w01018;CstartTime=000000;Ctime=2"),
    ("3020", {"PolId": "w01018", "InfoId": "i11001"}, "PolId=w01018;InfoId=i11001"),
    ("3021", {"PolId": "w01018", "InfoId": "i13004", "i13004-Info": "168.0"}, "PolId=w01018;InfoId=i13004;i13004-Info=168.0"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "params", "content"), COMMANDS, ids=[entry[0] for entry in COMMANDS])
def test_commands_of_hj212(number: str, params: dict[str, str], content: str) -> None:
    raw = messages.command(number, MN, QN, "32", "123456", params)
    head = f"QN={QN};ST=32;CN={number};PW=123456;MN={MN};Flag=5;CP=&&"
    assert raw[6:-6].decode() == f"{head}{content}&&"
    found = decode(raw)
    assert isinstance(found, Frame)
    assert encode(found.fields, found.params, found.factors) == raw
    assert messages.acknowledgement(found) is None or number == "1013"


def test_frames_the_standard_prints() -> None:
    raw = messages.command("1000", MN, QN, "32", "123456", {"OverTime": "5", "ReCount": "3"})
    assert raw.endswith(b"CP=&&OverTime=5;ReCount=3&&CAC1\r\n")
    found = decode(raw)
    assert isinstance(found, Frame)
    assert messages.reply(found, "9011", {"QnRtn": "1"}).endswith(b"CP=&&QnRtn=1&&1B00\r\n")
    assert messages.reply(found, "9012", {"ExeRtn": "1"}).endswith(b"CP=&&ExeRtn=1&&6240\r\n")
    assert messages.reply(found, "9013").startswith(f"##0087QN={QN};ST=91;CN=9013;".encode())
    assert messages.set_real_time_interval(MN, QN, "32", "123456", 30).endswith(b"RtdInterval=30&&4400\r\n")


VALUES = st.text("0123456789.", min_size=1, max_size=9)
CODES = st.from_regex(r"[aw][0-9]{5}", fullmatch=True)
FIELDS = st.sampled_from(["Rtd", "Avg", "Min", "Max", "Cou", "Flag", "ZsRtd"])


@given(
    st.dictionaries(st.sampled_from(["DataTime", "PolId", "RestartTime"]), VALUES, max_size=3),
    st.dictionaries(CODES, st.dictionaries(FIELDS, VALUES, min_size=1, max_size=4), max_size=5),
    st.sampled_from(["hj212", "modbus"]),
)
def test_records_of_hj212_return_as_they_went(
    params: dict[str, str], values: dict[str, Any], checksum: str
) -> None:
    profile = Profile(crc=checksum)
    raw = encode({"QN": QN, "MN": MN, "Flag": "7", "PNUM": "2", "PNO": "1"}, params, values, profile)
    found = decode(raw, profile)
    assert isinstance(found, Frame)
    assert (found.params, found.factors, found.number) == (params, values, (2, 1))
    assert encode(found.fields, found.params, found.factors, profile) == raw


DWORD, WORD, BYTE = st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFF), st.integers(0, 0xFF)
EXTRA = st.binary(max_size=40).flatmap(
    lambda content: st.tuples(BYTE, st.just(len(content)), st.just(content))
)
DIGITS = st.from_regex(r"20[0-9]{2}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", fullmatch=True)
PLACES = st.builds(
    Location, DWORD, DWORD, DWORD, DWORD, WORD, WORD, WORD, DIGITS, st.lists(EXTRA, max_size=8)
)


@given(PLACES, st.sampled_from([2013, 2019]), WORD)
def test_positions_return_as_they_went(place: Location, edition: int, serial: int) -> None:
    raw = encode808(make_header(0x0200, "13800138000", serial, edition), location.encode(place))
    found = decode808(raw)
    assert isinstance(found, Frame808)
    assert encode808(found.header, found.body) == raw
    assert location.decode(found.body) == place


@given(st.lists(PLACES, max_size=4), BYTE)
def test_batches_return_as_they_went(places: list[Location], kind: int) -> None:
    body = encode_body(0x0704, {"type": kind, "items": places})
    assert decode_body(0x0704, body) == {"count": len(places), "type": kind, "items": places}


@given(st.binary(max_size=5000), WORD, st.sampled_from([2013, 2019]))
def test_messages_in_packages_return_as_they_went(body: bytes, serial: int, edition: int) -> None:
    frames = [decode808(raw) for raw in split(make_header(0x0900, "1", serial, edition), body)]
    parts = [frame for frame in frames if isinstance(frame, Frame808)]
    assert b"".join(frame.body for frame in parts) == body
    assert len(parts) == len(frames)


@given(st.sampled_from(sorted(BODIES)), st.binary(max_size=120), st.sampled_from([2011, 2013, 2019]))
def test_what_was_read_of_a_body_can_be_written_and_read_again(
    number: int, body: bytes, edition: int
) -> None:
    """Any bytes a layout accepts: writing what was read gives bytes that read the same."""
    found = decode_body(number, body, edition)
    if not isinstance(found, dict) or "\\x" in repr(found) or "\\u" in repr(found):
        return  # text that is no GBK is shown, not kept
    if number == 0x0200:
        found["location"].time = "2026-01-01 00:00:00"
    try:
        again = encode_body(number, found, edition)
    except ValueError:
        return  # a time or a number of digits that is none
    second = decode_body(number, again, edition)
    if isinstance(second, dict) and set(second) == set(found):
        assert encode_body(number, second, edition) == again


DOWN: list[tuple[int, int, dict[str, Any], str]] = [
    (0x8001, 2013, {"ack_serial": 1, "ack_id": "0x0200", "result": 0}, "0001020000"),
    (0x8003, 2013, {"first_serial": 5, "ids": [2]}, "0005010002"),
    (0x8003, 2019, {"first_serial": 5, "ids": [2]}, "000500010002"),
    (0x8100, 2013, {"ack_serial": 1, "result": 0, "auth_code": "k1"}, "0001006b31"),
    (0x8100, 2013, {"ack_serial": 1, "result": 4}, "000104"),
    (0x8103, 2013, {"params": [{"id": "0x0001", "value_hex": "0000003c"}]}, "0100000001040000003c"),
    (0x8104, 2013, {}, ""),
    (0x8105, 2013, {"raw_hex": "04"}, "04"),
    (0x8201, 2013, {}, ""),
    (0x8202, 2013, {"interval_s": 5, "validity_s": 60}, "00050000003c"),
    (0x8202, 2013, {"interval_s": 0}, "0000"),
    (0x8203, 2013, {"ack_serial": 2, "alarm": 1}, "000200000001"),
    (0x8300, 2013, {"flag": 4, "text": "园区"}, "04d4b0c7f8"),
    (0x8300, 2019, {"flag": 4, "text_type": 1, "text": "园区"}, "0401d4b0c7f8"),
    (0x8600, 2013, {"action": 1, "items": [{"id": 1, "attr": 0, "lat_raw": 2, "lng_raw": 3, "radius_m": 4}]},
     "0101" "00000001" "0000" "00000002" "00000003" "00000004"),
    (0x8601, 2013, {"ids": []}, "00"),
    (0x8601, 2013, {"ids": [7]}, "0100000007"),
    (0x8604, 2013, {"id": 1, "attr": 0, "vertices": [[1, 2]]}, "0000000100000001" "0000000100000002"),
    (0x8606, 2013, {"id": 1, "attr": 0, "points": []}, "0000000100000000"),
    (0x8608, 2019, {"type": 4, "ids": []}, "0400000000"),
    (0x8800, 2013, {"media_id": 9}, "00000009"),
    (0x8800, 2013, {"media_id": 9, "retransmit_ids": [3]}, "00000009010003"),
    (0x8802, 2013, {"media_type": 0, "channel": 0, "event": 0, "start_time": "2026-11-22 00:00:00", "end_time": "2026-11-22 23:59:59"},
     "000000261122000000261122235959"),
    (0x8805, 2013, {"media_id": 9, "delete": 1}, "0000000901"),
    (0x8900, 2013, {"type": 0x41, "data_hex": "0102"}, "410102"),
    (0x8500, 2019, {"controls": [{"id": 1, "value": 1}]}, "0001000101"),
    (0x8302, 2013, {"flag": 8, "question": "?", "answers": [{"id": 1, "text": "1"}]}, "08013f01000131"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("number", "edition", "values", "body"), DOWN, ids=[f"{entry[0]:04X}-{entry[1]}" for entry in DOWN]
)
def test_messages_to_terminals(number: int, edition: int, values: dict[str, Any], body: str) -> None:
    assert encode_body(number, values, edition).hex() == body
    raw = encode808(make_header(number, "13800138000", 7, edition), bytes.fromhex(body))
    found = decode808(raw)
    assert isinstance(found, Frame808)
    assert encode808(found.header, found.body) == raw
    read = decode_body(number, found.body, edition)
    assert isinstance(read, dict)
    assert encode_body(number, read, edition).hex() == body


@given(st.binary(max_size=200), st.binary(min_size=6, max_size=6), BYTE, st.integers(0, 4))
def test_frames_of_meters_return_as_they_went(data: bytes, address: bytes, control: int, wake: int) -> None:
    raw = dlt.encode(address.hex(), control, data, wake)
    found = dlt.decode(raw)
    assert isinstance(found, dlt.Frame)
    assert (found.data, found.preamble) == (data, wake)
    assert dlt.encode(found.address, found.control, found.data, found.preamble) == raw
    raw = cjt.encode(0x10, address.hex() + "00", control, data, wake)
    other = cjt.decode(raw)
    assert isinstance(other, cjt.Frame)
    assert cjt.encode(other.kind, other.address, other.control, other.data, other.preamble) == raw


SCALARS: list[tuple[DataType, Callable[[], st.SearchStrategy[Any]]]] = [
    (DataType.Int8, lambda: st.integers(-128, 127)),
    (DataType.Int16, lambda: st.integers(-(2**15), 2**15 - 1)),
    (DataType.Int32, lambda: st.integers(-(2**31), 2**31 - 1)),
    (DataType.Int64, lambda: st.integers(-(2**63), 2**63 - 1)),
    (DataType.UInt8, lambda: st.integers(0, 255)),
    (DataType.UInt32, lambda: st.integers(0, 2**32 - 1)),
    (DataType.UInt64, lambda: st.integers(0, 2**64 - 1)),
    (DataType.Float, lambda: st.floats(width=32, allow_nan=False)),
    (DataType.Double, lambda: st.floats(allow_nan=False)),
    (DataType.Boolean, st.booleans),
    (DataType.String, lambda: st.text(st.characters(blacklist_categories=("Cs",)), max_size=9)),
    (DataType.DateTime, lambda: st.integers(0, 2**63)),
    (DataType.Bytes, lambda: st.binary(max_size=9)),
    (DataType.Int16Array, lambda: st.lists(st.integers(-(2**15), 2**15 - 1), max_size=4)),
    (DataType.BooleanArray, lambda: st.lists(st.booleans(), max_size=20)),
]
SCALAR = st.sampled_from(SCALARS).flatmap(lambda entry: st.tuples(st.just(entry[0]), entry[1]()))
TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=6)
FLAT = st.sampled_from([entry for entry in SCALARS if entry[0] < DataType.DataSet]).flatmap(
    lambda entry: st.tuples(st.just(int(entry[0])), entry[1]())
)


@st.composite
def metrics(draw: st.DrawFn) -> spb.Metric:
    datatype, value = draw(SCALAR)
    null = draw(st.booleans())
    return spb.Metric(
        draw(st.none() | TEXT),
        draw(st.none() | st.integers(0, 2**63)),
        draw(st.none() | st.integers(0, 2**63)),
        datatype,
        None if null else value,
        null,
        draw(st.none() | st.booleans()),
        draw(st.none() | st.booleans()),
        draw(st.dictionaries(TEXT, FLAT, max_size=3)),
        draw(
            st.fixed_dictionaries({}, optional={"size": st.integers(0, 99), "file_name": TEXT, "md5": TEXT})
        ),
    )


@given(st.lists(metrics(), max_size=4), st.none() | st.integers(0, 255), st.none() | TEXT)
def test_payloads_return_as_they_went(
    given_metrics: list[spb.Metric], seq: int | None, uuid: str | None
) -> None:
    payload = spb.Payload(1_700_000_000_000, seq, uuid, given_metrics)
    raw = spb.encode(payload)
    found = spb.decode(raw)
    assert found == payload
    assert isinstance(found, spb.Payload)
    assert spb.encode(found) == raw


@given(
    st.lists(FLAT, min_size=1, max_size=4),
    st.dictionaries(TEXT, FLAT, max_size=2),
    st.lists(metrics(), max_size=2),
)
def test_tables_and_templates_return_as_they_went(
    row: list[tuple[int, Any]], parameters: dict[str, Any], inner: list[spb.Metric]
) -> None:
    types = [datatype for datatype, _value in row]
    table = spb.DataSet([str(place) for place in range(len(row))], types, [[value for _type, value in row]])
    template = spb.Template("1", "ref", True, inner, parameters)
    payload = spb.Payload(1, 0, None, [
        spb.Metric("t", None, None, DataType.DataSet, table),
        spb.Metric("p", None, None, DataType.Template, template),
    ])  # fmt: skip
    assert spb.decode(spb.encode(payload)) == payload


def test_the_rebirth_command() -> None:
    found = spb.decode(spb.rebirth_command(5))
    assert isinstance(found, spb.Payload)
    assert [(one.name, one.value) for one in found.metrics] == [("Node Control/Rebirth", True)]
    assert Header(0x0200, 0x2403, "0", 0).encryption == 1
