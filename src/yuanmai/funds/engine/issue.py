"""What is wrong or unusual in the terms of an issue, as entered (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext

from yuanmai.funds.engine.bonds.faults import LONGEST
from yuanmai.funds.engine.bonds.schedule import add_months
from yuanmai.funds.engine.bonds.terms import ONE, ZERO, Rules, exact
from yuanmai.projects.engine.checks import ERROR, WARNING, Issue

INSTALMENTS = "instalments"
HIGHEST_FEE = Decimal("0.05")
GREATEST = Decimal(10) ** 15  # what the column holds, in yuan


@dataclass(frozen=True, slots=True)
class Part:
    """A share of the principal that is repaid at the end of a year of the term (1 is the first)."""

    year: int
    share: Decimal


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of an issue as someone entered them; None is what nobody has said. Amounts in yuan, rates as fractions."""

    amount: Decimal | None
    rate: Decimal | None
    term_years: int | None
    tendered_on: date | None
    value_date: date | None
    frequency: int
    repayment: str
    instalments: Sequence[Part] = ()
    matures_on: date | None = None
    fees: Sequence[tuple[str, Decimal]] = ()


def check_terms(terms: Terms, rules: Rules, next_working_day: date | None) -> list[Issue]:
    """Return every fault (error) and oddity (warning) of the terms, by field.

    `next_working_day` is the first interbank working day after the tender, None where there is no tender.
    """
    return [
        *_numbers(terms, rules),
        *_dates(terms, next_working_day),
        *_customs(terms, rules),
        *_instalments(terms),
    ]


def _numbers(terms: Terms, rules: Rules) -> Iterator[Issue]:
    for name in ("amount", "rate", "term_years", "tendered_on", "value_date"):
        if getattr(terms, name) is None:
            yield Issue(name, "missing", ERROR)
    if terms.amount is not None and terms.amount <= 0:
        yield Issue("amount", "not_positive", ERROR)
    if terms.amount is not None and terms.amount >= GREATEST:
        yield Issue("amount", "too_large", ERROR)
    if terms.rate is not None:
        if terms.rate < 0:
            yield Issue("rate", "negative", ERROR)
        elif terms.rate > rules.highest_rate:
            yield Issue("rate", "rate_too_high", ERROR, {"percent": _percent(rules.highest_rate)})
        elif terms.rate == 0:
            yield Issue("rate", "rate_zero", WARNING)
    if terms.term_years is not None and not 1 <= terms.term_years <= LONGEST:
        yield Issue("term_years", "term_out_of_range", ERROR, {"limit": LONGEST})
    for name, fee in terms.fees:
        if not 0 <= fee <= HIGHEST_FEE:
            yield Issue(name, "fee_out_of_range", ERROR, {"percent": _percent(HIGHEST_FEE)})


def _dates(terms: Terms, next_working_day: date | None) -> Iterator[Issue]:
    tender, value = terms.tendered_on, terms.value_date
    if value is None:
        return
    if terms.matures_on is not None and terms.matures_on <= value:
        yield Issue("value_date", "after_maturity", ERROR, {"maturity": terms.matures_on})
    elif terms.matures_on is not None and terms.term_years and 1 <= terms.term_years <= LONGEST:
        computed = add_months(value, 12 * terms.term_years)
        if computed != terms.matures_on:
            yield Issue("matures_on", "maturity_disagrees", ERROR, {"expected": computed})
    if tender is None:
        return
    if value < tender:
        yield Issue("value_date", "before_tender", ERROR, {"tender": tender})
    elif next_working_day is not None and value != next_working_day:
        yield Issue("value_date", "not_next_working_day", WARNING, {"expected": next_working_day})


def _customs(terms: Terms, rules: Rules) -> Iterator[Issue]:
    term = terms.term_years
    if term is None or not 1 <= term <= LONGEST:
        return
    if term not in rules.terms:
        allowed = ", ".join(map(str, rules.terms))
        yield Issue("term_years", "term_not_in_use", WARNING, {"value": term, "allowed": allowed})
    if terms.frequency != (2 if term >= rules.semiannual_from else 1):
        yield Issue("frequency", "frequency_unusual", WARNING, {"limit": rules.semiannual_from})


def _instalments(terms: Terms) -> Iterator[Issue]:
    if terms.repayment != INSTALMENTS:
        if terms.instalments:
            yield Issue("instalments", "instalments_not_meant", ERROR)
        return
    if not terms.instalments:
        yield Issue("instalments", "instalments_missing", ERROR)
        return
    seen: set[int] = set()
    for part in terms.instalments:
        if part.year in seen:
            yield Issue("instalments", "instalment_twice", ERROR, {"year": part.year})
        seen.add(part.year)
        if terms.term_years is not None and not 1 <= part.year <= terms.term_years:
            yield Issue(
                "instalments", "instalment_outside", ERROR, {"year": part.year, "limit": terms.term_years}
            )
        if part.share <= 0:
            yield Issue("instalments", "instalment_not_positive", ERROR, {"year": part.year})
    with localcontext(exact()):
        whole = sum((part.share for part in terms.instalments), ZERO)
        if whole != ONE:
            yield Issue(
                "instalments",
                "instalments_do_not_add_up",
                ERROR,
                {"percent": _percent(whole), "difference": _percent(ONE - whole)},
            )


def _percent(share: Decimal) -> str:
    text = f"{share * 100:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
