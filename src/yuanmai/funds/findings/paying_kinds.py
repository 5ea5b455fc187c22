"""The kinds of contradictions in paying, their sentences and what to do about them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures import Unit
from yuanmai.core.figures.display import chinese, display_value
from yuanmai.core.findings import FindingKind, finding_kind
from yuanmai.core.policy import Text
from yuanmai.funds.paying.file import PARTS, STATES

AHEAD_CERTIFIED = "funds.paid_ahead_of_certified"
AHEAD_MEASURED = "funds.paid_ahead_of_measured"
CERTIFIED_OVER = "funds.certified_over_contract"
INVOICED_OVER = "funds.invoiced_over_contract"
PAID_OVER_INVOICE = "funds.paid_over_invoice"
PAID_OVER_CERTIFICATE = "funds.paid_over_certificate"
PAID_OVER_USE = "funds.paid_over_use"
UNNAMED_USE = "funds.paid_unnamed_use"
FILE_LACKING = "funds.payment_file_lacking"
UNPLANNED = "funds.paid_without_use_plan"
OVER_PLAN = "funds.paid_over_use_plan"
PLAN_LATE = "funds.use_plan_late"
SELLER = "funds.invoice_of_another"
WORK_SHRANK = "funds.work_shrank"
OVER_PLANNED_WORK = "funds.work_over_planned"
CHANGES_TOO_MANY = "funds.changes_of_use_too_many"

OF_CONTRACTS = (AHEAD_CERTIFIED, AHEAD_MEASURED, CERTIFIED_OVER, INVOICED_OVER)
OF_PAPERS = (PAID_OVER_INVOICE, PAID_OVER_CERTIFICATE, SELLER)
OF_PAYMENTS = (FILE_LACKING, UNNAMED_USE)
OF_PLANS = (UNPLANNED, OVER_PLAN, PLAN_LATE)
OF_WORKS = (WORK_SHRANK, OVER_PLANNED_WORK)
OF_PAYING = (*OF_CONTRACTS, *OF_PAPERS, *OF_PAYMENTS, *OF_PLANS, *OF_WORKS, PAID_OVER_USE)

AMOUNTS = {"paid", "stated", "contract", "planned", "amount", "allotted"}
SHARES = {"paid_share", "share", "tolerance", "changed", "most_share"}


def _shown(name: str, value: Any) -> Any:
    if name in AMOUNTS:
        return yuan_text(Decimal(str(value)), chinese=chinese())
    if name in SHARES:
        return display_value(None if value is None else Decimal(str(value)), Unit.RATIO)
    return value


def _declare(code: str, name: Text, text: Text, advice: Text) -> None:
    def say(params: Mapping[str, Any]) -> str:
        return str(text) % {key: _shown(key, value) for key, value in params.items()}

    _kind(code, name, say, advice)


def _kind(code: str, name: Text, say: Callable[[Mapping[str, Any]], str], advice: Text) -> None:
    finding_kind(FindingKind(code, name, say, advice))


def _lacking(params: Mapping[str, Any]) -> str:
    parts = str(_("; ")).join(
        str(_("%(part)s (%(state)s)")) % {"part": PARTS[code], "state": STATES[state]}
        for code, state in params["parts"]
    )
    return str(_("Payment of %(amount)s to %(payee)s on %(day)s: the payment file lacks %(parts)s.")) % {
        **{key: _shown(key, value) for key, value in params.items()},
        "parts": parts,
    }


_declare(AHEAD_CERTIFIED, _("Paid ahead of certified work"),
         _("Contract “%(name)s”: %(paid_share)s paid, %(share)s certified and confirmed; up to %(tolerance)s ahead is allowed."),
         _("Have the supervisor confirm the work that was done, or stop further payments until the work has caught up."))  # fmt: skip
_declare(AHEAD_MEASURED, _("Paid ahead of measured work"),
         _("Contract “%(name)s”: %(paid_share)s paid, %(share)s of the work measured; up to %(tolerance)s ahead is allowed."),
         _("Measure the work on the ground; if it is behind, stop further payments until it has caught up."))  # fmt: skip
_declare(CERTIFIED_OVER, _("More certified than contracted"),
         _("Contract “%(name)s”: %(stated)s certified, the contract amount is %(contract)s."),
         _("Record the supplementary contract, or take back a certificate that was entered twice."))  # fmt: skip
_declare(INVOICED_OVER, _("More invoiced than contracted"),
         _("Contract “%(name)s”: %(stated)s invoiced, the contract amount is %(contract)s."),
         _("Record the supplementary contract, or take back an invoice that does not belong here."))  # fmt: skip
_declare(PAID_OVER_INVOICE, _("Paid more than the invoice"),
         _("Invoice %(number)s: %(paid)s paid on it, it states %(stated)s."),
         _("Ask the payee for the missing invoice, and link the payment to it."))  # fmt: skip
_declare(PAID_OVER_CERTIFICATE, _("Paid more than the certificate"),
         _("Certificate %(number)s: %(paid)s paid on it, it states %(stated)s."),
         _("Link the payment to the certificates that it pays for."))  # fmt: skip
_declare(SELLER, _("Invoice of somebody else"),
         _("Invoice %(number)s was issued by %(seller)s, the payee of the contract is %(payee)s."),
         _("Ask for an invoice of the payee, or record the change of the contract's party."))  # fmt: skip
_declare(PAID_OVER_USE, _("Paid more than the named use"),
         _("Use “%(name)s”: %(paid)s paid, the offering file names %(planned)s."),
         _("What the offering file does not name needs a change of use before it is paid."))  # fmt: skip
_declare(UNNAMED_USE, _("Paid for what the offering file does not name"),
         _("Payment of %(amount)s to %(payee)s on %(day)s is for no named capital expenditure."),
         _("State the named use that it serves, or put the money back."))  # fmt: skip
_kind(FILE_LACKING, _("Payment file incomplete"), _lacking,
      _("Add the missing parts on the page of the payment."))  # fmt: skip
_declare(UNPLANNED, _("Paid without a use plan"),
         _("“%(name)s”: %(paid)s paid in %(month)s, no use plan was filed for the month."),
         _("File the use plan of the month, and those of the coming months in time."))  # fmt: skip
_declare(OVER_PLAN, _("Paid more than the use plan"),
         _("“%(name)s”: %(paid)s paid in %(month)s, the use plan says %(planned)s."),
         _("File the revised use plan of the month."))  # fmt: skip
_declare(PLAN_LATE, _("Use plan filed late"),
         _("“%(name)s”: the use plan of %(month)s was filed on %(filed)s, due by %(due)s."),
         _("File the plans of the coming months a month before."))  # fmt: skip
_declare(WORK_SHRANK, _("Less work measured than before"),
         _("“%(name)s”: %(quantity)s %(unit)s measured on %(day)s, %(last)s %(unit)s before."),
         _("Check both measurements; take the wrong one back."))  # fmt: skip
_declare(OVER_PLANNED_WORK, _("More work measured than planned"),
         _("“%(name)s”: %(quantity)s %(unit)s measured on %(day)s, %(work)s %(unit)s planned."),
         _("Check the unit, or record the change of the design."))  # fmt: skip
_declare(CHANGES_TOO_MANY, _("Bonds change their use often or much"),
         _("%(place)s in %(year)s: %(number)s changes of use over %(amount)s, %(changed)s of what was allotted; "
           "up to %(most_number)s changes and %(most_share)s remain without consequence."),
         _("Take it into account in next year's quota of the place."))  # fmt: skip
