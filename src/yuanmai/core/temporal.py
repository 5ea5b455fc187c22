"""Bitemporal tables: facts that are only added to, and projections that answer "as of, as known at" in one query."""

from datetime import UTC, date, datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from yuanmai.core.engine.temporal import FOREVER
from yuanmai.core.scope import M, OwnedManager

KNOWN_FOREVER = datetime(9999, 12, 31, tzinfo=UTC)


class Fact(models.Model):
    """Something recorded once and never edited. A correction is a new fact; an undone one is retracted, not deleted.

    `effective_on` is the day the statement is about, `recorded_at` the moment it was entered.
    """

    effective_on = models.DateField()
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    retracted_at = models.DateTimeField(null=True, blank=True)
    batch = models.ForeignKey("core.ImportBatch", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        abstract = True


class BitemporalManager(OwnedManager[M]):
    """The manager of projections: scoped; answers what held on a day, as known at a moment."""

    def at(self, as_of: date, known_at: datetime | None = None) -> models.QuerySet[M]:
        """Return what held on `as_of`, by present knowledge or by that of the moment `known_at`."""
        return self.get_queryset().filter(at(as_of, known_at))

    def during(
        self, since: date, as_of: date, known_since: datetime | None, known_at: datetime | None
    ) -> models.QuerySet[M]:
        """Return what held on some day from `since` to `as_of`, by present knowledge or by that of those moments."""
        rows = self.get_queryset().filter(effective_from__lte=as_of, effective_until__gt=since)
        if known_at is None or known_since is None:
            return rows.filter(known_until=KNOWN_FOREVER)
        return rows.filter(known_from__lte=known_at, known_until__gt=known_since)

    def current(self) -> models.QuerySet[M]:
        """Return present knowledge, all days."""
        return self.get_queryset().filter(known_until=KNOWN_FOREVER)


class Bitemporal(models.Model):
    """A projection row: holds for effective days [from, until), believed in moments [known_from, known_until)."""

    effective_from = models.DateField()
    effective_until = models.DateField(default=FOREVER)
    known_from = models.DateTimeField()
    known_until = models.DateTimeField(default=KNOWN_FOREVER)

    class Meta:
        abstract = True


def at(as_of: date, known_at: datetime | None = None, prefix: str = "") -> Q:
    """Return the same condition as :meth:`BitemporalManager.at` as a Q, for joins through a relation `prefix`."""
    p = f"{prefix}__" if prefix else ""
    condition = Q(**{f"{p}effective_from__lte": as_of, f"{p}effective_until__gt": as_of})
    if known_at is None:
        return condition & Q(**{f"{p}known_until": KNOWN_FOREVER})
    return condition & Q(**{f"{p}known_from__lte": known_at, f"{p}known_until__gt": known_at})
