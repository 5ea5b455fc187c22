"""What records of every kind become."""

from __future__ import annotations

import json
import math
import struct

import pyarrow as pa
import pytest

from tests.gateway.ingest.kit import NOW, Bench, device, mqtt, point
from yuanmai.devices.engine.quality import AHEAD, CLOCK, FLAGGED, LATE, NOT_A_NUMBER, RANGE
from yuanmai.devices.store.records import Kind, Record
from yuanmai.protocols.cjt188 import frame as cjt188
from yuanmai.protocols.dlt645 import frame as dlt645
from yuanmai.protocols.hj212.frame import encode as hj212
from yuanmai.protocols.jt808 import frame as jt808
from yuanmai.protocols.jt808.bodies import encode_body
from yuanmai.protocols.jt808.location import Location
from yuanmai.protocols.jt808.location import encode as pack_location
from yuanmai.protocols.sparkplug.payload import Metric, Payload
from yuanmai.protocols.sparkplug.payload import encode as pack_payload
from yuanmai.protocols.sparkplug.values import DataType

MN = "010000A8900016F000169DC0"
# 2023-11-15 06:13:20 in Beijing.
BEIJING_NOW = "20231115061320"


def upload(
    factors: dict[str, dict[str, str]], command: str = "2011", time: str = BEIJING_NOW, **more: str
) -> bytes:
    fields = {"QN": f"{time}000", "ST": "32", "CN": command, "PW": "123456", "MN": MN, "Flag": "4", **more}
    return hj212(fields, {"DataTime": time}, factors)


