"""Taking over a big workbook in the background: progress is told, cancelling rolls everything back, a stopped one can be begun again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse

from tests.conftest import Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.jobs import registry
from yuanmai.core.jobs.actions import enqueue, retry
from yuanmai.core.jobs.models import Job
from yuanmai.core.scope import everywhere
from yuanmai.core.undo.models import UndoStep
from yuanmai.core.workbooks import views
from yuanmai.core.workbooks.kinds import KINDS
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.enterprises.engine.credit_code import example
from yuanmai.enterprises.models import Enterprise
from yuanmai.projects.models import Project, ProjectState, ProjectVersion

from .builders import Tab, xlsx

pytestmark = pytest.mark.django_db
ROWS = 1_100  # three steps of 500
STORED = (Enterprise, UndoStep, Project, ProjectVersion, ProjectState)
SHEETS = {
    "enterprises": lambda n: [n, f"企业{n}号有限公司", example(f"91350200{n:09d}"), "仓储业"],
    "key_project_ledger": lambda n: [n, f"{n}号厂房项目", "新开工", 1000 + n, 100, "某局"],
}
HEADS = {
    "enterprises": ["序号", "企业名称", "统一社会信用代码", "行业"],
    "key_project_ledger": [
        "序号",
        "项目名称",
        "建设性质",
        "总投资(万元)",
        "2022年计划投资(万元)",
        "责任单位",
    ],
}


@pytest.fixture(params=sorted(SHEETS))
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def officer(orgs: Orgs, make_user: Callable[..., Any], actor_of: Callable[..., Any]) -> Any:
    return actor_of(make_user("project_officer", orgs.north))


@pytest.fixture(autouse=True)
def _every_step_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "WRITE_EVERY", 0)


def workbook(code: str, rows: int = ROWS) -> bytes:
    make = SHEETS[code]
    title = [["2022年3月名录（截至2022年3月31日）"]]
    return xlsx(Tab([*title, HEADS[code], *(make(number) for number in range(1, rows + 1))]))


def previewed(officer: Any, orgs: Orgs, code: str) -> ImportBatch:
    with everywhere():
        batch: ImportBatch = KINDS[code].preview(
            officer, org_id=orgs.north.pk, data=workbook(code), file_name="2022年3月.xlsx"
        )
    return batch


def taken_over(officer: Any, orgs: Orgs, batch: ImportBatch) -> Job:
    with everywhere():
        pk = enqueue(officer, "core.import_workbook", batch.file_name, {"batch": batch.pk}, orgs.north.pk).pk
        return Job.objects.get(pk=pk)


def stored() -> dict[str, int]:
    with everywhere():
        return {model.__name__: model._base_manager.count() for model in STORED}


def state_of(batch: ImportBatch) -> str:
    with everywhere():
        return str(ImportBatch.objects.get(pk=batch.pk).state)


def test_progress_is_told_step_by_step(
    code: str, officer: Any, orgs: Orgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[int, int, str]] = []
    real = registry.Run.progress

    def listening(run: registry.Run, done: int, total: int | None = None, message: Any = "") -> None:
        real(run, done, total, message)
        told.append((run.done, run.total, run.message))

    monkeypatch.setattr(registry.Run, "progress", listening)
    batch = previewed(officer, orgs, code)
    job = taken_over(officer, orgs, batch)
    assert (job.state, job.done, job.total) == (Job.State.DONE, ROWS, ROWS), job.error
    assert [step[:2] for step in told] == [(0, 0), (500, ROWS), (1000, ROWS), (ROWS, ROWS)]
    assert len({message for *_numbers, message in told}) == 2  # reading, then writing
    assert job.result == {"created": ROWS, "updated": 0, "unchanged": 0}
    assert job.url == reverse("imports:record", args=[batch.pk])
    assert state_of(batch) == "committed"


def test_cancelling_in_the_middle_leaves_nothing(
    code: str, officer: Any, orgs: Orgs, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = registry.Run.progress

    def cancelling(run: registry.Run, done: int, total: int | None = None, message: Any = "") -> None:
        if done >= 1000:
            Job.objects.filter(pk=run.job.pk).update(cancel_requested=True)
        real(run, done, total, message)

    batch = previewed(officer, orgs, code)
    before = stored()
    with monkeypatch.context() as patch:
        patch.setattr(registry.Run, "progress", cancelling)
        job = taken_over(officer, orgs, batch)
    assert job.state == Job.State.CANCELLED
    assert stored() == before
    assert state_of(batch) == "previewed"
    assert not AuditEntry.objects.filter(action__contains="import_", result="done").exists()
    with everywhere():
        Job.objects.filter(pk=job.pk).update(cancel_requested=False)
        retry(officer, Job.objects.get(pk=job.pk))
        assert Job.objects.get(pk=job.pk).state == Job.State.DONE
    assert state_of(batch) == "committed"


def test_a_fault_found_at_the_last_moment_stops_the_job_and_says_why(officer: Any, orgs: Orgs) -> None:
    """Between preview and taking over somebody enters an enterprise with one of the names and another code."""
    batch = previewed(officer, orgs, "enterprises")
    with everywhere():
        Enterprise.objects.create(
            org=orgs.north, name="企业7号有限公司", credit_code=example("91350200999999999")
        )
    before = stored()
    job = taken_over(officer, orgs, batch)
    assert job.state == Job.State.FAILED
    assert job.error and "Reference" not in job.error
    assert stored() == before
    assert state_of(batch) == "previewed"


def test_the_page_hands_a_big_workbook_to_a_job(
    officer: Any, orgs: Orgs, client_as: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "INLINE_ROWS", 1_000)
    batch = previewed(officer, orgs, "enterprises")
    client = client_as(officer.user)
    answer = client.post(reverse("imports:commit", args=[batch.pk]))
    with everywhere():
        job = Job.objects.get()
    assert answer.headers["Location"] == reverse("jobs:record", args=[job.pk])
    page = client.get(answer.headers["Location"]).content.decode()
    assert reverse("imports:record", args=[batch.pk]) in page
    assert "1100 new" in page
