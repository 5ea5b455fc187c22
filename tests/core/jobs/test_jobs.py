"""Background work: visible, cancellable, repeatable, with present rights, and done once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.jobs import registry, runner
from yuanmai.core.jobs.actions import cancel, enqueue, retry
from yuanmai.core.jobs.models import Job
from yuanmai.core.jobs.queries import eta_seconds
from yuanmai.core.jobs.registry import Run, TakenOver, job
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import active_org_ids, everywhere

pytestmark = pytest.mark.django_db
seen: list[Any] = []


@pytest.fixture(autouse=True)
def _kinds(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Kinds of jobs that exist in these tests only."""
    monkeypatch.setattr(registry, "KINDS", registry.KINDS)
    before = dict(registry.KINDS)
    seen.clear()

    @job("test.count", "Count")
    def count(run: Run, *, to: int) -> dict[str, int]:
        seen.append((run.actor, active_org_ids()))
        for number in range(to):
            run.progress(number + 1, to, "counting")
        return {"counted": to}

    @job("test.fail", "Fail")
    def fail(run: Run, *, how: str) -> None:
        if how == "input":
            raise ValidationError("cell B7 is not a number")
        if how == "database":
            raise OperationalError("database is locked")
        raise RuntimeError("secret detail")

    @job("test.finish", "Finish")
    def finish(run: Run) -> None:
        with run.finishing() as end:
            end.url, end.result = "/projects/", {"rows": 3}

    @job("test.cancel_itself", "Cancel")
    def cancel_itself(run: Run) -> None:
        Job.objects.filter(pk=run.job.pk).update(cancel_requested=True)
        run.progress(1, 10)
        raise AssertionError("not reached: progress() stops a cancelled job")

    yield
    registry.KINDS.clear()
    registry.KINDS.update(before)


@pytest.fixture
def officer(orgs, make_user, actor_of) -> Any:
    return actor_of(make_user("project_officer", orgs.north))


def started(actor: Any, org: Any, kind: str = "test.count", in_scope: Any = None, **arguments: Any) -> Job:
    with everywhere():
        return enqueue(actor, kind, "A title", arguments, org.pk)


def again(pk: int) -> Job:
    with everywhere():
        return Job.objects.get(pk=pk)


def test_a_job_runs_with_the_rights_and_scope_of_whoever_asked(orgs, officer) -> None:
    done = again(started(officer, orgs.north, to=5).pk)
    assert (done.state, done.done, done.total, done.result) == (Job.State.DONE, 5, 5, {"counted": 5})
    assert done.attempts == 1
    actor, scope = seen[0]
    assert (actor.user_id, actor.via) == (officer.user_id, "job")
    assert scope == [orgs.north.pk]
    assert done.finished_at >= done.started_at >= done.created_at


def test_the_system_works_everywhere(orgs) -> None:
    assert again(started(SYSTEM, orgs.north, to=1).pk).state == Job.State.DONE
    assert seen[0][1] is None


def test_starting_is_an_audited_action_and_needs_the_right_there(orgs, officer) -> None:
    pk = started(officer, orgs.north, to=1).pk
    entry = AuditEntry.objects.get(action="core.enqueue_job", result="done")
    assert (entry.target_id, entry.org_id) == (str(pk), orgs.north.pk)
    with pytest.raises(Denied):
        started(officer, orgs.south, to=1)
    with pytest.raises(KeyError, match="not declared"):
        started(officer, orgs.north, kind="test.unknown")


def test_refused_input_is_told_and_a_mistake_of_ours_only_referred_to(orgs, officer) -> None:
    told = again(started(officer, orgs.north, kind="test.fail", how="input").pk)
    assert (told.state, told.error) == (Job.State.FAILED, "cell B7 is not a number")
    ours = again(started(officer, orgs.north, kind="test.fail", how="bug").pk)
    assert ours.state == Job.State.FAILED
    assert "secret" not in ours.error
    assert f"job-{ours.pk}-" in ours.error


def test_a_locked_database_is_tried_three_times(orgs, officer) -> None:
    failed = again(started(officer, orgs.north, kind="test.fail", how="database").pk)
    assert (failed.state, failed.attempts) == (Job.State.FAILED, 3)


