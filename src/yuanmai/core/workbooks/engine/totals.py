"""Published totals against the rows: every stated sum, count and share of a sheet is computed again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from .values import Percent, agrees


@dataclass(frozen=True, slots=True)
class StatedValue:
    """A figure in a group or total row: yuan for money (`unit` yuan per written unit), a share for a percent."""

    field: str
    cell: str
    column: str
    written: str
    value: Decimal
    unit: Decimal = Decimal(1)
    decimals: int | None = None
    percent: Percent | None = None
    kind: Literal["sum", "count", "share"] = "sum"


@dataclass(frozen=True, slots=True)
class Stated:
    """A row that states sums: the spans of data rows it may mean, the likeliest first."""

    sheet: str
    line: int
    label: str
    spans: tuple[tuple[int, int], ...]
    values: tuple[StatedValue, ...]
    only: tuple[str, object] | None = None  # counts rows with this value only ('新开工项目小计')


@dataclass(frozen=True, slots=True)
class TotalCheck:
    """A stated figure beside the computed one. Money in yuan, shares as fractions, counts as numbers."""

    sheet: str
    cell: str
    row: int
    label: str
    column: str
    field: str
    kind: Literal["sum", "count", "share"]
    stated: Decimal
    computed: Decimal | None
    ok: bool
    rows: int
    written: str

    @property
    def difference(self) -> Decimal:
        """Stated − computed."""
        return self.stated - (self.computed or Decimal(0))


class Contributions:
    """What each data row adds: sums over spans, cached. Sub-projects add through their main project only."""

    def __init__(
        self,
        amounts: Mapping[str, Sequence[Decimal | None]],
        main: Sequence[bool],
        attributes: Mapping[str, Sequence[object]],
        shares: Mapping[str, tuple[str, str]],
    ) -> None:
        self.amounts, self.main, self.attributes, self.shares = amounts, main, attributes, shares
        self._cache: dict[tuple[str, int, int, tuple[str, object] | None], Decimal] = {}

    def _wanted(self, start: int, end: int, only: tuple[str, object] | None) -> list[int]:
        if only is None:
            return [i for i in range(start, end) if self.main[i]]
        values = self.attributes.get(only[0])
        return [i for i in range(start, end) if self.main[i] and values is not None and values[i] == only[1]]

    def total(self, field: str, span: tuple[int, int], only: tuple[str, object] | None) -> Decimal | None:
        """Sum of a money field over the main projects of a span; None for a field the sheet does not have."""
        amounts = self.amounts.get(field)
        if amounts is None:
            return None
        cached = self._cache.get((field, *span, only))
        if cached is None:
            cached = sum((a for i in self._wanted(*span, only) if (a := amounts[i]) is not None), Decimal(0))
            self._cache[(field, *span, only)] = cached
        return cached

    def counts(self, span: tuple[int, int], only: tuple[str, object] | None) -> tuple[int, int]:
        """Number of main projects, and of all rows, in a span."""
        if only is None:
            return sum(self.main[span[0] : span[1]]), span[1] - span[0]
        found = len(self._wanted(*span, only))
        return found, found

    def check(self, stated: Stated) -> list[TotalCheck]:
        """Compare a row of stated figures with the span of rows that explains most of them."""
        spans = [span for span in dict.fromkeys(stated.spans) if span[1] > span[0]] or [(0, 0)]
        best: tuple[int, list[TotalCheck]] | None = None
        for span in spans:
            checks = [c for v in stated.values if (c := self._one(stated, v, span, stated.only))]
            good = sum(c.ok for c in checks)
            if best is None or (good > best[0] and good * 2 > len(checks)):
                best = (good, checks)
        return best[1] if best else []

    def _one(
        self, stated: Stated, value: StatedValue, span: tuple[int, int], only: tuple[str, object] | None
    ) -> TotalCheck | None:
        main, all_rows = self.counts(span, only)
        computed: Decimal | None
        if value.kind == "count":
            same = int(value.value) in (main, all_rows)
            computed, ok = (value.value if same else Decimal(main)), same
        elif value.kind == "share":
            upper, lower = self.shares[value.field]
            a, b = self.total(upper, span, only), self.total(lower, span, only)
            if a is None or not b or value.percent is None:
                return None
            computed = a / b
            ok = agrees(value.percent, computed)
        else:
            computed = self.total(value.field, span, only)
            if computed is None:
                return None
            ok = _same(value, computed)
        return TotalCheck(
            stated.sheet,
            value.cell,
            stated.line,
            stated.label,
            value.column,
            value.field,
            value.kind,
            value.value,
            computed,
            ok,
            main,
            value.written,
        )


def _same(value: StatedValue, computed: Decimal) -> bool:
    """Equal, or equal when the computed sum is rounded to the decimals in which the total is written."""
    if abs(value.value - computed) < Decimal("0.01"):
        return True
    if value.decimals is None or value.unit == 1:
        return False
    shown = (computed / value.unit).quantize(Decimal(1).scaleb(-value.decimals), ROUND_HALF_UP)
    return shown == value.value / value.unit
