"""Which kind a workbook is, by its heads."""

from __future__ import annotations

from typing import Any

import pytest

from tests.core.workbooks.builders import Tab, xlsx
from yuanmai.core.workbooks.importing import recognise

from . import makes


@pytest.mark.parametrize("make", makes.MAKES, ids=lambda make: make.__name__)
def test_bond_ledgers_are_recognised(make: Any) -> None:
    name, data = make()
    assert recognise(data, name) == "bond_ledger"


def test_key_project_ledgers_are_still_recognised() -> None:
    head = [
        "序号",
        "项目名称",
        "建设性质",
        "建设单位",
        "总投资",
        "专项债券",
        "2022年计划投资",
        "1-3月完成投资",
        "备注",
    ]
    assert (
        recognise(xlsx(Tab([head, [1, "甲", "新开工", "乙", 1, 1, 1, 1, ""]])), "台账.xlsx")
        == "key_project_ledger"
    )


def test_what_fits_nothing_is_taken_for_the_first_kind() -> None:
    assert recognise(xlsx(Tab([["甲", "乙"], [1, 2]])), "台账.xlsx") == "key_project_ledger"
