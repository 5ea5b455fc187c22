"""Second factor: set up, asked for at sign-in, required by a role, encrypted in the database."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.core.cache import cache
from django.test import Client

from tests.conftest import PASSWORD, Orgs
from tests.people.clock import Clock
from yuanmai.core.audit.models import AuditEntry
from yuanmai.people import actions
from yuanmai.people.actor import UserActor
from yuanmai.people.models import Role, User

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code_of(secret: str) -> str:
    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def sign_in(client: Client, user: User) -> Any:
    return client.post("/account/login/", {"login": user.username, "password": PASSWORD})


def test_an_app_is_set_up_and_asked_for_from_then_on(
    visitor: Client, make_user: Any, django_capture_on_commit_callbacks: Any
) -> None:
    user = make_user("leader")
    sign_in(visitor, user)
    page = visitor.get("/account/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="totp-secret">(\w+)<', page)
    assert secret
    assert 'src="data:image/svg+xml' in page
    wrong = visitor.post("/account/2fa/totp/activate/", {"code": "000000"})
    assert wrong.status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        answer = visitor.post("/account/2fa/totp/activate/", {"code": code_of(secret[1])})
    assert answer["Location"] == "/account/2fa/recovery-codes/"
    assert len(re.findall(r"<li><code>", visitor.get(answer["Location"]).content.decode())) == 10
    visitor.post("/account/logout/")

    answer = sign_in(visitor, user)
    assert answer["Location"].startswith("/account/2fa/authenticate/")
    assert visitor.get("/account/me/").status_code == 302, "the password alone opens nothing"
    assert visitor.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert visitor.get("/account/me/").status_code == 302
    recovery = Authenticator.objects.get(user=user, type="recovery_codes").wrap().get_unused_codes()[0]
    assert visitor.post("/account/2fa/authenticate/", {"code": recovery}).status_code == 302
    assert visitor.get("/account/me/").status_code == 200
    visitor.post("/account/logout/")
    sign_in(visitor, user)
    assert visitor.post("/account/2fa/authenticate/", {"code": recovery}).status_code == 200, (
        "each code works once"
    )
    log = list(AuditEntry.objects.values_list("action", "result").order_by("sequence"))
    assert ("session.add_second_factor", "done") in log
    assert log.count(("session.second_factor", "failed")) == 2


def test_secrets_are_unreadable_in_the_database(visitor: Client, make_user: Any) -> None:
    user = make_user("leader")
    TOTP.activate(user, SECRET)
    RecoveryCodes.activate(user)
    stored = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in stored
    assert get_adapter().decrypt(Authenticator.objects.get(type="totp").data["secret"]) == SECRET
    assert code_of(SECRET) and Authenticator.objects.get(type="totp").wrap().validate_code(code_of(SECRET))


def test_a_role_that_requires_it_leads_to_setting_it_up_first(
    client_as: Any, make_user: Any, orgs: Orgs, roles: dict[str, Role]
) -> None:
    person = make_user("leader", orgs.north)
    security = UserActor.of(make_user("security_administrator", orgs.province))
    client = client_as(person)
    assert client.get("/account/me/").status_code == 200
    actions.require_second_factor(security, roles["leader"], required=True)
    for path in ("/", "/account/me/", "/manage/users/", "/account/tokens/", "/account/sessions/"):
        assert client.get(path)["Location"] == "/account/required/", path
    assert "Leader" in client.get("/account/required/").content.decode()
    assert client.get("/account/2fa/totp/activate/").status_code in (200, 302)
    TOTP.activate(person, SECRET)
    actions.require_second_factor(security, roles["leader"], required=True)
    assert client.get("/account/me/").status_code == 200
    removed = actions.remove_second_factor(
        UserActor.of(make_user("system_administrator", orgs.province)), person
    )
    assert removed == 1
    assert client.get("/account/me/")["Location"] == "/account/required/"


def test_recovery_codes_alone_are_no_second_factor(
    client_as: Any, make_user: Any, roles: dict[str, Role]
) -> None:
    Role.objects.filter(code="leader").update(second_factor=True)
    person = make_user("leader")
    RecoveryCodes.activate(person)
    assert client_as(person).get("/account/me/")["Location"] == "/account/required/"


def test_a_required_factor_cannot_be_taken_off(
    visitor: Client, make_user: Any, roles: dict[str, Role]
) -> None:
    person = make_user("leader")
    TOTP.activate(person, SECRET)
    sign_in(visitor, person)
    visitor.post("/account/2fa/authenticate/", {"code": code_of(SECRET)})
    Role.objects.filter(code="leader").update(second_factor=True)
    page = visitor.get("/account/2fa/totp/deactivate/")
    assert "asks for a second factor" in page.content.decode()
    assert visitor.post("/account/2fa/totp/deactivate/").status_code == 200
    assert Authenticator.objects.filter(user=person, type="totp").exists()
    Role.objects.filter(code="leader").update(second_factor=False)
    assert visitor.post("/account/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(user=person, type="totp").exists()


def test_a_code_works_only_once(visitor: Client, make_user: Any) -> None:
    person = make_user("leader")
    TOTP.activate(person, SECRET)
    code = code_of(SECRET)
    sign_in(visitor, person)
    assert visitor.post("/account/2fa/authenticate/", {"code": code}).status_code == 302
    second = Client()
    sign_in(second, person)
    assert second.post("/account/2fa/authenticate/", {"code": code}).status_code == 200


def test_guessing_codes_is_stopped(visitor: Client, make_user: Any, clock: Clock) -> None:
    person = make_user("leader")
    TOTP.activate(person, SECRET)
    sign_in(visitor, person)
    answers = [visitor.post("/account/2fa/authenticate/", {"code": f"{n:06}"}).status_code for n in range(6)]
    assert answers == [200, 200, 200, 200, 429, 200]
    page = visitor.post("/account/2fa/authenticate/", {"code": code_of(SECRET)})
    assert "The account is locked until" in page.content.decode()
    assert visitor.get("/account/me/").status_code == 302
    clock.forward(minutes=31)
    cache.clear()
    assert sign_in(visitor, person).status_code == 302
    assert visitor.post("/account/2fa/authenticate/", {"code": code_of(SECRET)}).status_code == 302
    assert visitor.get("/account/me/").status_code == 200


def test_changing_security_asks_for_the_password_again_after_a_while(visitor: Client, make_user: Any) -> None:
    sign_in(visitor, make_user("leader"))
    session = visitor.session
    session["signed_in_at"] -= 3600
    session.save()
    answer = visitor.get("/account/2fa/totp/activate/")
    assert answer["Location"].startswith("/account/reauthenticate/")
    assert visitor.get(answer["Location"]).status_code == 200
    assert visitor.post(answer["Location"], {"password": "wrong"}).status_code == 200
    assert visitor.post(answer["Location"], {"password": PASSWORD}).status_code == 302
    assert visitor.get("/account/2fa/totp/activate/").status_code == 200
