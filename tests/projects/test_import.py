"""Ledgers into the library and back out: command line, matching, differences, undo, bulk."""

from __future__ import annotations

import importlib.util
import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.figures import Query, evaluate
from yuanmai.core.findings import Finding
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import everywhere
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.workbooks.commands import import_command, undo_command
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.importing import import_data, undo_batch
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.running import Options
from yuanmai.enterprises.models import Enterprise
from yuanmai.funds.models import FundingState
from yuanmai.places.models import Building, Park
from yuanmai.projects.actions import report_progress
from yuanmai.projects.models import ProjectState, ProjectVersion

_spec = importlib.util.spec_from_file_location(
    "workbook_builders", Path(__file__).resolve().parents[1] / "core/workbooks/builders.py"
)
assert _spec and _spec.loader
import sys  # noqa: E402

builders = importlib.util.module_from_spec(_spec)
sys.modules["workbook_builders"] = builders
_spec.loader.exec_module(builders)

pytestmark = pytest.mark.django_db
TODAY = date(2022, 5, 1)
HEAD = [
    "序号",
    "项目名称",
    "项目性质",
    "项目业主",
    "总投资",
    "财政资金",
    "银行贷款",
    "2022年计划投资",
    "累计完成投资",
    "是否开工/复工",
    "存在问题",
    "挂钩领导",
    "所属园区",
]


def ledger(month: int = 3, rows: list[list[Any]] | None = None, total: Any = 300) -> bytes:
    """A small ledger of March (or another month) of 2022."""
    rows = rows or [
        [1, "甲厂房", "新开工", "甲公司", 100, 40, 60, 50, 10, "已开工", "用地", "张三", "东园"],
        [2, "乙道路", "续建", "乙公司", 200, None, None, 80, 20, "已复工", None, "李四", "西园"],
    ]
    title = [f"2022年市重点项目(截至2022年{month}月底) 单位:万元"]
    data: bytes = builders.xlsx(builders.Tab([title, HEAD, *rows, ["合计", None, None, None, total]]))
    return data


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def run(org: Any, data: bytes, name: str = "台账.xlsx", **options: Any) -> Any:
    with everywhere():
        return import_data(SYSTEM, "key_project_ledger", org.pk, data, name, Options(**options), TODAY)


def counts(result: Any) -> tuple[int, int, int]:
    return result["created"], result["updated"], result["unchanged"]


def state(name: str, day: date = date(2022, 3, 31)) -> ProjectState:
    with everywhere():
        return ProjectState.objects.at(day).select_related("owner", "park").get(name=name)


def snapshot() -> Any:
    """Everything that is believed now, without keys."""
    with everywhere():
        rows = ProjectState.objects.filter(known_until=KNOWN_FOREVER).order_by("name", "effective_from")
        projects = list(
            rows.values_list(
                "name",
                "effective_from",
                "effective_until",
                "kind",
                "leader",
                "planned_investment",
                "investment_done",
                "lists",
            )
        )
        funding = FundingState.objects.filter(known_until=KNOWN_FOREVER).order_by("project_id", "source")
        return projects, list(
            funding.values_list("project_id", "source", "amount", "effective_from", "effective_until")
        )


def test_a_ledger_becomes_projects(orgs: Any) -> None:
    result = run(orgs.north, ledger())
    assert counts(result) == (2, 0, 0)
    assert result["findings"] == [] and result["errors"] == []
    one = state("甲厂房")
    assert (one.kind, one.total_investment, one.planned_investment, one.investment_done) == (
        "new_start",
        1_000_000,
        500_000,
        100_000,
    )
    assert (one.owner.name, one.park.name, one.leader, one.started, one.problems) == (
        "甲公司",
        "东园",
        "张三",
        True,
        "用地",
    )
    assert one.lists == "|市重点|"
    assert state("乙道路").resumed is True
    with everywhere():
        query = Query((orgs.north.pk,), date(2022, 3, 31))
        assert evaluate("projects.count", query).value == 2
        assert evaluate("projects.completion_rate", query).value == Decimal(30) / Decimal(130)
        assert FundingState.objects.at(date(2022, 3, 31)).count() == 2


