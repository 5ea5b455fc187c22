"""The pages of the reserve: what they show, whom they let in, and what they cost."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.funds.reserve.conftest import DAY, HEADINGS, WAN
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.todo import todos
from yuanmai.funds.models import Attachment, BondRule, NamedUse, PlanYear, Reserve, ReserveLoan, Review
from yuanmai.funds.reserve import actions

pytestmark = pytest.mark.django_db
FRAME = {"as_of": DAY.isoformat(), "org": "linzhou"}
TABS = ("reserve_record", "reserve_plan", "reserve_coverage", "reserve_stress", "reserve_checklist", "reserve_uses", "reserve_reviews", "reserve_history")  # fmt: skip
LISTS = ("reserve", "reserve_demand", "rules", "pick_reserve")


@pytest.fixture
def finance(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A finance officer of the city."""
    return client_as(make_user("finance_officer", orgs.city))


@pytest.fixture
def reform(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A development-reform officer of the city."""
    return client_as(make_user("reform_officer", orgs.city))


def at(name: str, *args: Any, **more: str) -> str:
    query = "&".join(f"{k}={v}" for k, v in {**FRAME, **more}.items())
    return f"{reverse(f'funds:{name}', args=args)}?{query}"


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_in_both_languages(
    complete: Any, make_user: Any, orgs: Any, client_as: Any, language: str
) -> None:
    reserve = complete()
    client = client_as(make_user("finance_officer", orgs.city), language=language)
    pages = [*(at(name) for name in LISTS), *(at(name, reserve.uid) for name in TABS)]
    pages += [
        at("rule", "minimum_capital"), at("rule", "fields"), at("project_reserve", reserve.project.uid),
        at("edit_reserve", reserve.uid), at("enter_reserve", reserve.project.uid),
        at("reserve_plan", reserve.uid, mode="sheet"), at("reserve_checklist", reserve.uid, mode="edit"),
        at("reserve_uses", reserve.uid, edit="uses"), at("reserve_uses", reserve.uid, edit="loans"),
        at("reserve_coverage", reserve.uid, version="operating"), at("reserve_stress", reserve.uid, rows="tax", columns="tax"),
    ]  # fmt: skip
    for url in pages:
        answer = client.get(url)
        assert answer.status_code == 200, url
        text = answer.content.decode()
        assert not re.search(
            r'style="|<script(?! type="application/json"| type="module"| src=| defer)|\bon(click|change)=',
            text,
        ), url
        if language == "zh-hans":
            assert "Debt service" not in text and "Reserve project" not in text, url


def test_an_empty_reserve_says_what_to_do(finance: Client) -> None:
    for name in LISTS:
        assert finance.get(at(name)).status_code == 200
    assert "The reserve is empty" in finance.get(at("reserve")).content.decode()


def form_of(**more: str) -> dict[str, str]:
    return {
        "year": "2022", "field": "park_infrastructure", "sector": "infrastructure", "total_investment": "10000",
        "capital": "3000", "requested": "7000", "term_years": "15", "rate": "3.5", "repayment": "bullet", **more,
    }  # fmt: skip


def test_entering_through_the_form(finance: Client, project: Any) -> None:
    url = at("enter_reserve", project.uid)
    page = finance.get(url)
    assert page.context["form"].initial["total_investment"] == Decimal(100_000_000)
    wrong = finance.post(url, form_of(requested="-5", rate="350"))
    assert wrong.status_code == 422 and {"requested", "rate"} <= set(wrong.context["form"].errors)
    doubt = finance.post(url, form_of(capital="2000"))
    assert doubt.status_code == 422 and doubt.context["form"].warnings
    assert finance.post(url, form_of(capital="2000", confirmed="1")).status_code == 302
    with everywhere():
        reserve = Reserve.objects.get()
        assert (reserve.rate, reserve.requested, reserve.frequency) == (Decimal("0.035"), WAN * 7000, 2)
        assert len(reserve.editors) == 1
    edited = finance.post(at("edit_reserve", reserve.uid), form_of(joint_start="2022年第二批"))
    assert edited.status_code == 302
    changed = finance.get(at("reserve_history", reserve.uid)).context["entries"][0]["changes"]
    assert "2022年第二批" in [row["after"] for row in changed]
    found = finance.get(at("reserve", joint_start="2022年第二批"))
    assert [item["line"].reserve.pk for item in found.context["lines"]] == [reserve.pk]


def test_the_plan_is_saved_from_the_sheet(finance: Client, enter: Any) -> None:
    reserve = enter()
    url = at("save_reserve_plan", reserve.uid, version="plan")

    def save(*rows: dict[str, Any]) -> Any:
        return finance.post(url, json.dumps({"rows": rows}), content_type="application/json")

    wrong = save({"id": 2025, "values": {"revenue": "-3"}}, {"id": 2026, "values": {"tax": "abc"}})
    assert wrong.status_code == 422
    assert ("tax", 2026) in {(e["key"], e["id"]) for e in wrong.json()["errors"]}
    assert save({"id": 2025, "values": {"revenue": "-3"}}).json()["errors"][0]["key"] == "revenue"
    assert save({"id": 1800, "values": {"revenue": "3"}}).status_code == 422
    assert finance.post(url, "nonsense", content_type="application/json").status_code == 400
    with everywhere():
        assert not PlanYear.objects.exists()
    done = save({"id": 2025, "values": {"revenue": "1,200.5", "tax": ""}})
    assert done.json()["saved"] == 1
    with everywhere():
        assert PlanYear.objects.get().revenue == Decimal("12005000")
    assert save({"id": 2025, "values": {"tax": "3"}}).status_code == 200
    with everywhere():
        row = PlanYear.objects.get()
        assert (row.revenue, row.tax) == (Decimal("12005000"), Decimal("30000"))


def test_checklist_and_its_files(finance: Client, enter: Any) -> None:
    reserve = enter()
    page = finance.get(at("reserve_checklist", reserve.uid, mode="edit"))
    lines = [line for group in page.context["groups"] for line in group["lines"]]
    data = {f"{line['code']}-state": "done" for line in lines} | {"land-document": "湘自资〔2022〕3号"}
    wrong = finance.post(at("reserve_checklist", reserve.uid), {**data, "land-state": "lost"})
    assert wrong.status_code == 422
    assert finance.post(at("reserve_checklist", reserve.uid), data).status_code == 302
    add = at("add_reserve_file", reserve.uid)
    paper = SimpleUploadedFile("实施方案.pdf", b"%PDF-1.7 plan")
    assert finance.post(add, {"item": "implementation_plan", "file": paper}).status_code == 302
    finance.post(add, {"item": "legal_opinion", "file": SimpleUploadedFile("x.exe", b"MZ...")})
    with everywhere():
        row = Attachment.objects.get()
    page = finance.get(at("reserve_checklist", reserve.uid))
    assert "实施方案.pdf" in page.content.decode()
    assert any("none of the kinds" in str(m) for m in page.context["messages"])
    finance.post(
        reverse("funds:take_back_file", args=[row.pk]), {"next": at("reserve_checklist", reserve.uid)}
    )
    assert "实施方案.pdf" not in finance.get(at("reserve_checklist", reserve.uid)).content.decode().replace(
        "“实施方案.pdf”", ""
    )
    assert finance.get(reverse("funds:file", args=[row.pk])).status_code == 404


def test_uses_and_loans_are_stated_line_by_line(finance: Client, enter: Any) -> None:
    reserve = enter()
    uses = {"use-TOTAL_FORMS": "2", "use-INITIAL_FORMS": "0", "use-0-name": "管网", "use-0-amount": "7000",
            "use-0-capital_expenditure": "on", "use-1-name": "泵站", "use-1-amount": ""}  # fmt: skip
    url = at("reserve_uses", reserve.uid, edit="uses")
    wrong = finance.post(url, uses)
    assert wrong.status_code == 422 and wrong.context["use_set"].forms[1].errors
    with everywhere():
        assert not NamedUse.objects.exists()
    assert finance.post(url, {**uses, "use-1-name": ""}).status_code == 302
    loans = {"loan-TOTAL_FORMS": "1", "loan-INITIAL_FORMS": "0", "loan-0-lender": "江南银行", "loan-0-principal": "500",
             "loan-0-rate": "45", "loan-0-drawn_on": "2023-01-01", "loan-0-periods": "10", "loan-0-frequency": "1",
             "loan-0-kind": "level_payment"}  # fmt: skip
    url = at("reserve_uses", reserve.uid, edit="loans")
    assert finance.post(url, loans).status_code == 422
    assert finance.post(url, {**loans, "loan-0-rate": "4.5"}).status_code == 302
    with everywhere():
        assert NamedUse.objects.get().amount == WAN * 7000
        assert ReserveLoan.objects.get().rate == Decimal("0.045")


def reviewed(client: Client, reserve: Reserve, body: str, verdict: str = "pass", **more: str) -> Any:
    data = {f"score_{code}": "85" for code in HEADINGS} | {"verdict": verdict, **more}
    return client.post(at("review_reserve", reserve.uid, body), data)


def test_from_the_review_to_the_approval(finance: Client, reform: Client, handed_in: Any) -> None:
    reserve = handed_in()
    assert finance.get(at("review_reserve", reserve.uid, "finance")).status_code == 200
    assert finance.get(at("review_reserve", reserve.uid, "reform")).status_code == 403
    assert finance.get(at("review_reserve", reserve.uid, "police")).status_code == 404
    assert reviewed(finance, reserve, "finance", "send_back").status_code == 422
    assert reviewed(finance, reserve, "finance").status_code == 302
    again = finance.get(at("review_reserve", reserve.uid, "finance"))
    assert again.status_code == 302 and again["Location"] == reverse(
        "funds:reserve_reviews", args=[reserve.uid]
    )
    assert reviewed(reform, reserve, "reform").status_code == 302
    move = lambda code, **data: finance.post(at("move_reserve", reserve.uid, code), data)  # noqa: E731
    assert move("report").status_code == 422
    assert move("report", document="临财债〔2022〕1号").status_code == 302
    wrong = move("approve", document="湘财预〔2022〕8号", amount="8000")
    assert wrong.status_code == 422
    assert move("approve", document="湘财预〔2022〕8号", amount="6000").status_code == 302
    assert move("fly").status_code == 404
    page = finance.get(at("reserve_record", reserve.uid))
    assert page.context["stage"] == "Approved"
    text = finance.get(at("reserve_history", reserve.uid)).content.decode()
    assert "湘财预〔2022〕8号" in text and "Passed by both bodies" in text
    (row,) = finance.get(at("reserve")).context["lines"]
    assert row["line"].reserve.approved_then == WAN * 6000 and row["line"].score == 85


def test_withdrawn_and_put_back(finance: Client, enter: Any) -> None:
    reserve = enter()
    finance.post(at("withdraw_reserve", reserve.uid), {"reason": ""})
    assert finance.get(at("reserve")).context["total"] == 1
    finance.post(at("withdraw_reserve", reserve.uid), {"reason": "不再申报"})
    assert finance.get(at("reserve")).context["total"] == 0
    assert finance.get(at("reserve_record", reserve.uid)).context["stage"] == "Withdrawn from the reserve"
    finance.post(at("restore_reserve", reserve.uid))
    assert finance.get(at("reserve")).context["total"] == 1


def test_a_foreign_place_sees_nothing(make_user: Any, orgs: Any, client_as: Any, complete: Any) -> None:
    reserve = complete()
    stranger = client_as(make_user("finance_officer", orgs.foreign))
    for name in (*TABS, "edit_reserve"):
        assert stranger.get(at(name, reserve.uid)).status_code == 404, name
    for name in ("withdraw_reserve", "restore_reserve", "add_reserve_file", "save_reserve_plan"):
        assert stranger.post(at(name, reserve.uid)).status_code == 404, name
    assert stranger.post(at("move_reserve", reserve.uid, "submit")).status_code == 404
    assert stranger.get(at("reserve")).context["total"] == 0


def test_readers_see_no_button_that_writes(make_user: Any, orgs: Any, client_as: Any, complete: Any) -> None:
    reserve = complete()
    leader = client_as(make_user("leader", orgs.city))
    for name in TABS:
        page = leader.get(at(name, reserve.uid))
        assert page.status_code == 200 and not page.context["may_keep"]
    assert leader.get(at("edit_reserve", reserve.uid)).status_code == 403
    assert leader.post(at("move_reserve", reserve.uid, "submit"), {}).status_code == 403
    assert leader.post(at("rule", "idle_months"), {}).status_code == 200  # no form, nothing saved
    with everywhere():
        assert not BondRule.objects.exists()


def test_a_rule_is_decided_with_its_document(finance: Client, orgs: Any) -> None:
    url = at("rule", "coverage_threshold")
    data = {"org": str(orgs.city.pk), "effective_on": "2022-01-01", "value": "1.15", "source": ""}
    assert finance.post(url, data).status_code == 422
    assert finance.post(url, {**data, "source": "临财〔2022〕2号", "value": "abc"}).status_code == 422
    assert finance.post(url, {**data, "source": "临财〔2022〕2号"}).status_code == 302
    page = finance.get(url)
    assert page.context["line"]["value"] == "1.15" and not page.context["line"]["is_default"]
    (message,) = [m for m in page.context["messages"] if "undo=" in m.extra_tags]
    finance.post(message.extra_tags.removeprefix("undo="))
    assert finance.get(url).context["line"]["value"] == "1.1"


@pytest.mark.parametrize(
    ("code", "typed", "stored"),
    [
        ("capital_share_cap", "35", "0.35"),
        ("permitted_terms", "5, 10，20", [5, 10, 20]),
        ("minimum_capital", "port 20\nairport 25", {"port": "0.2", "airport": "0.25"}),
        ("review_headings", "income 30\nothers 5", {"income": "30", "others": "5"}),
        ("fields", "railway any\npark_infrastructure park national\noffice_building negative\neducation",
         {"railway": {"capital": "any"}, "park_infrastructure": {"capital": "park", "levels": ["national"]},
          "office_building": {"negative": True}, "education": {}}),
        ("checklist", "land land 14 approval\nlegal_opinion offering 6 review file",
         {"land": {"group": "land", "weight": "14", "needed": "approval"},
          "legal_opinion": {"group": "offering", "weight": "6", "needed": "review", "file": True}}),
        ("idle_months", "8", 8),
    ],
)  # fmt: skip
def test_rules_of_every_kind_are_typed_and_shown(
    finance: Client, orgs: Any, code: str, typed: str, stored: Any
) -> None:
    data = {
        "org": str(orgs.city.pk),
        "effective_on": "2022-01-01",
        "value": typed,
        "source": "临财〔2022〕2号",
    }
    assert finance.post(at("rule", code), data).status_code == 302
    with everywhere():
        assert BondRule.objects.get().value == stored
    assert finance.get(at("rule", code)).status_code == 200
    assert finance.get(at("rules")).status_code == 200


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("capital_share_cap", "130"), ("capital_share_cap", "-1"), ("permitted_terms", "x"), ("permitted_terms", ""),
        ("minimum_capital", "port"), ("minimum_capital", "port 120"), ("fields", "railway sometimes"), ("fields", "a park local"),
        ("checklist", "land sea 3 review"), ("idle_months", "1.5"), ("idle_months", "-2"), ("coverage_threshold", "NaN"),
    ],
)  # fmt: skip
def test_nonsense_is_no_rule(finance: Client, orgs: Any, code: str, typed: str) -> None:
    data = {
        "org": str(orgs.city.pk),
        "effective_on": "2022-01-01",
        "value": typed,
        "source": "临财〔2022〕2号",
    }
    answer = finance.post(at("rule", code), data)
    assert answer.status_code == 422 and "value" in answer.context["form"].errors
    with everywhere():
        assert not BondRule.objects.exists()


def test_sorted_filtered_exported(finance: Client, enter: Any, make_project: Any, orgs: Any) -> None:
    one = enter(requested=WAN * 5000, capital=WAN * 5000)
    two = enter(
        make_project(orgs.south, "南镇路网", total=100_000_000), requested=WAN * 7000, field="toll_road"
    )
    order = lambda **more: [i["line"].reserve.pk for i in finance.get(at("reserve", **more)).context["lines"]]  # noqa: E731
    assert order(sort="-requested") == [two.pk, one.pk] and order(sort="requested") == [one.pk, two.pk]
    assert (
        order(field="toll_road") == [two.pk] and order(q="nzlw") == [two.pk] and order(state="approved") == []
    )
    assert order(sort="nonsense") and order(sort="-deadline") and order(sort="coverage")
    book = finance.get(at("export_reserve"))
    assert book.status_code == 200 and book.content[:2] == b"PK"
    demand = finance.get(at("reserve_demand", year="2022"))
    assert demand.context["whole"].number == 2 and demand.context["whole"].requested == WAN * 12_000
    assert {group.label for group in demand.context["places"]} == {"North Park", "South Town"}


def test_queries_do_not_grow_with_the_reserve(
    finance: Client, enter: Any, make_project: Any, orgs: Any
) -> None:
    def cost(url: str) -> int:
        finance.get(url)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert finance.get(url).status_code == 200
        return len(seen)

    enter()
    before = [cost(at(name)) for name in ("reserve", "reserve_demand")]
    for number in range(6):
        enter(make_project(orgs.north, f"Project {number}", total=100_000_000))
    assert [cost(at(name)) for name in ("reserve", "reserve_demand")] == before


def test_what_waits_for_whom(handed_in: Any, make_user: Any, orgs: Any, actor_of: Any) -> None:
    reserve = handed_in()
    people = {
        role: actor_of(make_user(role, orgs.city))
        for role in ("finance_officer", "reform_officer", "project_officer", "leader")
    }

    def waiting(role: str) -> list[str]:
        with everywhere():
            return [t.url for t in todos(people[role], DAY) if "/funds/reserve/" in t.url]

    review = reverse("funds:review_reserve", args=[reserve.uid, "finance"])
    assert waiting("finance_officer") == [review]
    assert waiting("reform_officer") == [reverse("funds:review_reserve", args=[reserve.uid, "reform"])]
    assert waiting("project_officer") == [] == waiting("leader")
    scores = {code: {"score": Decimal(80)} for code in HEADINGS}
    with everywhere():
        actions.review_reserve(SYSTEM, reserve, "finance", DAY, scores, "send_back", "补充可研批复")
    assert waiting("project_officer") == [reverse("funds:reserve_reviews", args=[reserve.uid])]
    assert waiting("reform_officer") == []
    with everywhere():
        actions.move_reserve(SYSTEM, reserve, "submit", DAY, {"text": "已补充"})
        for body in Review.Body.values:
            actions.review_reserve(SYSTEM, reserve, body, DAY, scores, "pass")
    assert waiting("finance_officer") == [f"{reverse('funds:reserve_record', args=[reserve.uid])}#steps"]


def test_search_finds_by_initials(finance: Client, enter: Callable[..., Reserve]) -> None:
    reserve = enter()
    found = finance.get("/search", {"q": "bywsgw", "format": "json"}).json()["results"]
    assert reverse("funds:reserve_record", args=[reserve.uid]) in [hit["url"] for hit in found]
