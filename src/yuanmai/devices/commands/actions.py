"""Asking for commands and taking them back. What becomes of them is written by the gateway, not here."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.workflow import Conflict
from yuanmai.devices.commands.queries import ENDED
from yuanmai.devices.commands.verbs import checked, settable, verb_name, verb_of
from yuanmai.devices.models import Command, Device
from yuanmai.devices.models.command import CommandState
from yuanmai.devices.permissions import COMMAND_DEVICES

DEFAULT_WAIT = timedelta(hours=1)
LONGEST_WAIT = timedelta(days=30)
MOST_WAITING = 50  # commands of one device that have not ended
HIDDEN = "••••••"


def revision() -> int:
    """Return the number of a change: microseconds of the clock."""
    return time.time_ns() // 1000


@action("commands.send", permission=COMMAND_DEVICES, local=True)
def send_command(
    act: Act, /, device: Device, verb: str, parameters: Mapping[str, Any], wait: timedelta = DEFAULT_WAIT
) -> Command:
    """Ask for a command; the gateway sends it as soon as the device is there, until `wait` has passed.

    Raises ValidationError with the faults by parameter (`wait` and `verb` among them), Denied outside of the actor's scope.
    """
    act.require(device.org_id)
    known = verb_of(device.protocol, verb)
    if known is None:
        raise ValidationError({"verb": _("A device of this protocol knows no such command.")})
    if device.retired_at is not None or not device.enabled:
        raise ValidationError({"verb": _("The device is not in use.")})
    if not timedelta(seconds=10) <= wait <= LONGEST_WAIT:
        raise ValidationError({"wait": _("Between 10 seconds and 30 days.")})
    values = checked(known, parameters, settable(device) if known.writes_point else ())
    if Command.objects.filter(device=device).exclude(state__in=ENDED).count() >= MOST_WAITING:
        raise ValidationError(
            {"verb": _("%(most)d commands of this device have not ended yet.") % {"most": MOST_WAITING}}
        )
    row = Command.objects.create(
        device=device, verb=verb, parameters=values, created_at=act.now, created_by_id=act.actor.user_id,
        expires_at=act.now + wait, revision=revision(),
    )  # fmt: skip
    told = {name: HIDDEN if name in known.secrets() else value for name, value in values.items()}
    act.log(
        row,
        org_id=device.org_id,
        after={"device": device.code, "verb": verb, "parameters": told},
        name=told_name(row),
    )
    return row


@action("commands.cancel", permission=COMMAND_DEVICES, local=True)
def cancel_command(act: Act, /, row: Command) -> Command:
    """Take back a command that still waits for its device; raises Conflict where it has been sent or has ended."""
    act.require(row.device.org_id)
    changed = Command.objects.filter(pk=row.pk, state=CommandState.QUEUED).update(
        state=CommandState.CANCELLED, ended_at=act.now, revision=revision()
    )
    if not changed:
        raise Conflict(_("The command no longer waits: it has been sent, or it has ended."))
    row.refresh_from_db()
    act.log(
        row, org_id=row.device.org_id, before={"state": CommandState.QUEUED}, after={"state": CommandState.CANCELLED},
        name=told_name(row),
    )  # fmt: skip
    return row


def told_name(row: Command) -> str:
    """Return how the log calls a command."""
    return f"{row.device.name}: {verb_name(row.device.protocol, row.verb)}"[:200]
