"""Objects of paying for the access matrix: a contract with its papers, a payment, physical work, a change of use."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils import timezone

Found = Callable[[dict[str, Any]], dict[str, Any]]
API = "/api/v1/funds/paying"
PAGES = "/funds/paying"


def add(objects: dict[str, Any], org: Any) -> None:
    """Add one of each kind to an organisation that has a project and a tranche; called inside an open scope of everything."""
    from yuanmai.funds.models import Certificate, ChangeOfUse, Contract, Payment, WorkItem

    day, now, project = date(2022, 3, 2), timezone.now(), objects["project"]
    fact: dict[str, Any] = {"effective_on": day, "recorded_at": now, "amount": 5}
    contract = objects["contract"] = Contract.objects.create(
        org=org, project=project, uid=uuid.uuid4(), number="1", name="C", payee="P", amount=100, signed_on=day,
        recorded_at=now,
    )  # fmt: skip
    objects["certificate"] = Certificate.objects.create(contract=contract, number="1", **fact)
    objects["payment"] = Payment.objects.create(
        uid=uuid.uuid4(), project=project, tranche=objects["tranche"], contract=contract, **fact
    )
    objects["work"] = WorkItem.objects.create(
        org=org, project=project, name="W", unit="m", planned=10, recorded_at=now
    )
    objects["change"] = ChangeOfUse.objects.create(
        org=org, uid=uuid.uuid4(), tranche=objects["tranche"], giver=project, receiver=project, amount=5, case="other",
        reason="R", requested_on=day, recorded_at=now,
    )  # fmt: skip


def _uid(kind: str) -> Found:
    return lambda objects: {"uid": objects[kind].uid, "code": "review"}


def _pk(kind: str) -> Found:
    return lambda objects: {"pk": objects[kind].pk}


def _kind(objects: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "contract", "pk": objects["contract"].pk}


# Address (without method) → the parameters that name the object of an organisation.
PARAMETERS: dict[str, Found] = {
    **{
        f"{PAGES}/projects/{{uid}}/{part}": _uid("project")
        for part in ("", "contracts/new/", "use-plans/new/", "disburse/", "works/new/", "change-of-use/")
    },
    **{
        f"{API}/projects/{{uid}}{part}": _uid("project")
        for part in ("", "/contracts", "/disbursements", "/use-plans", "/works", "/changes")
    },
    **{
        f"{PAGES}/contracts/{{uid}}/{part}": _uid("contract")
        for part in ("", "pay/", "certificates/new/", "invoices/new/")
    },
    **{
        f"{API}/contracts/{{uid}}{part}": _uid("contract")
        for part in ("", "/certificates", "/invoices", "/payments")
    },
    f"{PAGES}/payments/{{uid}}/": _uid("payment"),
    f"{API}/payments/{{uid}}": _uid("payment"),
    f"{PAGES}/certificates/{{pk}}/confirm/": _pk("certificate"),
    f"{API}/certificates/{{pk}}/confirm": _pk("certificate"),
    f"{PAGES}/works/{{pk}}/measure/": _pk("work"),
    f"{API}/works/{{pk}}/measurements": _pk("work"),
    f"{PAGES}/changes/{{uid}}/": _uid("change"),
    f"{PAGES}/changes/{{uid}}/{{code}}/": _uid("change"),
    f"{API}/changes/{{uid}}": _uid("change"),
    f"{PAGES}/attach/{{kind}}/{{pk}}/": _kind,
    f"{PAGES}/take-back/{{kind}}/{{pk}}/": _kind,
    f"{API}/take-back/{{kind}}/{{pk}}": _kind,
}
