"""The verbs of the projects room."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from yuanmai.core.actions import Act, action
from yuanmai.projects import permissions
from yuanmai.projects.models import Project
from yuanmai.projects.recording import Entry, record


@action("projects.create", permission=permissions.EDIT_PROJECTS)
def create_project(act: Act, org_id: int, effective_on: date, version: dict[str, Any]) -> Project:
    """Add a project to the library; `version` holds its attributes, amounts in yuan."""
    act.require(org_id)
    (project,) = record(act, [Entry(org_id, version=version)], effective_on)
    act.log(project, after={**version, "effective_on": effective_on}, name=version["name"])
    return project


@action("projects.revise", permission=permissions.EDIT_PROJECTS)
def revise_project(act: Act, project: Project, effective_on: date, version: dict[str, Any]) -> None:
    """State the attributes of a project anew, complete, from a day on."""
    act.require(project.org_id)
    record(act, [Entry(project.org_id, project, version=version)], effective_on)
    act.log(project, after={**version, "effective_on": effective_on}, name=version["name"])


@action("projects.plan", permission=permissions.EDIT_PROJECTS)
def plan_year(act: Act, project: Project, effective_on: date, plan: dict[str, Any]) -> None:
    """Set the plan of a year: `year`, `kind`, `planned_investment` (yuan), `monthly`."""
    act.require(project.org_id)
    record(act, [Entry(project.org_id, project, plans=[plan])], effective_on)
    act.log(project, after={**plan, "effective_on": effective_on})


@action("projects.report", permission=permissions.REPORT_PROGRESS)
def report_progress(act: Act, effective_on: date, reports: Sequence[tuple[Project, dict[str, Any]]]) -> None:
    """Record progress reports of one or many projects for a day; each report holds fields of `ProgressReport`."""
    for project, _report in reports:
        act.require(project.org_id)
    record(act, [Entry(project.org_id, project, reports=[report]) for project, report in reports], effective_on)
    for project, report in reports:
        act.log(project, after={**report, "effective_on": effective_on})
