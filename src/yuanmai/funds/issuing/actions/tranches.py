"""Recording tranches, correcting their terms, removing one that was entered by mistake."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.db.models import Sum
from django.utils import timezone

from yuanmai.common.working_days import china
from yuanmai.core.actions import Act, action
from yuanmai.funds.coverage import refresh_projects
from yuanmai.funds.engine.issue import Part, Terms, check_terms
from yuanmai.funds.findings.bonds import refresh_bond_findings
from yuanmai.funds.issuing.funding import record_issued
from yuanmai.funds.issuing.wording import enforce, refuse
from yuanmai.funds.models import Allotment, EarlyRedemption, Frequency, OnLending, Repayment, Tranche
from yuanmai.funds.permissions import ISSUE_BONDS
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve.rules import rules_for
from yuanmai.people.models import Organisation
from yuanmai.projects.actions.wording import reason_needed
from yuanmai.projects.engine.checks import Issue

TEXTS = {"code": 40, "name": 160, "batch_name": 80, "issuer": 80}
FEES = ("issue_fee_rate", "registration_fee_rate", "redemption_fee_rate")
TERMS = ("amount", "rate", "term_years", "tendered_on", "value_date", "frequency", "repayment", "instalments")
FIELDS = (*TEXTS, *TERMS, *FEES)


def complete(org: Organisation, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a tranche with what follows from custom where nothing was said: value date, frequency, fees.

    The value date is the next interbank working day after the tender; the frequency follows from the term, the fees are those of
    the rules in force.
    """
    found = dict(values)
    tender: date | None = found.get("tendered_on")
    rules = rules_for(org.pk, tender or timezone.localdate())
    if found.get("value_date") is None and tender is not None:
        found["value_date"] = china().after(tender)
    if found.get("frequency") is None and found.get("term_years"):
        found["frequency"] = rules.frequency(found["term_years"])
    for name in FEES:
        if found.get(name) is None:
            found[name] = rules[name]
    return found


def check(org: Organisation, values: Mapping[str, Any], known: Tranche | None) -> list[Issue]:
    """Return what is wrong or unusual in the values of a tranche, by field."""
    tender: date | None = values.get("tendered_on")
    value_date: date | None = values.get("value_date")
    rules = rules_for(org.pk, value_date or tender or timezone.localdate()).engine()
    parts = [Part(int(row["year"]), Decimal(str(row["share"]))) for row in values.get("instalments") or ()]
    repayment = str(values.get("repayment") or "")
    terms = Terms(
        values.get("amount"),
        values.get("rate"),
        values.get("term_years"),
        tender,
        value_date,
        int(values.get("frequency") or 0),
        repayment,
        parts,
        values.get("matures_on"),
        [(name, values[name]) for name in FEES if values.get(name) is not None],
    )
    issues = check_terms(terms, rules, china().after(tender) if tender else None)
    if values.get("frequency") is not None and values["frequency"] not in Frequency.values:
        issues.append(Issue("frequency", "missing"))
    if repayment not in Repayment.values:
        issues.append(Issue("repayment", "missing"))
    if not values.get("code"):
        issues.append(Issue("code", "code_missing"))
    if not values.get("name"):
        issues.append(Issue("name", "name_missing"))
    same = Tranche.objects.filter(org=org, code=values.get("code"), retracted_at=None)
    if known is not None:
        same = same.exclude(pk=known.pk)
        amount = values.get("amount")
        if amount is not None and amount < known.allotted:
            issues.append(Issue("amount", "under_allotted", params={"allotted": known.allotted}))
        lent = OnLending.objects.filter(tranche=known, lender_id=known.org_id, retracted_at=None)
        whole = lent.aggregate(total=Sum("amount"))["total"] or ZERO
        if amount is not None and amount < whole:
            issues.append(Issue("amount", "under_lent", params={"lent": whole}))
    if twin := same.first():
        issues.append(Issue("code", "same_code", params={"name": twin.name}))
    return issues


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: values.get(name) for name in (*FIELDS, "matures_on")}
    for name, longest in TEXTS.items():
        found[name] = str(found[name] or "").strip()[:longest]
    found["repayment"] = found["repayment"] or Repayment.BULLET
    found["instalments"] = [
        {"year": int(row["year"]), "share": f"{Decimal(str(row['share'])).normalize():f}"}
        for row in sorted(found["instalments"] or (), key=lambda row: int(row["year"]))
    ]
    return found


