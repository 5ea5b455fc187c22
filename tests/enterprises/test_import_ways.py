"""The register of enterprises by its template, through the wizard and from the command line."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import openpyxl
import pytest
from django.urls import reverse

from tests.conftest import Orgs
from tests.core.workbooks.builders import Tab, xlsx
from tests.enterprises.kit import HEAD, SHEET, listed
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.engine.book import read_book
from yuanmai.core.workbooks.engine.pipeline import parse
from yuanmai.core.workbooks.kinds import KINDS
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.template import template_workbook
from yuanmai.places.models import Park

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