def test_the_same_file_again_changes_nothing_and_a_newer_one_updates(orgs: Any) -> None:
    run(orgs.north, ledger())
    before = snapshot()
    assert counts(run(orgs.north, ledger())) == (0, 0, 2)
    assert snapshot() == before
    newer = ledger(4, [
        [1, "甲厂房", "新开工", "甲公司", 100, 40, 60, 50, 25, "已开工", None, "王五", "东园"],
        [2, "乙道路", "续建", "乙公司", 200, None, None, 80, 30, "已复工", None, "李四", "西园"],
        [3, "丙管网", "新开工", "丙公司", 10, None, None, 5, 0, "未开工", None, None, "西园"],
    ], 310)  # fmt: skip
    assert counts(run(orgs.north, newer)) == (1, 2, 0)
    assert state("甲厂房").leader == "张三"
    after = state("甲厂房", date(2022, 4, 30))
    assert (after.leader, after.investment_done, after.problems) == ("王五", 250_000, "")
    assert counts(run(orgs.north, newer)) == (0, 0, 3)


def test_names_in_another_spelling_and_codes_find_their_project(orgs: Any) -> None:
    run(orgs.north, ledger(rows=[[1, "甲厂房（一期）", "新开工", None, 100]], total=100))
    again = run(orgs.north, ledger(rows=[[1, "甲厂房 (一期)", "新开工", None, 120]], total=120))
    assert counts(again) == (0, 1, 0)


def test_undo_restores_exactly(orgs: Any) -> None:
    first = run(orgs.north, ledger())
    before = snapshot()
    second = run(
        orgs.north,
        ledger(
            4,
            [
                [1, "甲厂房", "新开工", "丁公司", 110, 50, 60, 50, 25, "已开工", None, "王五", "南园"],
                [9, "新项目", "续建", "戊公司", 5],
            ],
            115,
        ),
    )
    assert counts(second) == (1, 1, 0)
    with everywhere():
        undo_batch(SYSTEM, second["batch"])
        assert snapshot() == before
        assert Enterprise.objects.get(name="戊公司").retired_at is not None
        assert Enterprise.objects.get(name="甲公司").retired_at is None
        with pytest.raises(ValidationError):
            undo_batch(SYSTEM, second["batch"])
        undo_batch(SYSTEM, first["batch"])
        assert snapshot() == ([], [])
        assert ImportBatch.objects.get(pk=first["batch"]).state == "undone"
    assert counts(run(orgs.north, ledger())) == (2, 0, 0)
    with everywhere():
        assert Enterprise.objects.get(name="甲公司").retired_at is None


def test_parks_that_an_undone_import_brought_leave_the_register(orgs: Any) -> None:
    with everywhere():
        Park.objects.create(org=orgs.north, code="east", name="东园")
    first = run(orgs.north, ledger())
    second = run(
        orgs.north,
        ledger(
            4,
            [
                [9, "新项目", "续建", "戊公司", 5, *[None] * 7, "南园"],
                [10, "另一项目", "续建", *[None] * 9, "北园区"],
            ],
            5,
        ),
    )
    with everywhere():
        assert set(Park.objects.values_list("name", flat=True)) == {"东园", "西园", "南园", "北园区"}
        Building.objects.create(org=orgs.north, code="b1", name="B", park=Park.objects.get(name="北园区"))
        undo_batch(SYSTEM, second["batch"])
        # A building stands on one by now; the others of the first import are still named by its projects.
        assert set(Park.objects.values_list("name", flat=True)) == {"东园", "西园", "北园区"}
        undo_batch(SYSTEM, first["batch"])
        assert set(Park.objects.values_list("name", flat=True)) == {"东园", "北园区"}
        before = ImportBatch.objects.get(pk=first["batch"]).committed_at
        known = ProjectState.objects.at(date(2022, 3, 31), before).select_related("park").get(name="乙道路")
        assert known.park is not None and known.park.name == "西园"
    run(orgs.north, ledger())
    with everywhere():
        assert set(Park.objects.values_list("name", flat=True)) == {"东园", "西园", "北园区"}
        assert Park.everything.filter(name="西园").count() == 1


