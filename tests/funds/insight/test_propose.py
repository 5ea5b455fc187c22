"""The quota optimiser on its page and through the API."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.funds.insight.conftest import DAY, FRAME, add_reserve, stepped, wan
from tests.funds.paying.conftest import World, build
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.figures import Query
from yuanmai.core.scope import everywhere
from yuanmai.funds.engine.optimise import Why
from yuanmai.funds.insight import proposing
from yuanmai.funds.insight.proposing import Wish
from yuanmai.funds.models import Allotment, NamedUse, PlanYear, Reserve

pytestmark = pytest.mark.django_db
DEFAULTS = {
    "pool": "reviewed", "quota": "", "lot": "100", "least": "50", "amount": "", "term": "10", "rate": "3", "day": "2022-05-30",
    "weight_readiness": "60", "weight_coverage": "40", "weight_urgency": "40", "weight_score": "50", "weight_count": "20",
    "weight_investment": "20",
}  # fmt: skip


@dataclass
class Pool:
    """Three approved projects of 2,000 万元 each; 2,000 are left of the tranche."""

    world: World
    reserves: list[Reserve]

    def answer(self, **more: Any) -> proposing.Answer:
        city = self.world.orgs.city
        return proposing.answer(Query(self.world.orgs.below(city), DAY), city.pk, Wish(**more))

    def why(self, **more: Any) -> dict[str, tuple[Why, str]]:
        found = self.answer(**more)
        return {
            found.name(row.candidate): (row.why, proposing.why_not(found, row))
            for row in found.proposal.left_out
        }

    def batch(self) -> str:
        return str(self.world.tranche.uid)


def candidate(make_project: Any, org: Any, name: str, **more: Any) -> Reserve:
    reserve = add_reserve(make_project(org, name), state=more.pop("state", "approved"), **more)
    NamedUse.objects.create(reserve=reserve, name="All", amount=reserve.requested)
    return stepped(reserve)


@pytest.fixture
def pool(orgs: Any, make_project: Any) -> Iterator[Pool]:
    """The pool, with the scope of everything open."""
    with everywhere():
        world = build(orgs, make_project)
        reserves = [candidate(make_project, orgs.north, name) for name in ("Alpha", "Beta", "Gamma")]
        Reserve.objects.filter(pk=reserves[0].pk).update(deadline=date(2022, 4, 10))
        yield Pool(world, reserves)


def test_what_is_left_is_proposed_and_the_others_are_told_why(pool: Pool, english: None) -> None:
    found = pool.answer(least=Decimal(1))
    assert {found.name(uid): amount for uid, amount in found.proposal.amounts.items()} == {"Alpha": wan(2000)}
    told = pool.why(least=Decimal(1))
    assert told["Beta"][0] is Why.BETTER
    assert "Alpha" in told["Beta"][1]
    assert "% of the value" in told["Beta"][1]


def test_every_reason_is_said_in_words(pool: Pool, make_project: Any, english: None) -> None:
    north = pool.world.orgs.north
    candidate(make_project, north, "Poor", income=200)
    no_plan = candidate(make_project, north, "No plan")
    PlanYear.objects.filter(reserve=no_plan).delete()
    bad = candidate(make_project, north, "Office")
    Reserve.objects.filter(pk=bad.pk).update(field="office_building")
    short = candidate(make_project, north, "Short", income=1500)
    PlanYear.objects.filter(reserve=short, year__gt=2028).delete()
    waits = candidate(make_project, north, "Waits")
    waits.depends_on.add(bad)
    told = pool.why()
    assert (
        told["Poor"] == (Why.THRESHOLD, "Coverage 0.85, below the threshold of 1.1")
        or told["Poor"][0] is Why.THRESHOLD
    )
    assert "below the threshold" in told["Poor"][1]
    assert told["Office"][0] is Why.GATE
    assert "Not on the negative list" in told["Office"][1]
    assert told["No plan"][0] in (Why.THRESHOLD, Why.GATE)
    assert told["Short"] == (Why.TERM, "Every batch matures after its income ends")
    assert told["Waits"] == (Why.DEPENDENCY, "Needs “Office”, which cannot be in")


def test_a_batch_whose_terms_a_project_cannot_carry_is_not_for_it(pool: Pool, english: None) -> None:
    dear = (wan(2000), 10, Decimal("0.30"), date(2022, 6, 1))
    told = pool.why(batches=[], expected=dear)
    assert told["Alpha"][0] is Why.TERM
    assert "With the terms of the batches its coverage is" in told["Alpha"][1]


def test_the_page_proposes_and_a_slider_asks_again(pool: Pool, finance: Client) -> None:
    page = finance.get(reverse("funds:optimiser"), FRAME)
    assert page.status_code == 200
    html = page.content.decode()
    assert f'hx-post="/funds/insight/optimiser/?org=linzhou&amp;as_of={DAY}"' in html
    assert 'data-lane="in"' in html
    assert "style=" not in html
    url = f"{reverse('funds:optimiser')}?org=linzhou&as_of={DAY}"
    values = {**DEFAULTS, "batch": pool.batch(), "least": "100"}
    fragment = finance.post(url, values, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert "<html" not in fragment.content.decode()
    assert [card["name"] for card in fragment.context["chosen"]] == ["Alpha"]
    out = {f"fix-{pool.reserves[0].uid}": "out"}
    again = finance.post(url, {**values, **out}, headers={"HX-Request": "true"})
    assert [card["name"] for card in again.context["chosen"]] in (["Beta"], ["Gamma"])
    assert "You fixed it out" in again.content.decode()
    whole = finance.post(url, values)
    assert "<html" in whole.content.decode()


def test_fixing_too_many_in_names_the_conflict(pool: Pool, finance: Client) -> None:
    url = f"{reverse('funds:optimiser')}?org=linzhou&as_of={DAY}"
    values = {**DEFAULTS, "batch": pool.batch(), "least": "100"}
    both = {f"fix-{reserve.uid}": "in" for reserve in pool.reserves[:2]}
    page = finance.post(url, {**values, **both}, headers={"HX-Request": "true"})
    assert "These cannot be in together: Alpha, Beta" in page.content.decode()


def test_wrong_input_is_said_at_the_field(pool: Pool, finance: Client) -> None:
    url = reverse("funds:optimiser")
    for name, value in (
        ("lot", "0"),
        ("quota", "-1"),
        ("least", "140"),
        ("day", "soon"),
        ("weight_count", "900"),
        ("term", "4"),
    ):
        answer = finance.post(url, {**DEFAULTS, name: value})
        assert answer.status_code == 422, name
        assert name in answer.context["form"].errors
    fixed = f"fix-{pool.reserves[0].uid}"
    fragment = finance.post(url, {**DEFAULTS, "lot": "x", fixed: "out"}, headers={"HX-Request": "true"})
    assert 'role="alert"' in fragment.content.decode()
    assert f'<input type="hidden" name="{fixed}" value="out">' in fragment.content.decode()


def test_the_proposal_is_taken_over_into_the_allotment_sheet(
    pool: Pool, make_user: Any, client_as: Any, finance: Client
) -> None:
    url = f"{reverse('funds:optimiser')}?org=linzhou&as_of={DAY}"
    values = {**DEFAULTS, "batch": pool.batch(), "least": "100"}
    (row,) = finance.post(url, values).context["take_over"]
    project = pool.reserves[0].project_id
    asked = parse_qs(urlsplit(row["url"]).query)
    assert asked == {"effective_on": [DAY.isoformat()], f"p{project}-amount": ["2000"]}
    sheet = finance.get(row["url"])
    assert sheet.status_code == 200
    assert f'name="p{project}-amount" value="2000"' in sheet.content.decode()
    reader = client_as(make_user("leader", pool.world.orgs.city))
    page = reader.post(url, values)
    assert page.context["why_no_take_over"]
    assert row["url"].partition("?")[0] not in page.content.decode()


def test_what_is_not_approved_yet_is_not_taken_over(pool: Pool, finance: Client, make_project: Any) -> None:
    Reserve.objects.filter(pk__in=[reserve.pk for reserve in pool.reserves]).update(state="withdrawn")
    for reserve in pool.reserves:
        reserve.reservesteps.update(state="reviewed")
    url = f"{reverse('funds:optimiser')}?org=linzhou&as_of={DAY}"
    page = finance.post(url, {**DEFAULTS, "batch": pool.batch(), "least": "100"})
    (row,) = page.context["take_over"]
    assert (row["url"], row["waiting"]) == ("", 1)


def test_proposing_stores_nothing(pool: Pool, finance: Client) -> None:
    before = Allotment.objects.count(), AuditEntry.objects.count()
    finance.post(reverse("funds:optimiser"), {**DEFAULTS, "batch": pool.batch()})
    assert (Allotment.objects.count(), AuditEntry.objects.count()) == before


def test_the_number_of_queries_does_not_grow(pool: Pool, make_project: Any) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as caught:
            pool.answer()
        return len(caught)

    asked()
    before = asked()
    for number in range(5):
        candidate(make_project, pool.world.orgs.north, f"More {number}")
    asked()
    assert asked() == before


def test_the_api_proposes(pool: Pool, finance: Client, make_user: Any, client_as: Any) -> None:
    def ask(**body: Any) -> Any:
        url = f"/api/v1/funds/insight/propose?org=linzhou&as_of={DAY}"
        return finance.post(url, body, content_type="application/json")

    answer = ask(least="1").json()
    assert answer["used"] == answer["quota"] == 20_000_000
    assert [part["name"] for part in answer["parts"]] == ["Alpha"]
    assert {row["why"] for row in answer["left_out"]} == {"better", "gate"} or {
        row["why"] for row in answer["left_out"]
    } == {"better"}
    fixed = [str(reserve.uid) for reserve in pool.reserves[:2]]
    assert set(ask(least="1", fixed_in=fixed).json()["conflict"]) == set(fixed)
    assert ask(lot=0).status_code == 422
    assert ask(pool="everybody").status_code == 422
    assert ask(weights={"beauty": 3}).status_code == 422
    planned = {"amount": 10_000_000, "term_years": 10, "rate": "0.03", "value_date": "2022-06-01"}
    assert ask(batches=[], expected=planned).json()["parts"][0]["batch"] == "expected"
