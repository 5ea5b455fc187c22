"""How amounts, rates and lists are written in a bulletin (pure)."""

from collections.abc import Sequence
from decimal import Decimal

from yuanmai.common.money import WAN, YI
from yuanmai.core.documents.text import rounded


def money(amount: Decimal | None, language: str) -> str:
    """An amount in yuan as the text writes it: 74.71亿元, 0.80亿元, 350万元; CNY 7.471 billion, CNY 80.00 million.

    亿元 begins at 10 million yuan, so that the amounts of one sentence mostly share a unit.
    """
    if amount is None:
        return "—"
    size = abs(amount)
    if language == "zh":
        if size >= YI / 10:
            return f"{rounded(amount / YI, 2)}亿元"
        text = f"{rounded(amount / WAN, 2)}"
        return f"{text.rstrip('0').rstrip('.') if '.' in text else text}万元"
    if size >= 10 * YI:
        return f"CNY {rounded(amount / (10 * YI), 3):,} billion"
    return f"CNY {rounded(amount / 1_000_000, 2):,} million"


def percent(rate: Decimal | None) -> str:
    """A fraction as a percentage with one decimal: 25.0%."""
    return "—" if rate is None else f"{rounded(rate * 100, 1)}%"


def points(difference: Decimal) -> Decimal:
    """A difference of fractions in percentage points with one decimal."""
    return rounded(difference * 100, 1) + Decimal(0)


def some(names: Sequence[str], language: str, most: int = 5) -> str:
    """The first names of a list and, where there are more, that there are: 甲、乙、丙等7个."""
    shown = list(names[:most])
    if language == "zh":
        return "、".join(shown) + (f"等{len(names)}个" if len(names) > most else "")
    if len(names) > most:
        return ", ".join(shown) + f" and {len(names) - most} more"
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + f" and {shown[-1]}"


def unit_of(amount: Decimal | None) -> Decimal:
    """The unit of a summary table: 亿元 where the whole reaches it, else 万元."""
    return YI if (amount or Decimal(0)) >= YI else WAN
