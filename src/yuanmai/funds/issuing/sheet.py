"""What the sheet of an allotment shows: approved reserve projects with what they may still get."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from yuanmai.core.figures import Query
from yuanmai.core.search import matching
from yuanmai.funds.issuing.ceilings import ALLOTTABLE
from yuanmai.funds.issuing.queries import allotted
from yuanmai.funds.models import FundingState, Reserve, Security, Source, Tranche
from yuanmai.funds.queries import ZERO
from yuanmai.people.actor import subtree_ids
from yuanmai.projects.queries import states

MOST = 200


@dataclass(frozen=True)
class Candidate:
    """A project that may be given bond money; amounts in yuan. `planned` is what its sources plan for the tranche's year."""

    state: Any
    approved: Decimal
    allotted: Decimal
    here: Decimal  # of this tranche
    planned: Decimal

    @property
    def open(self) -> Decimal:
        """Approved and not yet allotted."""
        return self.approved - self.allotted


def candidates(tranche: Tranche, query: Query, text: str = "") -> list[Candidate]:
    """Return the approved reserve projects below the keeper of a tranche, those with most left to allot first; five queries.

    `query` limits them to the reader's organisations; `text` is part of a name, code or pinyin.
    """
    below = subtree_ids([tranche.org.path])[tranche.org.path]
    orgs = tuple(sorted(below & set(query.org_ids)))
    here = Query(orgs, query.as_of, query.known_at)
    approved: dict[int, Decimal] = {}
    rows = Reserve.objects.filter(org_id__in=orgs, withdrawn_at=None, state__in=ALLOTTABLE)
    for project_id, amount in rows.values_list("project_id", "approved"):
        approved[project_id] = approved.get(project_id, ZERO) + (amount or ZERO)
    given: dict[int, Decimal] = {}
    of_this: dict[int, Decimal] = {}
    for (project_id, tranche_id), amount in allotted(here, approved).items():
        given[project_id] = given.get(project_id, ZERO) + amount
        if tranche_id == tranche.pk:
            of_this[project_id] = amount
    plans = FundingState.objects.at(query.as_of).filter(
        project_id__in=list(approved),
        source=Source.SPECIAL_BOND,
        security=Security.PLANNED,
        year=tranche.value_date.year,
    )
    planned = dict(plans.order_by().values_list("project_id").annotate(total=Sum("amount")))
    found = states(here).filter(project_id__in=list(approved)).select_related("project", "org")
    if text:
        found = found.filter(matching(text, "name", "code", pinyin="pinyin"))
    lines = [
        Candidate(
            state,
            approved[state.project_id],
            given.get(state.project_id, ZERO),
            of_this.get(state.project_id, ZERO),
            planned.get(state.project_id, ZERO),
        )
        for state in found
    ]
    lines.sort(key=lambda line: (-line.open, line.state.name))
    return lines[:MOST]
