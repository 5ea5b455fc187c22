"""Periodic work: declared with when it is due, claimed by one worker, its last run on the page of the system."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone
from django_tasks import task

from yuanmai.core.jobs.models import ScheduledRun
from yuanmai.core.policy import Text
from yuanmai.core.scope import everywhere

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Daily:
    """Every day at a wall-clock time of the installation's zone."""

    hour: int
    minute: int = 0

    def after(self, moment: datetime) -> datetime:
        """Return the first due moment after `moment`."""
        local = timezone.localtime(moment)
        due = local.replace(hour=self.hour, minute=self.minute, second=0, microsecond=0)
        return due if due > local else due + timedelta(days=1)


@dataclass(frozen=True)
class Every:
    """Every so many minutes."""

    minutes: int

    def after(self, moment: datetime) -> datetime:
        """Return the first due moment after `moment`."""
        return moment + timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Periodic:
    """A piece of periodic work: the function returns a sentence on what it did."""

    name: str
    title: Text
    when: Daily | Every
    function: Callable[[], str]


PERIODIC: dict[str, Periodic] = {}


def scheduled(
    name: str, title: Text, when: Daily | Every
) -> Callable[[Callable[[], str]], Callable[[], str]]:
    """Declare periodic work (in a room's `tasks.py`); it runs as the system. Raises `ValueError` for a taken name."""

    def declare(function: Callable[[], str]) -> Callable[[], str]:
        if name in PERIODIC:
            raise ValueError(f"periodic work {name} is declared twice")
        PERIODIC[name] = Periodic(name, title, when, function)
        return function

    return declare


def tick(now: datetime | None = None) -> list[str]:
    """Put what is due into the queue and return its names. Of many workers one claims each; missed times run once."""
    now = now or timezone.now()
    rows = {row.name: row for row in ScheduledRun.objects.all()}
    new = [
        ScheduledRun(name=p.name, due_at=p.when.after(now)) for p in PERIODIC.values() if p.name not in rows
    ]
    if new:
        ScheduledRun.objects.bulk_create(new, ignore_conflicts=True)
    claimed = []
    for name, row in rows.items():
        periodic = PERIODIC.get(name)
        if periodic is None or row.due_at > now:
            continue
        with transaction.atomic():
            mine = ScheduledRun.objects.filter(name=name, due_at=row.due_at)
            if mine.update(due_at=periodic.when.after(now)):
                run_periodic.enqueue(name)
                claimed.append(name)
    return claimed


@task()
def run_periodic(name: str) -> None:
    """Run one piece of periodic work and note how it went."""
    periodic = PERIODIC.get(name)
    if periodic is None:
        return
    row = ScheduledRun.objects.filter(name=name)
    row.update(started_at=timezone.now(), finished_at=None, error="")
    try:
        with everywhere():
            note = periodic.function()
    except Exception as error:
        logger.exception("periodic work %s failed", name)
        row.update(finished_at=timezone.now(), error=f"{type(error).__name__}: {error}"[:600])
    else:
        row.update(finished_at=timezone.now(), note=str(note)[:300])
