"""The register of enterprises as a workbook: taking over, faults, again, taking back."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from tests.conftest import Orgs
from tests.core.workbooks.builders import Tab, xlsx
from tests.enterprises.kit import CODE, HEAD, OTHER, SHEET, faults, listed, table, take
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.importing import undo_batch
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.wording import fault_message
from yuanmai.enterprises.actions import add_enterprise, revise_enterprise
from yuanmai.enterprises.engine.credit_code import example
from yuanmai.enterprises.models import Enterprise
from yuanmai.places.models import Park


@pytest.mark.django_db
def test_taken_over_again_and_taken_back(orgs: Orgs, park: Park) -> None:
    with everywhere():
        kept = add_enterprise(SYSTEM, orgs.north.pk, name="乙新材料有限公司", industry="其他", contact="赵某")
        other = add_enterprise(SYSTEM, orgs.south.pk, name="甲精密制造有限公司")
    before, unchanged = table(), listed(orgs.south)
    first = take(xlsx(Tab(SHEET)), orgs.north)
    assert (first["kind"], first["created"], first["updated"], first["unchanged"]) == ("enterprises", 2, 1, 0)
    assert listed(orgs.north) == [
        ("丙物流中心", "", "", "", "", "李某", "", "", "北岸工业园"),
        ("乙新材料有限公司", OTHER, "化学原料制造业", "", "", "赵某", "0596-1234567", "", None),
        ("甲精密制造有限公司", CODE, "通用设备制造业", "", "", "王某", "13800000000", "", "北岸工业园"),
    ]
    assert listed(orgs.south) == unchanged  # another organisation's register is not touched
    again = take(xlsx(Tab(SHEET)), orgs.north)
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 3)
    after = table()
    with everywhere():
        undo_batch(SYSTEM, again["batch"])  # nothing changed, nothing to take back
        assert table() == after
        result = undo_batch(SYSTEM, first["batch"])
    assert result == {"batch": first["batch"], "undone": True, "enterprises": 3}
    rows = {row[0]: row for row in table()}
    assert [rows[row[0]] for row in before] == before
    assert [row[2] for row in listed(orgs.north)] == ["其他"]
    assert AuditEntry.objects.filter(action="enterprises.undo_import").count() == 2
    third = take(xlsx(Tab(SHEET)), orgs.north)  # the retired ones come back
    assert (third["created"], third["updated"]) == (2, 1)
    with everywhere():
        assert Enterprise.objects.filter(org=orgs.north).count() == 3
        assert {kept.pk, other.pk} <= set(Enterprise.objects.values_list("pk", flat=True))


@pytest.mark.django_db
def test_a_newer_change_keeps_an_import_from_being_undone(orgs: Orgs, park: Park) -> None:
    batch = take(xlsx(Tab(SHEET)), orgs.north)["batch"]
    with everywhere():
        row = Enterprise.objects.get(name="丙物流中心")
        revise_enterprise(SYSTEM, row, phone="120")
        stored = table()
        with pytest.raises(ValidationError, match="丙物流中心"):
            undo_batch(SYSTEM, batch)
        assert table() == stored
        assert ImportBatch.objects.get(pk=batch).state == "committed"
        revise_enterprise(SYSTEM, Enterprise.objects.get(pk=row.pk), phone="")
        undo_batch(SYSTEM, batch)
    assert listed(orgs.north) == []


@pytest.mark.django_db
def test_a_code_finds_its_enterprise_under_a_new_name(orgs: Orgs) -> None:
    with everywhere():
        row = add_enterprise(SYSTEM, orgs.north.pk, name="旧名有限公司", credit_code=CODE)
    result = take(xlsx(Tab([HEAD[:4], [1, "新名有限公司", CODE, "仓储业"]])), orgs.north)
    assert (result["created"], result["updated"]) == (0, 1)
    with everywhere():
        row.refresh_from_db()
    assert (row.name, row.pinyin.split()[0], row.industry) == ("新名有限公司", "xmyxgs", "仓储业")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "cell", "rule"),
    [
        ([1, None, CODE, "业"], "B2", "name.missing"),
        ([1, "甲公司", "91110000802100433", "业"], "C2", "credit_code.length"),
        ([1, "甲公司", "9111000080210O433B", "业"], "C2", "credit_code.letter"),
        ([1, "甲公司", "91AB0000802100433B", "业"], "C2", "credit_code.region"),
        ([1, "甲公司", "91110000802100433C", "业"], "C2", "credit_code.check"),
        ([1, "名" * 161, CODE, "业"], "B2", "text.too_long"),
        ([1, "甲公司", CODE, "业" * 121], "D2", "text.too_long"),
        ([1, "已有公司", CODE, "业"], "C2", "credit_code.differs"),
        ([1, "已有公司", OTHER, "业", "无名园"], "E2", "park.unknown"),
    ],
)
def test_each_fault_names_its_cell(
    row: list[Any], cell: str, rule: str, orgs: Orgs, park: Park, english: None
) -> None:
    with everywhere():
        add_enterprise(SYSTEM, orgs.north.pk, name="已有公司", credit_code=OTHER)
    before = table()
    result = take(
        xlsx(Tab([HEAD, [*row, *([None] * (7 - len(row)))], [2, "好公司", None, "业"]])), orgs.north
    )
    assert faults(result) == [(cell, rule)]
    (fault,) = result.errors
    message = fault_message(fault)
    assert cell in message and "{" not in message and "_" not in message
    assert table() == before


@pytest.mark.django_db
def test_all_faults_at_once_and_the_same_enterprise_twice(orgs: Orgs) -> None:
    with everywhere():
        add_enterprise(SYSTEM, orgs.north.pk, name="已有公司", credit_code=OTHER)
        add_enterprise(SYSTEM, orgs.north.pk, name="占名公司")
    rows = [
        HEAD[:4],
        [1, "甲公司", CODE, "业"],
        [2, "乙公司", CODE, "业"],  # the code of row 2
        [3, "甲公司", None, "业"],  # the name of row 2
        [4, "占名公司", OTHER, "业"],  # a name that another entry has
        [5, "已有公司", None, "业"],  # stored under the code of row 5
    ]
    assert faults(take(xlsx(Tab(rows)), orgs.north)) == [
        ("C3", "row.duplicate"),
        ("B4", "row.duplicate"),
        ("B5", "name.taken"),
        ("B6", "row.duplicate"),
    ]


@pytest.mark.django_db
def test_a_park_of_the_organisation_above_is_known(orgs: Orgs) -> None:
    with everywhere():
        Park.objects.create(org=orgs.city, code="C", name="市直工业园")
        Park.objects.create(org=orgs.foreign, code="F", name="外岸工业园")
    head = ["企业名称", "统一社会信用代码", "所属园区", "联系人"]
    good = take(xlsx(Tab([head, ["甲公司", CODE, "市直工业园", "王某"]])), orgs.north)
    assert good["created"] == 1
    bad = take(xlsx(Tab([head, ["乙公司", OTHER, "外岸工业园", "王某"]])), orgs.north)
    assert faults(bad) == [("C2", "park.unknown")]


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_rows(orgs: Orgs, django_assert_max_num_queries: Any) -> None:
    def sheet(number: int) -> bytes:
        rows = [
            [n, f"企业{n}号有限公司", example(f"91350200{n:09d}"), "仓储业"] for n in range(1, number + 1)
        ]
        return xlsx(Tab([HEAD[:4], *rows]))

    for number in (5, 400):
        with django_assert_max_num_queries(75):
            assert take(sheet(number), orgs.north, f"{number}.xlsx")["created"] > 0