@action("funds.create_tranche", permission=ISSUE_BONDS)
def create_tranche(
    act: Act,
    org: Organisation,
    values: Mapping[str, Any],
    *,
    confirmed: bool = True,
    synthetic: bool = False,
    batch: Any = None,
) -> Tranche:
    """Record an issue of bonds kept by `org`; `values` as the columns of `Tranche`, amounts in yuan, rates as fractions.

    Value date, frequency and fees may be left out (see :func:`complete`); `instalments` are ``{"year", "share"}`` of the term;
    `matures_on`, where stated, is checked. Raises `ValidationError` by field, `NeedsConfirmation` for what is unusual.
    """
    act.require(org.pk)
    found = complete(org, _clean(values))
    enforce(check(org, found, None), confirmed=confirmed)
    found.pop("matures_on")
    tranche = Tranche.objects.create(
        org=org, uid=uuid4(), recorded_at=act.now, synthetic=synthetic, batch=batch, **found
    )
    act.log(tranche, after=_plain(tranche), name=str(tranche))
    refresh_bond_findings(act, [org.pk], tranche.value_date, tranche_ids=[tranche.pk], project_ids=[])
    return tranche


@action("funds.correct_tranche", permission=ISSUE_BONDS)
def correct_tranche(
    act: Act, tranche: Tranche, values: Mapping[str, Any], *, confirmed: bool = True
) -> Tranche:
    """Correct the terms of a tranche; what follows from them (sources of projects, coverage, findings) follows at once."""
    act.require(tranche.org_id)
    tranche = Tranche.objects.select_for_update(of=("self",)).select_related("org").get(pk=tranche.pk)
    if tranche.retracted_at is not None:
        raise refuse("already_taken_back")
    found = complete(tranche.org, _clean(values))
    enforce(check(tranche.org, found, tranche), confirmed=confirmed)
    found.pop("matures_on")
    before = _plain(tranche)
    key = (tranche.code, tranche.value_date.year)
    for name, value in found.items():
        setattr(tranche, name, value)
    after = _plain(tranche)
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        raise refuse("nothing_changed")
    # `allotted` is left alone: it moves by compare-and-swap only.
    tranche.save(update_fields=list(found))
    act.log(
        tranche,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
        name=str(tranche),
    )
    projects = dict(
        Allotment.objects.filter(tranche=tranche, retracted_at=None).values_list(
            "project_id", "project__org_id"
        )
    )
    record_issued(act, [(pk, tranche) for pk in projects], former=key)
    day = tranche.value_date
    refresh_projects(act, projects, day)
    refresh_bond_findings(
        act, {tranche.org_id, *projects.values()}, day, tranche_ids=[tranche.pk], project_ids=projects
    )
    return tranche


@action("funds.remove_tranche", permission=ISSUE_BONDS)
def remove_tranche(act: Act, tranche: Tranche, reason: str) -> None:
    """Take back a tranche that was entered by mistake; refused while anything was done with it."""
    reason = reason_needed(reason)
    act.require(tranche.org_id)
    used = [
        model.objects.filter(tranche=tranche, retracted_at=None).exists()
        for model in (Allotment, EarlyRedemption, OnLending)
    ]
    if any(used):
        raise refuse("tranche_in_use")
    rows = Tranche.objects.filter(pk=tranche.pk, retracted_at=None, allotted=0)
    if not rows.update(retracted_at=act.now):
        raise refuse("already_taken_back")
    act.log(tranche, before=_plain(tranche), after={"reason": reason}, name=str(tranche))
    refresh_bond_findings(act, [tranche.org_id], tranche.value_date, tranche_ids=[tranche.pk], project_ids=[])


def _plain(tranche: Tranche) -> dict[str, Any]:
    def shown(value: Any) -> Any:
        return f"{value.normalize():f}" if isinstance(value, Decimal) else value

    return {name: shown(getattr(tranche, name)) for name in FIELDS}
