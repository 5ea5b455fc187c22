"""The worker process: does what is in the queue, keeps the schedule, and takes over from workers that died."""

import logging
import os
import threading
import time

from django.db import close_old_connections, connections
from django.utils.crypto import get_random_string

from yuanmai.core.jobs.runner import current, recover
from yuanmai.core.jobs.schedule import tick

logger = logging.getLogger(__name__)
BEAT = 5.0  # seconds between two signs of life of a silent run
LOOK = 15.0  # seconds between two looks at the schedule and at other workers


class Pulse(threading.Thread):
    """Writes the signs of life of the run in this process, keeps the schedule, looks for dead workers.

    A thread of its own with its own connection, because the run may be busy for minutes without saying anything.
    """

    def __init__(self) -> None:
        super().__init__(name="pulse", daemon=True)
        self.stopping = threading.Event()

    def run(self) -> None:
        """Beat until told to stop. Nothing that goes wrong here may end it."""
        looked = beaten = 0.0
        while not self.stopping.wait(0.5):
            now = time.monotonic()
            try:
                close_old_connections()
                for run in list(current):
                    if run.changed or now - beaten >= BEAT:
                        run.write()
                        beaten = now
                if now - looked >= LOOK:
                    looked = now
                    tick()
                    recover()
            except Exception:
                logger.warning("the worker's pulse missed a beat", exc_info=True)
        connections.close_all()


def work(*, batch: bool = False, interval: float = 1.0) -> None:
    """Run until SIGTERM (the job at hand is finished first; a second signal stops by force).

    `batch`: stop when the queue is empty.
    """
    from django_tasks_db.management.commands.db_worker import Worker

    recover(at_start=True)
    pulse = Pulse()
    pulse.start()
    worker = Worker(
        queue_names=["*"],
        interval=interval,
        batch=batch,
        backend_name="default",
        startup_delay=False,
        max_tasks=None,
        worker_id=f"{os.getpid()}-{get_random_string(16)}",
        excluded_queue_names=[],
    )
    worker.configure_signals()
    try:
        worker.run()
    finally:
        pulse.stopping.set()
        pulse.join(timeout=5)
