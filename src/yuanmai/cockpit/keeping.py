"""Keeping what a page computed until a room that it depends on changes, so that a page costs its template and little more."""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from threading import RLock
from typing import TypeVar

from django.core.cache import cache
from django.core.cache.backends.base import BaseCache
from django.utils.translation import get_language

from yuanmai.core.audit.log import version_for
from yuanmai.core.figures import Figure, Query, get
from yuanmai.core.figures.sums import moment

T = TypeVar("T")
WAIT = 5.0  # seconds
_LOCKS = tuple(RLock() for _number in range(64))
# What stands in another store may be made of what is kept here. Its own locks are always taken first, so that no two
# threads can wait for each other.
_OUTER_LOCKS = tuple(RLock() for _number in range(64))


def rooms_of(figure: Figure) -> set[str]:
    """Return the rooms whose changes may change a figure, its inputs' included."""
    rooms = {figure.room, *figure.rooms}
    for code in getattr(figure, "inputs", ()):
        rooms |= rooms_of(get(code))
    return rooms


def kept(
    name: str,
    rooms: Iterable[str],
    query: Query,
    compute: Callable[[], T],
    *,
    words: bool = False,
    live: bool = False,
    store: BaseCache = cache,
) -> T:
    """Return what `compute` gives for a question, from memory where no room changed for its organisations since.

    With `words` the answer contains text and is kept per language. With `live` it follows what no action writes, and is kept
    for seconds only. An answer of None is not kept. `store` is where.
    """
    version: int | str = version_for(rooms, query.org_ids)
    if live:
        version = f"{version}.{moment()}"
    question = blake2b(f"{name}|{query.key}".encode(), digest_size=16).hexdigest()
    key = f"cockpit:{question}:{version}:{get_language() if words else ''}"
    value: T | None = store.get(key)
    if value is not None:
        return value
    # After a change everybody asks for the same at once: one computes, the others take its answer. Who has waited long
    # enough computes too, so that nothing can stand still here.
    locks = _LOCKS if store is cache else _OUTER_LOCKS
    lock = locks[hash(key) % len(locks)]
    waited = lock.acquire(timeout=WAIT)
    try:
        value = store.get(key)
        if value is None:
            value = compute()
            store.set(key, value)
    finally:
        if waited:
            lock.release()
    return value
