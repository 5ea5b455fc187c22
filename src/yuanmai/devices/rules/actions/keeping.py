"""Maintenance windows, escalations, channels, and messages that were given up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import translation
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.devices.engine.rules.windows import WindowFault, read_window
from yuanmai.devices.models import (
    ChannelKind,
    Device,
    Escalation,
    MaintenanceWindow,
    Notification,
    NotificationChannel,
    NotificationState,
    Severity,
)
from yuanmai.devices.permissions import HANDLE_ALARMS, KEEP_RULES
from yuanmai.devices.rules.secrets import seal
from yuanmai.devices.rules.telling import put
from yuanmai.devices.rules.webhooks import Undelivered, parse
from yuanmai.people.models import Organisation, User
from yuanmai.places.models import Park

MOST_RECIPIENTS = 50


def _belongs(org_id: int, park: Park | None, device_ids: Sequence[int] = ()) -> dict[str, list[str]]:
    path, errors = Organisation.objects.get(pk=org_id).path, {}
    if park is not None and not park.org.path.startswith(path):
        errors["park"] = [_("This park does not belong to the organisation.")]
    known = Device.objects.filter(pk__in=device_ids, org__path__startswith=path).count()
    if known < len(set(device_ids)):
        errors["devices"] = [_("Some of these devices are not devices of the organisation.")]
    return errors


@action("rules.save_window", permission=HANDLE_ALARMS)
def save_window(
    act: Act, window: MaintenanceWindow | None, org_id: int, *, name: str, begins_at: datetime, ends_at: datetime,
    reason: str, park: Park | None = None, device_ids: Sequence[int] = (),
) -> MaintenanceWindow:  # fmt: skip
    """Announce maintenance (None) or change what was announced; alarms of that time are marked and nobody is notified."""
    act.require(org_id)
    errors = _belongs(org_id, park, device_ids)
    if not name.strip():
        errors["name"] = [_("A window needs a name.")]
    if not reason.strip():
        errors["reason"] = [_("Say why: whoever looks at these alarms later will ask.")]
    if ends_at <= begins_at:
        errors["ends_at"] = [_("The end lies before the beginning.")]
    if errors:
        raise ValidationError(errors)
    if window is None:
        window = MaintenanceWindow(created_at=act.now, created_by_id=act.actor.user_id)
    else:
        act.require(window.org_id)
    window.org_id, window.name, window.reason = org_id, name.strip()[:120], reason.strip()
    window.begins_at, window.ends_at, window.park = begins_at, ends_at, park
    window.device_ids = sorted(set(device_ids))
    window.save()
    act.log(window, after={"from": begins_at.isoformat(), "until": ends_at.isoformat(), "reason": reason})
    return window


@action("rules.end_window", permission=HANDLE_ALARMS)
def end_window(act: Act, window: MaintenanceWindow) -> None:
    """End maintenance now."""
    act.require(window.org_id)
    if window.ended_at is not None or window.ends_at <= act.now:
        raise ValidationError(_("This window is over already."))
    window.ended_at = act.now
    window.save(update_fields=["ended_at"])
    act.log(window, after={"ended_at": act.now.isoformat()})


@action("rules.save_escalation", permission=KEEP_RULES)
def save_escalation(
    act: Act, row: Escalation | None, org_id: int, *, name: str, severity: int, after_minutes: int, raise_severity: bool = False,
    assign_to: User | None = None, channel: NotificationChannel | None = None, enabled: bool = True,
) -> Escalation:  # fmt: skip
    """State what happens to alarms that nobody acknowledges in time."""
    from yuanmai.people.actor import UserActor

    act.require(org_id)
    errors: dict[str, list[str]] = {}
    if not name.strip():
        errors["name"] = [_("An escalation needs a name.")]
    if not 1 <= after_minutes <= 7 * 1440:
        errors["after_minutes"] = [_("From one minute to seven days.")]
    if not (raise_severity or assign_to or channel):
        errors["name"] = [_("Say what shall happen: another severity, another person, a channel.")]
    if assign_to is not None and UserActor.of(assign_to).why_not(HANDLE_ALARMS, org_id):
        errors["assign_to"] = [_("This person may not handle alarms of this organisation.")]
    if channel is not None and channel.org_id != org_id:
        errors["channel"] = [_("This channel belongs to another organisation.")]
    if errors:
        raise ValidationError(errors)
    if row is None:
        row = Escalation()
    else:
        act.require(row.org_id)
    row.org_id, row.name, row.severity, row.after_minutes = (
        org_id,
        name.strip()[:120],
        severity,
        after_minutes,
    )
    row.raise_severity, row.assign_to, row.channel, row.enabled = raise_severity, assign_to, channel, enabled
    row.save()
    act.log(row, after={"after_minutes": after_minutes, "severity": severity, "enabled": enabled})
    return row


@action("rules.save_channel", permission=KEEP_RULES)
def save_channel(
    act: Act, row: NotificationChannel | None, org_id: int, *, name: str, kind: str, url: str = "", secret: str | None = None,
    recipients: str = "", severity: int = Severity.IMPORTANT, park: Park | None = None, hours: Sequence[Any] = (),
    tells_cleared: bool = True, per_minute: int = 3, language: str = "zh-hans", enabled: bool = True,
) -> NotificationChannel:  # fmt: skip
    """State a channel; `secret` None keeps the present one. The secret never leaves the program again."""
    act.require(org_id)
    errors = _belongs(org_id, park)
    if not name.strip():
        errors["name"] = [_("A channel needs a name.")]
    if kind not in ChannelKind.values:
        errors["kind"] = [_("Choose a kind.")]
    elif kind == ChannelKind.MAIL:
        errors |= _mail_faults(recipients)
    else:
        try:
            parse(url)
        except Undelivered as error:
            errors["url"] = [error.reason]
    try:
        for entry in hours:
            read_window(entry)
    except WindowFault:
        errors["hours"] = [_("Write hours like “working 08:00-18:00”, one line each.")]
    if not 1 <= per_minute <= 60:
        errors["per_minute"] = [_("From 1 to 60.")]
    if errors:
        raise ValidationError(errors)
    if row is None:
        row = NotificationChannel()
    else:
        act.require(row.org_id)
    row.org_id, row.name, row.kind, row.url = org_id, name.strip()[:120], kind, url.strip()
    row.recipients, row.severity, row.park, row.hours = recipients.strip(), severity, park, list(hours)
    row.tells_cleared, row.per_minute, row.language, row.enabled = (
        tells_cleared,
        per_minute,
        language,
        enabled,
    )
    if secret is not None:
        row.secret = seal(secret)
    row.save()
    act.log(row, after={"kind": kind, "severity": severity, "enabled": enabled, "secret": bool(row.secret)})
    return row


def _mail_faults(recipients: str) -> dict[str, list[str]]:
    found = recipients.split()
    if not found or len(found) > MOST_RECIPIENTS:
        return {"recipients": [_("From one to %(n)s addresses, one a line.") % {"n": MOST_RECIPIENTS}]}
    for address in found:
        try:
            validate_email(address)
        except ValidationError:
            return {"recipients": [_("“%(address)s” is not an e-mail address.") % {"address": address[:60]}]}
    return {}


@action("rules.test_channel", permission=KEEP_RULES)
def test_channel(act: Act, channel: NotificationChannel) -> Notification:
    """Put a test message into the outbox."""
    act.require(channel.org_id)
    with translation.override(channel.language):
        subject = _("Test message of %(name)s") % {"name": channel.name}
        text = "\n".join([subject, _("If you can read this, alarms will reach you here.")])
    row = Notification(
        channel=channel, key=f"test:{act.now.isoformat()}", subject=subject, created_at=act.now, due_at=act.now,
        body={"event": "test", "subject": subject, "text": text, "path": ""},
    )  # fmt: skip
    put([row])
    act.log(channel, after={"test": str(row.uid)})
    return Notification.objects.get(uid=row.uid)


test_channel.__test__ = False  # type: ignore[attr-defined]  # pytest takes the name for a test of its own


@action("rules.retry_message", permission=KEEP_RULES)
def retry_message(act: Act, message: Notification) -> None:
    """Try a message that was given up again from the start; it keeps its id."""
    from yuanmai.devices.rules.telling import wake

    act.require(message.channel.org_id)
    dead = Notification.objects.filter(pk=message.pk, state=NotificationState.DEAD)
    if not dead.update(state=NotificationState.WAITING, attempts=0, due_at=act.now, fault=""):
        raise ValidationError(_("This message is not among those given up."))
    act.log(message, org_id=message.channel.org_id, after={"retry": str(message.uid)})
    from django.db import transaction

    transaction.on_commit(wake)
