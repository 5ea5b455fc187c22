"""JT/T 808: frames, bodies of all messages, positions and their items, packages, resynchronisation."""

from __future__ import annotations

from typing import Any

import pytest

from yuanmai.protocols.faults import Fault
from yuanmai.protocols.jt808 import items, location, params, signals
from yuanmai.protocols.jt808.bodies import BODIES, decode_body, encode_body
from yuanmai.protocols.jt808.frame import (
    LONGEST,
    Frame,
    Header,
    decode,
    encode,
    escape,
    identify,
    make_header,
    unescape,
)
from yuanmai.protocols.jt808.location import Location
from yuanmai.protocols.jt808.session import acknowledge

PHONE = "13800138000"
HERE = Location(0, 3, 28_000_000, 113_000_000, 50, 600, 90, "2026-11-22 08:00:00")
BASIC = location.encode(HERE)


def good(raw: bytes) -> Frame:
    found = decode(raw)
    assert isinstance(found, Frame), found
    return found


def reason(raw: bytes) -> str:
    found = decode(raw)
    assert isinstance(found, Fault), found
    return found.reason


def message(number: int, body: bytes = b"", standard: int = 2013, serial: int = 7) -> bytes:
    return encode(make_header(number, PHONE, serial, standard), body)


@pytest.mark.parametrize("standard", [2013, 2019])
@pytest.mark.parametrize(
    "body", [b"", b"\x7e", b"\x7d", b"\x7d\x01\x7d\x02\x7e", bytes(range(256)), b"\x7e" * 1023]
)
def test_a_frame_comes_out_as_it_went_in(standard: int, body: bytes) -> None:
    raw = message(0x0900, body, standard)
    assert len(raw) <= LONGEST
    assert b"\x7e" not in raw[1:-1]
    found = good(raw)
    assert (found.body, found.header.standard, found.header.serial) == (body, standard, 7)
    assert found.header.phone.lstrip("0") == PHONE
    assert encode(found.header, found.body) == raw


def test_the_longest_legal_frame() -> None:
    header = Header(0x7D7E, 0x6000, "7d" * 10, 0x7E7E, 0x7D, 0x7E7E, 0x7E7E)
    raw = encode(header, b"\x7e" * 1023)
    assert LONGEST - 6 <= len(raw) <= LONGEST  # the properties and perhaps the checksum need no escape
    assert good(raw).body == b"\x7e" * 1023
    with pytest.raises(ValueError, match="split it"):
        encode(header, bytes(1024))
    with pytest.raises(ValueError, match="digits"):
        encode(Header(1, 0, "12", 0), b"")


def test_escape_and_its_reverse() -> None:
    assert escape(bytes.fromhex("307e087d55")) == bytes.fromhex("307d02087d0155")
    assert unescape(bytes.fromhex("307d02087d0155")) == bytes.fromhex("307e087d55")
    assert unescape(bytes.fromhex("7d0102")) == bytes.fromhex("7d02")
    assert unescape(b"\x7d") is None
    assert unescape(b"\x7d\x03") is None


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "truncated"),
        ("7e", "truncated"),
        ("7e0002", "truncated"),
        ("7e01017e", "too_short"),
        ("7e0100002c0123454a7e", "too_short"),
        ("7e0801200500123456789002b67e", "too_short"),
        ("7e000200000123456789017fff7e", "bad_checksum_or_too_short"),
        ("7e7e", "bad_checksum_or_too_short"),
        ("7e0002000000000000067900007d7e", "bad_escape"),
        ("7e0801200500123456789002de001a00022808000102547e", "bad_checksum"),
        ("7e0801200500123456789002de001a000228080001517e", "length_mismatch"),
    ],
)
def test_every_fault_has_its_name(raw: str, why: str) -> None:
    assert reason(bytes.fromhex(raw)) == why


def test_a_fault_tells_the_header_it_could_read() -> None:
    found = decode(bytes.fromhex("7e0801200500123456789002de001a000228080001517e"))
    assert isinstance(found, Fault)
    assert (found.details["header"].total, found.details["header"].number) == (26, 2)


def test_the_version_flag_with_the_header_of_2013() -> None:
    raw = encode(Header(0x0002, 0x4000, "013800138000", 1), b"")
    assert good(raw).header.version is None
    assert good(raw).header.standard == 2013


