"""The factor tables of HJ 212-2017 Appendix B: what a code measures, in which unit, and what it was called in 2005."""

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from yuanmai.common.yaml_file import load_yaml

TABLE = Path(__file__).parents[1] / "presets" / "hj212_factors.yaml"
NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?|[+-]?\.\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Factor:
    """A code of the standard; `medium` is water, air or noise, `form` the number's form (N3.1), units as the standard prints them."""

    code: str
    medium: str
    name: str
    unit: str
    mass_unit: str = ""
    old_code: str = ""
    form: str = ""


@lru_cache(maxsize=1)
def factors() -> dict[str, Factor]:
    """Return the factors of the standard by code."""
    table = load_yaml(TABLE)
    return {
        code: Factor(
            code,
            medium,
            given["name"],
            given["unit"],
            given.get("mass", ""),
            given.get("old", ""),
            given.get("form", ""),
        )
        for medium in ("water", "air", "noise")
        for code, given in table[medium].items()
    }


@lru_cache(maxsize=1)
def _old_codes() -> dict[tuple[str, str], Factor]:
    return {(entry.medium, entry.old_code): entry for entry in factors().values() if entry.old_code}


def find(code: str, system: str = "") -> Factor | None:
    """Return the factor of a code of 2017 or, with the system (ST) that says in which medium, of 2005; nothing if unknown."""
    known = factors().get(code)
    if known is not None:
        return known
    media = {
        "21": ("water",),
        "32": ("water",),
        "22": ("air",),
        "27": ("air",),
        "31": ("air",),
        "23": ("noise",),
    }
    for medium in media.get(system, ("water", "air")):
        found = _old_codes().get((medium, code))
        if found is not None:
            return found
    return None


def number(text: str) -> float | None:
    """Return the number a value is, or nothing: stations also send blanks, dashes, NaN and words."""
    text = text.strip()
    return float(text) if NUMBER.fullmatch(text) else None
