"""What records of polled devices become: Modbus, electricity and water meters."""

from __future__ import annotations

from tests.gateway.ingest.kit import Bench, device, point
from yuanmai.devices.store.records import Kind
from yuanmai.protocols.cjt188 import frame as cjt188
from yuanmai.protocols.dlt645 import frame as dlt645


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

    def test_a_meter_of_one_phase_answers_for_three(self) -> None:
        key = "10.0.0.9:4001/201000000012"
        bench = Bench(device(7, "dlt645", key, [point(n + 2, f"02010{n + 1}00") for n in range(3)]))
        bench.take(
            Kind.DLT645, key, bytes.fromhex("6812000000102068910A333234358955323232322116")
        )  # 225.6 V and no more
        nothing = dlt645.encode("201000000012", 0x91, bytes.fromhex("00010102") + b"\xff\xff")
        bench.take(Kind.DLT645, key, nothing)
        assert bench.values() == {2: 225.6}
        assert bench.odd() == {"non_bcd": 1}

    def test_water_meters(self) -> None:
        key = "10.0.0.9:4002/00001234567890"
        points = [point(1, "total"), point(2, "settlement"), point(3, "valve"), point(4, "battery_low")]
        bench = Bench(device(7, "cjt188", key, points))
        content = bytes.fromhex("78563412") + b"\x2c" + b"\xff\xff\xff\xff\x2c" + bytes(7) + b"\x05\x00"
        frame = cjt188.encode(0x10, "00001234567890", 0x81, bytes.fromhex("1f9001") + content)
        bench.take(Kind.CJT188, key, frame)
        assert bench.values() == {1: 123456.78, 3: 1.0, 4: 1.0}
