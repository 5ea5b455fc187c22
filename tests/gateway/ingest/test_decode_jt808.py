"""What records of terminals that speak JT/T 808 become."""

from __future__ import annotations

import math

import pytest

from tests.gateway.ingest.frames import PHONE, location, terminal
from tests.gateway.ingest.kit import NOW, Bench, device, point
from yuanmai.devices.engine.quality import FLAGGED
from yuanmai.devices.store.records import Kind
from yuanmai.protocols.jt808 import frame as jt808
from yuanmai.protocols.jt808.bodies import encode_body
from yuanmai.protocols.jt808.location import encode as pack_location


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
