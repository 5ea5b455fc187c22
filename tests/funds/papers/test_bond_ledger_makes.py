"""Bond ledgers of different make read the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.core.workbooks.builders import bad_checks, faults
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.pipeline import parse
from yuanmai.funds.papers.bond_ledger import BOND_LEDGER

from . import makes
from .makes import A, B

WAN = Decimal(10_000)


def read(name: str, data: bytes) -> Any:
    return parse(read_book(data, name), BOND_LEDGER.spec)


@pytest.mark.parametrize("make", makes.MAKES, ids=lambda make: make.__name__)
def test_every_make_says_the_same(make: Callable[[], tuple[str, bytes]]) -> None:
    parsed = read(*make())
    rows = sorted(
        (r.get("name"), r.get("bond_code"), r.get("tranche_amount"), r.get("allotted"), r.get("disbursed"), r.get("paid"))
        for r in parsed.rows
    )  # fmt: skip
    assert rows == sorted(
        (name, code, *(n * WAN for n in amounts))
        for name, code, amounts in (
            (A, "2105001", (20000, 5000, 4000, 3000)),
            (B, "2105001", (20000, 3000, 3000, 1000)),
            (A, "2105002", (2000, 2000, 1000, 500)),
        )
    )
    rates = {r.get("bond_code"): r.get("rate") for r in parsed.rows}
    low = make is makes.small_rates
    assert rates == {
        "2105001": Decimal("0.0128") if low else Decimal("0.0328"),
        "2105002": Decimal("0.0145") if low else Decimal("0.0345"),
    }
    assert faults(parsed) == [] and bad_checks(parsed) == []
    assert parsed.period.as_of == date(2022, 6, 30)
    if make is not makes.web_page:
        days = {r.get("bond_code"): r.get("value_date") for r in parsed.rows}
        assert days == {"2105001": date(2021, 5, 21), "2105002": date(2021, 8, 31)}
    if make is not makes.maturities:
        assert {r.get("bond_code"): r.get("term") for r in parsed.rows} == {"2105001": "10", "2105002": "15"}


def test_a_group_row_names_the_batch() -> None:
    parsed = read(*makes.by_batch())
    assert [r.get("tranche_name") for r in parsed.rows] == ["2021年第一批", "2021年第一批", "2021年第二批"]


def test_a_total_that_differs_from_its_rows_is_told() -> None:
    from tests.core.workbooks.builders import Tab, xlsx

    head = ["项目名称", "债券代码", "分配金额(万元)"]
    data = xlsx(Tab([head, [A, "1", 100], [B, "1", 200], ["合计", None, 310]]))
    assert bad_checks(read("台账.xlsx", data)) == [("C4", "allotted", 310 * WAN, 300 * WAN)]
