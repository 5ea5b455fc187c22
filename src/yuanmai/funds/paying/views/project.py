"""The tab “Paying” of a project: tranches, contracts, physical work, payments, use plans."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.common.money import WAN
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import display_value
from yuanmai.core.figures.links import figure_url
from yuanmai.core.figures.model import Unit
from yuanmai.core.web import page
from yuanmai.core.web.links import link
from yuanmai.funds.models import Contract, Measurement, Tranche, UsePlan
from yuanmai.funds.paying.file import PaymentFile, payment_files
from yuanmai.funds.paying.queries import (
    NOTHING,
    by_contract,
    contracts,
    disbursements,
    paid_by_month,
    pay_sums,
    pay_totals,
    payments,
    work_done,
    work_items,
    work_share,
)
from yuanmai.funds.paying.views.bars import ahead_of_work, contract_bars, tranche_bars
from yuanmai.funds.paying.views.shared import findings_of
from yuanmai.funds.permissions import KEEP_CONTRACTS, KEEP_RESERVE, PAY_BONDS, SEE_FUNDS
from yuanmai.funds.queries import ZERO, standing
from yuanmai.projects.views.record import shown_project


def contract_lines(rows: list[Contract], query: Query) -> list[dict[str, Any]]:
    """Return contracts with their sums and the share of the work that stands; four queries more."""
    ids = {row.project_id for row in rows}
    sums = pay_sums(query, "contract", ids)
    works = by_contract(work_done(query, ids))
    ahead = ahead_of_work(rows)
    lines = []
    for row in rows:
        money = sums.get(row.pk, NOTHING)
        share = work_share(works.get(row.pk, ()))
        bars = contract_bars(money, share, ahead=row.pk in ahead)
        lines.append({"contract": row, "sums": money, "bars": bars})
    return lines


def tranche_lines(query: Query, project_id: int) -> list[dict[str, Any]]:
    """Return the tranches of a project with what was allotted, disbursed, paid and is left."""
    sums = pay_sums(query, "project_tranche", [project_id])
    tranches = Tranche.objects.in_bulk({tranche_id for _project, tranche_id in sums})
    rows: list[dict[str, Any]] = [
        {
            "tranche": tranches[pk],
            "sums": value,
            "bars": tranche_bars(value),
            "url": link("funds:tranche", tranches[pk].uid),
        }
        for (_p, pk), value in sums.items()
        if pk in tranches
    ]
    return sorted(rows, key=lambda row: (row["tranche"].value_date, row["tranche"].code))


def work_lines(query: Query, project_id: int) -> list[dict[str, Any]]:
    """Return the physical work of a project with its share, contract and building."""
    rows = work_items(query, [project_id]).select_related("contract", "building").order_by("id")
    done = {item.item_id: item for item in work_done(query, [project_id]).get(project_id, [])}
    return [
        {
            "item": row,
            "done": done[row.pk],
            "share_text": display_value(done[row.pk].share, Unit.RATIO),
            "building_url": link("places:record", "building", row.building_id) if row.building_id else "",
        }
        for row in rows
    ]


def plans_of(query: Query, project_id: int) -> dict[Any, UsePlan]:
    """Return the use plan in force of each month."""
    rows = UsePlan.objects.filter(standing(query), project_id=project_id)
    found = {row.month: row for row in rows.order_by("effective_on", "recorded_at", "id")}
    return dict(sorted(found.items()))


def _wan(amount: Decimal) -> Decimal:
    return (amount / WAN).quantize(Decimal("0.01"))


def plan_chart(plans: dict[Any, UsePlan], paid: dict[Any, Decimal]) -> dict[str, Any] | None:
    """Return what was planned and paid by month, in 万元."""
    months = sorted({*plans, *paid})
    if not months:
        return None
    return {
        "type": "bar",
        "axis": _("Month"),
        "unit": _("10,000 yuan"),
        "categories": [f"{month:%Y-%m}" for month in months],
        "series": [
            {
                "name": _("Use plan"),
                "tone": "secondary",
                "data": [_wan(plans[m].amount) if m in plans else None for m in months],
            },
            {"name": _("Paid"), "tone": "primary", "data": [_wan(paid.get(m, ZERO)) for m in months]},
        ],
    }


@page(SEE_FUNDS)
def paying(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What became of the project's bond money: tranche by tranche, contract by contract, beside the work that stands."""
    found = shown_project(request, uid, "paying")
    if isinstance(found, HttpResponse):
        return found
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    query: Query = found.context["query"]
    project = found.state.project
    totals = pay_totals(query, [project.pk])
    rows = list(contracts(query, [project.pk]).select_related("use").order_by("signed_on", "number"))
    paid = list(
        payments(query, [project.pk])
        .select_related("contract", "tranche", "certificate", "invoice", "use")
        .order_by("-effective_on", "-id")
    )
    files = payment_files(paid)
    plans = plans_of(query, project.pk)
    figures = (
        (_("Contracted"), totals.contracted, ""),
        (_("Certified and confirmed"), totals.certified, ""),
        (_("Disbursed"), totals.disbursed, "bonds.paid_out"),
        (_("Paid"), totals.paid, "bonds.spent"),
        (_("Left with the owner"), totals.left, ""),
    )
    context = {
        **found.context,
        "totals": totals,
        "figures": [
            {
                "label": label,
                "display": display_value(amount, Unit.YUAN),
                "url": figure_url(code, view, project=str(uid)) if code else "",
            }
            for label, amount, code in figures
        ],
        "tranches": tranche_lines(query, project.pk),
        "contracts": contract_lines(rows, query),
        "works": work_lines(query, project.pk),
        "payments": [{"payment": row, "file": files.get(row.pk, PaymentFile())} for row in paid],
        "disbursements": list(
            disbursements(query, [project.pk]).select_related("tranche").order_by("-effective_on", "-id")
        ),
        "plans": list(reversed(plans.values())),
        "chart": plan_chart(plans, paid_by_month(query, [project.pk])),
        "paying_findings": findings_of(project.org_id, project.pk),
        "may_keep": actor.why_not(KEEP_CONTRACTS, project.org_id) is None,
        "may_pay": actor.why_not(PAY_BONDS, project.org_id) is None,
        "may_ask": actor.why_not(KEEP_RESERVE, project.org_id) is None,
        "why_not_keep": actor.why_not(KEEP_CONTRACTS, project.org_id) or "",
        "changes_url": reverse("funds:changes"),
        "measured": Measurement.objects.filter(standing(query), item__project=project).exists(),
    }
    return render(request, "funds/paying/project.html", context)
