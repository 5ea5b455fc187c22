"""DL/T 645 and CJ/T 188: worked frames, data items, readings, faults, streams."""

from __future__ import annotations

import pytest

from yuanmai.protocols.cjt188 import frame as cjt
from yuanmai.protocols.cjt188.reading import data_item, reading_of
from yuanmai.protocols.dlt645 import frame as dlt
from yuanmai.protocols.dlt645.items import Kind, address_of, item_of, kind_of, number, pack
from yuanmai.protocols.faults import Fault

METER = "123456789012"
REPLY = bytes.fromhex("6812907856341268910833333433896745335416")


def dlt_good(raw: bytes) -> dlt.Frame:
    found = dlt.decode(raw)
    assert isinstance(found, dlt.Frame), found
    return found


def cjt_good(raw: bytes) -> cjt.Frame:
    found = cjt.decode(raw)
    assert isinstance(found, cjt.Frame), found
    return found


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (dlt.read_address(), "fefefefe68aaaaaaaaaaaa681300df16"),
        (dlt.read(dlt.ANY, "00010000"), "fefefefe68aaaaaaaaaaaa681104333334 33ae16"),
        (dlt.read(METER, "00010000", 0), "681290785634126811043333343368 16"),
        (dlt.read_on(METER, "03300001", 1, 0), "68129078563412681205343363 3634d116"),
    ],
)
def test_requests_byte_for_byte(raw: bytes, text: str) -> None:
    assert raw == bytes.fromhex(text)
    assert not dlt_good(raw).reply


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "too_short"),
        ("fefe", "too_short"),
        ("16907856341268910833333433896745335416", "start_mark"),
        ("6812", "too_short"),
        ("6812907856341269910833333433896745335416", "start_mark"),
        ("68129078563412 6891ff3333", "length_too_long"),
        ("681290785634126891083333", "truncated"),
        ("6812907856341268910833333433896745335516", "checksum"),
        ("6812907856341268910833333433896745335417", "end_mark"),
    ],
)
def test_faults_of_dlt645(raw: str, why: str) -> None:
    found = dlt.decode(bytes.fromhex(raw))
    assert isinstance(found, Fault)
    assert found.reason == why


def test_a_refusal_says_why() -> None:
    found = dlt_good(bytes.fromhex("68129078563412 68d101358d16"))
    assert (found.abnormal, found.errors) == (True, ["no_such_data"])
    assert item_of(found) is None


def test_the_address_in_the_data() -> None:
    found = dlt_good(bytes.fromhex("fefefefefefefe681290785634126893 0645c3ab8967450716"))
    assert (found.preamble, address_of(found)) == (7, METER)


@pytest.mark.parametrize(
    ("di", "content", "name", "unit", "values"),
    [
        ("00010000", "26000000", "forward active energy total", "kWh", (0.26,)),
        ("00020100", "00000010", "reverse active energy tariff 1", "kWh", (100000.0,)),
        ("00000000", "26000080", "combined active energy total", "kWh", (-0.26,)),
        ("00010001", "26000000", "forward active energy total of settlement day 1 back", "kWh", (0.26,)),
        ("00150000", "26000000", "forward active energy A", "kWh", (0.26,)),
        ("0001FF00", "0100000002000000", "forward active energy", "kWh", (0.01, 0.02)),
        ("02010100", "0110", "voltage A", "V", (100.1,)),
        ("0201FF00", "002300240025", "voltage", "V", (230.0, 240.0, 250.0)),
        ("02020100", "994900", "current A", "A", (4.999,)),
        ("02020200", "994980", "current B", "A", (-4.999,)),
        ("02030000", "122500", "active power total", "kW", (0.2512,)),
        ("02040000", "314300", "reactive power total", "kvar", (0.4331,)),
        ("02050000", "065000", "apparent power total", "kVA", (0.5006,)),
        ("02060000", "0105", "power factor total", "", (0.501,)),
        ("02800002", "0050", "frequency", "Hz", (50.0,)),
        ("02010100", "AF10", "voltage A", "V", (None,)),
    ],
)
def test_data_items(di: str, content: str, name: str, unit: str, values: tuple[float | None, ...]) -> None:
    raw = dlt.encode(METER, 0x91, bytes.fromhex(di)[::-1] + bytes.fromhex(content))
    found = item_of(dlt_good(raw))
    assert found is not None
    assert found.kind is not None
    assert (found.di, found.kind.name, found.kind.unit, found.values) == (di, name, unit, values)
    if None not in values:
        assert b"".join(pack(value, found.kind) for value in values if value is not None) == bytes.fromhex(
            content
        )


def test_items_that_are_unknown_or_of_another_length_stay_unread() -> None:
    assert kind_of("99999999") is None
    assert kind_of("0001FF0D") is None
    found = item_of(dlt_good(dlt.encode(METER, 0x91, bytes.fromhex("00000100") + b"\x01")))
    assert found is not None
    assert found.values == ()
    assert number(b"\xff", 0, signed=False) is None
    with pytest.raises(ValueError, match="fit"):
        pack(1e9, Kind("x", "", 2, 1, signed=False))
    with pytest.raises(ValueError, match="fit"):
        pack(-1, Kind("x", "", 2, 1, signed=False))


