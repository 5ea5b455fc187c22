"""The repayment calendar: its page, and what calendar programs fetch, read back by a foreign parser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import vobject
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.funds.insight.conftest import DAY, FRAME, add_allotment, add_reserve, stepped, wan
from tests.funds.paying.conftest import World, build
from yuanmai.common.working_days import china
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.figures import Query
from yuanmai.core.scope import everywhere
from yuanmai.funds.insight import repayment
from yuanmai.funds.models import CalendarFeed, PlanYear
from yuanmai.people.models import Post

pytestmark = pytest.mark.django_db


@pytest.fixture
def owing(orgs: Any, make_project: Any) -> Iterator[World]:
    """1,000 of 2,000 万元 allotted; income only from 2026 on: the total covers, the first years do not."""
    with everywhere():
        world = build(orgs, make_project)
        stepped(world.reserve)
        PlanYear.objects.filter(reserve=world.reserve, year__lt=2026).update(revenue=0)
        yield world


def only(world: World) -> repayment.Repayer:
    (found,) = repayment.repayers(Query(world.orgs.below(world.orgs.city), DAY))
    return found


def test_gap_years_although_the_total_covers(owing: World) -> None:
    found = only(owing).calendar
    # 7 × 600 over 2,000 of principal and 600 of interest.
    assert round(found.coverage or 0, 4) == Decimal("1.6154")
    assert found.gap_years == (2022, 2023, 2024, 2025)
    assert found.hidden
    assert {due.bond for due in found.dues} == {"2205001", "plan-2022"}


def test_a_project_without_income_plan_is_all_gap(owing: World) -> None:
    add_allotment(owing.other, owing.tranche, 500)
    found = {
        repayer.name: repayer for repayer in repayment.repayers(Query(owing.orgs.below(owing.orgs.city), DAY))
    }
    assert found["Halls"].calendar.coverage is None
    assert len(found["Halls"].calendar.gap_years) == 11
    assert not found["Halls"].calendar.hidden


def test_the_page_shows_gaps_years_and_months(owing: World, finance: Client) -> None:
    page = finance.get(reverse("funds:calendar"), FRAME)
    assert page.status_code == 200
    (gap,) = page.context["gaps"]
    assert (gap["years"], gap["hidden"], gap["coverage"]) == ("2022–2025", True, "1.62")
    assert "gap although it covers" in page.content.decode()
    year = finance.get(
        reverse("funds:calendar"), {**FRAME, "year": "2022", "project": str(owing.project.uid)}
    )
    months = {month["label"]: month for month in year.context["months"]}
    (payment,) = [p for p in months["2022-07"]["payments"] if p.tranche]
    assert payment.due_on == date(2022, 7, 10)  # a Sunday
    assert payment.payment_day == date(2022, 7, 11)
    assert payment.interest == wan(15)
    assert months["2022-06"]["row"].bridged == wan(15)
    assert [line["row"].year for line in year.context["years"] if line["gap"]] == [2022, 2023, 2024, 2025]
    assert year.context["years"][0]["row"].balance == wan(-15)


def test_what_the_calendar_does_not_have_is_not_found(owing: World, finance: Client) -> None:
    for more in ({"year": "1999"}, {"year": "soon"}, {"project": str(owing.foreign.uid)}):
        assert finance.get(reverse("funds:calendar"), {**FRAME, **more}).status_code == 404


def test_nothing_to_repay_is_said(orgs: Any, finance: Client) -> None:
    page = finance.get(reverse("funds:calendar"), FRAME)
    assert "Nothing to repay yet" in page.content.decode()


def test_the_number_of_queries_does_not_grow(owing: World, finance: Client, make_project: Any) -> None:
    def asked(day: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert finance.get(reverse("funds:calendar"), {**FRAME, "as_of": day}).status_code == 200
        return len(caught)

    asked("2022-04-01")
    before = asked("2022-04-02")  # another day, so that nothing kept is used
    for number in range(5):
        project = make_project(owing.orgs.north, f"More {number}")
        stepped(add_reserve(project))
        add_allotment(project, owing.tranche, 50)
    asked("2022-04-03")
    assert asked("2022-04-04") == before


def test_the_api_says_the_same(owing: World, finance: Client) -> None:
    answer = finance.get("/api/v1/funds/insight/calendar", FRAME).json()
    (project,) = answer["projects"]
    assert project["gap_years"] == [2022, 2023, 2024, 2025]
    assert project["hidden_gap"] is True
    assert sum(row["set_aside"] + row["from_elsewhere"] for row in answer["months"]) == pytest.approx(
        26_000_000
    )
    assert {row["bond"] for row in answer["payments"]} == {"2205001", "plan-2022"}
    missing = {**FRAME, "project": str(owing.foreign.uid)}
    assert finance.get("/api/v1/funds/insight/calendar", missing).status_code == 404


@pytest.fixture
def on_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """Today is the day of the world."""
    monkeypatch.setattr(timezone, "localdate", lambda *_args, **_more: DAY)


def subscribe(client: Client, name: str = "Phone") -> str:
    """Make an address and return its path."""
    page = client.post(reverse("funds:calendar_addresses"), {"name": name})
    return urlsplit(page.context["text"]).path


def events(body: bytes) -> list[Any]:
    """The events of a calendar as the foreign parser reads them."""
    return list(vobject.readOne(body.decode()).vevent_list)


def test_the_feed_is_read_back_by_a_foreign_parser(owing: World, finance: Client, on_the_day: None) -> None:
    path = subscribe(finance)
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert all(len(line.encode()) <= 75 for line in answer.content.decode().split("\r\n"))
    found = events(answer.content)
    assert len(found) == 20  # ten years, twice a year; what is only planned is not in
    by_day = {event.dtstart.value: event for event in found}
    first = by_day[date(2022, 7, 11)]
    assert first.dtend.value == date(2022, 7, 12)
    assert "2022-07-10" in first.description.value
    assert "Pipes" in first.description.value
    assert first.summary.value == "应付15 万元：2022 Linzhou bonds 1"
    assert [alarm.trigger.value for alarm in first.valarm_list] == [timedelta(days=-14), timedelta(days=-3)]
    assert {alarm.action.value for alarm in first.valarm_list} == {"DISPLAY"}
    assert len({event.uid.value for event in found}) == 20
    assert all(china().is_working(event.dtstart.value) for event in found)
    assert "/funds/insight/calendar/?year=2022" in first.url.value


def test_the_identity_of_an_event_outlives_changes(owing: World, finance: Client, on_the_day: None) -> None:
    path = subscribe(finance)
    before = Client().get(path).content
    assert Client().get(path).content == before
    add_allotment(owing.other, owing.tranche, 500)
    from django.core.cache import cache

    cache.clear()
    after = Client().get(path).content
    assert after != before
    assert [event.uid.value for event in events(after)] == [event.uid.value for event in events(before)]


def test_only_the_hash_of_an_address_is_kept(owing: World, finance: Client, on_the_day: None) -> None:
    path = subscribe(finance)
    row = CalendarFeed.objects.get()
    secret = path.rsplit("/", 1)[1].removesuffix(".ics")
    assert secret.startswith(row.prefix)
    assert secret.split("-")[1] not in f"{row.digest} {row.prefix} {row.name}"
    assert row.last_used_at is None
    Client().get(path)
    row.refresh_from_db()
    assert row.last_used_at is not None
    assert "Phone" in str(
        AuditEntry.objects.filter(action="funds.open_calendar").values_list("after", flat=True)
    )
    assert secret.split("-")[1] not in str(list(AuditEntry.objects.values_list("after", flat=True)))


def test_an_ended_address_is_closed_at_once(
    owing: World, finance: Client, make_user: Any, client_as: Any, on_the_day: None
) -> None:
    path = subscribe(finance)
    row = CalendarFeed.objects.get()
    other = client_as(make_user("finance_officer", owing.orgs.city))
    assert other.post(reverse("funds:calendar_address_end", args=[row.pk])).status_code == 404
    assert Client().get(path).status_code == 200
    assert finance.post(reverse("funds:calendar_address_end", args=[row.pk])).status_code == 302
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("text", ["nonsense", "0123456789-" + "0" * 64, "-", "a-b-c"])
def test_a_wrong_address_says_nothing(owing: World, finance: Client, text: str) -> None:
    subscribe(finance)
    answer = Client().get(reverse("funds:calendar_feed", args=[text]))
    assert answer.status_code == 404
    assert b"BEGIN" not in answer.content


def test_who_guesses_is_slowed_down(owing: World, settings: Any, monkeypatch: Any) -> None:
    settings.API_BAD_TOKENS_PER_MINUTE = 3
    # Guesses are counted by the minute: none may begin between two of them.
    now = time.time()
    monkeypatch.setattr("yuanmai.core.api.throttle.time", SimpleNamespace(time=lambda: now))
    path = reverse("funds:calendar_feed", args=["0123456789-00"])
    answers = [Client().get(path).status_code for _ in range(5)]
    assert answers == [404, 404, 404, 429, 429]
    assert int(Client().get(path).headers["Retry-After"]) <= 60


def test_rights_and_scope_are_asked_at_each_fetch(
    owing: World, make_user: Any, client_as: Any, on_the_day: None
) -> None:
    add_allotment(owing.other, owing.tranche, 500)  # the south town's
    user = make_user("leader", owing.orgs.city)
    path = subscribe(client_as(user))
    assert "Halls" in str(events(Client().get(path).content)[0].description.value)
    Post.objects.filter(user=user).update(org=owing.orgs.north)
    fresh()
    assert "Halls" not in str(events(Client().get(path).content)[0].description.value)
    Post.objects.filter(user=user).delete()
    fresh()
    assert Client().get(path).status_code == 403
    user.is_active = False
    user.save()
    assert Client().get(path).status_code == 404


def fresh() -> None:
    from django.core.cache import cache

    cache.clear()


def test_an_address_needs_a_name_and_there_is_a_limit(owing: World, finance: Client) -> None:
    url = reverse("funds:calendar_addresses")
    assert finance.post(url, {"name": " "}).status_code == 422
    for number in range(10):
        subscribe(finance, f"Phone {number}")
    refused = finance.post(url, {"name": "One more"})
    assert refused.status_code == 422
    assert "You have 10 addresses" in refused.content.decode()
    assert CalendarFeed.objects.count() == 10
