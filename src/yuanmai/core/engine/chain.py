"""The hash chain of the audit log (pure).

Each entry's hash covers the entry's content and the hash before it, so that an edited, deleted or moved entry breaks
the chain at its place. The head (last hash and count) is sealed with a key that is not in the database.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GENESIS = "0" * 64


def entry_hash(previous: str, content: Mapping[str, Any]) -> str:
    """Return the SHA-256 hex digest of `previous` and the canonical JSON of `content`."""
    body = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def seal(key: str, count: int, last: str) -> str:
    """Return the HMAC-SHA256 of the chain's length and last hash."""
    return hmac.new(key.encode(), f"{count}\n{last}".encode(), "sha256").hexdigest()


@dataclass(frozen=True)
class Break:
    """The first place where the chain does not hold: 1-based `position`, the entry's `sequence`, and why."""

    position: int
    sequence: int | None
    reason: str


def first_break(entries: Iterable[tuple[int, str, str, Mapping[str, Any]]]) -> tuple[int, str, Break | None]:
    """Walk ``(sequence, previous, hash, content)`` in order; return count, last hash, and the first break or None.

    Sequences must be 1, 2, 3 …: a hole is a deleted entry.
    """
    last, count = GENESIS, 0
    for position, (sequence, previous, digest, content) in enumerate(entries, start=1):
        if sequence != position:
            return count, last, Break(position, sequence, "missing")
        if previous != last:
            return count, last, Break(position, sequence, "unlinked")
        if digest != entry_hash(previous, content):
            return count, last, Break(position, sequence, "changed")
        last, count = digest, position
    return count, last, None
