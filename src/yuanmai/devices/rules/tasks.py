"""The periodic work of rules and alarms."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.jobs.schedule import Daily, Every, scheduled
from yuanmai.core.policy import SYSTEM
from yuanmai.devices.models import Notification, NotificationState
from yuanmai.devices.rules import history  # noqa: F401  (importing it declares the job)
from yuanmai.devices.rules.delivery import deliver
from yuanmai.devices.rules.escalating import due, escalate

KEEP = timedelta(days=180)


@scheduled("devices.escalate_alarms", gettext_lazy("Escalate alarms that nobody has acknowledged"), Every(1))
def escalate_alarms() -> str:
    """Carry out the escalations that are due."""
    waiting = due(timezone.now())
    count = len(escalate(SYSTEM, waiting)) if waiting else 0
    return _("%(count)s escalated.") % {"count": count}


@scheduled("devices.deliver_messages", gettext_lazy("Send messages about alarms again"), Every(1))
def deliver_messages() -> str:
    """Send what could not be sent at once."""
    return _("%(count)s sent.") % {"count": deliver()}


@scheduled("devices.clear_outbox", gettext_lazy("Remove old messages about alarms"), Daily(3, 40))
def clear_outbox() -> str:
    """Remove messages that were sent long ago; what was given up stays."""
    old = Notification.objects.filter(created_at__lt=timezone.now() - KEEP)
    count, _models = old.exclude(state=NotificationState.DEAD).delete()
    return _("%(count)s removed.") % {"count": count}
