"""Reading findings: which there were on a day, as known at a moment."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db.models import Count, QuerySet

from yuanmai.core.findings import Finding
from yuanmai.core.temporal import KNOWN_FOREVER


def findings_at(org_ids: Iterable[int], as_of: date, known_at: datetime | None = None) -> QuerySet[Finding]:
    """Return the contradictions of these organisations that concern days up to `as_of`, as known at `known_at`.

    State, owner and note are always the present ones: they are answers, not data.
    """
    rows = Finding.objects.filter(org_id__in=list(org_ids), effective_on__lte=as_of)
    if known_at is None:
        return rows.filter(gone_until=KNOWN_FOREVER)
    return rows.filter(found_at__lte=known_at, gone_until__gt=known_at)


def open_findings(org_ids: Iterable[int], as_of: date, known_at: datetime | None = None) -> QuerySet[Finding]:
    """Return the open ones, contradictions before things to be checked, the newest day first."""
    rows = findings_at(org_ids, as_of, known_at).filter(state=Finding.State.OPEN)
    return rows.order_by("severity", "-effective_on", "id")


def counts_by_state(rows: QuerySet[Finding]) -> dict[str, int]:
    """Return state → number (one query)."""
    counted = dict(rows.order_by().values_list("state").annotate(n=Count("id")))
    return {state: counted.get(state, 0) for state in Finding.State.values}
