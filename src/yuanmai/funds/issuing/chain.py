"""The on-lending chain of a tranche: who received what from whom, what was passed on, what its projects were allotted."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum

from yuanmai.core.figures import Query
from yuanmai.core.scope import everywhere
from yuanmai.funds.models import Allotment, OnLending, Tranche
from yuanmai.funds.queries import ZERO, standing
from yuanmai.people.models import Organisation


@dataclass(frozen=True)
class Balance:
    """What an organisation has of a tranche: received (the keeper: all of it), passed on, and left to pass on."""

    received: Decimal
    lent: Decimal

    @property
    def left(self) -> Decimal:
        """What is left to pass on."""
        return self.received - self.lent


def balance(tranche: Tranche, org_id: int) -> Balance:
    """Return what an organisation received of a tranche and passed on, by everything that stands, whatever the reader may see."""
    with everywhere():
        rows = OnLending.objects.filter(tranche=tranche, retracted_at=None)

        def whole(**filters: Any) -> Decimal:
            return rows.filter(**filters).aggregate(total=Sum("amount"))["total"] or ZERO

        received = tranche.amount if tranche.org_id == org_id else whole(org_id=org_id)
        return Balance(received, whole(lender_id=org_id))


@dataclass
class Link:
    """One organisation in the chain of a tranche; amounts in yuan."""

    org: Organisation
    lender: Organisation | None
    depth: int
    received: Decimal = ZERO
    lent: Decimal = ZERO
    allotted: Decimal = ZERO  # to projects at or below it that no borrower further down has in its part

    @property
    def left(self) -> Decimal:
        """Received, not passed on, not allotted; negative where more is used than came."""
        return self.received - self.lent - self.allotted


def chain_of(tranche: Tranche, query: Query) -> list[Link]:
    """Return the chain of a tranche from its keeper downwards as of the query, with what each place's projects were allotted.

    Three queries. A project counts for the nearest organisation above it that is in the chain.
    """
    lendings = list(
        OnLending.objects.filter(standing(query), tranche=tranche)
        .select_related("org", "lender")
        .order_by("org__path", "id")
    )
    keeper = tranche.org
    links: dict[int, Link] = {keeper.pk: Link(keeper, None, 0, received=tranche.amount)}
    for row in lendings:
        link = links.setdefault(row.org_id, Link(row.org, row.lender, 0))
        link.received += row.amount
    for row in lendings:
        if row.lender_id in links:
            links[row.lender_id].lent += row.amount
    by_path = {link.org.path: link for link in links.values()}
    for path, amount in _allotted_by_path(tranche, query).items():
        nearest = _nearest(path, by_path)
        if nearest is not None:
            nearest.allotted += amount
    ordered = sorted(links.values(), key=lambda link: link.org.path)
    for link in ordered:
        above = [other for other in ordered if other is not link and link.org.path.startswith(other.org.path)]
        link.depth = len(above)
    return ordered


def _allotted_by_path(tranche: Tranche, query: Query) -> dict[str, Decimal]:
    rows = Allotment.objects.filter(standing(query), tranche=tranche)
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for path, amount in rows.order_by().values_list("project__org__path").annotate(total=Sum("amount")):
        sums[path] += amount
    return sums


def _nearest(path: str, links: dict[str, Link]) -> Link | None:
    above: Iterable[str] = (candidate for candidate in links if path.startswith(candidate))
    nearest = max(above, key=len, default=None)
    return None if nearest is None else links[nearest]