class TestHj212:
    def bench(self, *addresses: str, **profile: object) -> Bench:
        points = [point(number, address) for number, address in enumerate(addresses, 1)]
        return Bench(device(7, "hj212", MN, points, profile))

    def test_real_time_values_in_beijing_time(self) -> None:
        bench = self.bench("w01018-Rtd", "w00000-Rtd")
        bench.take(Kind.HJ212, MN, upload({"w01018": {"Rtd": "21.5", "Flag": "N"}, "w00000": {"Rtd": "0.3"}}))
        assert bench.rows() == [(1, NOW, 21.5, 0), (2, NOW, 0.3, 0)]
        assert bench.odd() == {}

    @pytest.mark.parametrize("flag", ["F", "M", "S", "D", "C", "T", "B"])
    def test_what_the_station_doubts_is_marked(self, flag: str) -> None:
        bench = self.bench("w01018-Rtd", "w01018-ZsRtd")
        bench.take(Kind.HJ212, MN, upload({"w01018": {"Rtd": "21.5", "ZsRtd": "3", "Flag": flag}}))
        assert [row[3] for row in bench.rows()] == [FLAGGED, FLAGGED]

    @pytest.mark.parametrize("command", ["2031", "2041", "2051", "2061"])
    def test_means_of_periods_have_addresses_of_their_own(self, command: str) -> None:
        bench = self.bench("w01018-Avg", f"w01018-Avg@{command}")
        bench.take(Kind.HJ212, MN, upload({"w01018": {"Avg": "21.5", "Flag": "N"}}, command))
        assert bench.rows() == [(2, NOW, 21.5, 0)]

    def test_states_of_equipment(self) -> None:
        bench = self.bench("SB1-RS", "Nh3-scr-Rtd")
        bench.take(Kind.HJ212, MN, upload({"SB1": {"RS": "1"}}, "2021"))
        bench.take(Kind.HJ212, MN, upload({"Nh3-scr": {"Rtd": "4"}}))
        assert bench.values() == {1: 1.0, 2: 4.0}

    def test_names_in_whatever_case(self) -> None:
        bench = self.bench("w01018-Rtd")
        bench.take(Kind.HJ212, MN, upload({"W01018": {"rtd": "21.5", "FLAG": "D"}}))
        assert bench.rows() == [(1, NOW, 21.5, FLAGGED)]

    def test_a_package_without_time_takes_that_of_its_record(self) -> None:
        bench = self.bench("a-Rtd", "b-Rtd")
        head = {"QN": "20231115061321000", "ST": "32", "CN": "2011", "PW": "123456", "MN": MN, "Flag": "6"}
        first = hj212({**head, "PNUM": "2", "PNO": "1"}, {"DataTime": BEIJING_NOW}, {"a": {"Rtd": "1"}})
        second = hj212({**head, "QN": "20231115061399000", "PNUM": "2", "PNO": "2"}, {}, {"b": {"Rtd": "2"}})
        bench.take(Kind.HJ212, MN, first)
        bench.take(Kind.HJ212, MN, second)
        assert bench.rows() == [(1, NOW, 1.0, 0), (2, NOW, 2.0, 0)]

    def test_a_missing_package_is_counted(self) -> None:
        bench = self.bench("a-Rtd")
        for time in ("20231115061320", "20231115061420"):
            bench.take(Kind.HJ212, MN, upload({"a": {"Rtd": "1"}}, time=time, Flag="6", PNUM="2", PNO="1"))
        assert bench.odd() == {"package_missing": 1}
        assert "1 of 2" in bench.sample("package_missing")

    def test_factors_that_come_twice_are_counted(self) -> None:
        bench = self.bench("a-Rtd")
        frame = upload({"a": {"Rtd": "1"}}).replace(b"a-Rtd=1&&", b"a-Rtd=1,a-Rtd=2&&")
        frame = b"##%04d" % (int(frame[2:6]) + 8) + frame[6:]
        bench.take(Kind.HJ212, MN, frame)
        assert bench.values() == {1: 2.0}
        assert bench.odd() == {"duplicate_factor": 1}

    def test_unmapped_factors_are_counted_with_what_they_said(self) -> None:
        bench = self.bench("a-Rtd")
        bench.take(Kind.HJ212, MN, upload({"a": {"Rtd": "1"}, "b": {"Rtd": "2", "Avg": "3"}}))
        assert bench.odd() == {"unmapped": 2}
        assert "b-Rtd=2.0" in bench.sample("unmapped") and "b-Avg=3.0" in bench.sample("unmapped")

    def test_what_the_profile_ignores_is_not_odd(self) -> None:
        bench = self.bench("a-Rtd", ignore=["b-*"])
        bench.take(Kind.HJ212, MN, upload({"a": {"Rtd": "1"}, "b": {"Rtd": "2", "Avg": "3"}}))
        assert bench.odd() == {}

    def test_answers_and_heartbeats_say_nothing_but_that_it_lives(self) -> None:
        bench = self.bench("a-Rtd")
        fields = {"QN": "20231115061320000", "ST": "91", "CN": "9011", "PW": "1", "MN": MN, "Flag": "4"}
        bench.take(Kind.HJ212, MN, hj212(fields, {"QnRtn": "1"}))
        assert bench.rows() == [] and bench.odd() == {}
        bench.decoder.presence.settle()
        assert bench.decoder.presence.online.tolist() == [True]
        assert bench.decoder.presence.frames.tolist() == [1]

    def test_text_that_is_no_number(self) -> None:
        bench = self.bench("a-Rtd")
        bench.take(Kind.HJ212, MN, upload({"a": {"Rtd": "abc"}}))
        (row,) = bench.rows()
        assert math.isnan(row[2]) and row[3] == NOT_A_NUMBER

    def test_nonsense_is_counted(self) -> None:
        bench = self.bench("a-Rtd")
        bench.take(Kind.HJ212, MN, b"##0005hello0000\r\n")
        bench.take(Kind.HJ212, MN, b"\xff" * 40)
        assert bench.rows() == []
        assert sum(bench.odd().values()) == 2


PHONE = "13800000001"


def location(**fields: object) -> Location:
    values: dict[str, object] = {
        "alarm": 0, "status": 3, "lat_raw": 30_500_000, "lng_raw": 114_300_000, "altitude": 20, "speed": 605,
        "direction": 90, "time": "2023-11-15 06:13:20", **fields,
    }  # fmt: skip
    return Location(**values)  # type: ignore[arg-type]


def terminal(msg_id: int, body: bytes, standard: int = 2013, serial: int = 1) -> bytes:
    return jt808.encode(jt808.make_header(msg_id, PHONE, serial, standard), body)