def test_a_locked_account_does_not_work_any_more(orgs, officer, monkeypatch) -> None:
    monkeypatch.setattr("yuanmai.core.jobs.actions.put_in_queue", lambda _job: None)
    waiting = started(officer, orgs.north, to=1)
    officer.user.is_active = False
    officer.user.save()
    runner.run_job.call(waiting.pk)
    assert again(waiting.pk).state == Job.State.FAILED
    assert not seen


def test_the_last_step_and_the_end_are_one(orgs, officer) -> None:
    done = again(started(officer, orgs.north, kind="test.finish").pk)
    assert (done.state, done.url, done.result) == (Job.State.DONE, "/projects/", {"rows": 3})


def test_a_run_that_was_given_up_cannot_end_the_job(orgs, officer, monkeypatch) -> None:
    monkeypatch.setattr("yuanmai.core.jobs.actions.put_in_queue", lambda _job: None)
    waiting = started(officer, orgs.north, to=1)
    first = runner._claim(waiting.pk)
    assert first is not None
    with everywhere():
        Job.objects.filter(pk=waiting.pk).update(run=uuid.uuid4())
        before = AuditEntry.objects.count()
        with pytest.raises(TakenOver), first.finishing():
            raise AssertionError("not reached")
        assert not first.end(Job.State.DONE, registry.End())
    assert again(waiting.pk).state == Job.State.RUNNING
    assert AuditEntry.objects.count() == before


def test_what_was_done_in_the_last_step_is_rolled_back_when_another_run_took_over(
    orgs, officer, monkeypatch
) -> None:
    monkeypatch.setattr("yuanmai.core.jobs.actions.put_in_queue", lambda _job: None)
    first = runner._claim(started(officer, orgs.north, to=1).pk)
    assert first is not None
    with everywhere(), pytest.raises(TakenOver), first.finishing():
        orgs.north.name = "changed"
        orgs.north.save()
        Job.objects.filter(pk=first.job.pk).update(run=uuid.uuid4())
    orgs.north.refresh_from_db()
    assert orgs.north.name == "北园"


def test_a_job_is_claimed_once(orgs, officer, monkeypatch) -> None:
    monkeypatch.setattr("yuanmai.core.jobs.actions.put_in_queue", lambda _job: None)
    waiting = started(officer, orgs.north, to=1)
    assert runner._claim(waiting.pk) is not None
    assert runner._claim(waiting.pk) is None


def test_cancelling_a_waiting_and_a_running_job(orgs, officer, monkeypatch) -> None:
    assert again(started(officer, orgs.north, kind="test.cancel_itself").pk).state == Job.State.CANCELLED
    monkeypatch.setattr("yuanmai.core.jobs.actions.put_in_queue", lambda _job: None)
    waiting = started(officer, orgs.north, to=1)
    with everywhere():
        cancel(officer, waiting)
        assert again(waiting.pk).state == Job.State.CANCELLED
        with pytest.raises(Denied):
            cancel(officer, again(waiting.pk))
    runner.run_job.call(waiting.pk)
    assert not seen


def test_doing_a_failed_job_again(orgs, officer) -> None:
    failed = started(officer, orgs.north, kind="test.fail", how="input")
    with everywhere():
        Job.objects.filter(pk=failed.pk).update(kind="test.count", arguments={"to": 2})
        retry(officer, again(failed.pk))
        assert again(failed.pk).state == Job.State.DONE
        with pytest.raises(Denied):
            retry(officer, again(failed.pk))


def test_another_persons_job_is_not_mine(orgs, officer, make_user, actor_of, client_as) -> None:
    pk = started(officer, orgs.north, to=1).pk
    other = make_user("project_officer", orgs.north)
    with everywhere(), pytest.raises(Denied):
        retry(actor_of(other), again(pk))
    client = client_as(other)
    assert client.get(reverse("jobs:record", args=[pk])).status_code == 404
    assert client.get(reverse("jobs:state", args=[pk])).status_code == 404
    assert client.get(f"/api/v1/jobs/{pk}").status_code == 404
    administrator = client_as(make_user("system_administrator", orgs.city))
    assert administrator.get(reverse("jobs:state", args=[pk])).status_code == 200
    stranger = client_as(make_user("system_administrator", orgs.foreign))
    assert stranger.get(reverse("jobs:state", args=[pk])).status_code == 404


def silent(job: Job, **fields: Any) -> None:
    with everywhere():
        Job.objects.filter(pk=job.pk).update(beat_at=timezone.now() - timedelta(hours=1), **fields)


