"""How a command shows in a list."""

from django import template

from yuanmai.devices.commands import wording
from yuanmai.devices.commands.verbs import verb_name
from yuanmai.devices.models import Command

register = template.Library()


@register.filter
def command_name(row: Command) -> str:
    """Return what was asked."""
    return verb_name(row.device.protocol, row.verb)


@register.filter
def command_result(row: Command) -> str:
    """Return how it ended, in words."""
    return wording.result(row)


@register.filter
def command_tone(row: Command) -> str:
    """Return the tone of its state."""
    return wording.TONES[row.state]


@register.filter
def command_icon(row: Command) -> str:
    """Return the sign of its state."""
    return wording.ICONS[row.state]