def test_undo_is_refused_when_something_newer_builds_on_it(orgs: Any) -> None:
    result = run(orgs.north, ledger())
    with everywhere():
        project = state("甲厂房").project
        report_progress(SYSTEM, date(2022, 4, 15), [(project, {"investment_done": Decimal(200_000)})])
        with pytest.raises(ValidationError) as error:
            undo_batch(SYSTEM, result["batch"])
    assert "甲厂房" in error.value.messages[0]
    assert state("甲厂房").investment_done == 100_000


def test_a_total_that_differs_is_a_finding_until_undone(orgs: Any) -> None:
    result = run(orgs.north, ledger(total=305))
    (found,) = result["findings"]
    assert (found["cell"], found["stated"], found["computed"]) == ("E5", "3050000.00", "3000000.00")
    run(orgs.north, ledger(total=305))
    with everywhere():
        finding = Finding.objects.get(kind="projects.ledger_total")
        assert finding.batch_id == result["batch"] and finding.gone_until == KNOWN_FOREVER
        undo_batch(SYSTEM, result["batch"])
        finding.refresh_from_db()
        assert finding.gone_until != KNOWN_FOREVER


def test_a_broken_file_stores_nothing(orgs: Any) -> None:
    result = run(orgs.north, ledger(rows=[[1, "甲", "外星", None, "若干"], [2, None, "续建", None, 5]]))
    assert isinstance(result, Parsed)
    assert [(f.cell, f.rule) for f in result.errors] == [
        ("C3", "kind.unknown"),
        ("E3", "number.not_a_number"),
        ("B4", "name.missing"),
    ]
    with everywhere():
        assert not ImportBatch.objects.exists() and not ProjectVersion.objects.exists()


def test_sub_projects_hang_below_their_project(orgs: Any) -> None:
    rows = [
        ["1", "片区", "续建", None, 100],
        ["1.1", "道路", "续建", None, 60],
        ["1.2", "管网", "续建", None, 40],
    ]
    run(orgs.north, ledger(rows=rows, total=100))
    road = state("道路")
    assert road.main is False and road.parent_id == state("片区").project_id
    assert counts(run(orgs.north, ledger(rows=rows, total=100))) == (0, 0, 3)
    rows.append(["1.3", "绿化", "续建", None, 0])
    assert counts(run(orgs.north, ledger(rows=rows, total=100))) == (1, 0, 3)
    assert state("绿化").parent_id == state("片区").project_id


def test_the_right_and_the_scope_are_asked_for(
    orgs: Any, make_user: Any, actor_of: Any, in_scope: Any
) -> None:
    actor = actor_of(make_user("project_officer", orgs.north))
    with in_scope(actor):
        import_data(actor, "key_project_ledger", orgs.north.pk, ledger(), "a.xlsx", Options(), TODAY)
        with pytest.raises(Denied):
            import_data(actor, "key_project_ledger", orgs.foreign.pk, ledger(), "a.xlsx", Options(), TODAY)
    leader = actor_of(make_user("auditor", orgs.north))
    with in_scope(leader), pytest.raises(Denied):
        import_data(leader, "key_project_ledger", orgs.north.pk, ledger(), "a.xlsx", Options(), TODAY)


def test_every_step_stands_in_the_audit_log(orgs: Any) -> None:
    result = run(orgs.north, ledger())
    with everywhere():
        undo_batch(SYSTEM, result["batch"])
        codes = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"projects.preview_ledger", "projects.import_ledger", "projects.undo_import"} <= codes


def test_queries_do_not_grow_with_the_rows(orgs: Any) -> None:
    def queries(count: int, org: Any) -> int:
        rows = [
            [i, f"项目{i}", "续建", f"公司{i}", 100, 40, 60, 50, 10, "已复工", None, "张三", "东园"]
            for i in range(1, count + 1)
        ]
        with CaptureQueriesContext(
            connection,
        ) as caught:
            run(org, ledger(rows=rows, total=100 * count))
        return len(caught)

    queries(1, orgs.city)
    assert queries(20, orgs.north) == queries(200, orgs.south)


