"""The verbs of the register. Every one of them raises the version of the room, and the gateway reads the register again."""

from yuanmai.devices.registry.actions.devices import (
    add_device,
    add_many,
    assign_many,
    enable_many,
    restore_devices,
    retire_devices,
    revise_device,
)
from yuanmai.devices.registry.actions.points import adjust_points
from yuanmai.devices.registry.actions.secrets import new_secret, revoke_secret
from yuanmai.devices.registry.actions.templates import (
    add_template,
    copy_template,
    load_templates,
    restore_template,
    retire_template,
    revise_template,
)
from yuanmai.devices.registry.actions.unknown import adopt_device, dismiss_unknown, recall_unknown

__all__ = [
    "add_device",
    "add_many",
    "add_template",
    "adjust_points",
    "adopt_device",
    "assign_many",
    "copy_template",
    "dismiss_unknown",
    "enable_many",
    "load_templates",
    "new_secret",
    "recall_unknown",
    "restore_devices",
    "restore_template",
    "retire_devices",
    "retire_template",
    "revise_device",
    "revise_template",
    "revoke_secret",
]
