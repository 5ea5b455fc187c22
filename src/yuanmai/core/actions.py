"""The decorator that every change of state goes through.

An action is a function ``verb(act: Act, …)`` marked ``@action("room.verb", permission="room.right")``. Called with an
actor as first argument it opens one transaction, checks the permission, runs, and writes what was logged with
``act.log(…)`` to the audit chain; an action that logs nothing is a programming error and is rolled back. Refusals and
failures leave an entry, too.
"""

import contextvars
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import models, transaction
from django.utils import timezone

from yuanmai.core.audit.log import Entry, append
from yuanmai.core.policy import PERMISSIONS, Actor, Denied

P = ParamSpec("P")
R = TypeVar("R")
logger = logging.getLogger(__name__)

# The request's id, set by the middleware, so that a log line, an audit entry and an error page can be matched.
request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="")


# Whether an action is running: what is computed meanwhile may be rolled back and must not be kept.
acting: "contextvars.ContextVar[Act | None]" = contextvars.ContextVar("acting", default=None)


@dataclass(frozen=True)
class Declared:
    """An action as declared: used by the access matrix and the documentation."""

    code: str
    permission: str
    function: Callable[..., Any]


ACTIONS: dict[str, Declared] = {}


@dataclass
class Act:
    """One run of an action: who acts, the moment it counts as recorded, and what it leaves in the log."""

    actor: Actor
    code: str
    permission: str
    now: datetime
    local: bool = False
    entries: list[Entry] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)  # rooms whose data changed, besides the action's own

    def require(self, org_id: int | None, permission: str | None = None) -> None:
        """Raise :class:`Denied` unless the actor holds the action's permission in that organisation."""
        self.actor.require(permission or self.permission, org_id)

    def log(
        self,
        target: models.Model | None,
        *,
        org_id: int | None = None,
        before: Mapping[str, Any] | None = None,
        after: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> None:
        """Note what was done to `target`; `org_id` defaults to the target's own organisation."""
        if org_id is None and target is not None:
            org_id = getattr(target, "org_id", None)
        self.entries.append(Entry(self.code, target, org_id, before, after, target_name=name))

    def orgs(self) -> set[int] | None:
        """Return the organisations that the run concerned; None where it may have concerned any."""
        named = {entry.org_id for entry in self.entries}
        return {org for org in named if org} if self.local and None not in named else None


def touch(*rooms: str) -> None:
    """Say that data of these rooms changed: their version rises with the running action, and kept figures are forgotten.

    Projections call it, so that it does not depend on which room's action caused the change. Raises `RuntimeError`
    outside an action, since data change nowhere else.
    """
    act = acting.get()
    if act is None:
        raise RuntimeError("data change only inside an action")
    act.touched.update(rooms)


def action(
    code: str, *, permission: str, local: bool = False
) -> Callable[[Callable[Concatenate[Act, P], R]], Callable[Concatenate[Actor, P], R]]:
    """Declare an action; see the module's docstring. `permission` must be declared by a room's `permissions.py`.

    `local` promises that whatever it changes belongs to the organisations that its entries in the log name: what is kept
    for other organisations then stays good.
    """

    def decorate(function: Callable[Concatenate[Act, P], R]) -> Callable[Concatenate[Actor, P], R]:
        if code in ACTIONS:
            raise ValueError(f"action {code} is declared twice")

        @wraps(function)
        def run(actor: Actor, *args: P.args, **kwargs: P.kwargs) -> R:
            if permission not in PERMISSIONS:
                raise KeyError(f"permission {permission} is not declared")
            token = acting.set(None)
            try:
                with transaction.atomic():
                    actor.require(permission)
                    act = Act(actor, code, permission, timezone.now(), local)
                    acting.set(act)
                    result = function(act, *args, **kwargs)
                    if not act.entries:
                        raise RuntimeError(f"action {code} left nothing in the audit log")
                    append(actor, act.entries, request_id.get(), rooms=act.touched, orgs=act.orgs())
                    return result
            except Denied as denied:
                _leave(actor, code, "refused", denied.reason)
                raise
            finally:
                acting.reset(token)

        ACTIONS[code] = Declared(code, permission, run)
        return run  # type: ignore[return-value]  # wraps() remembers the name of the first parameter

    return decorate


def _leave(actor: Actor, code: str, result: str, reason: str) -> None:
    """Write a refused action to the log, unless an outer transaction is going to be rolled back anyway."""
    if transaction.get_connection().in_atomic_block and transaction.get_connection().needs_rollback:
        return
    with transaction.atomic():
        append(actor, [Entry(code, result=result, after={"reason": reason})], request_id.get())
