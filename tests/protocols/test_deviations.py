"""What devices in the field do against the standards, one case for each, and what is made of it."""

from __future__ import annotations

import json
from importlib import import_module
from time import process_time
from typing import Any

import pytest

from yuanmai.protocols.cjt188 import frame as cjt
from yuanmai.protocols.dlt645 import frame as dlt
from yuanmai.protocols.hj212.frame import Frame, Profile, decode, encode, wrap
from yuanmai.protocols.hj212.messages import acknowledgement
from yuanmai.protocols.hj212.packages import join
from yuanmai.protocols.jt808 import location
from yuanmai.protocols.jt808.bodies import encode_body
from yuanmai.protocols.jt808.frame import Header, make_header
from yuanmai.protocols.jt808.frame import encode as encode808
from yuanmai.protocols.jt808.location import Location
from yuanmai.protocols.jt808.stream import Decoder
from yuanmai.protocols.sparkplug import payload as spb
from yuanmai.protocols.sparkplug.values import DataType


def answer(protocol: str, line: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(import_module(f"yuanmai.protocols.answers.{protocol}").answer(line)))


def of(content: str, head: str = "QN=20261122080000123;ST=22;CN=2011;PW=123456;MN=A1;Flag=5;") -> bytes:
    return wrap(f"{head}CP=&&{content}&&".encode())


def told(raw: bytes) -> dict[str, Any]:
    return answer("hj212", {"hex": raw.hex()})


HEAD = {"QN": "20261122080000123", "ST": "22", "CN": "2011", "PW": "123456", "MN": "A1", "Flag": "5"}
LONG = ";".join(f"a{number:05d}-Rtd=1.000" for number in range(60))


@pytest.mark.parametrize(
    ("raw", "fields", "params", "factors"),
    [
        (of("a=1")[:-6] + of("a=1")[-6:].lower(), HEAD, {"a": "1"}, {}),
        (of("a=1", "ST=31;CN=2011;PW=1;MN=88;"), {"ST": "31", "CN": "2011", "PW": "1", "MN": "88"}, {"a": "1"}, {}),
        (of("a=1", "MN=88;Flag=7;"), {"MN": "88", "Flag": "7"}, {"a": "1"}, {}),
        (of("PNUM=2;PNO=1;a-Rtd=1"), HEAD, {"PNUM": "2", "PNO": "1"}, {"a": {"Rtd": "1"}}),
        (of("a=1;"), HEAD, {"a": "1"}, {}),
        (of("a=1", "PW=123456;,MN=88;"), {"PW": "123456", "MN": "88"}, {"a": "1"}, {}),
        (of("a=1", "MN=88;FLAG=5;"), {"MN": "88", "FLAG": "5"}, {"a": "1"}, {}),
        (of("a=1", "PW=;MN=88;"), {"PW": "", "MN": "88"}, {"a": "1"}, {}),
        (of("a=1", f"PW={'B' * 24};MN=88;"), {"PW": "B" * 24, "MN": "88"}, {"a": "1"}, {}),
        (of("a=1", "MN=YM_2026_ab;"), {"MN": "YM_2026_ab"}, {"a": "1"}, {}),
        (of("DataTime=20261122080000123"), HEAD, {"DataTime": "20261122080000123"}, {}),
        (of("a-Rtd=1;a-Rtd=2,a-Flag=N"), HEAD, {}, {"a": {"Rtd": "2", "Flag": "N"}}),
        (of("LAMPBLACK-Rtd=1;O3-Rtd=2;lng=113.1;lat=28.2"), HEAD, {"lng": "113.1", "lat": "28.2"},
         {"LAMPBLACK": {"Rtd": "1"}, "O3": {"Rtd": "2"}}),
        (of("B01-Rtd=1;011-Rtd=2;S08-Rtd=-3"), HEAD, {}, {"B01": {"Rtd": "1"}, "011": {"Rtd": "2"}, "S08": {"Rtd": "-3"}}),
        (of("LA-td=50.1,LA-Flag=N"), HEAD, {}, {"LA": {"td": "50.1", "Flag": "N"}}),
        (of("BeginTime=1,EndTime=2"), HEAD, {"BeginTime": "1", "EndTime": "2"}, {}),
        (of(" "), HEAD, {}, {}),
        (of("a=1")[:-2] + b"**\r\n", HEAD, {"a": "1"}, {}),
        (of("a=1")[:-2], HEAD, {"a": "1"}, {}),
        (wrap("MN=88;CP=&&Info=烟尘超标&&".encode("gbk")), {"MN": "88"}, {"Info": "烟尘超标"}, {}),
        (of(" DataTime = 2026 ; a-Rtd = 1.2 , a-Flag = N", "ST = 22 ; MN = 88 ; "), {"ST": "22", "MN": "88"},
         {"DataTime": "2026"}, {"a": {"Rtd": "1.2", "Flag": "N"}}),
        (of("Info=two words;a=1"), HEAD, {"Info": "two words", "a": "1"}, {}),
        (of(LONG), HEAD, {}, {f"a{number:05d}": {"Rtd": "1.000"} for number in range(60)}),
    ],
)  # fmt: skip
def test_stations(
    raw: bytes, fields: dict[str, str], params: dict[str, str], factors: dict[str, Any]
) -> None:
    found = told(raw)
    assert (found["valid"], found["fields"], found["params"], found["factors"]) == (
        True,
        fields,
        params,
        factors,
    )
    assert found["crc"] == found["crc"].upper()
    assert found["length"] == int(raw[2:6])


