"""Data scope: every row belongs to an organisation, and a query outside an open scope raises.

Built on django-scopes. The active scope is the list of organisation ids whose rows may be read; it is resolved once
(by the middleware, a job or a command) and used as ``org_id IN (…)``.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import models
from django_scopes import get_scope, scope, scopes_disabled
from django_scopes.manager import DisabledQuerySet

DIMENSION = "orgs"
M = TypeVar("M", bound=models.Model)


@contextmanager
def open_scope(org_ids: Iterable[int]) -> Iterator[None]:
    """Allow reading rows of these organisations, and of no others, inside the block."""
    with scope(**{DIMENSION: sorted(set(org_ids))}):
        yield


@contextmanager
def everywhere() -> Iterator[None]:
    """Switch the scope off inside the block. For the system itself only: set-up, migrations, projections, tests."""
    with scopes_disabled():
        yield


def active_org_ids() -> list[int] | None:
    """Return the organisation ids of the open scope, or None where the scope is switched off or not open."""
    current = get_scope()
    if not current.get("_enabled", True):
        return None
    return current.get(DIMENSION)


class OwnedManager(models.Manager[M]):
    """Reads only rows inside the active scope, and raises where none is open. Subclasses name the path to the owner."""

    path = "org_id"

    def get_queryset(self) -> models.QuerySet[M]:
        """Return the rows of the open scope."""
        current = get_scope()
        if not current.get("_enabled", True):
            return super().get_queryset()
        if DIMENSION not in current:
            return DisabledQuerySet(self.model, using=self._db, missing_scopes={DIMENSION})
        return super().get_queryset().filter(**{f"{self.path}__in": current[DIMENSION]})

    def all(self) -> models.QuerySet[M]:
        """Return the rows of the open scope; raises outside one."""
        rows = super().all()
        return rows.all() if isinstance(rows, DisabledQuerySet) else rows


class Owned(models.Model):
    """A row that belongs to an organisation."""

    org = models.ForeignKey("people.Organisation", models.PROTECT, related_name="+")

    objects = OwnedManager()

    class Meta:
        abstract = True
