"""Subscriptions: to-dos as a calendar behind a secret address; saved views and figures by mail; rights at each delivery."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from tests.conftest import Orgs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.policy import Denied
from yuanmai.core.saved.models import SavedView
from yuanmai.core.scope import everywhere
from yuanmai.core.todo import Todo
from yuanmai.people.actions import end_subscription, subscribe_by_mail, subscribe_calendar
from yuanmai.people.models import Post, Subscription, User
from yuanmai.people.subscription_documents import is_due, todo_calendar
from yuanmai.people.tasks import send_one, send_subscriptions
from yuanmai.projects.actions import raise_blocker

pytestmark = pytest.mark.django_db
MONDAY = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)  # 8:30 in Shanghai


@pytest.fixture(autouse=True)
def _server(settings: Any) -> None:
    settings.EMAIL_HOST = "mail.test"


@pytest.fixture
def officer(orgs: Orgs, make_user: Callable[..., Any]) -> User:
    return make_user("project_officer", orgs.north, email="officer@example.test")


def view_of(user: User, org: Any, query: str = "", *, shared: bool = False, path: str = "") -> SavedView:
    return SavedView.objects.create(
        user=user, path=path or reverse("projects:library"), name="我的项目", query=query, shared=shared, org=org,
        created_at=timezone.now(),
    )  # fmt: skip


def sent(row: Subscription, now: datetime | None = None) -> bool:
    with everywhere():
        row = Subscription.objects.select_related("user", "org", "view").get(pk=row.pk)
        return send_one(row, now or timezone.now())


# ----- calendar


def test_the_to_dos_are_a_calendar(
    officer: User, orgs: Orgs, actor_of: Any, make_project: Any, client_as: Any
) -> None:
    project = make_project(orgs.north)
    foreign = make_project(orgs.foreign)
    with everywhere():
        actor = actor_of(officer)
        due = timezone.localdate() + timedelta(days=3)
        for where, title in ((project, "Pipes; in the, way"), (foreign, "Somebody else's")):
            blocker = raise_blocker(
                _system(), where, timezone.localdate() - timedelta(days=5), {"title": title, "kind": "land"}
            )
            type(blocker).objects.filter(pk=blocker.pk).update(due_on=due)
        row, secret = subscribe_calendar(actor, name="my phone")
    assert secret not in str(Subscription.objects.filter(pk=row.pk).values_list())
    answer = Client().get(reverse("people:todo_calendar", args=[secret]))
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert answer.headers["Cache-Control"] == "private, no-store"
    events = Calendar.from_ical(answer.content).walk("VEVENT")
    mine = [event for event in events if str(event["summary"]) == "Pipes; in the, way"]
    assert [event["dtstart"].dt for event in mine] == [due]
    assert str(mine[0]["url"]).startswith("http://testserver/")
    assert not any("Somebody" in str(event["summary"]) for event in events)
    again = Calendar.from_ical(Client().get(reverse("people:todo_calendar", args=[secret])).content)
    assert [str(e["uid"]) for e in again.walk("VEVENT")] == [str(e["uid"]) for e in events]
    # The page lists it, never its address again, and ends it.
    client = client_as(officer)
    page = client.get(reverse("people:subscriptions")).content.decode()
    assert "my phone" in page and secret not in page
    client.post(reverse("people:subscription_end", args=[row.pk]))
    assert Client().get(reverse("people:todo_calendar", args=[secret])).status_code == 404


def _system() -> Any:
    from yuanmai.core.policy import SYSTEM

    return SYSTEM


def test_a_calendar_follows_the_rights_of_the_moment(
    officer: User, orgs: Orgs, actor_of: Any, make_project: Any
) -> None:
    make_project(orgs.north, as_of=timezone.localdate())
    with everywhere():
        _row, secret = subscribe_calendar(actor_of(officer), name="phone")
    url = reverse("people:todo_calendar", args=[secret])
    assert b"VEVENT" in Client().get(url).content
    with everywhere():
        Post.objects.filter(user=officer).delete()
    from django.core.cache import cache

    cache.clear()
    answer = Client().get(url)
    assert answer.status_code == 200 and b"VEVENT" not in answer.content
    User.objects.filter(pk=officer.pk).update(is_active=False)
    assert Client().get(url).status_code == 404


@pytest.mark.parametrize("text", ["none", "a-b", "-", "0123456789-", "x" * 300, "0123456789-%00"])
def test_a_wrong_address_says_nothing(text: str, officer: User, actor_of: Any) -> None:
    with everywhere():
        subscribe_calendar(actor_of(officer), name="phone")
    assert Client().get(f"/calendar/{text}.ics").status_code == 404


def test_only_what_has_a_deadline_is_an_event() -> None:
    items = [
        Todo("With a day", "because", "/a/", "Do it", due=date(2026, 3, 5)),
        Todo("Without", "because", "/b/", "Do it"),
        Todo("长" * 200 + "\n第二行", "because", "/c/", "Do it", due=date(2026, 3, 6)),
    ]
    body = todo_calendar(items, MONDAY, "https://park.test/")
    assert all(len(line) <= 75 for line in body.split(b"\r\n"))
    events = Calendar.from_ical(body).walk("VEVENT")
    assert [event["dtstart"].dt for event in events] == [date(2026, 3, 5), date(2026, 3, 6)]
    assert [str(event["url"]) for event in events] == ["https://park.test/a/", "https://park.test/c/"]


# ----- mail


def test_a_saved_view_is_told_in_a_mail(
    officer: User, orgs: Orgs, actor_of: Any, make_project: Any, english: None
) -> None:
    today = timezone.localdate()
    for number in range(3):
        make_project(orgs.north, f"Works {number}", as_of=today, lists=["技改"] if number else [])
    make_project(orgs.foreign, "Foreign works", as_of=today, lists=["技改"])
    with everywhere():
        view = view_of(officer, orgs.north, "list=技改&sort=-name")
        row = subscribe_by_mail(actor_of(officer), every="day", org_id=orgs.north.pk, view=view)
    assert sent(row)
    (message,) = mail.outbox
    assert message.to == ["officer@example.test"]
    assert "1. Works 2" in message.body and "2. Works 1" in message.body
    assert "Works 0" not in message.body and "Foreign" not in message.body
    assert "Projects in the library: 2" in message.body
    assert f"{reverse('projects:library')}?list=" in message.body and "org=north" in message.body
    row.refresh_from_db()
    assert row.delivered_at is not None and row.fault == ""


def test_a_figure_is_told_in_a_mail(
    officer: User, orgs: Orgs, actor_of: Any, make_project: Any, english: None
) -> None:
    make_project(orgs.north, plan=4, done=1, as_of=timezone.localdate())
    with everywhere():
        row = subscribe_by_mail(
            actor_of(officer), every="week", org_id=orgs.north.pk, figure="projects.completion_rate"
        )
    assert sent(row)
    assert "Completion rate: 25.0 %" in mail.outbox[0].body
    assert reverse("cockpit:figure", args=["projects.completion_rate"]) in mail.outbox[0].body


def test_who_lost_the_right_gets_the_reason_and_no_mail(
    officer: User, orgs: Orgs, make_user: Any, actor_of: Any, make_project: Any
) -> None:
    from django.core.cache import cache

    make_project(orgs.north, as_of=timezone.localdate())
    colleague = make_user("leader", orgs.north)
    with everywhere():
        shared = view_of(colleague, orgs.north, shared=True)
        row = subscribe_by_mail(actor_of(officer), every="day", org_id=orgs.north.pk, view=shared)
        assert sent(row)
        SavedView.objects.filter(pk=shared.pk).update(shared=False)
        assert not sent(row)
        SavedView.objects.filter(pk=shared.pk).update(shared=True)
        Post.objects.filter(user=officer).delete()
        cache.clear()
        assert not sent(row)
        User.objects.filter(pk=officer.pk).update(is_active=False)
        assert not sent(row)
    row.refresh_from_db()
    assert len(mail.outbox) == 1 and row.fault


def test_a_server_that_refuses_is_tried_again(
    officer: User, orgs: Orgs, actor_of: Any, make_project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project(orgs.north, as_of=timezone.localdate())
    with everywhere():
        row = subscribe_by_mail(actor_of(officer), every="day", org_id=orgs.north.pk, figure="projects.count")

    def refuse(*_args: Any, **_options: Any) -> None:
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.EmailMessage.send", refuse)
        assert not sent(row)
    row.refresh_from_db()
    assert row.delivered_at is None and row.fault
    assert sent(row)
    row.refresh_from_db()
    assert row.fault == ""


@pytest.mark.parametrize(
    ("every", "delivered", "now", "due"),
    [
        ("day", None, MONDAY, True),
        ("day", MONDAY - timedelta(hours=1), MONDAY, False),
        ("day", MONDAY - timedelta(days=1), MONDAY, True),
        ("day", None, MONDAY - timedelta(hours=2), False),  # half past six
        ("week", MONDAY - timedelta(days=7), MONDAY, True),
        ("week", MONDAY, MONDAY + timedelta(days=3), False),
        ("week", MONDAY - timedelta(days=7), MONDAY + timedelta(days=2), True),  # Monday was missed
        ("week", None, MONDAY + timedelta(days=1), True),
    ],
)
def test_when_a_mail_is_due(every: str, delivered: datetime | None, now: datetime, due: bool) -> None:
    row = Subscription(every=every, delivered_at=delivered, created_at=MONDAY - timedelta(days=3))
    assert is_due(row, now) is due


def test_the_schedule_sends_each_once(
    officer: User, orgs: Orgs, actor_of: Any, make_project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_project(orgs.north, as_of=timezone.localdate())
    monkeypatch.setattr("yuanmai.people.tasks.is_due", lambda row, now: row.delivered_at is None)
    with everywhere():
        actor = actor_of(officer)
        for code in ("projects.count", "projects.planned_investment"):
            subscribe_by_mail(actor, every="day", org_id=orgs.north.pk, figure=code)
        ended = subscribe_by_mail(actor, every="day", org_id=orgs.north.pk, figure="projects.red_count")
        end_subscription(actor, ended)
        send_subscriptions()
        send_subscriptions()
    assert len(mail.outbox) == 2


def test_only_ones_own_and_what_one_sees_can_be_subscribed(
    officer: User, orgs: Orgs, make_user: Any, actor_of: Any
) -> None:
    stranger = make_user("leader", orgs.foreign)
    with everywhere():
        actor = actor_of(officer)
        private = view_of(stranger, orgs.foreign)
        elsewhere = view_of(make_user("leader", orgs.foreign), orgs.foreign, shared=True)
        for view in (private, elsewhere):
            with pytest.raises(Denied):
                subscribe_by_mail(actor, every="day", org_id=orgs.north.pk, view=view)
        with pytest.raises(Denied):
            subscribe_by_mail(actor, every="day", org_id=orgs.foreign.pk, figure="projects.count")
        with pytest.raises(ValidationError):
            subscribe_by_mail(actor, every="day", org_id=orgs.north.pk, figure="nothing.known")
        with pytest.raises(ValidationError):
            subscribe_by_mail(actor, every="hour", org_id=orgs.north.pk, figure="projects.count")
        row, _secret = subscribe_calendar(actor, name="x")
        with pytest.raises(Denied):
            end_subscription(actor_of(stranger), row)
    assert AuditEntry.objects.filter(action="people.subscribe_calendar", result="done").count() == 1


# ----- page


def test_the_page_subscribes(officer: User, orgs: Orgs, client_as: Any, settings: Any) -> None:
    view = view_of(officer, orgs.north)
    view_of(officer, orgs.north, path="/places/list/park/")  # a list that has no digest
    client, url = client_as(officer), reverse("people:subscriptions")
    page = client.get(url).content.decode()
    assert f'value="view-{view.pk}"' in page and page.count('value="view-') == 1
    shown = client.post(url, {"do": "calendar", "name": "phone"}).content.decode()
    assert "/calendar/" in shown and ".ics" in shown
    answer = client.post(
        url, {"do": "mail", "what": f"view-{view.pk}", "org": orgs.north.pk, "every": "week"}
    )
    assert answer.status_code == 302
    wrong = client.post(url, {"do": "mail", "what": "view-0", "org": orgs.north.pk, "every": "week"})
    assert wrong.status_code == 422
    assert set(Subscription.objects.values_list("kind", flat=True)) == {"calendar", "view"}
    settings.EMAIL_HOST = ""
    assert b"No mail server is set up" in client.get(url).content