class TestJt808:
    def bench(self, *addresses: str) -> Bench:
        points = [point(number, address) for number, address in enumerate(addresses, 1)]
        return Bench(device(7, "jt808", PHONE, points, mobile=True))

    def test_a_position(self) -> None:
        bench = self.bench("lat", "lng", "speed", "direction", "altitude", "acc", "mileage", "fuel")
        body = pack_location(
            location(extras=[(1, 4, (12345).to_bytes(4, "big")), (2, 2, (456).to_bytes(2, "big"))])
        )
        bench.take(Kind.JT808, PHONE, terminal(0x0200, body))
        assert bench.values() == {1: 30.5, 2: 114.3, 3: 60.5, 4: 90.0, 5: 20.0, 6: 1.0, 7: 1234.5, 8: 45.6}
        presence = bench.decoder.presence
        assert (presence.latitude[0], presence.longitude[0], presence.speed[0]) == (30.5, 114.3, 60.5)
        assert presence.positioned[0] == NOW

    @pytest.mark.parametrize(("status", "raw"), [(3 | 4, 30_500_000), (3, 0x100000000 - 30_500_000)])
    def test_south_by_bit_and_by_complement(self, status: int, raw: int) -> None:
        bench = self.bench("lat")
        bench.take(Kind.JT808, PHONE, terminal(0x0200, pack_location(location(status=status, lat_raw=raw))))
        assert bench.values() == {1: -30.5}

    @pytest.mark.parametrize("fields", [{"status": 1}, {"lat_raw": 0, "lng_raw": 0}, {"lat_raw": 95_000_000}])
    def test_no_fix_is_marked_and_moves_nothing(self, fields: dict[str, int]) -> None:
        bench = self.bench("lat", "lng", "speed", "acc")
        bench.take(Kind.JT808, PHONE, terminal(0x0200, pack_location(location(**fields))))
        assert [row[3] for row in bench.rows()] == [FLAGGED, FLAGGED, FLAGGED, 0]
        assert math.isnan(bench.decoder.presence.latitude[0])

    def test_single_bits(self) -> None:
        bench = self.bench("alarm", "alarm.sos", "alarm.overspeed", "status.moving", "load")
        body = pack_location(location(alarm=1, status=3 | 1 << 22 | 3 << 8))
        bench.take(Kind.JT808, PHONE, terminal(0x0200, body))
        assert bench.values() == {1: 1.0, 2: 1.0, 3: 0.0, 4: 1.0, 5: 3.0}

    def test_a_batch_has_the_times_of_its_positions(self) -> None:
        bench = self.bench("speed")
        times = ["2023-11-15 06:13:20", "2023-11-15 06:12:20", "2023-11-15 06:11:20"]
        values = {"type": 1, "items": [location(time=time, speed=n * 10) for n, time in enumerate(times)]}
        bench.take(Kind.JT808, PHONE, terminal(0x0704, encode_body(0x0704, values)))
        assert [(row[1], row[2]) for row in bench.rows()] == [
            (NOW - n * 60_000_000, float(n)) for n in range(3)
        ]
        assert bench.decoder.presence.positioned[0] == NOW

    def test_a_batch_in_packages(self) -> None:
        bench = self.bench("speed")
        times = [f"2023-11-15 06:{minute:02d}:20" for minute in range(13)] * 4
        body = encode_body(0x0704, {"type": 0, "items": [location(time=time) for time in times]})
        frames = jt808.split(jt808.make_header(0x0704, PHONE, 5), body)
        assert len(frames) > 1
        for frame in [frames[1], frames[0], *frames[2:]]:
            bench.take(Kind.JT808, PHONE, frame)
        assert len(bench.rows()) == len(times)

    def test_an_answer_with_a_position(self) -> None:
        bench = self.bench("speed")
        bench.take(Kind.JT808, PHONE, terminal(0x0201, b"\0\1" + pack_location(location())))
        assert bench.values() == {1: 60.5}

    def test_drivers_and_media_are_counted(self) -> None:
        bench = self.bench("driver")
        body = encode_body(0x0702, {"status": 1, "time": "2023-11-15 06:13:20", "ic_result": 0, "name": "王",
                                    "licence": "1", "issuer": "x", "valid_to": "20300101"})  # fmt: skip
        bench.take(Kind.JT808, PHONE, terminal(0x0702, body))
        media = {
            "media_id": 9,
            "media_type": 0,
            "format": 0,
            "event": 1,
            "channel": 2,
            "location": location(),
            "data_hex": "00" * 3000,
        }
        for frame in jt808.split(jt808.make_header(0x0801, PHONE, 7), encode_body(0x0801, media)):
            bench.take(Kind.JT808, PHONE, frame)
        assert bench.rows() == [(1, NOW, 1.0, 0)]
        assert bench.odd() == {"event_driver": 1, "event_media": 1}
        assert "王" not in bench.sample("event_driver") and "media_id 9" in bench.sample("event_media")

    def test_private_items(self) -> None:
        bench = self.bench("item.e3")
        body = pack_location(location(extras=[(0xE3, 2, b"\1\0"), (0xE4, 1, b"\7")]))
        bench.take(Kind.JT808, PHONE, terminal(0x0200, body))
        assert bench.values() == {1: 256.0}
        assert bench.odd() == {"unmapped": 1} and "item.e4=7" in bench.sample("unmapped")

    def test_a_time_that_is_none_gives_way_to_arrival(self) -> None:
        bench = self.bench("speed")
        body = bytearray(pack_location(location()))
        body[22:28] = bytes(6)
        bench.take(Kind.JT808, PHONE, terminal(0x0200, bytes(body)))
        assert bench.rows() == [(1, NOW, 60.5, 0)]
        assert bench.odd() == {"clock_unreadable": 1}

    def test_bad_frames_are_counted(self) -> None:
        bench = self.bench("speed")
        good = terminal(0x0200, pack_location(location()))
        bench.take(Kind.JT808, PHONE, good[:-2] + bytes((good[-2] ^ 1,)) + good[-1:])
        bench.take(Kind.JT808, PHONE, terminal(0x0200, b"short"))
        assert bench.rows() == []
        assert bench.odd() == {"bad_checksum": 1, "body_too_short": 1}


