"""DL/T 645 as meters in the field speak it: frames of public traces, and streams that go wrong."""

from __future__ import annotations

from typing import Any

import pytest

from yuanmai.protocols.answers.dlt645 import answer
from yuanmai.protocols.dlt645.frame import encode

METER = "123456789012"
REPLY = "6812907856341268910833333433896745335416"


def item(raw: str) -> dict[str, Any]:
    found = answer({"hex": raw})
    assert found["valid"], found
    return found["item"]


def told(di: str, content: str, control: int = 0x91) -> dict[str, Any]:
    return item(encode(METER, control, bytes.fromhex(di)[::-1] + bytes.fromhex(content)).hex())


# Traces of single-phase and three-phase meters from public projects: frame → DI and what their authors read in it.
TRACES: list[tuple[str, str, dict[str, Any]]] = [
    ("6861010000000068910733343535CC7C331616", "02020100", {"value": 4.999, "unit": "A"}),
    ("68610100000000689107333336354558336B16", "02030000", {"value": 0.2512, "unit": "kW"}),
    ("fefe686101000000006891063333393534380916", "02060000", {"value": 0.501, "unit": ""}),
    ("fefefefe68600792040091689108333333339735a8336a16", "00000000", {"value": 7502.64}),
    ("fefefefe68600792040091689108333377339 84c33335116", "00440000", {"value": 19.65, "unit": "kvarh"}),
    ("fefefefe680051441811176891063533b33536834516", "02800002", {"value": 50.03, "unit": "Hz"}),
    ("fefefefe681111111111116891063a33b3356c35c316", "02800007", {"value": 23.9}),
    ("fefefefe681855600600006891073c373337334533c316", "04000409", {"value": 1200.0}),
    ("681200000010206891083335c33389cb3433c416", "00900200", {"value": 198.56}),
    ("68120000001020689107334063365a33337616", "03300D00", {"value": 27.0}),
    ("6802000000102068911833323433675c3333993a333348393333b3373333a44333335d16", "0001FF00",
     {"values": [29.34, 7.66, 6.15, 4.8, 10.71]}),
    ("6812000000102068910a333234358955323232322116", "0201FF00", {"values": [225.6, None, None], "non_bcd": True}),
    ("681200000010206891083434333734443449721 6", "04000101", {"text": "16011101"}),
    ("6812000000102068910735343337888654df16", "04000102", {"text": "215355"}),
    ("681200000010206891093433393833333c4348b116", "05060001", {"text": "1510090000"}),
    ("fefefefe6818556006000068910a373733378963616365659016", "04000404", {"text": "220.0V"}),
    ("681806360400916891083333343333334133f916", "00010000", {"non_bcd": True}),
    ("680100140318006814103434333735434343444444443743384b0116", "04000101", {}),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "di", "expected"), TRACES)
def test_what_meters_send(raw: str, di: str, expected: dict[str, Any]) -> None:
    found = item(raw.replace(" ", ""))
    assert found["di"] == di
    assert {key: found.get(key) for key in expected} == expected
    assert ("value" in found) == ("value" in expected)


def test_demand_has_its_time() -> None:
    found = told("01010000", "4523014513200524")
    assert (found["name"], found["value"], found["unit"], found["times"], found["digits"]) == (
        "forward active maximum demand total", 1.2345, "kW", ["2024-05-20 13:45"], 6)  # fmt: skip
    assert told("01030000", "4523810000000000")["value"] == -1.2345
    block = told("0102FF00", "4523014513200524" + "00" * 8)
    assert (block["values"], block["times"]) == ([1.2345, 0.0], ["2024-05-20 13:45", None])
    assert told("0101FF00", "452301451320052402", 0xB2)["values"] == [
        1.2345
    ]  # the last byte numbers the frame
    assert told("01000000", "4523014513200524") == {
        "di": "01000000"
    }  # nothing has a demand of combined energy


def test_all_settlement_days_at_once() -> None:
    found = told("000100FF", "030000000200000001000000")
    assert found["values"] == [0.03, 0.02, 0.01]
    assert found["name"] == "forward active energy total, now and of settlement days back"
    assert told("010100FF", ("4523014513200524") * 2)["values"] == [1.2345, 1.2345]
    assert told("0001FFFF", "01000000") == {"di": "0001FFFF"}


def test_freezes() -> None:
    found = told("05060101", "0100000002000000")
    assert (found["name"], found["values"]) == ("daily freeze 1 back: forward active energy", [0.01, 0.02])
    assert "name" not in told("05060901", "01000000")
    assert "name" not in told("05FF0101", "01000000")
    assert "name" not in told("05060100", "01000000")


@pytest.mark.parametrize(
    ("control", "data", "expected"),
    [
        (0x93, "129078563412", {"address_in_data": METER}),
        (0x15, "129078563412", {"address_in_data": METER, "direction": "request"}),
        (0x08, "512210050617", {"func": "0x08"}),
        (0x16, "99999999", {"func": "0x16"}),
        (0x97, "08", {"func": "0x17", "direction": "response"}),
        (0x98, "00000000", {"func": "0x18"}),
        (0x9A, "", {"func": "0x1A", "length": 0}),
        (0xDB, "04", {"abnormal": True, "error_word": "0x04", "errors": ["unauthorised"]}),
        (0xB1, "00ff000102000000", {"follow": True, "abnormal": False}),
        (0xD1, "7f", {"error_word": "0x7F"}),
    ],
)
def test_other_commands(control: int, data: str, expected: dict[str, Any]) -> None:
    found = answer({"hex": encode(METER, control, bytes.fromhex(data)).hex()})
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        (["fefefefe6812907856341268110433333433681 6", REPLY], {"frames_hex": ["68129078563412681104333334336816", REPLY], "reply_index": 1}),
        # a length that claims the next frame as well
        ([REPLY[:18] + "c8" + REPLY[20:] + REPLY], {"frames_hex": [REPLY]}),
        (["68" + REPLY, "1600ff68"], {"frames_hex": [REPLY]}),
        ([REPLY[:22]], {"frames_hex": []}),
        (["", "fe"], {"frames_hex": []}),
    ],
)  # fmt: skip
def test_streams(chunks: list[str], expected: dict[str, Any]) -> None:
    assert answer({"chunks_hex": [chunk.replace(" ", "") for chunk in chunks]}) == expected
