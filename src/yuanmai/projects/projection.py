"""Keeping `ProjectState` in step with the facts. Called by actions, inside their transaction, for whole sets of projects."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q

from yuanmai.common.pinyin import pinyin_of
from yuanmai.core.actions import touch
from yuanmai.core.bulk import bulk_insert
from yuanmai.core.engine.temporal import Span, revise
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.projects.engine.fold import Facts, ListFact, PlanFact, ReportFact, VersionFact, fold
from yuanmai.projects.models import (
    ListMembership,
    ProgressReport,
    Project,
    ProjectState,
    ProjectVersion,
    YearPlan,
)

CHUNK = 500
VERSION_FIELDS = (
    "name", "code", "parent_id", "category", "owner_id", "responsible", "leader", "park_id", "start_on", "finish_on",
    "total_investment", "in_statistics",
)  # fmt: skip
STATE_FIELDS = (
    *VERSION_FIELDS, "main", "pinyin", "has_site", "kind", "stage", "plan_year", "planned_investment", "investment_done",
    "done_total", "started", "resumed", "completed", "visible_progress", "visible_percent", "problems", "lists",
    "reported_on", "version_id", "plan_id", "report_id",
)  # fmt: skip


def refold(project_ids: Iterable[int], now: datetime) -> None:
    """Bring the states of these projects up to date with their facts, as knowledge gained at `now`.

    Set-based: four reads of facts, one of states, one update and one insert per 500 projects.
    """
    ids = sorted(set(project_ids))
    touch("projects")
    for start in range(0, len(ids), CHUNK):
        _refold_chunk(ids[start : start + CHUNK], now)


def _refold_chunk(ids: list[int], now: datetime) -> None:
    close, add = difference(ids, now)
    if close:
        ProjectState.objects.filter(id__in=close).update(known_until=now)
        # Knowledge that began and ended at the same moment was never anyone's knowledge.
        ProjectState.objects.filter(id__in=close, known_from=now).delete()
    bulk_insert(add)


def difference(ids: list[int], now: datetime) -> tuple[list[int], list[ProjectState]]:
    """Compare stored states with what the facts say: ids of states to close, and states to add. Reads only."""
    facts = load_facts(ids)
    orgs = dict(Project.objects.filter(id__in=ids).values_list("id", "org_id"))
    stored: dict[int, list[ProjectState]] = defaultdict(list)
    for state in ProjectState.objects.filter(project_id__in=ids, known_until=KNOWN_FOREVER).order_by(
        "effective_from"
    ):
        stored[state.project_id].append(state)
    close: list[int] = []
    add: list[ProjectState] = []
    for project_id in ids:
        wanted = fold(facts[project_id])
        have = stored[project_id]
        revision = revise([span_of(state) for state in have], wanted)
        close += [have[index].pk for index in revision.close]
        add += [
            ProjectState(
                project_id=project_id,
                org_id=orgs[project_id],
                effective_from=span.effective_from,
                effective_until=span.effective_until,
                known_from=now,
                **dict(span.payload),
            )
            for span in revision.add
        ]
    return close, add


def span_of(state: ProjectState) -> Span[Any]:
    """Return a stored state as the engine writes it, for comparison."""
    payload = tuple(sorted((name, getattr(state, name)) for name in STATE_FIELDS))
    return Span(state.effective_from, state.effective_until, payload)


def load_facts(ids: list[int]) -> dict[int, Facts]:
    """Return the facts of these projects that have not been retracted, in the order of recording."""
    live = Q(project_id__in=ids, retracted_at=None)
    versions: dict[int, list[VersionFact]] = defaultdict(list)
    for v in ProjectVersion.objects.filter(live).order_by("recorded_at", "id"):
        values = {name: getattr(v, name) for name in VERSION_FIELDS}
        values.update(main=v.parent_id is None, pinyin=pinyin_of(v.name), has_site=v.site is not None)
        versions[v.project_id].append(VersionFact(v.pk, v.effective_on, values, v.stage))
    plans: dict[int, list[PlanFact]] = defaultdict(list)
    for p in YearPlan.objects.filter(live).order_by("recorded_at", "id"):
        plans[p.project_id].append(PlanFact(p.pk, p.effective_on, p.year, p.kind, p.planned_investment))
    reports: dict[int, list[ReportFact]] = defaultdict(list)
    for r in ProgressReport.objects.filter(live).order_by("recorded_at", "id"):
        reports[r.project_id].append(
            ReportFact(
                r.pk,
                r.effective_on,
                r.investment_done,
                r.done_total,
                r.visible_progress,
                r.visible_percent,
                r.started,
                r.resumed,
                r.completed,
                r.problems,
            )
        )
    lists: dict[int, list[ListFact]] = defaultdict(list)
    for m in ListMembership.objects.filter(live).order_by("recorded_at", "id"):
        lists[m.project_id].append(ListFact(m.effective_on, m.list_code, m.on))
    return {pk: Facts(versions[pk], plans[pk], reports[pk], lists[pk]) for pk in ids}
