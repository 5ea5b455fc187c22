"""Numbers in Modbus registers: kinds, orders of bytes, beside those of pymodbus."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus.client.mixin import ModbusClientMixin

from yuanmai.protocols.modbus import pdu, values


# The same number in each order, by hand.
@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x4248, 0xF5C3]),
        ("CDAB", [0xF5C3, 0x4248]),
        ("BADC", [0x4842, 0xC3F5]),
        ("DCBA", [0xC3F5, 0x4842]),
    ],
)
def test_orders_of_a_float(order: str, words: list[int]) -> None:
    assert values.unpack(words, "float32", order) == pytest.approx(50.24, abs=1e-5)
    assert values.pack(values.unpack(words, "float32", order), "float32", order) == words


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ("ABCD", [0x0102, 0x0304, 0x0506, 0x0708]),
        ("CDAB", [0x0708, 0x0506, 0x0304, 0x0102]),
        ("BADC", [0x0201, 0x0403, 0x0605, 0x0807]),
        ("DCBA", [0x0807, 0x0605, 0x0403, 0x0201]),
    ],
)
def test_orders_of_eight_bytes(order: str, words: list[int]) -> None:
    assert values.pack(0x0102030405060708, "uint64", order) == words
    assert values.unpack(words, "int64", order) == 0x0102030405060708


def test_orders_of_one_register() -> None:
    assert [values.unpack([0xFF01], "int16", order) for order in values.ORDERS] == [-255, -255, 511, 511]


PEER_KINDS = {
    "int16": ModbusClientMixin.DATATYPE.INT16,
    "uint16": ModbusClientMixin.DATATYPE.UINT16,
    "int32": ModbusClientMixin.DATATYPE.INT32,
    "uint32": ModbusClientMixin.DATATYPE.UINT32,
    "int64": ModbusClientMixin.DATATYPE.INT64,
    "uint64": ModbusClientMixin.DATATYPE.UINT64,
    "float32": ModbusClientMixin.DATATYPE.FLOAT32,
    "float64": ModbusClientMixin.DATATYPE.FLOAT64,
}


@pytest.mark.parametrize("kind", PEER_KINDS)
@pytest.mark.parametrize(("order", "word_order"), [("ABCD", "big"), ("CDAB", "little")])
def test_numbers_are_those_of_pymodbus(kind: str, order: str, word_order: str) -> None:
    for value in (0, 1, 100, 12345):
        theirs = ModbusClientMixin.convert_to_registers(value, PEER_KINDS[kind], word_order)
        assert values.pack(value, kind, order) == theirs
        assert values.unpack(theirs, kind, order) == value
        assert values.registers_of(kind) == len(theirs)


@pytest.mark.parametrize(
    "call",
    [
        lambda: values.pack(40000, "int16"),
        lambda: values.pack(-1, "uint32"),
        lambda: values.pack(1e39, "float32"),
        lambda: values.pack(1.5, "int16"),
        lambda: values.unpack([1], "int32"),
        lambda: values.unpack([70000], "int16"),
        lambda: values.unpack([1], "int8"),
        lambda: values.unpack([1], "int16", "ACBD"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=r"\w"):
        call()


@given(st.sampled_from(list(values.KINDS)), st.sampled_from(values.ORDERS), st.binary(min_size=8, max_size=8))
def test_numbers_return_as_they_went(kind: str, order: str, packed: bytes) -> None:
    words = list(pdu.unpack_registers(packed))[: values.registers_of(kind)]
    value = values.unpack(words, kind, order)
    if value == value:  # a NaN may lose its payload
        assert values.pack(value, kind, order) == words