def test_every_byte_of_data_survives() -> None:
    data = bytes(range(200))
    assert dlt_good(dlt.encode(METER, 0x14, data)).data == data
    assert (
        dlt_good(dlt.write(METER, "04000101", b"\1", b"\2" * 4, b"\3" * 4)).data.hex() == "01010004"
        "02020202"
        "03030303"
        "01"
    )
    for wrong in (
        lambda: dlt.encode(METER, 0x11, bytes(201)),
        lambda: dlt.encode("12", 0x11),
        lambda: dlt.write(METER, "04000101", b"", b"", b""),
    ):
        with pytest.raises(ValueError, match=r"data|address|operator"):
            wrong()


WATER = bytes.fromhex("68104433221100337881161f9000007766552c007766552c3101221105152021841316")


def dlt_stream(chunks: list[bytes]) -> list[bytes]:
    decoder = dlt.Decoder()
    return [entry.raw for chunk in chunks for entry in decoder.feed(chunk) if isinstance(entry, dlt.Frame)]


def cjt_stream(chunks: list[bytes]) -> list[bytes]:
    decoder = cjt.Decoder()
    return [entry.raw for chunk in chunks for entry in decoder.feed(chunk) if isinstance(entry, cjt.Frame)]


def test_streams_may_be_cut_anywhere() -> None:
    echo = dlt.read(METER, "00010000")
    broken = REPLY[:-2] + b"\x00\x16"
    stream = b"\x00\x68" + echo + b"\xfe\xfe" + REPLY + b"\x16\x68\x68" + broken + REPLY + REPLY[:5]
    assert dlt_stream([stream]) == [echo[4:], REPLY, REPLY]
    for cut in range(len(stream)):
        assert dlt_stream([stream[:cut], stream[cut:]]) == [echo[4:], REPLY, REPLY]
    stream = b"\xfe\xfe" + WATER + b"\x2c\x68\x00" + WATER[:-2] + b"\x08\x16" + WATER + WATER[:9]
    for cut in range(len(stream)):
        assert cjt_stream([stream[:cut], stream[cut:]]) == [WATER, WATER]


def test_a_frame_that_never_ends_hides_nothing() -> None:
    decoder = dlt.Decoder()
    assert decoder.feed(REPLY[:9] + b"\xc8" + REPLY) == []
    assert [entry.raw for entry in decoder.flush() if isinstance(entry, dlt.Frame)] == [REPLY]
    assert decoder.pending == b""


def test_a_water_meter_is_read() -> None:
    found = cjt_good(WATER + b"\x55")
    reading = reading_of(found)
    assert reading is not None
    assert (found.address, found.trailing, data_item(found)) == ("78330011223344", 1, ("1f90", "901f", 0))
    assert (reading.quantities["total"].value, reading.quantities["total"].unit) == (556677.0, "m3")
    assert (reading.time, reading.valve, reading.battery_low) == ("2015-05-11 22:01:31", "closed", False)


def test_what_a_meter_does_not_have_is_nothing() -> None:
    data = bytes.fromhex("901f01ffffffff290100000005" + "00" * 7 + "0600")
    reading = reading_of(cjt_good(cjt.encode(0x10, "00000000000001", 0x81, data)))
    assert reading is not None
    assert reading.quantities["total"].value is None
    assert (reading.quantities["settlement"].value, reading.quantities["settlement"].unit) == (0.01, "kWh")
    assert (reading.time, reading.time_raw, reading.valve, reading.battery_low) == (
        "",
        "0" * 14,
        "reserved",
        True,
    )
    assert reading_of(cjt_good(cjt.encode(0x10, "00000000000001", 0xC1, b"\1\2\3"))) is None


def test_a_heat_meter_tells_more() -> None:
    data = bytes.fromhex("1f9000" "0100000005" "0200000005" "0300000017" "0400000035" "050000002c" "555500" "454500" "112233"
                         "20301410052620" "0000")  # fmt: skip
    reading = reading_of(cjt_good(cjt.encode(0x20, "00000000000001", 0x81, data)))
    assert reading is not None
    assert {name: entry.value for name, entry in reading.quantities.items()} == {
        "settlement": 0.01, "total": 0.02, "power": 0.03, "flow": 0.04, "volume": 0.05}  # fmt: skip
    assert reading.extra == {"supply_c": 55.55, "return_c": 45.45, "working_hours": 332211.0}
    assert reading.time == "2026-05-10 14:30:20"


def test_requests_of_cjt188() -> None:
    assert cjt.read(0x10, "78330011223344") == bytes.fromhex("fefefefe68104433221100337801031f90008016")
    valve = cjt_good(cjt.set_valve(0x10, "00000000000001", 3, opened=False, low_first=False))
    assert valve.data.hex() == "a0170399"
    assert data_item(valve) == ("a017", "a017", 3)
    assert data_item(cjt_good(cjt.read_address())) == ("0a81", "810a", 0)
    with pytest.raises(ValueError, match="fourteen"):
        cjt.encode(0x10, "12", 1)
    with pytest.raises(ValueError, match="200"):
        cjt.encode(0x10, "00000000000001", 1, bytes(201))


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("", "too_short"),
        ("fe", "too_short"),
        ("10443322110033780103901f008016", "start_mark"),
        ("6810443322110033780103", "too_short"),
        ("68104433221100337801ff901f", "length_too_long"),
        ("68104433221100337801031f9000", "truncated"),
        ("68104433221100337801031f90008116", "checksum"),
        ("68104433221100337801031f90008017", "end_mark"),
    ],
)
def test_faults_of_cjt188(raw: str, why: str) -> None:
    found = cjt.decode(bytes.fromhex(raw))
    assert isinstance(found, Fault)
    assert found.reason == why
