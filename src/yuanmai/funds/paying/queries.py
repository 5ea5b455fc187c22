"""What was contracted, certified, invoiced, disbursed and paid, and what stands on the ground, as of a question.

Every function asks one query per kind of row, however many projects are asked for. Amounts are yuan. What was taken
back does not count, nor what was not known at the question's moment.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum

from yuanmai.core.figures import Query
from yuanmai.funds.models import (
    Allotment,
    Certificate,
    Contract,
    Disbursement,
    Invoice,
    Measurement,
    Payment,
    WorkItem,
)
from yuanmai.funds.queries import ZERO, standing

By = Literal["project", "contract", "tranche", "project_tranche", "use"]


@dataclass(frozen=True)
class PaySums:
    """The money of a project, contract, tranche or use on its way; yuan. What a key cannot know stays 0.

    `certified` is what certificates state and the supervisor confirmed, `uncertified` what waits for confirmation.
    """

    allotted: Decimal = ZERO
    contracted: Decimal = ZERO
    certified: Decimal = ZERO
    uncertified: Decimal = ZERO
    invoiced: Decimal = ZERO
    disbursed: Decimal = ZERO
    paid: Decimal = ZERO

    @property
    def to_disburse(self) -> Decimal:
        """Allotted and still with the treasury."""
        return self.allotted - self.disbursed

    @property
    def movable(self) -> Decimal:
        """Allotted and not paid out: what a change of use can move."""
        return self.allotted - self.paid

    @property
    def left(self) -> Decimal:
        """Disbursed and still with the owner."""
        return self.disbursed - self.paid

    @property
    def unpaid(self) -> Decimal:
        """Contracted and not paid."""
        return self.contracted - self.paid

    @property
    def paid_share(self) -> Decimal | None:
        """Paid ÷ contracted; None without a contract."""
        return self.paid / self.contracted if self.contracted else None

    @property
    def disbursed_share(self) -> Decimal | None:
        """Disbursed ÷ allotted; None without an allotment."""
        return self.disbursed / self.allotted if self.allotted else None

    @property
    def paid_share_of_allotted(self) -> Decimal | None:
        """Paid ÷ allotted; None without an allotment."""
        return self.paid / self.allotted if self.allotted else None

    @property
    def certified_share(self) -> Decimal | None:
        """Certified and confirmed ÷ contracted; None without a contract."""
        return self.certified / self.contracted if self.contracted else None


NOTHING = PaySums()


def contract_standing(query: Query, prefix: str = "") -> Q:
    """Return the condition that a contract counts: signed by the query's day, known at its moment, not taken back."""
    return _standing(query, prefix, "signed_on")


def item_standing(query: Query, prefix: str = "") -> Q:
    """Return the condition that a planned work quantity counts: known at the query's moment, not taken back."""
    return _standing(query, prefix, "")


def _standing(query: Query, prefix: str, day: str) -> Q:
    p = f"{prefix}__" if prefix else ""
    condition = Q(**{f"{p}{day}__lte": query.as_of}) if day else Q()
    if query.known_at is None:
        return condition & Q(**{f"{p}retracted_at": None})
    not_yet = Q(**{f"{p}retracted_at": None}) | Q(**{f"{p}retracted_at__gt": query.known_at})
    return condition & Q(**{f"{p}recorded_at__lte": query.known_at}) & not_yet


def confirmed(query: Query, prefix: str = "") -> Q:
    """Return the condition that a certificate was confirmed by the supervisor on the query's day, as known at its moment."""
    p = f"{prefix}__" if prefix else ""
    condition = Q(**{f"{p}confirmed_on__lte": query.as_of})
    if query.known_at is not None:
        condition &= Q(**{f"{p}confirmed_at__lte": query.known_at})
    return condition


def _within(rows: QuerySet[Any], query: Query, project_ids: Iterable[int] | None, path: str) -> QuerySet[Any]:
    """Return the rows of the query's organisations, and of these projects, if any are named."""
    if project_ids is not None:
        rows = rows.filter(**{f"{path}_id__in": list(project_ids)})
    return rows.filter(**{f"{path}__org_id__in": query.org_ids}).order_by()


def contracts(query: Query, project_ids: Iterable[int] | None = None) -> QuerySet[Contract]:
    """Return the contracts that count."""
    return _within(Contract.objects.filter(contract_standing(query)), query, project_ids, "project")


def certificates(query: Query, project_ids: Iterable[int] | None = None) -> QuerySet[Certificate]:
    """Return the progress certificates that count, confirmed or not (see :func:`confirmed`)."""
    return _within(Certificate.objects.filter(standing(query)), query, project_ids, "contract__project")


def invoices(query: Query, project_ids: Iterable[int] | None = None) -> QuerySet[Invoice]:
    """Return the invoices that count."""
    return _within(Invoice.objects.filter(standing(query)), query, project_ids, "contract__project")


def disbursements(query: Query, project_ids: Iterable[int] | None = None) -> QuerySet[Disbursement]:
    """Return what the treasury gave to owners."""
    return _within(Disbursement.objects.filter(standing(query)), query, project_ids, "project")


def payments(query: Query, project_ids: Iterable[int] | None = None) -> QuerySet[Payment]:
    """Return what owners paid to payees."""
    return _within(Payment.objects.filter(standing(query)), query, project_ids, "project")


def allotments(query: Query, project_ids: Iterable[int] | None = None) -> QuerySet[Allotment]:
    """Return what tranches gave to projects; negative where a change of use took it away."""
    return _within(Allotment.objects.filter(standing(query)), query, project_ids, "project")


