"""The API kit: who may call, in which frame, how lists come in pages, how it refuses, how it repeats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

PROBLEM = "application/problem+json"
pytestmark = pytest.mark.django_db


def refusal(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content.decode()
    assert answer["Content-Type"] == PROBLEM
    document = json.loads(answer.content)
    assert document["status"] == status
    assert document["request_id"] == answer["X-Request-Id"]
    assert document["title"]
    return document


def test_without_signing_in_the_way_in_is_named() -> None:
    answer = Client().get("/api/v1/me")
    refusal(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_me_says_who_asks_and_in_which_frame(orgs, make_user, client_as) -> None:
    client = client_as(make_user("leader", orgs.city))
    document = client.get("/api/v1/me?org=north&as_of=2022-03-31").json()
    assert document["organisation"] == "north"
    assert document["as_of"] == "2022-03-31"
    assert "projects.view" in document["permissions"]
    assert "projects.edit" not in document["permissions"]
    assert [(p["role"], p["organisation"]) for p in document["posts"]] == [("leader", "linzhou")]


def test_organisations_come_in_pages_and_only_of_the_data_scope(orgs, make_user, client_as) -> None:
    client = client_as(make_user("leader", orgs.city))
    first = client.get("/api/v1/organisations?limit=2").json()
    assert [o["code"] for o in first["items"]] == ["linzhou", "north"]
    assert (first["count"], first["previous"]) == (3, None)
    second = client.get(first["next"]).json()
    assert [o["code"] for o in second["items"]] == ["south"]
    assert second["next"] is None
    assert client.get(second["previous"]).json()["items"] == first["items"]
    # The parent of the city lies outside the data scope, so its code is not told.
    assert first["items"][0]["parent"] is None
    assert first["items"][1]["parent"] == "linzhou"
    refusal(client.get("/api/v1/organisations/foreign"), 404)
    assert client.get("/api/v1/organisations/south").json()["name"] == "南镇"


def test_an_organisation_outside_the_data_scope_does_not_become_another_one(
    orgs, make_user, client_as
) -> None:
    client = client_as(make_user("leader", orgs.north))
    for code in ("foreign", "nowhere"):
        document = refusal(client.get(f"/api/v1/organisations?org={code}"), 404)
        assert document["errors"][0]["parameter"] == "org"


def test_a_missing_right_is_named(orgs, make_user, client_as) -> None:
    client = client_as(make_user("grid_officer", orgs.north))
    document = refusal(client.get("/api/v1/organisations"), 403)
    assert "See organisations and colleagues" in document["detail"]
    assert document["type"] == "urn:yuanmai:problem:denied"


def test_every_fault_is_told_at_once_in_the_readers_language(orgs, make_user, client_as) -> None:
    user = make_user("leader", orgs.city)
    address = "/api/v1/organisations?limit=0&offset=x&kind=village"
    english = refusal(client_as(user).get(address), 422)
    assert {e["parameter"]: e["message"] for e in english["errors"]} == {
        "limit": "This must be at least 1.",
        "offset": "This must be a whole number.",
        "kind": "One of 'province', 'city', 'county', 'town', 'park', 'department', 'team' or 'company'.",
    }
    chinese = refusal(client_as(user, language="zh-TW").get(address), 422)
    assert chinese["title"] == "内容有误"
    assert {e["message"] for e in chinese["errors"] if e["parameter"] == "limit"} == {"不能小于 1。"}


def test_a_misspelt_parameter_is_refused(orgs, make_user, client_as) -> None:
    document = refusal(client_as(make_user("leader", orgs.city)).get("/api/v1/organisations?lmit=5"), 422)
    assert document["errors"][0]["parameter"] == "lmit"
    assert "limit" in document["errors"][0]["message"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("as_of", "31.3.2022"), ("as_of", "2022-02-30"), ("as_of", "0001-01-01"), ("known_at", "yesterday"), ("known_at", "%00")],
)  # fmt: skip
def test_a_wrong_frame_is_a_problem_document_too(orgs, make_user, client_as, name: str, value: str) -> None:
    answer = client_as(make_user("leader", orgs.city)).get(f"/api/v1/me?{name}={value}")
    document = refusal(answer, 400)
    assert document["detail"]


def test_addresses_and_methods_that_do_not_exist(orgs, make_user, client_as) -> None:
    client = client_as(make_user("leader", orgs.city))
    refusal(client.get("/api/v1/nothing"), 404)
    answer = client.delete("/api/v1/me")
    refusal(answer, 405)
    assert answer["Allow"] == "GET"


def test_answers_are_not_kept_by_browsers(orgs, make_user, client_as) -> None:
    assert client_as(make_user("leader", orgs.city)).get("/api/v1/me")["Cache-Control"] == "no-store"


def test_more_requests_than_allowed_in_a_minute(orgs, make_user, client_as, settings) -> None:
    settings.API_RATE_PER_MINUTE = 3
    client = client_as(make_user("leader", orgs.city))
    statuses = [client.get("/api/v1/me").status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    answer = client.get("/api/v1/me")
    refusal(answer, 429)
    assert 1 <= int(answer["Retry-After"]) <= 60
    # Another person is not affected.
    assert client_as(make_user("leader", orgs.south)).get("/api/v1/me").status_code == 200


def test_what_nobody_expected_is_a_problem_without_details(orgs, make_user, client_as, monkeypatch) -> None:
    def fail(*_args: Any, **_more: Any) -> None:
        raise RuntimeError("the password is 1234")

    monkeypatch.setattr("yuanmai.people.api.paginate", fail)
    answer = client_as(make_user("leader", orgs.city)).get("/api/v1/organisations")
    refusal(answer, 500)
    assert b"1234" not in answer.content
