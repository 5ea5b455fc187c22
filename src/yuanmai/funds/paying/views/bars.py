"""Shares as bars: paid beside certified beside built."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from yuanmai.core.figures import Unit
from yuanmai.core.figures.display import display_value
from yuanmai.core.findings import Finding
from yuanmai.core.policy import Text
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.findings.paying_kinds import AHEAD_CERTIFIED, AHEAD_MEASURED
from yuanmai.funds.models import Contract
from yuanmai.funds.paying.queries import PaySums


@dataclass(frozen=True)
class Bar:
    """One bar: its value is a share from 0, over 1 it is full."""

    label: Text
    value: Decimal | None
    tone: str = ""

    @property
    def text(self) -> str:
        """The share as people read it."""
        return "–" if self.value is None else display_value(self.value, Unit.RATIO)


def contract_bars(sums: PaySums, work: Decimal | None, *, ahead: bool = False) -> list[Bar]:
    """Return paid, certified and built shares of a contract; paid is red where it runs ahead of the work."""
    return [
        Bar(_("Paid share"), sums.paid_share, "danger" if ahead else "primary"),
        Bar(_("Certified share"), sums.certified_share, "info"),
        Bar(_("Built share"), work, "success"),
    ]


def tranche_bars(sums: PaySums) -> list[Bar]:
    """Return the disbursed and paid shares of what a tranche gave to a project."""
    return [
        Bar(_("Disbursed share"), sums.disbursed_share, "info"),
        Bar(_("Paid share"), sums.paid_share_of_allotted, "primary"),
    ]


def ahead_of_work(contracts: Iterable[Contract]) -> set[int]:
    """Return the ids of the contracts that were found to be paid ahead of work (one query)."""
    keys = {f"contract-{row.pk}": row.pk for row in contracts}
    rows = Finding.objects.filter(
        kind__in=(AHEAD_CERTIFIED, AHEAD_MEASURED), key__in=keys, gone_until=KNOWN_FOREVER
    )
    return {keys[key] for key in rows.values_list("key", flat=True)}
