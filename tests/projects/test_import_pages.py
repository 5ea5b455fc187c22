"""The import wizard, page by page: file, meaning of columns, preview, take over, undo, the marked workbook."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.models import ColumnMapping, ImportBatch
from yuanmai.projects.models import ProjectState

pytestmark = pytest.mark.django_db
HEAD = ["序号", "项目名称", "项目性质", "总投资", "2022年计划投资", "项目专班长"]
ROWS = [[1, "甲厂房", "新开工", 100, 50, "张三"], [2, "乙道路", "续建", 200, 80, "=cmd|'/c calc'!A1"]]


def workbook(rows: list[list[Any]] = ROWS, total: Any = 300) -> SimpleUploadedFile:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "三月"
    for row in [["2022年重点项目(截至2022年3月31日) 单位:万元"], HEAD, *rows, ["合计", None, None, total]]:
        sheet.append(row)
    for line in sheet.iter_rows():
        for cell in line:
            if cell.data_type == "f":
                cell.data_type = "s"
    out = io.BytesIO()
    book.save(out)
    return SimpleUploadedFile("三月台账.xlsx", out.getvalue())


@pytest.fixture(autouse=True)
def _media(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


@pytest.fixture
def client(client_as: Any, make_user: Any, orgs: Any) -> Any:
    return client_as(make_user("project_officer", orgs.north))


def send(client: Any, org: Any, **files: Any) -> Any:
    return client.post(reverse("imports:new"), {"org": org.pk, "kind": "key_project_ledger", **files})


def test_from_the_file_to_undo(client: Any, orgs: Any) -> None:
    assert client.get(reverse("imports:list")).status_code == 200
    assert client.get(reverse("imports:new")).status_code == 200
    answer = send(client, orgs.north, file=workbook(total=305))
    with everywhere():
        batch = ImportBatch.objects.get()
    columns = reverse("imports:columns", args=[batch.pk])
    assert answer.url == columns  # a column is not recognised
    page = client.get(columns).content.decode()
    assert "项目专班长" in page and "张三" in page and "Not recognised" in page
    answer = client.post(columns, {"column-5": "leader", "sheet": "", "as_of": "", "unit": ""})
    assert answer.url == reverse("imports:preview", args=[batch.pk])
    with everywhere():
        assert ColumnMapping.objects.get().field == "leader"
    page = client.get(answer.url).content.decode()
    assert "differs" in page and "import-commit" in page and "张三" in page
    assert (
        '<th scope="col" class="num">Total investment</th>' in page
    )  # amounts and their heads stand right-aligned
    assert '<td class="num ">' in page or '<td class="num">' in page
    assert '<th scope="col">Leader in charge</th>' in page
    answer = client.post(reverse("imports:commit", args=[batch.pk]))
    record = reverse("imports:record", args=[batch.pk])
    assert answer.url == record
    page = client.get(record).content.decode()
    assert "2 new" in page and reverse("imports:undo", args=[batch.pk]) in page
    with everywhere():
        state = ProjectState.objects.at(date(2022, 3, 31)).get(name="甲厂房")
        assert state.leader == "张三"
    assert client.post(reverse("imports:commit", args=[batch.pk])).status_code == 302
    client.post(reverse("imports:undo", args=[batch.pk]))
    with everywhere():
        assert not ProjectState.objects.at(date(2022, 3, 31)).exists()
        batch.refresh_from_db()
        assert batch.state == "undone"
    assert client.get(record).status_code == 200
    # The decision on the column is remembered: the second upload goes straight to the preview.
    answer = send(client, orgs.north, file=workbook())
    assert "/preview/" in answer.url


def test_leaving_a_column_out_is_remembered(client: Any, orgs: Any) -> None:
    url = send(client, orgs.north, file=workbook()).url
    client.post(url, {"column-5": ""})
    assert "/preview/" in client.get(url.replace("columns", "preview")).request["PATH_INFO"]
    with everywhere():
        assert ColumnMapping.objects.get().field == ""


def test_faults_are_shown_and_stop_everything(client: Any, orgs: Any) -> None:
    send(client, orgs.north, file=workbook([[1, "甲", "外星", "若干", -1, "张"], *ROWS]))
    with everywhere():
        batch = ImportBatch.objects.get()
    page = client.get(reverse("imports:preview", args=[batch.pk])).content.decode()
    assert "C3" in page and "若干" in page and "import-commit" not in page and "table-danger" in page
    client.post(reverse("imports:commit", args=[batch.pk]))
    with everywhere():
        assert not ProjectState.objects.exists()
        batch.refresh_from_db()
        assert batch.state == "previewed"


def test_the_marked_workbook(client: Any, orgs: Any) -> None:
    send(client, orgs.north, file=workbook([[1, "甲", "外星", "若干", -1, "张"], *ROWS]))
    with everywhere():
        batch = ImportBatch.objects.get()
    answer = client.get(reverse("imports:marked", args=[batch.pk]))
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    faults, sheet = book.worksheets
    assert [row[1].value for row in faults.iter_rows(min_row=2)][:3] == ["C3", "D3", "E3"]
    assert sheet.title == "三月" and sheet["D3"].value == "若干"
    assert sheet["D3"].fill.fgColor.rgb == "FFF8C9C4" and sheet["D3"].comment is not None
    assert sheet["D4"].fill.fgColor.rgb != "FFF8C9C4"
    assert sheet["F5"].data_type == "s" and sheet["F5"].value.startswith("=cmd")


def test_pasted_cells(client: Any, orgs: Any) -> None:
    text = "2022年3月 单位:万元\n" + "\n".join(
        "\t".join("" if v is None else str(v) for v in r[:5]) for r in [HEAD, *ROWS]
    )
    answer = send(client, orgs.north, pasted=text)
    assert "/preview/" in answer.url
    assert "乙道路" in client.get(answer.url).content.decode()


@pytest.mark.parametrize(
    ("content", "words"), [(b"%PDF-1.4 x", "not a workbook"), (b"PK\x03\x04 zzz", "damaged"), (b"", "empty")]
)
def test_files_that_are_no_workbooks(client: Any, orgs: Any, content: bytes, words: str) -> None:
    answer = send(client, orgs.north, file=SimpleUploadedFile("a.xlsx", content or b" "))
    assert answer.status_code == 422 and words in answer.content.decode()
    with everywhere():
        assert not ImportBatch.objects.exists()


def test_nothing_chosen(client: Any, orgs: Any) -> None:
    assert send(client, orgs.north).status_code == 422


def test_a_foreign_place_sees_nothing(client: Any, client_as: Any, make_user: Any, orgs: Any) -> None:
    send(client, orgs.north, file=workbook())
    with everywhere():
        pk = ImportBatch.objects.get().pk
    foreign = client_as(make_user("project_officer", orgs.foreign))
    for name in ("record", "columns", "preview", "marked"):
        assert foreign.get(reverse(f"imports:{name}", args=[pk])).status_code == 404
    for name in ("commit", "undo"):
        assert foreign.post(reverse(f"imports:{name}", args=[pk])).status_code == 404
    assert "三月台账" not in foreign.get(reverse("imports:list")).content.decode()
    assert send(foreign, orgs.north, file=workbook()).status_code == 403


def test_a_big_file_is_taken_over_in_the_background(
    client: Any, orgs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yuanmai.core.jobs.models import Job
    from yuanmai.core.workbooks import views

    monkeypatch.setattr(views, "INLINE_ROWS", 1)
    send(client, orgs.north, file=workbook([r[:5] for r in ROWS]))
    with everywhere():
        batch = ImportBatch.objects.get()
    answer = client.post(reverse("imports:commit", args=[batch.pk]))
    with everywhere():
        job = Job.objects.get(kind="core.import_workbook")
    assert answer.url == reverse("jobs:record", args=[job.pk])


def test_list_of_imports_has_a_constant_number_of_queries(
    client: Any, orgs: Any, django_assert_max_num_queries: Any
) -> None:
    for _number in range(3):
        send(client, orgs.north, file=workbook())
    client.get(reverse("imports:list"))
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as few:
        client.get(reverse("imports:list"))
    for _number in range(5):
        send(client, orgs.north, file=workbook())
    client.get(reverse("imports:list"))
    with CaptureQueriesContext(connection) as many:
        client.get(reverse("imports:list"))
    assert len(many) == len(few)
