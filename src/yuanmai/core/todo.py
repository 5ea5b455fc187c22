"""What waits for a person: rooms declare sources, one page and the counter in the top bar show them.

A room registers a source in its `todo.py` with :func:`register_todo`. It gets the actor and today's date, runs inside the
actor's data scope, and returns a bounded list of :class:`Todo`. `count` answers how many there are without building them.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.core.cache import cache
from django.utils.translation import get_language

from yuanmai.core.audit.log import version_for
from yuanmai.core.policy import Actor, Text

LIMIT = 50  # items of one source on the page; the item's own list shows the rest


@dataclass(frozen=True)
class Todo:
    """One thing that waits: what, why it waits for this person, until when, and the page where it is done with one tap."""

    title: Text
    reason: Text
    url: str
    action: Text
    due: date | None = None
    tone: str = ""
    icon: str = "checklist"
    count: int = 1
    detail: str = ""


@dataclass(frozen=True)
class TodoSource:
    """A kind of thing that waits. `permission`, where given, must be held by the person."""

    code: str
    name: Text
    items: Callable[[Actor, date], Sequence[Todo]]
    permission: str = ""
    order: int = 100
    rooms: tuple[str, ...] = field(default=("core",))  # whose changes may change it


SOURCES: dict[str, TodoSource] = {}


def register_todo(source: TodoSource) -> TodoSource:
    """Declare a source; raises `ValueError` where the code is taken."""
    if source.code in SOURCES:
        raise ValueError(f"to-do source {source.code} is declared twice")
    SOURCES[source.code] = source
    return source


@dataclass(frozen=True)
class Waiting:
    """What waits from one source."""

    source: TodoSource
    items: tuple[Todo, ...]


def waiting(actor: Actor, today: date) -> list[Waiting]:
    """Return everything that waits for a person, by source; kept until something changes in one of the source's rooms."""
    scope = actor.org_ids()
    result = []
    for source in sorted(SOURCES.values(), key=lambda s: (s.order, s.code)):
        if source.permission and actor.why_not(source.permission):
            continue
        version = version_for(("people", *source.rooms), scope)
        key = f"todo:{source.code}:{actor.user_id}:{today}:{version}:{get_language()}"
        items = cache.get(key)
        if items is None:
            items = tuple(source.items(actor, today))
            cache.set(key, items)
        if items:
            result.append(Waiting(source, items))
    return result


def todos(actor: Actor, today: date, *, without: Collection[str] = ()) -> list[Todo]:
    """Return what waits, the nearest deadline first, things without one last; nothing of the sources `without`."""
    parts = [part for part in waiting(actor, today) if part.source.code not in without]
    items = [item for part in parts for item in part.items]
    return sorted(items, key=lambda item: (item.due is None, item.due or date.max))


def todo_count(actor: Actor, today: date) -> int:
    """Return how many things wait."""
    return sum(len(part.items) for part in waiting(actor, today))
