"""Quotients of a project, each written once: the figure sums its two sides over many rows, a row asks it of itself.

`figures.py` builds the expressions of `projects.completion_rate` from :data:`COMPLETION`, the library, the record page and the
lights call :meth:`Rate.of`; so a single project's rate and the figure narrowed to that project cannot differ.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True)
class Rate:
    """A quotient of two amounts: `numerator` and `denominator` name the fields of a project's state that hold them.

    An amount that is not stated counts as 0; where the denominator is 0 the rate is undefined; nothing is clamped.
    """

    numerator: str
    denominator: str

    def of(self, numerator: Decimal | None, denominator: Decimal | None) -> Fraction | None:
        """Return the exact rate of one project, or None where it is undefined."""
        if not denominator:
            return None
        return Fraction(numerator or Decimal(0)) / Fraction(denominator)

    def value(self, row: object) -> Decimal | None:
        """Return the rate of a row that has the two fields, to the precision of a figure; None where it is undefined."""
        rate = self.of(getattr(row, self.numerator), getattr(row, self.denominator))
        return None if rate is None else Decimal(rate.numerator) / Decimal(rate.denominator)


COMPLETION = Rate("investment_done", "planned_investment")
