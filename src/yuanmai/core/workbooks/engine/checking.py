"""Rules within one row: nothing done beyond the total, no end before the start, shares that agree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from .periods import Period
from .result import Row
from .spec import KindSpec
from .values import Percent, agrees

#: Stands for "the cell as written" until the pass over the sheet is done.
LOOK_UP = "\x00"
#: Parts that were rounded one by one may exceed their whole by a thousandth.
_ROUNDED = Decimal("1.001")


class RowChecks:
    """The cross-field rules of a kind. `report(rule, row, field, value, severity, **params)` takes each breach."""

    def __init__(self, spec: KindSpec, report: Callable[..., None]) -> None:
        self.spec, self.report = spec, report
        self.shares = [f for f in spec.fields.values() if f.check]

    def run(self, row: Row) -> None:
        """Check one row."""
        values, layout = row.values, row.layout
        for rule in self.spec.rules:
            right = values[layout[rule.right]]
            if right is None:
                continue
            if len(rule.left) == 1:
                left = values[layout[rule.left[0]]]
                if left is None or left <= right:
                    continue
            else:
                parts = [p for name in rule.left if (p := values[layout[name]]) is not None]
                left = sum(parts, Decimal(0))
                if not parts or left <= right * _ROUNDED:
                    continue
            late = isinstance(right, date)
            field = rule.right if late or len(rule.left) > 1 else rule.left[0]
            self.report(
                rule.code,
                row,
                field,
                LOOK_UP,
                rule.severity,
                left=_shown(left),
                right=_shown(right),
                left_field=rule.left[0],
                right_field=rule.right,
            )
        for share in self.shares:
            self._share(row, share.code, *share.check)  # type: ignore[misc]

    def _share(self, row: Row, code: str, upper: str, lower: str) -> None:
        stated = row.get(code)
        if not isinstance(stated, Percent):
            return
        a, b = row.get(upper), row.get(lower)
        if a is None or not b:
            return
        if not agrees(stated, a / b):
            digits = stated.digits if stated.digits is not None else 1
            self.report(
                "percent.contradicts",
                row,
                code,
                LOOK_UP,
                "warning",
                stated=str(stated.value),
                computed=str(a / b),
                digits=digits,
            )


def _plain(number: Decimal) -> str:
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _shown(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return _plain(value) if isinstance(value, Decimal) else str(value)


def derive(rows: Sequence[Row], spec: KindSpec, period: Period) -> None:
    """Fill what follows from the rest: the year's amount in January, the total since the start, a main project's sums.

    Only empty fields are filled, and only where nothing else could be meant.
    """
    if not rows or "investment_done" not in rows[0].layout:
        return
    layout = rows[0].layout
    year, month, total, before = (
        layout[f] for f in ("investment_done", "investment_done_month", "done_total", "done_before")
    )
    january = period.as_of is not None and period.as_of.month == 1
    children: dict[int, list[Row]] = {}
    for row in rows:
        if row.parent is not None:
            children.setdefault(row.parent, []).append(row)
        values = row.values
        if values[year] is None and values[month] is not None and january:
            values[year] = values[month]
        if values[total] is None and values[before] is not None and values[year] is not None:
            values[total] = values[before] + values[year]
    summed = [layout[f.code] for f in spec.fields.values() if f.summed]
    for position, parts in children.items():
        main = rows[position].values
        for slot in summed:
            if main[slot] is None:
                amounts = [a for part in parts if (a := part.values[slot]) is not None]
                if amounts:
                    main[slot] = sum(amounts, Decimal(0))
