"""The life of a special bond in a browser: review, send-back, approval, two tranches, a contract paid ahead of the work,
a change of use; the yuan followed both ways; the years with a gap of a project whose income covers its debt 1.12 times."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Page

from tests.conftest import Orgs
from tests.funds.reserve import conftest as reserve_kit
from tests.journeys.conftest import PHONE, accessibility_faults, overflow
from yuanmai.core.findings import Finding
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.models import Allotment, ChangeOfUse, Contract, Payment, Reserve, Tranche, WorkItem
from yuanmai.funds.reserve import actions

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Visit = Callable[..., Page]
HEADINGS, scores = reserve_kit.HEADINGS, reserve_kit.scores
# The fixtures of the reserve's own tests: a project that passes every gate.
project, enter, complete, handed_in = (
    reserve_kit.project, reserve_kit.enter, reserve_kit.complete, reserve_kit.handed_in,
)  # fmt: skip
DAY = "as_of=2022-03-31&org=linzhou"
MAY, JULY = "as_of=2022-05-31&org=linzhou", "as_of=2022-07-31&org=linzhou"


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Any) -> None:
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"


@pytest.fixture
def people(make_user: Any, orgs: Orgs) -> dict[str, Any]:
    """Who takes part: the park's project officer, the city's finance and development-reform officers."""
    return {
        "officer": make_user("project_officer", orgs.north),
        "finance": make_user("finance_officer", orgs.city),
        "reform": make_user("reform_officer", orgs.city),
    }


def save(page: Page, *, refused: bool = False) -> None:
    """Send the form of the page, confirming a warning; with `refused` it must come back with an error."""
    for _attempt in range(2):
        page.locator("form.ym-form .ym-form-actions .btn-primary").first.click()
        page.wait_for_load_state("networkidle")
        confirm = page.locator("form.ym-form input[name=confirmed]")
        if not confirm.count():
            break
        confirm.check()
    errors = page.locator("form.ym-form .ym-field-error, form.ym-form .alert-danger").all_inner_texts()
    assert bool(errors) == refused, errors


def fill(page: Page, **values: str) -> None:
    """Fill fields by their ids."""
    for name, value in values.items():
        field = page.locator(f"#id_{name}")
        if field.evaluate("element => element.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)


def step(page: Page, code: str, **values: str) -> None:
    """Carry out a step of a workflow: its form stands on the page."""
    form = page.locator(f"form[action*='/{code}/']").first
    if not form.is_visible():
        page.locator("details", has=form).first.locator("summary").click()
    for name, value in values.items():
        form.locator(f"[name={name}]").fill(value)
    form.locator("button[type=submit], .btn-primary").last.click()
    page.wait_for_load_state("networkidle")


def review(page: Page, reserve: Reserve, body: str, score: int, verdict: str, opinion: str = "") -> None:
    page.goto(f"/funds/reserve/{reserve.uid}/review/{body}/?{DAY}")
    for code in HEADINGS:
        page.locator(f"#id_score_{code}").fill(str(score))
    page.locator(f"input[name=verdict][value={verdict}]").check()
    page.locator("#id_opinion").fill(opinion)
    save(page)


def state(reserve: Reserve) -> str:
    with everywhere():
        return str(Reserve.objects.get(pk=reserve.pk).state)


def tranche(page: Page, code: str, tendered: str, amount: str) -> UUID:
    """Enter a tranche in the browser; the value date follows from the tender."""
    page.goto(f"/funds/bonds/new/?{MAY}")
    fill(
        page,
        code=code,
        name=f"2022年专项债券{code}",
        amount=amount,
        rate="3.5",
        term_years="15",
        tendered_on=tendered,
    )
    save(page)
    with everywhere():
        return Tranche.objects.get(code=code).uid


def allot(page: Page, uid: UUID, amount: str, on: str) -> None:
    page.goto(f"/funds/bonds/{uid}/allot/?{MAY}")
    fill(page, effective_on=on)
    row = page.locator("tr", has=page.locator("th", has_text="北园污水管网"))
    row.locator("input[name$=amount]").fill(amount)
    page.wait_for_timeout(600)  # what is left to allot is asked for while one types
    page.wait_for_load_state("networkidle")
    save(page)


def test_the_life_of_a_special_bond(
    open_page: Visit, orgs: Orgs, people: dict[str, Any], complete: Any, make_project: Any
) -> None:
    reserve: Reserve = complete(revenue=1080)
    with everywhere():
        receiver_project = make_project(orgs.south, "南镇道路", total=100_000_000)
        receiver: Reserve = complete(which=receiver_project, revenue=1500)
        for body in ("finance", "reform"):
            actions.move_reserve(
                SYSTEM, receiver, "submit", date(2022, 3, 31), {}
            ) if body == "finance" else None
            actions.review_reserve(SYSTEM, receiver, body, date(2022, 3, 31), scores(), "pass", "")
    record = f"/funds/reserve/{reserve.uid}/"

    # Handed in, sent back by finance with a reason, put right, passed by both.
    officer = open_page(f"{record}?{DAY}", people["officer"])
    step(officer, "submit")
    finance = open_page(f"{record}?{DAY}", people["finance"])
    review(finance, reserve, "finance", 55, "send_back", "收入测算依据不足")
    officer.goto(f"{record}?{DAY}")
    assert officer.get_by_text("收入测算依据不足").first.is_visible()
    step(officer, "submit", text="已补充租金与管网使用费依据")
    review(finance, reserve, "finance", 82, "pass")
    reform = open_page(f"{record}?{DAY}", people["reform"])
    review(reform, reserve, "reform", 85, "pass")
    assert state(reserve) == "reviewed"
    finance.goto(f"{record}?{DAY}")
    step(finance, "report", document="临财债〔2022〕12号")
    step(finance, "approve", amount="7000", document="省财债〔2022〕30号")
    assert state(reserve) == "approved"

    # Two tranches: 40 + 30 million.
    first = tranche(finance, "2205801", "2022-04-14", "4000")
    second = tranche(finance, "2205802", "2022-05-18", "6000")
    with everywhere():
        assert Tranche.objects.get(uid=first).value_date == date(2022, 4, 15)
    allot(finance, first, "4000", "2022-04-15")
    allot(finance, second, "3000", "2022-05-19")
    with everywhere():
        assert sum(a.amount for a in Allotment.objects.filter(project=reserve.project)) == Decimal(70_000_000)
    assert state(reserve) == "issued"

    # A contract is paid ahead of the work.
    project_page = f"/funds/paying/projects/{reserve.project.uid}/"
    officer.goto(f"{project_page}contracts/new/?{MAY}")
    fill(
        officer,
        number="NB-01",
        name="污水管网施工合同",
        payee="临州市政公司",
        amount="3000",
        signed_on="2022-05-20",
    )
    officer.locator("#id_use").select_option(index=1)
    save(officer)
    with everywhere():
        contract = Contract.objects.get(number="NB-01")
    officer.goto(f"{project_page}works/new/?{MAY}")
    fill(officer, name="污水管道", unit="m", planned="12000")
    officer.locator("#id_contract").select_option(str(contract.pk))
    save(officer)
    with everywhere():
        work = WorkItem.objects.get()
    phone = open_page(f"/funds/paying/works/{work.pk}/measure/?{JULY}", people["officer"], viewport=PHONE)
    assert overflow(phone) == 0
    fill(phone, quantity="1200", effective_on="2022-07-20")
    save(phone)
    finance.goto(f"{project_page}disburse/?{JULY}")
    fill(finance, tranche=str(first), amount="2000", effective_on="2022-06-10")
    save(finance)
    finance.goto(f"/funds/paying/contracts/{contract.uid}/pay/?{JULY}")
    fill(finance, tranche=str(first), amount="1500", effective_on="2022-07-25")
    save(finance)  # warned that half is paid and a tenth stands
    with everywhere():
        assert Payment.objects.get().amount == Decimal(15_000_000)
        kinds = set(Finding.objects.filter(state="open").values_list("kind", flat=True))
    assert any("ahead" in kind for kind in kinds), kinds
    assert state(reserve) == "drawn"

    # A payment beyond the contract is refused, and nothing is stored.
    finance.goto(f"/funds/paying/contracts/{contract.uid}/pay/?{JULY}")
    fill(finance, tranche=str(first), amount="1600", effective_on="2022-07-26")
    save(finance, refused=True)
    with everywhere():
        assert Payment.objects.count() == 1

    # Part of what is not used goes to another project.
    finance.goto(f"{project_page}change-of-use/?{JULY}")
    fill(
        finance, tranche=str(second), receiver=str(receiver_project.uid), amount="1000", case="need_changed",
        requested_on="2022-07-28", reason="管网长度经优化后减少",
    )  # fmt: skip
    save(finance)
    with everywhere():
        change = ChangeOfUse.objects.get()
    assert change.state == "draft" and change.amount == Decimal(10_000_000)

    _both_ways(finance, str(first))
    _gap_years(finance)


def _both_ways(page: Page, first: str) -> None:
    """From the tranche forwards to the pipe, from the pipe backwards to the tranche."""
    page.goto(f"/funds/insight/follow/?{JULY}")
    page.locator("ym-chart canvas").first.wait_for()
    page.locator("a:visible", has_text="2205801").first.click()
    page.wait_for_load_state("networkidle")
    body = page.locator("main").inner_text()
    assert "污水管道" in body and "北园污水管网" in body and "2205802" not in body
    page.locator("a:visible", has_text="污水管道").first.click()
    page.wait_for_load_state("networkidle")
    assert "2205801" in page.locator("main").inner_text()


def _gap_years(page: Page) -> None:
    """The total covers 1.12 times, and the years of building have a gap."""
    page.goto(f"/funds/insight/calendar/?{JULY}")
    row = page.locator("tr", has_text="北园污水管网").first
    text = row.inner_text()
    assert "1.12" in text and re.search(r"2022.{0,3}20\d\d", text), text
    assert "gap" in page.locator("main").inner_text().lower()


def test_the_pages_are_accessible_and_fit(
    open_page: Visit, orgs: Orgs, people: dict[str, Any], handed_in: Any
) -> None:
    reserve: Reserve = handed_in()
    page = open_page(f"/funds/overview/?{DAY}", people["finance"])
    record, uid = f"/funds/reserve/{reserve.uid}", reserve.project.uid
    paths = (
        "/funds/overview/", "/funds/reserve/", "/funds/reserve/demand/", "/funds/reserve/rules/", f"{record}/", f"{record}/plan/",
        f"{record}/coverage/", f"{record}/stress/", f"{record}/checklist/", f"{record}/uses/", f"{record}/reviews/",
        f"{record}/review/finance/", f"{record}/history/", "/funds/bonds/", "/funds/bonds/new/", "/funds/bonds/quota/",
        "/funds/bonds/service/", "/funds/bonds/service/dates/", "/funds/bonds/service/coverage/", f"/funds/bonds/projects/{uid}/",
        "/funds/paying/", "/funds/paying/contracts/", "/funds/paying/certificates/", "/funds/paying/changes/",
        f"/funds/paying/projects/{uid}/", "/funds/insight/follow/", "/funds/insight/calendar/", "/funds/insight/optimiser/",
        "/funds/papers/",
    )  # fmt: skip
    faults = {}
    for path in paths:
        answer = page.goto(f"{path}?{DAY}")
        if answer is None or answer.status != 200:
            faults[path] = [f"status {answer and answer.status}"]
        elif found := [*accessibility_faults(page), *([f"overflow {n}"] if (n := overflow(page)) else [])]:
            faults[path] = found
    assert faults == {}
