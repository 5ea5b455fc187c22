"""A bond ledger into the funds room and back out: created, the same again, newer, wrong, undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.core.workbooks.builders import Tab, xlsx
from yuanmai.core.figures import Query, evaluate
from yuanmai.core.findings import Finding
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.commands import import_command, undo_command
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.importing import import_data, undo_batch
from yuanmai.core.workbooks.running import Options
from yuanmai.core.workbooks.wording import fault_message
from yuanmai.funds.issuing.queries import money
from yuanmai.funds.models import Allotment, Contract, Disbursement, FundingState, Payment, Tranche

from . import makes
from .makes import A, B

pytestmark = pytest.mark.django_db
TODAY = date(2022, 7, 15)
AS_OF = date(2022, 6, 30)
WAN = Decimal(10_000)
HEAD = ["项目名称", "债券代码", "债券总额", "分配金额", "期限", "票面利率", "起息日", "累计拨付", "累计支出"]
TITLE = ["专项债券台账 单位:万元(截至2022年6月30日)"]
ONE = [A, "2105001", 20000, 5000, 10, "3.28%", "2021-05-21", 4000, 3000]
TWO = [B, "2105001", 20000, 3000, 10, "3.28%", "2021-05-21", 3000, 1000]


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def projects(orgs: Any, make_project: Callable[..., Any]) -> dict[str, Any]:
    start = date(2021, 1, 1)
    return {
        name: make_project(orgs.north, name, as_of=start, total=200_000_000, version={"code": code})
        for name, code in ((A, "2021-01"), (B, "2021-02"))
    }


def book(*rows: list[Any], head: list[Any] = HEAD, title: list[Any] = TITLE) -> bytes:
    return xlsx(Tab([title, head, *rows]))


def run(org: Any, data: bytes, name: str = "台账.xlsx", **options: Any) -> Any:
    with everywhere():
        return import_data(SYSTEM, "bond_ledger", org.pk, data, name, Options(**options), TODAY)


def counts(result: Any) -> tuple[int, int, int]:
    assert isinstance(result, dict), [fault_message(f) for f in result.errors]
    return result["created"], result["updated"], result["unchanged"]


def rules(result: Any) -> list[tuple[str, str]]:
    assert isinstance(result, Parsed), result
    return [(f.cell, f.rule) for f in result.errors]


def snapshot() -> Any:
    """What is believed now of the money."""
    with everywhere():
        facts = [
            sorted(
                model.objects.filter(retracted_at=None).values_list(
                    "project_id", "tranche__code", "effective_on", "amount"
                )
            )
            for model in (Allotment, Disbursement, Payment)
        ]
        tranches = sorted(
            Tranche.objects.filter(retracted_at=None).values_list(
                "code", "amount", "allotted", "rate", "value_date", "name"
            )
        )
        contracts = sorted(
            Contract.objects.filter(retracted_at=None).values_list("project_id", "number", "amount")
        )
        from yuanmai.core.temporal import KNOWN_FOREVER

        funding = sorted(
            FundingState.objects.filter(known_until=KNOWN_FOREVER).values_list(
                "project_id", "source", "tranche", "amount"
            )
        )
        return facts, tranches, contracts, funding


@pytest.mark.parametrize("make", makes.MAKES, ids=lambda make: make.__name__)
def test_a_ledger_of_any_make_is_taken_over_once(orgs: Any, projects: dict[str, Any], make: Any) -> None:
    name, data = make()
    before = snapshot()
    first = run(orgs.north, data, name)
    assert counts(first) == (3, 0, 0) and first["as_of"] == "2022-06-30" and first["findings"] == []
    with everywhere():
        one, two = Tranche.objects.order_by("code")
        assert (one.code, one.amount, one.allotted, one.term_years) == (
            "2105001",
            20000 * WAN,
            8000 * WAN,
            10,
        )
        assert (two.code, two.amount, two.allotted, two.term_years) == ("2105002", 2000 * WAN, 2000 * WAN, 15)
        assert one.value_date == date(2021, 5, 21) and one.frequency == 2
        assert one.tendered_on == date(2021, 5, 20)
        found = money(Query((orgs.north.pk,), AS_OF))
        part = found[projects[A].pk, one.pk]
        assert (part.allotted, part.disbursed, part.paid) == (5000 * WAN, 4000 * WAN, 3000 * WAN)
        issued = evaluate("bonds.issued", Query((orgs.north.pk,), AS_OF))
        assert issued.value == 10000 * WAN
        assert evaluate("funds.issued", Query((orgs.north.pk,), AS_OF)).value == 10000 * WAN
    again = run(orgs.north, data, name)
    assert counts(again) == (0, 0, 3)
    with everywhere():
        undo_batch(SYSTEM, again["batch"])
        undo_batch(SYSTEM, first["batch"])
    assert snapshot() == before


def test_all_makes_after_each_other_change_nothing(orgs: Any, projects: dict[str, Any]) -> None:
    name, data = makes.maturities()
    run(orgs.north, data, name)
    for make in (makes.merged_projects, makes.merged_bonds, makes.written_once, makes.hundred_millions):
        name, data = make()
        result = run(orgs.north, data, name)
        assert counts(result) == (0, 0, 3), make.__name__


def test_a_newer_ledger_adds_the_difference_and_undo_restores_exactly(
    orgs: Any, projects: dict[str, Any]
) -> None:
    run(orgs.north, book(ONE, TWO))
    before = snapshot()
    newer = book(
        [A, "2105001", 20000, 6000, 10, "3.30%", "2021-05-21", 5000, 5000], TWO,
        [B, "2105009", 1000, 1000, 5, 2.9, "2022-08-02", None, None],
        title=["专项债券台账 单位:万元(截至2022年9月30日)"],
    )  # fmt: skip
    result = run(orgs.north, newer)
    # The rate stands in the row of the bond that states it; both rows of the bond show the contradiction as an error.
    assert isinstance(result, Parsed) and [f.rule for f in result.errors] == ["bond.contradicts"]
    newer = book(
        [A, "2105001", 20000, 6000, 10, "3.30%", "2021-05-21", 5000, 5000],
        [B, "2105001", None, 3000, None, None, None, 3000, 1000],
        [B, "2105009", 1000, 1000, 5, 2.9, "2022-08-02", None, None],
        title=["专项债券台账 单位:万元(截至2022年9月30日)"],
    )  # fmt: skip
    result = run(orgs.north, newer)
    assert counts(result) == (1, 1, 1)
    with everywhere():
        tranche = Tranche.objects.get(code="2105001")
        assert tranche.rate == Decimal("0.033") and tranche.allotted == 9000 * WAN
        pair = (projects[A].pk, tranche.pk)
        then, now = (money(Query((orgs.north.pk,), day)) for day in (AS_OF, date(2022, 9, 30)))
        assert (then[pair].allotted, then[pair].paid) == (5000 * WAN, 3000 * WAN)
        assert (now[pair].allotted, now[pair].disbursed, now[pair].paid) == (
            6000 * WAN,
            5000 * WAN,
            5000 * WAN,
        )
        carried = Contract.objects.get(project=projects[A])
        assert carried.amount == 5000 * WAN
    assert counts(run(orgs.north, newer)) == (0, 0, 3)
    with everywhere():
        undo_batch(SYSTEM, result["batch"])
    assert snapshot() == before


def test_an_import_that_something_builds_on_is_not_undone(orgs: Any, projects: dict[str, Any]) -> None:
    first = run(orgs.north, book(ONE, TWO))
    run(orgs.north, book([*ONE[:7], 4500, 4500], TWO, title=["台账 单位:万元(截至2022年9月30日)"]))
    before = snapshot()
    with everywhere(), pytest.raises(ValidationError, match="2105001"):
        undo_batch(SYSTEM, first["batch"])
    assert snapshot() == before


def test_every_fault_is_told_at_once(orgs: Any, projects: dict[str, Any], english: None) -> None:
    rows = [
        [A, "2105001", 20000, -5000, 10, "3.28%", "2021-05-21", 4000, 3000],  # negative
        [B, "2105002", 20000, 3000, 10, "32.8%", "2021-05-21", 3000, 1000],  # rate
        ["甲厂坊", "2105003", 20000, 3000, 10, "3.28%", "2021-05-21", 3000, 1000],  # unknown project
        [A, "2105004", 20000, 3000, 10, "3.28%", "2021-05-21", 3000, 1000],
        [A, "2105004", 20000, 3000, 10, "3.28%", "2021-05-21", 3000, 1000],  # twice
        [A, "2105005", 1000, 1200, 10, "3.28%", "2021-05-21", 100, 100],  # beyond the tranche
        [A, "2105006", 1000, 900, 10, "3.28%", "2021-05-21", 1000, 100],  # disbursed beyond allotted
        [A, "2105007", 1000, 900, 10, "3.28%", "2021-05-21", 100, 200],  # paid beyond disbursed
        [A, "2105008", 1000, 900, "ten", "3.28%", "2021-05-21", 100, 100],  # term
        [A, None, 1000, 900, 10, "3.28%", "2021-05-21", 100, 100],  # no bond
        [A, "2105010", 1000, None, 10, "-3.28%", "2021-05-21", 0, 0],  # nothing allotted, negative rate
        [A, "2105011", 1000, 900, 10, None, "2021-05-21", 100, 100],  # no rate
    ]
    before = snapshot()
    result = run(orgs.north, book(*rows))
    found = rules(result)
    assert ("D3", "number.negative") in found
    assert ("F4", "bond.rate_too_high") in found
    assert ("A5", "bond.project_unknown") in found
    assert ("B7", "row.duplicate") in found
    assert ("D8", "funds.allotted_over_tranche") in found and ("D8", "bond.over_tranche") in found
    assert ("H9", "funds.disbursed_over_allotted") in found
    assert ("I10", "funds.paid_over_disbursed") in found
    assert ("E11", "bond.term_unreadable") in found
    assert ("B12", "bond.no_code") in found
    assert ("D13", "bond.no_amount") in found and ("F13", "bond.rate_negative") in found
    assert ("F14", "bond.needed") in found
    unknown = next(f for f in result.errors if f.rule == "bond.project_unknown")
    text = fault_message(unknown)
    assert "“甲厂房”" in text and "A5" in text and "Sheet1" in text and "甲厂坊" in text
    assert snapshot() == before


def test_dates_and_maturities_are_checked(orgs: Any, projects: dict[str, Any]) -> None:
    head = ["项目名称", "债券代码", "分配金额(万元)", "期限", "票面利率", "起息日", "到期日"]
    wrong = book([A, "1", 100, 10, 3, "2031-05-21", "2021-05-21"], head=head)
    assert ("G3", "bond.value_after_maturity") in rules(run(orgs.north, wrong))
    doubtful = book([A, "1", 100, 10, 3, "2021-05-21", "2036-05-21"], head=head)
    result = run(orgs.north, doubtful)
    assert counts(result) == (1, 0, 0)
    assert [f["rule"] for f in result["findings"]] == ["bond.maturity_differs"]


def test_the_amount_of_a_bond_is_stated_or_the_sum(orgs: Any, projects: dict[str, Any]) -> None:
    head = ["项目名称", "债券代码", "分配金额(万元)", "期限", "票面利率", "起息日"]
    one, two = ([name, "1", n, 10, 3, "2021-05-21"] for name, n in ((A, 100), (B, 200)))
    run(orgs.north, book(one, two, head=head))
    with everywhere():
        assert Tranche.objects.get().amount == 300 * WAN
    result = run(orgs.north, book([*one[:2], 150, *one[3:]], two, head=head))
    assert counts(result) == (0, 1, 1)
    with everywhere():
        assert (Tranche.objects.get().amount, Tranche.objects.get().allotted) == (350 * WAN, 350 * WAN)


def test_more_than_the_tranche_has_left_is_refused(orgs: Any, projects: dict[str, Any]) -> None:
    run(orgs.north, book(ONE, [*TWO[:3], 15000, *TWO[4:]]))
    result = run(orgs.north, book([*ONE[:2], None, 6000, *ONE[4:]]))
    assert rules(result) == [("D3", "bond.over_tranche")]


def test_a_bond_of_the_place_above_is_drawn_on_and_not_changed(orgs: Any, projects: dict[str, Any]) -> None:
    with everywhere():
        run_city = run(orgs.city, book(ONE))
        assert counts(run_city) == (1, 0, 0)
    result = run(orgs.north, book([B, "2105001", 20000, 3000, 10, "3.5%", "2021-05-21", 0, 0]))
    assert counts(result) == (1, 0, 0)
    assert [f["rule"] for f in result["findings"]] == ["bond.differs"]
    with everywhere():
        tranche = Tranche.objects.get()
        assert tranche.org_id == orgs.city.pk and tranche.rate == Decimal("0.0328")
        assert tranche.allotted == 8000 * WAN


def test_a_total_that_differs_becomes_a_finding_and_leaves_with_the_import(
    orgs: Any, projects: dict[str, Any]
) -> None:
    result = run(orgs.north, book(ONE, TWO, ["合计", None, None, 9000]))
    assert counts(result) == (2, 0, 0)
    assert [(f["stated"], f["computed"]) for f in result["findings"]] == [("90000000.00", "80000000.00")]
    with everywhere():
        assert Finding.objects.filter(state="open", kind="projects.ledger_total").count() == 1
        undo_batch(SYSTEM, result["batch"])
        assert not Finding.objects.filter(
            state="open", kind__in=("projects.ledger_total", "funds.over_total")
        ).exists()


def test_queries_do_not_grow_with_the_rows(orgs: Any, make_project: Callable[..., Any]) -> None:
    names = [f"项目{n}" for n in range(12)]
    for name in names:
        make_project(orgs.north, name, as_of=date(2021, 1, 1))

    def cost(count: int, code: str) -> int:
        rows = [[name, code, 20000, 10, 10, 3.28, "2021-05-21", 5, 5] for name in names[:count]]
        with CaptureQueriesContext(connection) as context:
            assert counts(run(orgs.north, book(*rows))) == (count, 0, 0)
        # Each contradiction found is stored by a statement of its own, and so is each carried contract.
        return sum(
            "core_finding" not in q["sql"] and "UPDATE" not in q["sql"] for q in context.captured_queries
        )

    few, many = cost(3, "a"), cost(12, "b")
    assert many <= few


def test_the_command_line_takes_it_over_and_back(orgs: Any, projects: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "台账.xlsx"
    file.write_bytes(book(ONE, TWO))
    runner = CliRunner()
    done = runner.invoke(import_command, [str(file), "--kind", "bond_ledger", "--scope", "north", "--json"])
    assert done.exit_code == 0, done.output
    answer = json.loads(done.output)
    assert (answer["kind"], answer["created"]) == ("bond_ledger", 2)
    undone = runner.invoke(undo_command, [str(answer["batch"]), "--json"])
    assert undone.exit_code == 0 and json.loads(undone.output)["undone"]