def test_a_station_with_the_checksum_of_modbus() -> None:
    raw = encode({"MN": "1"}, {"a": "1"}, profile=Profile(crc="modbus"))
    found = told(raw)
    assert (found["valid"], found["reason"], found["reply"]) == (False, "crc_mismatch", None)
    assert found["tolerant"] == {"crc_variant": "modbus", "valid": True}
    assert "tolerant" not in told(of("a=1").replace(b"a=1", b"a=2"))


def test_packages_count_wherever_their_numbers_stand() -> None:
    inside = [decode(of(f"PNUM=2;PNO={place};DataTime=1;a{place}-Rtd=1")) for place in (1, 2)]
    (record,) = join(frame for frame in inside if isinstance(frame, Frame))
    assert (record.complete, record.missing, sorted(record.factors)) == (True, [], ["a1", "a2"])
    (alone,) = join(
        [frame for frame in [decode(of("DataTime=1", "MN=1;Flag=7;"))] if isinstance(frame, Frame)]
    )
    assert alone.complete


def test_an_answer_repeats_what_was_sent() -> None:
    found = decode(of("DataTime=1", "QN=1;CN=2011;PW=;MN=88;FLAG=9;"))
    assert isinstance(found, Frame)
    assert acknowledgement(found) == wrap(b"QN=1;ST=91;CN=9014;PW=;MN=88;Flag=4;CP=&&&&")
    told_time = decode(of("", "QN=1;CN=1013;PW=1;MN=88;Flag=5;"))
    assert isinstance(told_time, Frame)
    assert acknowledgement(told_time) == wrap(b"QN=1;ST=91;CN=9013;PW=1;MN=88;Flag=4;CP=&&&&")


def test_blanks_take_no_time() -> None:
    raw = of("a=" + " " * 9000 + "b;c=1")
    begin = process_time()
    assert told(raw)["params"] == {"a": "b", "c": "1"}
    assert process_time() - begin < 0.5


PHONE = "13800138000"
HERE = Location(0, 3, 28_000_000, 113_000_000, 50, 600, 90, "2026-11-22 08:00:00")
HEX = location.encode(HERE)


def sent(number: int, body: bytes = b"", standard: int = 2013) -> bytes:
    return encode808(make_header(number, PHONE, 7, standard), body)


def stream(*pieces: bytes) -> dict[str, Any]:
    return answer("jt808", {"chunks_hex": [piece.hex() for piece in pieces]})


A, B = sent(0x0002), sent(0x0200, HEX)


