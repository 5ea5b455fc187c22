"""The doctor finds what is wrong, says what to do, and does not let one broken part hide the others."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import DatabaseError, connection
from django.utils import timezone

from tests.conftest import Orgs
from yuanmai.core.audit.guard import unlock
from yuanmai.core.audit.log import Entry, append
from yuanmai.core.audit.models import AuditEntry, AuditHead
from yuanmai.core.doctor import CHECKS, Outcome, State, check, examine, states, work
from yuanmai.core.doctor import checks as ground
from yuanmai.core.doctor.commands import as_json
from yuanmai.core.jobs.models import Job, ScheduledRun
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.projects.models import Project, ProjectState


@contextmanager
def declared(name: str, **options: bool) -> Iterator[None]:
    """A check for one test only, which raises."""

    @check(name, "Test", **options)
    def broken() -> Outcome:
        raise RuntimeError("on purpose")

    try:
        yield
    finally:
        del CHECKS[name]


def write_entries(count: int) -> None:
    """Entries that the test may tamper with, as somebody with the database's password could."""
    unlock(connection)
    append(SYSTEM, [Entry("core.test", after={"n": n}) for n in range(count)])


def command(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """``yuanmai doctor`` as a user would call it."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("YUANMAI_", "DJANGO_", "DATABASE_"))
    }
    return subprocess.run(
        [sys.executable, "-m", "yuanmai", "doctor", *arguments],
        env={**environment, "YUANMAI_HOME": str(home), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.django_db
def test_every_check_answers_and_none_fails_by_itself() -> None:
    results = {result.name: result.outcome for result in examine()}
    assert {
        "python",
        "home",
        "secret_key",
        "database",
        "migrations",
        "clock",
        "audit",
        "assets",
        "fonts",
    } <= set(results)
    assert [name for name, outcome in results.items() if "Error" in str(outcome.what)] == []
    assert (
        results["database"].state is not State.FAIL
    )  # the tests' SQLite lives in memory, which is worth a warning
    assert results["migrations"].state is State.OK
    assert results["clock"].state is State.OK
    for outcome in results.values():
        assert (outcome.state is State.OK) == (not outcome.mend), "what is not all right says what to do"


@pytest.mark.django_db
def test_a_check_that_breaks_is_reported_and_the_others_still_run() -> None:
    with declared("broken"):
        results = list(examine())
    (broken,) = [result for result in results if result.name == "broken"]
    assert broken.outcome.state is State.FAIL
    assert "on purpose" in str(broken.outcome.what)
    assert "audit" in [result.name for result in results]
    assert json.loads(as_json(results))["healthy"] is False


@pytest.mark.django_db
def test_checks_of_the_database_are_left_out_when_it_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object) -> None:
        raise DatabaseError("no route\n  to host")

    monkeypatch.setattr(connection, "cursor", refuse)
    monkeypatch.setattr(ground, "_reach_postgresql", lambda: None)
    results = {result.name: result.outcome for result in examine()}
    assert results["database"].what == "no route to host"
    assert "DATABASE_URL" in str(results["database"].mend)
    assert "audit" not in results


def test_a_name_is_declared_once() -> None:
    with declared("once"), pytest.raises(ValueError, match="once is declared twice"), declared("once"):
        pass


def test_a_missing_home_fails(settings: LazySettings, tmp_path: Path) -> None:
    settings.HOME = tmp_path / "missing"
    assert ground.home().state is State.FAIL


@pytest.mark.parametrize(("free", "state"), [(10**8, State.FAIL), (10**9, State.WARN), (10**10, State.OK)])
def test_little_space_warns_and_none_fails(monkeypatch: pytest.MonkeyPatch, free: int, state: State) -> None:
    class Usage:
        def __init__(self) -> None:
            self.free = free

    monkeypatch.setattr(ground.shutil, "disk_usage", lambda _path: Usage())
    assert ground.home().state is state


def test_the_secret_key_is_long_and_private(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("YUANMAI_SECRET_KEY", raising=False)
    settings.HOME = tmp_path
    settings.SECRET_KEY = "short"
    assert ground.secret_key().state is State.FAIL
    settings.SECRET_KEY = "x" * 64
    file = tmp_path / "secret.key"
    file.write_text("x" * 64)
    file.chmod(0o644)
    assert ground.secret_key().mend == f"chmod 600 {file}"
    file.chmod(0o600)
    assert ground.secret_key().state is State.OK


def test_unbuilt_assets_and_fonts_fail(settings: LazySettings, tmp_path: Path) -> None:
    settings.ASSETS = tmp_path
    assert ground.assets().state is State.FAIL
    assert "yuanmai-song.ttf" in str(ground.fonts().what)


@pytest.mark.parametrize(
    ("answer", "state"),
    [(b"HTTP/1.1 200 OK\r\n\r\n", State.OK), (b"SSH-2.0\r\n", State.WARN), (b"", State.WARN)],
)
def test_a_port_in_use_by_something_else_warns(settings: LazySettings, answer: bytes, state: State) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.BASE_URL = f"http://127.0.0.1:{other.getsockname()[1]}"

        def serve() -> None:
            conversation, _address = other.accept()
            with conversation:
                conversation.recv(100)
                conversation.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        assert ground.port().state is state
        thread.join(5)


def test_a_free_port_is_all_right(settings: LazySettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings.BASE_URL = f"http://127.0.0.1:{other.getsockname()[1]}"
    assert ground.port().state is State.OK


@pytest.mark.django_db
def test_a_changed_audit_entry_fails() -> None:
    write_entries(5)
    assert ground.audit().state is State.WARN  # whole, but without the database's lock
    AuditEntry.objects.filter(after={"n": 2}).update(after={"n": 3})
    assert ground.audit().state is State.FAIL


@pytest.mark.django_db
def test_a_cut_audit_log_fails() -> None:
    write_entries(3)
    AuditEntry.objects.order_by("-sequence").first().delete()  # type: ignore[union-attr]
    assert ground.audit().state is State.FAIL


@pytest.mark.django_db
def test_a_seal_of_another_key_fails_with_advice_of_its_own() -> None:
    write_entries(1)
    AuditHead.objects.update(seal="0" * 64)
    outcome = ground.audit()
    assert outcome.state is State.FAIL
    assert "secret.key" in str(outcome.mend)


@pytest.mark.django_db
def test_a_clock_behind_the_audit_log_fails() -> None:
    write_entries(1)
    AuditEntry.objects.update(at=timezone.now() + timedelta(hours=1))
    assert ground.clock().state is State.FAIL


@pytest.mark.django_db
def test_states_that_differ_from_their_facts_fail_and_can_be_rebuilt(
    orgs: Orgs, make_project: Callable[..., Project]
) -> None:
    project = make_project(orgs.north, done=5)
    list(examine())  # loads the checks of the rooms
    with everywhere():
        assert states.agreement("projects").state is State.OK
        ProjectState.objects.filter(project=project).update(name="Changed by hand")
        outcome = states.agreement("projects")
        assert outcome.state is State.FAIL
        assert "--rebuild" in str(outcome.mend)
        assert states.rebuild(SYSTEM)["projects"] == 1
        assert states.agreement("projects").state is State.OK
        assert not ProjectState.objects.filter(
            project=project, known_until=KNOWN_FOREVER, name__startswith="Changed"
        )


@pytest.mark.django_db
def test_work_that_nobody_takes_up_fails(orgs: Orgs) -> None:
    now = timezone.now()
    assert work.worker().state is State.WARN  # no worker has ever run
    with everywhere():
        Job.objects.create(org=orgs.north, kind="x", title="x", created_at=now - timedelta(minutes=5))
        assert work.worker().state is State.FAIL
        Job.objects.create(
            org=orgs.north, kind="x", title="x", created_at=now, beat_at=now, state=Job.State.RUNNING
        )
    ScheduledRun.objects.create(name="a", due_at=now + timedelta(minutes=5))
    assert work.worker().state is State.OK
    ScheduledRun.objects.create(name="b", due_at=now - timedelta(minutes=5), error="RuntimeError: broken")
    assert work.worker().state is State.WARN
    assert "b: RuntimeError" in str(work.periodic().what)


def test_the_command_says_why_the_program_does_not_start(tmp_path: Path) -> None:
    done = command(tmp_path, "--json", DATABASE_URL="oracle9i://nowhere")
    assert done.returncode == 1
    (only,) = json.loads(done.stdout)["checks"]
    assert only["name"] == "start"
    assert "DATABASE_URL" in only["mend"]


def test_the_command_on_an_empty_installation_asks_for_migrations(tmp_path: Path) -> None:
    done = command(tmp_path, "--json")
    assert done.returncode == 1
    checks = {c["name"]: c for c in json.loads(done.stdout)["checks"]}
    assert "yuanmai migrate" in checks["migrations"]["mend"]
    assert "audit" not in checks
