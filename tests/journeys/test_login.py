"""Getting in, as people meet it: first run, sign-in, language, lock-out, second factor, forced change of password."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.sync_api import Page, expect

from tests.conftest import PASSWORD, Orgs
from yuanmai.core.policy import SYSTEM
from yuanmai.core.web import hooks
from yuanmai.people import actions, setup
from yuanmai.people.models import Role, User

pytestmark = pytest.mark.django_db(transaction=True)
SHOTS = os.environ.get("YUANMAI_SHOTS", "")


@pytest.fixture(autouse=True)
def _first_run_is_asked_again() -> Iterator[None]:
    setup.forget()
    yield
    setup.forget()


def shot(page: Page, name: str) -> None:
    """Keep a picture for people to look at, when a folder for them is named."""
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    page.fill("input[name=login]", username)
    page.fill("input[name=password]", password)
    page.click("form[action='/account/login/'] button.btn-primary")


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def test_an_officer_signs_in_and_out(open_page: Callable[..., Page], make_user: Any) -> None:
    user = make_user("project_officer", full_name="陈晓")
    page = open_page("/account/me/", language="zh-CN")
    expect(page).to_have_url(re.compile(r"/account/login/\?next=/account/me/"))
    expect(page.locator("h1")).to_have_text("登录")
    shot(page, "login")
    sign_in(page, user.username, "wrong-Password-1")
    expect(page.locator("[role=alert]").first).to_be_visible()
    shot(page, "login-wrong")
    sign_in(page, user.username)
    page.wait_for_url("**/account/me/")
    expect(page.locator("main h1")).to_have_text("我的账号")
    shot(page, "me")
    page.click(".ym-user-btn")
    page.click("form[action='/account/logout/'] button")
    page.wait_for_url("**/account/login/**")


def test_the_language_is_switched_before_signing_in(open_page: Callable[..., Page], make_user: Any) -> None:
    make_user("leader")
    page = open_page("/account/login/", language="fr-FR")
    expect(page.locator("h1")).to_have_text("登录")
    page.locator("form[action='/language/'] button, form[action='/language/'] select").first.click()
    expect(page.locator("h1")).to_have_text("Sign in")
    shot(page, "login-en")


def test_after_five_wrong_passwords_the_door_is_shut(open_page: Callable[..., Page], make_user: Any) -> None:
    user = make_user("leader")
    page = open_page("/account/login/", language="zh-CN")
    for _ in range(5):
        sign_in(page, user.username, "Wrong-Password-1")
    expect(page.locator("h1")).to_have_text("账号已锁定")
    expect(page.locator("[role=alert]")).to_contain_text("30 分钟")
    shot(page, "locked")
    page.click("text=返回登录")
    sign_in(page, user.username)
    expect(page.locator("h1")).to_have_text("账号已锁定")


def test_a_phone_becomes_the_second_factor(
    open_page: Callable[..., Page], make_user: Any, roles: dict[str, Role]
) -> None:
    user = make_user("leader")
    Role.objects.filter(code="leader").update(second_factor=True)
    page = open_page("/account/login/", language="zh-CN")
    sign_in(page, user.username)
    page.wait_for_url("**/account/required/")
    shot(page, "required")
    page.click("text=手机身份验证器应用")
    page.wait_for_url("**/totp/activate/")
    shot(page, "totp")
    secret = page.inner_text("#totp-secret")
    assert page.evaluate("document.querySelector('.ym-qr img').naturalWidth") > 0
    page.fill("input[name=code]", code_of(secret))
    page.click("form button.btn-primary")
    page.wait_for_url("**/recovery-codes/")
    assert page.locator(".ym-codes li").count() == 10
    shot(page, "recovery")
    recovery = page.locator(".ym-codes code").first.inner_text()
    page.click("text=我已妥善保存")
    page.wait_for_url("**/account/2fa/")
    shot(page, "mfa")

    again = open_page("/account/login/?next=/account/me/", language="zh-CN")
    sign_in(again, user.username)
    again.wait_for_url("**/2fa/authenticate/**")
    shot(again, "authenticate")
    again.fill("input[name=code]", "000000")
    again.click("form button.btn-primary")
    expect(again.locator(".ym-field-error")).to_be_visible()
    again.fill("input[name=code]", recovery)
    again.click("form button.btn-primary")
    again.wait_for_url("**/account/me/")


def test_a_security_key_becomes_the_second_factor(open_page: Callable[..., Page], make_user: Any) -> None:
    user = make_user("leader")
    page = open_page("/account/login/?next=/account/2fa/keys/add/", language="zh-CN")
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    devices.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "usb",
                "hasResidentKey": False,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    sign_in(page, user.username)
    page.wait_for_url("**/keys/add/")
    page.fill("input[name=name]", "办公室密钥")
    shot(page, "key-add")
    page.click("[data-ym-webauthn-go]")
    page.wait_for_url("**/recovery-codes/")
    page.goto("/account/2fa/keys/")
    expect(page.locator("main table")).to_contain_text("办公室密钥")
    shot(page, "keys")
    page.context.clear_cookies()
    page.goto("/account/login/?next=/account/me/")
    sign_in(page, user.username)
    page.wait_for_url("**/2fa/authenticate/**")
    page.click("[data-ym-webauthn-go]")
    page.wait_for_url("**/account/me/")


def test_a_new_colleague_chooses_a_password_first(
    open_page: Callable[..., Page], orgs: Orgs, roles: Any
) -> None:
    _user, password = actions.add_user(
        SYSTEM, username="chen", full_name="陈晓", org_code="linzhou", role_code="leader"
    )
    page = open_page("/account/me/", language="zh-CN")
    sign_in(page, "chen", password or "")
    page.wait_for_url("**/password/change/")
    expect(page.locator("[role=status]").first).to_contain_text("一次性密码")
    page.goto("/manage/users/")
    page.wait_for_url("**/password/change/")
    page.fill("input[name=oldpassword]", password or "")
    page.fill("input[name=password1]", "short")
    page.fill("input[name=password2]", "short")
    page.click("form button.btn-primary")
    expect(page.locator(".ym-field-error").first).to_contain_text("10")
    shot(page, "change")
    page.fill("input[name=oldpassword]", password or "")
    page.fill("input[name=password1]", "Kite-7-Harbour")
    page.fill("input[name=password2]", "Kite-7-Harbour")
    page.click("form button.btn-primary")
    page.goto("/account/me/")
    expect(page.locator("main h1")).to_have_text("我的账号")


def test_the_first_run_makes_three_administrators(
    open_page: Callable[..., Page], settings: Any, tmp_path: Path, transactional_db: None
) -> None:
    settings.HOME = tmp_path
    page = open_page("/projects/", language="zh-CN")
    page.wait_for_url("**/setup/")
    expect(page.locator("h1")).to_have_text("系统初始化")
    page.fill("input[name=token]", "a-guess")
    page.fill("input[name=name]", "临州市")
    page.fill("input[name=code]", "linzhou")
    page.select_option("select[name=kind]", "city")
    for group, name in (("system", "王"), ("security", "李"), ("audit", "张")):
        page.fill(f"input[name={group}_username]", f"{group}-admin")
        page.fill(f"input[name={group}_full_name]", name)

    def passwords() -> None:
        for group in ("system", "security", "audit"):
            for part in ("password", "repeat"):
                page.fill(f"input[name={group}_{part}]", f"Kite-{group}-7x")

    passwords()
    shot(page, "setup")
    page.click("form button.btn-primary")
    expect(page.locator(".ym-field-error").first).to_contain_text("安装口令不正确")
    assert not User.objects.exists()
    page.fill("input[name=token]", setup.token())
    passwords()
    page.click("form button.btn-primary")
    page.wait_for_url("**/account/login/")
    assert set(User.objects.values_list("username", flat=True)) == {
        "system-admin",
        "security-admin",
        "audit-admin",
    }
    page.goto("/setup/")
    expect(page.locator(".ym-error-code")).to_have_text("404")
    page.goto("/account/login/")
    sign_in(page, "security-admin", "Kite-security-7x")
    page.goto("/manage/roles/")
    expect(page.locator("main h1")).to_have_text("角色与规则")


def test_the_demonstration_offers_its_accounts(
    open_page: Callable[..., Page], settings: Any, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user("leader")
    settings.DEMO = True
    monkeypatch.setattr(
        hooks, "LOGIN_HINTS", [lambda: [hooks.LoginHint(user.username, PASSWORD, "临州市领导", "演示")]]
    )
    monkeypatch.setattr("yuanmai.people.templatetags.people.LOGIN_HINTS", hooks.LOGIN_HINTS)
    page = open_page("/account/login/?next=/account/me/", language="zh-CN")
    page.click("text=临州市领导")
    shot(page, "login-demo")
    page.keyboard.press("Enter")
    page.wait_for_url("**/account/me/")
