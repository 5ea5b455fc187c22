"""Commands of a DL/T 645 master, byte for byte as public projects send them."""

from __future__ import annotations

from datetime import datetime

import pytest

from yuanmai.protocols.answers.dlt645 import answer
from yuanmai.protocols.dlt645 import commands

METER = "123456789012"
SECRET, OPERATOR = b"\x02\x00\x00\x00", bytes(4)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (commands.set_clock(datetime(2017, 6, 5, 10, 22, 51), preamble=0), "6899999999999968080684554338394a4b16"),
        (commands.set_clock(datetime(2017, 6, 5, 10, 40, 25), "111111111111", 0), "681111111111116808065873433839 4a0d16"),
        (
            commands.control("111111111111", commands.OPEN_RELAY, datetime(2018, 5, 12, 15, 41, 24), bytes(4), OPERATOR, 0),
            "68111111111111681c1033333333333333334d3357744845384b5516",
        ),
        (commands.write_address("123456789012", 0), "68aaaaaaaaaaaa68150645c3ab896745cf16"),
        (commands.freeze(preamble=0), "68999999999999681604ccccccccb016"),
        (commands.freeze(METER, day=1, hour=0, minute=30, preamble=0), "68129078563412681604633334cc3616"),
        (commands.set_speed(METER, 9600, 0), "6812907856341268170153f116"),
        (commands.change_password(METER, "04000C03", b"\2\0\0\0", b"\2\1\1\1", 0), None),
        (commands.clear_demand(METER, SECRET, OPERATOR, 0), None),
        (commands.clear_meter(METER, SECRET, OPERATOR, 0), None),
        (commands.clear_events(METER, SECRET, OPERATOR, preamble=0), None),
    ],
)  # fmt: skip
def test_bytes(raw: bytes, text: str | None) -> None:
    if text is not None:
        assert raw.hex() == text.replace(" ", "")
    found = answer({"hex": raw.hex()})
    assert (found["valid"], found["direction"]) == (True, "request")


def test_what_the_data_holds() -> None:
    held = {
        0x18: (commands.change_password(METER, "04000C03", b"\2abc", b"\2def"), "030c00040261626302646566"),
        0x19: (commands.clear_demand(METER, SECRET, OPERATOR), "0200000000000000"),
        0x1A: (commands.clear_meter(METER, SECRET, OPERATOR), "0200000000000000"),
        0x1B: (commands.clear_events(METER, SECRET, OPERATOR, "03300DFF"), "0200000000000000ff0d3003"),
    }
    for control, (raw, data) in held.items():
        found = answer({"hex": raw.hex()})
        assert (found["control"], found["data_hex"]) == (f"0x{control:02X}", data)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: commands.write_address("12"),
        lambda: commands.set_speed(METER, 300),
        lambda: commands.change_password(METER, "04000C03", b"", b""),
        lambda: commands.clear_demand(METER, b"", OPERATOR),
    ],
)
def test_what_cannot_be_said(wrong: object) -> None:
    assert callable(wrong)
    with pytest.raises(ValueError, match=r"digits|speeds|four bytes"):
        wrong()
