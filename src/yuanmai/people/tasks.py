"""Background work of the people room: who it acts for, and what is sent to whom."""

import logging
from datetime import datetime
from smtplib import SMTPException

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.jobs.runner import resolve_actors_with
from yuanmai.core.jobs.schedule import Every, scheduled
from yuanmai.core.policy import Denied
from yuanmai.people.actor import UserActor
from yuanmai.people.models import Subscription, User
from yuanmai.people.subscription_documents import is_due, mail_of

logger = logging.getLogger(__name__)


def actor_for_job(user_id: int) -> UserActor:
    """Return a user with the rights of this moment; raises `Denied` where the account has been locked since."""
    user = User.objects.get(pk=user_id)
    if not user.is_active:
        raise Denied(_("The account that asked for this work is locked."))
    return UserActor.of(user, via="job")


resolve_actors_with(actor_for_job)


@scheduled("people.send_subscriptions", gettext_lazy("Send subscriptions by mail"), Every(30))
def send_subscriptions() -> str:
    """Send what is due; a mail that fails is tried again next time, and its owner sees why it did not come."""
    now, sent = timezone.now(), 0
    if not settings.EMAIL_HOST:
        return _("No mail server is set up.")
    rows = (
        Subscription.objects.filter(ended_at=None)
        .exclude(kind="calendar")
        .select_related("user", "org", "view")
    )
    for row in rows:
        if is_due(row, now) and send_one(row, now):
            sent += 1
    return _("%(count)s sent.") % {"count": sent}


def send_one(row: Subscription, now: datetime) -> bool:
    """Send one mail and note how it went; returns whether it was sent."""
    mine = Subscription.objects.filter(pk=row.pk)
    try:
        with translation.override(row.language):
            mail_of(row, timezone.localdate(now)).send()
    except Denied as denied:
        mine.update(fault=denied.reason[:300])
    except (OSError, SMTPException) as error:
        logger.warning("subscription %s: %s", row.pk, error)
        with translation.override(row.language):
            mine.update(fault=_("The mail server did not take the mail; it is tried again."))
    else:
        mine.update(delivered_at=now, fault="")
        return True
    return False
