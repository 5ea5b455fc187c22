"""Which template fits somebody unknown, and what the points are that no template names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Offer:
    """A template as a choice: how many of the heard addresses it knows, and how many points it has."""

    number: int
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a template fits: `hits` of the heard addresses are its points; `rest` are not."""

    number: int
    hits: int
    rest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Guess:
    """A point proposed for an address that is heard."""

    code: str
    name: str
    name_en: str
    address: str
    unit: str = ""
    kind: str = "gauge"

    def values(self) -> dict[str, Any]:
        """Return it as the fields of a point."""
        return asdict(self)


def fits(heard: Iterable[str], offers: Sequence[Offer]) -> list[Fit]:
    """Return the templates by how much of what is heard they name, best first; of equal ones the one with fewer other points."""
    addresses = tuple(dict.fromkeys(heard))
    found = [
        (
            Fit(
                o.number,
                sum(a in o.known for a in addresses),
                tuple(a for a in addresses if a not in o.known),
            ),
            len(o.known),
        )
        for o in offers
    ]
    return [fit for fit, size in sorted(found, key=lambda pair: (-pair[0].hits, pair[1], pair[0].number))]


def numeric(heard: Mapping[str, Any]) -> dict[str, float]:
    """Return what is heard as numbers; texts and structures are left out, true and false are 1 and 0."""
    found: dict[str, float] = {}
    for address, value in heard.items():
        if isinstance(value, bool | int | float):
            found[address] = float(value)
        elif isinstance(value, str):
            try:
                found[address] = float(value)
            except ValueError:
                continue
    return found


def code_of(address: str, taken: Iterable[str] = ()) -> str:
    """Return a code for an address: its letters and digits in small letters, with a number behind where it is taken."""
    base = re.sub(r"[^A-Za-z0-9]+", "_", address).strip("_").lower()[:50] or "point"
    used, code, number = set(taken), base, 2
    while code in used:
        code, number = f"{base}_{number}", number + 1
    return code


def guesses(
    addresses: Sequence[str], named: Mapping[str, tuple[str, str]], taken: Iterable[str] = ()
) -> list[Guess]:
    """Return a point for each address; `named` gives name and unit where a table of the protocol knows them."""
    used = set(taken)
    found = []
    for address in addresses:
        name, unit = named.get(address, (address, ""))
        code = code_of(address, used)
        used.add(code)
        found.append(Guess(code, name[:120], address[:160] if name != address else "", address, unit))
    return found