@pytest.mark.parametrize(
    ("chunks", "frames", "valid", "pending"),
    [
        ([A + B], [A, B], [True, True], b""),
        ([A[:-1] + B], [A, B], [True, True], b""),
        ([b"\x7e\x7e\x7e" + A + b"\x7e\x7e" + B], [A, B], [True, True], b""),
        ([b"(123,1,001,BASE)" + A + b"(123456789012,1,001,ELOCK,3,529439)" + B], [A, B], [True, True], b""),
        ([A[:9], A[9:] + B[:20], B[20:]], [A, B], [True, True], b""),
        ([A, B[:20]], [A], [True], B[:20]),
        ([A[:-1] + b"\x00\x7e" + B], [A[:-1] + b"\x00\x7e", B], [False, True], b""),
        ([A[:9] + B], [A[:9] + b"\x7e", B], [False, True], b""),
        ([b"\x7e"], [], [], b"\x7e"),
        ([A + b"\xde\xad"], [A], [True], b"\xde\xad"),
        ([b"\xe7\x00\x02\xe7" + A], [A], [True], b""),
    ],
)
def test_streams_of_terminals(
    chunks: list[bytes], frames: list[bytes], valid: list[bool], pending: bytes
) -> None:
    found = stream(*chunks)
    assert found["frames_hex"] == [raw.hex() for raw in frames]
    assert (found["valid"], found["pending_hex"]) == (valid, pending.hex())


def test_a_frame_between_shared_marks_is_told_apart_from_garbage() -> None:
    bad = bytearray(B)
    bad[-2] ^= 1
    assert stream(A + bytes(bad[1:]) + A[1:])["valid"] == [True, False, True]
    assert stream(A + b"GET / HTTP/1.1 and more" + A)["valid"] == [True, True]


def test_an_endless_frame_is_not_kept() -> None:
    found = answer("jt808", {"generator": "7e, then 1000000 bytes 00, no end", "then_hex": A.hex()})
    assert found["frames_hex"] == [A.hex()]
    assert found["max_buffer_bytes"] == 2092
    decoder = Decoder()
    decoder.feed(b"\x7e" + bytes(1_000_000))
    assert decoder.peak <= 2092


def test_terminals_that_do_not_escape() -> None:
    late = answer("jt808", {"hex": "7e0002000000000000067900007d7e"})
    assert (late["valid"], late["strict"]) == (False, "bad_escape")
    assert late["tolerant"] == {"msg_id": "0x0002", "bcc": 125, "bcc_ok": True}
    marks = encode808(make_header(0x0900, PHONE, 7), b"\xf0\x7e\x7d").replace(
        b"\x7d\x02\x7d\x01", b"\x7e\x7d"
    )
    found = answer("jt808", {"hex": marks.hex()})
    assert (found["valid"], found["reason"]) == (False, "bad_escape")
    assert found["tolerant"] == {"msg_id": "0x0900", "bcc": marks[-2], "bcc_ok": True}
    body = b"\xf0\x7d\x02"
    plain = encode808(make_header(0x0900, PHONE, 7), body).replace(b"\x7d\x01", b"\x7d")
    found = answer("jt808", {"hex": plain.hex()})
    assert (found["valid"], found["reason"]) == (False, "bad_checksum")
    assert found["tolerant"]["bcc_ok"] is True


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (sent(0x0002, b"\1\2\3"), {"valid": True, "body": {}, "body_policy": "ignore"}),
        (encode808(Header(0x0002, 0x4000, "013800138000", 1), b""), {"valid": True, "standard": 2013}),
        (encode808(Header(0x0200, 0x0400, "013800138000", 1), b"\1"), {"valid": True, "body_policy": "opaque"}),
        (sent(0x0200, HEX[:20]), {"valid": False, "reason": "body_too_short"}),
        (sent(0x0200, HEX + b"\x18\x04\0\0\0\1"), {"valid": True, "time_valid": True, "position_plausible": True}),
        (sent(0x0200, HEX + b"\x01\x04\0\0\0\1\x30\x05\1"), {"good_items": [{"id": 1, "hex": "00000001"}], "broken_tail_hex": "300501"}),
        (sent(0x0200, HEX + b"\x01\x04\0\0\0\1\x30"), {"good_items": [{"id": 1, "hex": "00000001"}], "broken_tail_hex": "30"}),
        (sent(0x0200, location.encode(Location(0, 2, 0, 0, 0, 0, 0, "2000-00-00 00:00:00"))),
         {"time_valid": False, "position_plausible": False, "lat_raw": 0, "lng_raw": 0}),
        (sent(0x0200, location.encode(Location(0, 2, 91_000_000, 0, 0, 0, 0, "2026-11-22 08:00:00"))),
         {"time_valid": True, "position_plausible": False, "lat_raw": 91_000_000}),
        (sent(0x0704, b"\0\3\1\0\x1c" + HEX), {"valid": True, "items_present": 1, "items_announced": 3}),
        (encode808(make_header(0x0200, "0", 1), HEX + b"\xf6\x08" + bytes.fromhex("0867567041100769")), {"imei": "867567041100769"}),
        (sent(0x5501, b"\1\2"), {"valid": True, "body": {"raw_hex": "0102"}}),
        (b"\xe7\x00\x02\xe7", {"valid": False, "reason": "truncated"}),
    ],
)  # fmt: skip
def test_odd_frames_of_terminals(raw: bytes, expected: dict[str, Any]) -> None:
    found = answer("jt808", {"hex": raw.hex()})
    assert {name: found.get(name) for name in expected} == expected


