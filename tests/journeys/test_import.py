"""A ledger on its way into the library in a browser: file, meaning of columns, preview, take over, undo; and a broken one."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils.cell import coordinate_to_tuple
from playwright.sync_api import Page

from tests.conftest import Orgs
from tests.journeys.conftest import PHONE, accessibility_faults, overflow
from yuanmai.core.scope import everywhere
from yuanmai.core.workbooks.models import ColumnMapping, ImportBatch
from yuanmai.projects.models import Project, ProjectState

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Page]
DAY = date(2022, 3, 31)
FRAME = "as_of=2022-03-31&org=north"
HEAD = [
    "序号", "项目名称", "项目业主", "项目性质", "总投资", "2022年计划投资", "2022年累计完成投资", "是否开工/复工", "存在问题",
    "挂钩领导", "审批文号",
]  # fmt: skip
ROWS: list[list[Any]] = [
    ["一", "产业项目", None, None, 9000, 3600, 1010, None, None, None, None],
    [1, "海川精密制造厂房", "海川精密有限公司", "新开工", 5000, 2000, 410, "已开工", None, "张三", "江发改〔2022〕3号"],
    [2, "绿源食品加工基地", "绿源食品有限公司", "续建", 4000, 1600, 600, "已复工", "用地指标未落实", "李四", "江发改〔2021〕18号"],
    ["二", "基础设施项目", None, None, 2300, 900, 150, None, None, None, None],
    [3, "北园二期道路工程", "北园建设中心", "新开工", 1500, 500, 0, "未开工", None, "王五", "江发改〔2022〕7号"],
    [4, "北园污水管网工程", "北园建设中心", "续建", 800, 400, 150, "已复工", None, "王五", None],
]  # fmt: skip
TITLE = "2022年北园重点项目进展情况表(截至2022年3月31日)"


def ledger(rows: list[list[Any]] = ROWS, *, total: float = 11_300) -> bytes:
    """A ledger as towns keep them: title, unit, group rows with subtotals, a grand total."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "三月"
    for row in [[TITLE], ["单位：万元"], HEAD, *rows, ["合计", None, None, None, total, 4500, 1160]]:
        sheet.append(row)
    sheet.merge_cells("A1:K1")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def _files(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "files"


def send(page: Page, data: bytes, name: str = "北园三月台账.xlsx") -> None:
    """Drop a workbook on the upload page and have it read."""
    page.goto(f"/import/new/?{FRAME}")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": kind, "buffer": data})
    page.locator("main form .btn-primary").first.click()


def looked_at(page: Page, folder: Path, name: str) -> None:
    """Nothing serious for axe, no page wider than the window, and a picture to look at."""
    page.screenshot(path=str(folder / f"{name}.png"), full_page=True)
    assert accessibility_faults(page) == [], name
    assert overflow(page) == 0, name


def test_a_ledger_is_taken_over_undone_and_remembered(
    open_page: Visit, make_user: Any, orgs: Orgs, tmp_path: Path
) -> None:
    page = open_page(f"/import/new/?{FRAME}", make_user("project_officer", orgs.north), language="zh-CN")
    looked_at(page, tmp_path, "upload")
    # A row whose amounts contradict each other is marked, and the stated total is 1 200 (10 000 yuan) too much.
    rows = [
        *ROWS[:5],
        [4, "北园污水管网工程", "北园建设中心", "续建", 800, 400, 450, "已复工", None, "王五", None],
    ]
    rows[3] = ["二", "基础设施项目", None, None, 2300, 900, 450, None, None, None, None]
    send(page, ledger(rows, total=12_500))

    page.wait_for_url("**/columns/**")
    row = page.locator("tr", has_text="审批文号")
    assert "未识别" in row.inner_text() and "江发改〔2022〕3号" in row.inner_text()
    looked_at(page, tmp_path, "columns")
    row.locator("select").select_option("remarks")
    page.locator("main form .btn-primary").click()

    page.wait_for_url("**/preview/**")
    assert page.locator("#count-created").inner_text() == "4"
    wrong = page.locator("#import-checks tr.table-warning", has_text="合计")
    assert "1.25 亿元" in wrong.first.inner_text() and "1.13 亿元" in wrong.first.inner_text()
    assert "未开工" in page.locator("#import-rows tr", has_text="北园二期道路工程").inner_text()
    marked = page.locator("#import-rows td.table-warning")
    assert "450" in marked.first.inner_text() and marked.first.get_attribute("title")
    looked_at(page, tmp_path, "preview")
    page.locator("#import-commit").click()

    page.wait_for_url("**/import/*/")
    assert "1.25 亿元" in page.locator("main").inner_text()
    looked_at(page, tmp_path, "result")
    with everywhere():
        state = ProjectState.objects.at(DAY).select_related("version").get(name="海川精密制造厂房")
        assert state.version.extra["remarks"] == "江发改〔2022〕3号"
        assert ColumnMapping.objects.get(org=orgs.north).field == "remarks"
    record = page.url
    page.goto(f"/projects/?{FRAME}")
    assert page.get_by_role("link", name="海川精密制造厂房").count() == 1
    page.goto(f"/findings/?{FRAME}")
    assert "1.25 亿元" in page.locator("main").inner_text()

    page.goto(record)
    page.locator("[data-ym-dialog=import-undo]").click()
    page.locator("#import-undo form [type=submit]").click()
    page.locator("main .ym-badge", has_text="已撤销").wait_for()
    page.goto(f"/projects/?{FRAME}")
    assert page.get_by_role("link", name="海川精密制造厂房").count() == 0
    page.goto(f"/findings/?{FRAME}")
    assert "1.25 亿元" not in page.locator("main").inner_text()

    # Nobody is asked about the column a second time.
    send(page, ledger(), "北园四月台账.xlsx")
    page.wait_for_url("**/preview/**")
    assert "江发改〔2022〕3号" in page.locator("#import-rows").inner_text()
    assert page.locator("#import-checks tr.table-warning").count() == 0


FAULTS = [
    ("E5", "五千", "不是数字"),
    ("F6", "-1600", "负数"),
    ("G8", "约3万美元", "外币"),
    ("B9", "海川精密制造厂房", "同一条记录"),
]


def broken() -> bytes:
    """The ledger with four faults in four columns."""
    rows = [list(row) for row in ROWS]
    for cell, value, _text in FAULTS:
        line, column = coordinate_to_tuple(cell)
        rows[line - 4][column - 1] = value
    return ledger(rows)


def test_a_broken_workbook_names_every_fault_and_comes_back_marked(
    open_page: Visit, make_user: Any, orgs: Orgs, tmp_path: Path
) -> None:
    page = open_page(f"/import/new/?{FRAME}", make_user("project_officer", orgs.north), language="zh-CN")
    send(page, broken())
    page.wait_for_url("**/columns/**")
    page.locator("main form .btn-primary").click()
    page.wait_for_url("**/preview/**")
    lines = page.locator("#import-faults tbody tr")
    texts = [lines.nth(number).inner_text() for number in range(lines.count())]
    assert len(texts) == len(FAULTS), texts
    for cell, value, words in FAULTS:
        assert any(all(part in text for part in ("三月", cell, value, words)) for text in texts), (
            cell,
            texts,
        )
    assert page.locator("#import-commit").count() == 0
    looked_at(page, tmp_path, "faults")
    with everywhere():
        assert not Project.objects.exists() and ImportBatch.objects.get().state == "previewed"

    with page.expect_download() as waiting:
        page.locator("a[download]").click()
    path = tmp_path / "marked.xlsx"
    waiting.value.save_as(path)
    assert waiting.value.suggested_filename.endswith(".xlsx")
    sheet = openpyxl.load_workbook(path)["三月"]
    for cell, value, _words in FAULTS:
        assert sheet[cell].value == value and sheet[cell].fill.fill_type == "solid", cell
    assert sheet["E7"].fill.fill_type is None


def test_the_upload_page_fits_a_phone(open_page: Visit, make_user: Any, orgs: Orgs, tmp_path: Path) -> None:
    user = make_user("project_officer", orgs.north)
    page = open_page(f"/import/new/?{FRAME}", user, viewport=PHONE, language="zh-CN")
    looked_at(page, tmp_path, "phone")
