"""How a figure's value is written on screens, in documents and in the `display` of the API."""

from decimal import ROUND_HALF_UP, Decimal

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.model import Figure, Result, Unit


def chinese() -> bool:
    """Whether the active language is Chinese."""
    return (get_language() or "zh-hans").startswith("zh")


def rounded(value: Decimal, digits: int) -> Decimal:
    """Round half up, as statistics offices do."""
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def display_value(value: Decimal | None, unit: Unit) -> str:
    """Return a value as text in the active language; an undefined one is a dash."""
    if value is None:
        return "–"
    if unit is Unit.YUAN:
        return yuan_text(value, chinese=chinese())
    if unit is Unit.RATIO:
        return f"{rounded(value * 100, 1):,} %"
    if unit is Unit.POINTS:
        points = rounded(value * 100, 1)
        # A difference that rounds to nothing has no sign.
        return _("%(points)s points") % {"points": f"{points:+,}" if points else "0.0"}
    if unit is Unit.TIMES:
        return f"{rounded(value, 2):,}"
    if unit is Unit.COUNT:
        return f"{rounded(value, 0):,}"
    if unit is Unit.SQUARE_METRES:
        return f"{rounded(value, 2):,} m²"
    if unit is Unit.METRES:
        return f"{rounded(value, 2):,} m"
    # A mean may have any number of decimals; nobody reads more than two, unless it is less than one.
    return f"{rounded(value, 2 if abs(value) >= 1 else 4).normalize():,f}"


def display(figure: Figure, result: Result) -> str:
    """Return a result as text in the active language."""
    return display_value(result.value, figure.unit)
