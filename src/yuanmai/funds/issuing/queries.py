"""Reads of what was issued: quota, tranches, allotments, what was disbursed and paid out of them.

Sums are per (project, tranche) and count what stands as of the query's day, as known at its moment (`funds.queries.standing`). Each
is one query, whatever the number of projects.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from yuanmai.core.figures import Query
from yuanmai.funds.models import (
    Allotment,
    Disbursement,
    EarlyRedemption,
    OnLending,
    Payment,
    Quota,
    Tranche,
)
from yuanmai.funds.queries import ZERO, standing

Pair = tuple[int, int]  # (project id, tranche id)


@dataclass
class Money:
    """What happened to a project's part of a tranche so far; yuan."""

    allotted: Decimal = ZERO
    disbursed: Decimal = ZERO
    paid: Decimal = ZERO

    @property
    def unspent(self) -> Decimal:
        """Disbursed to the owner and not yet paid to anybody."""
        return self.disbursed - self.paid

    @property
    def undrawn(self) -> Decimal:
        """Allotted and not yet disbursed."""
        return self.allotted - self.disbursed

    @property
    def left(self) -> Decimal:
        """Allotted and not yet paid."""
        return self.allotted - self.paid


@dataclass(frozen=True)
class Share:
    """A project's part of a tranche, and what it redeemed early of it: (day, amount)."""

    tranche: Tranche
    amount: Decimal
    redemptions: tuple[tuple[date, Decimal], ...] = ()


def facts_of(
    model: type[Allotment] | type[Disbursement] | type[Payment] | type[EarlyRedemption],
    query: Query,
    project_ids: Iterable[int] | None = None,
) -> QuerySet[Any]:
    """Return the movements of one kind that count, of the projects of the query's organisations (or only of `project_ids`)."""
    rows: QuerySet[Any] = model.objects.filter(standing(query), project__org_id__in=query.org_ids)
    return rows if project_ids is None else rows.filter(project_id__in=list(project_ids))


def _sums(rows: QuerySet[Any]) -> dict[Pair, Decimal]:
    grouped = rows.order_by().values_list("project_id", "tranche_id").annotate(total=Sum("amount"))
    return {(project_id, tranche_id): total for project_id, tranche_id, total in grouped}


def allotted(query: Query, project_ids: Iterable[int] | None = None) -> dict[Pair, Decimal]:
    """Return the bond money allotted, per (project, tranche); one query."""
    return _sums(facts_of(Allotment, query, project_ids))


def disbursed(query: Query, project_ids: Iterable[int] | None = None) -> dict[Pair, Decimal]:
    """Return the bond money that the treasury has disbursed, per (project, tranche); one query."""
    return _sums(facts_of(Disbursement, query, project_ids))


def paid(query: Query, project_ids: Iterable[int] | None = None) -> dict[Pair, Decimal]:
    """Return the bond money that owners have paid out, per (project, tranche); one query."""
    return _sums(facts_of(Payment, query, project_ids))


def money(query: Query, project_ids: Iterable[int] | None = None) -> dict[Pair, Money]:
    """Return allotted, disbursed and paid together, per (project, tranche); three queries."""
    ids = None if project_ids is None else list(project_ids)
    result: dict[Pair, Money] = defaultdict(Money)
    for name, sums in (
        ("allotted", allotted(query, ids)),
        ("disbursed", disbursed(query, ids)),
        ("paid", paid(query, ids)),
    ):
        for pair, amount in sums.items():
            setattr(result[pair], name, amount)
    return dict(result)


def total(parts: Iterable[Money]) -> Money:
    """Return the sum of several."""
    whole = Money()
    for part in parts:
        whole.allotted += part.allotted
        whole.disbursed += part.disbursed
        whole.paid += part.paid
    return whole


def tranches_of(query: Query, project_ids: Iterable[int] | None = None) -> dict[int, list[Share]]:
    """Return each project's parts of tranches, the earliest value date first; three queries.

    Parts that were wholly taken away again are left out. Early redemptions count from the day they are agreed to be on record:
    one that lies after the query's day is known and will shape the flows.
    """
    ids = None if project_ids is None else list(project_ids)
    sums = {pair: amount for pair, amount in allotted(query, ids).items() if amount > 0}
    tranches = Tranche.objects.in_bulk({tranche_id for _project, tranche_id in sums})
    # A redemption is stated ahead of its day; it belongs to the future of the bond like its coupons.
    ahead = Query(query.org_ids, date.max, query.known_at)
    redeemed: dict[Pair, list[tuple[date, Decimal]]] = defaultdict(list)
    for row in facts_of(EarlyRedemption, ahead, ids).order_by("effective_on", "id"):
        redeemed[row.project_id, row.tranche_id].append((row.effective_on, row.amount))
    result: dict[int, list[Share]] = defaultdict(list)
    for (project_id, tranche_id), amount in sums.items():
        parts = tuple(redeemed[project_id, tranche_id])
        result[project_id].append(Share(tranches[tranche_id], amount, parts))
    for shares in result.values():
        shares.sort(key=lambda share: (share.tranche.value_date, share.tranche.code))
    return dict(result)


def known_tranches(query: Query) -> QuerySet[Tranche]:
    """Return the tranches on record at the query's moment whose tender is not after its day, of whatever organisation is in scope."""
    rows = Tranche.objects.filter(tendered_on__lte=query.as_of)
    if query.known_at is None:
        return rows.filter(retracted_at=None)
    stood = Q(retracted_at=None) | Q(retracted_at__gt=query.known_at)
    return rows.filter(stood, recorded_at__lte=query.known_at)


def tranches(query: Query) -> QuerySet[Tranche]:
    """Return the tranches that concern the query's organisations: kept by one, drawn on by a project, or on-lent to one."""
    drawn = facts_of(Allotment, query).order_by().values("tranche_id")
    lent = on_lendings(query).order_by().values("tranche_id")
    mine = Q(org_id__in=query.org_ids) | Q(pk__in=drawn) | Q(pk__in=lent)
    return known_tranches(query).filter(mine)


def on_lendings(query: Query) -> QuerySet[OnLending]:
    """Return the on-lendings that count, whose borrower is one of the query's organisations."""
    return OnLending.objects.filter(standing(query), org_id__in=query.org_ids)


def quotas(query: Query) -> QuerySet[Quota]:
    """Return every statement of quota that counts, the newest of each place and year first."""
    rows = Quota.objects.filter(standing(query), org_id__in=query.org_ids)
    return rows.order_by("org__path", "-year", "-effective_on", "-recorded_at", "-id")


def quota_now(query: Query) -> dict[tuple[int, int], Quota]:
    """Return the statement in force of each (organisation, year); one query."""
    result: dict[tuple[int, int], Quota] = {}
    for row in quotas(query).select_related("org"):
        result.setdefault((row.org_id, row.year), row)
    return result
