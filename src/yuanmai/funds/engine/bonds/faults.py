"""What makes a tranche or a loan impossible; every fault at once (pure)."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal, localcontext

from yuanmai.funds.engine.bonds.schedule import coupon_dates, maturity, planned_principal
from yuanmai.funds.engine.bonds.terms import ZERO, Fault, Loan, Plan, Repayment, Tranche, exact

FREQUENCIES = (0, 1, 2, 4, 12)
# Longer than any bond; it keeps dates and loops bounded.
LONGEST = 100
FIRST_DAY, LAST_DAY = date(1950, 1, 1), date(2200, 12, 31)
GREATEST = Decimal(10) ** 18
# Instalments typed with four decimals of 万元 may miss the principal by that much and no more.
TOLERANCE = Decimal("1e-6")


def plan_faults(plan: Plan, highest_rate: Decimal) -> list[Fault]:
    """Return everything that is impossible in a plan; paths as in its JSON document."""
    faults: list[Fault] = []
    for group, names in (
        ("tranches", [entry.id for entry in plan.tranches]),
        ("loans", [entry.id for entry in plan.loans]),
    ):
        faults += [
            Fault(f"{group}[{index}].id", name, "duplicate_id")
            for index, name in enumerate(names)
            if name in names[:index]
        ]
    for index, tranche in enumerate(plan.tranches):
        faults += tranche_faults(tranche, highest_rate, f"tranches[{index}].")
    for index, loan in enumerate(plan.loans):
        faults += loan_faults(loan, highest_rate, f"loans[{index}].")
    years: set[int] = set()
    for index, year in enumerate(plan.years):
        if year.year in years:
            faults.append(Fault(f"years[{index}].year", year.year, "duplicate_year"))
        years.add(year.year)
    return faults


def tranche_faults(tranche: Tranche, highest_rate: Decimal, path: str = "") -> list[Fault]:
    """Return everything that is impossible in a tranche; an empty list says that the engine can compute it."""
    faults = list(_numbers(tranche.principal, tranche.rate, highest_rate, path))
    if not 1 <= tranche.term_years <= LONGEST:
        faults.append(Fault(f"{path}term_years", tranche.term_years, "term_out_of_range", {"limit": LONGEST}))
    if tranche.frequency not in FREQUENCIES:
        faults.append(Fault(f"{path}frequency", tranche.frequency, "unknown_frequency"))
    if not FIRST_DAY <= tranche.value_date <= LAST_DAY:
        faults.append(Fault(f"{path}value_date", tranche.value_date, "date_out_of_range"))
    if not faults:  # what follows counts periods
        faults += _periods(tranche, path)
        faults += _instalments(tranche, path)
    if not faults:
        faults += _redemptions(tranche, path)
    return faults


def loan_faults(loan: Loan, highest_rate: Decimal, path: str = "") -> list[Fault]:
    """Return everything that is impossible in a loan."""
    faults = list(_numbers(loan.principal, loan.rate, highest_rate, path))
    if loan.frequency not in FREQUENCIES[1:]:
        faults.append(Fault(f"{path}frequency", loan.frequency, "unknown_frequency"))
    elif not 1 <= loan.periods <= LONGEST * loan.frequency:
        faults.append(Fault(f"{path}periods", loan.periods, "term_out_of_range", {"limit": LONGEST}))
    if loan.kind is Repayment.INSTALMENTS:
        faults.append(Fault(f"{path}kind", loan.kind.value, "unknown_repayment"))
    if not 0 <= loan.grace_periods < max(loan.periods, 1):
        faults.append(Fault(f"{path}grace_periods", loan.grace_periods, "grace_too_long"))
    if loan.drawn_on and not FIRST_DAY <= loan.drawn_on <= LAST_DAY:
        faults.append(Fault(f"{path}value_date", loan.drawn_on, "date_out_of_range"))
    if loan.first_year is not None and not FIRST_DAY.year <= loan.first_year <= LAST_DAY.year:
        faults.append(Fault(f"{path}first_year", loan.first_year, "date_out_of_range"))
    return faults


def _numbers(principal: Decimal, rate: Decimal, highest_rate: Decimal, path: str) -> Iterator[Fault]:
    if principal <= 0:
        yield Fault(f"{path}principal", principal, "not_positive")
    elif principal > GREATEST:
        yield Fault(f"{path}principal", principal, "too_large")
    if rate < 0:
        yield Fault(f"{path}rate", rate, "negative")
    elif rate > highest_rate:
        yield Fault(f"{path}rate", rate, "rate_too_high", {"percent": highest_rate * 100})


def _periods(tranche: Tranche, path: str) -> Iterator[Fault]:
    if not 0 <= tranche.grace_periods < tranche.periods:
        yield Fault(f"{path}grace_periods", tranche.grace_periods, "grace_too_long")
    every = tranche.principal_every
    if not 1 <= every <= tranche.periods or (every > 1 and tranche.repayment is Repayment.LEVEL_PAYMENT):
        yield Fault(f"{path}principal_frequency", every, "principal_frequency")


def _instalments(tranche: Tranche, path: str) -> Iterator[Fault]:
    if tranche.repayment is not Repayment.INSTALMENTS:
        if tranche.instalments:
            yield Fault(
                f"{path}instalments",
                len(tranche.instalments),
                "instalments_not_meant",
                {"kind": tranche.repayment.value},
            )
        return
    if not tranche.instalments:
        yield Fault(f"{path}instalments", None, "missing")
        return
    whole = ZERO
    for index, entry in enumerate(tranche.instalments):
        if not 1 <= entry.period <= tranche.periods:
            yield Fault(
                f"{path}instalments[{index}]",
                entry.period,
                "instalment_outside_life",
                {"limit": tranche.periods},
            )
        if entry.principal < 0:
            yield Fault(f"{path}instalments[{index}].principal", entry.principal, "negative")
        with localcontext(exact()):
            whole += entry.principal
    if abs(whole - tranche.principal) > TOLERANCE:
        yield Fault(
            f"{path}instalments",
            whole,
            "instalments_do_not_add_up",
            {"expected": tranche.principal, "difference": whole - tranche.principal},
        )


def _redemptions(tranche: Tranche, path: str) -> Iterator[Fault]:
    last = maturity(tranche)
    ordered = sorted(enumerate(tranche.early_redemptions), key=lambda pair: pair[1].date)
    sound = True
    for index, entry in ordered:
        where = f"{path}early_redemption[{index}]"
        if not tranche.value_date < entry.date < last:
            sound = False
            yield Fault(
                f"{where}.date",
                entry.date,
                "redemption_outside_life",
                {"start": tranche.value_date, "end": last},
            )
        if entry.principal is not None and entry.principal <= 0:
            sound = False
            yield Fault(f"{where}.principal", entry.principal, "not_positive")
    if sound and ordered:
        yield from _beyond_outstanding(tranche, path)


def _beyond_outstanding(tranche: Tranche, path: str) -> Iterator[Fault]:
    """Walk through repayments and redemptions and find the one that redeems more than is left."""
    with localcontext(exact()):
        plan = list(zip(coupon_dates(tranche), planned_principal(tranche), strict=True))
        outstanding, scale = tranche.principal, Decimal(1)
        for index, entry in sorted(enumerate(tranche.early_redemptions), key=lambda pair: pair[1].date):
            while plan and plan[0][0] <= entry.date:
                outstanding -= plan.pop(0)[1] * scale
            wanted = outstanding if entry.principal is None else entry.principal
            if wanted > outstanding + TOLERANCE or outstanding <= 0:
                yield Fault(
                    f"{path}early_redemption[{index}].principal", wanted, "redemption_over_outstanding", {"outstanding": outstanding}
                )  # fmt: skip
                return
            scale *= (outstanding - wanted) / outstanding
            outstanding -= wanted
