"""Quota, tranches, allotments and debt service for programs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from yuanmai.core.scope import everywhere
from yuanmai.funds.models import Allotment, Tranche

BASE = "/api/v1/funds/bonds"
FRAME = "org=linzhou&as_of=2022-09-30"
pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A signed-in finance officer of the city."""
    return client_as(make_user("finance_officer", orgs.city))


def send(client: Client, method: str, path: str, body: Any) -> Any:
    """Send JSON and return the answer."""
    return getattr(client, method)(f"{BASE}{path}?{FRAME}", json.dumps(body), content_type="application/json")


TRANCHE = {
    "org": "linzhou", "code": "2205001", "name": "2022年专项债券（一期）", "amount": "100000000", "rate": "0.0253",
    "term_years": 10, "tendered_on": "2022-02-22",
}  # fmt: skip


def test_a_tranche_from_entry_to_debt_service(
    finance: Client, orgs: Any, make_project: Any, make_reserve: Any
) -> None:
    project = make_project(orgs.north)
    make_reserve(project)
    made = send(finance, "post", "/tranches", TRANCHE)
    assert made.status_code == 201
    tranche = made.json()
    assert (tranche["value_date"], tranche["matures_on"], tranche["frequency"]) == (
        "2022-02-23",
        "2032-02-23",
        2,
    )
    again = send(finance, "post", "/tranches", TRANCHE)
    assert again.status_code == 422 and again.json()["errors"][0]["pointer"] == "/code"
    url = f"/tranches/{tranche['uid']}"
    corrected = send(finance, "put", url, {**TRANCHE, "rate": "0.0300"})
    assert corrected.status_code == 200 and corrected.json()["rate"] == 0.03
    quota = {"org": "linzhou", "year": 2022, "amount": "30000000", "effective_on": "2022-01-01"}
    assert send(finance, "post", "/quotas", quota).json()["left"] == 30_000_000
    line = {"project": str(project.uid), "amount": "40000000"}
    beyond = send(finance, "post", f"{url}/allotments", {"effective_on": "2022-03-01", "allotments": [line]})
    assert beyond.json()["errors"][0]["pointer"] == "/beyond_quota"
    line["amount"] = "20000000"
    given = send(finance, "post", f"{url}/allotments", {"effective_on": "2022-03-01", "allotments": [line]})
    assert given.status_code == 201
    shown = finance.get(f"{BASE}{url}?{FRAME}").json()
    assert shown["left_to_allot"] == 80_000_000
    assert shown["projects"][0]["deadline"] == "2022-08-31" and shown["projects"][0]["stage"] == "idle"
    service = finance.get(f"{BASE}/debt-service?{FRAME}").json()
    assert service["principal"] == 20_000_000 and service["interest"] == 6_000_000
    assert service["years"][0] == {"year": 2022, "interest": 300_000, "principal": 0}
    dates = finance.get(
        f"{BASE}/payment-dates?{FRAME}&level=project&since=2025-01-01&until=2025-03-01"
    ).json()
    ((due),) = dates["items"]
    assert (due["due_on"], due["pay_on"], due["creditor"]) == ("2025-02-23", "2025-02-24", "north")
    assert finance.get(f"{BASE}/quotas?{FRAME}").json()["items"][0]["used"] == 20_000_000
    back = f"{url}/allotments/{given.json()[0]['id']}/take-back"
    assert send(finance, "post", back, {"reason": " "}).status_code == 422
    assert send(finance, "post", back, {"reason": "typo"}).status_code == 204
    assert finance.get(f"{BASE}/tranches?{FRAME}&q=一期").json()["items"][0]["left_to_allot"] == 100_000_000


def test_faults_of_lines_are_named_in_the_body(
    finance: Client, orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any
) -> None:
    project = make_project(orgs.north)
    tranche = make_tranche(orgs.city)
    url = f"/tranches/{tranche.uid}/allotments"
    lines = [
        {"project": str(project.uid), "amount": "-1"},
        {"project": "00000000-0000-0000-0000-000000000000", "amount": "1"},
    ]
    unknown = send(finance, "post", url, {"effective_on": "2022-03-01", "allotments": lines})
    assert [fault["pointer"] for fault in unknown.json()["errors"]] == ["/allotments/1/project"]
    refused = send(finance, "post", url, {"effective_on": "2022-03-01", "allotments": lines[:1]})
    assert {fault["pointer"] for fault in refused.json()["errors"]} == {"/allotments/0/amount"}
    assert send(finance, "post", "/tranches/00000000-0000-0000-0000-000000000000/allotments", {
        "effective_on": "2022-03-01", "allotments": lines[:1]}).status_code == 404  # fmt: skip
    with everywhere():
        assert not Allotment.objects.exists()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"amount": "0"}, "/amount"),
        ({"rate": "0.31"}, "/rate"),
        ({"value_date": "2022-02-01"}, "/value_date"),
        ({"matures_on": "2022-02-23"}, "/value_date"),
        ({"repayment": "instalments", "instalments": [{"year": 1, "share": "0.9"}]}, "/instalments"),
        ({"org": "nowhere"}, "/org"),
        ({"repayment": "never"}, "/repayment"),
    ],
)
def test_bad_input_is_a_problem_and_nothing_is_stored(
    finance: Client, orgs: Any, changes: dict[str, Any], pointer: str
) -> None:
    answer = send(finance, "post", "/tranches", {**TRANCHE, **changes})
    assert answer.status_code == 422
    assert pointer in {fault.get("pointer") for fault in answer.json()["errors"]}
    with everywhere():
        assert not Tranche.objects.exists()


def test_others_see_or_do_nothing(orgs: Any, make_user: Any, client_as: Any, make_tranche: Any) -> None:
    tranche = make_tranche(orgs.city)
    foreign = client_as(make_user("finance_officer", orgs.foreign))
    assert foreign.get(f"{BASE}/tranches/{tranche.uid}").status_code == 404
    assert foreign.get(f"{BASE}/tranches").json()["count"] == 0
    assert send(foreign, "put", f"/tranches/{tranche.uid}", TRANCHE).status_code == 404
    leader = client_as(make_user("leader", orgs.city))
    assert leader.get(f"{BASE}/tranches/{tranche.uid}").status_code == 200
    assert send(leader, "post", "/tranches", TRANCHE).status_code == 403
