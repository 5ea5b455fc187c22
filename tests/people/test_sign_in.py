"""Signing in: what visitors learn, lock-out by a moved clock, sessions that end, and what the audit log keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client

from tests.conftest import PASSWORD, Orgs
from tests.people.clock import Clock
from yuanmai.core.audit.log import verify
from yuanmai.core.audit.models import AuditEntry
from yuanmai.people import actions
from yuanmai.people.actor import UserActor
from yuanmai.people.models import Post, Role, User

pytestmark = pytest.mark.django_db
ME = "/account/me/"


def sign_in(client: Client, username: str, password: str = PASSWORD, **headers: Any) -> Any:
    return client.post("/account/login/", {"login": username, "password": password}, **headers)


def results(action: str) -> list[str]:
    return list(
        AuditEntry.objects.filter(action=action).order_by("sequence").values_list("result", flat=True)
    )


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(
    visitor: Client, make_user: Callable[..., User]
) -> None:
    user = make_user("leader")
    answer = visitor.get(ME)
    assert answer.status_code == 302
    assert answer["Location"] == f"/account/login/?next={ME}"
    page = visitor.get(answer["Location"])
    assert b'name="next"' in page.content
    answer = visitor.post("/account/login/", {"login": user.username, "password": PASSWORD, "next": ME})
    assert answer["Location"] == ME
    assert visitor.get(ME).status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example.com/", "//evil.example.com", "javascript:alert(1)"])
def test_signing_in_leads_to_no_foreign_address(visitor: Client, make_user: Any, target: str) -> None:
    user = make_user("leader")
    answer = visitor.post("/account/login/", {"login": user.username, "password": PASSWORD, "next": target})
    assert answer.status_code == 302
    assert answer["Location"] == "/"


def test_a_visitor_does_not_learn_which_accounts_exist(visitor: Client, make_user: Any) -> None:
    user = make_user("leader", username="known")
    locked = make_user("leader", username="closed", is_active=False)
    pages = []
    for name in (user.username, "unknown", locked.username):
        page = sign_in(visitor, name, "Wrong-Password-9")
        assert page.status_code == 200
        text = page.content.decode().replace(name, "")
        pages.append(text[text.index("<main") : text.index("</main>")].split("csrfmiddlewaretoken")[0])
    assert pages[0] == pages[1] == pages[2]


def test_the_session_changes_at_sign_in_and_the_old_one_is_worthless(visitor: Client, make_user: Any) -> None:
    visitor.get("/account/login/")
    visitor.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    sign_in(visitor, make_user("leader").username)
    key = visitor.cookies[settings.SESSION_COOKIE_NAME].value
    assert key != "a" * 32
    assert Session.objects.filter(session_key=key).exists()
    assert not Session.objects.filter(session_key="a" * 32).exists()


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    visitor: Client, make_user: Any
) -> None:
    cookie = sign_in(visitor, make_user("leader").username).cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_five_wrong_passwords_lock_for_thirty_minutes(visitor: Client, make_user: Any, clock: Clock) -> None:
    user = make_user("leader", username="Mei")
    for attempt in range(4):
        assert sign_in(visitor, ["Mei", "mei", "MEI", "Ｍei"][attempt], "Wrong-1").status_code == 200
    page = sign_in(visitor, "mei", "Wrong-1")
    assert page.status_code == 429
    assert "30 more minutes" in page.content.decode()
    assert 1790 <= int(page["Retry-After"]) <= 1800
    clock.forward(minutes=10)
    page = sign_in(visitor, user.username)  # the right password does not help now
    assert page.status_code == 429
    assert "20 more minutes" in page.content.decode()
    clock.forward(minutes=19, seconds=50)
    assert sign_in(visitor, user.username).status_code == 429
    clock.forward(seconds=20)
    assert sign_in(visitor, user.username).status_code == 302
    assert results("session.lock_out") == ["refused"] * 3
    assert results("session.sign_in").count("failed") == 4
    assert results("session.sign_in")[-1] == "done"
    assert verify().whole


def test_a_lock_keeps_nobody_out_who_is_in_already(visitor: Client, make_user: Any) -> None:
    user = make_user("leader")
    inside = Client()
    sign_in(inside, user.username)
    for _ in range(6):
        sign_in(visitor, user.username, "Wrong-1")
    assert inside.get(ME).status_code == 200


def test_an_unknown_account_is_locked_like_a_known_one(visitor: Client, make_user: Any) -> None:
    make_user("leader")
    answers = [sign_in(visitor, "nobody-here", "Wrong-1").status_code for _ in range(6)]
    assert answers == [200, 200, 200, 200, 429, 429]


def test_success_in_between_starts_the_count_again(visitor: Client, make_user: Any) -> None:
    user = make_user("leader")
    for _ in range(4):
        sign_in(visitor, user.username, "Wrong-1")
    assert sign_in(visitor, user.username).status_code == 302
    visitor.post("/account/logout/")
    assert [sign_in(visitor, user.username, "Wrong-1").status_code for _ in range(4)] == [200] * 4


def test_the_system_administrator_unlocks(
    visitor: Client, make_user: Any, client_as: Any, orgs: Orgs
) -> None:
    user = make_user("leader", orgs.north)
    for _ in range(5):
        sign_in(visitor, user.username, "Wrong-1")
    admin = client_as(make_user("system_administrator", orgs.city))
    page = admin.get(f"/manage/users/{user.pk}/").content.decode()
    assert "wrong passwords" in page
    assert admin.post(f"/manage/users/{user.pk}/unlock/").status_code == 302
    assert not AccessAttempt.objects.exists()
    assert sign_in(visitor, user.username).status_code == 302


def test_a_session_ends_after_thirty_idle_minutes(visitor: Client, make_user: Any, clock: Clock) -> None:
    sign_in(visitor, make_user("leader").username)
    for _ in range(4):
        clock.forward(minutes=29)
        assert visitor.get(ME).status_code == 200
    clock.forward(minutes=30, seconds=1)
    answer = visitor.get(f"{ME}?x=1")
    assert answer.status_code == 302
    assert answer["Location"] == "/account/login/?next=%2Faccount%2Fme%2F%3Fx%3D1"
    assert "nothing happened for a while" in visitor.get(answer["Location"]).content.decode()
    assert visitor.get(ME).status_code == 302
    assert AuditEntry.objects.get(action="session.expire").after == {"reason": "idle"}


def test_a_session_ends_after_twelve_hours_of_work(visitor: Client, make_user: Any, clock: Clock) -> None:
    sign_in(visitor, make_user("leader").username)
    for _ in range(28):
        clock.forward(minutes=25)
        assert visitor.get(ME).status_code == 200
    clock.forward(minutes=25)
    assert visitor.get(ME).status_code == 302
    assert AuditEntry.objects.get(action="session.expire").after == {"reason": "absolute"}


def test_the_interface_answers_an_ended_session_with_401(
    visitor: Client, make_user: Any, clock: Clock
) -> None:
    sign_in(visitor, make_user("leader").username)
    clock.forward(hours=1)
    answer = visitor.get("/api/v1/openapi.json")
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"


def test_a_role_counts_from_the_next_request_on(
    make_user: Any, client_as: Any, orgs: Orgs, roles: dict[str, Role]
) -> None:
    person = make_user("enterprise_user", orgs.north)
    client = client_as(person)
    assert client.get("/manage/users/").status_code == 403
    security = UserActor.of(make_user("security_administrator", orgs.province))
    post = actions.give_post(security, person, role=roles["leader"], org=orgs.north)
    assert client.get("/manage/users/").status_code == 200
    actions.take_post(security, Post.objects.get(pk=post.pk))
    assert client.get("/manage/users/").status_code == 403
    actions.set_role_permissions(security, roles["enterprise_user"], codes=["people.view"])
    assert client.get("/manage/users/").status_code == 200


def test_a_locked_user_is_out_at_the_next_request(make_user: Any, client_as: Any, orgs: Orgs) -> None:
    person = make_user("leader", orgs.north)
    client = client_as(person)
    assert client.get(ME).status_code == 200
    system = UserActor.of(make_user("system_administrator", orgs.province))
    actions.lock_user(system, person)
    assert client.get(ME).status_code == 302
    actions.unlock_user(system, User.objects.get(pk=person.pk))
    assert sign_in(client, person.username).status_code == 302


def test_my_sessions_can_be_ended_one_by_one_and_all_at_once(make_user: Any) -> None:
    user = make_user("leader")
    here, phone, tablet = (
        Client(headers={"user-agent": f"Mozilla/5.0 ({s}) Chrome/120"})
        for s in ("Windows", "Android", "Linux")
    )
    for client in (here, phone, tablet):
        sign_in(client, user.username)
    page = here.get("/account/sessions/").content.decode()
    assert "Chrome · Android" in page
    assert "Chrome · Linux" in page
    other = user.usersession_set.get(user_agent__contains="Android")
    assert here.post(f"/account/sessions/{other.pk}/end/").status_code == 302
    assert phone.get(ME).status_code == 302
    assert tablet.get(ME).status_code == 200
    assert here.post("/account/sessions/").status_code == 302
    assert tablet.get(ME).status_code == 302
    assert here.get(ME).status_code == 200


def test_nobody_ends_somebody_elses_session(make_user: Any, client_as: Any) -> None:
    victim, other = make_user("leader"), make_user("leader")
    client = Client()
    sign_in(client, victim.username)
    row = victim.usersession_set.get()
    assert client_as(other).post(f"/account/sessions/{row.pk}/end/").status_code == 404
    assert client.get(ME).status_code == 200


def test_the_log_tells_of_signing_in_and_out(visitor: Client, make_user: Any) -> None:
    user = make_user("leader")
    sign_in(visitor, user.username, REMOTE_ADDR="10.1.2.3")
    visitor.post("/account/logout/", REMOTE_ADDR="10.1.2.3")
    rows = list(AuditEntry.objects.filter(action__startswith="session.").order_by("sequence"))
    assert [row.action for row in rows] == ["session.sign_in", "session.sign_out"]
    assert {row.address for row in rows} == {"10.1.2.3"}
    assert {row.user_id for row in rows} == {user.pk}


def test_a_log_that_cannot_be_written_lets_nobody_in(
    visitor: Client, make_user: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user("leader")

    def broken(*args: Any, **kwargs: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("yuanmai.people.receivers.append", broken)
    visitor.raise_request_exception = False
    assert sign_in(visitor, user.username).status_code == 500
    assert visitor.get(ME).status_code == 302


def test_behind_a_proxy_the_address_is_the_one_that_the_proxy_saw(
    visitor: Client, make_user: Any, settings: Any
) -> None:
    user = make_user("leader")
    sign_in(visitor, user.username, headers={"x-forwarded-for": "6.6.6.6"})
    assert AuditEntry.objects.get(action="session.sign_in").address == "127.0.0.1"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    visitor.post("/account/logout/")
    sign_in(visitor, user.username, headers={"x-forwarded-for": "6.6.6.6, 10.9.9.9"})
    assert AuditEntry.objects.filter(action="session.sign_in").last().address == "10.9.9.9"


@pytest.mark.parametrize(
    "path", ["signup/", "email/", "password/reset/", "password/set/", "3rdparty/", "confirm-email/"]
)
def test_pages_of_the_library_that_nobody_needs_are_not_there(
    visitor: Client, make_user: Any, path: str
) -> None:
    make_user("leader")
    assert visitor.get(f"/account/{path}").status_code == 404


def test_a_user_without_a_post_sees_an_explained_empty_page(client_as: Any, make_user: Any) -> None:
    user = make_user("leader")
    Post.objects.all().delete()
    client = client_as(user)
    page = client.get("/")
    assert page.status_code == 200
    assert "You hold no post yet" in page.content.decode()
    assert client.get("/manage/users/").status_code == 403
    assert client.get(ME).status_code == 200


def test_a_remembered_organisation_that_is_out_of_sight_gives_way_to_the_own_one(
    client_as: Any, make_user: Any, orgs: Orgs
) -> None:
    client = client_as(make_user("leader", orgs.north))
    for chosen in ("foreign", "no-such-place"):
        page = client.get(f"{ME}?org={chosen}")
        assert page.status_code == 200
        assert page.wsgi_request.view.org.code == "north"
    session = client.session
    session["view"] = {"org": "haizhou"}
    session.save()
    assert client.get(ME).wsgi_request.view.org.code == "north"


def test_a_page_asks_for_session_user_and_versions_and_no_more(
    client_as: Any, make_user: Any, django_assert_num_queries: Any
) -> None:
    client = client_as(make_user("leader"))
    path = "/account/required/"  # sends on at once: only what every request costs
    client.get(path)
    with django_assert_num_queries(3):
        client.get(path)
    Role.objects.update(second_factor=False)
    with django_assert_num_queries(3):
        client.get(path)
