"""How much may still be allotted: of a tranche, under the quota of every place above a project, under the approval of a project.

These sums decide whether an action goes through, so they count everything that stands, also what lies outside the reader's data
scope or is dated ahead.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _

from yuanmai.core.scope import everywhere
from yuanmai.core.workflow import Conflict
from yuanmai.funds.models import Allotment, Disbursement, EarlyRedemption, Payment, Quota, Reserve, Tranche
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve.rules import step
from yuanmai.people.models import Organisation

ATTEMPTS = 50
ALLOTTABLE = (Reserve.State.APPROVED, Reserve.State.ISSUED, Reserve.State.DRAWN)


@dataclass(frozen=True)
class Ceiling:
    """The quota in force of a place for a year and how much of it is used by allotments."""

    org: Organisation
    year: int
    quota: Decimal
    used: Decimal

    @property
    def left(self) -> Decimal:
        """What may still be allotted; negative where the quota is exceeded."""
        return self.quota - self.used


def ancestors(path: str) -> list[str]:
    """Return the paths of an organisation and all above it."""
    return [path[:end] for end in range(step(), len(path) + 1, step())]


def ceilings(paths: Iterable[str], year: int, *, lock: bool = False) -> dict[str, Ceiling]:
    """Return by path the quota of every organisation at or above `paths` that has one for the year.

    With `lock` the statements are held until the end of the transaction, so that two requests cannot use the same rest.
    """
    wanted = {above for path in paths for above in ancestors(path)}
    with everywhere():
        rows = Quota.objects.filter(org__path__in=wanted, year=year, retracted_at=None)
        if lock:
            rows = rows.select_for_update(of=("self",))
        stated: dict[str, Quota] = {}
        for row in rows.select_related("org").order_by("effective_on", "recorded_at", "id"):
            stated[row.org.path] = row
        return {
            path: Ceiling(row.org, year, row.amount, used_under(path, year)) for path, row in stated.items()
        }


def used_under(path: str, year: int) -> Decimal:
    """Return what stands allotted to projects at or below an organisation, of tranches whose value date lies in the year."""
    with everywhere():
        rows = Allotment.objects.filter(
            retracted_at=None, project__org__path__startswith=path, tranche__value_date__year=year
        )
        return rows.aggregate(total=Sum("amount"))["total"] or ZERO


def standing_sum(
    model: type[Allotment] | type[Disbursement] | type[Payment] | type[EarlyRedemption], **filters: Any
) -> Decimal:
    """Return the sum of what stands of one kind of movement."""
    with everywhere():
        rows = model.objects.filter(retracted_at=None, **filters)
        return rows.aggregate(total=Sum("amount"))["total"] or ZERO


def claim(tranche: Tranche, amount: Decimal) -> bool:
    """Add `amount` (negative: give back) to what is allotted of a tranche, unless that goes beyond it; say whether it went through.

    Compare-and-swap: the row is changed only where it still holds the sum that was looked at. Whoever is second looks again and
    finds what the first has left.
    """
    rows = Tranche.objects.filter(pk=tranche.pk)
    for _attempt in range(ATTEMPTS):
        whole, seen, retracted = rows.values_list("amount", "allotted", "retracted_at").get()
        wanted = seen + amount
        tranche.allotted, tranche.amount = seen, whole
        if retracted is not None or wanted < 0 or (amount > 0 and wanted > whole):
            return False
        if rows.filter(allotted=seen, amount=whole).update(allotted=wanted):
            tranche.allotted = wanted
            return True
    raise Conflict(_("Others are allotting this tranche right now. Please try again."))
