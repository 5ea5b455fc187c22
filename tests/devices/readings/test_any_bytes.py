"""Whatever is sent, it is taken or refused; nothing else happens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuanmai.core.api.problems import Problem
from yuanmai.devices.readings.documents import read_json, read_lines
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


@pytest.mark.parametrize("read", [read_json, read_csv, read_lines, read_arrow])
@QUICK
@given(body=st.binary(max_size=200))
def test_bytes(read: Any, body: bytes) -> None:
    check(read, body)
