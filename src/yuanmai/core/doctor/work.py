"""Checks of the background work: somebody does it, and what is done regularly succeeds."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.doctor.model import Outcome, check
from yuanmai.core.jobs.models import Job, ScheduledRun
from yuanmai.core.scope import everywhere

PATIENCE = timedelta(minutes=2)


@check("worker", gettext_lazy("Worker"), needs_database=True)
def worker() -> Outcome:
    """A worker takes up work: nothing waits for long while nothing runs, and the schedule is kept."""
    now = timezone.now()
    mend = _("Start 'yuanmai worker' ('yuanmai serve' starts one by itself) and look at what it prints.")
    with everywhere():
        waiting = Job.objects.filter(state=Job.State.WAITING, created_at__lt=now - PATIENCE).count()
        running = Job.objects.filter(state=Job.State.RUNNING, beat_at__gt=now - PATIENCE).count()
    if waiting and not running:
        return Outcome.fail(_("%(n)d jobs wait and none runs") % {"n": waiting}, mend)
    due = ScheduledRun.objects.order_by("due_at").values_list("due_at", flat=True).first()
    if due is None:
        return Outcome.warn(_("has never run here"), mend)
    if due < now - PATIENCE:
        since = timezone.localtime(due).strftime("%Y-%m-%d %H:%M")
        return Outcome.warn(_("has not kept the schedule since %(moment)s") % {"moment": since}, mend)
    return Outcome.ok(_("keeps the schedule, %(n)d jobs run") % {"n": running})


@check("periodic", gettext_lazy("Periodic work"), needs_database=True)
def periodic() -> Outcome:
    """The last run of every piece of periodic work succeeded."""
    failed = ScheduledRun.objects.exclude(error="").order_by("name").first()
    if failed is not None:
        return Outcome.warn(
            f"{failed.name}: {failed.error}", _("The page of the system shows when it runs again.")
        )
    return Outcome.ok(_("%(n)d kinds") % {"n": ScheduledRun.objects.count()})
