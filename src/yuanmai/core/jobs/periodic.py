"""The periodic work of the ground floor."""

import logging
from datetime import timedelta
from importlib import import_module

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.api.idempotency import KEEP
from yuanmai.core.api_answers import KeptAnswer
from yuanmai.core.audit.log import verify
from yuanmai.core.jobs.schedule import Daily, Every, scheduled

logger = logging.getLogger(__name__)
QUEUE_KEEPS = timedelta(days=7)


@scheduled("core.verify_audit", gettext_lazy("Verify the audit log"), Daily(2, 30))
def verify_audit() -> str:
    """Prove the audit log whole; a break is an error on the page of the system and in the server's log."""
    verdict = verify()
    if verdict.broken is not None:
        raise RuntimeError(f"the audit log is broken at {verdict.broken.position}: {verdict.broken.reason}")
    return _("Whole: %(entries)s entries.") % {"entries": verdict.entries}


@scheduled("core.clear_sessions", gettext_lazy("Remove expired sessions"), Daily(3, 10))
def clear_sessions() -> str:
    """Remove sessions that can no longer be used."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
    return _("Done.")


@scheduled("core.clear_kept_answers", gettext_lazy("Remove kept answers of the interface"), Every(60))
def clear_kept_answers() -> str:
    """Remove answers whose Idempotency-Key is older than a day."""
    count, _models = KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEEP).delete()
    return _("%(count)s removed.") % {"count": count}


@scheduled("core.clear_queue", gettext_lazy("Remove finished entries of the queue"), Daily(3, 20))
def clear_queue() -> str:
    """Remove what the queue remembers of work that is long over; the jobs themselves stay."""
    from django_tasks_db.models import DBTaskResult

    old = timezone.now() - QUEUE_KEEPS
    count, _models = DBTaskResult.objects.finished().filter(finished_at__lt=old).delete()
    return _("%(count)s removed.") % {"count": count}
