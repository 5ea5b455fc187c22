"""The columns of the offering file: so many years one by one, and all later ones together as 及以后 (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from yuanmai.funds.engine.bonds.coverage import Row
from yuanmai.funds.engine.bonds.terms import ZERO, exact


@dataclass(frozen=True, slots=True)
class Columns:
    """`rows` stand one by one; `later` is the sum of the rest (its `year` is the first of them), None where nothing is left."""

    rows: tuple[Row, ...]
    later: Row | None
    beyond: int  # how many rows are in `later`


def fold_beyond(rows: Sequence[Row], horizon: int) -> Columns:
    """Return the rows of the first `horizon` years, counted from the first row's, and the sum of those after."""
    if not rows:
        return Columns((), None, 0)
    end = rows[0].year + horizon
    within = tuple(row for row in rows if row.year < end)
    rest = rows[len(within) :]
    if not rest:
        return Columns(within, None, 0)
    with localcontext(exact()):

        def whole(name: str) -> Decimal:
            return sum((getattr(row, name) for row in rest), ZERO)

        net, due = whole("net_revenue"), whole("debt_service")
        later = Row(
            rest[0].year, whole("revenue"), whole("operating_cost"), whole("tax"), net,
            whole("interest"), whole("principal"), due, whole("bond_service"),
            net / due if due else None, rest[-1].cumulative_balance,
        )  # fmt: skip
    return Columns(within, later, len(rest))
