"""The names that ``yuanmai decode`` prints: each one of the published list, of its type, and none of them never printed.

Inputs are built here with our own encoders, of every kind of message and every form a line of input may have.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from yuanmai.protocols.cjt188 import frame as cjt
from yuanmai.protocols.dlt645 import frame as dlt
from yuanmai.protocols.hj212.frame import wrap
from yuanmai.protocols.jt808 import location
from yuanmai.protocols.jt808.bodies import encode_body
from yuanmai.protocols.jt808.frame import Header, encode, escape, make_header, split
from yuanmai.protocols.jt808.location import Location
from yuanmai.protocols.sparkplug import payload as spb
from yuanmai.protocols.sparkplug.values import DataType

NAMES = Path(__file__).resolve().parents[3] / "shared" / "examples" / "protocols" / "field-names.json"
if not NAMES.exists():
    pytest.skip("the list of names is not on this machine", allow_module_level=True)
LIST = json.loads(NAMES.read_text(encoding="utf-8"))
FIELDS: dict[str, dict[str, Any]] = LIST["fields"]
Line = dict[str, Any]

HERE = Location(
    1,
    3,
    28_000_000,
    113_000_000,
    50,
    600,
    90,
    "2026-11-22 08:00:00",
    [(1, 4, b"\0\0\0\1"), (0x30, 1, b"\x1f")],
)
BARE = Location(1, 3, 28_000_000, 113_000_000, 50, 600, 90, "2026-11-22 08:00:00")
TIMES = {"start_time": "000000080000", "end_time": "000000180000"}
LIMIT = {"max_speed_kmh": 60, "overspeed_duration_s": 5}
LATE = {"night_max_speed_kmh": 40, "name": "园区"}
CIRCLE = {"id": 1, "attr": 3, "lat_raw": 1, "lng_raw": 2, "radius_m": 3, **TIMES, **LIMIT}
BOX = {
    "id": 1,
    "attr": 3,
    "ul_lat_raw": 4,
    "ul_lng_raw": 3,
    "lr_lat_raw": 2,
    "lr_lng_raw": 5,
    **TIMES,
    **LIMIT,
}
TURN = {"point_id": 1, "section_id": 2, "lat_raw": 3, "lng_raw": 4, "width_m": 10, "attr": 3, "too_long_s": 9, "too_short_s": 1}  # fmt: skip
MEDIUM = {"media_id": 9, "media_type": 0, "format": 0, "event": 1, "channel": 2}
SHOT = {"channel": 1, "command": 2, "interval_or_duration_s": 3, "save": 0, "resolution": 1, "quality": 5, "brightness": 100,
        "contrast": 60, "saturation": 60, "chroma": 128}  # fmt: skip
PLATE = {"province": 43, "city": 100, "maker": "YM", "model": "A-1", "terminal_id": "0000001", "plate_color": 1, "plate": "湘A12345"}  # fmt: skip
DRIVER = {"status": 1, "time": "2026-11-22 08:00:00", "ic_result": 0, "name": "张三", "licence": "4301", "issuer": "潭州",
          "valid_to": "20991231", "id_card": "430100199001011234"}  # fmt: skip
DEVICE = {"type": 7, "maker": "YM", "model": "A-1", "terminal_id": "1", "iccid": "89860000000000000001", "hw": "1", "fw": "2",
          "gnss": 3, "comm": 4}  # fmt: skip
BODIES: list[tuple[int, int, Line]] = [
    *[(number, edition, {"ack_serial": 1, "ack_id": "0x8300", "result": 0}) for number in (0x0001, 0x8001) for edition in (2013, 2019)],
    *[(number, 2019, {}) for number in (0x0002, 0x0003, 0x8104)],
    *[(0x0100, edition, PLATE) for edition in (2011, 2013, 2019)],
    (0x0102, 2013, {"auth_code": "k1"}),
    (0x0102, 2019, {"auth_code": "k1", "imei": "865478070001047", "software_version": "1.0"}),
    *[(0x0107, edition, DEVICE) for edition in (2013, 2019)],
    (0x0200, 2013, {"location": HERE}),
    (0x0201, 2019, {"ack_serial": 1, "location": HERE}),
    (0x0702, 2013, {key: value for key, value in DRIVER.items() if key != "id_card"}),
    (0x0702, 2019, DRIVER),
    (0x0702, 2013, {"status": 2, "time": "2026-11-22 08:00:00"}),
    (0x0704, 2013, {"type": 1, "items": [HERE, BARE]}),
    (0x0800, 2013, MEDIUM),
    (0x0801, 2013, {**MEDIUM, "location": BARE, "data_hex": "ffd8"}),
    (0x0900, 2013, {"type": 0xF0, "data_hex": "00ff"}),
    (0x0901, 2013, {"length": 2, "data_hex": "1f8b"}),
    *[(0x8003, edition, {"first_serial": 3, "ids": [1, 2]}) for edition in (2013, 2019)],
    (0x8100, 2013, {"ack_serial": 1, "result": 0, "auth_code": "k1"}),
    (0x8100, 2013, {"ack_serial": 1, "result": 3}),
    (0x8103, 2013, {"params": [{"id": "0x0001", "value_hex": "0000001e"}]}),
    (0x8105, 2013, {"raw_hex": "05"}),
    (0x8202, 2013, {"interval_s": 5, "validity_s": 60}),
    (0x8300, 2013, {"flag": 8, "text": "前方施工"}),
    (0x8300, 2019, {"flag": 1, "text_type": 1, "text": "前方施工"}),
    (0x8600, 2013, {"action": 1, "items": [CIRCLE, {**CIRCLE, "attr": 0}]}),
    (0x8600, 2019, {"action": 1, "items": [{**CIRCLE, **LATE}]}),
    (0x8602, 2019, {"action": 0, "items": [{**BOX, **LATE}]}),
    (0x8604, 2019, {"id": 1, "attr": 3, **TIMES, **LIMIT, "vertices": [[1, 2], [3, 4]], **LATE}),
    (0x8606, 2019, {"id": 1, "attr": 1, **TIMES, "points": [{**TURN, **LIMIT, "night_max_speed_kmh": 40}], "name": "环路"}),
    *[(number, 2013, {"ids": [1, 2]}) for number in (0x8601, 0x8603, 0x8605, 0x8607)],
    (0x8608, 2019, {"type": 1, "ids": [7]}),
    (0x8800, 2013, {"media_id": 9, "retransmit_ids": []}),
    (0x8800, 2013, {"media_id": 9, "retransmit_ids": [2, 3]}),
    (0x8801, 2013, SHOT),
]  # fmt: skip
PHONE = "13800138000"
PACKAGES = [raw.hex() for raw in split(make_header(0x0801, PHONE, 10), b"\0\0\0\x09" + bytes(3000))]
BEAT = encode(make_header(0x0002, PHONE, 1), b"")
BROKEN = location.encode(HERE) + b"\x02\x04\x01"
LOST = location.encode(Location(0, 2, 0, 0, 0, 0, 0, "2000-00-00 00:00:00"))
SHORT_BATCH = b"\0\3\1\0" + bytes((len(location.encode(HERE)),)) + location.encode(HERE)


def frame_of(number: int, body: bytes, standard: int = 2013) -> str:
    return encode(make_header(number, PHONE, 7, standard), body).hex()


def segment(content: str, head: str = "QN=20261122080000123;ST=32;CN=2011;PW=123456;MN=A1;Flag=5;") -> str:
    return wrap(f"{head}CP=&&{content}&&".encode()).decode()


def reply(di: str, value: str, control: int = 0x91) -> str:
    return dlt.encode("123456789012", control, bytes.fromhex(di)[::-1] + bytes.fromhex(value), 4).hex()


METRICS = [
    spb.Metric("a", 1, 1, DataType.Boolean, value=True, historical=True,
               properties={"Quality": (DataType.Int32, 192), "engUnit": (DataType.String, "kW")}),
    spb.Metric("b", None, 1, DataType.Double, value=1.5),
    spb.Metric("c", None, 1, DataType.Int8, value=-1),
    spb.Metric("d", None, 1, DataType.String, value="x"),
    spb.Metric("e", None, 1, DataType.Bytes, value=b"\1"),
    spb.Metric("f", None, 1, DataType.Int64, null=True),
    spb.Metric("g", None, 1, DataType.DataSet, value=spb.DataSet(["p", "q"], [DataType.Int32, DataType.String], [[1, "x"]])),
]  # fmt: skip
WATER = "1f90000077665 52c007766552c31012211051520 2184".replace(" ", "")
TOTAL = "QN=20261122080000123;ST=32;CN=2061;PW=123456;MN=A1;Flag=7;PNUM=2;PNO={};"
PARTS = [segment(f"DataTime=20261122080000;w0100{place}-Avg=7.1", TOTAL.format(place)) for place in (1, 2)]

INPUTS: dict[tuple[str, str], list[Line]] = {
    **{
        ("jt808", f"body 0x{number:04X}"): [
            line
            for wanted, edition, values in BODIES
            if wanted == number
            for line in (
                {"body_hex": encode_body(number, values, edition).hex(), "msg_id": f"0x{number:04X}", "standard": edition},
                {"hex": frame_of(number, encode_body(number, values, edition), edition)},
            )
        ]
        for number, _edition, _values in BODIES
    },
    ("jt808", "escape"): [
        {"payload_hex": "307e087d55", "escaped_hex": "307d02087d0155"},
        {"payload_hex": "307e", "escaped_frame_hex": "7e307d027e"},
        {"payload_hex": "307e087d55"},
    ],
    ("jt808", "header"): [{"hex": BEAT.hex()}, {"hex": frame_of(0x0002, b"", 2019)}],
    ("jt808", "malformed"): [
        {"hex": BEAT.hex()[:-4] + "007e"},
        {"hex": frame_of(0x0002, b"\1\2\3")},
        {"hex": encode(Header(0x0200, 0x0400, "013800138000", 1), b"\1\2").hex()},
        {"hex": frame_of(0x0200, BROKEN)},
        {"hex": frame_of(0x0200, LOST)},
        {"hex": frame_of(0x0704, SHORT_BATCH)},
        {"body_hex": LOST.hex(), "msg_id": "0x0200", "standard": 2013},
        {"body_hex": LOST.hex()[:40], "msg_id": "0x0200", "standard": 2013},
    ],
    ("jt808", "stream"): [
        {"chunks_hex": [BEAT.hex()[:9] + "0", BEAT.hex()]},
        {"generator": "7e + 00 * 100000", "then_hex": BEAT.hex()},
    ],
    ("jt808", "subpackage"): [
        {"frames_hex": PACKAGES},
        {"frames_hex": [PACKAGES[0], PACKAGES[2]]},
        {"hex": PACKAGES[1]},
    ],
    ("hj212", "frame"): [
        {"ascii": segment("DataTime=20261122080000;w01018-Rtd=1.5,w01018-Flag=N")},
        {"ascii": "x", "hex": segment("RtdInterval=30").encode().hex()},
        {"hex": wrap("MN=A1;CP=&&Info=正常&&".encode("gbk")).hex(), "encoding": "gbk"},
    ],
    ("hj212", "malformed"): [{"ascii": segment("a=1")[:-6] + "0001\r\n"}, {"ascii": "##01A1QN=1"}],
    ("hj212", "package"): [{"frames_ascii": PARTS}, {"ascii": PARTS[0], "then": "the same again"}],
    ("hj212", "stream"): [{"chunks": [PARTS[0] + "##0007MN=1" + PARTS[1][:9], PARTS[1][9:]]}],
    ("dlt645", "frame"): [
        {"hex": reply("00010000", "26000000")},
        {"hex": reply("02010100", "af10")},
        {"hex": dlt.encode("123456789012", 0x93, bytes.fromhex("129078563412")).hex()},
        {"hex": dlt.encode("123456789012", 0xD1, b"\2").hex()},
        {"hex": dlt.read("123456789012", "00010000").hex()},
    ],
    ("dlt645", "malformed"): [{"hex": reply("00010000", "26000000")[:-4] + "0016"}, {"hex": "fefe"}],
    ("dlt645", "stream"): [
        {"chunks_hex": [dlt.read("123456789012", "00010000").hex() + reply("00010000", "26000000")]}
    ],
    ("cjt188", "frame"): [
        {"hex": cjt.encode(0x10, "78330011223344", 0x81, bytes.fromhex(WATER), 2).hex() + "55"},
        {"hex": cjt.encode(0x10, "78330011223344", 0x84, bytes.fromhex("a01700010000")).hex()},
    ],
    ("cjt188", "malformed"): [{"hex": cjt.read(0x10, "78330011223344").hex()[:-4] + "0016"}, {"hex": "fe"}],
    ("sparkplug", "malformed"): [{"hex": "08"}],
    ("sparkplug", "payload"): [
        {"hex": spb.encode(spb.Payload(1, 0, "u", METRICS)).hex()},
        {"hex": spb.encode(spb.Payload(1, None, None, [spb.Metric(None, 3, None, 0, value=None)])).hex()},
    ],
    ("sparkplug", "session"): [
        {"sequence": [["NBIRTH", 0], ["NDATA", 2]]},
        {"events": [["NBIRTH", {"bdSeq": 1}], ["NDEATH", {"bdSeq": 1}]]},
    ],
    ("sparkplug", "topic"): [
        {"topic": "spBv1.0/park1/DDATA/gw1/lamp"},
        {"topic": "spBv1.0/STATE/host"},
        {"topic": "spBv1.0/park1/DDATA"},
    ],
}  # fmt: skip
# What an answer says beyond the list: remarks of examples, more about a value, what answers a message.
MORE = {
    "reply", "reply_example_hex", "request", "connection", "strict", "tolerant", "crc_hj212", "crc_modbus", "standard", "valid",
    "header", "body", "time_valid", "position_plausible", "lat_raw", "lng_raw", "items_present", "items_announced", "pending",
    "rejected", "pending_hex", "length", "errors", "complete", "reason", "acks", "acks_ascii", "stored_records", "dedupe_key",
    "imei", "is_transient", "metadata", "body_policy", "good_items", "broken_tail_hex", "max_buffer_bytes", "frames_hex",
}  # fmt: skip
# The time of a water meter may be nothing; what a value is depends on its type.
LOOSE = {"time", "value", "rows", "uuid", "alias", "device"}


def answer(protocol: str, line: Line) -> Line:
    return json.loads(json.dumps(import_module(f"yuanmai.protocols.answers.{protocol}").answer(line)))


def part(protocol: str, kind: str, document: Line) -> Line:
    """The part of an answer that a kind of the list is about."""
    if protocol == "jt808" and kind.startswith("body"):
        return document["body"]
    return document["header"] if kind == "header" else document


def wrong(shape: Any, found: Any, path: str = "") -> list[str]:
    """Names that are not on the list, and values of another type than there."""
    if isinstance(shape, dict):
        if not isinstance(found, dict):
            return [f"{path}: {found!r} is no object"]
        free = next(iter(shape.values())) if len(shape) == 1 and next(iter(shape)) in ("…", "code") else None
        if shape and next(iter(shape)) in ("field",):
            free = "str"
        problems = []
        for name, value in found.items():
            inner = free if free is not None else shape.get(name)
            if name in LOOSE:
                continue
            if inner is None:
                problems += [] if name in MORE else [f"{path}.{name} is not on the list"]
            else:
                problems += wrong(inner, value, f"{path}.{name}")
        return problems
    if isinstance(shape, list):
        if not isinstance(found, list):
            return [f"{path}: {found!r} is no list"]
        return [line for value in found for line in (wrong(shape[0], value, f"{path}[]") if shape else [])]
    types = {"str": str, "int": int, "bool": bool, "float": float}
    allowed = [types[name] for name in shape.split("|") if name in types]
    if float in allowed and int not in allowed:
        allowed.append(float)
    return [] if type(found) in allowed else [f"{path}: {found!r} is no {shape}"]


def missing(shape: Any, found: list[Any], path: str = "") -> list[str]:
    """Names of the list that none of these values has."""
    if isinstance(shape, list):
        inner = [value for entry in found if isinstance(entry, list) for value in entry]
        return missing(shape[0], inner, f"{path}[]") if shape else []
    if not isinstance(shape, dict) or next(iter(shape), "…") in ("…", "code", "field"):
        return []
    lines = []
    for name, inner in shape.items():
        values = [entry[name] for entry in found if isinstance(entry, dict) and name in entry]
        lines += missing(inner, values, f"{path}.{name}") if values else [f"{path}.{name} is never printed"]
    return lines


ALL = [(protocol, kind) for protocol, kinds in FIELDS.items() for kind in kinds]


def test_there_is_an_input_of_every_kind() -> None:
    assert sorted(INPUTS) == sorted(ALL)


@pytest.mark.parametrize(("protocol", "kind"), ALL, ids=[f"{protocol} {kind}" for protocol, kind in ALL])
def test_names_and_types(protocol: str, kind: str) -> None:
    shape = FIELDS[protocol][kind]
    if (protocol, kind) == ("jt808", "malformed"):
        shape = {**shape, "body": {**FIELDS[protocol]["body 0x0200"], **shape["body"], "raw_hex": "str"}}
    found = [part(protocol, kind, answer(protocol, line)) for line in INPUTS[protocol, kind]]
    assert [line for document in found for line in wrong(shape, document)] == []
    assert missing(FIELDS[protocol][kind], found) == []


def test_every_form_of_input_is_answered() -> None:
    """Each combination of keys that the list names has an input above."""
    given = {
        protocol: {
            "+".join(sorted(line))
            for (one, _kind), lines in INPUTS.items()
            if one == protocol
            for line in lines
        }
        for protocol in FIELDS
    }
    others = {
        "jt808": {"phone_bcd"},
        "hj212": {"platform_sends+device_replies", "strings"},
    }
    for protocol, forms in LIST["inputs"].items():
        wanted = {"+".join(sorted(form.split("+"))) for form in set(forms) - others.get(protocol, set())}
        assert wanted <= given[protocol], protocol


def test_the_other_forms() -> None:
    assert answer("jt808", {"phone_bcd": "4eb6fb4ad628"})["imei"] == "865478070001047"
    assert answer("hj212", {"strings": ["123456789"]}) == {"crc": ["2F80"]}
    sent = segment("RtdInterval=30", "QN=20261122080000123;ST=32;CN=1062;PW=1;MN=A1;Flag=5;")
    ready, done = (
        segment(text, f"QN=20261122080000123;ST=91;CN={number};PW=1;MN=A1;Flag=4;")
        for number, text in (("9011", "QnRtn=1"), ("9012", "ExeRtn=1"))
    )
    assert answer("hj212", {"platform_sends": sent, "device_replies": [ready, done]}) == {
        "result": "success", "states": ["sent", "accepted", "done"]}  # fmt: skip
    assert answer("hj212", {"platform_sends": sent, "device_replies": [ready]})["result"] == "timeout"
    assert answer("hj212", {"platform_sends": sent, "device_replies": []})["states"] == ["sent", "timeout"]


def test_escapes_give_no_more_than_they_got() -> None:
    assert escape(b"\x30\x7e\x08\x7d\x55").hex() == "307d02087d0155"
    assert answer("jt808", INPUTS["jt808", "escape"][1]) == {
        "escape": "7e307d027e",
        "unescape": "307e",
        "valid": True,
    }