class TestJson:
    def bench(self, *addresses: str, **profile: object) -> Bench:
        points = [point(number, address) for number, address in enumerate(addresses, 1)]
        return Bench(device(7, "mqtt", "lamp-1", points, profile))

    def test_by_topic_and_by_client(self) -> None:
        bench = self.bench("temp", "power.kw")
        bench.take(Kind.MQTT, "", mqtt("devices/lamp-1/telemetry", '{"temp": 21.5, "power": {"kw": 3}}'))
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", '{"temp": 22, "ts": 1699999990}'))
        assert bench.rows() == [(1, NOW, 21.5, 0), (2, NOW, 3.0, 0), (1, NOW - 10_000_000, 22.0, 0)]

    @pytest.mark.parametrize(
        "value", ["NaN", "Infinity", "-Infinity", '"abc"', "null", "[]", "1" + "0" * 400]
    )
    def test_what_is_no_number(self, value: str) -> None:
        bench = self.bench("a", "b")
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", f'{{"a": {value}, "b": 1}}'))
        rows = {row[0]: row for row in bench.rows()}
        assert rows[2] == (2, NOW, 1.0, 0)
        assert 1 not in rows or (math.isnan(rows[1][2]) and rows[1][3] == NOT_A_NUMBER)

    def test_texts_and_truth(self) -> None:
        states = {"0": "关|Off", "1": "开|On"}
        points = [point(1, "lamp", states=states, kind="state"), point(2, "door"), point(3, "n")]
        bench = Bench(device(7, "mqtt", "lamp-1", points))
        for lamp in ("开", "on", "1", 1, True):
            body = json.dumps({"lamp": lamp, "door": True, "n": "12.5"})
            bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", body))
            assert bench.values() == {1: 1.0, 2: 1.0, 3: 12.5}

    def test_huge_and_out_of_range(self) -> None:
        bench = Bench(device(7, "mqtt", "lamp-1", [point(1, "a"), point(2, "b", low=0.0, high=10.0)]))
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", '{"a": 1e308, "b": 11}'))
        assert [row[3] for row in bench.rows()] == [RANGE, RANGE]

    def test_scale_comes_before_range(self) -> None:
        spec = point(1, "a", scale=0.1, offset=-40.0, low=-40.0, high=85.0)
        bench = Bench(device(7, "mqtt", "lamp-1", [spec]))
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", '{"a": 650}'))
        assert bench.rows() == [(1, NOW, 25.0, 0)]

    @pytest.mark.parametrize(
        ("seconds", "bits"),
        [(0, CLOCK), (4_291_747_200, CLOCK), (1_700_000_000 + 86_300, AHEAD), (1_700_000_000 + 100, 0),
         (1_700_000_000 + 86_500, CLOCK), (1_700_000_000 - 86_500, LATE), (1_700_000_000 - 86_300, 0)],
    )  # fmt: skip
    def test_clocks(self, seconds: int, bits: int) -> None:
        bench = self.bench("a")
        body = (
            json.dumps({"a": 1, "ts": seconds * 1000})
            if seconds
            else '{"a": 1, "ts": "1970-01-01T00:00:00Z"}'
        )
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", body))
        assert bench.rows() == [(1, seconds * 1_000_000, 1.0, bits)]

    def test_no_json_and_unmapped(self) -> None:
        bench = self.bench("a")
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", "{"))
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", '{"a": 1, "rssi": -70}'))
        assert bench.odd() == {"json": 1, "unmapped": 1}
        assert bench.sample("unmapped") == "rssi=-70"

    def test_two_points_of_one_address(self) -> None:
        bench = Bench(
            device(7, "mqtt", "lamp-1", [point(1, "a"), point(2, "a", code="kelvin", offset=273.15)])
        )
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", '{"a": 1}'))
        assert bench.values() == {1: 1.0, 2: 274.15}


def birth(topic: str, metrics: list[Metric], seq: int, timestamp: int = NOW // 1000) -> bytes:
    return mqtt(topic, pack_payload(Payload(timestamp, seq, metrics=metrics)))


class TestSparkplug:
    def bench(self) -> Bench:
        points = [point(1, "Inputs/Temp"), point(2, "Count"), point(3, "Run")]
        return Bench(
            device(7, "sparkplug", "park/n1/m1", points),
            device(8, "sparkplug", "park/n1", [point(4, "Load")]),
        )

    def born(self) -> Bench:
        bench = self.bench()
        node = [Metric("bdSeq", None, None, DataType.Int64, 0), Metric("Load", 1, None, DataType.Double, 0.5)]
        bench.take(Kind.SPARKPLUG, "park/n1", birth("spBv1.0/park/NBIRTH/n1", node, 0))
        metrics = [
            Metric("Inputs/Temp", 10, None, DataType.Float, 21.5), Metric("Count", 11, None, DataType.Int16, -5),
            Metric("Run", 12, None, DataType.Boolean, True),
        ]  # fmt: skip
        bench.take(Kind.SPARKPLUG, "park/n1/m1", birth("spBv1.0/park/DBIRTH/n1/m1", metrics, 1))
        return bench

    def test_births_carry_values(self) -> None:
        assert self.born().values() == {4: 0.5, 1: 21.5, 2: -5.0, 3: 1.0}

    def test_data_by_alias_with_its_own_time(self) -> None:
        bench = self.born()
        bench.rows()
        payload = pack_payload(Payload(NOW // 1000, 2, metrics=[
            Metric(None, 10, NOW // 1000 - 5000, DataType.Float, 22.0), Metric(None, 11, None, DataType.Int16, 7)]))  # fmt: skip
        bench.take(Kind.SPARKPLUG, "park/n1/m1", mqtt("spBv1.0/park/DDATA/n1/m1", payload))
        assert bench.rows() == [(1, NOW - 5_000_000, 22.0, 0), (2, NOW, 7.0, 0)]

    def test_bad_quality_and_null(self) -> None:
        bench = self.born()
        bench.rows()
        doubtful = Metric(
            "Inputs/Temp", None, None, DataType.Float, 1.0, properties={"Quality": (DataType.Int32, 0)}
        )
        empty = Metric("Count", None, None, DataType.Int16, None, null=True)
        bench.take(Kind.SPARKPLUG, "park/n1/m1", birth("spBv1.0/park/DDATA/n1/m1", [doubtful, empty], 2))
        assert [(row[0], row[3]) for row in bench.rows()] == [(1, FLAGGED), (2, NOT_A_NUMBER)]

    def test_a_gap_and_an_unknown_alias_are_counted(self) -> None:
        bench = self.born()
        metric = Metric(None, 99, None, DataType.Float, 1.0)
        bench.take(Kind.SPARKPLUG, "park/n1/m1", birth("spBv1.0/park/DDATA/n1/m1", [metric], 9))
        assert bench.odd() == {"rebirth": 1, "unknown_alias": 1}

    def test_the_death_of_a_node_takes_its_devices_along(self) -> None:
        bench = self.born()
        presence = bench.decoder.presence
        presence.settle()
        assert presence.online.tolist() == [True, True]
        body = [Metric("bdSeq", None, None, DataType.Int64, 0)]
        bench.take(
            Kind.SPARKPLUG,
            "park/n1",
            mqtt("spBv1.0/park/NDEATH/n1", pack_payload(Payload(NOW // 1000, metrics=body))),
        )
        assert presence.online.tolist() == [False, False]

    def test_the_will_of_an_older_connection_says_nothing(self) -> None:
        bench = self.born()
        body = [Metric("bdSeq", None, None, DataType.Int64, 99)]
        bench.take(
            Kind.SPARKPLUG,
            "park/n1",
            mqtt("spBv1.0/park/NDEATH/n1", pack_payload(Payload(NOW // 1000, metrics=body))),
        )
        bench.decoder.presence.settle()
        assert bench.decoder.presence.online.tolist() == [True, True]


class TestMeters:
    def test_modbus(self) -> None:
        key = "10.0.0.8:502/1"
        bench = Bench(
            device(7, "modbus", key, [point(1, "holding:100:float32"), point(2, "coil:3", scale=1.0)])
        )
        bench.take(Kind.MODBUS, key, b'{"holding:100:float32": 230.5, "coil:3": true, "input:1": 4}')
        bench.take(Kind.MODBUS, key, b"[1]")
        assert bench.values() == {1: 230.5, 2: 1.0}
        assert bench.odd() == {"unmapped": 1, "form": 1}

    def test_electricity_meters(self) -> None:
        key = "10.0.0.9:4001/000000012345"
        points = [point(1, "00010000"), *(point(n + 2, f"02010{n + 1}00") for n in range(3))]
        bench = Bench(device(7, "dlt645", key, points))
        energy = dlt645.encode(
            "000000012345", 0x91, bytes.fromhex("00010000")[::-1] + bytes.fromhex("78563412")
        )
        volts = dlt645.encode(
            "000000012345", 0x91, bytes.fromhex("0201FF00")[::-1] + bytes.fromhex("002310230223")
        )
        refused = dlt645.encode("000000012345", 0xD1, b"\x02")
        for frame in (energy, volts, refused, b"\x68" + b"x" * 20):
            bench.take(Kind.DLT645, key, frame)
        assert bench.values() == {1: 123456.78, 2: 230.0, 3: 231.0, 4: 230.2}
        assert bench.odd() == {"refused": 1, "start_mark": 1}

    def test_water_meters(self) -> None:
        key = "10.0.0.9:4002/00001234567890"
        points = [point(1, "total"), point(2, "settlement"), point(3, "valve"), point(4, "battery_low")]
        bench = Bench(device(7, "cjt188", key, points))
        content = bytes.fromhex("78563412") + b"\x2c" + b"\xff\xff\xff\xff\x2c" + bytes(7) + b"\x05\x00"
        frame = cjt188.encode(0x10, "00001234567890", 0x81, bytes.fromhex("1f9001") + content)
        bench.take(Kind.CJT188, key, frame)
        assert bench.values() == {1: 123456.78, 3: 1.0, 4: 1.0}


class TestOthers:
    def test_readings_as_columns(self) -> None:
        bench = Bench(device(7, "http", "w", [point(1, "a", scale=10.0, high=50.0), point(2, "b")]))
        table = pa.table(
            {
                "point": pa.array([1, 2, 99], pa.int32()),
                "time": pa.array([NOW, NOW, NOW], pa.timestamp("us", "UTC")),
                "value": pa.array([60.0, None, 3.0], pa.float64()),
                "quality": pa.array([0, 128, 0], pa.int16()),
            }
        )
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        bench.take(Kind.READINGS, "web", sink.getvalue().to_pybytes())
        rows = bench.rows()
        # In the unit of the point already; what is in no register any more is kept.
        assert rows[0] == (1, NOW, 60.0, RANGE) and rows[2] == (99, NOW, 3.0, 0)
        assert math.isnan(rows[1][2]) and rows[1][3] == 128 | NOT_A_NUMBER

    def test_connections(self) -> None:
        bench = Bench(device(7, "mqtt", "lamp-1", []))
        presence = bench.decoder.presence
        told = {"address": "10.0.0.1:5", "gateway": "g"}
        bench.take(Kind.CONNECTED, "mqtt:lamp-1", json.dumps(told).encode())
        assert presence.online[0] and presence.address[0] == "10.0.0.1:5"
        other = json.dumps({**told, "address": "10.0.0.1:4", "reason": "replaced"}).encode()
        bench.take(Kind.DISCONNECTED, "mqtt:lamp-1", other, NOW + 1)
        assert presence.online[0], "the end of a connection that was replaced"
        bench.take(
            Kind.DISCONNECTED, "mqtt:lamp-1", json.dumps({**told, "reason": "closed"}).encode(), NOW + 2
        )
        assert not presence.online[0] and presence.changed[0] == NOW + 2

    def test_silence(self) -> None:
        bench = Bench(device(7, "mqtt", "lamp-1", [], silence_after=60))
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", "{}"))
        presence = bench.decoder.presence
        assert presence.silences(NOW + 60_000_000) == 0 and presence.online[0]
        assert presence.silences(NOW + 61_000_000) == 1 and not presence.online[0]
        assert presence.changed[0] == NOW + 60_000_000
        bench.take(Kind.MQTT, "lamp-1", mqtt("v1/devices/me/telemetry", "{}"), NOW + 70_000_000)
        presence.settle()
        assert presence.online[0] and presence.changed[0] == NOW + 70_000_000

    def test_oddities_that_the_gateway_saw(self) -> None:
        bench = Bench(device(7, "hj212", MN, []))
        told = json.dumps({"kind": "crc_mismatch", "sample": "##\0", "count": 12}).encode()
        bench.take(Kind.ODD, f"hj212:{MN}", told)
        bench.take(Kind.ODD, f"hj212:{MN}", told)
        assert bench.odd() == {"crc_mismatch": 24}

    @pytest.mark.parametrize("kind", [*Kind, 99])
    @pytest.mark.parametrize(
        "payload", [b"", b"\0", b"\xff" * 50, b"{}", b"[]", b"null", struct.pack(">H", 9) + b"a"]
    )
    def test_nothing_raises(self, kind: int, payload: bytes) -> None:
        protocols = ("hj212", "jt808", "mqtt", "sparkplug", "modbus", "dlt645", "cjt188")
        bench = Bench(*(device(n, protocol, "k", [point(n, "a")]) for n, protocol in enumerate(protocols, 1)))
        for key in ("k", "", "mqtt:k", "x" * 300):
            bench.decoder.take("s", Record(1, NOW, kind, key, payload))
        bench.columns()


class TestUnknown:
    def test_who_is_in_no_register_is_listed_with_what_it_says(self) -> None:
        bench = Bench()
        for number in range(3):
            bench.take(Kind.HJ212, MN, upload({"w01018": {"Rtd": str(number)}}), NOW + number)
        bench.take(Kind.JT808, PHONE, terminal(0x0200, pack_location(location())))
        bench.take(Kind.MQTT, "c", mqtt("devices/lamp-9/telemetry", '{"temp": 1}'))
        strangers = bench.decoder.tally.strangers
        assert {key: one.frames for key, one in strangers.items()} == {
            ("hj212", MN): 3, ("jt808", PHONE): 1, ("mqtt", "lamp-9"): 1,
        }  # fmt: skip
        first = strangers["hj212", MN]
        assert (first.stream, first.first_sequence, first.first, first.last) == ("stream", 1, NOW, NOW + 2)
        assert first.sample["addresses"] == {"w01018-Rtd": 0.0}
        assert strangers["jt808", PHONE].sample["addresses"]["lat"] == 30.5
        assert strangers["mqtt", "lamp-9"].sample["addresses"] == {"temp": 1}
        assert bench.rows() == []

    def test_a_new_sample_every_few_seconds(self) -> None:
        bench = Bench()
        bench.take(Kind.HJ212, MN, upload({"a": {"Rtd": "1"}}))
        bench.take(Kind.HJ212, MN, upload({"a": {"Rtd": "2"}}), NOW + 6_000_000)
        assert bench.decoder.tally.strangers["hj212", MN].sample["addresses"] == {"a-Rtd": 2.0}
