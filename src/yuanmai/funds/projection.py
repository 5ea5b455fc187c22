"""Keeping `FundingState` in step with the funding facts; called by actions inside their transaction."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from yuanmai.core.actions import touch
from yuanmai.core.bulk import bulk_insert
from yuanmai.core.engine.temporal import Span, revise
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.engine.fold import FundingLine, fold
from yuanmai.funds.models import FundingFact, FundingState
from yuanmai.projects.models import Project

FIELDS = ("amount", "fact_id", "security", "source", "tranche", "year")
CHUNK = 500


def refold(project_ids: Iterable[int], now: datetime) -> None:
    """Bring the funding states of these projects up to date with the facts, as knowledge gained at `now`."""
    ids = sorted(set(project_ids))
    touch("funds")
    for start in range(0, len(ids), CHUNK):
        _refold_chunk(ids[start : start + CHUNK], now)


def _refold_chunk(ids: list[int], now: datetime) -> None:
    close, add = difference(ids, now)
    if close:
        FundingState.objects.filter(id__in=close).update(known_until=now)
        FundingState.objects.filter(id__in=close, known_from=now).delete()
    bulk_insert(add)


def difference(ids: list[int], now: datetime) -> tuple[list[int], list[FundingState]]:
    """Compare stored states with what the facts say: ids of states to close, and states to add. Reads only."""
    lines: dict[int, list[FundingLine]] = defaultdict(list)
    facts = FundingFact.objects.filter(project_id__in=ids, retracted_at=None).order_by("recorded_at", "id")
    for fact in facts:
        key = (fact.source, fact.security, fact.year, fact.tranche)
        lines[fact.project_id].append(FundingLine(fact.pk, fact.effective_on, key, fact.amount))
    orgs = dict(Project.objects.filter(id__in=ids).values_list("id", "org_id"))
    stored: dict[int, list[FundingState]] = defaultdict(list)
    for state in FundingState.objects.filter(project_id__in=ids, known_until=KNOWN_FOREVER):
        stored[state.project_id].append(state)
    close: list[int] = []
    add: list[FundingState] = []
    for project_id in ids:
        have = stored[project_id]
        spans = [
            Span(s.effective_from, s.effective_until, tuple((name, getattr(s, name)) for name in FIELDS))
            for s in have
        ]
        revision = revise(spans, fold(lines[project_id]))
        close += [have[index].pk for index in revision.close]
        add += [
            FundingState(
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
