"""What records of every kind become: columns, connections, silence, nonsense; and who is in no register."""

from __future__ import annotations

import json
import math
import struct

import pyarrow as pa
import pytest

from tests.gateway.ingest.frames import MN, PHONE, location, terminal, upload
from tests.gateway.ingest.kit import NOW, Bench, device, mqtt, point
from yuanmai.devices.engine.quality import NOT_A_NUMBER, RANGE
from yuanmai.devices.store.records import Kind, Record
from yuanmai.protocols.jt808.location import encode as pack_location


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
