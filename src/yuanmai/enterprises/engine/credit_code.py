"""The unified social credit code of legal persons (pure), as GB 32100-2015 lays it down.

Eighteen characters of 0-9 and A-Z without I, O, S, V, Z: one for the registering department, one for the kind, six digits
of the registering authority's region, nine characters of the body's own code (GB 11714, with its own check character),
and a check character over the first seventeen (ISO/IEC 7064, MOD 31-3 weights).
"""

import unicodedata
from dataclasses import dataclass

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # GB 32100-2015, table 1
WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)  # 3 ** (i - 1) mod 31, table 4
BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)  # GB 11714-1997
LENGTH = 18


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a code: empty, ``length``, ``letter``, ``region``, ``check``; `expected` is the right check character."""

    fault: str = ""
    detail: str = ""
    expected: str = ""


def normalised(text: str) -> str:
    """Return a code as it is kept: half-width capitals without blanks and hyphens."""
    plain = unicodedata.normalize("NFKC", text).upper()
    return "".join(letter for letter in plain if not letter.isspace() and letter not in "-–—_.")


def check_character(first: str) -> str:
    """Return the check character over the first seventeen; raises `ValueError` for other lengths or letters."""
    if len(first) != LENGTH - 1:
        raise ValueError("seventeen characters are needed")
    total = sum(ALPHABET.index(letter) * weight for letter, weight in zip(first, WEIGHTS, strict=True))
    return ALPHABET[(31 - total % 31) % 31]


def body_check_character(first: str) -> str:
    """Return the check character of a body's own code over its first eight (GB 11714); raises `ValueError`."""
    if len(first) != 8:
        raise ValueError("eight characters are needed")
    letters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    total = sum(letters.index(letter) * weight for letter, weight in zip(first, BODY_WEIGHTS, strict=True))
    rest = 11 - total % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def verify(code: str) -> Verdict:
    """Say what is wrong with a normalised code; an empty fault means nothing is."""
    if len(code) != LENGTH:
        return Verdict("length", str(len(code)))
    for letter in code:
        if letter not in ALPHABET:
            return Verdict("letter", letter)
    if not code[2:8].isdigit():
        return Verdict("region", code[2:8])
    expected = check_character(code[:-1])
    return Verdict() if code[-1] == expected else Verdict("check", code[-1], expected)


def example(first: str) -> str:
    """Return a complete code for the first seventeen characters, for demonstrations and tests."""
    return first + check_character(first)
