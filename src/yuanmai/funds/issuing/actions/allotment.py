"""Allotting a tranche to projects, and taking an allotment back."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.funds.coverage import refresh_projects
from yuanmai.funds.findings import refresh_findings
from yuanmai.funds.findings.bonds import refresh_bond_findings, refresh_quota_findings
from yuanmai.funds.issuing.ceilings import ALLOTTABLE, ceilings, claim, standing_sum
from yuanmai.funds.issuing.funding import Replaced, record_issued, undo_replaced
from yuanmai.funds.issuing.reserves import none_issued, now_issued
from yuanmai.funds.issuing.wording import enforce, refuse, sentence
from yuanmai.funds.models import Allotment, Disbursement, EarlyRedemption, Payment, Reserve, Tranche
from yuanmai.funds.paying.loading import hold
from yuanmai.funds.permissions import ISSUE_BONDS
from yuanmai.funds.queries import ZERO
from yuanmai.people.models import Organisation
from yuanmai.projects.actions.wording import reason_needed
from yuanmai.projects.engine.checks import WARNING, Issue
from yuanmai.projects.models import Project


@dataclass(frozen=True)
class Line:
    """What one project gets; with `replace_planned` its planned special bonds of the year shrink by as much."""

    project: Project
    amount: Decimal
    replace_planned: bool = False


@action("funds.allot", permission=ISSUE_BONDS)
def allot(
    act: Act,
    tranche: Tranche,
    on: date,
    lines: Sequence[Line],
    *,
    document: str = "",
    beyond_quota: str = "",
    confirmed: bool = True,
) -> list[Allotment]:
    """Give bond money of a tranche to projects from a day on; all of it or, where anything is wrong, nothing.

    In the same transaction the project's source of funding follows, its reserve project becomes *issued*, coverage is computed again,
    and findings are looked for. `beyond_quota` names the document that allows more than a place's quota; it then becomes a finding.
    Raises `ValidationError` (fields ``line_<index>``, ``effective_on``), `NeedsConfirmation` where a project gets more than was
    approved, unless `confirmed`.
    """
    act.require(tranche.org_id)
    lines = list(lines)
    paths = dict(
        Organisation.objects.filter(
            pk__in={tranche.org_id, *(line.project.org_id for line in lines)}
        ).values_list("pk", "path")
    )
    for line in lines:
        act.require(line.project.org_id)
    issues = _line_faults(lines, tranche, on, paths)
    enforce(issues, confirmed=True)
    _within_quota(lines, tranche, paths, beyond_quota.strip())
    enforce(_beyond_approval(lines), confirmed=confirmed)
    whole = sum((line.amount for line in lines), ZERO)
    if not claim(tranche, whole):
        raise refuse("over_tranche", left=tranche.amount - tranche.allotted, wanted=whole)
    papers = "；".join(part for part in (document.strip(), beyond_quota.strip()) if part)[:120]
    made = [
        Allotment.objects.create(
            project=line.project,
            tranche=tranche,
            amount=line.amount,
            effective_on=on,
            document=papers,
            recorded_at=act.now,
            recorded_by_id=act.actor.user_id,
        )
        for line in lines
    ]
    year = tranche.value_date.year
    record_issued(
        act,
        [(line.project.pk, tranche) for line in lines],
        replaced=[Replaced(line.project.pk, year, line.amount, on) for line in lines if line.replace_planned],
    )
    now_issued(act, [line.project for line in lines], on)
    for row in made:
        act.log(
            row.project,
            after={"tranche": tranche.code, "amount": str(row.amount), "effective_on": on},
            name=tranche.name,
        )
    _follow(act, tranche, made, on)
    return made


@action("funds.take_back_allotment", permission=ISSUE_BONDS)
def take_back_allotments(act: Act, allotments: Iterable[Allotment], reason: str) -> None:
    """Take back allotments of one tranche that were entered by mistake, as long as nothing is spent beyond what is left."""
    reason = reason_needed(reason)
    rows = list(
        Allotment.objects.select_related("project", "tranche").filter(pk__in=[row.pk for row in allotments])
    )
    if not rows or any(row.retracted_at is not None for row in rows):
        raise refuse("already_taken_back")
    (tranche, *others) = {row.tranche_id: row.tranche for row in rows}.values()
    if others:
        raise ValidationError(_("Take back the allotments of one tranche at a time."))
    act.require(tranche.org_id)
    by_project: dict[int, Decimal] = defaultdict(Decimal)
    for row in rows:
        act.require(row.project.org_id)
        if row.change_id is not None:
            raise refuse("by_change")
        by_project[row.project_id] += row.amount
    hold(*by_project)
    _nothing_spent_beyond(tranche, by_project)
    if Allotment.objects.filter(pk__in=[row.pk for row in rows], retracted_at=None).update(
        retracted_at=act.now
    ) != len(rows) or not claim(tranche, -sum(by_project.values(), ZERO)):
        raise refuse("already_taken_back")
    undo_replaced(act, rows)
    record_issued(act, [(pk, tranche) for pk in by_project])
    none_issued(act, [row.project for row in rows], max(row.effective_on for row in rows))
    for row in rows:
        act.log(
            row.project,
            before={
                "tranche": tranche.code,
                "amount": str(row.amount),
                "effective_on": row.effective_on,
            },
            after={"reason": reason},
            name=tranche.name,
        )
    _follow(act, tranche, rows, max(row.effective_on for row in rows))


def _line_faults(lines: list[Line], tranche: Tranche, on: date, paths: dict[int, str]) -> list[Issue]:
    issues: list[Issue] = []
    if not lines:
        issues.append(Issue("", "no_lines"))
    if tranche.retracted_at is not None:
        issues.append(Issue("", "already_taken_back"))
    if on < tranche.tendered_on:
        issues.append(Issue("effective_on", "allotted_before_tender", params={"tender": tranche.tendered_on}))
    states: dict[int, list[Reserve]] = defaultdict(list)
    ids = [line.project.pk for line in lines]
    for reserve in Reserve.objects.filter(project_id__in=ids, withdrawn_at=None):
        states[reserve.project_id].append(reserve)
    seen: set[int] = set()
    for index, line in enumerate(lines):
        field = f"line_{index}"
        if line.amount <= 0:
            issues.append(Issue(field, "not_positive"))
        if line.project.pk in seen:
            issues.append(Issue(field, "project_twice"))
        seen.add(line.project.pk)
        if not paths[line.project.org_id].startswith(paths[tranche.org_id]):
            issues.append(Issue(field, "project_outside"))
        mine = states[line.project.pk]
        if not mine:
            issues.append(Issue(field, "no_reserve"))
        elif not any(reserve.state in ALLOTTABLE for reserve in mine):
            issues.append(Issue(field, "not_approved", params={"state": mine[-1].get_state_display()}))
    return issues


def _within_quota(lines: list[Line], tranche: Tranche, paths: dict[int, str], allowed_by: str) -> None:
    """Refuse what goes beyond the quota of any place above a project, unless a document allows it."""
    year = tranche.value_date.year
    wanted: dict[str, Decimal] = defaultdict(Decimal)
    found = ceilings([paths[line.project.org_id] for line in lines], year, lock=True)
    for line in lines:
        for path in found:
            if paths[line.project.org_id].startswith(path):
                wanted[path] += line.amount
    texts = [
        sentence(
            "over_quota",
            place=found[path].org.label,
            year=year,
            quota=found[path].quota,
            left=max(found[path].left, ZERO),
            wanted=amount,
        )
        for path, amount in sorted(wanted.items())
        if amount > found[path].left
    ]
    if texts and not allowed_by:
        raise ValidationError({"beyond_quota": texts})


def _beyond_approval(lines: list[Line]) -> list[Issue]:
    issues = []
    for index, line in enumerate(lines):
        rows = Reserve.objects.filter(project=line.project, withdrawn_at=None, state__in=ALLOTTABLE)
        approved = sum((row.approved or ZERO for row in rows), ZERO)
        whole = standing_sum(Allotment, project=line.project) + line.amount
        if whole > approved:
            params = {"sum": whole, "approved": approved}
            issues.append(Issue(f"line_{index}", "over_approved", WARNING, params))
    return issues


def _nothing_spent_beyond(tranche: Tranche, by_project: dict[int, Decimal]) -> None:
    for project_id, amount in by_project.items():
        pair: dict[str, Any] = {"project_id": project_id, "tranche": tranche}
        left = standing_sum(Allotment, **pair) - amount
        spent = max(standing_sum(Disbursement, **pair), standing_sum(Payment, **pair))
        if spent > left:
            raise refuse("spent", spent=spent, left=left)
        redeemed = standing_sum(EarlyRedemption, **pair)
        if redeemed > left:
            raise refuse("redeemed", redeemed=redeemed, left=left)


def _follow(act: Act, tranche: Tranche, rows: Sequence[Allotment], on: date) -> None:
    """What follows from allotments that changed: coverage, and every finding they may cause or cure."""
    projects = {row.project_id: row.project.org_id for row in rows}
    refresh_projects(act, projects, on)
    refresh_findings(set(projects.values()), on, act, projects)
    orgs = {tranche.org_id, *projects.values()}
    refresh_bond_findings(act, orgs, on, tranche_ids=[tranche.pk], project_ids=projects)
    refresh_quota_findings(act, Organisation.objects.filter(pk__in=set(projects.values())), on)
