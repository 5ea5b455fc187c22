"""Whatever is sent, it is taken or refused; nothing else happens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuanmai.core.api.problems import Problem
from yuanmai.devices.readings.documents import read_json
from yuanmai.devices.readings.lines import _each, _together, read_lines
from yuanmai.devices.readings.rows import Rows
from yuanmai.devices.readings.tables import read_arrow, read_csv

CELLS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.just("2023-11-15T06:13:20+08:00"),
    st.lists(st.integers(), max_size=2),
)  # fmt: skip
NAMES = st.sampled_from(["device", "point", "time", "value", "quality", "x"])
DOCUMENTS = st.one_of(
    st.lists(st.one_of(st.dictionaries(NAMES, CELLS), CELLS), max_size=4),
    st.dictionaries(NAMES, st.one_of(CELLS, st.lists(CELLS, max_size=3))),
)
HEAD = b"device,point,time,value,quality\n"
LINE = st.text(alphabet='ab,"=\\ \n\r1.eE+-:TZitf#é', max_size=60)
QUICK = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)


def check(read: Any, body: bytes) -> None:
    for with_device in (True, False):
        try:
            rows = read(body, with_device)
        except Problem as problem:
            assert 400 <= problem.status < 500
            continue
        assert isinstance(rows, Rows)
        rows.check()
        assert len(rows.time) == len(rows.value) == len(rows.point.index)
        assert rows.device is None or len(rows.device.index) == len(rows)
        if not rows.faults.count and len(rows):
            assert int(rows.point.index.min()) >= 0 and all(rows.point.each)


@QUICK
@given(DOCUMENTS)
def test_json(document: Any) -> None:
    check(read_json, json.dumps(document).encode("utf-8", "surrogatepass"))


@QUICK
@given(LINE)
def test_csv(text: str) -> None:
    check(read_csv, HEAD + text.encode())


@QUICK
@given(LINE)
def test_lines(text: str) -> None:
    check(read_lines, text.encode())


WORD = st.text(alphabet="abé1.", min_size=1, max_size=3)
CELL = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1i", "2u", "1.5", "-3", "+4", "5ii", "t", "x", "1e9", "inf", "0x1f"]),
)
FIELDS = st.lists(st.tuples(WORD, CELL).map("=".join), min_size=1, max_size=3).map(",".join)
TAGS = st.sampled_from(["", ",device=d1", ",place=é", ",device=d2,place=x", ",device="])
PLAIN = st.tuples(WORD, TAGS, FIELDS, st.integers(-(10**19) + 1, 10**19 - 1)).map(
    lambda line: f"{line[0]}{line[1]} {line[2]} {line[3]}"
)


@QUICK
@given(st.lists(PLAIN, min_size=1, max_size=5).map("\n".join), st.booleans())
def test_lines_read_natively_are_those_read_one_by_one(text: str, with_device: bool) -> None:
    quick, slow = read_lines(text.encode(), with_device), _each(text, with_device, 0)
    assert quick.faults.found == slow.faults.found
    if slow.faults.count:
        return
    for one, other in ((quick.device, slow.device), (quick.point, slow.point)):
        assert (one is None) == (other is None)
        if one is not None and other is not None:
            assert [one.each[place] for place in one.index] == [other.each[place] for place in other.index]
    assert quick.time.tolist() == slow.time.tolist() and quick.value.tolist() == slow.value.tolist()


def test_plain_lines_are_read_natively() -> None:
    rows = _together(
        b"power,device=m1,hall=2 u=230.1,i=4i 1700000000\npower,device=m2 u=229 1700000001\n", True, 0
    )
    assert rows is not None and rows.device is not None
    assert [rows.device.each[place] for place in rows.device.index] == ["m1", "m1", "m2"]
    assert [rows.point.each[place] for place in rows.point.index] == ["u", "i", "u"]
    assert (
        rows.value.tolist() == [230.1, 4.0, 229.0]
        and rows.lines is not None
        and rows.lines.tolist() == [0, 0, 1]
    )


@pytest.mark.parametrize("read", [read_json, read_csv, read_lines, read_arrow])
@QUICK
@given(body=st.binary(max_size=200))
def test_bytes(read: Any, body: bytes) -> None:
    check(read, body)
