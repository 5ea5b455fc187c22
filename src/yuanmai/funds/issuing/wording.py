"""The sentences of this part of the funds room."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.core.policy import Text
from yuanmai.projects.actions import NeedsConfirmation
from yuanmai.projects.engine.checks import ERROR, WARNING, Issue

SENTENCES: Mapping[str, Text] = {
    "missing": _("This must be stated."),
    "not_positive": _("Must be greater than 0."),
    "negative": _("Must not be negative."),
    "too_large": _("Larger than any amount of money. Is the unit right?"),
    "rate_too_high": _("A rate above %(percent)s %% a year is taken for a slip of the pen. Enter 2.53 %% as 2.53."),
    "rate_zero": _("A bond without interest is unusual."),
    "term_out_of_range": _("The term must be from 1 to %(limit)s years."),
    "fee_out_of_range": _("A fee must be from 0 to %(percent)s %%. Enter 0.08 %% as 0.08."),
    "after_maturity": _("The value date does not lie before the maturity on %(maturity)s."),
    "maturity_disagrees": _("Value date and term lead to %(expected)s. Correct one of the three."),
    "before_tender": _("The value date lies before the tender on %(tender)s."),
    "not_next_working_day": _("The next interbank working day after the tender is %(expected)s."),
    "term_not_in_use": _("A term of %(value)s years is not one of those in use: %(allowed)s."),
    "frequency_unusual": _("By custom interest is half-yearly from %(limit)s years on and yearly below."),
    "instalments_not_meant": _("Instalments are stated, but the repayment is another one."),
    "instalments_missing": _("State in which years which part of the principal is repaid."),
    "instalment_twice": _("Year %(year)s stands twice."),
    "instalment_outside": _("Year %(year)s lies outside the term of %(limit)s years."),
    "instalment_not_positive": _("The part of year %(year)s must be greater than 0."),
    "instalments_do_not_add_up": _("The instalments add up to %(percent)s %%, not to 100 %%: %(difference)s %% are missing."),
    "code_missing": _("A tranche needs its bond code."),
    "name_missing": _("A tranche needs a name."),
    "same_code": _("A tranche of this code is already on record: %(name)s."),
    "under_allotted": _("%(allotted)s of it are allotted already. Take back allotments first."),
    "under_lent": _("%(lent)s of it are on-lent already. Take back on-lendings first."),
    "no_lines": _("State for at least one project how much it gets."),
    "project_twice": _("This project stands in the list twice."),
    "project_outside": _("This project does not belong to the organisation that keeps the tranche."),
    "not_approved": _("Only approved reserve projects can be given bond money; this one is: %(state)s."),
    "no_reserve": _("This project is not in the reserve of special-bond projects."),
    "allotted_before_tender": _("The day lies before the tender of the tranche on %(tender)s."),
    "over_tranche": _("%(left)s of the tranche are left to allot, %(wanted)s are asked for."),
    "over_quota": _("The quota of %(place)s for %(year)s is %(quota)s, of which %(left)s are left; %(wanted)s are asked for."),
    "over_approved": _("With this %(sum)s are allotted to the project, %(approved)s are approved."),
    "nothing_changed": _("Nothing was changed."),
    "already_taken_back": _("This entry has already been taken back."),
    "by_change": _("This allotment comes from a change of use; take back the change."),
    "spent": _("%(spent)s are disbursed or paid already, only %(left)s would be left allotted."),
    "redeemed": _("%(redeemed)s are redeemed already, only %(left)s would be left allotted."),
    "tranche_in_use": _("The tranche is in use: take back its allotments and on-lendings first."),
    "year_out_of_range": _("The year must be from 2015 to 2100."),
    "quota_under_used": _("%(used)s of the quota are used already."),
    "same_body": _("Lender and borrower are the same."),
    "not_received": _("%(lender)s has not received anything of this tranche."),
    "over_received": _("%(lender)s has %(left)s of this tranche left to pass on, %(wanted)s are asked for."),
    "lent_on": _("%(borrower)s has passed on %(lent)s of it, only %(left)s would be left."),
    "lender_outside": _("The lender must be the keeper of the tranche, or have received it, and stand above the borrower."),
    "not_allotted": _("Nothing of this tranche is allotted to this project."),
    "redemption_outside_life": _("Early redemption is possible after %(start)s and before %(end)s."),
    "redemption_over_outstanding": _("More is redeemed than is outstanding on that day: %(outstanding)s."),
}  # fmt: skip


def sentence(code: str, **params: Any) -> str:
    """Return a sentence in the active language, amounts as people read them."""

    def shown(value: Any) -> str:
        if isinstance(value, Decimal):
            return yuan_text(value, chinese=chinese())
        return value.isoformat() if isinstance(value, date) else str(value)

    return str(SENTENCES[code]) % {name: shown(value) for name, value in params.items()}


def by_field(issues: Iterable[Issue]) -> dict[str, list[str]]:
    """Return the sentences of issues by field; those of no field under ``__all__``."""
    result: dict[str, list[str]] = {}
    for issue in issues:
        result.setdefault(issue.field or "__all__", []).append(sentence(issue.code, **issue.params))
    return result


def enforce(issues: Iterable[Issue], *, confirmed: bool) -> None:
    """Raise `ValidationError` for errors, `NeedsConfirmation` for warnings that nobody confirmed."""
    found = list(issues)
    if errors := [issue for issue in found if issue.level == ERROR]:
        raise ValidationError(by_field(errors))
    warnings = [issue for issue in found if issue.level == WARNING]
    if warnings and not confirmed:
        raise NeedsConfirmation(by_field(warnings))


def refuse(code: str, field: str = "__all__", **params: Any) -> ValidationError:
    """Return the refusal to raise for one fault."""
    return ValidationError({field: [sentence(code, **params)]})
