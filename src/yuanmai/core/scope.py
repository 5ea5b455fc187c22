"""Data scope: every row belongs to an organisation, and a query outside an open scope raises.

Built on django-scopes. The active scope is the list of organisation ids whose rows may be read; it is resolved once
(by the middleware, a job or a command) and used as ``org_id IN (…)``.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models
from django_scopes import ScopedManager, get_scope, scope, scopes_disabled

DIMENSION = "orgs"


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


def scoped_manager(path: str = "org_id", base: type[models.Manager[Any]] = models.Manager) -> Any:
    """Return a manager that filters on `path` by the active scope and raises where none is open."""
    return ScopedManager(_manager_class=base, **{DIMENSION: path})


class Owned(models.Model):
    """A row that belongs to an organisation."""

    org = models.ForeignKey("people.Organisation", models.PROTECT, related_name="+")

    objects = scoped_manager()

    class Meta:
        abstract = True
