"""What records of stations that speak HJ 212 become."""

from __future__ import annotations

import math

import pytest

from tests.gateway.ingest.frames import BEIJING_NOW, MN, upload
from tests.gateway.ingest.kit import NOW, Bench, device, point
from yuanmai.devices.engine.quality import FLAGGED, NOT_A_NUMBER
from yuanmai.devices.store.records import Kind
from yuanmai.protocols.hj212.frame import encode as hj212


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