def test_a_job_whose_worker_died_is_done_again(orgs, officer, monkeypatch) -> None:
    monkeypatch.setattr("yuanmai.core.jobs.actions.put_in_queue", lambda _job: None)
    dead = runner._claim(started(officer, orgs.north, to=2).pk)
    assert dead is not None
    assert runner.recover() == 0, "it has just given a sign of life"
    silent(dead.job)
    assert runner.recover() == 1
    done = again(dead.job.pk)
    assert (done.state, done.attempts, done.result) == (Job.State.DONE, 2, {"counted": 2})
    assert not dead.end(Job.State.FAILED, registry.End()), "the dead run has no say any more"


def test_a_job_under_which_worker_after_worker_dies_is_given_up(orgs, officer, monkeypatch) -> None:
    monkeypatch.setattr("yuanmai.core.jobs.actions.put_in_queue", lambda _job: None)
    dead = runner._claim(started(officer, orgs.north, to=2).pk)
    assert dead is not None
    silent(dead.job, attempts=3)
    runner.recover()
    assert again(dead.job.pk).state == Job.State.FAILED
    assert again(dead.job.pk).error


def test_a_worker_that_starts_takes_over_from_a_dead_process_at_once(orgs, officer, monkeypatch) -> None:
    monkeypatch.setattr("yuanmai.core.jobs.actions.put_in_queue", lambda _job: None)
    alive = runner._claim(started(officer, orgs.north, to=1).pk)
    dead = runner._claim(started(officer, orgs.north, to=1).pk)
    assert alive is not None and dead is not None
    host = runner.worker_name().rpartition(":")[0]
    with everywhere():
        Job.objects.filter(pk=dead.job.pk).update(worker=f"{host}:999999999")
    assert runner.recover(at_start=True) == 1
    assert again(dead.job.pk).state == Job.State.DONE
    assert again(alive.job.pk).state == Job.State.RUNNING


def test_the_remaining_time_follows_from_the_speed_so_far() -> None:
    now = timezone.now()
    running = Job(state=Job.State.RUNNING, started_at=now - timedelta(seconds=30), done=25, total=100)
    assert eta_seconds(running, now) == 90
    assert eta_seconds(Job(state=Job.State.RUNNING, started_at=now, done=0, total=100), now) is None
    assert eta_seconds(Job(state=Job.State.DONE, started_at=now, done=1, total=100), now) is None


def test_the_pages(orgs, officer, client_as, django_assert_num_queries) -> None:
    client = client_as(officer.user)
    pk = started(officer, orgs.north, kind="test.fail", how="input").pk
    page = client.get(reverse("jobs:record", args=[pk])).content.decode()
    assert "cell B7 is not a number" in page
    assert reverse("jobs:retry", args=[pk]) in page
    state = client.get(reverse("jobs:state", args=[pk])).json()
    assert (state["state"], state["cancellable"]) == ("failed", False)
    listed = client.get(reverse("jobs:list"))
    assert reverse("jobs:record", args=[pk]) in listed.content.decode()
    assert client.get(reverse("jobs:schedule")).status_code == 403


def test_the_list_needs_the_same_queries_however_long_it_is(
    orgs, officer, client_as, django_assert_max_num_queries
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = client_as(officer.user)
    counts = []
    for _round in range(2):
        for _one in range(8):
            started(officer, orgs.north, to=1)
        client.get(reverse("jobs:list"))
        with CaptureQueriesContext(connection) as queries:
            client.get(reverse("jobs:list"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_the_interface(orgs, officer, client_as) -> None:
    client = client_as(officer.user)
    pk = started(officer, orgs.north, kind="test.fail", how="input").pk
    started(officer, orgs.north, to=1)
    found = client.get("/api/v1/jobs?state=failed").json()
    assert [j["id"] for j in found["items"]] == [pk]
    assert found["items"][0]["organisation"] == "north"
    first = client.get("/api/v1/jobs?limit=1").json()
    assert [j["id"] for j in client.get(first["next"]).json()["items"]] == [pk]
    assert client.post(f"/api/v1/jobs/{pk}/cancel").status_code == 403, "it is over"
    with everywhere():
        Job.objects.filter(pk=pk).update(kind="test.count", arguments={"to": 1})
    assert client.post(f"/api/v1/jobs/{pk}/retry").json()["state"] == "done"