def test_who_sends() -> None:
    assert identify("013800138000").decimal
    found = identify("4eb6fb4ad628")
    assert (found.decimal, found.imei) == (False, "865478070001047")
    assert identify("ffffffffffff").imei == ""


CIRCLE: dict[str, Any] = {"id": 1, "attr": 3, "lat_raw": 1, "lng_raw": 2, "radius_m": 3, "start_time": "000000080000",
                          "end_time": "000000180000", "max_speed_kmh": 60, "overspeed_duration_s": 5}  # fmt: skip
RECTANGLE = {**{k: v for k, v in CIRCLE.items() if k not in ("lat_raw", "lng_raw", "radius_m")},
             "ul_lat_raw": 4, "ul_lng_raw": 3, "lr_lat_raw": 2, "lr_lng_raw": 5}  # fmt: skip
TURN = {"point_id": 1, "section_id": 2, "lat_raw": 3, "lng_raw": 4, "width_m": 10, "attr": 3, "too_long_s": 9, "too_short_s": 1,
        "max_speed_kmh": 60, "overspeed_duration_s": 5}  # fmt: skip
LATE = {"night_max_speed_kmh": 40, "name": "园区"}
PERIOD = {"start_time": "2026-11-22 08:00:00", "end_time": "2026-11-22 09:00:00"}
SHOT = {"channel": 1, "command": 2, "interval_or_duration_s": 3, "save": 0, "resolution": 1, "quality": 5, "brightness": 100,
        "contrast": 60, "saturation": 60, "chroma": 128}  # fmt: skip
SEEN = {"media_type": 0, "channel": 1, "event": 2}
MEDIUM = {"media_id": 9, "media_type": 0, "format": 0, "event": 1, "channel": 2}
DRIVER = {"status": 1, "time": "2026-11-22 08:00:00", "ic_result": 0, "name": "张三", "licence": "4301", "issuer": "潭州",
          "valid_to": "20991231"}  # fmt: skip
