"""Rules and alarms for programs; times are UTC."""

from yuanmai.devices.rules.api.alarms import router as alarms
from yuanmai.devices.rules.api.rules import router as rules

__all__ = ["alarms", "rules"]
