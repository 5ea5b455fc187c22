"""From the tables to the rules of paying: what a contract, a project's part of a tranche, a use and a month look like now.

Called inside an action, after :func:`hold`, so that what the rules see cannot change before the entry is stored.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from yuanmai.core.actions import Act
from yuanmai.core.figures import Query
from yuanmai.funds.engine import payments as rules
from yuanmai.funds.engine.payments import Flow
from yuanmai.funds.models import (
    Allotment,
    Certificate,
    Contract,
    Disbursement,
    Invoice,
    NamedUse,
    Payment,
    Tranche,
    UsePlan,
)
from yuanmai.funds.paying.queries import work_done, work_share
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve.rules import rules_for
from yuanmai.projects.models import Project


def today_of(act: Act) -> date:
    """Return the day on which an action runs, by the clock of the installation."""
    return timezone.localdate(act.now)


def hold(*project_ids: int) -> None:
    """Keep the money of these projects as it is for others until the transaction ends.

    Whoever allots, disburses, pays or moves bond money of a project calls it first, so that two entries at once cannot
    together exceed what there is. On SQLite a writing transaction is alone anyway.
    """
    rows = Project.objects.select_for_update(no_key=True).filter(pk__in=project_ids).order_by("pk")
    list(rows.values_list("pk", flat=True))


def payment_rules(org_id: int, on: date) -> rules.PaymentRules:
    """Return the rules of paying that hold for an organisation on a day."""
    held = rules_for(org_id, on)

    def level(code: str) -> str:
        return "" if held[code] == "off" else str(held[code])

    return rules.PaymentRules(
        tolerance=held["ahead_tolerance"],
        named_uses=level("named_uses_level"),
        use_plan=level("use_plan_level"),
        plan_months_before=held["use_plan_months"],
    )


def flows(model: type[models.Model], project_id: int, tranche_id: int) -> list[Flow]:
    """Return what stands of a movement (allotments, disbursements, payments) of one project with one tranche."""
    rows = model._default_manager.filter(project_id=project_id, tranche_id=tranche_id, retracted_at=None)
    return [Flow(day, amount) for day, amount in rows.values_list("effective_on", "amount")]


def summed(rows: models.QuerySet[Any]) -> Decimal:
    """Return the sum of the amounts of the rows that stand."""
    return rows.filter(retracted_at=None).aggregate(total=Sum("amount"))["total"] or ZERO


def contract_facts(contract: Contract, project: Project, today: date) -> rules.ContractFacts:
    """Return a contract as the rules see it, by present knowledge."""
    query = Query((contract.org_id,), today)
    items = [
        i
        for i in work_done(query, [contract.project_id]).get(contract.project_id, [])
        if i.contract_id == contract.pk
    ]
    return rules.ContractFacts(
        amount=contract.amount,
        signed_on=contract.signed_on,
        paid=summed(Payment.objects.filter(contract=contract)),
        certified=summed(Certificate.objects.filter(contract=contract).exclude(confirmed_on=None)),
        work_share=work_share(items),
        same_project=contract.project_id == project.pk and contract.retracted_at is None,
    )


def paper_facts(
    paper: Certificate | Invoice | None, contract: Contract, name: str
) -> rules.PaperFacts | None:
    """Return a certificate or invoice as the rules see it; `name` is the payment's column for it."""
    if paper is None:
        return None
    return rules.PaperFacts(
        amount=paper.amount,
        paid=summed(Payment.objects.filter(**{name: paper})),
        same_contract=paper.contract_id == contract.pk and paper.retracted_at is None,
    )


def named_uses(project_ids: Iterable[int]) -> models.QuerySet[NamedUse]:
    """Return the uses that the offering files of these projects name."""
    rows = NamedUse.objects.filter(reserve__project_id__in=list(project_ids), reserve__withdrawn_at=None)
    return rows.filter(retired_at=None).select_related("reserve").order_by("id")


def use_facts(use: NamedUse | None, project: Project) -> rules.UseFacts | None:
    """Return a use as the rules see it."""
    if use is None:
        return None
    named = (
        use.retired_at is None and use.reserve.project_id == project.pk and use.reserve.withdrawn_at is None
    )
    return rules.UseFacts(
        name=use.name,
        amount=use.amount,
        paid=summed(Payment.objects.filter(use=use)),
        capital_expenditure=use.capital_expenditure,
        named=named,
    )


def month_of(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)


def next_month(month: date) -> date:
    """Return the first day of the month after."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def in_month(month: date) -> Q:
    """Return the condition that a fact is about a day of the month."""
    return Q(effective_on__gte=month, effective_on__lt=next_month(month))


def planned_of(project: Project, month: date) -> Decimal | None:
    """Return the use plan in force of a month: the one filed last; None where none was filed."""
    rows = UsePlan.objects.filter(project=project, month=month, retracted_at=None)
    newest = rows.order_by("-effective_on", "-recorded_at", "-id").first()
    return newest.amount if newest else None


def payment_facts(
    project: Project,
    contract: Contract,
    tranche: Tranche,
    day: date,
    today: date,
    amount: Decimal,
    *,
    use: NamedUse | None,
    certificate: Certificate | None,
    invoice: Invoice | None,
) -> rules.PaymentFacts:
    """Return a payment that is to be stored, with everything its rules look at."""
    month = month_of(day)
    return rules.PaymentFacts(
        amount=amount,
        day=day,
        today=today,
        contract=contract_facts(contract, project, today),
        allotted=summed(Allotment.objects.filter(project=project, tranche=tranche)) > 0,
        disbursed=flows(Disbursement, project.pk, tranche.pk),
        paid=flows(Payment, project.pk, tranche.pk),
        use=use_facts(use, project),
        certificate=paper_facts(certificate, contract, "certificate"),
        invoice=paper_facts(invoice, contract, "invoice"),
        planned=planned_of(project, month),
        paid_in_month=summed(Payment.objects.filter(in_month(month), project=project)),
    )


def disbursement_facts(
    project: Project, tranche: Tranche, day: date, today: date, amount: Decimal
) -> rules.DisbursementFacts:
    """Return a disbursement that is to be stored, with everything its rules look at."""
    return rules.DisbursementFacts(
        amount=amount,
        day=day,
        today=today,
        value_date=tranche.value_date,
        allotted=flows(Allotment, project.pk, tranche.pk),
        disbursed=flows(Disbursement, project.pk, tranche.pk),
    )
