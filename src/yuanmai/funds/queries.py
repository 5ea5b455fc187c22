"""Reads that more than one face needs."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import DecimalField, F, OuterRef, Q, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from yuanmai.core.figures import Query
from yuanmai.funds.models import FundingState, Security
from yuanmai.projects.queries import main_projects
from yuanmai.projects.queries.lights import with_light

MONEY: DecimalField[Any, Any] = DecimalField(max_digits=18, decimal_places=2)
ZERO = Decimal(0)


def funding(query: Query) -> QuerySet[FundingState]:
    """Return the sources of all projects of the query's organisations on its day."""
    return FundingState.objects.at(query.as_of, query.known_at).filter(org_id__in=query.org_ids)


def funded(query: Query, *securities: str) -> Coalesce:
    """Return the sum of a project's sources of these states (of all, if none given) as an expression over its state."""
    sources = funding(query).filter(project_id=OuterRef("project_id"))
    if securities:
        sources = sources.filter(security__in=securities)
    total = sources.order_by().values("project_id").annotate(total=Sum("amount")).values("total")
    return Coalesce(Subquery(total, output_field=MONEY), Value(ZERO, output_field=MONEY), output_field=MONEY)


def with_funding(query: Query, *securities: str) -> QuerySet[Any]:
    """Return main projects annotated with `funded` and `light`."""
    rows = main_projects(query).select_related("project").annotate(funded=funded(query, *securities))
    return with_light(rows, query).order_by("name", "id")


def with_gap(query: Query) -> QuerySet[Any]:
    """Return main projects of known total investment with `funded` and `gap`, the largest gap first."""
    rows = with_funding(query).exclude(total_investment=None).select_related("project", "org")
    return rows.annotate(gap=F("total_investment") - F("funded")).order_by("-gap", "name", "id")


def main_funding(query: Query) -> QuerySet[FundingState]:
    """Return the sources of the main projects, each with its project's `name`."""
    mains = main_projects(query).filter(project_id=OuterRef("project_id"))
    return (
        funding(query)
        .annotate(name=Subquery(mains.values("name")[:1]))
        .exclude(name=None)
        .select_related("project", "org")
        .order_by("name", "id")
    )


@dataclass
class Sums:
    """The sources of one project by how sure they are; yuan."""

    secured: Decimal = ZERO
    issued: Decimal = ZERO
    planned: Decimal = ZERO

    @property
    def firm(self) -> Decimal:
        """What is there: secured or issued."""
        return self.secured + self.issued

    @property
    def total(self) -> Decimal:
        """Every source."""
        return self.secured + self.issued + self.planned

    def gap(self, total_investment: Decimal | None) -> Decimal | None:
        """What is missing to the total investment; None where that is not known."""
        return None if total_investment is None else total_investment - self.total


def sums_of(query: Query, project_ids: Iterable[int]) -> dict[int, Sums]:
    """Return the sums of these projects (one query)."""
    result: dict[int, Sums] = {}
    rows = funding(query).filter(project_id__in=list(project_ids)).order_by()
    for project_id, security, amount in rows.values_list("project_id", "security").annotate(
        total=Sum("amount")
    ):
        sums = result.setdefault(project_id, Sums())
        setattr(sums, security, amount)
    return result


def lines_of(query: Query, project_id: int) -> list[FundingState]:
    """Return the sources of one project, the surest first."""
    order = {Security.ISSUED: 0, Security.SECURED: 1, Security.PLANNED: 2}
    rows = funding(query).filter(project_id=project_id).select_related("fact", "fact__recorded_by")
    return sorted(
        rows, key=lambda row: (order[Security(row.security)], row.source, row.year or 0, row.tranche)
    )


def standing(query: Query, prefix: str = "") -> Q:
    """Return the condition that a fact counts: it is about the query's day or before, was known at its moment, and stood."""
    p = f"{prefix}__" if prefix else ""
    condition = Q(**{f"{p}effective_on__lte": query.as_of})
    if query.known_at is None:
        return condition & Q(**{f"{p}retracted_at": None})
    not_yet = Q(**{f"{p}retracted_at": None}) | Q(**{f"{p}retracted_at__gt": query.known_at})
    return condition & Q(**{f"{p}recorded_at__lte": query.known_at}) & not_yet
