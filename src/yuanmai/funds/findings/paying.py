"""Contradictions in paying: ahead of work, beyond a paper or plan, payment files that lack something, work that shrinks."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Max, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import yuan_text
from yuanmai.core.actions import Act
from yuanmai.core.figures import Query, Unit
from yuanmai.core.figures.display import chinese, display_value
from yuanmai.core.findings import Finding, Found
from yuanmai.core.findings_actions import store_findings
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.funds.engine import payments as rules
from yuanmai.funds.findings import paying_kinds as kinds
from yuanmai.funds.models import Certificate, Contract, Invoice, Measurement, Payment, UsePlan
from yuanmai.funds.paying.file import payment_files
from yuanmai.funds.paying.judging import restraints
from yuanmai.funds.paying.loading import month_of, named_uses, payment_rules
from yuanmai.funds.paying.names import seller_name
from yuanmai.funds.paying.queries import NOTHING, PaySums, by_contract, pay_sums, work_done, work_share
from yuanmai.funds.queries import ZERO
from yuanmai.projects.findings import close_gone
from yuanmai.projects.models import Project
from yuanmai.projects.queries import states

Dated = tuple[date, Found]
COMPARED = {"ahead_of_certified": _("Certified and confirmed"), "ahead_of_measured": _("Work measured")}
AHEAD = {"ahead_of_certified": kinds.AHEAD_CERTIFIED, "ahead_of_measured": kinds.AHEAD_MEASURED}


def refresh_paying(act: Act, project_ids: Iterable[int]) -> None:
    """Look for contradictions in the paying of these projects, inside a running action: open new ones, close those gone.

    Everything that stands today is looked at, whatever day the entry was about. A finding is dated with the entry that made it.
    """
    ids = sorted(set(project_ids))
    projects = {p.pk: p for p in Project.objects.filter(pk__in=ids).select_related("org")}
    by_org: dict[int, list[Project]] = defaultdict(list)
    for project in projects.values():
        by_org[project.org_id].append(project)
    today = timezone.localdate(act.now)
    for org_id, members in by_org.items():
        _refresh(act, org_id, members, today)


def _refresh(act: Act, org_id: int, members: list[Project], today: date) -> None:
    ids = [project.pk for project in members]
    query = Query((org_id,), today)
    names = dict(states(query).filter(project_id__in=ids).values_list("project_id", "name"))
    uids = {project.pk: project.uid for project in members}
    found = [
        *_of_contracts(query, ids, payment_rules(org_id, today).tolerance),
        *_of_papers(ids),
        *_of_payments(ids),
        *_of_uses(query, ids),
        *_of_plans(query, ids, names, uids, payment_rules(org_id, today)),
        *_of_works(ids),
    ]
    by_day: dict[date, list[Found]] = defaultdict(list)
    for day, item in found:
        by_day[day].append(item)
    for day, items in sorted(by_day.items()):
        store_findings(act, org_id, items, day)
    close_gone(act, org_id, kinds.OF_PAYING, [item for _day, item in found], _looked(org_id, ids))


def refresh_changes(act: Act, org_id: int, on: date) -> None:
    """Look whether a place changes the use of its bonds too often or too much in the year of a day."""
    found = []
    for row in restraints(Query((org_id,), date(on.year, 12, 31)), on.year):
        bounds = row.restraint
        if bounds.loses_quota:
            params = {
                "place": row.org.name,
                "year": row.year,
                "number": bounds.number,
                "amount": str(bounds.amount),
                "changed": None if bounds.share is None else str(bounds.share),
                "most_number": bounds.most_number,
                "most_share": str(bounds.most_share),
            }
            evidence = [
                _line(row.org.name, f"{reverse('funds:changes_statement')}?year={row.year}", bounds.number)
            ]
            found.append(
                Found(kinds.CHANGES_TOO_MANY, f"changes-{org_id}-{row.year}", params, evidence, "warning")
            )
    if found:
        store_findings(act, org_id, found, on)
    close_gone(act, org_id, (kinds.CHANGES_TOO_MANY,), found, {f"changes-{org_id}-{on.year}"})


def _looked(org_id: int, ids: list[int]) -> set[str]:
    """The keys of the open findings that belong to these projects: the evidence names the project."""
    mine = {str(pk) for pk in ids}
    rows = Finding.objects.filter(org_id=org_id, kind__in=kinds.OF_PAYING, gone_until=KNOWN_FOREVER)
    return {key for key, params in rows.values_list("key", "params") if str(params.get("project")) in mine}


def _line(label: str, url: str, value: Any) -> dict[str, Any]:
    return {"label": label, "url": url, "value": None if value is None else str(value)}


def _yuan(amount: Decimal) -> str:
    return yuan_text(amount, chinese=chinese())


def contract_url(contract: Contract) -> str:
    """Return the page of a contract."""
    return reverse("funds:contract", args=[contract.uid])


def _of_contracts(query: Query, ids: list[int], tolerance: Decimal) -> Iterable[Dated]:
    sums = pay_sums(query, "contract", ids)
    works = by_contract(work_done(query, ids))
    rows = Contract.objects.filter(project_id__in=ids, retracted_at=None)
    for row in rows.annotate(last=Max("payments__effective_on")).order_by("id"):
        money: PaySums = sums.get(row.pk, NOTHING)
        share = work_share(works.get(row.pk, ()))
        base = {"name": str(row), "project": row.project_id}
        url = contract_url(row)
        facts = rules.ContractFacts(row.amount, row.signed_on, money.paid, money.certified, share)
        for verdict in rules.ahead_of_work(facts, money.paid, tolerance) if money.paid else ():
            params = {**base, **{k: str(v) for k, v in verdict.params.items()}}
            evidence = [
                _line(str(row), url, display_value(verdict.params["paid_share"], Unit.RATIO)),
                _line(str(COMPARED[verdict.code]), url, display_value(verdict.params["share"], Unit.RATIO)),
            ]
            evidence += [
                _line(
                    item.name,
                    url,
                    f"{item.measured.normalize():f} / {item.planned.normalize():f} {item.unit}",
                )
                for item in works.get(row.pk, ())
                if verdict.code == "ahead_of_measured"
            ]
            yield (
                row.last or row.signed_on,
                Found(AHEAD[verdict.code], f"contract-{row.pk}", params, evidence),
            )
        for kind, stated in (
            (kinds.CERTIFIED_OVER, money.certified + money.uncertified),
            (kinds.INVOICED_OVER, money.invoiced),
        ):
            if stated > row.amount:
                params = {**base, "stated": str(stated), "contract": str(row.amount)}
                evidence = [_line(str(row), url, _yuan(stated))]
                yield row.signed_on, Found(kind, f"contract-{row.pk}", params, evidence, "warning")


def _of_papers(ids: list[int]) -> Iterable[Dated]:
    stands = {"retracted_at": None, "contract__project_id__in": ids}
    paid: Mapping[str, dict[int, Decimal]] = {
        name: dict(
            Payment.objects.filter(retracted_at=None, project_id__in=ids)
            .exclude(**{name: None})
            .order_by()
            .values_list(f"{name}_id")
            .annotate(total=Sum("amount"))
        )
        for name in ("invoice", "certificate")
    }
    for name, kind, model in (
        ("invoice", kinds.PAID_OVER_INVOICE, Invoice),
        ("certificate", kinds.PAID_OVER_CERTIFICATE, Certificate),
    ):
        for row in model._default_manager.filter(**stands).select_related("contract").order_by("id"):
            params = {"number": row.number, "project": row.contract.project_id}
            evidence = [_line(str(row.contract), contract_url(row.contract), _yuan(row.amount))]
            spent = paid[name].get(row.pk, ZERO)
            if spent > row.amount:
                more = {"paid": str(spent), "stated": str(row.amount)}
                yield row.effective_on, Found(kind, f"{name}-{row.pk}", {**params, **more}, evidence)
            if isinstance(row, Invoice) and _differs(row):
                more = {"seller": row.seller, "payee": row.contract.payee}
                yield (
                    row.effective_on,
                    Found(kinds.SELLER, f"invoice-{row.pk}", {**params, **more}, evidence, "warning"),
                )


def _differs(row: Invoice) -> bool:
    return seller_name(row.seller) != seller_name(row.contract.payee)


def _of_payments(ids: list[int]) -> Iterable[Dated]:
    rows = list(
        Payment.objects.filter(project_id__in=ids, retracted_at=None)
        .select_related("contract", "certificate", "invoice", "use")
        .order_by("id")
    )
    files = payment_files(rows)
    named = set(named_uses(ids).filter(capital_expenditure=True).values_list("pk", flat=True))
    for row in rows:
        params = {
            "amount": str(row.amount),
            "payee": row.contract.payee,
            "day": row.effective_on.isoformat(),
            "project": row.project_id,
        }
        url = reverse("funds:payment", args=[row.uid])
        evidence = [_line(str(row.contract), url, _yuan(row.amount))]
        lacking = [[part.code, part.state] for part in files[row.pk].lacking]
        if lacking:
            found = Found(
                kinds.FILE_LACKING, f"payment-{row.pk}", {**params, "parts": lacking}, evidence, "warning"
            )
            yield row.effective_on, found
        if row.use_id not in named:
            yield row.effective_on, Found(kinds.UNNAMED_USE, f"payment-{row.pk}", params, evidence)


def _of_uses(query: Query, ids: list[int]) -> Iterable[Dated]:
    sums = pay_sums(query, "use", ids)
    last = dict(
        Payment.objects.filter(project_id__in=ids, retracted_at=None)
        .exclude(use=None)
        .order_by()
        .values_list("use_id")
        .annotate(day=Max("effective_on"))
    )
    for use in named_uses(ids):
        paid = sums.get(use.pk, NOTHING).paid
        if paid > use.amount:
            params = {
                "name": use.name,
                "paid": str(paid),
                "planned": str(use.amount),
                "project": use.reserve.project_id,
            }
            evidence = [_line(use.name, "", _yuan(paid))]
            yield last[use.pk], Found(kinds.PAID_OVER_USE, f"use-{use.pk}", params, evidence)


def _of_plans(
    query: Query, ids: list[int], names: Mapping[int, str], uids: Mapping[int, Any], rule: rules.PaymentRules
) -> Iterable[Dated]:
    plans: dict[tuple[int, date], UsePlan] = {}
    for plan in UsePlan.objects.filter(project_id__in=ids, retracted_at=None).order_by(
        "effective_on", "recorded_at", "id"
    ):
        plans[plan.project_id, plan.month] = plan
    for (project_id, month), plan in sorted(plans.items()):
        due = rules.plan_due(month, rule.plan_months_before)
        if plan.effective_on > due:
            params = {
                "name": names.get(project_id, ""),
                "month": f"{month:%Y-%m}",
                "filed": plan.effective_on.isoformat(),
                "due": due.isoformat(),
                "project": project_id,
            }
            url = reverse("funds:paying", args=[uids[project_id]])
            evidence = [_line(names.get(project_id, ""), url, _yuan(plan.amount))]
            yield plan.effective_on, Found(kinds.PLAN_LATE, f"plan-{plan.pk}", params, evidence, "warning")
    if not rule.use_plan:
        return
    paid: dict[tuple[int, date], Decimal] = defaultdict(lambda: ZERO)
    last: dict[tuple[int, date], date] = {}
    rows = Payment.objects.filter(project_id__in=ids, retracted_at=None).order_by("effective_on")
    for project_id, day, amount in rows.values_list("project_id", "effective_on", "amount"):
        key = (project_id, month_of(day))
        paid[key] += amount
        last[key] = day
    for (project_id, month), amount in sorted(paid.items()):
        filed = plans.get((project_id, month))
        for verdict in rules.outside_plan(filed.amount if filed else None, amount):
            kind = kinds.UNPLANNED if verdict.code == "not_planned" else kinds.OVER_PLAN
            params = {
                "name": names.get(project_id, ""),
                "month": f"{month:%Y-%m}",
                "project": project_id,
                **{k: str(v) for k, v in verdict.params.items()},
            }
            url = reverse("funds:paying", args=[uids[project_id]])
            evidence = [_line(names.get(project_id, ""), url, _yuan(amount))]
            yield (
                last[project_id, month],
                Found(kind, f"project-{project_id}-{month:%Y-%m}", params, evidence, "warning"),
            )


def _of_works(ids: list[int]) -> Iterable[Dated]:
    rows = Measurement.objects.filter(item__project_id__in=ids, retracted_at=None, item__retracted_at=None)
    before: Measurement | None = None
    for row in rows.select_related("item__project").order_by("item_id", "effective_on", "recorded_at", "id"):
        last = before if before is not None and before.item_id == row.item_id else None
        before = row
        params = {
            "name": row.item.name,
            "unit": row.item.unit,
            "quantity": f"{row.quantity.normalize():f}",
            "day": row.effective_on.isoformat(),
            "project": row.item.project_id,
        }
        url = reverse("funds:paying", args=[row.item.project.uid])
        evidence = [_line(row.item.name, url, f"{row.quantity.normalize():f} {row.item.unit}")]
        if last is not None and row.quantity < last.quantity:
            more = {"last": f"{last.quantity.normalize():f}"}
            yield (
                row.effective_on,
                Found(kinds.WORK_SHRANK, f"measurement-{row.pk}", {**params, **more}, evidence, "warning"),
            )
        if row.quantity > row.item.planned:
            more = {"work": f"{row.item.planned.normalize():f}"}
            yield (
                row.effective_on,
                Found(
                    kinds.OVER_PLANNED_WORK, f"measurement-{row.pk}", {**params, **more}, evidence, "warning"
                ),
            )
