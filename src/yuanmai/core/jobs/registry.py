"""The kinds of jobs, and what a running job holds in its hand."""

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.jobs.models import Job
from yuanmai.core.policy import Actor, Text
from yuanmai.core.scope import everywhere

WRITE_EVERY = 0.5  # seconds between two writes of progress


class JobCancelled(Exception):  # noqa: N818  (it is no error)
    """The user asked to stop."""


class TakenOver(Exception):  # noqa: N818  (it is no error)
    """Another run of the same job has been started, because this one was taken for dead: it must not end the job."""


@dataclass(frozen=True)
class JobKind:
    """A kind of background work; `attempts` is how often it is tried when workers die under it."""

    code: str
    name: Text
    function: Callable[..., Any]
    attempts: int = 3


KINDS: dict[str, JobKind] = {}


def job(code: str, name: Text, *, attempts: int = 3) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a kind of job: ``function(run, **arguments)``. Raises `ValueError` for a code declared twice."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        if code in KINDS:
            raise ValueError(f"job {code} is declared twice")
        KINDS[code] = JobKind(code, name, function, attempts)
        return function

    return declare


@dataclass
class End:
    """How a job ended: a small JSON `result`, the page where the result is, and a sentence."""

    result: Any = None
    url: str = ""
    message: str = ""


@dataclass
class Run:
    """One run of a job: whose it is, how far it is, whether it shall stop."""

    job: Job
    run_id: uuid.UUID
    actor: Actor
    done: int = 0
    total: int = 0
    message: str = ""
    finished: bool = False
    changed: bool = False  # progress that is not written yet
    _written_at: float = field(default=0.0, repr=False)
    _seen_at: float = field(default=0.0, repr=False)

    def progress(self, done: int, total: int | None = None, message: Text = "") -> None:
        """Say how far the work is; written at most twice a second. Raises `JobCancelled` when the user asked to stop."""
        self.done, self.total = done, self.total if total is None else total
        self.message = str(message)[:300] or self.message
        self.changed = True
        now = time.monotonic()
        if now - self._written_at >= WRITE_EVERY and not connection.in_atomic_block:
            # Inside a transaction nobody would see it, and the row would stay locked; the worker's pulse writes it.
            self._written_at = now
            self.write()
        if now - self._seen_at >= WRITE_EVERY:
            self._seen_at = now
            self.check_cancelled()

    def write(self) -> None:
        """Store progress and a sign of life; nothing where another run has taken over."""
        self.changed = False
        with everywhere():
            Job.objects.filter(pk=self.job.pk, run=self.run_id, state=Job.State.RUNNING).update(
                done=self.done, total=self.total, message=self.message, beat_at=timezone.now()
            )

    def check_cancelled(self) -> None:
        """Raise `JobCancelled` when the user asked to stop, `TakenOver` when another run has begun."""
        with everywhere():
            now = Job.objects.filter(pk=self.job.pk).values_list("run", "cancel_requested").first()
        if now is None or now[0] != self.run_id:
            raise TakenOver(str(self.job.pk))
        if now[1]:
            raise JobCancelled(_("Cancelled."))

    @contextmanager
    def finishing(self) -> Iterator[End]:
        """Do the last step and end the job in one transaction, so that a crash leaves both or neither.

        Raises `TakenOver` (and rolls back) when this run is not the one that counts any more.
        """
        self.check_cancelled()
        with transaction.atomic():
            end = End()
            yield end
            if not self.end(Job.State.DONE, end):
                raise TakenOver(str(self.job.pk))
        self.finished = True

    def end(self, state: str, end: End, error: str = "") -> bool:
        """Compare-and-swap the job into an end state; returns whether this run was still the one that counts."""
        changes: dict[str, Any] = {
            "state": state, "finished_at": timezone.now(), "result": end.result, "url": end.url, "error": error[:600],
            "message": (end.message or self.message)[:300], "total": self.total,
            "done": self.total if state == Job.State.DONE else self.done,
        }  # fmt: skip
        with everywhere():
            current = Job.objects.filter(pk=self.job.pk, run=self.run_id, state=Job.State.RUNNING)
            return current.update(**changes) == 1