# For each way to group: the path of the key from every kind of row that knows it.
_PATHS: dict[str, dict[str, tuple[str, ...]]] = {
    "project": {
        "allotted": ("project_id",),
        "contracted": ("project_id",),
        "certified": ("contract__project_id",),
        "uncertified": ("contract__project_id",),
        "invoiced": ("contract__project_id",),
        "disbursed": ("project_id",),
        "paid": ("project_id",),
    },
    "contract": {
        "contracted": ("id",),
        "certified": ("contract_id",),
        "uncertified": ("contract_id",),
        "invoiced": ("contract_id",),
        "paid": ("contract_id",),
    },
    "tranche": {"allotted": ("tranche_id",), "disbursed": ("tranche_id",), "paid": ("tranche_id",)},
    "project_tranche": {
        "allotted": ("project_id", "tranche_id"),
        "disbursed": ("project_id", "tranche_id"),
        "paid": ("project_id", "tranche_id"),
    },
    "use": {"contracted": ("use_id",), "paid": ("use_id",)},
}


def pay_sums(query: Query, by: By, project_ids: Iterable[int] | None = None) -> dict[Any, PaySums]:
    """Return the sums by ``project``, ``contract``, ``tranche``, ``use`` (keys: ids) or ``project_tranche`` (pairs of ids).

    `project_ids` limits the look to these projects; without it all projects of the query's organisations count. A key
    without any row is absent.
    """
    ids = None if project_ids is None else list(project_ids)
    rows: dict[str, QuerySet[Any]] = {
        "allotted": allotments(query, ids),
        "contracted": contracts(query, ids),
        "certified": certificates(query, ids).filter(confirmed(query)),
        "uncertified": certificates(query, ids).exclude(confirmed(query)),
        "invoiced": invoices(query, ids),
        "disbursed": disbursements(query, ids),
        "paid": payments(query, ids),
    }
    result: dict[Any, PaySums] = {}
    for name, paths in _PATHS[by].items():
        for row in rows[name].values_list(*paths).annotate(total=Sum("amount")):
            key = row[0] if len(paths) == 1 else row[:-1]
            result[key] = replace(result.get(key, NOTHING), **{name: row[-1]})
    return result


def pay_totals(query: Query, project_ids: Iterable[int] | None = None) -> PaySums:
    """Return the sums over all projects of the query's organisations (or over these projects)."""
    ids = None if project_ids is None else list(project_ids)

    def total(rows: QuerySet[Any]) -> Decimal:
        return rows.aggregate(total=Sum("amount"))["total"] or ZERO

    certs = certificates(query, ids)
    return PaySums(
        allotted=total(allotments(query, ids)),
        contracted=total(contracts(query, ids)),
        certified=total(certs.filter(confirmed(query))),
        uncertified=total(certs.exclude(confirmed(query))),
        invoiced=total(invoices(query, ids)),
        disbursed=total(disbursements(query, ids)),
        paid=total(payments(query, ids)),
    )


def paid_by_month(query: Query, project_ids: Iterable[int] | None = None) -> dict[date, Decimal]:
    """Return what was paid in each month (key: its first day)."""
    result: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for day, amount in payments(query, project_ids).values_list("effective_on").annotate(t=Sum("amount")):
        result[day.replace(day=1)] += amount
    return dict(sorted(result.items()))


@dataclass(frozen=True)
class WorkDone:
    """A physical work quantity: what is planned, and how much of it stood on the ground when it was last measured."""

    item_id: int
    project_id: int
    contract_id: int | None
    building_id: int | None
    name: str
    unit: str
    planned: Decimal
    measured: Decimal = ZERO
    measured_on: date | None = None

    @property
    def share(self) -> Decimal | None:
        """Measured ÷ planned; None where nothing is planned. May exceed 1."""
        return self.measured / self.planned if self.planned else None


def work_items(query: Query, project_ids: Iterable[int] | None = None) -> QuerySet[WorkItem]:
    """Return the work items that count, annotated with `measured` and `measured_on` (None where never measured)."""
    rows = _within(WorkItem.objects.filter(item_standing(query)), query, project_ids, "project")
    last = Measurement.objects.filter(standing(query), item=OuterRef("pk")).order_by(
        "-effective_on", "-recorded_at", "-id"
    )
    return rows.annotate(
        measured=Subquery(last.values("quantity")[:1]), measured_on=Subquery(last.values("effective_on")[:1])
    )


def work_done(query: Query, project_ids: Iterable[int] | None = None) -> dict[int, list[WorkDone]]:
    """Return the physical work of these projects, planned and measured: project id → its items, in the order of entry."""
    names = (
        "project_id", "contract_id", "building_id", "name", "unit", "planned", "measured", "measured_on",
    )  # fmt: skip
    result: dict[int, list[WorkDone]] = defaultdict(list)
    rows = work_items(query, project_ids).order_by("id").values(*names, item_id=F("id"))
    for row in rows:
        result[row["project_id"]].append(WorkDone(**{**row, "measured": row["measured"] or ZERO}))
    return dict(result)


def work_share(items: Iterable[WorkDone]) -> Decimal | None:
    """Return the share of the planned work that stands: the mean of the items' shares, each counted at most once in full.

    Items have different units, so they cannot be added up; every item weighs the same. None without items.
    """
    shares = [min(item.share, Decimal(1)) for item in items if item.share is not None]
    return sum(shares, ZERO) / len(shares) if shares else None


def by_contract(done: Mapping[int, Iterable[WorkDone]]) -> dict[int, list[WorkDone]]:
    """Return the same items by the contract that they are linked to; those without a contract are left out."""
    result: dict[int, list[WorkDone]] = defaultdict(list)
    for items in done.values():
        for item in items:
            if item.contract_id is not None:
                result[item.contract_id].append(item)
    return dict(result)
