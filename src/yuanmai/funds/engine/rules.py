"""Which value of a rule holds on a day (pure): the nearest organisation first, in it the newest statement."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Statement:
    """A value from a day on, decided for an organisation and all below it.

    `distance` counts the steps up the tree from whoever asks: 0 is the organisation itself; `DEFAULT` is what holds where
    nobody decided. `order` tells which of two statements of one day was made later.
    """

    code: str
    effective_on: date
    value: Any
    source: str
    distance: int
    order: int = 0
    org_id: int | None = None
    row_id: int | None = None


DEFAULT = 1_000_000


def in_force(statements: Iterable[Statement], on: date) -> dict[str, Statement]:
    """Return, by code, the statement that holds on a day; codes of which nothing holds yet are absent."""
    best: dict[str, Statement] = {}
    for entry in statements:
        if entry.effective_on > on:
            continue
        held = best.get(entry.code)
        if held is None or _rank(entry) > _rank(held):
            best[entry.code] = entry
    return best


def _rank(entry: Statement) -> tuple[int, date, int]:
    return -entry.distance, entry.effective_on, entry.order