def test_south_and_west_in_both_forms() -> None:
    for south in (
        Location(0, 6, 28_000_000, 0, 0, 0, 0, ""),
        Location(0, 2, 0x100000000 - 28_000_000, 0, 0, 0, 0, ""),
    ):
        assert south.latitude == -28.0
    both = Location(0, 0xA, 0, 0x100000000 - 113_000_000, 0, 0, 0, "")
    assert both.longitude == -113.0


def test_editions_are_told_by_lengths() -> None:
    plate = {
        "province": 43,
        "city": 1,
        "maker": "YM",
        "model": "A",
        "terminal_id": "1",
        "plate_color": 1,
        "plate": "湘A1",
    }
    for edition in (2011, 2013):
        found = answer("jt808", {"hex": sent(0x0100, encode_body(0x0100, plate, edition)).hex()})
        assert found["body"] == plate
        found = answer("jt808", {"hex": sent(0x0100, encode_body(0x0100, plate, edition), 2019).hex()})
        assert (found["standard"], found["body"]) == (2019, plate)
    late = answer("jt808", {"hex": sent(0x0102, b"13800138000", 2019).hex()})
    assert late["body"] == {"auth_code": "13800138000"}
    media = {"media_id": 9, "media_type": 0, "format": 0, "event": 1, "channel": 2}
    old = {**media, "data_hex": "ffd8" + "ffee" * 40}
    assert answer("jt808", {"hex": sent(0x0801, encode_body(0x0801, old, 2011)).hex()})["body"] == old
    driver = {"name": "张三", "id_card": "43", "licence": "4301", "issuer": "潭州"}
    assert answer("jt808", {"hex": sent(0x0702, encode_body(0x0702, driver, 2011)).hex()})["body"] == driver
    full = {"status": 2, "time": "2026-11-22 08:00:00", "ic_result": 0, "name": "张三", "licence": "4301", "issuer": "潭州",
            "valid_to": "20991231"}  # fmt: skip
    out = answer("jt808", {"hex": sent(0x0702, encode_body(0x0702, full)).hex()})
    assert out["body"] == full
    cut = answer("jt808", {"hex": sent(0x0702, encode_body(0x0702, full)[:-2]).hex()})
    assert cut["body"]["valid_to"] == "2099"


METER = "123456789012"


def test_traps_of_meters() -> None:
    reply = dlt.encode(METER, 0x91, bytes.fromhex("00000100") + bytes.fromhex("16681668"), 2)
    echo = dlt.read(METER, "00010000")
    found = answer("dlt645", {"chunks_hex": [(echo + reply).hex()[:30], (echo + reply).hex()[30:]]})
    assert found == {"frames_hex": [echo[4:].hex(), reply[2:].hex()], "reply_index": 1}
    sums = {
        raw[-2]: raw
        for raw in (dlt.encode(METER, 0x91, bytes.fromhex(f"000001000000{n:02x}00")) for n in range(256))
    }
    for wanted in (0x16, 0x68):
        assert answer("dlt645", {"chunks_hex": [sums[wanted].hex()]}) == {"frames_hex": [sums[wanted].hex()]}
    half = answer("dlt645", {"hex": dlt.encode(METER, 0x91, bytes.fromhex("00010102af10")).hex()})["item"]
    assert half == {
        "di": "02010100",
        "name": "voltage A",
        "unit": "V",
        "non_bcd": True,
        "digits": 4,
        "decimals": 1,
    }
    date = answer("dlt645", {"hex": dlt.encode(METER, 0x91, bytes.fromhex("0101000406221126")).hex()})["item"]
    assert date == {"di": "04000101", "name": "date and weekday", "text": "26112206"}


