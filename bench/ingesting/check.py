"""What was acknowledged against what is in the lake."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.ingesting.clients import Client, Source, shift_of
from bench.ingesting.home import Rows


@dataclass
class Verdict:
    """Numbers of readings."""

    acknowledged: int = 0
    there: int = 0
    lost: int = 0
    wrong: int = 0
    replayed: int = 0  # rows of one record that are there more than once: a replay that was not noticed
    repeated: int = 0  # sent again by the device after a broken connection: several records, one reading
    foreign: int = 0  # readings nobody sent

    @property
    def holds(self) -> bool:
        """Whether every acknowledged reading is there, once, and right."""
        return not (self.lost or self.wrong or self.replayed or self.foreign)

    def figures(self) -> dict[str, int]:
        """For a line of the report."""
        return {
            "acknowledged": self.acknowledged,
            "lost": self.lost,
            "wrong": self.wrong,
            "doubled": self.replayed,
            "foreign": self.foreign,
        }


def verify(source: Source, clients: list[Client], points: dict[str, list[int]], rows: Rows) -> Verdict:
    """Compare all readings of all clients with the rows of the lake."""
    found = Verdict()
    keys = rows.keys()
    order = np.lexsort((rows.sequence, keys))
    keys, sequence, value = keys[order], rows.sequence[order], rows.value[order]
    same = keys[1:] == keys[:-1]
    found.replayed = int((same & (sequence[1:] == sequence[:-1])).sum())
    found.repeated = int(same.sum()) - found.replayed
    first = np.r_[True, ~same] if len(keys) else np.empty(0, np.bool_)
    keys, value = keys[first], value[first]
    found.there = len(keys)
    possible = 0
    for client in clients:
        numbers = np.flatnonzero(client.acknowledged) + client.first
        sent = np.arange(client.first, client.first + client.next)
        for place, point in enumerate(points[client.key]):
            found.acknowledged += len(numbers)
            wanted = point * 10_000_000_000 + source.base + numbers
            where = np.searchsorted(keys, wanted)
            where[where == len(keys)] = 0
            here = keys[where] == wanted if len(keys) else np.zeros(len(wanted), np.bool_)
            found.lost += int((~here).sum())
            found.wrong += int(
                (
                    ~np.isclose(
                        value[where[here]],
                        source.expected(numbers[here] + shift_of(client.key), place),
                        rtol=0,
                        atol=1e-9,
                    )
                ).sum()
            )
            begin, end = np.searchsorted(keys, [point * 10_000_000_000, (point + 1) * 10_000_000_000])
            possible += int(np.isin(keys[begin:end], point * 10_000_000_000 + source.base + sent).sum())
    found.foreign = found.there - possible
    return found
