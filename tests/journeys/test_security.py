"""What the three administrators do in a browser, and what a stranger from another park sees: nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import Orgs
from yuanmai.people.models import User

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("YUANMAI_SHOTS", "")


def shot(page: Page, name: str) -> None:
    """Keep a picture for people to look at, when a folder for them is named."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_three_administrators_bring_a_colleague_in(
    open_page: Callable[..., Page], make_user: Any, orgs: Orgs
) -> None:
    system = make_user("system_administrator", orgs.province, full_name="王系统")
    security = make_user("security_administrator", orgs.province, full_name="李安全")
    audit = make_user("audit_administrator", orgs.province, full_name="张审计")

    page = open_page("/manage/organisations/", system, language="zh-CN")
    shot(page, "organisations")
    page.goto("/manage/organisations/linzhou/")
    shot(page, "organisation")
    page.goto("/manage/users/new/")
    page.fill("input[name=username]", "chen")
    page.fill("input[name=full_name]", "陈晓")
    page.select_option("select[name=org]", str(orgs.north.pk))
    shot(page, "user-new")
    page.click("main form button.btn-primary")
    expect(page.locator("#one-time")).to_be_visible()
    shot(page, "one-time")
    person = User.objects.get(username="chen")
    page.goto("/manage/users/")
    shot(page, "users")
    page.goto(f"/manage/users/{person.pk}/")
    assert page.locator("select[name=role]").count() == 0, "the system administrator gives no roles"

    other = open_page(f"/manage/users/{person.pk}/", security, language="zh-CN")
    other.select_option("select[name=role]", label="领导")
    other.select_option("select[name=org]", str(orgs.north.pk))
    shot(other, "user-grant")
    other.click("main form[action$='/posts/'] button.btn-primary")
    expect(other.locator("main table").first).to_contain_text("领导")
    other.select_option("select[name=role]", label="审计管理员")
    other.select_option("select[name=org]", str(orgs.north.pk))
    other.click("main form[action$='/posts/'] button.btn-primary")
    expect(other.locator("main .alert-danger")).to_contain_text("三员")
    shot(other, "user-refused")
    other.goto("/manage/roles/")
    shot(other, "roles")
    other.goto("/manage/roles/leader/")
    shot(other, "role")
    other.goto(f"/manage/users/{security.pk}/")
    expect(other.locator("main")).to_contain_text("不能为自己授予角色")

    log = open_page("/manage/audit/", audit, language="zh-CN")
    expect(log.locator("main table")).to_contain_text("新增任职")
    shot(log, "audit")
    log.click("main table >> text=新增任职 >> nth=0")
    expect(log.locator(".ym-diff")).to_contain_text("领导")
    shot(log, "audit-entry")
    log.goto("/manage/audit/")
    log.click("text=校验日志")
    expect(log.locator("#toasts")).to_contain_text("日志完整")
    with log.expect_download() as download:
        log.click("text=导出 Excel")
    assert download.value.suggested_filename.endswith(".xlsx")


def test_a_lock_by_the_administrator_ends_the_session_now(
    open_page: Callable[..., Page], make_user: Any, orgs: Orgs
) -> None:
    person = make_user("leader", orgs.north)
    inside = open_page("/account/me/", person, language="zh-CN")
    admin = open_page(
        f"/manage/users/{person.pk}/", make_user("system_administrator", orgs.city), language="zh-CN"
    )
    admin.click("[data-ym-dialog=lock]")
    admin.fill("#lock-reason", "调离")
    shot(admin, "lock-dialog")
    admin.click("dialog[open] button.btn-danger")
    expect(admin.locator("header.ym-record")).to_contain_text("已锁定")
    inside.reload()
    inside.wait_for_url("**/account/login/**")


def test_a_foreign_parks_user_sees_nothing(
    open_page: Callable[..., Page], make_user: Any, make_project: Any, orgs: Orgs
) -> None:
    make_project(orgs.north, "北园机密厂房")
    stranger = make_user("project_officer", orgs.foreign)
    for path in (
        "/projects/?as_of=2022-03-31",
        "/manage/organisations/",
        "/manage/users/",
        "/?as_of=2022-03-31",
    ):
        page = open_page(path, stranger, language="zh-CN")
        expect(page.locator("main")).to_be_visible()
        assert "北园" not in page.locator("body").inner_text(), path
    page = open_page("/manage/organisations/north/", stranger, language="zh-CN")
    expect(page.locator(".ym-error-code")).to_have_text("404")
    page = open_page("/manage/roles/", stranger, language="zh-CN")
    expect(page.locator("main")).to_contain_text("安全管理员")
    shot(page, "refused")


def test_rights_are_explained(open_page: Callable[..., Page], make_user: Any, orgs: Orgs) -> None:
    page = open_page("/account/rights/?right=people.grant", make_user("leader", orgs.north), language="zh-CN")
    expect(page.locator(".alert-warning")).to_contain_text("安全管理员")
    shot(page, "rights")
    page.goto("/account/tokens/")
    shot(page, "tokens")
    page.goto("/account/sessions/")
    shot(page, "sessions")
