"""Modbus reads that are joined: neighbours share a request, within what a device may be asked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.protocols.modbus import pdu, plan


def test_neighbours_share_a_request() -> None:
    spans = [
        plan.Span("c", 1, 3, 4, 2),
        plan.Span("a", 1, 3, 0, 2),
        plan.Span("b", 1, 3, 2, 2),
        plan.Span("far", 1, 3, 10, 1),
        plan.Span("other function", 1, 4, 6, 1),
        plan.Span("other unit", 2, 3, 6, 1),
    ]
    found = plan.coalesce(spans)
    assert [(one.unit, one.function, one.address, one.count) for one in found] == [
        (1, 3, 0, 6),
        (1, 3, 10, 1),
        (1, 4, 6, 1),
        (2, 3, 6, 1),
    ]
    assert found[0].split([10, 11, 12, 13, 14, 15]) == {"a": [10, 11], "b": [12, 13], "c": [14, 15]}
    joined = plan.coalesce(spans, gap=4)
    assert (joined[0].address, joined[0].count) == (0, 11)
    with pytest.raises(ValueError, match="asked for"):
        found[0].split([1, 2])


def test_a_request_never_exceeds_what_a_device_may_be_asked() -> None:
    registers_ = plan.coalesce([plan.Span(str(place), 1, 3, place, 2) for place in range(0, 400, 2)])
    assert [one.count for one in registers_] == [124, 124, 124, 28]
    coils = plan.coalesce([plan.Span(str(place), 1, 1, place) for place in range(4100)])
    assert [one.count for one in coils] == [2000, 2000, 100]
    assert (
        max(
            one.count
            for one in plan.coalesce([plan.Span(str(place), 1, 3, place) for place in range(100)], most=16)
        )
        == 16
    )
    for wrong in (plan.Span("x", 1, 3, 0, 126), plan.Span("x", 1, 6, 0), plan.Span("x", 1, 3, 65535, 2)):
        with pytest.raises(ValueError, match="x:"):
            plan.coalesce([wrong])


@given(
    st.lists(
        st.tuples(st.integers(1, 2), st.integers(1, 4), st.integers(0, 600), st.integers(1, 8)), max_size=60
    ),
    st.integers(0, 20),
)
def test_every_value_is_read_once_where_it_stands(spans: list[tuple[int, int, int, int]], gap: int) -> None:
    wanted = [plan.Span(str(place), *given) for place, given in enumerate(spans)]
    found = plan.coalesce(wanted, gap)
    values_of: dict[str, list[int]] = {}
    for one in found:
        pdu.read(one.function, one.address, one.count)
        values_of |= {
            key: list(part) for key, part in one.split(range(one.address, one.address + one.count)).items()
        }
    assert values_of == {span.key: list(range(span.address, span.address + span.count)) for span in wanted}
    for before, after in pairwise(found):
        assert (before.unit, before.function, before.address) < (after.unit, after.function, after.address)
