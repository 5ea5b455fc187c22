"""What people do with rules and alarms."""

from yuanmai.devices.rules.actions.handling import comment, move_alarm, move_alarms
from yuanmai.devices.rules.actions.keeping import (
    end_window,
    retry_message,
    save_channel,
    save_escalation,
    save_window,
    test_channel,
)
from yuanmai.devices.rules.actions.ruling import retire_rule, save_rule, switch_rule

__all__ = [
    "comment",
    "end_window",
    "move_alarm",
    "move_alarms",
    "retire_rule",
    "retry_message",
    "save_channel",
    "save_escalation",
    "save_rule",
    "save_window",
    "switch_rule",
    "test_channel",
]
