"""The check of the unified social credit code against GB 32100-2015."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yuanmai.enterprises.engine.credit_code import (
    ALPHABET,
    WEIGHTS,
    body_check_character,
    check_character,
    example,
    normalised,
    verify,
)

# Codes of well-known enterprises as their business licences show them.
REAL = ("91110000802100433B", "91440300708461136T", "9144030071526726XG")


@pytest.mark.parametrize("code", REAL)
def test_real_codes_hold(code: str) -> None:
    assert verify(code).fault == ""


@pytest.mark.parametrize("code", REAL)
def test_the_body_code_inside_has_its_own_check_character(code: str) -> None:
    assert body_check_character(code[8:16]) == code[16]


def test_the_weights_are_powers_of_three_modulo_31() -> None:
    assert [pow(3, i, 31) for i in range(17)] == list(WEIGHTS)
    assert len(ALPHABET) == 31
    assert not set("IOSVZ") & set(ALPHABET)


@given(st.text(alphabet=ALPHABET, min_size=1, max_size=1), st.integers(0, 999_999), st.text(alphabet=ALPHABET, min_size=9, max_size=9),
       st.integers(0, 16), st.sampled_from(ALPHABET))  # fmt: skip
def test_every_single_typing_error_is_noticed(
    kind: str, region: int, body: str, place: int, letter: str
) -> None:
    code = example(f"9{kind}{region:06d}{body}")
    assert verify(code).fault == ""
    wrong = code[:place] + letter + code[place + 1 :]
    if wrong != code:
        assert verify(wrong).fault in {"check", "region"}


@pytest.mark.parametrize(
    ("code", "fault", "detail"),
    [
        ("9111000080210043", "length", "16"),
        ("91110000802100433I", "letter", "I"),
        ("9111A000802100433B", "region", "11A000"),
        ("91110000802100433C", "check", "C"),
    ],
)
def test_each_fault_is_named(code: str, fault: str, detail: str) -> None:
    verdict = verify(code)
    assert (verdict.fault, verdict.detail) == (fault, detail)


def test_the_right_check_character_is_told() -> None:
    assert verify("91110000802100433C").expected == "B"


def test_typing_habits_are_forgiven() -> None:
    assert normalised("９１１１-0000 8021 0043 3b") == "91110000802100433B"


@pytest.mark.parametrize("text", ["", "123", "x" * 17 + "yz"])
def test_a_check_character_needs_seventeen(text: str) -> None:
    with pytest.raises(ValueError):
        check_character(text)
