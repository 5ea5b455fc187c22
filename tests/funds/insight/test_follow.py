"""Follow the yuan on its page and through the API: the same sums both ways, what was known when, and for whom."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.funds.insight.conftest import DAY, FRAME, Flowing, add_allotment, add_work, lend, pay_directly, wan
from yuanmai.core.figures import Query
from yuanmai.core.scope import everywhere, open_scope
from yuanmai.enterprises.models import Tenancy
from yuanmai.funds.engine import flow_graph
from yuanmai.funds.insight import following
from yuanmai.funds.models import Contract, OnLending

pytestmark = pytest.mark.django_db


def amounts(flowing: Flowing, day: date = DAY, known_at: Any = None, org: Any = None) -> dict[str, Decimal]:
    """What went into each node, in 万元, by stage and name."""
    orgs = flowing.world.orgs
    money = following.load(Query(orgs.below(org or orgs.city), day, known_at))
    picture = flow_graph.graph(money.strands)
    return {f"{n.stage} {money.name(n.key).name}": n.inflow / 10_000 for n in picture.nodes.values()}


def test_the_money_is_followed_from_the_tranche_to_the_tenants(flowing: Flowing, english: None) -> None:
    assert amounts(flowing) == {
        "place Linzhou City": 3000,
        "tranche 2022 Linzhou bonds 1": 3000,
        "project Pipes": 1000,
        "use Pipe network": 400,
        "contract Pipes of the north": 400,
        "payment 1 payment": 400,
        "work Hall floor": 300,  # 300 of 400 m²
        "work Pipe": 100,
        "building Hall 1": 300,
        "tenant Tenant 1": 180,
        "tenant Tenant 2": 90,
        "rest Not yet allotted": 2000,
        "rest Not yet disbursed": 500,
        "rest Not yet paid": 100,
        "rest Stands on the ground, outside buildings": 40,  # a fifth of a quarter of the contract of 800
        "rest Paid, not yet on the ground": 60,
        "rest Built, not let": 30,
    }


def test_on_lending_stands_between_tranche_and_project(flowing: Flowing, english: None) -> None:
    lend(flowing.world, 900, flowing.world.orgs.city, flowing.world.orgs.north)
    found = amounts(flowing)
    assert found["lent North Park"] == 1000
    assert found["excess Allotted beyond what was on-lent"] == 100


def test_the_past_shows_what_was_there_and_what_was_known(flowing: Flowing, english: None) -> None:
    assert "contract Pipes of the north" not in amounts(flowing, date(2022, 3, 30))
    assert amounts(flowing, date(2022, 3, 30))["rest Not yet paid"] == 500
    moment = timezone.now()
    payment = flowing.payment
    payment.retracted_at = moment + timedelta(seconds=1)
    payment.save(update_fields=["retracted_at"])
    assert "payment 1 payment" not in amounts(flowing)
    assert amounts(flowing, known_at=moment)["payment 1 payment"] == 400
    assert amounts(flowing, known_at=moment - timedelta(days=1)) == {}


def test_a_tenant_who_left_is_a_tenant_only_before(flowing: Flowing, english: None) -> None:
    Tenancy.objects.filter(enterprise=flowing.tenants[0]).update(until=date(2022, 4, 15))
    assert amounts(flowing, date(2022, 4, 14))["tenant Tenant 1"] == 180
    later = amounts(flowing, date(2022, 4, 15))
    assert "tenant Tenant 1" not in later
    assert later["rest Built, not let"] == 210


def test_the_page_shows_picture_rests_and_list(flowing: Flowing, finance: Client) -> None:
    page = finance.get(reverse("funds:follow"), FRAME)
    assert page.status_code == 200
    chart = page.context["chart"]
    assert chart["type"] == "sankey"
    names = {node["id"]: node["label"] for node in chart["nodes"]}
    assert (
        sum(link["value"] for link in chart["links"] if names[link["source"]] == "2022 Linzhou bonds 1")
        == 3000
    )
    html = page.content.decode()
    assert "by planned quantity" in html
    assert "Paid, not yet on the ground" in html
    listed = finance.get(reverse("funds:follow"), {**FRAME, "list": "tenant", "q": "tenant 2"})
    assert [row["name"] for row in listed.context["rows"]] == ["Tenant 2"]
    stages = finance.get(reverse("funds:follow"), {**FRAME, "stage": ["tranche", "tenant"]}).context["chart"]
    assert {node["id"].partition(":")[0] for node in stages["nodes"]} == {"tranche", "tenant", "rest"}


def test_a_node_opens_both_ways_and_its_record(flowing: Flowing, finance: Client) -> None:
    node = f"tenant:{flowing.tenants[0].pk}"
    page = finance.get(reverse("funds:follow"), {**FRAME, "node": node})
    back, forth = page.context["node"]["sides"]
    assert {row["amount"] for row in back["rows"]} == {wan(180)}
    assert [row["name"] for row in back["rows"]][-2:] == ["Hall floor", "Hall 1"]
    assert back["rows"][0]["rules"] == "by planned quantity, by area"
    assert forth["rows"] == []
    assert reverse("enterprises:record", args=[flowing.tenants[0].pk]) in page.context["node"]["url"]
    tranche = finance.get(reverse("funds:follow"), {**FRAME, "node": f"tranche:{flowing.world.tranche.pk}"})
    forth = tranche.context["node"]["sides"][1]
    assert {row["name"]: row["amount"] for row in forth["rows"]}["Tenant 1"] == wan(180)
    for row in (*back["rows"], *forth["rows"]):
        if row["url"]:
            assert finance.get(row["url"]).status_code == 200, row["url"]
    contract = Contract.objects.get()
    assert (
        reverse("funds:contract", args=[contract.uid])
        in finance.get(reverse("funds:follow"), {**FRAME, "node": f"contract:{contract.pk}"}).context["node"][
            "url"
        ]
    )


def test_an_unknown_node_is_not_found(flowing: Flowing, finance: Client) -> None:
    for node in ("tranche:999", "nonsense", "project:folded"):
        assert finance.get(reverse("funds:follow"), {**FRAME, "node": node}).status_code == 404


def test_a_park_sees_what_came_to_it_and_no_more(
    flowing: Flowing, make_user: Any, client_as: Any, english: None
) -> None:
    orgs = flowing.world.orgs
    add_allotment(flowing.world.other, flowing.world.tranche, 700)  # the south town's
    with open_scope(orgs.below(orgs.north)):
        money = following.load(Query(orgs.below(orgs.north), DAY))
    picture = flow_graph.graph(money.strands)
    tranche = f"tranche:{flowing.world.tranche.pk}"
    assert picture.total == picture.nodes[tranche].inflow == wan(1000)
    assert money.name(tranche).name == "2022 Linzhou bonds 1"
    assert money.name(tranche).url == ""
    client = client_as(make_user("leader", orgs.north))
    frame = {"as_of": DAY.isoformat()}
    assert client.get(reverse("funds:follow"), frame).status_code == 200
    hidden = f"project:{flowing.world.other.pk}"
    assert client.get(reverse("funds:follow"), {**frame, "node": hidden}).status_code == 404
    stranger = client_as(make_user("leader", orgs.foreign))
    page = stranger.get(reverse("funds:follow"), frame)
    assert page.context["chart"] is None


def test_the_number_of_queries_does_not_grow(flowing: Flowing, finance: Client, make_project: Any) -> None:
    def asked(**more: str) -> int:
        with CaptureQueriesContext(connection) as caught:
            assert finance.get(reverse("funds:follow"), {**FRAME, **more}).status_code == 200
        return len(caught)

    asked()
    before = asked(), asked(node=f"tranche:{flowing.world.tranche.pk}")
    with everywhere():
        for number in range(6):
            project = make_project(flowing.world.orgs.north, f"More {number}")
            add_allotment(project, flowing.world.tranche, 50)
            contract = Contract.objects.create(
                org=flowing.world.orgs.north, project=project, uid=uuid4(), number=f"M-{number}", name="More",
                payee="X", amount=wan(50), signed_on=DAY, recorded_at=timezone.now(),
            )  # fmt: skip
            pay_directly(flowing.world, 10, project=project, contract=contract)
            add_work(flowing.world, f"More {number}", 10, 5, flowing.building)
    asked()
    assert (asked(), asked(node=f"tranche:{flowing.world.tranche.pk}")) == before


def test_the_api_gives_the_same_sums(flowing: Flowing, finance: Client) -> None:
    answer = finance.get(
        "/api/v1/funds/insight/follow", {**FRAME, "node": f"building:{flowing.building.pk}"}
    ).json()
    assert answer["total"] == 3_000_000
    assert {part["key"]: part["amount"] for part in answer["behind"]}[
        f"tenant:{flowing.tenants[0].pk}"
    ] == 1_800_000
    assert answer["before"][0]["shared"] == ["quantity"]
    for node in answer["nodes"]:
        assert node["inflow"] == node["outflow"] + node["rests"]
    assert finance.get("/api/v1/funds/insight/follow", {**FRAME, "node": "tranche:0"}).status_code == 404


def test_on_lending_seen_from_below_begins_with_what_was_lent(flowing: Flowing, english: None) -> None:
    orgs = flowing.world.orgs
    lend(flowing.world, 1500, orgs.province, orgs.city)
    lend(flowing.world, 1200, orgs.city, orgs.north)
    found = amounts(flowing, org=orgs.north)
    assert found["tranche 2022 Linzhou bonds 1"] == 1200
    assert found["rest Not yet allotted"] == 200
    assert OnLending.objects.count() == 2
