"""Recording facts in bulk: what page forms, imports and the demonstration data all go through."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from yuanmai.core.actions import Act
from yuanmai.projects.models import ListMembership, ProgressReport, Project, ProjectVersion, YearPlan
from yuanmai.projects.projection import refold


@dataclass
class Entry:
    """What is recorded of one project at once. Without `project` a new one is created in `org_id`.

    `version`, `plan` and `report` are field values of the fact models (amounts in yuan); `effective_on` is their day
    unless a value of the same name says otherwise. `lists` maps a list's code to being on it. `key` may name a new
    project so that another entry's `parent_key` can refer to it in the same call.
    """

    org_id: int
    project: Project | None = None
    version: dict[str, Any] | None = None
    plans: Sequence[dict[str, Any]] = ()
    reports: Sequence[dict[str, Any]] = ()
    lists: dict[str, bool] = field(default_factory=dict)
    synthetic: bool = False
    key: str = ""
    parent_key: str = ""


def record(
    act: Act,
    entries: Iterable[Entry],
    effective_on: date,
    *,
    batch: Any = None,
    recorded_at: datetime | None = None,
) -> list[Project]:
    """Record facts of many projects with a constant number of queries per 500; return the projects in order.

    The caller (an action) has checked permissions and data, and logs. `recorded_at` other than the action's own moment
    is for the demonstration data, whose history was recorded in the past. Raises `ValueError` for a new project
    without a name.
    """
    entries = list(entries)
    now = recorded_at or act.now
    common = {"recorded_at": now, "recorded_by_id": act.actor.user_id, "batch": batch}
    new = []
    by_key: dict[str, Project] = {}
    for entry in entries:
        if entry.project is None:
            if not entry.version or not entry.version.get("name"):
                raise ValueError("a new project needs a name")
            entry.project = Project(
                org_id=entry.org_id, uid=uuid.uuid4(), created_at=now, synthetic=entry.synthetic
            )
            new.append(entry.project)
        if entry.key:
            by_key[entry.key] = entry.project
    Project.objects.bulk_create(new, batch_size=500)
    versions, plans, reports, lists = [], [], [], []
    for entry in entries:
        project = entry.project
        if entry.version is not None:
            values = {"effective_on": effective_on, **entry.version}
            if entry.parent_key:
                values["parent"] = by_key[entry.parent_key]
            versions.append(ProjectVersion(project=project, **common, **values))
        plans += [YearPlan(project=project, **common, **{"effective_on": effective_on, **p}) for p in entry.plans]
        reports += [
            ProgressReport(project=project, **common, **{"effective_on": effective_on, **r}) for r in entry.reports
        ]
        lists += [
            ListMembership(project=project, effective_on=effective_on, list_code=code, on=on, **common)
            for code, on in entry.lists.items()
        ]
    ProjectVersion.objects.bulk_create(versions, batch_size=500)
    YearPlan.objects.bulk_create(plans, batch_size=500)
    ProgressReport.objects.bulk_create(reports, batch_size=500)
    ListMembership.objects.bulk_create(lists, batch_size=500)
    projects = [entry.project for entry in entries if entry.project is not None]
    refold([project.pk for project in projects], now)
    return projects


FACT_MODELS = (ProjectVersion, YearPlan, ProgressReport, ListMembership)


def retract(act: Act, batch: Any) -> list[int]:
    """Retract all facts of an import and bring the states back; return the ids of the projects concerned."""
    ids: set[int] = set()
    for model in FACT_MODELS:
        facts = model.objects.filter(batch=batch, retracted_at=None)
        ids.update(facts.values_list("project_id", flat=True))
        facts.update(retracted_at=act.now)
    refold(ids, act.now)
    return sorted(ids)
