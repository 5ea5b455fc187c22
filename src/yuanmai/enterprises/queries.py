"""Reads of the register that more than one face needs."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from yuanmai.core.search import matching
from yuanmai.enterprises.models import Enterprise


def register(org_ids: Iterable[int], known_at: datetime | None = None) -> QuerySet[Enterprise]:
    """Return the enterprises in the register of these organisations, as known at a moment."""
    rows = Enterprise.objects.filter(org_id__in=list(org_ids))
    if known_at is None:
        return rows.filter(retired_at=None)
    return rows.filter(Q(retired_at=None) | Q(retired_at__gt=known_at), created_at__lte=known_at)


def named(rows: QuerySet[Enterprise], text: str) -> QuerySet[Enterprise]:
    """Narrow to a part of the name, of the credit code, or pinyin."""
    return rows.filter(matching(text, "name", "credit_code", pinyin="pinyin"))
