"""The bulletin in the browser: preview, download, read back with python-docx, issue, and the same file again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import PHONE, accessibility_faults, overflow
from yuanmai.core.documents import check_docx

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADDRESS = "/bulletins/?org=north&as_of=2022-03-31&kind=month&period=2022-03&language=zh"


@pytest.fixture
def officer(orgs: Any, make_project: Callable[..., Any], make_user: Callable[..., Any]) -> Any:
    """The project officer of a park with one started, one waiting and one continuing project."""
    orgs.north.default_as_of = date(2022, 3, 31)
    orgs.north.save()
    make_project(orgs.north, "甲项目", total=300_000_000, plan=80_000_000, done=24_000_000, started=True)
    make_project(orgs.north, "乙项目", total=200_000_000, plan=40_000_000, done=0, started=False,
                 report={"problems": "用地手续未完成"})  # fmt: skip
    make_project(
        orgs.north,
        "丙项目",
        kind="continuing",
        total=500_000_000,
        plan=100_000_000,
        done=31_000_000,
        resumed=True,
    )
    return make_user("project_officer", orgs.north)


def _downloaded(page: Page, name: str, folder: Path) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("link", name=name).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_bytes()


def _texts(folder: Path) -> list[str]:
    (path,) = folder.glob("*.docx")
    word = docx.Document(str(path))
    cells = [cell.text for table in word.tables for row in table.rows for cell in row.cells]
    return [paragraph.text for paragraph in word.paragraphs] + cells


def test_the_officer_downloads_the_bulletin(
    open_page: Callable[..., Page], officer: Any, tmp_path: Path
) -> None:
    page = open_page(ADDRESS, officer, language="zh-CN")
    assert page.locator(".ym-paper-title").first.inner_text() == "关于2022年3月重点项目建设情况的通报"
    content = _downloaded(page, "Word", tmp_path)
    assert check_docx(content) == []
    texts = _texts(tmp_path)
    assert any("已开工1个，开工率50.0%" in text for text in texts)
    assert any("乙项目" in text and "用地手续未完成" in text for text in texts)
    assert "甲项目" in texts and "合计（3个）" in texts
    assert accessibility_faults(page) == []


def test_the_bulletin_is_issued_and_kept(
    open_page: Callable[..., Page], officer: Any, tmp_path: Path
) -> None:
    page = open_page(ADDRESS, officer, language="zh-CN")
    page.get_by_role("button", name="印发").first.click()
    page.get_by_label("发文字号").fill("北重点办〔2022〕1号")
    page.locator("dialog[open]").get_by_role("button", name="印发").click()
    page.wait_for_url("**/bulletins/*-*/")
    assert page.get_by_text("逐字一致").is_visible()
    _downloaded(page, "Word", tmp_path)
    assert "北重点办〔2022〕1号" in _texts(tmp_path)
    assert accessibility_faults(page) == []
    page.goto(ADDRESS)
    assert page.get_by_role("link", name="关于2022年3月重点项目建设情况的通报").is_visible()


def test_a_bulletin_in_english_on_a_phone(open_page: Callable[..., Page], officer: Any) -> None:
    page = open_page(ADDRESS.replace("language=zh", "language=en"), officer, viewport=PHONE)
    assert page.locator(".ym-paper-title").first.inner_text() == "Bulletin of key projects for March 2022"
    assert overflow(page) == 0
