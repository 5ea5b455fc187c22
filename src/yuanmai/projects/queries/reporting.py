"""The reporting routine: which projects report in a period, what they said, and what was known before."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml
from django.db.models import Case, Count, F, Q, QuerySet, Value, When

from yuanmai.core.figures import Query
from yuanmai.core.search import matching
from yuanmai.projects.engine.periods import Period, parse_period, period_of, status
from yuanmai.projects.models import ProjectState
from yuanmai.projects.queries import planned_projects, states


@lru_cache(maxsize=1)
def routine() -> Mapping[str, Any]:
    """Return how progress is reported: `period` (half_month, month) and `grace_days`."""
    text = resources.files("yuanmai.projects").joinpath("presets/reporting.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def period_asked(text: str, today: date) -> Period:
    """Return the period of an address; without one, the last that has ended (or ends today)."""
    if period := parse_period(text):
        return period
    running = period_of(today, halves=routine()["period"] == "half_month")
    return running if running.last <= today else running.previous()


def reporting(org_ids: Iterable[int], period: Period) -> QuerySet[Any]:
    """Return the projects that report in a period: on the year's plan and not completed before it.

    Each has `said`: whether a report of the period is there.
    """
    query = Query(tuple(sorted(org_ids)), period.last)
    before = Q(completed=True) & (Q(reported_on__lt=period.first) | Q(reported_on=None))
    return (
        planned_projects(query)
        .exclude(before)
        .exclude(stage="operating")
        .annotate(said=Case(When(reported_on__gte=period.first, then=Value(True)), default=Value(False)))
        .select_related("project", "org")
    )


@dataclass(frozen=True)
class Progress:
    """How a period stands: numbers by status."""

    total: int
    reported: int
    waiting: str  # status of those that have not reported: early, due, overdue

    @property
    def missing(self) -> int:
        """How many reports are missing."""
        return self.total - self.reported


def progress_of(rows: QuerySet[Any], period: Period, today: date) -> Progress:
    """Count a period (one query)."""
    counted = rows.order_by().aggregate(
        total=Count("id"), said=Count("id", filter=Q(reported_on__gte=period.first))
    )
    return Progress(counted["total"], counted["said"], status(False, period, today, routine()["grace_days"]))


def narrowed(rows: QuerySet[Any], asked: Mapping[str, str]) -> QuerySet[Any]:
    """Apply the filters of the entry page: status, responsible organisation, leader, text; missing reports come first."""
    if asked.get("status") == "reported":
        rows = rows.filter(said=True)
    elif asked.get("status") == "missing":
        rows = rows.filter(said=False)
    for name in ("responsible", "leader"):
        if asked.get(name):
            rows = rows.filter(**{name: asked[name]})
    if asked.get("q"):
        rows = rows.filter(matching(asked["q"], "name", "code", pinyin="pinyin"))
    return rows.order_by("said", "responsible", F("name"), "id")


def known_before(
    org_ids: Iterable[int], period: Period, project_ids: Iterable[int]
) -> dict[int, ProjectState]:
    """Return what was known of projects on the day before a period (one query)."""
    query = Query(tuple(sorted(org_ids)), period.first - timedelta(days=1))
    return {state.project_id: state for state in states(query).filter(project_id__in=list(project_ids))}
