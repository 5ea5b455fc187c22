"""The tables of the devices room."""

from yuanmai.devices.models.alarm import (
    Alarm,
    AlarmGroup,
    AlarmState,
    AlarmStep,
    Notification,
    NotificationState,
    StepKind,
)
from yuanmai.devices.models.command import Command
from yuanmai.devices.models.registry import Device, Point, ProductTemplate, Protocol, TemplatePoint
from yuanmai.devices.models.rules import (
    AlarmRule,
    AlarmRuleVersion,
    ChannelKind,
    Escalation,
    MaintenanceWindow,
    NotificationChannel,
    RuleState,
    Severity,
)
from yuanmai.devices.models.state import DeviceState, Latest, Oddity, UnknownDevice

__all__ = [
    "Alarm",
    "AlarmGroup",
    "AlarmRule",
    "AlarmRuleVersion",
    "AlarmState",
    "AlarmStep",
    "ChannelKind",
    "Command",
    "Device",
    "DeviceState",
    "Escalation",
    "Latest",
    "MaintenanceWindow",
    "Notification",
    "NotificationChannel",
    "NotificationState",
    "Oddity",
    "Point",
    "ProductTemplate",
    "Protocol",
    "RuleState",
    "Severity",
    "StepKind",
    "TemplatePoint",
    "UnknownDevice",
]
