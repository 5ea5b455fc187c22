"""Reporting progress, and taking back what was entered."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.figures import Query
from yuanmai.core.temporal import Fact
from yuanmai.projects import permissions
from yuanmai.projects.actions.wording import enforce, messages_of, reason_needed
from yuanmai.projects.engine.checks import ERROR, Before, Issue, check_report
from yuanmai.projects.findings import refresh_findings
from yuanmai.projects.models import ProgressReport, Project, ProjectState, YearPlan
from yuanmai.projects.queries import states
from yuanmai.projects.recording import Entry, record, retract_facts

COMPARED = (
    "investment_done", "done_total", "visible_percent", "visible_progress", "started", "resumed", "completed", "problems"
)  # fmt: skip


def before_of(state: ProjectState | None) -> Before:
    """Return what a report is compared with."""
    if state is None:
        return Before()
    return Before(
        reported_on=state.reported_on,
        investment_done=state.investment_done,
        done_total=state.done_total,
        visible_percent=state.visible_percent,
        started=state.started,
        resumed=state.resumed,
        completed=state.completed,
        planned_investment=state.planned_investment,
        total_investment=state.total_investment,
    )


def states_before(projects: Sequence[Project], day: date) -> dict[int, ProjectState]:
    """Return the state of projects on a day by project id (one query)."""
    orgs = tuple(sorted({project.org_id for project in projects}))
    rows = states(Query(orgs, day)).filter(project_id__in=[project.pk for project in projects])
    return {state.project_id: state for state in rows}


def check_reports(reports: Sequence[tuple[Project, Mapping[str, Any]]], day: date) -> dict[int, list[Issue]]:
    """Check reports for a day against what is known on it; project id → issues, only where there are some."""
    known = states_before([project for project, _report in reports], day)
    found = {}
    for project, report in reports:
        if issues := check_report(report, before_of(known.get(project.pk)), day):
            found[project.pk] = issues
    return found


class FaultyReports(ValidationError):  # noqa: N818  (named for what happened)
    """Reports with errors, by project id and field."""

    def __init__(self, faults: dict[int, dict[str, list[str]]]) -> None:
        self.faults = faults
        super().__init__([text for fields in faults.values() for texts in fields.values() for text in texts])


@action("projects.report", permission=permissions.REPORT_PROGRESS, local=True)
def report_progress(
    act: Act,
    effective_on: date,
    reports: Sequence[tuple[Project, dict[str, Any]]],
    *,
    confirmed: bool = True,
) -> list[Fact]:
    """Record progress reports of one or many projects for a day; each report holds fields of `ProgressReport`.

    Returns the facts that were added. One report with errors raises `ValidationError` by field, several raise
    :class:`FaultyReports`; warnings raise `NeedsConfirmation` unless `confirmed`.
    """
    for project, _report in reports:
        act.require(project.org_id)
    issues = check_reports(reports, effective_on)
    if len(reports) == 1:
        enforce(issues.get(reports[0][0].pk, []), confirmed=confirmed)
    errors = {pk: messages_of(i for i in found if i.level == ERROR) for pk, found in issues.items()}
    if errors := {pk: fields for pk, fields in errors.items() if fields}:
        raise FaultyReports(errors)
    known = states_before([project for project, _report in reports], effective_on)
    entries = [Entry(project.org_id, project, reports=[report]) for project, report in reports]
    record(act, entries, effective_on)
    for project, report in reports:
        state = known.get(project.pk)
        before = {name: getattr(state, name) for name in report if name in COMPARED} if state else None
        after = {**report, "effective_on": effective_on}
        act.log(project, before=before, after=after, name=state.name if state else "")
    refresh_findings(
        {project.org_id for project, _ in reports}, effective_on, act, [p.pk for p, _ in reports]
    )
    return [fact for entry in entries for fact in entry.facts]


@action("projects.undo", permission=permissions.REPORT_PROGRESS, local=True)
def undo_facts(act: Act, facts: Sequence[Any], reason: str) -> list[int]:
    """Take back entries: they stay in the history, struck out, and no longer count. Returns the projects' ids.

    Whoever may report may take back reports; everything else needs the right to edit. Raises `ValidationError` when an
    entry has been taken back already, or came with an import (whose undo takes back the whole import).
    """
    reason = reason_needed(reason)
    if not facts:
        raise ValidationError(_("There is nothing to take back."))
    for fact in facts:
        right = permissions.REPORT_PROGRESS if isinstance(fact, ProgressReport) else permissions.EDIT_PROJECTS
        act.require(fact.project.org_id, right)
        if fact.retracted_at is not None:
            raise ValidationError(_("This entry has already been taken back."))
        if _only_version(fact):
            raise ValidationError(_("This is all that is known of the project: remove the project instead."))
    ids = retract_facts(act, facts)
    for fact in facts:
        act.log(
            fact.project, before=content_of(fact), after={"reason": reason}, name=str(fact._meta.verbose_name)
        )
    refresh_findings({f.project.org_id for f in facts}, max(f.effective_on for f in facts), act, ids)
    return ids


def _only_version(fact: Any) -> bool:
    model = type(fact)
    if model.__name__ != "ProjectVersion":
        return False
    return not model.objects.filter(project=fact.project, retracted_at=None).exclude(pk=fact.pk).exists()


def content_of(fact: Any) -> dict[str, Any]:
    """Return what a fact says, for the audit log."""
    skip = {"id", "project", "recorded_at", "recorded_by", "retracted_at", "batch"}
    values = {f.name: getattr(fact, f.attname) for f in fact._meta.concrete_fields if f.name not in skip}
    return {name: value for name, value in values.items() if value not in (None, "", {}, [])}


def cumulative_plan(plan: YearPlan | None) -> list[Decimal] | None:
    """Return the twelve cumulative amounts of a plan with a monthly split, None without one."""
    if plan is None or not plan.monthly or not any(plan.monthly):
        return None
    result, total = [], Decimal(0)
    for amount in plan.monthly:
        total += Decimal(amount or 0)
        result.append(total)
    return result