def test_traps_of_heat_and_water_meters() -> None:
    for wire, di in (("1f90", "901f"), ("901f", "901f"), ("0a81", "810a"), ("810a", "810a")):
        found = answer(
            "cjt188", {"hex": cjt.encode(0x10, "78330011223344", 1, bytes.fromhex(wire + "00")).hex()}
        )
        assert (found["di_wire"], found["di"]) == (wire, di)
    first = (
        "901f00"
        + "0501000000"
        + "0502000000"
        + "1703000000"
        + "3504000000"
        + "2c05000000"
        + "555500454500112233"
        + "00" * 9
    )
    heat = answer("cjt188", {"hex": cjt.encode(0x20, "78330011223344", 0x81, bytes.fromhex(first)).hex()})
    assert (heat["settlement"], heat["settlement_unit"], heat["total"], heat["time"]) == (
        0.01,
        "kWh",
        0.02,
        None,
    )
    blank = answer(
        "cjt188", {"hex": cjt.encode(0x10, "78330011223344", 0x81, bytes.fromhex("901f00" + "ff" * 19)).hex()}
    )
    assert (blank["total"], blank["time"]) == (None, None)


@pytest.mark.parametrize(
    ("datatype", "field", "value"),
    [
        (DataType.Int8, "50ffffffff0f", -1),
        (DataType.Int16, "50ffff03", -1),
        (DataType.Int32, "50d8ffffff0f", -40),
        (DataType.Int64, "58ffffffffffffffffff01", -1),
        (DataType.UInt64, "58ffffffffffffffffff01", 2**64 - 1),
        (DataType.DateTime, "5880d095ffbc31", 1_700_000_000_000),
    ],
)
def test_whole_numbers_of_sparkplug_have_their_sign(datatype: DataType, field: str, value: int) -> None:
    metric = bytes.fromhex(f"0a0161 20{datatype:02x}{field}")
    found = spb.decode(b"\x12" + bytes((len(metric),)) + metric)
    assert isinstance(found, spb.Payload)
    assert found.metrics[0].value == value


@pytest.mark.parametrize(
    ("events", "asked", "online"),
    [
        ([["NBIRTH", {"bdSeq": 3}], ["NDEATH", {"bdSeq": 2}]], None, True),
        ([["NBIRTH", 3], ["NDEATH", 2]], None, True),
        ([["NBIRTH", 3], ["NDEATH", 3]], None, False),
        (["NBIRTH bdSeq=3", "DBIRTH seq=1", "NDEATH bdSeq=3"], None, False),
        ([{"type": "NDATA", "seq": 7}], 0, False),
        ([["NBIRTH", 0], ["DBIRTH", 1, {"aliases": {"1": "On"}}], ["DDATA", 2, {"alias": 1}], ["DDATA", 3, {"alias": 2}]], 3, True),
        ([["NBIRTH", 0], *[["NDATA", number % 256] for number in range(1, 300)]], None, True),
        ([["NBIRTH", 0], ["NDATA", 2], ["NBIRTH", 0], ["NDATA", 1]], 1, True),
        ([{"NBIRTH": {"bdSeq": 1}}, {"topic": "spBv1.0/g/NDEATH/n", "bdSeq": 1}], None, False),
    ],
)  # fmt: skip
def test_sessions(events: list[Any], asked: int | None, online: bool) -> None:
    found = answer("sparkplug", {"events": events})
    assert found.get("rebirth_requested_at") == asked
    assert (found["rebirth_requested"], found["node_online"], found["devices_online"] == []) == (
        asked is not None,
        online,
        not online or "device" not in found["devices_online"],
    )


def test_topics_of_hosts_old_and_new() -> None:
    for text in ("spBv1.0/STATE/scada", "STATE/scada"):
        assert answer("sparkplug", {"topic": text}) == {"type": "STATE", "host": "scada"}
    for text in (
        "spBv1.0/g/NBIRTH/n/d",
        "spBv1.0/g/DDATA/n",
        "spAv1.0/g/NDATA/n",
        "spBv1.0/g/XDATA/n",
        "spBv1.0/STATE",
        "spBv1.0/g/NDATA/+",
    ):
        assert answer("sparkplug", {"topic": text})["valid"] is False