PARAM = [{"id": "0x0001", "value_hex": "0000001e"}, {"id": "0xF364", "value_hex": ""}]
CASES: list[tuple[int, int, dict[str, Any]]] = [
    (0x0001, 2013, {"ack_serial": 1, "ack_id": "0x8300", "result": 0}),
    (0x8001, 2019, {"ack_serial": 1, "ack_id": "0x0200", "result": 4}),
    *[(number, 2013, {}) for number in (0x0002, 0x0003, 0x0004, 0x8104, 0x8107, 0x8201, 0x8204, 0x8702)],
    (0x8004, 2019, {"time_utc": "2026-11-22 00:00:00"}),
    (0x8003, 2013, {"first_serial": 3, "ids": [1, 2]}),
    (0x0005, 2019, {"first_serial": 3, "ids": [1, 2]}),
    *[
        (0x0100, edition, {"province": 43, "city": 100, "maker": "YM", "model": "A-1", "terminal_id": "0000001",
                           "plate_color": 1, "plate": "湘A12345"})
        for edition in (2011, 2013, 2019)
    ],
    (0x8100, 2013, {"ack_serial": 1, "result": 0, "auth_code": "k1"}),
    (0x8100, 2013, {"ack_serial": 1, "result": 3}),
    (0x0102, 2013, {"auth_code": "k1"}),
    (0x0102, 2019, {"auth_code": "k1", "imei": "865478070001047", "software_version": "1.0"}),
    (0x8103, 2013, {"count": 2, "params": PARAM}),
    (0x0104, 2019, {"ack_serial": 5, "count": 2, "params": PARAM}),
    (0x8106, 2013, {"ids": [1, 2]}),
    (0x8105, 2013, {"raw_hex": "05"}),
    *[
        (0x0107, edition, {"type": 7, "maker": "YM", "model": "A-1", "terminal_id": "1", "iccid": "89860000000000000001",
                           "hw": "1", "fw": "2", "gnss": 3, "comm": 4})
        for edition in (2013, 2019)
    ],
    (0x0200, 2013, {"location": HERE}),
    (0x0201, 2013, {"ack_serial": 1, "location": HERE}),
    (0x0500, 2013, {"ack_serial": 1, "location": HERE}),
    (0x8202, 2013, {"interval_s": 5, "validity_s": 60}),
    (0x8202, 2013, {"interval_s": 0}),
    (0x8203, 2013, {"ack_serial": 1, "alarm": 1}),
    (0x8300, 2013, {"flag": 8, "text": "前方施工"}),
    (0x8300, 2019, {"flag": 1, "text_type": 1, "text": "前方施工"}),
    (0x8400, 2013, {"flag": 0, "phone": "119"}),
    (0x8500, 2013, {"flag": 1}),
    (0x8500, 2019, {"count": 1, "controls": [{"id": 1, "value": 1}]}),
    (0x8500, 2019, {"count": 1, "controls_hex": "f00101"}),
    (0x0108, 2013, {"type": 0, "result": 1}),
    *[(0x8108, edition, {"type": 0, "maker": "YM", "version": "1.2", "length": 2, "data_hex": "0102"}) for edition in (2013, 2019)],
    (0x8303, 2013, {"action": 0, "items": [{"type": 1, "name": "天气"}]}),
    (0x8401, 2013, {"action": 0, "items": [{"flag": 3, "phone": "119", "name": "消防"}]}),
    (0x0705, 2013, {"count": 1, "time": "0800000123", "items": [{"id": 7, "data_hex": "0102030405060708"}]}),
    (0x0301, 2013, {"event": 1}),
    (0x0302, 2013, {"ack_serial": 1, "answer": 2}),
    (0x8301, 2013, {"action": 2, "events": [{"id": 1, "text": "堵车"}]}),
    (0x8302, 2013, {"flag": 1, "question": "到了吗", "answers": [{"id": 1, "text": "到了"}]}),
    (0x0303, 2013, {"type": 1, "action": 1}),
    (0x8304, 2013, {"type": 1, "text": "晴"}),
    (0x0701, 2013, {"length": 2, "data_hex": "0102"}),
    (0x0702, 2011, {"name": "张三", "id_card": "43", "licence": "4301", "issuer": "潭州"}),
    (0x0702, 2013, DRIVER),
    (0x0702, 2013, {"status": 2, "time": "2026-11-22 08:00:00"}),
    (0x0702, 2019, {**DRIVER, "id_card": "430100199001011234"}),
    (0x0704, 2013, {"count": 2, "type": 1, "items": [HERE, HERE]}),
    (0x0800, 2013, MEDIUM),
    (0x0801, 2013, {**MEDIUM, "location": HERE, "data_hex": "ffd8"}),
    (0x8800, 2013, {"media_id": 9, "retransmit_ids": []}),
    (0x8800, 2013, {"media_id": 9, "retransmit_ids": [2, 3]}),
    (0x8801, 2013, SHOT),
    (0x0805, 2013, {"ack_serial": 1, "result": 0, "ids": [1]}),
    (0x8802, 2013, {**SEEN, **PERIOD}),
    (0x0802, 2013, {"ack_serial": 1, "count": 1, "items": [{"media_id": 1, **SEEN, "location": HERE}]}),
    (0x8803, 2013, {**SEEN, **PERIOD, "delete": 1}),
    (0x8804, 2013, {"command": 1, "duration_s": 5, "save": 0, "sampling": 0}),
    (0x8805, 2013, {"media_id": 1, "delete": 0}),
    *[(number, 2013, {"type": 0x41, "data_hex": "00ff"}) for number in (0x0900, 0x8900)],
    (0x0901, 2013, {"length": 2, "data_hex": "1f8b"}),
    *[(number, 2013, {"exponent": 65537, "modulus_hex": "ab" * 128}) for number in (0x0A00, 0x8A00)],
    (0x0608, 2019, {"type": 1, "count": 0, "items": []}),
    (0x0608, 2019, {"type": 1, "count": 1, "items": [{**CIRCLE, **LATE}]}),
    (0x0608, 2019, {"type": 2, "count": 1, "items": [{**RECTANGLE, **LATE}]}),
    (0x0608, 2019, {"type": 4, "count": 1, "items": [{"id": 1, "attr": 0, "points": [{**TURN, "night_max_speed_kmh": 40}], "name": ""}]}),
    (0x0608, 2019, {"type": 9, "count": 1, "items_hex": "0102"}),
    (0x0700, 2013, {"ack_serial": 1, "command": 0, "data_hex": "55"}),
    *[(number, 2013, {"command": 0, "data_hex": "55"}) for number in (0x8700, 0x8701)],
    (0x8600, 2013, {"action": 1, "items": [CIRCLE, {**{k: CIRCLE[k] for k in list(CIRCLE)[:5]}, "attr": 0}]}),
    (0x8600, 2019, {"action": 1, "items": [{**CIRCLE, **LATE}]}),
    (0x8602, 2013, {"action": 0, "items": [RECTANGLE]}),
    (0x8602, 2019, {"action": 0, "items": [{**RECTANGLE, **LATE}]}),
    (0x8604, 2013, {**{k: v for k, v in RECTANGLE.items() if "l_" not in k and "r_" not in k}, "vertices": [[1, 2], [3, 4], [5, 6]]}),
    (0x8606, 2019, {"id": 1, "attr": 0, "points": [{**TURN, "night_max_speed_kmh": 40}], "name": "环路"}),
    (0x8606, 2013, {"id": 1, "attr": 1, "start_time": "0" * 12, "end_time": "0" * 12, "points": [TURN, TURN]}),
    *[(number, 2013, {"ids": [1, 2]}) for number in (0x8601, 0x8603, 0x8605, 0x8607)],
    (0x8601, 2013, {"ids": []}),
    (0x8608, 2019, {"type": 1, "ids": [7]}),
    (0x6006, 2013, {"raw_hex": "0102"}),
]  # fmt: skip


