"""What records of MQTT become: JSON and Sparkplug B."""

from __future__ import annotations

import json
import math

import pytest

from tests.gateway.ingest.kit import NOW, Bench, device, mqtt, point
from yuanmai.devices.engine.quality import AHEAD, CLOCK, FLAGGED, LATE, NOT_A_NUMBER, RANGE
from yuanmai.devices.store.records import Kind
from yuanmai.protocols.sparkplug.payload import Metric, Payload
from yuanmai.protocols.sparkplug.payload import encode as pack_payload
from yuanmai.protocols.sparkplug.values import DataType


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
