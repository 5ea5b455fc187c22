"""The sentences of the bond engine: faults, remarks and checks by their codes (pure).

The engine marks English sentences; whoever shows them passes the translation in: Django's `gettext` on a page, the room's catalogue
in a command.
"""

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.funds.engine.bonds.checks import Check
from yuanmai.funds.engine.bonds.terms import Fault


def _(message: str) -> str:
    """Mark a message for translation."""
    return message


FAULTS: dict[str, str] = {
    "not_json": _("This is not JSON: %(reason)s."),
    "unreadable": _("The file cannot be read: %(reason)s."),
    "duplicate_key": _("This stands twice in the document; which one is meant?"),
    "missing": _("This is missing."),
    "not_an_object": _("An object {…} is expected here."),
    "not_a_list": _("A list […] is expected here."),
    "not_a_number": _("This is not a number. Write it like 1234.56, without a unit."),
    "not_a_whole_number": _("A whole number is expected here."),
    "not_a_date": _("This is not a date. Write it like 2024-06-19."),
    "not_positive": _("Must be greater than 0."),
    "negative": _("Must not be negative."),
    "too_large": _("Larger than any amount of money; check the unit."),
    "rate_too_high": _("The rate is above %(percent)s %%. Write 2.53 %% as 0.0253."),
    "fee_too_high": _("The fee is above %(percent)s %% of the amount. Write 0.08 %% as 0.0008."),
    "term_out_of_range": _("The term must be from 1 to %(limit)s years."),
    "unknown_frequency": _("Interest is paid 1, 2, 4 or 12 times a year, or 0: once, at maturity."),
    "unknown_repayment": _(
        "Unknown kind of repayment. Known are bullet, instalments (of a tranche), equal_principal, level_payment."
    ),
    "date_out_of_range": _("This lies too far in the past or the future."),
    "value_date_after_maturity": _("The value date does not lie before the maturity %(maturity)s."),
    "maturity_disagrees": _("Value date and term lead to %(expected)s."),
    "grace_too_long": _("The time without repayment must be shorter than the life."),
    "principal_frequency": _("Principal cannot be repaid that often here."),
    "instalments_not_meant": _("Instalments are given, but the repayment is “%(kind)s”."),
    "not_instalments": _(
        "Instalments are a list, an object from years to amounts, or the number of the last years with equal ones."
    ),
    "too_many_instalments": _("There are more instalments than coupon dates (%(limit)s)."),
    "instalment_outside_life": _(
        "There is no such time in the life of the tranche (coupon periods: %(limit)s)."
    ),
    "instalments_do_not_add_up": _(
        "The instalments add up to %(value)s, the principal is %(expected)s: a difference of %(difference)s."
    ),
    "not_a_coupon_date": _(
        "Instalments are repaid on coupon dates, and this is none. Give it as an early redemption."
    ),
    "not_redemptions": _("Early redemptions are an object with date and amount, or a list of them."),
    "redemption_outside_life": _("Early redemption is possible after %(start)s and before %(end)s."),
    "redemption_over_outstanding": _("More is redeemed than is outstanding on that day: %(outstanding)s."),
    "duplicate_id": _("This name is used twice."),
    "duplicate_year": _("This year stands twice."),
}

NOTES: dict[str, str] = {
    "not_understood": _("Nothing is known by this name; it was left out of account."),
    "frequency_by_term": _(
        "Payments a year were not given: by custom half-yearly from %(limit)s years on, yearly below."
    ),
    "bullet_assumed": _("The repayment was not given: all at maturity was taken."),
    "loan_outside_years": _(
        "The loan has no date: it counts in the coverage of all debt, and stands in no year of the table."
    ),
    "no_operation_start": _(
        "Nobody has said when operation starts: all interest counts as that of the operating period."
    ),
    "calendar_ends": _(
        "Days off are known by notice from %(first)s to %(last)s. In other years payment days respect weekends and fixed feasts only."
    ),
}

CHECKS: dict[str, str] = {
    "principal_repaid": _("Principal repaid (%(value)s) equals what is issued (%(expected)s)"),
    "loan_repaid": _("Principal of the loan repaid (%(value)s) equals what is borrowed (%(expected)s)"),
    "term_in_use": _("The term of %(value)s years is one of those in use (%(allowed)s)"),
    "capital_within_estimate": _("Project capital (%(value)s) is not above the total investment (%(limit)s)"),
    "sources_add_up": _(
        "Capital, bonds and other debt (%(value)s) make up the total investment (%(expected)s)"
    ),
    "bonds_within_estimate": _("Bonds (%(value)s) are not above the total investment (%(limit)s)"),
    "bonds_as_capital_within_issue": _(
        "Bond money used as capital (%(value)s) is not above the bonds issued in the year (%(limit)s)"
    ),
    "issued_during_construction": _("Issued on %(value)s, before operation starts on %(limit)s"),
    "construction_interest_within_outlay": _(
        "Interest of the construction period (%(value)s) is not above the outlay of construction (%(limit)s)"
    ),
    "cost_share_plausible": _("Operating cost ÷ revenue (%(value)s) lies between 0 and 1"),
    "coverage_at_least": _("Coverage (%(value)s) is not below %(limit)s"),
    "coverage_at_most": _("Coverage (%(value)s) is not above %(limit)s: higher ones are suspicious"),
    "all_debt_at_least": _("Coverage of all debt (%(value)s) is not below %(limit)s"),
    "no_gap_year": _(
        "No year has a negative cumulative balance (lowest: %(value)s in %(year)s; years below 0: %(years)s)"
    ),
    "income_within_life": _(
        "All income lies within the life of the debt (outside, and not counted: %(value)s)"
    ),
    "within_horizon": _(
        "The table fits into %(limit)s yearly columns (years in the last one, 及以后: %(value)s)"
    ),
}

Translate = Callable[[str], str]


def fault_message(translate: Translate, fault: Fault) -> str:
    """Return the sentence of a fault."""
    return translate(FAULTS[fault.rule]) % _written({"value": fault.value, **fault.params})


def note_message(translate: Translate, note: Fault) -> str:
    """Return the sentence of a remark on how the document was understood."""
    return translate(NOTES[note.rule]) % _written({"value": note.value, **note.params})


def check_message(translate: Translate, check: Check) -> str:
    """Return what a check demands, with its numbers; whether it holds stands in `check.passed`."""
    return translate(CHECKS[check.code]) % _written(check.params)


def written(value: Any) -> str:
    """Return a value as sentences show it: numbers to six decimals without trailing zeros, lists with commas."""
    if isinstance(value, Decimal):
        if not value.is_finite() or value.adjusted() >= 20:
            return str(value) if len(str(value)) < 40 else f"{str(value)[:30]}…"
        text = f"{value:.6f}".rstrip("0").rstrip(".")
        return "0" if text == "-0" else text
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return ", ".join(written(entry) for entry in value) or "–"
    return "–" if value is None else str(value)


def _written(params: Mapping[str, Any]) -> dict[str, str]:
    return {key: written(value) for key, value in params.items()}
