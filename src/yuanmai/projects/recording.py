"""Recording facts in bulk: what page forms, imports and the demonstration data all go through."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db.models import Q

from yuanmai.core.actions import Act
from yuanmai.core.bulk import bulk_insert
from yuanmai.core.temporal import Fact
from yuanmai.projects.models import (
    ListMembership,
    ProgressReport,
    Project,
    ProjectFact,
    ProjectVersion,
    YearPlan,
)
from yuanmai.projects.projection import refold


@dataclass
class Entry:
    """What is recorded of one project at once. Without `project` a new one is created in `org_id`.

    `version`, `plan` and `report` are field values of the fact models (amounts in yuan); `effective_on` is their day
    unless a value of the same name says otherwise. `lists` maps a list's code to being on it. `key` may name a new
    project so that another entry's `parent_key` can refer to it in the same call. After :func:`record` the entry's
    `facts` are the rows that were added, so that they can be undone.
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
    facts: list[Fact] = field(default_factory=list)


FACT_MODELS: tuple[type[ProjectFact], ...] = (ProjectVersion, YearPlan, ProgressReport, ListMembership)


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
    bulk_insert(new)
    for entry in entries:
        entry.facts = list(_facts_of(entry, effective_on, common, by_key))
    facts = [fact for entry in entries for fact in entry.facts]
    for model in FACT_MODELS:
        bulk_insert([fact for fact in facts if type(fact) is model])
    projects = [entry.project for entry in entries if entry.project is not None]
    refold([project.pk for project in projects], now)
    return projects


def _facts_of(
    entry: Entry, effective_on: date, common: dict[str, Any], by_key: dict[str, Project]
) -> Iterator[ProjectFact]:
    project = entry.project
    if entry.version is not None:
        values = {"effective_on": effective_on, **entry.version}
        if entry.parent_key:
            values["parent"] = by_key[entry.parent_key]
        yield ProjectVersion(project=project, **common, **values)
    for plan in entry.plans:
        yield YearPlan(project=project, **common, **{"effective_on": effective_on, **plan})
    for report in entry.reports:
        yield ProgressReport(project=project, **common, **{"effective_on": effective_on, **report})
    for code, on in entry.lists.items():
        yield ListMembership(project=project, effective_on=effective_on, list_code=code, on=on, **common)


def retract(act: Act, batch: Any) -> list[int]:
    """Retract all facts of an import and bring the states back; return the ids of the projects concerned."""
    return _retract(act, {model: Q(batch=batch) for model in FACT_MODELS})


def retract_facts(act: Act, facts: Iterable[Fact]) -> list[int]:
    """Retract single facts and bring the states back; return the ids of the projects concerned."""
    ids: dict[type[ProjectFact], list[int]] = {}
    for fact in facts:
        ids.setdefault(type(fact), []).append(fact.pk)  # type: ignore[arg-type]
    return _retract(act, {model: Q(pk__in=keys) for model, keys in ids.items()})


def _retract(act: Act, which: dict[type[ProjectFact], Q]) -> list[int]:
    projects: set[int] = set()
    for model, condition in which.items():
        facts = model.objects.filter(condition, retracted_at=None)
        projects.update(facts.values_list("project_id", flat=True))
        facts.update(retracted_at=act.now)
    refold(projects, act.now)
    return sorted(projects)


def repeat_facts(act: Act, project: Project, retracted_at: datetime) -> list[Fact]:
    """Say again what was retracted at a moment: new facts with the same content, since facts are only added."""
    again: list[Fact] = []
    for model in FACT_MODELS:
        copies = []
        for fact in model.objects.filter(project=project, retracted_at=retracted_at).order_by(
            "recorded_at", "id"
        ):
            fact.pk = None
            fact._state.adding = True
            fact.recorded_at, fact.recorded_by_id, fact.retracted_at = act.now, act.actor.user_id, None
            copies.append(fact)
        again += model.objects.bulk_create(copies, batch_size=500)
    refold([project.pk], act.now)
    return again
