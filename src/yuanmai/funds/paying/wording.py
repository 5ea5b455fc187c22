"""What the rules of paying say, in words, and the refusals that carry them."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures import Unit
from yuanmai.core.figures.display import chinese, display_value
from yuanmai.core.policy import Text
from yuanmai.funds.engine.payments import REFUSE, Verdict

SENTENCES: Mapping[str, Text] = {
    "no_amount": _("State the amount."),
    "not_positive": _("The amount must be more than 0. What was entered by mistake is taken back instead."),
    "below_cent": _("The amount is finer than a cent. Is the unit right?"),
    "no_day": _("State the day."),
    "in_future": _("%(day)s lies in the future. Enter it when it has happened."),
    "before_signing": _("%(day)s lies before the contract was signed on %(signed)s. Check both days."),
    "before_issue": _(
        "%(day)s lies before the tranche's value date %(value_date)s: there was no money yet. Check the day."
    ),
    "contract_elsewhere": _("This contract belongs to another project. Choose a contract of this project."),
    "not_allotted": _("Nothing of this tranche was allotted to the project. Choose one of its tranches."),
    "paper_elsewhere": _("This paper belongs to another contract. Choose one of this contract."),
    "no_use": _("State the use: bond money may pay only for what the offering file names."),
    "use_not_named": _(
        "“%(use)s” is not a use that the offering file of this project names. Choose another one."
    ),
    "not_capital": _("“%(use)s” is no capital expenditure; bond money may not pay for it."),
    "above_contract": _(
        "%(amount)s is more than the %(left)s that are left of the contract amount of %(whole)s. "
        "Where the contract grew, record the supplementary contract first."
    ),
    "above_disbursed": _(
        "%(amount)s is more than the %(left)s that are left on this day of the %(whole)s disbursed of this tranche. "
        "Record the disbursement first, or pay less."
    ),
    "above_allotment": _(
        "%(amount)s is more than the %(left)s that are left on this day of the %(whole)s allotted to the project."
    ),
    "already_paid": _("%(missing)s of it have already been spent. Take those entries back first."),
    "already_disbursed": _("%(missing)s of it have already been disbursed. Take those entries back first."),
    "ahead_of_certified": _(
        "Paid %(paid_share)s of the contract, while the supervisor has confirmed %(share)s of the work."
    ),
    "ahead_of_measured": _("Paid %(paid_share)s of the contract, while %(share)s of the work was measured."),
    "above_use": _("%(paid)s paid for “%(use)s”, more than the %(planned)s of the offering file."),
    "above_invoice": _("%(paid)s paid on an invoice over %(stated)s."),
    "above_certificate": _("%(paid)s paid on a certificate over %(stated)s."),
    "not_planned": _("No use plan was filed for this month."),
    "above_plan": _("%(paid)s paid in the month, more than the %(planned)s of its use plan."),
    "certified_above_contract": _("%(stated)s certified, more than the contract amount of %(contract)s."),
    "invoiced_above_contract": _("%(stated)s invoiced, more than the contract amount of %(contract)s."),
    "plan_late": _("Filed on %(filed)s; for this month it was due by %(due)s."),
    "no_month": _("State the month."),
    "no_quantity": _("State the quantity."),
    "negative_quantity": _("A measured quantity cannot be negative."),
    "less_than_before": _("Less than last time: %(quantity)s after %(last)s. Quantities are cumulative."),
    "more_than_after": _("More than was measured later: %(quantity)s, then %(next)s."),
    "more_than_planned": _("%(quantity)s measured, %(planned)s planned."),
}
SHARES = {"paid_share", "share", "tolerance"}
QUANTITIES = {"quantity", "last", "next"}
OF_QUANTITIES = {"more_than_planned"}


def shown(code: str, name: str, value: Any) -> str:
    """Return a parameter as people read it: shares in %, amounts in 万元 or 亿元, days, quantities."""
    if name in SHARES:
        return display_value(Decimal(str(value)), Unit.RATIO)
    if name in QUANTITIES or code in OF_QUANTITIES:
        return f"{Decimal(str(value)).normalize():,f}"
    if isinstance(value, Decimal):
        return yuan_text(value, chinese=chinese())
    return value.isoformat() if isinstance(value, date) else str(value)


def sentence(verdict: Verdict) -> str:
    """Return what a rule says, in the active language."""
    params = {name: shown(verdict.code, name, value) for name, value in verdict.params.items()}
    return str(SENTENCES[verdict.code]) % params


def enforce(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Return what was flagged; raises `ValidationError` by field where something is refused."""
    verdicts = list(verdicts)
    refused: dict[str, list[str]] = {}
    for verdict in verdicts:
        if verdict.level == REFUSE:
            refused.setdefault(verdict.field or "__all__", []).append(sentence(verdict))
    if refused:
        raise ValidationError(refused)
    return verdicts
