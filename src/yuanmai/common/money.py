"""Money: yuan inside, 万元 and 亿元 on screens and in files."""

from decimal import ROUND_HALF_UP, Decimal

WAN = Decimal(10_000)
YI = Decimal(100_000_000)
CENT = Decimal("0.01")


def to_cents(amount: Decimal) -> Decimal:
    """Return an amount in yuan rounded half up to the cent."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def grouped(amount: Decimal, digits: int) -> str:
    """Return a number with thousands separators and exactly `digits` decimals, rounded half up."""
    return f"{amount.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP):,}"


def trimmed(amount: Decimal, digits: int) -> str:
    """Return a number with thousands separators and at most `digits` decimals."""
    text = grouped(amount, digits)
    return text.rstrip("0").rstrip(".") if "." in text else text


def yuan_text(amount: Decimal, *, chinese: bool = True) -> str:
    """Return an amount in yuan the way officials read it: 74.71 亿元, 8,000 万元, 350 元; in English CNY 7.471 bn."""
    size = abs(amount)
    if chinese:
        if size >= YI:
            return f"{grouped(amount / YI, 2)} 亿元"
        if size >= WAN:
            return f"{trimmed(amount / WAN, 2)} 万元"
        return f"{trimmed(amount, 2)} 元"
    if size >= 10 * YI:
        return f"CNY {grouped(amount / (10 * YI), 3)} bn"
    if size >= 1_000_000:
        return f"CNY {grouped(amount / 1_000_000, 2)} m"
    return f"CNY {trimmed(amount, 2)}"
