"""The register of enterprises as a workbook: layouts, faults, taking over, again, taking back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Orgs
from tests.core.workbooks.builders import Tab, csv_bytes, xls, xlsx
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.faults import BookError
from yuanmai.core.workbooks.engine.pipeline import parse
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.importing import import_data, undo_batch
from yuanmai.core.workbooks.kinds import KINDS
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.running import Options
from yuanmai.core.workbooks.template import template_workbook
from yuanmai.core.workbooks.wording import fault_message
from yuanmai.enterprises.actions import add_enterprise, revise_enterprise
from yuanmai.enterprises.engine.credit_code import ALPHABET, example
from yuanmai.enterprises.models import Enterprise
from yuanmai.enterprises.queries import register
from yuanmai.enterprises.workbooks import REGISTER
from yuanmai.places.models import Park

CODE, OTHER = "91110000802100433B", example("91350200M0001AB12"[:17])
HEAD = ["序号", "企业名称", "统一社会信用代码", "行业", "园区名称", "联系人", "联系电话"]
WORDS = {
    "name": ["企业名称", "单位名称", "公司名称", "入园企业", "企业全称", "企 业 名 称"],
    "credit_code": ["统一社会信用代码", "信用代码", "税号", "营业执照号", "社会信用代码"],
    "industry": ["所属行业", "行业类别", "行业", "国民经济行业"],
    "chain": ["产业链", "所属产业链"],
    "address": ["地址", "注册地址", "生产经营地址"],
    "contact": ["联系人", "企业负责人", "法定代表人"],
    "phone": ["联系电话", "手机号码", "联系方式"],
    "note": ["备注", "说明"],
}
FIELDS = ("name", "credit_code", "industry", "chain", "address", "contact", "phone", "note")


def reading(data: bytes, name: str = "企业名录.xlsx") -> Parsed:
    return parse(read_book(data, name), REGISTER.spec)


def take(data: bytes, org: Any, name: str = "企业名录.xlsx", **options: Any) -> Any:
    from datetime import date

    with everywhere():
        return import_data(SYSTEM, "enterprises", org.pk, data, name, Options(), date(2026, 3, 1), **options)


def faults(result: Any) -> list[tuple[str, str]]:
    assert isinstance(result, Parsed), result
    return [(fault.cell, fault.rule) for fault in result.errors]


def listed(org: Any) -> list[tuple[Any, ...]]:
    with everywhere():
        return list(register([org.pk]).order_by("name").values_list(*FIELDS, "park__name"))


def table() -> list[tuple[Any, ...]]:
    """Every column of every enterprise."""
    with everywhere():
        return list(Enterprise.objects.order_by("pk").values_list())


@pytest.fixture
def park(orgs: Orgs) -> Park:
    with everywhere():
        return Park.objects.create(org=orgs.north, code="P-1", name="北岸工业园")


SHEET = [
    ["北园企业名录"],
    HEAD,
    [1, "甲精密制造有限公司", "9111 0000 8021 0043 3b", "通用设备制造业", "北岸工业园", "王某", 13800000000],
    [2, "乙新材料有限公司", OTHER, "化学原料制造业", None, None, "0596-1234567"],
    [3, "丙物流中心", None, None, "P-1", "李某", None],
]


# ----- any layout


CODES = st.text(ALPHABET, min_size=9, max_size=9).map(lambda tail: example(f"91350200{tail}"))
NAME = st.text("东南西北精密制造新材料物流科技电子一二三四五", min_size=2, max_size=10)
WORD = st.text("甲乙丙丁路街号栋制造加工", min_size=2, max_size=8)


@st.composite
def enterprises(draw: st.DrawFn) -> list[dict[str, Any]]:
    names = draw(st.lists(NAME, min_size=1, max_size=7, unique=True))
    codes = draw(st.lists(CODES, min_size=len(names), max_size=len(names), unique=True))
    optional = lambda some: draw(st.none() | some)  # noqa: E731
    return [
        {
            "name": f"{name}有限公司",
            "credit_code": optional(st.just(code)),
            "industry": optional(st.sampled_from(["通用设备制造业", "仓储业", "软件和信息技术服务业"])),
            "chain": optional(st.sampled_from(["高端装备", "新材料"])),
            "address": optional(WORD.map(lambda text: f"{text}1号")),
            "contact": optional(st.sampled_from(["王某", "李某某", "欧阳某"])),
            "phone": optional(st.sampled_from(["13800000000", "0596-1234567"])),
            "note": optional(st.just("搬迁中")),
        }
        for name, code in zip(names, codes, strict=True)
    ]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), rows=enterprises())
def test_any_register_in_any_layout(data: st.DataObject, rows: list[dict[str, Any]]) -> None:
    pick = lambda options, label: data.draw(st.sampled_from(options), label=label)  # noqa: E731
    rest = data.draw(
        st.permutations([f for f in FIELDS if f not in ("name", "credit_code")]), label="columns"
    )
    shown = [field for field in rest if pick([True, True, False], field)]
    shown = shown or ["industry"]
    columns = (
        ["name", "credit_code", *shown]
        if pick([True, False], "code second")
        else ["name", *shown, "credit_code"]
    )
    numbered = pick([True, False], "numbered")
    head = [pick(WORDS[field], f"word of {field}") for field in columns]
    parks = pick([True, False], "grouped by park")
    sheet: list[list[Any]] = [[]] * pick([0, 2], "rows above")
    if pick([True, False], "title"):
        sheet.append(["某园区企业名录（2026年）"])
    sheet.append((["序号"] if numbered else []) + head)
    expected_parks = []
    for number, row in enumerate(rows, 1):
        if parks and (number == 1 or number == 4):
            sheet.append([f"{'一二'[number > 1]}、{'东岸' if number == 1 else '西岸'}工业园"])
        expected_parks.append(("东岸工业园" if number < 4 else "西岸工业园") if parks else None)
        style = pick(["plain", "spaced", "full", "lower"], "code written")
        cells = []
        for field in columns:
            value = row[field]
            if field == "credit_code" and value:
                value = {
                    "plain": value,
                    "spaced": f"{value[:4]} {value[4:10]} {value[10:]}",
                    "full": "".join(chr(ord(letter) + 0xFEE0) for letter in value),
                    "lower": value.lower(),
                }[style]
            cells.append(value)
        sheet.append(([number] if numbered else []) + cells)
        if pick([False, False, True], "blank row"):
            sheet.append([])
    form = pick(["xlsx", "xls", "csv", "gb18030"], "format")
    content = {
        "xlsx": lambda: xlsx(Tab(sheet)),
        "xls": lambda: xls(Tab(sheet)),
        "csv": lambda: csv_bytes(sheet, "utf-8-sig"),
        "gb18030": lambda: csv_bytes(sheet, "gb18030"),
    }[form]()
    parsed = reading(content, f"名录.{'csv' if form == 'gb18030' else form}")
    assert [fault.rule for fault in parsed.faults] == []
    assert [row.get("name") for row in parsed.rows] == [row["name"] for row in rows]
    for field in ("credit_code", *shown):
        assert [row.get(field) for row in parsed.rows] == [row[field] for row in rows], field
    assert [row.get("park") for row in parsed.rows] == expected_parks


# ----- taking over


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


def test_a_ledger_of_projects_is_no_register() -> None:
    with pytest.raises(BookError) as caught:
        reading(xlsx(Tab([["序号", "项目", "总投资", "年度计划投资"], [1, "甲", 1, 1]])))
    assert caught.value.code == "no_header"
    assert caught.value.params["label"] == "企业名称"


# ----- template, pages, command line


# What every row must have for the kind to see a row in it.
FILLED = {
    "序号": 1, "企业名称": "甲公司", "项目名称": "甲工程", "所属行业": "仓储业", "责任单位": "局", "设备编号": "d-1", "设备名称": "甲站",
    "设备型号": "t", "通信标识": "k-1", "测点编码": "p-1", "测点名称": "水温", "协议地址": "a.b",
}  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("code", sorted(KINDS))
def test_a_template_reads_back(code: str, english: None) -> None:
    """Whatever is filled in below the heads of a template is understood column by column."""
    kind = KINDS[code]
    book = openpyxl.load_workbook(io.BytesIO(template_workbook(kind)))
    page = book.worksheets[0]
    heads = [cell.value for cell in page[1]]
    row = FILLED
    for column, head in enumerate(heads, 1):
        page.cell(2, column, row.get(head))
    out = io.BytesIO()
    book.save(out)
    parsed = parse(read_book(out.getvalue(), "t.xlsx"), kind.spec)
    assert len(parsed.rows) == 1
    assert not parsed.errors
    found = {column.header: column.field for column in parsed.sheets[0].columns}
    assert None not in found.values()
    assert len(set(found.values())) == len(heads)


@pytest.mark.django_db
def test_the_wizard_takes_a_register(
    orgs: Orgs, park: Park, make_user: Callable[..., Any], client_as: Callable[..., Any]
) -> None:
    client = client_as(make_user("project_officer", orgs.north))
    page = client.get(reverse("imports:new") + "?kind=enterprises").content.decode()
    assert '<option value="enterprises" selected>' in page
    assert reverse("imports:template", args=["enterprises"]) in page
    template = client.get(reverse("imports:template", args=["enterprises"]))
    assert template.status_code == 200 and template.content[:2] == b"PK"
    assert client.get(reverse("imports:template", args=["nothing"])).status_code == 404
    file = io.BytesIO(xlsx(Tab(SHEET)))
    file.name = "名录.xlsx"
    answer = client.post(
        reverse("imports:new"), {"file": file, "kind": "enterprises", "org": orgs.north.pk}, follow=True
    )
    assert answer.status_code == 200
    with everywhere():
        batch = ImportBatch.objects.get()
    shown = client.get(reverse("imports:preview", args=[batch.pk])).content.decode()
    assert "Enterprises" in shown and "甲精密制造有限公司" in shown
    done = client.post(reverse("imports:commit", args=[batch.pk]), follow=True)
    assert b"3 new, 0 changed" in done.content
    assert len(listed(orgs.north)) == 3
    client.post(reverse("imports:undo", args=[batch.pk]))
    assert listed(orgs.north) == []


@pytest.mark.django_db
def test_who_may_not_import_is_refused(
    orgs: Orgs, make_user: Callable[..., Any], client_as: Callable[..., Any]
) -> None:
    client = client_as(make_user("project_officer", orgs.south))
    file = io.BytesIO(xlsx(Tab(SHEET)))
    file.name = "名录.xlsx"
    answer = client.post(reverse("imports:new"), {"file": file, "kind": "enterprises", "org": orgs.north.pk})
    assert answer.status_code == 403
    with everywhere():
        assert not ImportBatch.objects.exists()
    leader = client_as(make_user("leader", orgs.north))
    assert leader.get(reverse("imports:template", args=["enterprises"])).status_code == 403


@pytest.mark.django_db
def test_the_command_line_takes_a_register(orgs: Orgs, park: Park, tmp_path: Any) -> None:
    from click.testing import CliRunner

    from yuanmai.core.workbooks.commands import import_command, undo_command

    path = tmp_path / "名录.xlsx"
    path.write_bytes(xlsx(Tab(SHEET)))
    run = CliRunner()
    args = [str(path), "--kind", "enterprises", "--scope", "north", "--json"]
    result = run.invoke(import_command, args)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["kind"], said["created"], said["errors"]) == ("enterprises", 3, [])
    undone = run.invoke(undo_command, [str(said["batch"])])
    assert undone.output.strip() == f"#{said['batch']}: -3"
    path.write_bytes(xlsx(Tab([HEAD[:4], [1, "甲公司", "91110000802100433C", "业"]])))
    broken = run.invoke(import_command, args)
    assert broken.exit_code == 1
    (fault,) = json.loads(broken.stdout)["errors"]
    assert (fault["cell"], fault["rule"], fault["value"]) == ("C2", "credit_code.check", "91110000802100433C")
