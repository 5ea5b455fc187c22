"""Passing a tranche on down the chain province → city → county (转贷)."""

from datetime import date
from decimal import Decimal

from yuanmai.core.actions import Act, action
from yuanmai.funds.issuing.chain import balance
from yuanmai.funds.issuing.wording import enforce, refuse
from yuanmai.funds.models import OnLending, Tranche
from yuanmai.funds.permissions import ISSUE_BONDS
from yuanmai.people.models import Organisation
from yuanmai.projects.actions.wording import reason_needed
from yuanmai.projects.engine.checks import Issue


@action("funds.lend_on", permission=ISSUE_BONDS)
def lend_on(
    act: Act,
    tranche: Tranche,
    lender: Organisation,
    borrower: Organisation,
    amount: Decimal,
    on: date,
    *,
    agreement: str = "",
) -> OnLending:
    """Pass a part of a tranche on from one organisation to one below it, under an agreement.

    The keeper of the tranche has all of it to pass on, any other what it received; more is refused. The right is needed at the lender.
    """
    act.require(lender.pk)
    # One after the other: two requests at once must not pass on the same rest.
    tranche = Tranche.objects.select_for_update(of=("self",)).get(pk=tranche.pk)
    keeper = Organisation.objects.get(pk=tranche.org_id)
    issues: list[Issue] = []
    if tranche.retracted_at is not None:
        issues.append(Issue("", "already_taken_back"))
    if amount <= 0:
        issues.append(Issue("amount", "not_positive"))
    if on < tranche.tendered_on:
        issues.append(Issue("effective_on", "allotted_before_tender", params={"tender": tranche.tendered_on}))
    if lender.pk == borrower.pk:
        issues.append(Issue("borrower", "same_body"))
    elif not borrower.path.startswith(lender.path) or not lender.path.startswith(keeper.path):
        issues.append(Issue("lender", "lender_outside"))
    else:
        has = balance(tranche, lender.pk)
        if not has.received:
            issues.append(Issue("lender", "not_received", params={"lender": lender.label}))
        elif amount > has.left:
            params = {"lender": lender.label, "left": has.left, "wanted": amount}
            issues.append(Issue("amount", "over_received", params=params))
    enforce(issues, confirmed=True)
    row = OnLending.objects.create(
        org=borrower,
        lender=lender,
        tranche=tranche,
        amount=amount,
        agreement=agreement.strip()[:120],
        effective_on=on,
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
    )
    act.log(
        row,
        after={
            "tranche": tranche.code,
            "lender": lender.name,
            "borrower": borrower.name,
            "amount": str(amount),
            "effective_on": on,
            "agreement": row.agreement,
        },
        name=tranche.name,
    )
    return row


@action("funds.take_back_on_lending", permission=ISSUE_BONDS)
def take_back_on_lending(act: Act, row: OnLending, reason: str) -> None:
    """Take back an on-lending that was entered by mistake, unless its borrower has passed the money on."""
    reason = reason_needed(reason)
    act.require(row.lender_id)
    Tranche.objects.select_for_update(of=("self",)).get(pk=row.tranche_id)
    has = balance(row.tranche, row.org_id)
    if has.lent > has.received - row.amount:
        raise refuse(
            "lent_on", borrower=row.org.label, lent=has.lent, left=max(has.received - row.amount, Decimal(0))
        )
    if not OnLending.objects.filter(pk=row.pk, retracted_at=None).update(retracted_at=act.now):
        raise refuse("already_taken_back")
    act.log(
        row,
        before={"tranche": row.tranche.code, "amount": str(row.amount), "effective_on": row.effective_on},
        after={"reason": reason},
        name=row.tranche.name,
    )
