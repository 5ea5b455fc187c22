"""Stating the quota of a place and year, raising and correcting it."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.funds.findings.bonds import refresh_quota_findings
from yuanmai.funds.issuing.ceilings import used_under
from yuanmai.funds.issuing.wording import enforce, refuse
from yuanmai.funds.models import Quota
from yuanmai.funds.permissions import ISSUE_BONDS
from yuanmai.people.models import Organisation
from yuanmai.projects.actions.wording import reason_needed
from yuanmai.projects.engine.checks import WARNING, Issue

FIRST_YEAR, LAST_YEAR = 2015, 2100  # 2015: the first special bonds


@action("funds.state_quota", permission=ISSUE_BONDS)
def state_quota(
    act: Act,
    org: Organisation,
    year: int | None,
    amount: Decimal | None,
    effective_on: date,
    *,
    document: str = "",
    confirmed: bool = True,
) -> Quota:
    """State the bond quota of a place in a year from a day on; a later statement raises, lowers or corrects it.

    Raises `ValidationError` by field, `NeedsConfirmation` where more is used already, unless `confirmed` (it becomes a finding).
    """
    act.require(org.pk)
    issues: list[Issue] = []
    if year is None or not FIRST_YEAR <= year <= LAST_YEAR:
        issues.append(Issue("year", "year_out_of_range"))
    if amount is None:
        issues.append(Issue("amount", "missing"))
    elif amount < 0:
        issues.append(Issue("amount", "negative"))
    elif year is not None:
        used = used_under(org.path, year)
        if used > amount:
            issues.append(Issue("amount", "quota_under_used", WARNING, {"used": used}))
    enforce(issues, confirmed=confirmed)
    assert year is not None and amount is not None
    before = Quota.objects.filter(org=org, year=year, retracted_at=None).order_by("effective_on", "id").last()
    if before is not None and (before.amount, before.effective_on, before.document) == (
        amount,
        effective_on,
        document,
    ):
        raise refuse("nothing_changed")
    quota = Quota.objects.create(
        org=org,
        year=year,
        amount=amount,
        document=document.strip()[:200],
        effective_on=effective_on,
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
    )
    act.log(
        quota,
        before={"amount": str(before.amount)} if before else None,
        after=_plain(quota),
        name=_("Quota of %(place)s for %(year)s") % {"place": org.name, "year": year},
    )
    refresh_quota_findings(act, [org], effective_on)
    return quota


@action("funds.take_back_quota", permission=ISSUE_BONDS)
def take_back_quota(act: Act, quota: Quota, reason: str) -> None:
    """Take back a statement of quota that was entered by mistake; the one before it holds again."""
    reason = reason_needed(reason)
    act.require(quota.org_id)
    if not Quota.objects.filter(pk=quota.pk, retracted_at=None).update(retracted_at=act.now):
        raise refuse("already_taken_back")
    act.log(
        quota,
        before=_plain(quota),
        after={"reason": reason},
        name=_("Quota of %(place)s for %(year)s") % {"place": quota.org.name, "year": quota.year},
    )
    refresh_quota_findings(act, [quota.org], quota.effective_on)


def _plain(quota: Quota) -> dict[str, Any]:
    return {
        "year": quota.year,
        "amount": str(quota.amount),
        "effective_on": quota.effective_on,
        "document": quota.document,
    }
