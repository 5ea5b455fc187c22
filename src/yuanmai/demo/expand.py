"""Deterministic division of published wholes into made-up parts that add up to them exactly (pure)."""

import hashlib
from collections.abc import Sequence
from decimal import Decimal


def weights(count: int, seed: int) -> list[int]:
    """Return `count` numbers between 500 and 1500 that depend on `seed` alone."""
    numbers = []
    for index in range(count):
        digest = hashlib.sha256(f"{seed}:{index}".encode()).digest()
        numbers.append(500 + int.from_bytes(digest[:4]) % 1001)
    return numbers


def paced(parts: Sequence[int | Decimal], seed: int, runs: Sequence[bool]) -> list[int]:
    """Return weights for what was done of `parts` (plans): each at a pace of its own (±15 %), nothing where nothing runs."""
    pace = weights(len(parts), seed)
    return [
        int(part * (850 + (p - 500) * 3 // 10) / 1000) if run else 0
        for part, p, run in zip(parts, pace, runs, strict=True)
    ]


def split(total: Decimal, parts: Sequence[int], step: Decimal) -> list[Decimal]:
    """Divide `total` in proportion to `parts` into multiples of `step`; the largest part takes what is left over.

    Raises `ValueError` when there is something to divide and nothing to divide it by.
    """
    whole = sum(parts)
    if whole <= 0:
        if total:
            raise ValueError(f"{total} cannot be divided among parts without weight")
        return [Decimal(0)] * len(parts)
    amounts = [total * part / whole // step * step for part in parts]
    largest = max(range(len(parts)), key=lambda index: parts[index])
    amounts[largest] += total - sum(amounts)
    return amounts