@pytest.mark.parametrize(("number", "standard", "values"), CASES, ids=[f"{n:04X}-{s}" for n, s, _v in CASES])
def test_a_body_comes_out_as_it_went_in(number: int, standard: int, values: dict[str, Any]) -> None:
    raw = encode_body(number, values, standard)
    assert decode_body(number, raw, standard) == values
    assert encode_body(number, values, standard) == raw
    if len(raw) > 2 and number not in (0x0700, 0x8700, 0x8701, 0x6006, 0x8105):
        for size in range(len(raw)):
            found = decode_body(number, raw[:size], standard)
            assert isinstance(found, dict) or found.reason == "body_too_short"


def test_every_layout_has_a_case() -> None:
    assert set(BODIES) <= {number for number, _standard, _values in CASES}


def test_the_night_speed_of_a_polygon_stands_behind_its_vertices() -> None:
    body = encode_body(0x8604, {"id": 1, "attr": 2, "max_speed_kmh": 60, "overspeed_duration_s": 5, "vertices": [[1, 2]],
                                "night_max_speed_kmh": 40, "name": "A"}, 2019)  # fmt: skip
    assert body.hex() == "000000010002003c05000100000001000000020028000141"


def test_a_registration_is_told_by_its_length() -> None:
    old = encode_body(0x0100, {"province": 1, "city": 2, "maker": "m", "model": "t", "terminal_id": "i", "plate_color": 0,
                               "plate": "LFV3A28K7A3012345"}, 2011)  # fmt: skip
    assert len(old) > 37
    found = decode_body(0x0100, old, 2013)
    assert isinstance(found, dict)
    assert found["plate"] == "LFV3A28K7A3012345"


def test_attributes_of_2019_with_a_maker_of_eleven_bytes() -> None:
    values = dict(next(v for n, s, v in CASES if n == 0x0107 and s == 2019))
    body = encode_body(0x0107, values, 2019)
    longer = body[:7] + bytes(6) + body[7:]
    assert decode_body(0x0107, longer, 2019) == values


def test_text_is_filled_on_either_side() -> None:
    body = bytearray(encode_body(0x0100, dict(CASES[15][2]), 2013))
    assert CASES[15][0] == 0x0100
    body[9:29] = b"\0" * 17 + b"A-1"
    found = decode_body(0x0100, bytes(body), 2013)
    assert isinstance(found, dict)
    assert found["model"] == "A-1"


def test_a_position_has_signs_and_a_calendar() -> None:
    south = location.decode(
        location.encode(Location(0, 4 | 8, 1_000_000, 2_000_000, 0, 0, 0, "2026-02-29 00:00:00"))
    )
    assert (south.latitude, south.longitude, south.time_valid) == (-1.0, -2.0, False)
    negative = location.decode(
        location.encode(Location(0, 4, 2**32 - 1_000_000, 0, 0, 0, 0, "2024-02-29 23:59:59"))
    )
    assert (negative.latitude, negative.time_valid) == (-1.0, True)
    nought = location.decode(bytes(4) + b"\0\0\0\x02" + bytes(20))
    assert (nought.plausible, nought.time_valid, nought.time) == (False, False, "2000-00-00 00:00:00")
    assert location.decode(bytes(28)).plausible
    assert not Location(0, 0, 91_000_000, 0, 0, 0, 0, "").plausible


