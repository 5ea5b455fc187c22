"""Real workers: stopped gently, killed at bad moments; the work is done exactly once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.installation import Installation, Installations

WORKER = Path(__file__).with_name("worker_with_kinds.py")


@pytest.fixture
def place(installations: Installations) -> Iterator[Installation]:
    made = installations.migrated()
    assert made.run("org", "add", "linzhou", "临州市", "--kind", "city").returncode == 0
    yield made
    made.stop()


def enqueue(place: Installation, **arguments: Any) -> int:
    return int(
        place.python(f"""
from yuanmai.core.jobs.registry import KINDS, JobKind
from yuanmai.core.jobs.actions import enqueue
from yuanmai.core.policy import SYSTEM
from yuanmai.people.models import Organisation
KINDS["test.add"] = JobKind("test.add", "Add", print)
answer = enqueue(SYSTEM, "test.add", "Add", {arguments!r}, Organisation.objects.get(code="linzhou").pk).pk
""")
    )


def look(place: Installation, pk: int) -> dict[str, Any]:
    ((state, done, attempts, message),) = place.rows(
        f"SELECT state, done, attempts, message FROM core_job WHERE id = {pk}"
    )
    ((added,),) = place.rows("SELECT count(*) FROM people_organisation WHERE code LIKE 'added-%'")
    ((logged,),) = place.rows("SELECT count(*) FROM core_auditentry WHERE action = 'people.add_organisation'")
    return {
        "state": state, "done": done, "attempts": attempts, "message": message, "added": added, "logged": logged - 1,
    }  # fmt: skip


def start(place: Installation, mode: str) -> subprocess.Popen[str]:
    return place.start(sys.executable, str(WORKER), mode)


def until(check: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def ended(process: subprocess.Popen[str]) -> int:
    process.wait(timeout=60)
    return process.returncode


@pytest.mark.slow
def test_killed_in_the_middle_the_next_worker_does_it_once(place: Installation) -> None:
    pk = enqueue(place, steps=40)
    worker = start(place, "forever")
    until(lambda: look(place, pk)["done"] >= 3)
    worker.send_signal(signal.SIGKILL)
    ended(worker)
    middle = look(place, pk)
    assert (middle["state"], middle["added"]) == ("running", 0)
    assert ended(start(place, "batch")) == 0
    after = look(place, pk)
    assert after == {"state": "done", "done": 40, "attempts": 2, "message": "added", "added": 1, "logged": 1}
    assert place.run("audit", "verify").returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize(("moment", "attempts"), [("inside", 2), ("after", 1)])
def test_killed_around_the_last_step_nothing_is_lost_or_doubled(
    place: Installation, moment: str, attempts: int
) -> None:
    pk = enqueue(place, steps=1, die_at=moment)
    assert ended(start(place, "batch")) == -signal.SIGKILL
    assert look(place, pk)["added"] == (0 if moment == "inside" else 1)
    assert ended(start(place, "batch")) == 0
    after = look(place, pk)
    assert (after["state"], after["added"], after["logged"], after["attempts"]) == ("done", 1, 1, attempts)


@pytest.mark.slow
def test_told_to_stop_the_worker_finishes_what_it_has_begun(place: Installation) -> None:
    pk, later = enqueue(place, steps=15), enqueue(place, steps=1)
    worker = start(place, "forever")
    until(lambda: look(place, pk)["state"] == "running")
    worker.terminate()
    assert ended(worker) == 0
    assert look(place, pk)["state"] == "done"
    assert look(place, later)["state"] == "waiting"


@pytest.mark.slow
def test_the_workers_of_the_program_stop_at_once_when_idle(place: Installation) -> None:
    worker = place.start(sys.executable, "-m", "yuanmai", "worker")
    until(lambda: place.rows("SELECT count(*) FROM core_scheduledrun") != [(0,)])
    worker.terminate()
    before = time.monotonic()
    assert ended(worker) == 0
    assert time.monotonic() - before < 5