def test_recording_new_projects_in_bulk_is_the_same_as_one_by_one(
    orgs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yuanmai.projects import workbooks
    from yuanmai.projects.recording import record

    def dump(org: Any) -> Any:
        with everywhere():
            names = [
                f.attname
                for f in ProjectState._meta.concrete_fields
                if not f.attname.endswith("_id") and f.name not in ("id", "known_from")
            ]
            rows = ProjectState.objects.filter(org=org).order_by("name", "effective_from").values(*names)
            versions = (
                ProjectVersion.objects.filter(project__org=org)
                .order_by("name")
                .values("name", "content", "address", "extra", "stage", "site", "in_statistics")
            )
            return list(rows), list(versions)

    run(orgs.north, ledger())
    monkeypatch.setattr(workbooks, "record_new", record)
    run(orgs.south, ledger())
    assert dump(orgs.north) == dump(orgs.south)
    assert dump(orgs.north)[0]


def test_command_line(orgs: Any, tmp_path: Path) -> None:
    file = tmp_path / "2022年3月.xlsx"
    file.write_bytes(ledger(total=305))
    runner = CliRunner()

    def call(command: Any, *arguments: str) -> tuple[int, Any]:
        result = runner.invoke(command, [*arguments, "--json"], env={"YUANMAI_LANGUAGE": "zh"})
        return result.exit_code, json.loads(result.output)

    code, document = call(import_command, str(file), "--scope", "north", "--dry-run")
    assert code == 0 and document["batch"] is None and document["created"] == 2
    code, document = call(import_command, str(file), "--scope", "north")
    assert code == 0 and counts(document) == (2, 0, 0)
    assert {"batch", "kind", "sheet", "created", "updated", "unchanged", "findings", "errors"} <= set(
        document
    )
    assert len(document["findings"]) == 1
    assert counts(call(import_command, str(file), "--scope", "north")[1]) == (0, 0, 2)
    assert call(undo_command, str(document["batch"]))[0] == 0
    assert call(undo_command, str(document["batch"]))[0] == 1
    assert call(undo_command, "999")[0] == 1
    file.write_bytes(ledger(rows=[[1, "甲", "外星", None, "若干"]]))
    code, document = call(import_command, str(file), "--scope", "north")
    assert code == 1
    assert [set(e) for e in document["errors"]] == [
        {"sheet", "cell", "column", "value", "rule", "message"}
    ] * 2
    file.write_bytes(b"PK\x03\x04 broken")
    code, document = call(import_command, str(file), "--scope", "north")
    assert code == 1 and document["errors"][0]["rule"] == "file.corrupt"
    assert call(import_command, str(file), "--scope", "nowhere")[0] == 1


def test_as_of_given_or_assumed(orgs: Any) -> None:
    data = builders.xlsx(
        builders.Tab([["重点项目表"], ["序号", "项目名称", "总投资(万元)", "责任单位"], [1, "甲", 5, "局"]])
    )
    assert run(orgs.north, data, as_of=date(2022, 2, 28))["as_of"] == "2022-02-28"
    result = run(orgs.south, data)
    assert (result["as_of"], result["as_of_assumed"]) == (timezone.localdate().isoformat(), True)


def test_parks_from_group_rows(orgs: Any) -> None:
    data = builders.xlsx(builders.Tab([
        ["2022年3月 单位:亿元"], ["序号", "项目名称", "总投资", "责任单位"],
        ["东部产业园(1个)", None, 1.5], [1, "甲", 1.5, "局"], ["西部工业园(1个)", None, 2], [2, "乙", 2, "局"],
    ]))  # fmt: skip
    assert counts(run(orgs.north, data)) == (2, 0, 0)
    assert [state(name).park.name for name in ("甲", "乙")] == ["东部产业园", "西部工业园"]
    assert counts(run(orgs.north, data)) == (0, 0, 2)
