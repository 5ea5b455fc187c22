"""The pages of paying: what they show, forms with their refusals, queries that do not grow."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.funds.paying.conftest import DAY, SIGNED, World, add_reserve, build, wan
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.core.todo import waiting
from yuanmai.funds.models import (
    Attachment,
    Certificate,
    ChangeOfUse,
    Contract,
    Invoice,
    Measurement,
    Payment,
    UsePlan,
)
from yuanmai.funds.paying import actions
from yuanmai.people.actor import UserActor

pytestmark = pytest.mark.django_db
FRAME = {"as_of": "2022-05-31", "org": "linzhou"}
Q = "?as_of=2022-05-31"


@pytest.fixture
def world(orgs: Any, make_project: Any) -> World:
    with everywhere():
        made = build(orgs, make_project)
        made.disburse(500)
    return made


@pytest.fixture
def finance(make_user: Any, orgs: Any, client_as: Any) -> Client:
    """A signed-in finance officer of the city, who may do everything in paying."""
    return client_as(make_user("finance_officer", orgs.city))


def get(client: Client, name: str, /, *args: Any, **more: str) -> Any:
    return client.get(reverse(f"funds:{name}", args=args), {**FRAME, **more})


def post(client: Client, name: str, /, *args: Any, **form: Any) -> Any:
    return client.post(f"{reverse(f'funds:{name}', args=args)}{Q}", form)


def test_a_contract_lives_through_the_pages(
    finance: Client, world: World, client_as: Any, make_user: Any
) -> None:
    """Contract, certificate, confirmation by somebody else, invoice, plan, payment with photograph, taking back."""
    uid = world.project.uid
    form = {
        "number": "C-9",
        "name": "Pumps",
        "payee": "Pump Ltd",
        "amount": "300",
        "signed_on": "2022-01-20",
        "use": world.use.pk,
    }
    assert post(finance, "contract_new", uid, **form).status_code == 302
    with everywhere():
        contract = Contract.objects.get(number="C-9")
    assert contract.amount == wan(300)
    assert get(finance, "contract_new", uid).status_code == 200
    paper = {"number": "1", "amount": "100", "effective_on": "2022-03-01"}
    pdf = SimpleUploadedFile("sheet.pdf", b"%PDF-1.4 sheet")
    assert post(finance, "certificate_new", contract.uid, **paper, file=pdf).status_code == 302
    with everywhere():
        certificate = Certificate.objects.get()
        assert Attachment.objects.get().target == f"certificate:{certificate.pk}"
    confirm = {"supervisor": "Firm", "confirmed_on": "2022-03-02"}
    own = post(finance, "certificate_confirm", certificate.pk, **confirm)
    assert own.status_code == 422 and "yourself" in own.content.decode()
    other = client_as(make_user("finance_officer", world.orgs.city))
    assert post(other, "certificate_confirm", certificate.pk, **confirm).status_code == 302
    bill = {"number": "55", "amount": "100", "effective_on": "2022-03-03", "seller": ""}
    assert post(finance, "invoice_new", contract.uid, **bill).status_code == 302
    twice = post(finance, "invoice_new", contract.uid, **bill)
    assert twice.status_code == 422 and "55" in twice.content.decode()
    plan = {"month": "2022-05", "amount": "200", "filed_on": "2022-03-20"}
    assert post(finance, "use_plan_new", uid, **plan).status_code == 302
    with everywhere():
        assert UsePlan.objects.get().month == date(2022, 5, 1)
        invoice = Invoice.objects.get()
    pay = {
        "tranche": world.tranche.uid, "amount": "100", "effective_on": "2022-05-10", "use": world.use.pk,
        "certificate": certificate.pk, "invoice": invoice.pk, "document": "V-1",
        "file": SimpleUploadedFile("site.jpg", b"\xff\xd8\xff\xe0 site"),
    }  # fmt: skip
    done = post(finance, "pay", contract.uid, **pay)
    with everywhere():
        payment = Payment.objects.get()
    assert done.status_code == 302 and str(payment.uid) in done["Location"]
    page = get(finance, "payment", payment.uid)
    assert [part.state for part in page.context["file"].parts] == [
        "present", "no_file", "present", "no_file", "present",
    ]  # fmt: skip
    for kind, pk in (("contract", contract.pk), ("invoice", invoice.pk)):
        files = {"part": kind, "file": SimpleUploadedFile(f"{kind}.pdf", f"%PDF-1.4 {kind}".encode())}
        assert post(finance, "attach_paper", kind, pk, **files).status_code == 302
    assert get(finance, "payment", payment.uid).context["file"].complete
    assert post(finance, "take_back_paying", "payment", payment.pk, reason="").status_code == 422
    assert get(finance, "take_back_paying", "payment", payment.pk).status_code == 200
    assert post(finance, "take_back_paying", "payment", payment.pk, reason="Wrong").status_code == 302
    with everywhere():
        assert not Payment.objects.filter(retracted_at=None).exists()


def test_refusals_stand_at_their_fields_and_nothing_is_stored(finance: Client, world: World) -> None:
    form = {"tranche": world.tranche.uid, "amount": "501", "effective_on": "2022-03-31", "use": world.use.pk}
    page = post(finance, "pay", world.contract.uid, **form)
    assert page.status_code == 422 and set(page.context["form"].errors) == {"amount"}
    form |= {"tranche": "00000000-0000-4000-8000-000000000000", "amount": "1"}
    page = post(finance, "pay", world.contract.uid, **form)
    assert set(page.context["form"].errors) == {"tranche"}
    form = {"tranche": world.tranche.uid, "amount": "501", "effective_on": "2022-03-31"}
    page = post(finance, "disburse", world.project.uid, **form)
    assert page.status_code == 422 and set(page.context["form"].errors) == {"amount"}
    bad = {"tranche": world.tranche.uid, "amount": "1", "effective_on": "2022-03-31", "use": world.use.pk,
           "file": SimpleUploadedFile("a.exe", b"MZ")}  # fmt: skip
    assert post(finance, "pay", world.contract.uid, **bad).status_code == 422
    assert (
        post(
            finance, "use_plan_new", world.project.uid, month="May", amount="1", filed_on="2022-01-01"
        ).status_code
        == 422
    )
    with everywhere():
        assert not Payment.objects.exists()


def test_flags_are_shown_after_saving_and_on_the_page(finance: Client, world: World) -> None:
    form = {"tranche": world.tranche.uid, "amount": "400", "effective_on": "2022-03-31", "use": world.use.pk}
    done = finance.post(f"{reverse('funds:pay', args=[world.contract.uid])}{Q}", form, follow=True)
    text = done.content.decode()
    assert "50.00 % of the contract" in text or "50.0" in text or "50 %" in text
    tab = get(finance, "paying", world.project.uid).content.decode()
    assert "certified and confirmed; up to" in tab and 'data-tone="danger"' in tab


def test_measuring_asks_before_it_stores_less_than_last_time(finance: Client, world: World) -> None:
    work = {"name": "Pipe", "unit": "m", "planned": "1200", "contract": world.contract.pk}
    assert post(finance, "work_new", world.project.uid, **work).status_code == 302
    with everywhere():
        item = world.project.work_items.get()
    assert get(finance, "measure", item.pk).status_code == 200
    first = {"quantity": "500", "effective_on": "2022-04-01", "note": ""}
    photo = SimpleUploadedFile("p.jpg", b"\xff\xd8\xff\xe0 photo")
    assert post(finance, "measure", item.pk, **first, file=photo).status_code == 302
    less = {"quantity": "400", "effective_on": "2022-05-01", "note": ""}
    page = post(finance, "measure", item.pk, **less)
    assert page.status_code == 422 and "500" in page.content.decode()
    assert post(finance, "measure", item.pk, **less, confirmed="1").status_code == 302
    with everywhere():
        assert Measurement.objects.count() == 2


def test_a_change_of_use_goes_its_way_on_the_pages(finance: Client, world: World) -> None:
    with everywhere():
        add_reserve(world.other, state="approved")
    form = {
        "tranche": world.tranche.uid, "receiver": world.other.uid, "amount": "300", "case": "need_changed",
        "reason": "Fewer pipes", "requested_on": "2022-05-01", "document": "",
    }  # fmt: skip
    assert get(finance, "change_new", world.project.uid).status_code == 200
    over = post(finance, "change_new", world.project.uid, **{**form, "amount": "1001"})
    assert over.status_code == 422 and set(over.context["form"].errors) == {"amount"}
    assert post(finance, "change_new", world.project.uid, **form).status_code == 302
    with everywhere():
        change = ChangeOfUse.objects.get()
    page = get(finance, "change", change.uid)
    assert page.context["met"] == len(page.context["checks"]) == 8
    assert post(finance, "change_step", change.uid, "review", text="").status_code == 422
    assert post(finance, "change_step", change.uid, "review", text="Sound").status_code == 302
    assert post(finance, "change_step", change.uid, "approve", document="Doc 9").status_code == 302
    page = get(finance, "change", change.uid)
    assert page.context["change"].state == "approved" and not page.context["steps"]
    statement = get(finance, "changes_statement", year="2022")
    assert [row.restraint.number for row in statement.context["rows"]] == [1]
    assert get(finance, "changes", state="approved").context["lines"][0]["receiver"] == "Halls"


def test_who_does_not_know_a_project_does_not_see_its_papers(
    world: World, client_as: Any, make_user: Any
) -> None:
    stranger = client_as(make_user("finance_officer", world.orgs.foreign))
    with everywhere():
        payment, _flags = world.pay(10)
        row, _flags = actions.certify(SYSTEM, world.contract, DAY, number="1", amount=wan(1))
    for name, key in (
        ("contract", world.contract.uid), ("payment", payment.uid), ("pay", world.contract.uid),
        ("paying", world.project.uid), ("certificate_confirm", row.pk),
    ):  # fmt: skip
        assert stranger.get(reverse(f"funds:{name}", args=[key])).status_code == 404, name
    for kind, pk in (("payment", payment.pk), ("contract", world.contract.pk)):
        assert stranger.get(reverse("funds:take_back_paying", args=[kind, pk])).status_code == 404
    assert stranger.get(reverse("funds:payments")).context["lines"] == []


def test_the_viewer_reads_and_changes_nothing(world: World, client_as: Any, make_user: Any) -> None:
    leader = client_as(make_user("leader", world.orgs.city))
    page = get(leader, "paying", world.project.uid)
    assert page.status_code == 200 and "contracts/new" not in page.content.decode()
    for name, key in (
        ("contract_new", world.project.uid),
        ("pay", world.contract.uid),
        ("disburse", world.project.uid),
    ):
        assert get(leader, name, key).status_code == 403


def test_what_waits_stands_on_the_page_of_things_to_do(world: World, make_user: Any, english: Any) -> None:
    officer = UserActor.of(make_user("project_officer", world.orgs.north))
    with everywhere():
        actions.certify(SYSTEM, world.contract, DAY, number="7", amount=wan(10))
        actions.certify(officer, world.contract, DAY, number="8", amount=wan(10))
        found = {w.source.code: w.items for w in waiting(officer, date(2022, 5, 1))}
    assert [item.title for item in found["funds.certificates"]] == [
        "Confirm certificate 7 of “Pipes of the north”"
    ]


@pytest.mark.parametrize("name", ["payments", "contracts", "certificates", "paying", "contract"])
def test_pages_take_a_constant_number_of_queries(name: str, finance: Client, world: World) -> None:
    args = {"paying": [world.project.uid], "contract": [world.contract.uid]}.get(name, [])

    def fill(number: int) -> None:
        with everywhere():
            for n in range(number):
                contract = actions.record_contract(
                    SYSTEM, world.project, number=f"X{Contract.objects.count()}", name="N", payee="P", amount=wan(5),
                    signed_on=SIGNED, use=world.use,
                )  # fmt: skip
                item = actions.plan_work(
                    SYSTEM, world.project, name=f"W{n}", unit="m", planned=Decimal(10), contract=contract
                )
                actions.measure(SYSTEM, item, DAY, Decimal(1))
                for one in (contract, world.contract):
                    actions.certify(SYSTEM, one, DAY, number=f"z{Certificate.objects.count()}", amount=wan(1))
                    actions.record_invoice(
                        SYSTEM, one, DAY, number=f"I{Invoice.objects.count()}", amount=wan(1)
                    )
                    world.pay(1, contract=one)

    def count() -> int:
        get(finance, name, *args)
        with CaptureQueriesContext(connection) as captured:
            assert get(finance, name, *args).status_code == 200
        return len(captured)

    fill(2)
    few = count()
    fill(4)
    assert count() == few
