"""Paying for programs: what is answered, what is refused, and to whom."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.funds.paying.conftest import World, add_reserve, build
from yuanmai.core.scope import everywhere
from yuanmai.funds.models import Payment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]
FRAME = "as_of=2022-05-31&org=linzhou"


@pytest.fixture
def world(orgs: Any, make_project: Any) -> World:
    with everywhere():
        return build(orgs, make_project)


@pytest.fixture
def finance(make_user: Any, orgs: Any, client_as: Any) -> Client:
    return client_as(make_user("finance_officer", orgs.city))


def call(client: Client, path: str, body: Any = None) -> Any:
    address = f"/api/v1/funds/paying/{path}{'&' if '?' in path else '?'}{FRAME}"
    if body is None:
        return client.get(address)
    return client.post(address, body, content_type="application/json")


def test_a_contract_is_paid_through_the_api(
    finance: Client, world: World, client_as: Any, make_user: Any
) -> None:
    project, tranche = f"projects/{world.project.uid}", str(world.tranche.uid)
    contract = call(
        finance, f"{project}/contracts",
        {"number": "C-2", "name": "Pumps", "payee": "Pump Ltd", "amount": 3_000_000, "signed_on": "2022-01-20", "use": world.use.pk},
    )  # fmt: skip
    assert contract.status_code == 201
    uid = contract.json()["uid"]
    paper = {"number": "1", "amount": "500000.00", "effective_on": "2022-03-01"}
    certificate = call(finance, f"contracts/{uid}/certificates", paper).json()
    assert (
        call(
            finance,
            f"certificates/{certificate['id']}/confirm",
            {"supervisor": "F", "confirmed_on": "2022-03-02"},
        ).status_code
        == 422
    )
    other = client_as(make_user("finance_officer", world.orgs.city))
    done = call(
        other, f"certificates/{certificate['id']}/confirm", {"supervisor": "F", "confirmed_on": "2022-03-02"}
    )
    assert done.json()["confirmed_on"] == "2022-03-02"
    bill = {"number": "55", "amount": 500_000, "effective_on": "2022-03-03"}
    invoice = call(finance, f"contracts/{uid}/invoices", bill).json()
    assert call(finance, f"contracts/{uid}/invoices", bill).status_code == 422
    assert [i["number"] for i in call(finance, f"contracts/{uid}/invoices").json()] == ["55"]
    given = {"tranche": tranche, "amount": 2_000_000, "effective_on": "2022-03-04"}
    assert call(finance, f"{project}/disbursements", given).status_code == 201
    plan = call(
        finance, f"{project}/use-plans", {"month": "2022-03-01", "amount": 1, "filed_on": "2022-03-01"}
    )
    assert [f["code"] for f in plan.json()["flags"]] == ["plan_late"]
    work = call(
        finance, f"{project}/works", {"name": "Pump", "unit": "set", "planned": 3, "contract": uid}
    ).json()
    measured = call(
        finance, f"works/{work['id']}/measurements", {"quantity": 1, "effective_on": "2022-03-05"}
    )
    assert measured.status_code == 201
    pay = {
        "tranche": tranche, "amount": 1_500_000, "effective_on": "2022-03-10", "certificate": certificate["id"],
        "invoice": invoice["id"],
    }  # fmt: skip
    payment = call(finance, f"contracts/{uid}/payments", pay)
    assert payment.status_code == 201
    codes = {flag["code"] for flag in payment.json()["flags"]}
    assert codes == {
        "ahead_of_certified",
        "ahead_of_measured",
        "above_invoice",
        "above_certificate",
        "above_plan",
    }
    file = call(finance, f"payments/{payment.json()['uid']}").json()
    assert [p["state"] for p in file["parts"]] == ["present", "no_file", "no_file", "no_file", "missing"]
    sums = call(finance, project).json()
    assert (sums["disbursed"], sums["paid"], sums["left"]) == (2_000_000, 1_500_000, 500_000)
    assert call(finance, f"contracts/{uid}").json()["paid_share"] == 0.5
    assert call(finance, "payments").json()["count"] == 1
    assert call(finance, f"works?project={world.project.uid}").status_code == 404
    assert call(finance, f"{project}/works").json()[0]["measured"] == 1
    assert call(finance, f"take-back/payment/{payment.json()['id']}", {"reason": "Wrong"}).status_code == 204
    assert call(finance, "payments").json()["count"] == 0
    assert call(finance, "disbursements").json()["count"] == 1


def test_what_is_refused_names_its_fields_and_stores_nothing(finance: Client, world: World) -> None:
    path = f"contracts/{world.contract.uid}/payments"
    body = {"tranche": str(world.tranche.uid), "amount": 100, "effective_on": "2022-03-10"}
    answer = call(finance, path, body)
    assert answer.status_code == 422 and answer["Content-Type"].startswith("application/problem+json")
    assert "amount" in answer.content.decode()
    for change, field in (
        ({"tranche": "00000000-0000-4000-8000-000000000000"}, "tranche"),
        ({"amount": -1}, "amount"),
        ({"amount": 0}, "amount"),
        ({"effective_on": "2022-01-01"}, "effective_on"),
        ({"surprise": 1}, "surprise"),
    ):
        answer = call(finance, path, {**body, **change})
        assert answer.status_code == 422 and field in answer.content.decode(), change
    with everywhere():
        assert not Payment.objects.exists()


def test_a_change_of_use_through_the_api(finance: Client, world: World) -> None:
    with everywhere():
        add_reserve(world.other, state="approved")
    body = {
        "tranche": str(world.tranche.uid), "receiver": str(world.other.uid), "amount": 3_000_000, "case": "need_changed",
        "reason": "Fewer pipes", "requested_on": "2022-05-01",
    }  # fmt: skip
    made = call(finance, f"projects/{world.project.uid}/changes", body)
    assert made.status_code == 201 and {c["met"] for c in made.json()["conditions"]} == {True}
    uid = made.json()["uid"]
    assert call(finance, f"changes/{uid}/approve", {"document": "D"}).status_code == 409
    assert call(finance, f"changes/{uid}/review", {"text": "Sound"}).json()["state"] == "reviewed"
    assert call(finance, f"changes/{uid}/approve", {"document": "D"}).json()["state"] == "approved"
    (place,) = call(finance, "changes/statement?year=2022").json()
    assert (place["organisation"], place["changes"], place["share"], place["loses_quota"]) == (
        "north",
        1,
        0.3,
        True,
    )
    assert call(finance, "changes?state=approved").json()["count"] == 1
    assert call(finance, f"changes/{uid}/dance", {}).status_code == 404


def test_strangers_and_readers_change_nothing(world: World, client_as: Any, make_user: Any) -> None:
    stranger = client_as(make_user("finance_officer", world.orgs.foreign))
    reader = client_as(make_user("leader", world.orgs.city))
    path = f"/api/v1/funds/paying/contracts/{world.contract.uid}"
    assert stranger.get(path).status_code == 404
    assert reader.get(f"{path}?{FRAME}").status_code == 200
    body = {"tranche": str(world.tranche.uid), "amount": 1, "effective_on": "2022-03-10"}
    for client, status in ((stranger, 404), (reader, 403)):
        answer = client.post(f"{path}/payments", body, content_type="application/json")
        assert answer.status_code == status
