"""The frame's switches, and errors that explain themselves."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core.exceptions import BadRequest
from django.urls import reverse

from yuanmai.core.web.frame import parse_day, parse_moment

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/x", "///evil.example", "\\\\evil.example", "http:evil.example",
        "javascript:alert(1)", "https:///evil.example", "/\\evil.example", " //evil.example", "data:text/html,x",
    ],
)  # fmt: skip
def test_the_switch_leads_nowhere_outside(make_user, client_as, target: str) -> None:
    client = client_as(make_user("leader"))
    answer = client.post(reverse("core:context"), {"org": "north", "next": target})
    assert answer.status_code == 302
    assert re.match(r"^/(?![/\\])", answer.url), answer.url


def test_the_switch_is_remembered_and_an_address_wins_over_it(make_user, client_as, orgs) -> None:
    client = client_as(make_user("leader", orgs.city))
    client.post(reverse("core:context"), {"org": "south", "as_of": "2022-03-31", "next": "/"})
    assert client.get("/api/v1/me").json()["organisation"] == "south"
    assert client.get("/api/v1/me").json()["as_of"] == "2022-03-31"
    assert client.get("/api/v1/me?org=north&as_of=2021-12-31").json()["organisation"] == "north"
    assert client.get("/api/v1/me").json()["organisation"] == "south", (
        "an address changes nothing for later pages"
    )
    client.post(reverse("core:context"), {"today": "1", "next": "/"})
    me = client.get("/api/v1/me").json()
    assert me["as_of"] == me["today"]


def test_going_back_drops_the_frame_of_the_address_and_keeps_the_rest(make_user, client_as) -> None:
    client = client_as(make_user("leader"))
    next_page = "/projects/?org=north&as_of=2022-01-01&kind=new_start&kind=continuing&q=%E5%8D%97"
    answer = client.post(reverse("core:context"), {"org": "south", "next": next_page})
    assert answer.url == "/projects/?kind=new_start&kind=continuing&q=%E5%8D%97"


@pytest.mark.parametrize("fields", [{"as_of": "31.3.2022"}, {"known_at": "soon"}, {"as_of": "1066-10-14"}])
def test_a_wrong_day_is_refused_with_how_to_write_it(make_user, client_as, fields: dict[str, str]) -> None:
    answer = client_as(make_user("leader")).post(reverse("core:context"), {**fields, "next": "/"})
    assert answer.status_code == 400
    assert "2022-03-31" in answer.content.decode()


def test_days_and_moments(settings) -> None:
    assert parse_day("2022-03-31") == date(2022, 3, 31)
    assert parse_moment("2022-03-31T18:00") == datetime(2022, 3, 31, 10, tzinfo=UTC)
    assert parse_moment("2022-03-31") == datetime(2022, 3, 31, 15, 59, 59, tzinfo=UTC), "a day means its end"
    assert parse_moment("2022-03-31T18:00+00:00") == datetime(2022, 3, 31, 18, tzinfo=UTC)
    for text in ("", "x", "2022-13-01", "2022-02-30T10:00", "9999-99-99", "２０２２-０３-３１x"):
        with pytest.raises(BadRequest):
            parse_moment(text)
        with pytest.raises(BadRequest):
            parse_day(text)


def test_every_answer_has_an_id_of_its_own(client_as) -> None:
    client = client_as(None)
    ids = {client.get("/healthz")["X-Request-Id"] for _ in range(5)}
    assert len(ids) == 5
    assert all(re.fullmatch(r"[0-9a-f]{16}", one) for one in ids)


def test_a_page_that_fails_shows_what_to_tell_the_administrator(
    make_user, client_as, monkeypatch, caplog
) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("the secret of the database")

    monkeypatch.setattr("yuanmai.core.jobs.views.visible_jobs", fail)
    client = client_as(make_user("leader"), raise_request_exception=False)
    answer = client.get(reverse("jobs:list"))
    assert answer.status_code == 500
    page = answer.content.decode()
    assert answer["X-Request-Id"] in page
    assert "secret" not in page and "Traceback" not in page
    assert "<html" in page and "The server made a mistake" in page
    chinese = client_as(make_user("leader"), language="zh", raise_request_exception=False).get(
        reverse("jobs:list")
    )
    assert "服务器" in chinese.content.decode()


@pytest.mark.parametrize(
    "path", ["/nothing/", "/projects/00000000-0000-0000-0000-000000000000/", "/jobs/999999/"]
)
def test_what_is_not_there(make_user, client_as, path: str) -> None:
    answer = client_as(make_user("project_officer")).get(path)
    assert answer.status_code == 404
    assert answer["X-Request-Id"] in answer.content.decode()


def test_a_missing_right_is_explained(make_user, client_as) -> None:
    answer = client_as(make_user("grid_officer")).get(reverse("jobs:schedule"))
    assert answer.status_code == 403
    assert "See the state of the system" in answer.content.decode()
