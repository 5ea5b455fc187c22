"""Redeeming a part of a tranche before its time."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from yuanmai.core.actions import Act, action
from yuanmai.core.figures import Query
from yuanmai.funds.coverage import refresh_projects
from yuanmai.funds.engine.bonds.faults import tranche_faults
from yuanmai.funds.findings.bonds import refresh_bond_findings
from yuanmai.funds.issuing.queries import Share, tranches_of
from yuanmai.funds.issuing.service import engine_tranche
from yuanmai.funds.issuing.wording import enforce, refuse
from yuanmai.funds.models import EarlyRedemption, Tranche
from yuanmai.funds.permissions import ISSUE_BONDS
from yuanmai.funds.reserve.rules import rule
from yuanmai.projects.actions.wording import reason_needed
from yuanmai.projects.engine.checks import Issue
from yuanmai.projects.models import Project

HIGHEST_RATE = "highest_rate"


@action("funds.redeem_early", permission=ISSUE_BONDS)
def redeem_early(
    act: Act,
    tranche: Tranche,
    on: date,
    lines: Sequence[tuple[Project, Decimal]],
    *,
    document: str = "",
) -> list[EarlyRedemption]:
    """Redeem parts of a tranche on a day ahead of its time, by the projects that carry them; a day to come may be stated.

    Raises `ValidationError` (``line_<index>``, ``effective_on``) where the day lies outside the life or more is redeemed than is left.
    """
    act.require(tranche.org_id)
    # One after the other: two redemptions at once must not both count on the same rest.
    tranche = Tranche.objects.select_for_update(of=("self",)).get(pk=tranche.pk)
    issues: list[Issue] = [] if lines else [Issue("", "no_lines")]
    ids = [project.pk for project, _amount in lines]
    query = Query(tuple({project.org_id for project, _amount in lines}), date.max)
    shares = tranches_of(query, ids)
    highest = rule(HIGHEST_RATE, tranche.org_id, tranche.value_date)
    for index, (project, amount) in enumerate(lines):
        act.require(project.org_id)
        field = f"line_{index}"
        share = next((s for s in shares.get(project.pk, ()) if s.tranche.pk == tranche.pk), None)
        if amount <= 0:
            issues.append(Issue(field, "not_positive"))
        elif share is None:
            issues.append(Issue(field, "not_allotted"))
        elif ids.count(project.pk) > 1:
            issues.append(Issue(field, "project_twice"))
        else:
            issues += _faults(share, on, amount, highest, field)
    enforce(issues, confirmed=True)
    made = [
        EarlyRedemption.objects.create(
            project=project,
            tranche=tranche,
            amount=amount,
            effective_on=on,
            document=document.strip()[:120],
            recorded_at=act.now,
            recorded_by_id=act.actor.user_id,
        )
        for project, amount in lines
    ]
    for row in made:
        act.log(
            row.project,
            after={"tranche": tranche.code, "amount": str(row.amount), "effective_on": on},
            name=tranche.name,
        )
    _follow(act, tranche, [project for project, _amount in lines])
    return made


def _faults(share: Share, on: date, amount: Decimal, highest: Decimal, field: str) -> list[Issue]:
    """Let the bond engine say what is wrong with one redemption more."""
    more = Share(share.tranche, share.amount, (*share.redemptions, (on, amount)))
    issues = []
    for fault in tranche_faults(engine_tranche(more), highest):
        where = "effective_on" if fault.rule == "redemption_outside_life" else field
        issues.append(Issue(where, fault.rule, params=dict(fault.params)))
    return issues


@action("funds.take_back_redemption", permission=ISSUE_BONDS)
def take_back_redemption(act: Act, redemption: EarlyRedemption, reason: str) -> None:
    """Take back an early redemption that was entered by mistake."""
    reason = reason_needed(reason)
    act.require(redemption.tranche.org_id)
    act.require(redemption.project.org_id)
    rows = EarlyRedemption.objects.filter(pk=redemption.pk, retracted_at=None)
    if not rows.update(retracted_at=act.now):
        raise refuse("already_taken_back")
    act.log(
        redemption.project,
        before={
            "tranche": redemption.tranche.code,
            "amount": str(redemption.amount),
            "effective_on": redemption.effective_on,
        },
        after={"reason": reason},
        name=redemption.tranche.name,
    )
    _follow(act, redemption.tranche, [redemption.project])


def _follow(act: Act, tranche: Tranche, projects: Sequence[Project]) -> None:
    day = tranche.value_date
    ids = [project.pk for project in projects]
    # The redemption is known from now on and shapes every later year: coverage counts from its recording.
    refresh_projects(act, ids, max(day, act.now.date()))
    orgs = {tranche.org_id, *(project.org_id for project in projects)}
    refresh_bond_findings(act, orgs, act.now.date(), tranche_ids=[tranche.pk], project_ids=ids)
