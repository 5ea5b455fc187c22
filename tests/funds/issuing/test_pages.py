"""The pages of quota, tranches, allotment, on-lending and debt service."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.issuing.actions import lend_on
from yuanmai.funds.models import Allotment, EarlyRedemption, OnLending, Quota, ReserveLoan, Tranche

FRAME = {"as_of": "2022-09-30", "org": "linzhou"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A signed-in finance officer of the city."""
    return client_as(make_user("finance_officer", orgs.city))


@pytest.fixture
def leader(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A signed-in leader of the city: sees, changes nothing."""
    return client_as(make_user("leader", orgs.city))


def typed(**more: str) -> dict[str, str]:
    """The form of a tranche as typed."""
    return {
        "code": "2205001", "name": "2022年江南省专项债券（一期）", "amount": "10000", "rate": "2.53%", "term_years": "10",
        "tendered_on": "2022-02-22", "repayment": "bullet", "part-TOTAL_FORMS": "2", "part-INITIAL_FORMS": "0", **more,
    }  # fmt: skip


def test_a_tranche_is_entered_and_corrected(finance: Client, orgs: Any) -> None:
    url = reverse("funds:tranche_new")
    assert finance.get(url, FRAME).status_code == 200
    wrong = finance.post(url, typed(org=str(orgs.city.pk), rate="31", amount="0", value_date="2022-02-21"))
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {"amount", "rate", "value_date"}
    assert finance.post(url, typed(org=str(orgs.foreign.pk))).status_code == 422
    answer = finance.post(url, typed(org=str(orgs.city.pk)))
    with everywhere():
        tranche = Tranche.objects.get()
    assert answer.status_code == 302 and answer["Location"] == reverse("funds:tranche", args=[tranche.uid])
    assert (tranche.amount, tranche.rate, tranche.value_date) == (
        Decimal(100_000_000), Decimal("0.0253"), date(2022, 2, 23),
    )  # fmt: skip
    edit = reverse("funds:tranche_edit", args=[tranche.uid])
    page = finance.get(edit, FRAME)
    assert 'value="2.53"' in page.content.decode()
    parts = {"repayment": "instalments", "part-0-year": "5", "part-0-share": "40", "part-1-year": "10"}
    half = finance.post(edit, typed(org=str(orgs.city.pk), **parts))
    assert half.status_code == 422 and "State both" in half.content.decode()
    short = finance.post(edit, typed(org=str(orgs.city.pk), **parts, **{"part-1-share": "50"}))
    assert short.status_code == 422 and "90 %" in short.content.decode()
    done = finance.post(edit, typed(org=str(orgs.city.pk), **parts, **{"part-1-share": "60"}))
    assert done.status_code == 302
    with everywhere():
        tranche.refresh_from_db()
    assert tranche.instalments == [{"year": 5, "share": "0.4"}, {"year": 10, "share": "0.6"}]
    service = finance.get(reverse("funds:tranche_service", args=[tranche.uid]), FRAME)
    principals = [line["row"].principal for line in service.context["rows"]]
    assert (principals[9], principals[19]) == (Decimal(40_000_000), Decimal(60_000_000))


def test_unusual_terms_ask_for_a_tick(finance: Client, orgs: Any) -> None:
    form = typed(org=str(orgs.city.pk), term_years="12")
    asked = finance.post(reverse("funds:tranche_new"), form)
    assert "not one of those in use" in asked.content.decode()
    assert finance.post(reverse("funds:tranche_new"), {**form, "confirmed": "1"}).status_code == 302


def test_the_hint_says_what_follows(finance: Client, orgs: Any) -> None:
    hint = reverse("funds:tranche_hint")
    given = {"org": str(orgs.city.pk), "tendered_on": "2024-02-09", "term_years": "10"}
    text = finance.get(hint, given).content.decode()
    assert "2024-02-18" in text and "Semi-annual" in text and "2034-02-18" in text
    assert "Value date" not in finance.get(hint, {"org": "x"}).content.decode()


def test_the_sheet_allots_several_projects_and_undoes(
    finance: Client, orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any
) -> None:
    north, south = make_project(orgs.north, "北园管网"), make_project(orgs.south, "南镇厂房")
    make_reserve(north)
    make_reserve(south)
    tranche = make_tranche(orgs.city)
    url = reverse("funds:tranche_allot", args=[tranche.uid])
    page = finance.get(url, FRAME)
    assert len(page.context["lines"]) == 2
    form = {
        "effective_on": "2022-03-01",
        f"p{north.pk}-amount": "3000",
        f"p{south.pk}-amount": "8,000",
    }
    left = finance.get(reverse("funds:tranche_left", args=[tranche.uid]), {**FRAME, **form})
    assert left.context["left"]["after"] == Decimal(-10_000_000)
    assert "more than the tranche" in left.content.decode()
    asked = finance.post(f"{url}?as_of=2022-09-30", form)
    assert asked.status_code == 422 or "confirm" in asked.content.decode()
    refused = finance.post(f"{url}?as_of=2022-09-30", {**form, "confirmed": "1"})
    assert refused.status_code == 422 and "are left to allot" in refused.content.decode()
    over = finance.post(f"{url}?as_of=2022-09-30", {**form, f"p{south.pk}-amount": "6000"})
    assert "南镇厂房" in str(over.context["form"].warnings)
    form[f"p{south.pk}-amount"] = "5000"
    done = finance.post(f"{url}?as_of=2022-09-30", form, follow=True)
    (message,) = list(done.context["messages"])
    assert "2 projects" in str(message)
    assert done.context["whole"].allotted == 80_000_000
    back = finance.post(message.extra_tags.removeprefix("undo="), follow=True)
    assert back.context["tranche"].allotted == 0
    with everywhere():
        assert not Allotment.objects.filter(retracted_at=None).exists()
    assert finance.post(reverse("funds:allotments_undo", args=["nonsense"])).status_code == 404


def test_one_allotment_is_taken_back_with_a_reason(
    finance: Client, orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any, give: Any
) -> None:
    project = make_project(orgs.north)
    make_reserve(project)
    tranche = make_tranche(orgs.city)
    row = give(tranche, project, 10_000_000)
    url = reverse("funds:allotment_take_back", args=[tranche.uid, row.pk])
    assert "Say why" in finance.post(url, {"reason": ""}, follow=True).content.decode()
    assert "struck out" in finance.post(url, {"reason": "typo"}, follow=True).content.decode()
    with everywhere():
        assert Tranche.objects.get().allotted == 0


def test_early_redemption_through_the_page(
    finance: Client, orgs: Any, make_project: Any, make_reserve: Any, make_tranche: Any, give: Any
) -> None:
    project = make_project(orgs.north, "North pipes")
    make_reserve(project)
    tranche = make_tranche(orgs.city)
    url = reverse("funds:tranche_redeem", args=[tranche.uid])
    assert "Nothing to redeem" in finance.get(url, FRAME).content.decode()
    give(tranche, project, 10_000_000)
    form = {"project": str(project.pk), "amount": "2000", "effective_on": "2025-02-23"}
    target = f"{url}?as_of=2022-09-30&org=linzhou"
    assert "outstanding" in str(finance.post(target, form).context["form"].errors["amount"])
    late = finance.post(target, {**form, "amount": "500", "effective_on": "2040-01-01"})
    assert "effective_on" in late.context["form"].errors
    assert finance.post(target, {**form, "amount": "500"}).status_code == 302
    bonds = finance.get(reverse("funds:debt_service_project", args=[project.uid]), FRAME)
    rows = {row.year: row for row in bonds.context["rows"]}
    assert rows[2025].principal == 5_000_000
    with everywhere():
        row = EarlyRedemption.objects.get()
    back = reverse("funds:redemption_take_back", args=[tranche.uid, row.pk])
    finance.post(back, {"reason": "typo"})
    with everywhere():
        assert not EarlyRedemption.objects.filter(retracted_at=None).exists()


def test_quota_is_stated_raised_and_taken_back(finance: Client, orgs: Any) -> None:
    url = reverse("funds:quotas")
    assert "No quota stated" in finance.get(url, FRAME).content.decode()
    form = {"org": str(orgs.city.pk), "year": "2022", "amount": "20000", "effective_on": "2022-01-10"}
    assert finance.post(f"{url}?org=linzhou&as_of=2022-09-30", form).status_code == 302
    assert finance.post(url, {**form, "amount": "-1"}).status_code == 422
    raised = {**form, "amount": "30000", "effective_on": "2022-06-01", "document": "湘财预〔2022〕5号"}
    assert finance.post(url, raised).status_code == 302
    page = finance.get(url, FRAME)
    ((row, _depth),) = page.context["rows"]
    assert row.quota.amount == 300_000_000 and row.left == 300_000_000
    assert len(page.context["statements"]) == 2
    before = finance.get(url, {**FRAME, "as_of": "2022-03-31"}).context["rows"][0][0]
    assert before.quota.amount == 200_000_000
    with everywhere():
        newest = Quota.objects.order_by("-effective_on").first()
    assert newest is not None
    finance.post(reverse("funds:quota_take_back", args=[newest.pk]), {"reason": "typo"})
    assert finance.get(url, FRAME).context["rows"][0][0].quota.amount == 200_000_000


def test_the_chain_passes_on_and_draws(
    make_user: Any,
    client_as: Any,
    orgs: Any,
    make_tranche: Any,
    make_project: Any,
    make_reserve: Any,
    give: Any,
) -> None:
    client = client_as(make_user("finance_officer", orgs.province))
    tranche = make_tranche(orgs.province)
    project = make_project(orgs.north)
    make_reserve(project)
    give(tranche, project, 20_000_000)
    url = reverse("funds:tranche_chain", args=[tranche.uid])
    frame = {**FRAME, "org": "jiangnan"}
    assert client.get(url, frame).context["picture"] is None
    target = f"{url}?org=jiangnan&as_of=2022-09-30"
    form = {
        "lender": str(orgs.province.pk),
        "borrower": str(orgs.city.pk),
        "amount": "6000",
        "effective_on": "2022-03-01",
        "agreement": "转贷协议1号",
    }
    assert client.post(target, {**form, "amount": "10000.01"}).status_code == 422
    assert client.post(target, form).status_code == 302
    down = {**form, "lender": str(orgs.city.pk), "borrower": str(orgs.north.pk)}
    assert "left to pass on" in client.post(target, {**down, "amount": "6001"}).content.decode()
    assert client.post(target, {**down, "amount": "1500"}).status_code == 302
    page = client.get(url, frame)
    links = {link.org.code: link for link in page.context["links"]}
    assert (links["jiangnan"].left, links["linzhou"].left) == (40_000_000, 45_000_000)
    assert links["north"].left == -5_000_000  # more allotted to its project than it received
    assert "more than received" in page.content.decode()
    assert len(page.context["picture"].bands) == 2
    with everywhere():
        first = OnLending.objects.order_by("id").first()
    assert first is not None
    back = reverse("funds:on_lending_take_back", args=[tranche.uid, first.pk])
    assert "has passed on" in client.post(back, {"reason": "typo"}, follow=True).content.decode()


def test_who_owes_whom(
    make_user: Any,
    client_as: Any,
    orgs: Any,
    make_tranche: Any,
    make_project: Any,
    make_reserve: Any,
    give: Any,
) -> None:
    """Value date 2022-02-23: the coupon of 23 February 2025, a Sunday, is paid on Monday."""
    tranche = make_tranche(orgs.province)
    project = make_project(orgs.north, "North pipes")
    make_reserve(project)
    give(tranche, project, 20_000_000)
    with everywhere():
        lend_on(SYSTEM, tranche, orgs.province, orgs.city, Decimal(50_000_000), date(2022, 3, 1))
    client = client_as(make_user("leader", orgs.province))
    url = reverse("funds:payment_dates")
    frame = {**FRAME, "org": "jiangnan", "year": "2025"}
    place = client.get(url, frame).context["lines"]
    assert [(line["debtor"], line["creditor"]) for line in place] == [
        ("Linzhou City", "Jiangnan Province")
    ] * 2
    assert place[0]["due"].due_on == date(2025, 2, 23) and place[0]["due"].pay_on == date(2025, 2, 24)
    assert place[0]["due"].interest == Decimal("632500")  # 50 m × 2.53 % ÷ 2
    mine = client.get(url, {**frame, "level": "project"}).context["lines"]
    assert (mine[0]["debtor"], mine[0]["creditor"]) == ("North pipes", "North Park")
    issuer = client.get(url, {**frame, "level": "issuer"}).context["lines"]
    assert issuer[0]["creditor"] == "Bondholders" and issuer[0]["due"].interest == Decimal("1265000")


def test_gap_years_are_flagged_although_the_total_covers(
    leader: Client, orgs: Any, make_tranche: Any, make_project: Any, make_reserve: Any, give: Any
) -> None:
    project = make_project(orgs.north, "Gap")
    reserve = make_reserve(project, approved=50_000_000, income=8_000_000)
    with everywhere():
        ReserveLoan.objects.create(
            reserve=reserve, lender="Bank", principal=5_000_000, rate=Decimal("0.045"), drawn_on=date(2022, 5, 1), periods=5,
        )  # fmt: skip
    give(make_tranche(orgs.city), project, 50_000_000)
    page = leader.get(reverse("funds:debt_service_project", args=[project.uid]), FRAME)
    assert page.status_code == 200
    assert page.context["gaps"] == [2022]
    assert [len(version["ratios"]) for version in page.context["versions"]] == [4, 4]
    coverage = leader.get(reverse("funds:coverage"), FRAME)
    ((line),) = coverage.context["lines"]
    assert line["gaps"] == [2022] and line["ratios"][0][1] == "success"
    with_gap = leader.get(reverse("funds:coverage"), {**FRAME, "gap": "yes"})
    assert len(with_gap.context["lines"]) == 1


def test_the_county_sees_the_tranche_its_project_draws_on_and_changes_nothing(
    make_user: Any,
    client_as: Any,
    orgs: Any,
    make_tranche: Any,
    make_project: Any,
    make_reserve: Any,
    give: Any,
) -> None:
    project = make_project(orgs.north)
    make_reserve(project)
    drawn, other = make_tranche(orgs.city), make_tranche(orgs.city)
    give(drawn, project, 1_000_000)
    park = client_as(make_user("finance_officer", orgs.north))
    page = park.get(reverse("funds:tranche", args=[drawn.uid]), {**FRAME, "org": "north"})
    assert page.status_code == 200 and not page.context["may_issue"]
    assert park.get(reverse("funds:tranche", args=[other.uid])).status_code == 404
    for name in ("tranche_edit", "tranche_allot", "tranche_redeem"):
        assert park.get(reverse(f"funds:{name}", args=[drawn.uid])).status_code == 403
    foreign = client_as(make_user("finance_officer", orgs.foreign))
    assert foreign.get(reverse("funds:tranche", args=[drawn.uid])).status_code == 404


PAGES = ("funds:tranches", "funds:quotas", "funds:debt_service", "funds:payment_dates", "funds:coverage")


def test_pages_without_anything_say_what_they_are_for(finance: Client) -> None:
    for name in PAGES:
        page = finance.get(reverse(name), FRAME)
        assert page.status_code == 200 and "ym-empty" in page.content.decode(), name


def test_query_counts_do_not_grow(
    finance: Client, orgs: Any, make_tranche: Any, make_project: Any, make_reserve: Any, give: Any, spend: Any
) -> None:
    tranche = make_tranche(orgs.city, amount=Decimal(900_000_000))

    def more(number: int) -> None:
        for _turn in range(number):
            project = make_project(orgs.north)
            make_reserve(project, income=9_000_000)
            give(tranche, project, 10_000_000)
            spend(tranche, project, disbursed=8_000_000, paid=2_000_000)
            give(make_tranche(orgs.city), project, 5_000_000)

    addresses = [reverse(name) for name in PAGES]
    addresses += [
        reverse(f"funds:{name}", args=[tranche.uid])
        for name in ("tranche", "tranche_service", "tranche_chain", "tranche_allot", "tranche_left")
    ]

    def counts() -> list[int]:
        found = []
        for address in addresses:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert finance.get(address, FRAME).status_code == 200
            found.append(len(queries))
        return found

    more(2)
    counts()  # what is kept between requests
    few = counts()
    more(4)
    counts()
    assert counts() == few
