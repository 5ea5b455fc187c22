"""The plan of an offering file beside the entered figures and the computation, item by item (pure).

Each item is compared within the rounding of what is written: half a unit of the last decimal, in the unit of its cell.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

ENTERED, COMPUTED = "entered", "computed"
LEAST = Decimal("1e-9")


class Item(NamedTuple):
    """What is compared: its code and its year; None for the whole."""

    code: str
    year: int | None


@dataclass(frozen=True, slots=True)
class Stated:
    """What a file states: yuan, a fraction, years or a multiple; `step` is one unit of the last decimal as written."""

    item: Item
    value: Decimal
    step: Decimal
    sheet: str
    cell: str
    text: str


@dataclass(frozen=True, slots=True)
class Own:
    """What is entered here, or computed from it."""

    value: Decimal
    origin: str


@dataclass(frozen=True, slots=True)
class Compared:
    """One item: what the file states, what is here, how far apart they may be. `own` None: nothing is entered for it."""

    stated: Stated
    own: Own | None
    tolerance: Decimal

    @property
    def difference(self) -> Decimal | None:
        """Stated − own."""
        return None if self.own is None else self.stated.value - self.own.value

    @property
    def same(self) -> bool:
        """Whether both agree within the tolerance; where nothing is entered, only nothing agrees."""
        if self.own is None:
            return abs(self.stated.value) <= self.tolerance
        return abs(self.stated.value - self.own.value) <= self.tolerance


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is entered or computed here for a year, and that the file's table of the same item leaves out."""

    item: Item
    own: Own


def compare(stated: Iterable[Stated], own: Mapping[Item, Own]) -> tuple[list[Compared], list[Missing]]:
    """Compare every stated item, in the order of the file; and list the years of its tables that the file leaves out.

    A table leaves a year out when it states other years of the same item, and what is here for the year is not nothing.
    """
    rows = [Compared(entry, own.get(entry.item), entry.step / 2 + LEAST) for entry in stated]
    said = {row.stated.item for row in rows}
    yearly = {item.code for item in said if item.year is not None}
    missing = [
        Missing(item, value)
        for item, value in own.items()
        if item.year is not None
        and item.code in yearly
        and item not in said
        and abs(value.value) > Decimal("0.005")
    ]
    return rows, sorted(missing, key=lambda entry: (entry.item.code, entry.item.year or 0))
