"""Change of use: asking for it, and its steps until the money has moved."""

import uuid
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.workflow import move
from yuanmai.funds.coverage import refresh_projects
from yuanmai.funds.engine.change_of_use import ChangeFacts, Check, check_change, to_return
from yuanmai.funds.engine.payments import check_amount, check_day
from yuanmai.funds.findings import refresh_findings
from yuanmai.funds.findings.bonds import refresh_bond_findings, refresh_quota_findings
from yuanmai.funds.findings.paying import refresh_changes, refresh_paying
from yuanmai.funds.issuing.funding import record_issued
from yuanmai.funds.issuing.reserves import now_issued
from yuanmai.funds.models import Allotment, ChangeOfUse, ChangeStep, Disbursement, Tranche
from yuanmai.funds.paying.actions.papers import refused
from yuanmai.funds.paying.change_words import condition
from yuanmai.funds.paying.judging import change_facts, judged
from yuanmai.funds.paying.loading import hold, today_of
from yuanmai.funds.paying.wording import enforce
from yuanmai.funds.paying.workflow import CHANGE
from yuanmai.funds.permissions import CHANGE_USE, KEEP_RESERVE, SEE_FUNDS
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project

# What nobody can put right later: refused already when the change is asked for. The rest is put right before the review.
AT_ONCE = {"case": "case", "two_projects": "receiver", "in_reach": "receiver", "not_paid": "amount"}


@action("funds.request_change", permission=KEEP_RESERVE)
def request_change(
    act: Act,
    tranche: Tranche | None,
    giver: Project,
    receiver: Project,
    amount: Decimal,
    *,
    case: str,
    reason: str,
    requested_on: date,
    document: str = "",
) -> ChangeOfUse:
    """Ask for money of a tranche to be moved from one project to another, in one of the four permitted cases.

    Refused at once: another case, the same project, a project outside the tranche's place, and more than was not paid out yet.
    """
    act.require(giver.org_id)
    if tranche is None or tranche.retracted_at is not None:
        raise refused("tranche", _("This tranche is not on record. Choose one of the project's tranches."))
    hold(giver.pk)
    today = today_of(act)
    enforce([*check_amount(amount), *check_day(requested_on, today, name="requested_on")])
    if not reason.strip():
        raise refused("reason", _("Say why the money is not needed where it is: the review decides on it."))
    facts = change_facts(
        tranche, giver, receiver, amount, case, requested_on, requested_on, document=document
    )
    faults = [c for c in check_change(facts) if c.code in AT_ONCE and not c.met]
    if faults:
        raise ValidationError({AT_ONCE[c.code]: [condition(c)] for c in faults})
    change = ChangeOfUse.objects.create(
        org_id=giver.org_id,
        uid=uuid.uuid4(),
        tranche=tranche,
        giver=giver,
        receiver=receiver,
        amount=amount,
        case=case,
        reason=reason.strip(),
        requested_on=requested_on,
        document=document.strip()[:120],
        recorded_at=act.now,
    )
    _step(act, change, "request", requested_on, change.reason)
    after = {
        "tranche": tranche.code,
        "from": str(giver.uid),
        "to": str(receiver.uid),
        "amount": amount,
        "case": case,
        "reason": change.reason,
    }
    act.log(change, after=after, name=tranche.code)
    return change


@action("funds.move_change", permission=SEE_FUNDS)
def move_change(act: Act, change: ChangeOfUse, code: str, on: date, given: Mapping[str, Any]) -> ChangeOfUse:
    """Carry out a step of the workflow (`workflow.CHANGE`), which also names the right it needs.

    To pass the review, and again to be approved, every condition must be met. Approval moves the money in the same transaction:
    allotments of both projects, what the giver returns to the treasury, sources, coverage, findings.
    """
    transition = CHANGE.transition(code)
    act.require(change.org_id, transition.permission)
    enforce(check_day(on, today_of(act), name="on"))
    last = change.steps.aggregate(last=Max("effective_on"))["last"] or change.requested_on
    if on < last:
        raise ValidationError(
            _("The last step was on %(last)s; this one cannot lie before it.") % {"last": last}
        )
    before = {"state": change.state, "document": change.document}
    changes: dict[str, Any] = {}
    facts: ChangeFacts | None = None
    if code in {"review", "approve"}:
        hold(change.giver_id, change.receiver_id)
        facts, checks = judged(change, on)
        _all_met(checks)
    if code == "approve":
        act.require(change.receiver.org_id, CHANGE_USE)
        changes = {"decided_on": on, "document": str(given.get("document") or "").strip()[:120]}
    elif code in {"reject", "withdraw"}:
        changes = {"decided_on": on}
    moved = move(act, CHANGE, change, code, given, **changes)
    if moved.after == ChangeOfUse.State.APPROVED and facts is not None:
        _carry_out(act, change, on, facts)
    text = str(given.get("text") or given.get("document") or "").strip()
    _step(act, change, code, on, text)
    after = {"state": moved.after, **changes, **({"text": text} if text else {})}
    act.log(change, before=before, after=after, name=change.tranche.code)
    return change


def _all_met(checks: list[Check]) -> None:
    texts = [condition(check) for check in checks if not check.met]
    if texts:
        raise ValidationError(texts)


def _step(act: Act, change: ChangeOfUse, transition: str, on: date, text: str) -> None:
    ChangeStep.objects.create(
        change=change,
        transition=transition,
        state=change.state,
        effective_on=on,
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
        text=text,
    )


def _carry_out(act: Act, change: ChangeOfUse, on: date, facts: ChangeFacts) -> None:
    """Move the money and everything that follows from it."""
    giver, receiver, tranche = change.giver, change.receiver, change.tranche
    common = {
        "tranche": tranche,
        "recorded_at": act.now,
        "recorded_by_id": act.actor.user_id,
        "document": change.document,
    }
    for project, amount in ((giver, -change.amount), (receiver, change.amount)):
        Allotment.objects.create(project=project, amount=amount, effective_on=on, change=change, **common)
        act.log(
            project, after={"tranche": tranche.code, "amount": amount, "effective_on": on}, name=tranche.code
        )
    back = to_return(facts)
    if back > 0:
        rows = Disbursement.objects.filter(project=giver, tranche=tranche, retracted_at=None)
        last = rows.aggregate(last=Max("effective_on"))["last"] or on
        Disbursement.objects.create(project=giver, amount=-back, effective_on=max(on, last), **common)
        act.log(
            giver, after={"tranche": tranche.code, "returned": back, "effective_on": on}, name=tranche.code
        )
    record_issued(act, [(giver.pk, tranche), (receiver.pk, tranche)])
    now_issued(act, [receiver], on)
    projects, orgs = [giver.pk, receiver.pk], {giver.org_id, receiver.org_id}
    refresh_projects(act, projects, on)
    refresh_findings(orgs, on, act, projects)
    refresh_bond_findings(act, {*orgs, tranche.org_id}, on, tranche_ids=[tranche.pk], project_ids=projects)
    refresh_quota_findings(act, Organisation.objects.filter(pk__in=orgs), on)
    refresh_paying(act, projects)
    refresh_changes(act, giver.org_id, on)
