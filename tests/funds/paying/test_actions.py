"""Recording, confirming and taking back: what is stored, what is refused with nothing stored, what becomes a finding."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.funds.paying.conftest import DAY, SIGNED, World, add_allotment, refused, wan
from yuanmai.core.findings import Finding
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.core.scope import open_scope
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.findings import paying_kinds as kinds
from yuanmai.funds.models import (
    BondRule,
    Certificate,
    Contract,
    Disbursement,
    Invoice,
    Measurement,
    Payment,
    Reserve,
    ReserveStep,
    UsePlan,
)
from yuanmai.funds.paying import actions
from yuanmai.people.actor import UserActor
from yuanmai.projects.actions import NeedsConfirmation

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("english")]


def found(kind: str) -> list[Finding]:
    return list(Finding.objects.filter(kind=kind, gone_until=KNOWN_FOREVER))


def confirmed(world: World, amount: Any, number: str = "1", day: date = date(2022, 3, 1)) -> Certificate:
    row, _flags = actions.certify(SYSTEM, world.contract, day, number=number, amount=wan(amount))
    return actions.confirm_certificate(SYSTEM, row, "Jian Li firm", day)


def test_money_goes_from_the_treasury_to_the_payee(world: World) -> None:
    confirmed(world, 300)
    world.disburse(500)
    payment, flags = world.pay(300)
    assert [v.code for v in flags] == ["not_planned"]
    assert (payment.use, payment.amount) == (world.use, wan(300))
    world.reserve.refresh_from_db()
    assert world.reserve.state == Reserve.State.DRAWN
    assert ReserveStep.objects.filter(reserve=world.reserve, transition="draw", effective_on=DAY).exists()


def test_the_reserve_project_falls_back_when_the_last_payment_is_taken_back(world: World) -> None:
    world.disburse(500)
    payment, _flags = world.pay(50)
    actions.take_back(SYSTEM, payment, "Entered twice")
    world.reserve.refresh_from_db()
    assert world.reserve.state == Reserve.State.ISSUED
    assert [f.state for f in Finding.objects.filter(kind=kinds.FILE_LACKING)] == ["resolved"]


@pytest.mark.parametrize(
    ("amount", "more", "fields"),
    [
        (501, {}, ("amount",)),  # above what was disbursed
        (0, {}, ("amount",)),
        (-1, {}, ("amount",)),
        (
            100,
            {"day": date(2022, 1, 19)},
            ("effective_on", "amount"),
        ),  # before signing, before the money came
        (100, {"day": date(2022, 1, 25)}, ("amount",)),  # before the money came
        (100, {"day": date(2999, 1, 1)}, ("effective_on",)),
        (100, {"tranche": None}, ("tranche",)),
    ],
)
def test_a_payment_that_breaks_a_rule_is_refused_and_nothing_is_stored(
    world: World, amount: int, more: dict[str, Any], fields: tuple[str, ...]
) -> None:
    world.disburse(500)
    before = Finding.objects.count()
    with refused(*fields):
        world.pay(amount, **more)
    assert (Payment.objects.count(), Finding.objects.count()) == (0, before)
    world.reserve.refresh_from_db()
    assert world.reserve.state == Reserve.State.ISSUED


def test_a_payment_above_the_contract_is_refused_with_what_is_left(world: World) -> None:
    world.disburse(1000)
    world.pay(700)
    with pytest.raises(ValidationError, match=r"1\.00 m that are left") as caught:
        world.pay(101)
    assert set(caught.value.error_dict) == {"amount"}
    world.pay(100)
    assert Payment.objects.count() == 2


def test_a_contract_of_another_project_and_a_foreign_tranche_are_refused(world: World) -> None:
    world.disburse(500)
    with refused("contract", "tranche", "use"):
        world.pay(10, project=world.other)
    with refused("tranche"):
        actions.disburse(SYSTEM, world.other, world.tranche, DAY, wan(10))
    assert not Payment.objects.exists()


def test_only_named_capital_expenditure_is_paid_unless_the_place_decides_otherwise(world: World) -> None:
    world.disburse(500)
    with refused("use"):
        world.pay(10, use=world.current)
    Contract.objects.filter(pk=world.contract.pk).update(use=None)
    world.contract.refresh_from_db()
    with refused("use"):
        world.pay(10)
    BondRule.objects.create(
        org=world.orgs.city, code="named_uses_level", value="flag", effective_on=date(2022, 1, 1), source="x",
        recorded_at=world.contract.recorded_at,
    )  # fmt: skip
    _row, flags = world.pay(10)
    assert "no_use" in [v.code for v in flags]
    assert found(kinds.UNNAMED_USE)


def test_more_than_the_allotment_is_not_disbursed(world: World) -> None:
    world.disburse(600)
    with refused("amount"):
        world.disburse("400.01")
    with refused("effective_on"):
        world.disburse(10, date(2022, 1, 9))
    world.disburse(400)
    assert Disbursement.objects.count() == 2


def test_payment_ahead_of_work_is_stored_and_becomes_a_finding_until_the_work_catches_up(
    world: World,
) -> None:
    confirmed(world, 80)
    world.disburse(500)
    _row, flags = world.pay(400)
    assert "ahead_of_certified" in [v.code for v in flags]
    (finding,) = found(kinds.AHEAD_CERTIFIED)
    assert (finding.effective_on, finding.severity) == (DAY, "error")
    assert Decimal(finding.params["paid_share"]) == Decimal("0.5") and finding.evidence[0]["url"]
    assert "50" in finding.sentence and "10" in finding.sentence
    confirmed(world, 240, "2", date(2022, 4, 1))
    assert not found(kinds.AHEAD_CERTIFIED)


def test_payment_ahead_of_what_stands_on_the_ground_is_found(world: World) -> None:
    item = actions.plan_work(
        SYSTEM, world.project, name="Pipe DN 600", unit="m", planned=Decimal(1200), contract=world.contract
    )
    actions.measure(SYSTEM, item, date(2022, 3, 15), Decimal(120))
    confirmed(world, 400)
    world.disburse(500)
    _row, flags = world.pay(400)
    assert [v.code for v in flags if v.code.startswith("ahead")] == ["ahead_of_measured"]
    assert found(kinds.AHEAD_MEASURED) and not found(kinds.AHEAD_CERTIFIED)
    actions.measure(SYSTEM, item, date(2022, 4, 15), Decimal(480))
    assert not found(kinds.AHEAD_MEASURED)


def test_an_unconfirmed_certificate_does_not_count(world: World) -> None:
    actions.certify(SYSTEM, world.contract, date(2022, 3, 1), number="1", amount=wan(400))
    world.disburse(500)
    _row, flags = world.pay(400)
    assert "ahead_of_certified" in [v.code for v in flags]


def test_who_recorded_a_certificate_does_not_confirm_it(world: World, make_user: Any) -> None:
    one, two = (UserActor.of(make_user("project_officer", world.orgs.north)) for _n in range(2))
    row, _flags = actions.certify(one, world.contract, date(2022, 3, 1), number="1", amount=wan(10))
    with pytest.raises(ValidationError, match="yourself"):
        actions.confirm_certificate(one, row, "Firm", DAY)
    with refused("supervisor"):
        actions.confirm_certificate(two, row, " ", DAY)
    with refused("confirmed_on"):
        actions.confirm_certificate(two, row, "Firm", date(2022, 2, 1))
    actions.confirm_certificate(two, row, "Firm", DAY)
    with pytest.raises(ValidationError, match="already"):
        actions.confirm_certificate(two, row, "Firm", DAY)


def test_an_invoice_number_of_a_seller_is_used_once_in_the_whole_installation(
    world: World, make_user: Any
) -> None:
    row, _flags = actions.record_invoice(SYSTEM, world.contract, DAY, number="0440 1234", amount=wan(10))
    assert (row.number, row.seller) == ("04401234", "江南管道有限公司")
    foreign = actions.record_contract(
        SYSTEM,
        world.foreign,
        number="F-1",
        name="Elsewhere",
        payee="江南管道有限公司",
        amount=wan(50),
        signed_on=SIGNED,
    )
    stranger = UserActor.of(make_user("project_officer", world.orgs.foreign))
    with open_scope(stranger.org_ids()), pytest.raises(ValidationError) as caught:
        actions.record_invoice(
            stranger, foreign, DAY, number="０４４０１２３４", amount=wan(1), seller=" 江南管道 有限公司"
        )
    text = " ".join(caught.value.messages)
    assert set(caught.value.error_dict) == {"number"}
    assert "C-1" not in text and "Pipes" not in text and "North" not in text
    with pytest.raises(ValidationError, match="C-1"):
        actions.record_invoice(SYSTEM, world.contract, DAY, number="04401234", amount=wan(1))
    actions.record_invoice(SYSTEM, foreign, DAY, number="04401234", amount=wan(1), seller="Another Ltd")
    assert Invoice.objects.count() == 2
    assert [f.org_id for f in found(kinds.SELLER)] == [world.orgs.foreign.pk]


def test_an_invoice_that_was_taken_back_may_be_entered_again(world: World) -> None:
    row, _flags = actions.record_invoice(SYSTEM, world.contract, DAY, number="1", amount=wan(10))
    actions.take_back(SYSTEM, row, "Wrong amount")
    again, _flags = actions.record_invoice(SYSTEM, world.contract, DAY, number="1", amount=wan(11))
    assert again.pk != row.pk


def test_a_use_plan_is_due_a_month_before_and_late_ones_are_found(world: World) -> None:
    _row, flags = actions.file_use_plan(SYSTEM, world.project, date(2022, 4, 1), wan(100), date(2022, 3, 1))
    assert flags == [] and not found(kinds.PLAN_LATE)
    row, flags = actions.file_use_plan(SYSTEM, world.project, date(2022, 3, 15), wan(100), date(2022, 2, 2))
    assert [v.code for v in flags] == ["plan_late"] and row.month == date(2022, 3, 1)
    (late,) = found(kinds.PLAN_LATE)
    assert late.params["due"] == "2022-02-01"
    world.disburse(500)
    assert "above_plan" in [v.code for v in world.pay(101)[1]]
    (over,) = found(kinds.OVER_PLAN)
    assert over.params["month"] == "2022-03"
    actions.file_use_plan(SYSTEM, world.project, date(2022, 3, 1), wan(150), date(2022, 2, 20))
    assert not found(kinds.OVER_PLAN)
    with refused("amount"):
        actions.file_use_plan(SYSTEM, world.project, date(2022, 3, 1), wan(150), date(2022, 2, 20))
    assert UsePlan.objects.count() == 3


def test_a_payment_file_lacks_what_was_not_brought_and_is_complete_with_it(world: World) -> None:
    pdf = lambda: SimpleUploadedFile("a.pdf", b"%PDF-1.7 " + str(Attachments.next()).encode())  # noqa: E731
    certificate = confirmed(world, 300)
    invoice, _flags = actions.record_invoice(SYSTEM, world.contract, DAY, number="77", amount=wan(200))
    world.disburse(500)
    payment, _flags = world.pay(200, certificate=certificate, invoice=invoice)
    (finding,) = found(kinds.FILE_LACKING)
    assert [code for code, _state in finding.params["parts"]] == [
        "use_plan", "contract", "certificate", "invoice", "photo",
    ]  # fmt: skip
    actions.file_use_plan(SYSTEM, world.project, date(2022, 3, 1), wan(200), date(2022, 2, 1))
    from yuanmai.funds.files import attach_file, take_back_file
    from yuanmai.funds.paying.targets import TARGETS

    assert {"payment", "contract"} <= set(TARGETS)
    for row, kind in ((world.contract, "contract"), (certificate, "certificate"), (invoice, "invoice")):
        attach_file(SYSTEM, row, kind, pdf())
    (finding,) = found(kinds.FILE_LACKING)
    assert finding.params["parts"] == [["photo", "missing"]]
    photo = attach_file(SYSTEM, payment, "photo", SimpleUploadedFile("site.jpg", b"\xff\xd8\xff\xe0 picture"))
    assert not found(kinds.FILE_LACKING)
    take_back_file(SYSTEM, photo)
    assert found(kinds.FILE_LACKING)


class Attachments:
    """Numbers that make the content of files differ."""

    number = 0

    @classmethod
    def next(cls) -> int:
        cls.number += 1
        return cls.number


def test_a_photograph_of_a_measurement_counts_for_the_payment_file(world: World) -> None:
    item = actions.plan_work(
        SYSTEM, world.project, name="Pipe", unit="m", planned=Decimal(100), contract=world.contract
    )
    picture = SimpleUploadedFile("site.jpg", b"\xff\xd8\xff\xe0 measured")
    actions.measure(SYSTEM, item, date(2022, 3, 20), Decimal(60), files=[("photo", picture)])
    world.disburse(500)
    world.pay(100)
    (finding,) = found(kinds.FILE_LACKING)
    assert "photo" not in [code for code, _state in finding.params["parts"]]


def test_a_bad_file_leaves_nothing_of_the_entry_behind(world: World) -> None:
    world.disburse(500)
    bad = SimpleUploadedFile("virus.exe", b"MZ nothing good")
    with refused("file"):
        world.pay(100, files=[("photo", bad)])
    assert not Payment.objects.exists()


def test_less_work_than_before_asks_for_a_confirmation_and_becomes_a_finding(world: World) -> None:
    item = actions.plan_work(SYSTEM, world.project, name="Floor", unit="m²", planned=Decimal(500))
    actions.measure(SYSTEM, item, date(2022, 3, 1), Decimal(200))
    with pytest.raises(NeedsConfirmation, match="200"):
        actions.measure(SYSTEM, item, date(2022, 3, 20), Decimal(150), confirmed=False)
    assert Measurement.objects.count() == 1
    row, _flags = actions.measure(SYSTEM, item, date(2022, 3, 20), Decimal(150), confirmed=True)
    assert found(kinds.WORK_SHRANK)
    actions.take_back(SYSTEM, row, "Misread")
    assert not found(kinds.WORK_SHRANK)
    actions.measure(SYSTEM, item, date(2022, 3, 20), Decimal(501))
    assert found(kinds.OVER_PLANNED_WORK)


def test_what_others_rest_on_is_not_taken_back(world: World) -> None:
    certificate = confirmed(world, 300)
    disbursed = world.disburse(500)
    payment, _flags = world.pay(300, certificate=certificate)
    for row in (world.contract, certificate, disbursed):
        with pytest.raises(ValidationError):
            actions.take_back(SYSTEM, row, "Mistake")
    with refused("reason"):
        actions.take_back(SYSTEM, payment, "  ")
    for row in (payment, certificate, disbursed, world.contract):
        actions.take_back(SYSTEM, row, "Mistake")
    with pytest.raises(ValidationError, match="already"):
        actions.take_back(SYSTEM, payment, "Again")
    assert not Payment.objects.filter(retracted_at=None).exists()


def test_rights_and_scope_are_asked_for(world: World, make_user: Any) -> None:
    officer = UserActor.of(make_user("project_officer", world.orgs.north))
    stranger = UserActor.of(make_user("finance_officer", world.orgs.foreign))
    world.disburse(500)
    with pytest.raises(Denied):
        actions.pay(officer, world.project, world.contract, world.tranche, DAY, wan(1))
    with pytest.raises(Denied):
        actions.pay(stranger, world.project, world.contract, world.tranche, DAY, wan(1))
    with pytest.raises(Denied):
        actions.record_contract(
            stranger, world.project, number="X", name="X", payee="X", amount=wan(1), signed_on=SIGNED
        )
    payment, _flags = world.pay(10)
    with pytest.raises(Denied):
        actions.take_back(officer, payment, "Mine")


def test_a_contract_is_refused_for_a_number_twice_and_for_nonsense(world: World) -> None:
    def record(**more: Any) -> Contract:
        values = {"number": "C-2", "name": "N", "payee": "P", "amount": wan(1), "signed_on": SIGNED, **more}
        return actions.record_contract(SYSTEM, world.project, **values)

    with refused("number"):
        record(number=" C-1 ")
    with refused("number", "name", "payee"):
        record(number="", name=" ", payee="")
    with refused("amount"):
        record(amount=Decimal(0))
    with refused("signed_on"):
        record(signed_on=date(2999, 1, 1))
    add_allotment(world.other, world.tranche, 10)
    with refused("use"):
        actions.record_contract(
            SYSTEM,
            world.other,
            number="1",
            name="N",
            payee="P",
            amount=wan(1),
            signed_on=SIGNED,
            use=world.use,
        )
    assert record().number == "C-2"
