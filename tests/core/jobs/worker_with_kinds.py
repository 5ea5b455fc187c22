"""A worker that knows a few jobs of its own, for test_worker_process.py. Argument: ``batch`` or ``forever``."""

from __future__ import annotations

import os
import signal
import sys
import time

import django

django.setup()

from yuanmai.core.jobs import runner, worker  # noqa: E402
from yuanmai.core.jobs.registry import Run, job  # noqa: E402
from yuanmai.core.policy import SYSTEM  # noqa: E402
from yuanmai.people.actions import add_organisation  # noqa: E402
from yuanmai.people.models import Organisation  # noqa: E402

worker.LOOK = 0.5
worker.BEAT = 0.5


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@job("test.add", "Add")
def add(run: Run, *, steps: int, die_at: str = "") -> None:
    """Take `steps` steps of a tenth of a second, then add an organisation; die where told, at the first attempt."""
    first = run.job.attempts == 1
    for number in range(steps):
        time.sleep(0.1)
        run.progress(number + 1, steps)
    with run.finishing() as end:
        count = Organisation.objects.count()
        add_organisation(SYSTEM, code=f"added-{count}", name="Added", kind="city")
        end.message = "added"
        if first and die_at == "inside":
            die()
    if first and die_at == "after":
        die()


if __name__ == "__main__":
    assert runner.run_job is not None
    worker.work(batch=sys.argv[1] == "batch", interval=0.1)
