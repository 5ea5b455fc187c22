"""A payment ledger into the funds room and back out: contracts, invoices, payments; the same again, newer, wrong, undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.core.exceptions import ValidationError
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.workbooks.builders import Tab, bad_checks, faults, xlsx
from tests.funds.issuing.conftest import new_tranche
from yuanmai.core.figures import Query, evaluate
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.commands import import_command
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.pipeline import parse
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.importing import import_data, recognise, undo_batch
from yuanmai.core.workbooks.running import Options
from yuanmai.core.workbooks.wording import fault_message
from yuanmai.funds.models import Allotment, Contract, Disbursement, Invoice, NamedUse, Payment, Reserve
from yuanmai.funds.papers.payment_ledger import PAYMENT_LEDGER

from . import payment_makes
from .conftest import NOW
from .payment_makes import ONE, B, P

WAN = Decimal(10_000)
TODAY = date(2022, 12, 1)
HEAD = [
    "支付日期",
    "项目名称",
    "债券代码",
    "合同编号",
    "合同名称",
    "合同金额",
    "收款单位",
    "发票号码",
    "支付金额",
]
FIRST = ["2022-07-10", P, B, "HT-01", "管网施工", 2000, ONE, "F1", 300]
SECOND = ["2022-08-15", P, B, "HT-01", "管网施工", 2000, ONE, "F2", 200.5]


@pytest.fixture
def ready(orgs: Any, make_project: Callable[..., Any]) -> Any:
    """A project with one bond: 4000 allotted, 1000 disbursed (万元)."""
    project = make_project(orgs.north, P, total=200_000_000, as_of=date(2022, 1, 31))
    name = "2022年江南省专项债券(一期)"
    tranche = new_tranche(orgs.city, code=B, name=name, amount=WAN * 10_000, tendered_on=date(2022, 2, 22))
    with everywhere():
        common: dict[str, Any] = {"project": project, "tranche": tranche, "recorded_at": NOW}
        Allotment.objects.create(amount=WAN * 4000, effective_on=date(2022, 3, 1), **common)
        Disbursement.objects.create(amount=WAN * 1000, effective_on=date(2022, 4, 1), **common)
    return project


def book(*rows: list[Any], head: list[str] = HEAD) -> bytes:
    return xlsx(Tab([["支付台账 单位:万元"], head, *rows]))


def run(org: Any, data: bytes, name: str = "支付台账.xlsx") -> Any:
    with everywhere():
        return import_data(SYSTEM, "payment_ledger", org.pk, data, name, Options(), TODAY)


def counts(result: Any) -> tuple[int, int, int]:
    assert isinstance(result, dict), [fault_message(f) for f in result.errors]
    return result["created"], result["updated"], result["unchanged"]


def rules(result: Any) -> list[tuple[str, str]]:
    assert isinstance(result, Parsed), result
    return [(f.cell, f.rule) for f in result.errors]


def snapshot() -> Any:
    with everywhere():
        return [
            sorted(
                Payment.objects.filter(retracted_at=None).values_list(
                    "contract__number", "effective_on", "amount"
                )
            ),
            sorted(
                Contract.objects.filter(retracted_at=None).values_list(
                    "number", "payee", "amount", "signed_on"
                )
            ),
            sorted(Invoice.objects.filter(retracted_at=None).values_list("seller", "number", "amount")),
            sorted(Reserve.objects.values_list("state")),
        ]


@pytest.mark.django_db
@pytest.mark.parametrize("make", payment_makes.MAKES, ids=lambda make: make.__name__)
def test_a_ledger_of_any_make_is_taken_over_once(orgs: Any, ready: Any, make: Any) -> None:
    name, data = make()
    assert recognise(data, name) == "payment_ledger"
    parsed = parse(read_book(data, name), PAYMENT_LEDGER.spec)
    assert faults(parsed) == [] and bad_checks(parsed) == []
    before = snapshot()
    first = run(orgs.north, data, name)
    assert counts(first) == (3, 0, 0) and first["findings"] == []
    payments, contracts, invoices, _reserves = snapshot()
    assert payments == [
        ("HT-01", date(2022, 7, 10), 300 * WAN), ("HT-01", date(2022, 8, 15), Decimal("200.50") * WAN),
        ("HT-02", date(2022, 8, 20), 20 * WAN),
    ]  # fmt: skip
    assert [row[:3] for row in contracts] == [
        ("HT-01", ONE, 2000 * WAN),
        ("HT-02", "长河监理公司", 100 * WAN),
    ]
    assert contracts[0][3] == date(2022, 7, 10)
    assert [row[1] for row in invoices] == ["F1", "F2", "F3"]
    with everywhere():
        assert evaluate("bonds.spent", Query((orgs.north.pk,), TODAY)).value == Decimal("520.50") * WAN
    again = run(orgs.north, data, name)
    assert counts(again) == (0, 0, 3)
    with everywhere():
        undo_batch(SYSTEM, again["batch"])
        undo_batch(SYSTEM, first["batch"])
    assert snapshot() == before


@pytest.mark.django_db
def test_makes_after_each_other_change_nothing(orgs: Any, ready: Any) -> None:
    name, data = payment_makes.plain()
    run(orgs.north, data, name)
    for make in (
        payment_makes.wan_total,
        payment_makes.texts,
        payment_makes.merged_project,
        payment_makes.yi,
    ):
        name, data = make()
        assert counts(run(orgs.north, data, name)) == (0, 0, 3), make.__name__


@pytest.mark.django_db
def test_a_newer_ledger_adds_and_corrects_and_undo_restores_exactly(orgs: Any, ready: Any) -> None:
    first = run(orgs.north, book(FIRST, SECOND))
    before = snapshot()
    third = ["2022-09-01", P, B, "HT-01", "管网施工", 2000, ONE, "F9", 50]
    newer = run(orgs.north, book(FIRST, [*SECOND[:8], 180], third))
    assert counts(newer) == (1, 1, 1)
    assert [row[2] / WAN for row in snapshot()[0]] == [300, 180, 50]
    with everywhere():
        with pytest.raises(ValidationError, match="HT-01"):
            undo_batch(SYSTEM, first["batch"])
        undo_batch(SYSTEM, newer["batch"])
    assert snapshot() == before


@pytest.mark.django_db
def test_every_fault_is_told_at_once_and_nothing_is_stored(orgs: Any, ready: Any, english: None) -> None:
    rows = [
        ["2022-07-10", "北园污水官网", B, "HT-01", "管网施工", 2000, ONE, "F1", 300],  # 3 unknown project
        ["2022-07-10", P, "9999999", "HT-01", "管网施工", 2000, ONE, "F2", 300],  # 4 bond not allotted
        ["2022-07-10", P, B, None, None, 2000, ONE, "F3", 300],  # 5 no contract
        [None, P, B, "HT-01", "管网施工", 2000, ONE, "F4", 300],  # 6 no day
        ["2022-07-10", P, B, "HT-01", "管网施工", 2000, ONE, "F5", -300],  # 7 negative
        ["2022-07-10", P, B, "HT-03", "设计", 100, None, "F6", 30],  # 8 no payee
        ["2022-07-10", P, B, "HT-04", "甲", 500, "甲公司", "G1", 100],  # 9
        ["2022-07-11", P, B, "HT-04", "甲", 500, "甲公司", "G1", 100],  # 10 double invoice
        ["2022-07-11", P, B, "HT-05", "乙", 100, "乙公司", "G2", 90],  # 11
        ["2022-07-12", P, B, "HT-05", "乙", 100, "乙公司", "G3", 90],  # 12 above the contract
        ["2022-07-13", P, B, "HT-06", "丙", 900, "丙公司", "G4", 850],  # 13 above disbursed
        ["2022-07-13", P, B, "HT-06", "丙", 900, "丙公司", "G4", 850],  # 14 the same row twice
        ["2022-07-14", P, B, "HT-07", "丁", 10, "丁公司", "G5", 20],  # 15 above the contract in one row
    ]
    before = snapshot()
    result = run(orgs.north, book(*rows))
    found = rules(result)
    for wanted in (
        ("B3", "bond.project_unknown"), ("C4", "pay.not_allotted"), ("D5", "pay.no_contract"), ("A6", "pay.no_day"),
        ("I7", "number.negative"), ("G8", "pay.no_payee"), ("H10", "pay.double_invoice"), ("I11", "pay.over_contract"),
        ("I14", "row.duplicate"), ("I15", "funds.contract_over"),
    ):  # fmt: skip
        assert wanted in found, (wanted, found)
    assert any(rule == "pay.over_disbursed" for _cell, rule in found)
    assert "“北园污水管网”" in fault_message(
        next(f for f in result.errors if f.rule == "bond.project_unknown")
    )
    assert snapshot() == before


@pytest.mark.django_db
def test_above_disbursed_counts_what_is_stored(orgs: Any, ready: Any) -> None:
    run(orgs.north, book(FIRST, SECOND))
    more = ["2022-09-01", P, B, "HT-01", "管网施工", 2000, ONE, "F9"]
    assert rules(run(orgs.north, book([*more, 499.51]))) == [("I3", "pay.over_disbursed")]
    assert counts(run(orgs.north, book([*more, 499.5]))) == (1, 0, 0)


@pytest.mark.django_db
def test_an_invoice_is_paid_once_in_the_whole_installation(orgs: Any, ready: Any) -> None:
    run(orgs.north, book(FIRST))
    elsewhere = run(orgs.north, book(["2022-09-01", P, B, "HT-08", "其他", 100, ONE, "F1", 10]))
    assert rules(elsewhere) == [("H3", "pay.invoice_elsewhere")]


@pytest.mark.django_db
def test_an_invoice_may_be_paid_in_parts_where_its_amount_is_stated(orgs: Any, ready: Any) -> None:
    head = [*HEAD, "发票金额"]
    one, two = ([f"2022-07-1{n}", P, B, "HT-01", "管网施工", 2000, ONE, "F1", 150, 300] for n in (0, 1))
    assert counts(run(orgs.north, book(one, two, head=head))) == (2, 0, 0)
    with everywhere():
        assert Invoice.objects.get().amount == 300 * WAN
    third = ["2022-07-12", P, B, "HT-01", "管网施工", 2000, ONE, "F1", 1, 300]
    assert ("H3", "pay.over_invoice") in rules(run(orgs.north, book(one, two, third, head=head)))


@pytest.mark.django_db
def test_named_uses_only(orgs: Any, ready: Any) -> None:
    from tests.funds.issuing.conftest import new_reserve

    reserve = new_reserve(ready, state="issued")
    with everywhere():
        use = NamedUse.objects.create(reserve=reserve, name="管网工程", amount=WAN * 4000)
    head = [*HEAD, "资金用途"]
    assert rules(run(orgs.north, book([*FIRST, "发放工资"], head=head))) == [("J3", "pay.use_unknown")]
    done = run(orgs.north, book([*FIRST, "管网工程"], head=head))
    with everywhere():
        assert Payment.objects.get().use_id == use.pk
        reserve.refresh_from_db()
        assert reserve.state == "drawn"
        undo_batch(SYSTEM, done["batch"])
        reserve.refresh_from_db()
        assert reserve.state == "issued"


@pytest.mark.django_db
def test_items_take_the_place_of_what_a_bond_ledger_carried(orgs: Any, ready: Any) -> None:
    head = ["项目名称", "债券代码", "分配金额", "累计拨付", "累计支出"]
    data = xlsx(Tab([["专项债券台账 单位:万元(截至2022年8月31日)"], head, [P, B, 4000, 1000, 520.5]]))
    with everywhere():
        import_data(SYSTEM, "bond_ledger", orgs.north.pk, data, "台账.xlsx", Options(), TODAY)
        spent = evaluate("bonds.spent", Query((orgs.north.pk,), TODAY)).value
    before = snapshot()
    assert spent == Decimal("520.50") * WAN
    done = run(orgs.north, book(FIRST, SECOND))
    assert counts(done) == (2, 0, 0)
    with everywhere():
        assert evaluate("bonds.spent", Query((orgs.north.pk,), TODAY)).value == spent
        assert Contract.objects.get(number="LEDGER").amount == 20 * WAN
        undo_batch(SYSTEM, done["batch"])
    assert snapshot() == before


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_rows(orgs: Any, ready: Any) -> None:
    def cost(count: int, mark: str) -> int:
        rows = [
            [date(2022, 7, 1) + timedelta(days=n), P, B, f"HT-{mark}", "管网", 1000, ONE, f"{mark}{n}", 1]
            for n in range(count)
        ]
        with CaptureQueriesContext(connection) as context:
            assert counts(run(orgs.north, book(*rows))) == (count, 0, 0)
        return sum("core_finding" not in q["sql"] for q in context.captured_queries)

    few, many = cost(3, "a"), cost(15, "b")
    assert many <= few + 2


@pytest.mark.django_db
def test_the_command_line_recognises_it(orgs: Any, ready: Any, tmp_path: Path) -> None:
    file = tmp_path / "支付台账.xlsx"
    file.write_bytes(book(FIRST, SECOND))
    done = CliRunner().invoke(import_command, [str(file), "--scope", "north", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["kind"] == "payment_ledger"


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(st.data())
def test_what_is_written_is_read(data: st.DataObject) -> None:
    words = {
        "name": ["项目名称", "工程名称"], "paid_on": ["支付日期", "付款时间"], "contract_number": ["合同编号", "合同号"],
        "payee": ["收款单位", "收款人"], "invoice_number": ["发票号码", "票号"], "amount": ["支付金额", "付款金额"],
    }  # fmt: skip
    unit, factor = data.draw(st.sampled_from([("元", 1), ("万元", 10_000)]))
    rows = [
        {
            "name": data.draw(st.sampled_from(["甲管网项目", "乙厂房项目"])),
            "paid_on": date(2020, 1, 1) + timedelta(days=data.draw(st.integers(0, 1500))),
            "contract_number": f"HT-{data.draw(st.integers(1, 5))}",
            "payee": data.draw(st.sampled_from(["大江公司", "长河公司"])),
            "invoice_number": f"F{n}",
            "amount": Decimal(data.draw(st.integers(1, 10**9))) / 100 * factor,
        }
        for n in range(data.draw(st.integers(1, 8)))
    ]
    order = data.draw(st.permutations(list(words)))
    style = data.draw(st.sampled_from(["date", "cn", "dot"]))

    def cell(row: dict[str, Any], code: str) -> Any:
        value = row[code]
        if code == "amount":
            return f"{(value / factor).normalize():f}"
        if code == "paid_on":
            return {
                "date": value,
                "cn": f"{value:%Y}年{value.month}月{value.day}日",
                "dot": f"{value:%Y.%m.%d}",
            }[style]
        return value

    head = [data.draw(st.sampled_from(words[code])) for code in order]
    content = xlsx(
        Tab([[f"支付台账 单位:{unit}"], head, *[[cell(row, code) for code in order] for row in rows]])
    )
    parsed = parse(read_book(content, "台账.xlsx"), PAYMENT_LEDGER.spec)
    assert faults(parsed) == []
    assert [{code: row.get(code) for code in words} for row in parsed.rows] == rows
