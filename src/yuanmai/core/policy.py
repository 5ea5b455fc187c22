"""Permissions, who holds them, and refusals that carry their reason.

A room declares its permissions in `permissions.py` with :func:`permission`. Roles (data, in `people`) hold permissions
for a subtree of organisations. Whoever acts is an :class:`Actor`; code asks ``actor.require(code, org_id)`` and gets
nothing or a :class:`Denied` whose message can be shown as it is.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from django.core.exceptions import PermissionDenied
from django.utils.functional import Promise
from django.utils.translation import gettext as _

Text = str | Promise


@dataclass(frozen=True)
class Permission:
    """One right: ``code`` is ``room.verb``; ``name`` is shown; ``writes`` tells rights that change something."""

    code: str
    name: Text
    writes: bool = False


PERMISSIONS: dict[str, Permission] = {}


def permission(code: str, name: Text, *, writes: bool = False) -> str:
    """Declare a permission and return its code; raises `ValueError` for a code declared twice."""
    if code in PERMISSIONS:
        raise ValueError(f"permission {code} is declared twice")
    PERMISSIONS[code] = Permission(code, name, writes)
    return code


class Denied(PermissionDenied):
    """A refusal with its reason, in the user's language."""

    def __init__(self, reason: str, *, code: str = "denied") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class Actor(Protocol):
    """Whoever does something: a person at a page or API, a command, a job, the system itself."""

    @property
    def user_id(self) -> int | None:
        """Primary key of the user, None for the system."""

    @property
    def name(self) -> str:
        """Name for logs and pages."""

    @property
    def via(self) -> str:
        """Where it came from: web, api, cli, job, system."""

    @property
    def address(self) -> str:
        """Network address, empty where there is none."""

    def org_ids(self, code: str | None = None) -> Collection[int]:
        """Organisations in which the actor holds a permission (or any permission at all)."""

    def why_not(self, code: str, org_id: int | None = None) -> str | None:
        """Return None when allowed, else the reason in words."""

    def require(self, code: str, org_id: int | None = None) -> None:
        """Raise :class:`Denied` unless the actor holds the permission (in that organisation)."""


class _Everywhere(Collection[int]):
    """The set of all organisations, for the system actor."""

    def __contains__(self, item: object) -> bool:
        return True

    def __iter__(self):  # type: ignore[no-untyped-def]
        raise TypeError("every organisation: open core.scope.everywhere() instead of listing them")

    def __len__(self) -> int:
        raise TypeError("every organisation: open core.scope.everywhere() instead of listing them")


@dataclass(frozen=True)
class SystemActor:
    """The program itself: commands run by the machine's administrator, migrations, schedules, demonstration data."""

    name: str = "system"
    via: str = "system"
    address: str = ""
    user_id: int | None = None
    _everywhere: _Everywhere = field(default_factory=_Everywhere, repr=False, compare=False)

    def org_ids(self, code: str | None = None) -> Collection[int]:
        """Every organisation."""
        return self._everywhere

    def why_not(self, code: str, org_id: int | None = None) -> str | None:
        """Nothing is refused to the system; an undeclared permission is a programming error."""
        if code not in PERMISSIONS:
            raise KeyError(f"permission {code} is not declared")
        return None

    def require(self, code: str, org_id: int | None = None) -> None:
        """Check only that the permission exists."""
        self.why_not(code, org_id)


SYSTEM = SystemActor()


def refuse(reason: str | None = None) -> Denied:
    """Return the refusal to raise where no better reason is known."""
    return Denied(reason or _("You do not have the right to do this."))
