"""The first run of a real installation: nobody gets in, and nobody takes it over, before the three administrators are made."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from yuanmai.core.audit.models import AuditEntry
from yuanmai.people import setup
from yuanmai.people.actor import UserActor
from yuanmai.people.models import Organisation, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.HOME = tmp_path
    settings.DEMO = False
    yield tmp_path


def answers(**changes: str) -> dict[str, str]:
    data = {"token": setup.token(), "name": "临州市", "code": "linzhou", "kind": "city"}
    for group in ("system", "security", "audit"):
        data |= {
            f"{group}_username": f"{group}-wang",
            f"{group}_full_name": f"Wang {group}",
            f"{group}_password": f"Kite-{group}-7",
            f"{group}_repeat": f"Kite-{group}-7",
        }
    return data | changes


def test_without_accounts_every_page_leads_to_the_set_up(visitor: Client) -> None:
    for path in ("/", "/account/login/", "/manage/users/", "/projects/", "/nowhere/"):
        assert visitor.get(path)["Location"] == "/setup/", path
    assert visitor.get("/healthz").status_code == 200
    page = visitor.get("/setup/").content.decode()
    assert "three different people" in page
    assert setup.token() not in page


def test_the_token_is_private_and_on_the_console(home: Path) -> None:
    lines = setup.console_lines("http://127.0.0.1:8000")
    assert setup.token() in lines[1]
    assert "http://127.0.0.1:8000/setup/" in lines[0]
    assert stat.S_IMODE((home / "setup.token").stat().st_mode) == 0o600
    assert len(setup.token()) >= 20


def test_a_stranger_without_the_token_sets_up_nothing(visitor: Client) -> None:
    for wrong in ("", "x", setup.token()[:-1]):
        page = visitor.post("/setup/", answers(token=wrong))
        assert page.status_code == 200
    assert not User.objects.exists()
    assert not Organisation.objects.exists()
    assert AuditEntry.objects.filter(action="session.set_up", result="failed").count() == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"audit_username": "system-wang"}, "three different accounts"),
        ({"audit_username": "System-Wang"}, "three different accounts"),
        ({"security_password": "short", "security_repeat": "short"}, "At least 10 characters"),
        ({"security_repeat": "other"}, "differ"),
        ({"code": "lin zhou"}, "slug"),
        ({"system_username": "wang wang"}, "valid username"),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_made(
    visitor: Client, changes: dict[str, str], message: str
) -> None:
    page = visitor.post("/setup/", answers(**changes))
    assert message in page.content.decode()
    assert not User.objects.exists()
    assert setup.needed()


def test_the_set_up_makes_three_accounts_and_is_gone(visitor: Client, home: Path) -> None:
    assert visitor.post("/setup/", answers())["Location"] == "/account/login/"
    assert not (home / "setup.token").exists()
    root = Organisation.objects.get()
    assert (root.code, root.name, root.kind, root.depth) == ("linzhou", "临州市", "city", 1)
    users = {user.username: UserActor.of(user) for user in User.objects.all()}
    assert set(users) == {"system-wang", "security-wang", "audit-wang"}
    assert users["system-wang"].why_not("people.manage_users") is None
    assert users["security-wang"].why_not("people.grant") is None
    assert users["audit-wang"].why_not("core.audit") is None
    assert users["system-wang"].why_not("people.grant")
    assert users["audit-wang"].why_not("people.manage_users")
    assert visitor.get("/setup/").status_code == 404
    assert visitor.post("/setup/", answers()).status_code == 404
    assert visitor.get("/")["Location"].startswith("/account/login/")
    signed_in = visitor.post("/account/login/", {"login": "audit-wang", "password": "Kite-audit-7"})
    assert signed_in["Location"] == "/"
    page = visitor.get("/manage/audit/").content.decode()
    assert "Set up the installation" in page


def test_a_demonstration_and_a_living_installation_have_no_set_up(
    visitor: Client, settings: Any, make_user: Any
) -> None:
    make_user("leader")
    assert visitor.get("/setup/").status_code == 404
    User.objects.all().delete()
    setup.forget()
    settings.DEMO = True
    assert visitor.get("/setup/").status_code == 404
    assert setup.console_lines("") == []


def test_no_account_has_a_password_before_the_set_up() -> None:
    """No default passwords: an installation without accounts has nothing that could sign in."""
    assert not User.objects.exists()
