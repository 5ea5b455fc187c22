"""Imports for programs: a workbook goes in, comes back with what it would do, is taken over and taken back."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.conftest import Orgs
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.projects.models import ProjectState

pytestmark = pytest.mark.django_db
API = "/api/v1/imports"
DAY = date(2022, 3, 31)
HEAD = ["序号", "项目名称", "项目性质", "总投资", "2022年计划投资", "审批文号"]


def workbook(first: Any = 100, second: Any = 50, total: Any = 300) -> SimpleUploadedFile:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "三月"
    for row in (
        ["2022年重点项目(截至2022年3月31日) 单位:万元"],
        HEAD,
        [1, "甲厂房", "新开工", first, second, "A1"],
        [2, "乙道路", "续建", 200, 80, "A2"],
        ["合计", None, None, total],
    ):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile("三月.xlsx", out.getvalue())


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def client(client_as: Any, make_user: Any, orgs: Orgs) -> Client:
    """A signed-in officer of the northern park."""
    found: Client = client_as(make_user("project_officer", orgs.north))
    return found


def send(client: Client, **values: Any) -> Any:
    return client.post(API, {"organisation": "north", "file": workbook(), **values})


def names() -> set[str]:
    with everywhere():
        return set(ProjectState.objects.at(DAY).values_list("name", flat=True))


def test_from_the_file_to_undo(client: Client, english: None) -> None:
    answer = send(client, file=workbook(total=305))
    assert answer.status_code == 201, answer.content
    seen = answer.json()
    assert (seen["created"], seen["sheet"], seen["as_of"]) == (2, "三月", "2022-03-31")
    assert seen["unknown_columns"] == ["审批文号"]
    (finding,) = seen["findings"]
    assert (finding["stated"], finding["computed"]) == ("3050000.00", "3000000.00") and finding[
        "cell"
    ] == "D5"
    path = f"{API}/{seen['batch']}"
    assert names() == set()
    assert client.get(f"{path}/preview").json() == seen
    assert client.get(path).json()["state"] == "previewed"
    taken = client.post(f"{path}/commit")
    assert taken.status_code == 200 and taken.json()["created"] == 2
    assert names() == {"甲厂房", "乙道路"}
    assert client.post(f"{path}/commit").status_code == 409
    assert client.get(f"{path}/preview").status_code == 409
    (listed,) = client.get(f"{API}?state=committed").json()["items"]
    assert (listed["created"], listed["findings"], listed["organisation"]) == (2, 1, "north")
    undone = client.post(f"{path}/undo")
    assert undone.status_code == 200 and undone.json()["state"] == "undone"
    assert names() == set()
    assert client.post(f"{path}/undo").status_code == 409


def test_every_fault_is_listed_and_nothing_is_kept(client: Client, english: None) -> None:
    answer = send(client, file=workbook(first="many", second=-5))
    assert answer.status_code == 422 and answer["Content-Type"].startswith("application/problem+json")
    problem = answer.json()
    assert {(f["sheet"], f["cell"], f["value"], f["rule"]) for f in problem["faults"]} == {
        ("三月", "D3", "many", "number.not_a_number"),
        ("三月", "E3", "-5", "number.negative"),
    }
    assert len(problem["errors"]) == 2 and "cell D3" in problem["errors"][0]["message"]
    with everywhere():
        assert not ImportBatch.objects.exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no workbook", b"\x00\x01\x02"])
def test_what_is_no_workbook_is_refused(client: Client, content: bytes) -> None:
    answer = send(client, file=SimpleUploadedFile("x.xlsx", content or b" "))
    assert answer.status_code == 422 and answer.json()["faults"][0]["rule"].startswith("file.")


def test_options_are_checked(client: Client) -> None:
    problem = send(client, kind="recipes", unit="dollars", organisation="foreign").json()
    assert {e["parameter"] for e in problem["errors"]} == {"organisation", "kind", "unit"}
    assert client.post(API, {"organisation": "north"}).status_code == 422
    assert client.post(API, "{}", content_type="application/json").status_code == 415
    assert send(client, sheet="四月").json()["faults"][0]["rule"] == "file.no_sheet"


def test_the_unit_and_the_day_can_be_said(client: Client) -> None:
    seen = send(client, unit="亿元", day="2022-02-28").json()
    assert seen["as_of"] == "2022-02-28"
    client.post(f"{API}/{seen['batch']}/commit")
    with everywhere():
        state = ProjectState.objects.at(DAY).get(name="乙道路")
        assert state.total_investment == 200 * 10**8


def test_other_organisations_and_other_roles_have_no_part_in_it(
    client: Client, client_as: Any, make_user: Any, orgs: Orgs
) -> None:
    path = f"{API}/{send(client).json()['batch']}"
    stranger = client_as(make_user("project_officer", orgs.foreign))
    assert stranger.get(path).status_code == 404
    assert stranger.post(f"{path}/commit").status_code == 404
    assert stranger.get(API).json()["items"] == []
    leader = client_as(make_user("leader", orgs.north))
    assert leader.get(path).status_code == 403 and leader.post(f"{path}/commit").status_code == 403
    assert names() == set()
