"""The kinds of contradictions of bonds, their sentences and what to do about them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures import Unit
from yuanmai.core.figures.display import chinese, display_value
from yuanmai.core.findings import FindingKind, finding_kind
from yuanmai.core.policy import Text
from yuanmai.funds.issuing.wording import sentence

OVER_APPROVED = "funds.issued_over_approved"
TERM_OVER_PROJECT = "funds.term_over_project"
AFTER_CONSTRUCTION = "funds.issued_after_construction"
OVER_TRANCHE = "funds.allotted_over_tranche"
OVER_QUOTA = "funds.allotted_over_quota"
UNUSUAL_TERMS = "funds.unusual_terms"
BEFORE_TENDER = "funds.value_date_before_tender"
COVERAGE_LOW = "funds.coverage_low"
COVERAGE_ALL_DEBT = "funds.coverage_all_debt_low"
COVERAGE_HIGH = "funds.coverage_high"
GAP_YEARS = "funds.gap_years"
IDLE = "funds.bonds_idle"
TAKE_BACK = "funds.bonds_take_back"

OF_THE_DAY = (IDLE, TAKE_BACK)
OF_PROJECTS = (
    OVER_APPROVED,
    TERM_OVER_PROJECT,
    AFTER_CONSTRUCTION,
    COVERAGE_LOW,
    COVERAGE_ALL_DEBT,
    COVERAGE_HIGH,
    GAP_YEARS,
    *OF_THE_DAY,
)
OF_TRANCHES = (OVER_TRANCHE, UNUSUAL_TERMS, BEFORE_TENDER)
AMOUNTS = {"sum", "approved", "amount", "used", "quota", "balance", "owner"}
MULTIPLES = {"value", "limit"}


def _shown(name: str, value: Any) -> Any:
    if name in AMOUNTS:
        return yuan_text(Decimal(str(value)), chinese=chinese())
    if name in MULTIPLES:
        return display_value(Decimal(str(value)), Unit.TIMES)
    return value


def _declare(code: str, name: Text, text: Text, advice: Text) -> None:
    def say(params: Mapping[str, Any]) -> str:
        return str(text) % {key: _shown(key, value) for key, value in params.items()}

    _kind(code, name, say, advice)


def _kind(code: str, name: Text, say: Callable[[Mapping[str, Any]], str], advice: Text) -> None:
    finding_kind(FindingKind(code, name, say, advice))


def _unusual(params: Mapping[str, Any]) -> str:
    texts = " ".join(sentence(code, **values) for code, values in params["issues"])
    return str(_("“%(tranche)s” has unusual terms: %(texts)s")) % {
        "tranche": params["tranche"],
        "texts": texts,
    }


_declare(OVER_APPROVED, _("More bonds issued than approved"),
         _("“%(name)s”: %(sum)s of bonds are allotted, %(approved)s are approved."),
         _("Check the allotments; if more was approved since, record the approval."))  # fmt: skip
_declare(TERM_OVER_PROJECT, _("Bonds outlive the project"),
         _("“%(name)s”: %(tranches)s mature as late as %(maturity)s, the plan expects income until %(year)s only."),
         _("Plan the income of the later years, or repay earlier."))  # fmt: skip
_declare(AFTER_CONSTRUCTION, _("Bonds issued after construction"),
         _("“%(name)s”: %(tranches)s were issued after the end of construction on %(day)s."),
         _("Bond money pays for construction: check the date, or move the money to another project by a change of use."))  # fmt: skip
_declare(OVER_TRANCHE, _("More allotted than the tranche"),
         _("“%(tranche)s”: %(sum)s are allotted, the tranche is %(amount)s."),
         _("Take back an allotment, or correct the amount of the tranche."))  # fmt: skip
_declare(OVER_QUOTA, _("More allotted than the quota"),
         _("%(place)s: %(used)s of bonds of %(year)s are allotted, the quota is %(quota)s."),
         _("Record the raised quota with its document, or take back allotments."))  # fmt: skip
_kind(UNUSUAL_TERMS, _("Unusual terms of a tranche"), _unusual,
      _("Compare with the result of the tender; explain the finding where the terms are right."))  # fmt: skip
_declare(BEFORE_TENDER, _("Value date before the tender"),
         _("“%(tranche)s”: the value date %(value_date)s lies before the tender on %(tender)s."),
         _("Correct one of the two dates."))  # fmt: skip
_declare(COVERAGE_LOW, _("Debt-service coverage too low"),
         _("“%(name)s”: the coverage of principal and interest is %(value)s, at least %(limit)s is asked for."),
         _("Look at the forecast of income and at the terms: the stress test shows what would help."))  # fmt: skip
_declare(COVERAGE_ALL_DEBT, _("Coverage of all debt too low"),
         _("“%(name)s”: the coverage of all debt is %(value)s, at least %(limit)s is asked for."),
         _("Look at the loans beside the bonds and at the forecast of income."))  # fmt: skip
_declare(COVERAGE_HIGH, _("Debt-service coverage suspiciously high"),
         _("“%(name)s”: the coverage is %(value)s, above %(limit)s income is suspicious."),
         _("Check the unit and the assumptions of the income."))  # fmt: skip
_declare(GAP_YEARS, _("Years with a gap although the total covers"),
         _("“%(name)s”: the total coverage is %(value)s, but the cumulative balance is negative in %(years)s; lowest %(balance)s in %(year)s."),
         _("Set money aside in good years, or arrange a bridge for the years of the gap."))  # fmt: skip
_declare(IDLE, _("Idle bond money"),
         _("“%(name)s”: the time of %(tranches)s ended on %(deadline)s, and %(amount)s are not spent, of which %(owner)s lie with the owner."),
         _("Speed up the payments, or move the money to another project by a change of use."))  # fmt: skip
_declare(TAKE_BACK, _("Bond money to be taken back"),
         _("“%(name)s”: the time of %(tranches)s ended on %(deadline)s, and %(amount)s, of which %(owner)s lie with the owner, have been idle so long that they are to be taken back."),
         _("Report the idle money; it is taken back and used for other projects."))  # fmt: skip