def test_items_are_taken_by_their_length_and_understood() -> None:
    tail = bytes.fromhex(
        "0104000003e8" "02020064" "0302025a" "04020001" "051e" + "20" * 29 + "ff" "0602800a" "110502000000ff" "11010"
        "0" "1206010000000a01" "13070000000b003c01" "25040000000" "3" "2a020002" "2b0400020001" "30011f" "310109" "1804" "00000001" "00020102"
    )  # fmt: skip
    found = location.decode(BASIC + tail)
    assert location.encode(found) == BASIC + tail
    known = items.meaning(found.extras)
    assert known["mileage_km"] == 100.0
    assert (known["fuel_l"], known["recorder_speed_kmh"], known["event_to_confirm"]) == (10.0, 60.2, 1)
    assert known["tyre_pressure"][-2:] == [32, None]
    assert known["cargo_temperature_c"] == -10
    assert (known["crossed"], known["crossed_area"], known["crossed_out"]) == ("circle", 10, True)
    assert (known["section"], known["section_seconds"], known["section_too_long"]) == (11, 60, True)
    assert known["signals"] == ["low_beam", "high_beam"]
    assert (known["analog_0"], known["analog_1"]) == (1, 2)
    assert (known["signal_strength"], known["satellites"], known["sleep"]) == (31, 9, True)
    assert "abnormal_driving" not in known  # four bytes instead of two


def test_a_broken_end_does_not_cost_the_position() -> None:
    found = location.decode(BASIC + bytes.fromhex("3001090104ff"))
    assert [(number, length, content.hex()) for number, length, content in found.extras] == [
        (0x30, 1, "09"),
        (1, 4, "ff"),
    ]
    assert location.decode(BASIC + b"\x01").tail == b"\x01"
    batch = encode_body(0x0704, {"type": 0, "items": [HERE, HERE]})
    short = decode_body(0x0704, batch[:-1])
    assert isinstance(short, dict)
    assert (short["count"], len(short["items"])) == (2, 1)


def test_words_of_bits() -> None:
    assert signals.alarms(1 | 1 << 16) == ["sos"]
    assert signals.alarms(1 | 1 << 16, 2019) == ["sos", "tyre_pressure"]
    assert signals.states(3 | 1 << 22) == ["acc", "fixed"]
    assert signals.load(0x300) == "full"


def test_parameters_by_name() -> None:
    record = params.write("heartbeat_s", 30)
    assert record == {"id": "0x0001", "value_hex": "0000001e"}
    assert params.read(1, bytes.fromhex(record["value_hex"])) == ("heartbeat_s", 30)
    assert params.read(1, b"\0") is None
    assert params.read(0x83, "湘A".encode("gbk")) == ("plate", "湘A")
    assert params.read(0xFFFF, b"") is None
    with pytest.raises(OverflowError):
        params.write("plate_color", 256)


def test_answers_speak_the_version_of_the_request() -> None:
    for standard in (2013, 2019):
        request = good(message(0x0200, BASIC, standard))
        answer = acknowledge(request, 3)
        assert answer is not None
        found = good(answer)
        assert (found.header.msg_id, found.header.version, found.header.phone) == (
            0x8001,
            request.header.version,
            request.header.phone,
        )
        assert decode_body(0x8001, found.body) == {"ack_serial": 7, "ack_id": "0x0200", "result": 0}
    with pytest.raises(ValueError, match="authentication"):
        acknowledge(good(message(0x0100, bytes(40))), 0)
    refused = acknowledge(good(message(0x0100, bytes(40))), 0, result=3)
    assert refused is not None
    assert decode_body(0x8100, good(refused).body) == {"ack_serial": 7, "result": 3}
    photo = acknowledge(good(message(0x0801, bytes(40))), 0)
    assert photo is not None
    assert good(photo).header.msg_id == 0x8800
    assert acknowledge(good(message(0x0001, bytes(5))), 0) is None
