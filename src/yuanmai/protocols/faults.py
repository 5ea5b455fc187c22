"""What a codec hands out instead of an exception when bytes are no frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """Bytes that are no frame, and why: `reason` is a code that never changes, `details` what was understood so far."""

    reason: str
    raw: bytes = b""
    details: Mapping[str, Any] = field(default_factory=dict)


class ShortError(Exception):
    """Inside a codec only: a field reaches past the end of its bytes. No public function lets it out."""
