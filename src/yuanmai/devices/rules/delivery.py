"""The outbox: sends what is due, tries again with longer and longer pauses, gives up visibly.

A message is claimed by compare-and-swap with a lease, so that of several workers one sends it, and one that dies in the middle is
tried again by another: at least once, with an id by which the receiver tells a repetition. When more waits than a channel may
send in a minute, the rest becomes one digest.
"""

import logging
import smtplib
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import Q
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_tasks import task

from yuanmai.core.scope import everywhere
from yuanmai.devices.models import (
    ChannelKind,
    Notification,
    NotificationChannel,
    NotificationState,
    Severity,
)
from yuanmai.devices.rules.secrets import unseal
from yuanmai.devices.rules.webhooks import Undelivered, build, check, post

logger = logging.getLogger(__name__)
# Pauses before the second, third … attempt, in seconds; about seven hours in all.
PAUSES = (10, 30, 60, 180, 300, 600, 1200, 1800, 3600, 3600, 7200, 7200)
LEASE = timedelta(minutes=2)
MINUTE = timedelta(minutes=1)
AT_ONCE = 200  # messages that are looked at in one go
SHOWN = 8  # alarms that a digest names


@task()
def deliver_now() -> None:
    """Send what is due; put into the queue whenever something is added."""
    with everywhere():
        deliver()


def deliver(now: datetime | None = None) -> int:
    """Send every message that is due and return how many were taken. Works through all channels; a slow one costs its time only."""
    moment = now or timezone.now()
    due = Q(state=NotificationState.WAITING, due_at__lte=moment)
    due |= Q(state=NotificationState.SENDING, lease_until__lt=moment)
    rows = Notification.objects.filter(due).select_related("channel", "alarm").order_by("due_at", "id")
    by_channel: dict[int, list[Notification]] = defaultdict(list)
    for row in rows[:AT_ONCE]:
        by_channel[row.channel_id].append(row)
    return sum(_channel(mine, moment) for mine in by_channel.values())


def _channel(rows: Sequence[Notification], now: datetime) -> int:
    """Send what is due through one channel, within what it may send in a minute."""
    channel = rows[0].channel
    recent = Notification.objects.filter(
        channel=channel, sent_at__gt=now - MINUTE, state=NotificationState.SENT
    ).count()
    room = channel.per_minute - recent
    if room <= 0:
        return 0
    sendable = list(rows)
    if len(sendable) > room:
        sendable, rest = sendable[: room - 1], sendable[room - 1 :]
        digest = _digest(channel, rest, now)
        if digest is not None:
            sendable.append(digest)
    taken = 0
    for row in sendable:
        if not _claim(row, now):
            continue
        if not send(row, now):
            break  # the channel is in trouble: what else waits for it waits until its own time
        taken += 1
    return taken


def _digest(channel: NotificationChannel, rows: Sequence[Notification], now: datetime) -> Notification | None:
    """Put messages together in one; None where another worker has done so."""
    with transaction.atomic():
        mine = Notification.objects.filter(pk__in=[row.pk for row in rows], state=NotificationState.WAITING)
        ids = list(mine.values_list("pk", flat=True))
        with translation.override(channel.language):
            count = mine.update(state=NotificationState.CANCELLED, fault=_("Part of a digest"))
            if count != len(ids) or not count:
                transaction.set_rollback(True)
                return None
            chosen = [row for row in rows if row.pk in set(ids)]
            subject = ngettext("%(n)s messages about alarms", "%(n)s messages about alarms", count) % {
                "n": count
            }
            lines = [row.subject for row in chosen[:SHOWN]]
            if count > SHOWN:
                lines.append(_("… and %(n)s more") % {"n": count - SHOWN})
        severities = [row.alarm.severity for row in chosen if row.alarm is not None]
        counts = {str(Severity(s).label): severities.count(s) for s in sorted(set(severities), reverse=True)}
        head = ", ".join(f"{name} {n}" for name, n in counts.items())
        return Notification.objects.create(
            channel=channel, key=f"digest:{chosen[0].uid}", subject=subject,
            body={"event": "digest", "subject": subject, "text": "\n".join([subject, head, *lines]),
                  "path": "/devices/rules/alarms/", "messages": [str(row.uid) for row in chosen]},
            created_at=now, due_at=now,
        )  # fmt: skip


def _claim(row: Notification, now: datetime) -> bool:
    free = Q(state=NotificationState.WAITING) | Q(state=NotificationState.SENDING, lease_until__lt=now)
    return bool(
        Notification.objects.filter(free, pk=row.pk).update(
            state=NotificationState.SENDING, lease_until=now + LEASE, attempts=row.attempts + 1
        )
    )


def send(row: Notification, now: datetime) -> bool:
    """Send a claimed message and note how it went; returns whether it was taken. The next attempt is counted from `now`."""
    channel, attempts = row.channel, row.attempts + 1
    mine = Notification.objects.filter(pk=row.pk, state=NotificationState.SENDING)
    with translation.override(channel.language):
        try:
            if not channel.enabled and not row.key.startswith("test:"):
                raise Undelivered(_("The channel is switched off."), hopeless=True)
            _send(row)
        except Undelivered as error:
            hopeless = error.hopeless or attempts > len(PAUSES)
            state = NotificationState.DEAD if hopeless else NotificationState.WAITING
            pause = timedelta(seconds=0 if hopeless else PAUSES[attempts - 1])
            mine.update(state=state, due_at=now + pause, fault=error.reason[:300], lease_until=None)
            NotificationChannel.objects.filter(pk=channel.pk).update(fault=error.reason[:300])
            logger.warning("message %s through %s: %s", row.uid, channel.pk, error.reason)
            return False
    mine.update(state=NotificationState.SENT, sent_at=now, fault="", lease_until=None)
    NotificationChannel.objects.filter(pk=channel.pk).update(delivered_at=now, fault="")
    return True


def link_of(path: str) -> str:
    """Return the address of a page for somebody outside; empty where the installation's own is not set."""
    base = str(getattr(settings, "BASE_URL", "")).rstrip("/")
    return f"{base}{path}" if base and path else ""


def _send(row: Notification) -> None:
    channel = row.channel
    link = link_of(str(row.body.get("path", "")))
    if channel.kind == ChannelKind.MAIL:
        _mail(row, link)
        return
    request = build(
        channel.kind,
        channel.url,
        unseal(channel.secret),
        str(row.uid),
        row.subject,
        row.body,
        link,
        int(time.time()),
    )
    check(channel.kind, *post(request))


def _mail(row: Notification, link: str) -> None:
    recipients = row.channel.recipients.split()
    if not settings.EMAIL_HOST:
        raise Undelivered(_("No mail server is set up."))
    if not recipients:
        raise Undelivered(_("The channel names no recipient."), hopeless=True)
    text = str(row.body.get("text", "")) + (f"\n\n{link}" if link else "")
    mail = EmailMessage(row.subject, text, to=recipients, headers={"Message-ID": f"<{row.uid}@yuanmai>"})
    try:
        mail.send()
    except (OSError, smtplib.SMTPException) as error:
        raise Undelivered(
            _("The mail server did not take the mail: %(error)s") % {"error": str(error)[:160]}
        ) from error
