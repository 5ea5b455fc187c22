"""What a special bond, a loan beside it and a project's plan are made of (pure).

All amounts of one plan are in one unit, yuan in the program, 万元 or any other in a file: the engine never converts. Rates are
fractions a year (0.0253 for 2.53 %). Numbers are `Decimal`; nothing is rounded (see `exact`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from enum import StrEnum
from typing import Any

ZERO, ONE = Decimal(0), Decimal(1)


def exact() -> Context:
    """Return the arithmetic of this engine: 50 significant digits.

    Sums, products and the divisions by 1, 2, 4 coupons a year of amounts in use are exact in it; a level payment or a third
    of a sum is right to more than 40 digits, and the last repayment takes what is left, so that principal adds up exactly.
    """
    return Context(prec=50)


class Repayment(StrEnum):
    """How principal comes back."""

    BULLET = "bullet"  # 到期一次还本
    INSTALMENTS = "instalments"  # 分期还本
    EQUAL_PRINCIPAL = "equal_principal"  # 等额本金
    LEVEL_PAYMENT = "level_payment"  # 等额本息


@dataclass(frozen=True, slots=True)
class Instalment:
    """`principal` is repaid at the end of coupon period `period` (1 is the first)."""

    period: int
    principal: Decimal


@dataclass(frozen=True, slots=True)
class EarlyRedemption:
    """`principal` is redeemed on `date`, ahead of its time; None redeems all that is outstanding.

    Redeemed on a coupon date, the coupon is paid on all that was outstanding. Between two coupon dates the interest accrued
    on the redeemed part (ACT/ACT ICMA) is paid with it, and it bears none from that day on. Every later repayment shrinks in
    the same proportion: the final one of a bullet, each instalment; a level payment is thereby the annuity of what is left.
    """

    date: date
    principal: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Tranche:
    """One issue of bonds. Valid when `check.tranche_faults` says so; the other functions rely on that.

    `frequency` is the number of coupons a year: 1, 2, 4, 12, or 0 for one payment of all (simple) interest at maturity.
    `grace_periods` coupon periods bear interest only; after them equal principal is repaid every `principal_every` periods.
    `instalments` are for `Repayment.INSTALMENTS`; what they leave is not repaid at maturity silently: it is a fault.
    """

    id: str
    principal: Decimal
    rate: Decimal
    value_date: date
    term_years: int
    frequency: int
    repayment: Repayment = Repayment.BULLET
    instalments: tuple[Instalment, ...] = ()
    early_redemptions: tuple[EarlyRedemption, ...] = ()
    grace_periods: int = 0
    principal_every: int = 1

    @property
    def periods(self) -> int:
        """The number of coupon periods."""
        return self.term_years * self.frequency if self.frequency else 1

    @property
    def months(self) -> int:
        """The length of a coupon period in months."""
        return 12 // self.frequency if self.frequency else 12 * self.term_years


@dataclass(frozen=True, slots=True)
class Loan:
    """Market debt beside the bonds: `periods` payments, `frequency` of them a year.

    Its payments lie in time when `drawn_on` is given (period k is due k periods after it) or `first_year` (the year of the
    first payment). Without either the loan counts in the coverage of all debt and stands in no year.
    """

    id: str
    principal: Decimal
    rate: Decimal
    periods: int
    kind: Repayment
    frequency: int = 1
    drawn_on: date | None = None
    first_year: int | None = None
    grace_periods: int = 0


@dataclass(frozen=True, slots=True)
class Year:
    """What the project earns and spends in a year: no depreciation, no cost of finance."""

    year: int
    revenue: Decimal
    operating_cost: Decimal
    tax: Decimal

    @property
    def net_revenue(self) -> Decimal:
        """Income available for debt service: revenue − operating cost − tax."""
        return self.revenue - self.operating_cost - self.tax


@dataclass(frozen=True, slots=True)
class Fees:
    """Shares of an amount: `issue` and `registration` of what is issued, `redemption` of every payment (interest + principal)."""

    issue: Decimal = ZERO
    registration: Decimal = ZERO
    redemption: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Investment:
    """The estimate of a project and where its money comes from; None is what nobody has said."""

    total: Decimal | None = None
    capital: Decimal | None = None
    other_debt: Decimal | None = None
    # Year → what is built in it; year → bond money used as project capital in it.
    outlays: Mapping[int, Decimal] = field(default_factory=dict)
    bonds_as_capital: Mapping[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """All that the debt service and its coverage follow from.

    `operation_start` is the first day of operation, or its first year (1 January is meant).
    """

    tranches: tuple[Tranche, ...]
    loans: tuple[Loan, ...] = ()
    years: tuple[Year, ...] = ()
    fees: Fees = Fees()
    operation_start: date | int | None = None
    investment: Investment = Investment()


@dataclass(frozen=True, slots=True)
class Rules:
    """What places and times decide; a row of data with its source, never a constant of the program."""

    terms: tuple[int, ...]  # terms in years that may be issued
    semiannual_from: int  # from this term on interest is semi-annual unless said otherwise
    highest_rate: Decimal  # above it a rate is taken for a slip of the pen
    coverage_lower: Decimal  # bond service
    coverage_upper: Decimal  # above it the income is suspicious
    all_debt_lower: Decimal
    horizon: int  # years with a column of their own in the offering file


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in what was given: where (``tranches[0].rate``), the value, the rule's code, what its sentence needs."""

    path: str
    value: Any
    rule: str
    params: Mapping[str, Any] = field(default_factory=dict)
