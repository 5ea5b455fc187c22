"""The payment ledger as an import kind: contracts, invoices and payments are created or matched, all of it or nothing."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.actions import Act, action
from yuanmai.core.bulk import bulk_insert
from yuanmai.core.findings import Finding
from yuanmai.core.findings_actions import store_findings
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.workbooks import batches
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.spec import KindSpec, load_spec
from yuanmai.core.workbooks.kinds import Change, Plan, Progress, import_kind
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.funds.findings.bonds import refresh_bond_findings
from yuanmai.funds.findings.paying import refresh_paying
from yuanmai.funds.models import Contract, Invoice, Payment
from yuanmai.funds.papers import wording
from yuanmai.funds.papers.bond_ledger import CARRIED, reserved, settle_carried
from yuanmai.funds.papers.ledger_kind import LedgerKind
from yuanmai.funds.papers.payment_compare import Reading, check, compare, understand
from yuanmai.funds.papers.payment_stored import Bill, Deal, Paid
from yuanmai.funds.paying.life import follow_payments
from yuanmai.funds.paying.loading import hold
from yuanmai.funds.permissions import KEEP_CONTRACTS, PAY_BONDS
from yuanmai.projects.ledger import org_ids_below

PRESET = Path(__file__).parent / "presets" / "payment_ledger.yaml"
assert wording  # its rules must be declared before a file is read


@action("funds.preview_payment_ledger", permission=PAY_BONDS)
def preview_payment_ledger(act: Act, /, org_id: int, **values: Any) -> ImportBatch:
    """Keep an uploaded payment ledger as a previewed batch, or change the decisions made for one (`batch`)."""
    act.require(org_id)
    batch = batches.keep_preview(act, org_id, PaymentLedger.code, **values)
    act.log(
        batch, after={"file": batch.file_name, "options": batch.summary.get("options")}, name=batch.file_name
    )
    return batch


@action("funds.remember_payment_columns", permission=PAY_BONDS)
def remember_payment_columns(act: Act, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
    """Keep what an organisation decided about column heads: (path, field), '' for "leave out"."""
    act.require(org_id)
    batches.remember(act, org_id, PaymentLedger.code, decisions)
    act.log(None, org_id=org_id, after={"columns": {"/".join(path): code for path, code in decisions}})


@action("funds.import_payment_ledger", permission=PAY_BONDS)
def import_payment_ledger(
    act: Act, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None
) -> Plan:
    """Take over a payment ledger: all of it or nothing. Raises ValidationError when it has faults or was taken over before."""
    act.require(batch.org_id)
    batches.lock_for_commit(batch)
    hold(*{p.project.pk for _s, _r, p in understand(parsed, batch.org_id).paid if p is not None})
    # What is stored may have changed since the preview.
    if check(parsed, batch.org_id).errors:
        raise ValidationError(_("The file has faults; nothing was taken over."))
    plan, found = compare(parsed, batch.org_id, timezone.localdate(act.now))
    assert plan.effective_on is not None
    changes = [change for change in plan.changes if change.action != "unchanged"]
    if changes:
        act.require(batch.org_id, KEEP_CONTRACTS)
    retracted = _write(act, batch, changes, found)
    if progress is not None:
        progress(len(changes), len(changes))
    _after(act, batch, {change.payload.project.pk for change in changes}, plan.effective_on)
    stored = store_findings(act, batch.org_id, plan.found, plan.effective_on, batch=None)
    Finding.objects.filter(pk__in=[row.pk for row in stored if row.batch_id is None]).update(batch=batch)
    batch.summary = {**batch.summary, "retracted": retracted}
    batches.close(act, batch, parsed, plan)
    summary = {name: batch.summary[name] for name in ("created", "updated", "unchanged")}
    act.log(
        batch, after={"file": batch.file_name, "sha256": batch.digest, "as_of": plan.effective_on, **summary},
        name=batch.file_name,
    )  # fmt: skip
    return plan


def _write(act: Act, batch: ImportBatch, changes: Sequence[Change], found: Reading) -> list[int]:
    """Enter contracts, invoices and payments; returns the payments that were corrected by new ones."""
    paid: list[Paid] = [change.payload for change in changes]
    contracts = _contracts(act, batch, list({id(p.deal): p.deal for p in paid}.values()))
    invoices = _invoices(
        act, batch, {id(p.bill): (p.bill, p.day) for p in reversed(paid) if p.bill}, contracts
    )
    old = [p.old.pk for p in paid if p.old is not None]
    Payment.objects.filter(pk__in=old, retracted_at=None).update(retracted_at=act.now)
    rows = []
    for item in paid:
        contract = contracts[id(item.deal)]
        rows.append(
            Payment(
                project_id=item.project.pk, tranche=item.tranche, contract=contract, certificate=item.certificate,
                invoice=invoices[id(item.bill)] if item.bill else None, use_id=item.use.pk if item.use else contract.use_id,
                amount=item.amount, document=item.voucher, effective_on=item.day, **_fact(act, batch),
            )
        )  # fmt: skip
    rows += _offset(act, batch, found)
    bulk_insert(rows)
    settle_carried({row.contract_id for row in rows if row.contract.number == CARRIED}, act)
    return old


def _fact(act: Act, batch: ImportBatch) -> dict[str, Any]:
    return {"uid": uuid.uuid4(), "recorded_at": act.now, "recorded_by_id": act.actor.user_id, "batch": batch}


def _contracts(act: Act, batch: ImportBatch, deals: list[Deal]) -> dict[int, Contract]:
    new: dict[int, Contract] = {}
    for deal in deals:
        if deal.stored is None:
            new[id(deal)] = Contract(
                org_id=deal.project.org_id, project_id=deal.project.pk, uid=uuid.uuid4(), number=deal.number,
                name=deal.name, payee=deal.payee, amount=deal.worth, signed_on=deal.signed_on or deal.first_paid or timezone.localdate(act.now),
                recorded_at=act.now, batch=batch,
            )  # fmt: skip
    bulk_insert(list(new.values()))
    return new | {id(deal): deal.stored for deal in deals if deal.stored is not None}


def _invoices(
    act: Act, batch: ImportBatch, bills: Mapping[int, tuple[Bill, date]], contracts: Mapping[int, Contract]
) -> dict[int, Invoice]:
    new: dict[int, Invoice] = {}
    known: dict[int, Invoice] = {}
    for mark, (bill, day) in bills.items():
        if bill.stored is not None:
            known[mark] = bill.stored
        else:
            new[mark] = Invoice(
                contract=contracts[id(bill.deal)], number=bill.number, seller=bill.seller, amount=bill.worth,
                effective_on=day, recorded_at=act.now, recorded_by_id=act.actor.user_id, batch=batch,
            )  # fmt: skip
    bulk_insert(list(new.values()))
    return known | new


def _offset(act: Act, batch: ImportBatch, found: Reading) -> list[Payment]:
    """What a bond ledger stated as paid without items gives way to the items, so that nothing is counted twice."""
    if not found.offsets:
        return []
    carried = Contract.objects.filter(
        number=CARRIED, retracted_at=None, project_id__in={project for project, _t in found.offsets}
    )
    by_project = {row.project_id: row for row in carried}
    return [
        Payment(
            project_id=project, tranche_id=tranche, contract=by_project[project], amount=-amount, effective_on=day,
            document=_("Itemised by %(file)s") % {"file": batch.file_name[-80:]}, **_fact(act, batch),
        )
        for (project, tranche), (day, amount) in found.offsets.items()
        if project in by_project
    ]  # fmt: skip


def _after(act: Act, batch: ImportBatch, projects: set[int], day: date) -> None:
    if projects:
        for project in reserved(projects):
            follow_payments(act, project, day)
        orgs = {batch.org_id, *org_ids_below(batch.org_id)}
        refresh_bond_findings(act, orgs, timezone.localdate(act.now), tranche_ids=[], project_ids=projects)
        refresh_paying(act, sorted(projects))


@action("funds.undo_payment_ledger", permission=PAY_BONDS)
def undo_payment_ledger(act: Act, batch: ImportBatch) -> Mapping[str, Any]:
    """Take an import back: its payments, invoices and contracts leave, what it corrected stands again.

    Raises ValidationError, with the reason, when something newer builds on it.
    """
    act.require(batch.org_id)
    batches.lock_for_undo(batch)
    contracts = Contract.objects.filter(batch=batch, retracted_at=None)
    invoices = Invoice.objects.filter(batch=batch, retracted_at=None)
    payments = Payment.objects.filter(batch=batch, retracted_at=None)
    later = Payment.objects.filter(retracted_at=None).exclude(batch=batch)
    newer = [
        *later.filter(contract__in=contracts).values_list("contract__number", flat=True)[:1],
        *later.filter(invoice__in=invoices).values_list("invoice__number", flat=True)[:1],
        *Invoice.objects.filter(contract__in=contracts, retracted_at=None)
        .exclude(batch=batch)
        .values_list("number", flat=True)[:1],
    ]
    corrected = (
        Payment.objects.filter(batch=batch)
        .exclude(retracted_at=None)
        .values_list("contract__number", flat=True)[:1]
    )
    if blocking := [*newer, *corrected]:
        raise ValidationError(
            _("This import cannot be undone: newer entries build on “%(number)s”. Undo those first.")
            % {"number": blocking[0]},
            code="built_upon",
        )
    projects = set(payments.values_list("project_id", flat=True))
    carried = set(payments.filter(contract__number=CARRIED).values_list("contract_id", flat=True))
    payments.update(retracted_at=act.now)
    old = Payment.objects.filter(pk__in=batch.summary.get("retracted") or [])
    old.update(retracted_at=None)
    invoices.update(retracted_at=act.now)
    contracts.update(retracted_at=act.now)
    # A carried contract that the items had used up comes back with its payments.
    Contract.objects.filter(pk__in=carried).update(retracted_at=None)
    settle_carried(carried, act)
    gone = Finding.objects.filter(batch=batch, gone_until=KNOWN_FOREVER)
    gone.update(gone_until=act.now, state=Finding.State.RESOLVED)
    _after(act, batch, projects, batch.as_of or timezone.localdate(act.now))
    batches.mark_undone(act, batch)
    after = {"state": "undone", "projects": len(projects)}
    act.log(batch, before={"state": "committed"}, after=after, name=batch.file_name)
    return {"batch": batch.pk, "undone": True, "projects": len(projects)}


class PaymentLedger(LedgerKind):
    """What the pipeline needs to know of this kind."""

    code = "payment_ledger"
    name = gettext_lazy("Payment ledger")
    permission = PAY_BONDS
    order = 40
    one = gettext_lazy("Payments")
    home = "funds:payments"
    acts = (preview_payment_ledger, import_payment_ledger, undo_payment_ledger, remember_payment_columns)

    @cached_property
    def spec(self) -> KindSpec:
        """Fields, words and rules from the preset."""
        return load_spec(PRESET.read_text(encoding="utf-8"))

    def check(self, parsed: Parsed, org_id: int) -> Parsed:
        """The reading with the faults that only what is stored shows."""
        return check(parsed, org_id)

    def compare(self, parsed: Parsed, org_id: int, today: date, batch_name: str = "") -> Plan:
        """What taking over would change."""
        return compare(parsed, org_id, today)[0]


PAYMENT_LEDGER = import_kind(PaymentLedger())
