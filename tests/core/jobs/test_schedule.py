"""Periodic work: when it is due, that one worker claims it, and what the ground floor does by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from yuanmai.core.jobs import schedule
from yuanmai.core.jobs.models import ScheduledRun
from yuanmai.core.jobs.periodic import clear_kept_answers, clear_sessions, verify_audit
from yuanmai.core.jobs.schedule import Daily, Every, Periodic, tick

NOW = datetime(2022, 3, 31, 10, 0, tzinfo=UTC)  # 18:00 in Shanghai


def test_daily_means_the_clock_on_the_wall() -> None:
    assert Daily(20, 30).after(NOW) == datetime(2022, 3, 31, 12, 30, tzinfo=UTC)
    assert Daily(2, 30).after(NOW) == datetime(2022, 3, 31, 18, 30, tzinfo=UTC)
    assert Daily(18, 0).after(NOW) == NOW + timedelta(days=1), "due now means next time"
    assert Every(5).after(NOW) == NOW + timedelta(minutes=5)


@pytest.fixture
def calls(db: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []

    def good() -> str:
        made.append("good")
        return "three rows"

    def bad() -> str:
        raise RuntimeError("disk is full")

    work = {
        "good": Periodic("good", "Good", Every(10), good),
        "bad": Periodic("bad", "Bad", Daily(2), bad),
    }
    monkeypatch.setattr(schedule, "PERIODIC", work)
    return made


def test_what_is_due_runs_once_and_missed_times_are_not_made_up_for(calls: list[str]) -> None:
    assert tick(NOW) == [], "new work waits for its first time"
    assert tick(NOW + timedelta(minutes=9)) == []
    assert tick(NOW + timedelta(hours=5)) == ["good"]
    assert tick(NOW + timedelta(hours=5)) == []
    assert calls == ["good"]
    row = ScheduledRun.objects.get(name="good")
    assert row.note == "three rows"
    assert row.due_at == NOW + timedelta(hours=5, minutes=10)


def test_of_two_workers_that_look_at_once_one_claims(
    calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tick(NOW)
    late = NOW + timedelta(minutes=11)
    before = list(ScheduledRun.objects.all())
    assert tick(late) == ["good"]
    # The second worker read the rows before the first one claimed.
    monkeypatch.setattr(schedule.ScheduledRun.objects, "all", lambda: before)
    assert tick(late) == []
    assert calls == ["good"]


def test_a_failure_is_noted(calls: list[str]) -> None:
    tick(NOW)
    tick(NOW + timedelta(days=1))
    row = ScheduledRun.objects.get(name="bad")
    assert "disk is full" in row.error
    assert row.finished_at is not None


@pytest.mark.django_db
def test_the_work_of_the_ground_floor(orgs, make_user, client_as) -> None:
    assert "0" in verify_audit()
    client_as(make_user("leader"))
    from django.contrib.sessions.models import Session

    Session.objects.update(expire_date=timezone.now() - timedelta(days=1))
    clear_sessions()
    assert not Session.objects.exists()
    assert "0" in clear_kept_answers()


@pytest.mark.django_db
def test_the_page_shows_every_piece_of_work(orgs, make_user, client_as) -> None:
    tick()
    page = client_as(make_user("system_administrator")).get(reverse("jobs:schedule")).content.decode()
    for title in ("Verify the audit log", "Remove expired sessions"):
        assert title in page
