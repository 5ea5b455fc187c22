"""Rules for passwords by profile, forced change, one-time passwords."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from tests.conftest import PASSWORD, Orgs
from tests.people.clock import Clock
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import SYSTEM
from yuanmai.people import actions
from yuanmai.people.models import PasswordHistory, User
from yuanmai.people.passwords import one_time_password

pytestmark = pytest.mark.django_db
CHANGE = "/account/password/change/"


def codes(password: str, user: User | None = None) -> set[str]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {fault.code or "" for fault in error.error_list}
    return set()


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        ("Kite-7-Harbour", set()),
        ("kiteharbour77", {"too_simple"}),
        ("KITE-HARBOUR-LONG", {"too_simple"}),
        ("kite-harbour-7", set()),
        ("园区-Harbour-7", set()),
        ("Ab-1", {"too_short"}),
        ("xq7", {"too_short", "too_simple"}),
        ("Password1!", {"password_too_common"}),
        ("password123", {"too_simple", "password_too_common"}),
    ],
)
def test_the_chinese_profile_asks_for_three_classes_and_ten_characters(
    password: str, faults: set[str]
) -> None:
    assert codes(password) == faults


@pytest.mark.parametrize(
    ("password", "faults"),
    [
        ("kite harbour tide", set()),
        ("fourteen-chars", {"too_short"}),
        ("qwertyuiopasdfghjkl", {"password_too_common"}),
        ("iloveyou", {"too_short", "password_too_common"}),
    ],
)
def test_the_international_profile_asks_for_length_only(
    password: str, faults: set[str], settings: Any
) -> None:
    settings.PASSWORD_PROFILE = "asvs"
    found = codes(password)
    assert found >= faults - {"password_too_common"}
    assert ("too_short" in found) == ("too_short" in faults)


def test_with_a_second_factor_eight_characters_are_enough(settings: Any, make_user: Any) -> None:
    settings.PASSWORD_PROFILE = "asvs"
    user = make_user("leader")
    assert codes("kite tide", user) == {"too_short"}
    Authenticator.objects.create(user=user, type=Authenticator.Type.RECOVERY_CODES, data={})
    assert codes("kite tide", user) == {"too_short"}
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    assert codes("kite tide", user) == set()


def test_a_password_like_the_name_is_refused(make_user: Any) -> None:
    user = make_user("leader", username="harbourmaster")
    assert "password_too_similar" in codes("Harbourmaster-7", user)


def test_the_last_five_passwords_are_not_used_again(make_user: Any, settings: Any) -> None:
    user = make_user("leader")
    former = [f"Harbour-Tide-{n}x" for n in range(6)]
    for password in former:
        assert "used" not in codes(password, user)
        user.set_password(password)
        user.save()
    assert codes(former[5], user) == {"used"}
    assert codes(former[1], user) == {"used"}
    assert codes(former[0], user) == set()
    assert PasswordHistory.objects.filter(user=user).count() == 5
    settings.PASSWORD_PROFILE = "asvs"
    assert codes(former[5], user) <= {"too_short"}


def change(client: Client, old: str, new: str) -> Any:
    return client.post(CHANGE, {"oldpassword": old, "password1": new, "password2": new})


def test_a_new_account_changes_its_password_before_anything_else(
    visitor: Client, orgs: Orgs, roles: Any
) -> None:
    user, password = actions.add_user(
        SYSTEM, username="new", full_name="New", org_code="linzhou", role_code="leader"
    )
    assert password is not None
    assert codes(password) == set()
    visitor.post("/account/login/", {"login": "new", "password": password})
    for path in ("/", "/manage/users/", "/account/me/", "/account/2fa/", "/account/tokens/"):
        assert visitor.get(path)["Location"] == CHANGE, path
    answer = visitor.get("/api/v1/openapi.json")
    assert answer.status_code == 403
    assert "one-time password" in visitor.get(CHANGE).content.decode()
    assert change(visitor, password, "short").status_code == 200
    assert visitor.get("/account/me/").status_code == 302
    assert change(visitor, password, password).status_code == 200, "the one-time password is no choice"
    assert change(visitor, password, "Kite-7-Harbour").status_code == 302
    assert visitor.get("/account/me/").status_code == 200
    user.refresh_from_db()
    assert not user.must_change_password
    assert user.one_time_until is None
    assert AuditEntry.objects.filter(action="session.change_password").count() == 1
    assert "Kite-7-Harbour" not in str(list(AuditEntry.objects.values("before", "after")))
    assert password not in str(list(AuditEntry.objects.values("before", "after")))


def test_a_one_time_password_lies_three_days(visitor: Client, make_user: Any, clock: Clock) -> None:
    user = make_user("leader")
    password = actions.reset_password(SYSTEM, user)
    clock.forward(days=2, hours=23)
    assert visitor.post("/account/login/", {"login": user.username, "password": password})["Location"] == "/"
    visitor.post("/account/logout/")
    clock.forward(hours=2)
    answer = visitor.post("/account/login/", {"login": user.username, "password": password})
    assert answer["Location"] == "/account/login/"
    assert "no longer valid" in visitor.get("/account/login/").content.decode()
    assert visitor.get("/account/me/").status_code == 302


def test_after_ninety_days_a_new_password_is_due(
    visitor: Client, make_user: Any, clock: Clock, settings: Any
) -> None:
    user = make_user("leader")
    clock.forward(days=89, hours=23)
    visitor.post("/account/login/", {"login": user.username, "password": PASSWORD})
    assert visitor.get("/account/me/").status_code == 200
    visitor.post("/account/logout/")
    clock.forward(hours=2)
    visitor.post("/account/login/", {"login": user.username, "password": PASSWORD})
    assert visitor.get("/account/me/")["Location"] == CHANGE
    assert "90 days old" in visitor.get(CHANGE).content.decode()
    settings.PASSWORD_PROFILE = "asvs"
    assert visitor.get("/account/me/").status_code == 200
    settings.PASSWORD_PROFILE = "dengbao3"
    assert change(visitor, PASSWORD, "Kite-7-Harbour").status_code == 302
    assert visitor.get("/account/me/").status_code == 200


def test_a_new_password_ends_all_other_sessions(make_user: Any) -> None:
    user = make_user("leader")
    here, there = Client(), Client()
    for client in (here, there):
        client.post("/account/login/", {"login": user.username, "password": PASSWORD})
    change(here, PASSWORD, "Kite-7-Harbour")
    assert here.get("/account/me/").status_code == 200
    assert there.get("/account/me/").status_code == 302


def test_a_reset_ends_the_sessions_and_shows_the_password_once(
    make_user: Any, client_as: Callable[..., Client], orgs: Orgs
) -> None:
    user = make_user("leader", orgs.north)
    there = client_as(user)
    admin = client_as(make_user("system_administrator", orgs.city))
    page = admin.post(f"/manage/users/{user.pk}/reset/")
    text = page.content.decode()
    password = text.split('id="one-time">')[1].split("<")[0]
    assert "no-store" in page["Cache-Control"]
    assert there.get("/account/me/").status_code == 302
    assert password not in admin.get(f"/manage/users/{user.pk}/").content.decode()
    assert Client().post("/account/login/", {"login": user.username, "password": password}).status_code == 302


def test_one_time_passwords_fit_both_profiles_and_differ(settings: Any) -> None:
    made = {one_time_password() for _ in range(200)}
    assert len(made) == 200
    for profile in ("dengbao3", "asvs"):
        settings.PASSWORD_PROFILE = profile
        assert all(codes(password) == set() for password in list(made)[:40])
