"""CJ/T 188 as water, gas and heat meters of several makers speak it: frames of public projects."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from yuanmai.protocols.answers.cjt188 import answer
from yuanmai.protocols.cjt188.frame import encode, set_clock, set_total, set_valve, write_address

TRACES: list[tuple[str, dict[str, Any]]] = [
    ("fefefe6810010000050800008116901f00002301002c000000002c0000000000000000004816",
     {"di": "901f", "di_wire": "901f", "total": 123.0, "settlement": 0.0, "time_raw": "0" * 14, "time": None, "valve": "open"}),
    # a radio module puts its field strengths behind
    ("68106900010717200081161f9002000000002c000000002c595416190817201301ef16524f",
     {"trailing": 2, "time": "2017-08-19 16:54:59", "valve": "fault", "status_hex": "1301", "di_wire": "1f90", "ser": 2}),
    ("6810880527101520008116901f01000000002c000000002c0620170901172000008e16", {"time": "2017-01-09 17:20:06"}),
    ("fefe6810454110051533788116901faa005959002cffffffff2cffffffffffffff0000c216",
     {"total": 5959.0, "settlement": None, "settlement_unit": "m3", "time_raw": "f" * 14, "time": None}),
    # the clock high byte first: no time in the order of the standard
    ("fefefefe6810437632510000008116901f0047700100295148010029202005282058240000a716",
     {"total": 170.47, "total_unit": "L", "settlement": 148.51, "time_raw": "24582028052020", "time": None}),
    # a gas meter that tells no units and its century last
    ("68300201000616052381161f9001177200000000000000000000120101201635002e16",
     {"type": "0x30", "total": 72.17, "total_unit": "0x00", "time_raw": "16200101120000", "time": None}),
    # heat, units first
    ("682038042108005942812e901f0005192853000519285300170000000035000000002c42331800031900101900612700265723310315200301f716",
     {"total": 5328.19, "total_unit": "kWh", "volume": 1833.42, "supply_c": 19.03, "return_c": 19.1, "working_hours": 2761.0,
      "time": "2015-03-31 23:57:26"}),
    # heat, units last
    ("682512192418273100812e1f90031174020005882744050500000000170000000035085671002c7926006426006647071152170309252000052a16",
     {"total": 54427.88, "volume": 7156.08, "volume_unit": "m3", "supply_c": 26.79, "time": "2025-09-03 17:52:11"}),
    # radio, units first, forward and reverse total, flow, and a state of four bytes
    ("fefefe681001131219000000a11d901f012c000000002c00000000350000000056201817121920402200030716",
     {"total": 0.0, "reverse": 0.0, "flow_unit": "m3/h", "time": "2019-12-17 18:20:56", "status_hex": "4022"}),
    ("fefefe681001000005080000aa05a0170001ffec16", {"di": "a017", "status_hex": "01ff", "valve": "closed"}),
    ("6810010000050800008303810a009716", {"di": "810a", "di_wire": "810a", "address": "00000805000001"}),
    ("fefe68108967452301337883030a81a73416", {"di": "810a", "di_wire": "0a81", "ser": 0xA7}),
    ("681002000005080000150aa01800010000050800006c16", {"di": "a018", "control": "0x15"}),
    ("681011223344556677c1030111224c16", {"ser": 1, "status_hex": "1122"}),
    ("fefefefe6810880527101520000103901f012516000000", {"trailing": 3}),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "expected"), TRACES)
def test_what_meters_send(raw: str, expected: dict[str, Any]) -> None:
    found = answer({"hex": raw})
    assert found["valid"], found
    assert {key: found.get(key, "missing") for key in expected} == expected


def test_a_refusal_names_no_item() -> None:
    assert "di" not in answer({"hex": "681011223344556677c1030111224c16"})


def test_valve_commands_of_public_projects() -> None:
    assert (
        set_valve(0x30, "00000000000003", 1, opened=True, preamble=3).hex()
        == "fefefe683003000000000000040417a00155b016"
    )
    assert set_valve(0x10, "AAAAAAAAAAAAAA", 0, opened=False, low_first=False, preamble=2).hex() == (
        "fefe6810aaaaaaaaaaaaaa0404a01700997616"
    )


def test_commands_of_public_projects() -> None:
    gas = "00000000000003"
    assert set_total(0x30, gas, 0xFF, Decimal("123456.78"), 0, preamble=3).hex() == (
        "fefefe683003000000000000160816a0ff78563412008216"
    )
    assert set_clock(0x30, gas, 0xFF, datetime(2015, 7, 16, 12, 50, 40), preamble=3).hex() == (
        "fefefe683003000000000000040a15a0ff405012160715205116"
    )
    assert write_address(0x10, "00000805000002", 0, "00000805000001", low_first=False, preamble=0).hex() == (
        "681002000005080000150aa01800010000050800006c16"
    )
    with pytest.raises(ValueError, match="fourteen"):
        write_address(0x10, gas, 0, "12")
    for total in (Decimal("1000000"), Decimal("-1")):
        with pytest.raises(ValueError, match="six digits"):
            set_total(0x10, gas, 0, total)


def test_totals_that_look_like_a_unit_stay_totals() -> None:
    content = bytes.fromhex("1f90002c0000002c050000002c") + bytes(9)
    found = answer({"hex": encode(0x10, "00000000000001", 0x81, content).hex()})
    assert (found["total"], found["settlement"], found["total_unit"]) == (None, 0.05, "m3")


def test_a_length_that_swallows_the_next_frame() -> None:
    good = "68106900010717200081161f9002000000002c000000002c595416190817201301ef16"
    wrong = good[:20] + "40" + good[22:]
    found = answer({"chunks_hex": [wrong + good[:30], good[30:]]})
    assert found["frames_hex"] == [good]
    assert found["pending_hex"] == ""
    assert answer({"chunks_hex": [good, good[:20]]}) == {
        "frames_hex": [good],
        "rejected": 0,
        "pending_hex": good[:20],
    }
