"""Bitemporal timelines (pure): what held when, and what was known when.

A *timeline* is the present knowledge of one thing: consecutive spans of effective days, each with a payload. When
knowledge changes, spans that still stand are kept, the others are closed at the moment of the change and the new ones
opened. Every question "as of day D, as known at moment K" then has exactly one answer.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

P = TypeVar("P")
FOREVER = date(9999, 12, 31)


@dataclass(frozen=True)
class Span(Generic[P]):
    """`payload` holds from `effective_from` up to, and not including, `effective_until`."""

    effective_from: date
    effective_until: date
    payload: P


@dataclass(frozen=True)
class Revision(Generic[P]):
    """What to do to the stored spans: indexes of those to close, and the spans to add."""

    close: tuple[int, ...]
    add: tuple[Span[P], ...]

    @property
    def empty(self) -> bool:
        """Whether nothing changes."""
        return not self.close and not self.add


def revise(stored: Sequence[Span[P]], wanted: Sequence[Span[P]]) -> Revision[P]:
    """Compare the spans known so far with the new timeline and return the smallest change between them."""
    remaining: dict[Span[P], list[int]] = {}
    for index, span in enumerate(stored):
        remaining.setdefault(span, []).append(index)
    add = []
    for span in wanted:
        if indexes := remaining.get(span):
            indexes.pop()
        else:
            add.append(span)
    close = sorted(index for indexes in remaining.values() for index in indexes)
    return Revision(tuple(close), tuple(add))


def spans(breaks: Iterable[date], payload_at: Callable[[date], P | None]) -> list[Span[P]]:
    """Build a timeline from the days on which something may change; equal neighbours are joined, None is a hole."""
    days = sorted(set(breaks))
    result: list[Span[P]] = []
    for index, day in enumerate(days):
        until = days[index + 1] if index + 1 < len(days) else FOREVER
        payload = payload_at(day)
        if payload is None or day >= until:
            continue
        if result and result[-1].effective_until == day and result[-1].payload == payload:
            result[-1] = Span(result[-1].effective_from, until, payload)
        else:
            result.append(Span(day, until, payload))
    return result
