"""From funding facts to spans (pure)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.core.engine.temporal import Span, spans

Key = tuple[str, str, int | None, str]


@dataclass(frozen=True)
class FundingLine:
    """From `effective_on` the source `key` (source, security, year, tranche) amounts to `amount` yuan."""

    id: int
    effective_on: date
    key: Key
    amount: Decimal


def fold(lines: Sequence[FundingLine]) -> list[Span[tuple[tuple[str, Any], ...]]]:
    """Return the spans of one project's sources; lines come in the order of recording, zero amounts leave no span."""
    by_key: dict[Key, list[FundingLine]] = defaultdict(list)
    for line in lines:
        by_key[line.key].append(line)
    result: list[Span[tuple[tuple[str, Any], ...]]] = []
    for key, group in by_key.items():
        ordered = sorted(group, key=lambda line: line.effective_on)

        def payload(
            day: date, ordered: list[FundingLine] = ordered, key: Key = key
        ) -> tuple[tuple[str, Any], ...] | None:
            line = [entry for entry in ordered if entry.effective_on <= day][-1]
            if not line.amount:
                return None
            source, security, year, tranche = key
            return (
                ("amount", line.amount),
                ("fact_id", line.id),
                ("security", security),
                ("source", source),
                ("tranche", tranche),
                ("year", year),
            )

        result += spans((line.effective_on for line in ordered), payload)
    return result
