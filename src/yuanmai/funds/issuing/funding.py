"""What is issued to a project stands among its sources: the funding facts follow the allotments.

Called inside actions that change allotments (also by a change of use). The key of a source is (special bond, issued, year of the
value date, code of the tranche).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from yuanmai.core.actions import Act
from yuanmai.funds.models import Allotment, FundingFact, FundingState, Security, Source, Tranche
from yuanmai.funds.projection import refold
from yuanmai.funds.queries import ZERO

Key = tuple[int, str, int]  # project, tranche code, year


@dataclass(frozen=True)
class Replaced:
    """A planned source that an issue takes the place of, from a day on."""

    project_id: int
    year: int
    amount: Decimal
    on: date


def record_issued(
    act: Act,
    pairs: Iterable[tuple[int, Tranche]],
    *,
    former: tuple[str, int] | None = None,
    replaced: Iterable[Replaced] = (),
) -> None:
    """Bring the issued sources of (project id, tranche) in step with the allotments that stand; only what differs is recorded.

    `former` is the (code, year) under which a corrected tranche stood before; its sources end. `replaced` lowers planned special
    bonds of a year (or of no stated year) by what was issued instead.
    """
    wanted = list(pairs)
    if not wanted:
        return
    facts = _issued_facts(act, wanted, former)
    facts += [fact for item in replaced for fact in _replaced_facts(act, item)]
    FundingFact.objects.bulk_create(facts)
    refold({project_id for project_id, _t in wanted}, act.now)


def _issued_facts(
    act: Act, pairs: list[tuple[int, Tranche]], former: tuple[str, int] | None
) -> list[FundingFact]:
    ids = {project_id for project_id, _t in pairs}
    tranches = {tranche.pk: tranche for _p, tranche in pairs}
    steps: dict[tuple[int, int], dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    rows = Allotment.objects.filter(project_id__in=ids, tranche_id__in=tranches, retracted_at=None)
    for project_id, tranche_id, day, amount in rows.values_list(
        "project_id", "tranche_id", "effective_on", "amount"
    ):
        steps[project_id, tranche_id][day] += amount
    stored = _stored(ids)
    facts: list[FundingFact] = []
    for project_id, tranche in pairs:
        key = (tranche.code, tranche.value_date.year)
        facts += _missing(act, (project_id, *key), steps[project_id, tranche.pk], stored)
        if former is not None and former != key:
            facts += _missing(act, (project_id, *former), {}, stored)
    return facts


def _stored(ids: set[int]) -> dict[Key, list[tuple[date, Decimal]]]:
    stored: dict[Key, list[tuple[date, Decimal]]] = defaultdict(list)
    rows = FundingFact.objects.filter(
        project_id__in=ids,
        source=Source.SPECIAL_BOND,
        security=Security.ISSUED,
        retracted_at=None,
        year__isnull=False,
    )
    for fact in rows.order_by("effective_on", "recorded_at", "id"):
        assert fact.year is not None
        stored[fact.project_id, fact.tranche, fact.year].append((fact.effective_on, fact.amount))
    return stored


def _missing(
    act: Act, key: Key, steps: Mapping[date, Decimal], stored: Mapping[Key, list[tuple[date, Decimal]]]
) -> list[FundingFact]:
    """The facts that make the stored amounts follow the running sum of `steps`."""
    project_id, code, year = key
    have = list(stored.get(key, ()))
    added: dict[date, Decimal] = {}
    facts: list[FundingFact] = []
    total = ZERO
    for day in sorted({*steps, *(entry for entry, _amount in have)}):
        total += steps.get(day, ZERO)
        present: tuple[date, Decimal] = (date.min, ZERO)
        for entry in (*have, *added.items()):
            if present[0] <= entry[0] <= day:
                present = entry
        if present[1] != total:
            added[day] = total
            facts.append(_fact(act, project_id, day, Security.ISSUED, year, code, total))
    return facts


def _replaced_facts(act: Act, item: Replaced) -> list[FundingFact]:
    rows = FundingState.objects.at(item.on).filter(
        project_id=item.project_id, source=Source.SPECIAL_BOND, security=Security.PLANNED
    )
    planned = sorted(
        (row for row in rows if row.year in {item.year, None}),
        key=lambda row: (row.year is None, row.tranche),
    )
    left, facts = item.amount, []
    for row in planned:
        part = min(row.amount, left)
        left -= part
        if part:
            facts.append(
                _fact(
                    act, item.project_id, item.on, Security.PLANNED, row.year, row.tranche, row.amount - part
                )
            )
    return facts


def undo_replaced(act: Act, allotments: Iterable[Allotment]) -> None:
    """Put back the planned sources that these allotments took the place of: the facts recorded at the same moment."""
    for allotment in allotments:
        FundingFact.objects.filter(
            project_id=allotment.project_id,
            source=Source.SPECIAL_BOND,
            security=Security.PLANNED,
            recorded_at=allotment.recorded_at,
            retracted_at=None,
        ).update(retracted_at=act.now)


def _fact(
    act: Act, project_id: int, day: date, security: str, year: int | None, tranche: str, amount: Decimal
) -> FundingFact:
    return FundingFact(
        project_id=project_id,
        effective_on=day,
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
        source=Source.SPECIAL_BOND,
        security=security,
        year=year,
        tranche=tranche,
        amount=amount,
    )
