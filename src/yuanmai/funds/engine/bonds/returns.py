"""Net present value, internal rate of return, and the search for a root they and the break-even use (pure)."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal, localcontext

from yuanmai.funds.engine.bonds.terms import ONE, ZERO, exact

TOLERANCE = Decimal("1e-18")
# Where roots are looked for: from −99.99 % to 10,000 % a period, finer where rates live.
GRID = tuple(
    Decimal(entry)
    for entry in (
        "-0.9999", "-0.99", "-0.95", "-0.9", "-0.8", "-0.7", "-0.6", "-0.5", "-0.4", "-0.3", "-0.2", "-0.15", "-0.1", "-0.05", "-0.02",
        "0", "0.01", "0.02", "0.03", "0.04", "0.05", "0.06", "0.08", "0.1", "0.12", "0.15", "0.2", "0.25", "0.3", "0.4", "0.5", "0.75",
        "1", "1.5", "2", "3", "5", "10", "20", "50", "100",
    )
)  # fmt: skip


def root(function: Callable[[Decimal], Decimal], low: Decimal, high: Decimal) -> Decimal:
    """Return where `function` is 0 between `low` and `high`, at which its signs must differ.

    The root stays bracketed all the time: false position in the Illinois form, halving whenever that gains too little, until
    the bracket is narrower than 1e-18. A straight line is solved in one step.
    """
    with localcontext(exact()):
        at_low, at_high = function(low), function(high)
        if not at_low:
            return low
        if not at_high:
            return high
        if (at_low > 0) == (at_high > 0):
            raise ValueError("no change of sign between the bounds")
        side = 0
        for _step in range(400):
            width = high - low
            if abs(width) < TOLERANCE:
                break
            guess = (low * at_high - high * at_low) / (at_high - at_low)
            value = function(guess)
            if not value:
                return guess
            if (value > 0) == (at_high > 0):
                high, at_high = guess, value
                if side > 0:
                    at_low /= 2
                side = 1
            else:
                low, at_low = guess, value
                if side < 0:
                    at_high /= 2
                side = -1
            if abs(high - low) > width / 2:
                middle = (low + high) / 2
                value = function(middle)
                if not value:
                    return middle
                if (value > 0) == (at_high > 0):
                    high, at_high = middle, value
                else:
                    low, at_low = middle, value
                side = 0
        return (low + high) / 2


def npv(rate: Decimal, amounts: Sequence[Decimal]) -> Decimal:
    """Return Σ amount_k ÷ (1 + rate)^k, the first amount at k = 0."""
    with localcontext(exact()):
        worth, factor = ZERO, ONE / (ONE + rate)
        for amount in reversed(amounts):
            worth = worth * factor + amount
        return worth


def xnpv(rate: Decimal, amounts: Sequence[tuple[date, Decimal]]) -> Decimal:
    """Return Σ amount ÷ (1 + rate)^(days since the first day ÷ 365)."""
    first = min(day for day, _amount in amounts)
    with localcontext(exact()) as context:
        context.prec = 34  # powers to a fraction are dear, and 34 digits are far below a cent
        logarithm = (ONE + rate).ln()
        return sum(
            (amount * (-logarithm * (day - first).days / 365).exp() for day, amount in amounts),
            ZERO,
        )


def _roots(function: Callable[[Decimal], Decimal]) -> tuple[Decimal, ...]:
    found = []
    values = [function(entry) for entry in GRID]
    for index in range(len(GRID) - 1):
        if not values[index]:
            found.append(GRID[index])
        elif values[index + 1] and (values[index] > 0) != (values[index + 1] > 0):
            found.append(root(function, GRID[index], GRID[index + 1]))
    return tuple(found)


def irr_all(amounts: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Return every rate found at which the amounts, one a period, are worth nothing; empty where there is none."""
    if not _both_signs(amounts):
        return ()
    return _roots(lambda rate: npv(rate, amounts))


def irr(amounts: Sequence[Decimal]) -> Decimal | None:
    """Return the internal rate of return a period; None where there is none, or more than one (see `irr_all`)."""
    rates = irr_all(amounts)
    return rates[0] if len(rates) == 1 else None


def xirr_all(amounts: Sequence[tuple[date, Decimal]]) -> tuple[Decimal, ...]:
    """Return every yearly rate found at which the dated amounts are worth nothing (actual days ÷ 365)."""
    if not _both_signs([amount for _day, amount in amounts]):
        return ()
    return _roots(lambda rate: xnpv(rate, amounts))


def xirr(amounts: Sequence[tuple[date, Decimal]]) -> Decimal | None:
    """Return the internal rate of return a year of dated amounts; None where there is none, or more than one."""
    rates = xirr_all(amounts)
    return rates[0] if len(rates) == 1 else None


def _both_signs(amounts: Sequence[Decimal]) -> bool:
    return any(amount > 0 for amount in amounts) and any(amount < 0 for amount in amounts)
