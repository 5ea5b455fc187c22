"""Accounts of the demonstration have a published password: outside demonstration mode no door opens to them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate, get_backends
from django.test import Client, RequestFactory

from tests.conftest import PASSWORD, Orgs
from yuanmai.core.doctor import State
from yuanmai.people import actions
from yuanmai.people.actor import UserActor
from yuanmai.people.checks import demo_accounts
from yuanmai.people.tokens import actor_of_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def shown(make_user: Any, orgs: Orgs) -> Any:
    """An account of the demonstration."""
    return make_user("leader", orgs.north, username="shown", is_demo=True)


def signed_in(client: Client) -> bool:
    return client.get("/projects/").status_code == 200


@pytest.mark.parametrize("demo", [True, False])
def test_the_password_counts_only_in_demonstration_mode(shown: Any, settings: Any, demo: bool) -> None:
    settings.DEMO = demo
    request = RequestFactory().post("/")
    assert (authenticate(request, username="shown", password=PASSWORD) is not None) is demo
    client = Client()
    client.post("/account/login/", {"login": "shown", "password": PASSWORD})
    assert signed_in(client) is demo


def test_every_backend_refuses(shown: Any, settings: Any) -> None:
    keepers = [backend for backend in get_backends() if hasattr(backend, "get_user")]

    def opens() -> list[str]:
        return [type(b).__name__ for b in keepers if b.get_user(shown.pk) is not None]

    settings.DEMO = True
    assert opens() == ["PasswordBackend", "SignInBackend"]
    settings.DEMO = False
    assert opens() == []


def test_an_open_session_and_a_token_end_with_the_demonstration(
    shown: Any, settings: Any, client_as: Any
) -> None:
    settings.DEMO = True
    client = client_as(shown)
    _row, token = actions.create_token(UserActor.of(shown), name="x", codes=("projects.view",), days=3)
    bearer = Client(headers={"authorization": f"Bearer {token}"})
    assert signed_in(client) and actor_of_token(token, "10.0.0.9") is not None
    assert bearer.get("/api/v1/projects").status_code == 200
    settings.DEMO = False
    assert not signed_in(client) and actor_of_token(token, "10.0.0.9") is None
    assert bearer.get("/api/v1/projects").status_code == 401


def test_other_accounts_are_not_concerned(make_user: Any, orgs: Orgs, settings: Any, client_as: Any) -> None:
    settings.DEMO = False
    assert signed_in(client_as(make_user("leader", orgs.north)))


def test_the_doctor_warns(shown: Any, settings: Any, english: None) -> None:
    settings.DEMO = True
    assert demo_accounts().state is State.OK
    settings.DEMO = False
    outcome = demo_accounts()
    assert outcome.state is State.WARN and "1 demonstration" in str(outcome.what) and outcome.mend
    shown.delete()
    assert demo_accounts().state is State.OK
