"""Races for the rest of a contract, of disbursed money, of an allotment, run inside a real installation by `test_concurrency.py`."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from tests.conftest import run_recording
from tests.funds.issuing.race import at_once, place
from tests.funds.paying.conftest import DAY, VALUE_DATE, World, add_allotment, add_reserve, wan
from yuanmai.core.policy import SYSTEM
from yuanmai.funds.models import Disbursement, Invoice, NamedUse, Payment, Tranche
from yuanmai.funds.paying import actions
from yuanmai.people.models import Organisation
from yuanmai.projects.recording import Entry


def world(root: Organisation) -> World:
    """A project of a province with 1,000 万元 allotted and a contract of 800."""
    entry = Entry(
        root.pk, version={"name": root.code, "total_investment": wan(3000), "effective_on": VALUE_DATE}
    )
    (project,) = run_recording(root, [entry], VALUE_DATE)
    tranche = Tranche.objects.create(
        org=root, uid=uuid.uuid4(), code=f"T-{root.code}", name="Bonds", amount=wan(3000), rate=Decimal("0.03"),
        term_years=10, tendered_on=VALUE_DATE, value_date=VALUE_DATE, frequency=2, recorded_at=timezone.now(),
    )  # fmt: skip
    reserve = add_reserve(project)
    use = NamedUse.objects.create(reserve=reserve, name="Pipes", amount=wan(1500))
    add_allotment(project, tranche, 1000)
    contract = actions.record_contract(
        SYSTEM, project, number="C-1", name="Pipes", payee="Works Ltd", amount=wan(800), signed_on=date(2022, 1, 20), use=use
    )  # fmt: skip
    return World(None, project, project, project, reserve, tranche, use, use, contract)


def total(model: Any, made: World) -> int:
    """What stands of a movement, in 万元."""
    rows = model.objects.filter(project=made.project, retracted_at=None)
    return int((rows.aggregate(total=Sum("amount"))["total"] or 0) / 10_000)


def same(call: Callable[[], Any], times: int) -> list[str]:
    """The same request so many times at once."""
    return at_once([call] * times)


def beyond_disbursed(root: Organisation) -> dict[str, Any]:
    """4 × 200 of 500 disbursed."""
    made = world(root)
    made.disburse(500)
    return {"answers": same(lambda: made.pay(200), 4), "paid": total(Payment, made)}


def beyond_contract(root: Organisation) -> dict[str, Any]:
    """2 × 500 of a contract of 800."""
    made = world(root)
    made.disburse(1000)
    return {"answers": same(lambda: made.pay(500), 2), "paid": total(Payment, made)}


def beyond_allotment(root: Organisation) -> dict[str, Any]:
    """4 × 400 of 1,000 allotted."""
    made = world(root)
    return {"answers": same(lambda: made.disburse(400), 4), "disbursed": total(Disbursement, made)}


def double_invoice(root: Organisation) -> dict[str, Any]:
    """One invoice three times, for two projects of different provinces."""
    made, other = world(root), world(place("elsewhere"))

    def enter(where: World) -> Callable[[], Any]:
        return lambda: actions.record_invoice(
            SYSTEM, where.contract, DAY, number="9", amount=Decimal(100), seller="Works Ltd"
        )

    answers = at_once([enter(made), enter(other), enter(made)])
    return {"answers": answers, "rows": Invoice.objects.filter(number="9").count()}


def paid_or_taken_back(root: Organisation) -> dict[str, Any]:
    """A payment of 300, and the taking back of the money that it needs."""
    made = world(root)
    first = made.disburse(500)
    answers = at_once([lambda: made.pay(300), lambda: actions.take_back(SYSTEM, first, "Mistake")])
    return {"answers": answers, "fine": total(Payment, made) <= total(Disbursement, made)}


RACES = (beyond_disbursed, beyond_contract, beyond_allotment, double_invoice, paid_or_taken_back)


def run() -> dict[str, Any]:
    """Run every race on an organisation of its own and return what came of it."""
    return {race.__name__: race(place(race.__name__)) for race in RACES}
