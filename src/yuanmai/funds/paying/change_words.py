"""The conditions of a change of use, in words."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.core.figures import Unit
from yuanmai.core.figures.display import chinese, display_value
from yuanmai.core.policy import Text
from yuanmai.funds.engine.change_of_use import Check

# (what is asked, what is said when it is not met, what is said when it cannot be told)
CONDITIONS: Mapping[str, tuple[Text, Text, Text]] = {
    "case": (
        gettext_lazy("One of the four permitted cases"),
        gettext_lazy("Choose one of the four cases; in no other case may the use be changed."),
        "",
    ),
    "two_projects": (
        gettext_lazy("From one project to another"),
        gettext_lazy("The receiving project is the giving one. Choose another project."),
        "",
    ),
    "in_reach": (
        gettext_lazy("The receiving project belongs to the place that keeps the tranche"),
        gettext_lazy("The receiving project does not belong to the place that keeps the tranche. Choose another one."),
        "",
    ),
    "not_paid": (
        gettext_lazy("The money was not paid out yet: never use first and adjust later"),
        gettext_lazy("Only %(left)s can be moved: %(paid)s of the project's part have been paid out. Lower the amount."),
        "",
    ),
    "giver_completed": (
        gettext_lazy("The giving project is completed"),
        gettext_lazy("There is a surplus only once the project is completed. Record the completion, or choose another case."),
        "",
    ),
    "audit_document": (
        gettext_lazy("The audit or inspection is named"),
        gettext_lazy("Name the document of the audit or inspection that asks for it."),
        "",
    ),
    "receiver_reviewed": (
        gettext_lazy("The receiving project stands in the reserve, reviewed"),
        gettext_lazy("The receiving project has not passed the review (%(state)s). Have it reviewed first."),
        "",
    ),
    "receiver_balanced": (
        gettext_lazy("The receiving project balances itself: coverage %(coverage)s, at least %(threshold)s"),
        gettext_lazy("With this money the coverage of the receiving project is %(coverage)s, below %(threshold)s. Lower the amount."),
        gettext_lazy("The receiving project has no income plan; its coverage is not known. Enter the plan first."),
    ),
    "receiver_ready": (
        gettext_lazy("The receiving project is ready: its checklist is complete"),
        gettext_lazy("The checklist of the receiving project lacks %(missing)s lines. Complete it first."),
        gettext_lazy("The receiving project has no checklist: it does not stand in the reserve."),
    ),
    "term_fits": (
        gettext_lazy("The income lasts until the bonds mature: planned until %(until)s, maturity %(maturity)s"),
        gettext_lazy("The receiving project plans income until %(until)s, the bonds mature on %(maturity)s. Choose another tranche."),
        gettext_lazy("The receiving project has no income plan; whether the term fits is not known. Enter the plan first."),
    ),
}  # fmt: skip


def _shown(name: str, value: Any) -> Any:
    if name in {"coverage", "threshold"}:
        return display_value(value, Unit.TIMES)
    if isinstance(value, Decimal):
        return yuan_text(value, chinese=chinese())
    if name == "state":
        return value or _("not in the reserve")
    return value.isoformat() if isinstance(value, date) else value


def _filled(text: Text, check: Check) -> str:
    return str(text) % {name: _shown(name, value) for name, value in check.params.items()}


def asked(check: Check) -> str:
    """Return what a condition asks for."""
    known = check.met is not None or "%" not in str(CONDITIONS[check.code][0])
    return _filled(CONDITIONS[check.code][0], check) if known else condition(check)


def condition(check: Check) -> str:
    """Return a condition as it stands: what it asks for, or what is wrong and what to do."""
    met, failed, unknown = CONDITIONS[check.code]
    return _filled(met if check.met else (unknown or failed) if check.met is None else failed, check)
