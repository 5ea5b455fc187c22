"""A clock that tests can move."""

from __future__ import annotations

from datetime import datetime, timedelta

import axes.attempts
import axes.handlers.proxy
import pytest
from django.utils import timezone


class Clock:
    """`clock.forward(minutes=31)`: from now on it is later, for this program and for the lock-out."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.offset = timedelta()
        self.real = timezone.now
        for module in (timezone, axes.attempts, axes.handlers.proxy):
            patch.setattr(module, "now", self.now)

    def now(self) -> datetime:
        """What time it is."""
        return self.real() + self.offset

    def forward(self, **span: float) -> None:
        """Move on."""
        self.offset += timedelta(**span)
