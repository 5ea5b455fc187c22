"""Versions of the rooms, remembered for the length of one request."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# None: not remembering. An empty holder is filled by the first question; a spoilt one is never filled again, because what
# is read inside a transaction that may still be rolled back must not be believed afterwards.
_memo: ContextVar["Memo | None"] = ContextVar("audit_versions", default=None)


class Memo:
    """What was read once in this request."""

    def __init__(self) -> None:
        self.versions: dict[str, tuple[int, int]] | None = None
        self.spoilt = False


@contextmanager
def remembering() -> Iterator[None]:
    """Let `versions()` ask the database only once inside the block, until something is written."""
    token = _memo.set(Memo())
    try:
        yield
    finally:
        _memo.reset(token)


@contextmanager
def at_least_here() -> Iterator[None]:
    """Remember inside the block where nothing is remembered yet (a command, a job); a request goes on remembering its own."""
    if _memo.get() is not None:
        yield
    else:
        with remembering():
            yield


def recall() -> dict[str, tuple[int, int]] | None:
    """Return what was remembered, or None."""
    memo = _memo.get()
    return None if memo is None or memo.spoilt else memo.versions


def keep(versions: dict[str, tuple[int, int]]) -> None:
    """Remember for the rest of the block, where one is open."""
    memo = _memo.get()
    if memo is not None and not memo.spoilt:
        memo.versions = versions


def trusted() -> bool:
    """Whether what was read may be kept beyond this request: a request is open and nothing was written in it."""
    memo = _memo.get()
    return memo is not None and not memo.spoilt


def forget() -> None:
    """Something was written: ask the database from now on."""
    memo = _memo.get()
    if memo is not None:
        memo.spoilt = True
