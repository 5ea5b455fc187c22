"""Quota with what is used of it, as of a query."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum
from django.db.models.functions import ExtractYear

from yuanmai.core.figures import Query
from yuanmai.funds.issuing.queries import facts_of, quota_now
from yuanmai.funds.models import Allotment, Quota
from yuanmai.funds.queries import ZERO


@dataclass(frozen=True)
class Used:
    """The quota in force of a place and year, and the allotments of tranches of that year to projects at or below it."""

    quota: Quota
    used: Decimal

    @property
    def left(self) -> Decimal:
        """What may still be allotted; negative where the quota is exceeded."""
        return self.quota.amount - self.used

    @property
    def depth(self) -> int:
        """The depth of the place in the tree."""
        return int(self.quota.org.depth)


def used_quotas(query: Query) -> list[Used]:
    """Return the quotas of the query's places with what is used of each, the newest year and then the tree's order; two queries."""
    stated = sorted(quota_now(query).values(), key=lambda quota: (-quota.year, quota.org.path))
    rows = facts_of(Allotment, query).annotate(value_year=ExtractYear("tranche__value_date"))
    sums: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
    for path, year, amount in (
        rows.order_by().values_list("project__org__path", "value_year").annotate(total=Sum("amount"))
    ):
        sums[path, year] += amount
    return [
        Used(
            quota,
            sum(
                (
                    a
                    for (path, year), a in sums.items()
                    if year == quota.year and path.startswith(quota.org.path)
                ),
                ZERO,
            ),
        )
        for quota in stated
    ]
