"""What lies idle: allotted bond money whose time to be spent is over, as of a query; set-based.

The rule (N months from the month after issue) is each place's own; the arithmetic is `engine.idle`.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q

from yuanmai.core.figures import Query
from yuanmai.funds.engine import idle as engine
from yuanmai.funds.engine.idle import Stage, Standing
from yuanmai.funds.issuing.queries import Money, Pair, money
from yuanmai.funds.models import Tranche
from yuanmai.funds.reserve.rules import Rules, rules_of
from yuanmai.projects.models import Project


@dataclass(frozen=True)
class Lying:
    """A project's part of a tranche with how its spending stands; `unspent` is allotted and not paid to anybody."""

    project_id: int
    org_id: int
    tranche: Tranche
    money: Money
    standing: Standing

    @property
    def at_owner(self) -> Decimal:
        """The part of what is unspent that the treasury has disbursed already: it lies with the owner."""
        return max(self.money.unspent, Decimal(0))


def past_deadline(query: Query, org_path: str = "project__org_id", tranche_path: str = "tranche") -> Q:
    """Return the condition that a movement's batch should have been spent before the query's day, by the rule of its place.

    For querysets over allotments, disbursements or payments: Σ disbursed − Σ paid under it is what lies idle with owners, Σ allotted
    − Σ paid what lies idle in all.
    """
    by_months: dict[int, list[int]] = defaultdict(list)
    for org_id, rules in rules_of(query.org_ids, query.as_of, query.known_at).items():
        by_months[rules["idle_months"]].append(org_id)
    condition = Q(pk__in=[])
    for months, org_ids in by_months.items():
        until = engine.issued_until(query.as_of, months)
        condition |= Q(**{f"{org_path}__in": org_ids, f"{tranche_path}__value_date__lte": until})
    return condition


def standing_of(part: Money, tranche: Tranche, rules: Rules, query: Query) -> Standing:
    """Return how the spending of an allotted part stands on the query's day under the rules of its place."""
    return engine.standing(
        part.allotted,
        part.paid,
        tranche.value_date,
        query.as_of,
        months=rules["idle_months"],
        take_back_months=rules["idle_take_back_months"],
        short=rules["light_short"],
    )


def batches(query: Query, project_ids: Iterable[int] | None = None) -> list[Lying]:
    """Return every (project, tranche) that was allotted money, with how its spending stands; a constant number of queries."""
    sums: dict[Pair, Money] = {
        pair: part for pair, part in money(query, project_ids).items() if part.allotted > 0
    }
    orgs = dict(Project.objects.filter(pk__in={pk for pk, _t in sums}).values_list("pk", "org_id"))
    tranches = Tranche.objects.in_bulk({pk for _p, pk in sums})
    rules = rules_of(set(orgs.values()), query.as_of, query.known_at)
    return [
        Lying(
            project_id,
            orgs[project_id],
            tranches[tranche_id],
            part,
            standing_of(part, tranches[tranche_id], rules[orgs[project_id]], query),
        )
        for (project_id, tranche_id), part in sorted(sums.items())
    ]


def idle(query: Query, project_ids: Iterable[int] | None = None) -> list[Lying]:
    """Return the (project, tranche) pairs whose time is over and of which something is unspent."""
    return [
        lying
        for lying in batches(query, project_ids)
        if lying.standing.stage in {Stage.IDLE, Stage.TAKE_BACK}
    ]
