"""Commands around accounts: what only who keeps the machine does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner, Result
from django.test import Client

from tests.conftest import Orgs
from yuanmai.people.commands import user as group
from yuanmai.people.models import User

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> Result:
    return CliRunner().invoke(group, list(arguments))


def test_an_administrators_password_is_reset_on_the_console(
    make_user: Any, orgs: Orgs, visitor: Client
) -> None:
    make_user("audit_administrator", orgs.city, username="audit-zhang")
    answer = run("reset-password", "audit-zhang", "--json")
    assert answer.exit_code == 0
    password = json.loads(answer.output)["password"]
    assert visitor.post("/account/login/", {"login": "audit-zhang", "password": password})["Location"] == "/"
    assert visitor.get("/manage/audit/")["Location"] == "/account/password/change/"


def test_accounts_are_listed_unlocked_and_freed_of_a_lost_factor(make_user: Any, orgs: Orgs) -> None:
    person = make_user("leader", orgs.north, username="chen", is_active=False)
    Authenticator.objects.create(user=person, type=Authenticator.Type.TOTP, data={})
    (row,) = json.loads(run("list", "--json").output)
    assert row == {"username": "chen", "name": "Test chen", "active": False, "posts": ["leader@north"]}
    assert run("unlock", "chen").exit_code == 0
    assert User.objects.get().is_active
    assert json.loads(run("remove-second-factor", "chen", "--json").output)["removed"] == 1
    assert not Authenticator.objects.exists()


def test_an_account_needs_a_known_role_and_place(roles: Any, orgs: Orgs) -> None:
    made = run("add", "li", "--role", "leader", "--org", "north", "--name", "李", "--json")
    assert json.loads(made.output)["password"]
    assert User.objects.get(username="li").org == orgs.north
    for arguments in (
        ["add", "li", "--role", "leader", "--org", "north"],
        ["add", "wu", "--role", "king", "--org", "north"],
        ["add", "wu", "--role", "leader", "--org", "nowhere"],
        ["reset-password", "nobody"],
    ):
        assert run(*arguments).exit_code == 1, arguments
    assert User.objects.count() == 1
