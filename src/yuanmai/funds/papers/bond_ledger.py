"""The ledger of special bonds as an import kind: preview, take over, take back, remember columns."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F, Sum
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
from yuanmai.funds.coverage import refresh_projects
from yuanmai.funds.findings import refresh_findings
from yuanmai.funds.findings.bonds import refresh_bond_findings, refresh_quota_findings
from yuanmai.funds.issuing.funding import Replaced, record_issued
from yuanmai.funds.issuing.reserves import none_issued, now_issued
from yuanmai.funds.models import (
    Allotment,
    Contract,
    Disbursement,
    FundingFact,
    FundingState,
    Payment,
    Security,
    Source,
    Tranche,
)
from yuanmai.funds.papers import wording
from yuanmai.funds.papers.bond_compare import Wanted, bonds_of, check, compare
from yuanmai.funds.papers.bond_terms import Bond
from yuanmai.funds.papers.ledger_kind import LedgerKind
from yuanmai.funds.paying.life import follow_payments
from yuanmai.funds.permissions import ISSUE_BONDS, PAY_BONDS
from yuanmai.funds.projection import refold
from yuanmai.funds.queries import ZERO
from yuanmai.projects.ledger import org_ids_below
from yuanmai.projects.models import Project

PRESET = Path(__file__).parent / "presets" / "bond_ledger.yaml"
# The number of the contract that stands for what a ledger states as paid without naming contracts.
CARRIED = "LEDGER"
assert wording  # its rules must be declared before a file is read


@action("funds.preview_bond_ledger", permission=ISSUE_BONDS)
def preview_bond_ledger(act: Act, /, org_id: int, **values: Any) -> ImportBatch:
    """Keep an uploaded bond ledger as a previewed batch, or change the decisions made for one (`batch`)."""
    act.require(org_id)
    batch = batches.keep_preview(act, org_id, BondLedger.code, **values)
    act.log(
        batch, after={"file": batch.file_name, "options": batch.summary.get("options")}, name=batch.file_name
    )
    return batch


@action("funds.remember_bond_columns", permission=ISSUE_BONDS)
def remember_bond_columns(act: Act, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
    """Keep what an organisation decided about column heads: (path, field), '' for "leave out"."""
    act.require(org_id)
    batches.remember(act, org_id, BondLedger.code, decisions)
    act.log(None, org_id=org_id, after={"columns": {"/".join(path): code for path, code in decisions}})


@action("funds.import_bond_ledger", permission=ISSUE_BONDS)
def import_bond_ledger(
    act: Act, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None
) -> Plan:
    """Take over a bond ledger: all of it or nothing. Raises ValidationError when it has faults or was taken over before."""
    act.require(batch.org_id)
    batches.lock_for_commit(batch)
    today = timezone.localdate(act.now)
    # What is stored may have changed since the preview.
    if check(parsed, batch.org_id, today).errors:
        raise ValidationError(_("The file has faults; nothing was taken over."))
    plan = compare(parsed, batch.org_id, today)
    assert plan.effective_on is not None
    changes = [change for change in plan.changes if change.action != "unchanged"]
    if any(change.payload.disbursed or change.payload.paid for change in changes):
        act.require(batch.org_id, PAY_BONDS)
    kept = {}
    tranches: dict[int, Tranche] = {}
    for bond in bonds_of(changes):
        tranche, before = _write_bond(act, batch, bond)
        tranches[id(bond)] = tranche
        if before:
            kept[str(tranche.pk)] = before
    _write_facts(act, batch, changes, tranches, plan.effective_on)
    if progress is not None:
        progress(len(changes), len(changes))
    projects = {change.payload.project.pk for change in changes}
    touched = {tranche.pk for tranche in tranches.values()}
    _after(act, batch, projects, touched, plan.effective_on)
    found = store_findings(act, batch.org_id, plan.found, plan.effective_on, batch=None)
    Finding.objects.filter(pk__in=[row.pk for row in found if row.batch_id is None]).update(batch=batch)
    batch.summary = {**batch.summary, "tranches": kept}
    batches.close(act, batch, parsed, plan)
    summary = {name: batch.summary[name] for name in ("created", "updated", "unchanged")}
    act.log(
        batch, after={"file": batch.file_name, "sha256": batch.digest, "as_of": plan.effective_on, **summary},
        name=batch.file_name,
    )  # fmt: skip
    return plan


def _write_bond(act: Act, batch: ImportBatch, bond: Bond) -> tuple[Tranche, dict[str, Any]]:
    """Enter a new bond, or bring a stored one up to date; returns it and what its changed columns were and are."""
    if bond.stored is None:
        tranche = Tranche(
            org_id=batch.org_id, uid=uuid.uuid4(), code=bond.code, recorded_at=act.now, batch=batch, **bond.values
        )  # fmt: skip
        tranche.save()
        act.log(
            tranche,
            after={"amount": tranche.amount, "rate": tranche.rate, "term": tranche.term_years},
            name=str(tranche),
        )
        return tranche, {}
    tranche = bond.stored
    if not bond.changes:
        return tranche, {}
    before = {name: _plain(value) for name, (value, _after) in bond.changes.items()}
    after = {name: _plain(value) for name, (_before, value) in bond.changes.items()}
    for name, (_old, value) in bond.changes.items():
        setattr(tranche, name, value)
    tranche.save(update_fields=list(bond.changes))
    act.log(tranche, before=before, after=after, name=str(tranche))
    return tranche, {"before": before, "after": after}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | list) else str(value)


def _typed(name: str, value: Any) -> Any:
    field: Any = Tranche._meta.get_field(name)
    return value if isinstance(value, list) else field.to_python(value)


def _write_facts(
    act: Act, batch: ImportBatch, changes: Sequence[Change], tranches: Mapping[int, Tranche], as_of: date
) -> None:
    fact: dict[str, Any] = {"recorded_at": act.now, "recorded_by_id": act.actor.user_id, "batch": batch}
    rows: dict[str, list[Any]] = defaultdict(list)
    more: dict[int, Decimal] = defaultdict(lambda: ZERO)
    issued: list[tuple[int, Tranche]] = []
    replaced: list[Replaced] = []
    carried = _carried(act, batch, [c.payload for c in changes if c.payload.paid], as_of)
    document = _("Bond ledger %(day)s") % {"day": as_of}
    for change in changes:
        wanted: Wanted = change.payload
        tranche = tranches[id(wanted.bond)]
        common = {**fact, "project_id": wanted.project.pk, "tranche": tranche, "document": document}
        if wanted.allotted:
            rows["allotted"].append(Allotment(effective_on=wanted.day, amount=wanted.allotted, **common))
            more[tranche.pk] += wanted.allotted
            issued.append((wanted.project.pk, tranche))
            if wanted.allotted > 0:
                year = tranche.value_date.year
                replaced.append(Replaced(wanted.project.pk, year, wanted.allotted, as_of))
        if wanted.disbursed:
            rows["disbursed"].append(Disbursement(effective_on=as_of, amount=wanted.disbursed, **common))
        if wanted.paid:
            rows["paid"].append(
                Payment(
                    effective_on=as_of, amount=wanted.paid, uid=uuid.uuid4(),
                    contract=carried[wanted.project.pk], **common,
                )
            )  # fmt: skip
    for pk, amount in more.items():
        room = Tranche.objects.filter(pk=pk, allotted__lte=F("amount") - amount)
        if not room.update(allotted=F("allotted") + amount):
            raise ValidationError(
                _("Somebody else has just allotted from one of these bonds. Open the preview again.")
            )
    for models in rows.values():
        bulk_insert(models)
    # What is issued stands among the sources, in place of what was only planned.
    planned = FundingState.objects.at(as_of).filter(
        project_id__in={item.project_id for item in replaced},
        source=Source.SPECIAL_BOND,
        security=Security.PLANNED,
    )
    with_plan = set(planned.values_list("project_id", flat=True))
    record_issued(act, issued, replaced=[item for item in replaced if item.project_id in with_plan])
    mine = FundingFact.objects.filter(
        project_id__in={pk for pk, _t in issued}, recorded_at=act.now, batch=None
    )
    mine.update(batch=batch)
    now_issued(act, reserved({pk for pk, _t in issued}), as_of)
    settle_carried({contract.pk for contract in carried.values()}, act)


def _carried(act: Act, batch: ImportBatch, wanted: Sequence[Wanted], as_of: date) -> dict[int, Contract]:
    """Return, per project, the contract under which payments stand that a ledger states without naming contracts."""
    projects = {item.project.pk: item.project for item in wanted}
    found = {
        row.project_id: row
        for row in Contract.objects.filter(project_id__in=projects, number=CARRIED, retracted_at=None)
    }
    new = [
        Contract(
            org_id=project.org_id, project_id=pk, uid=uuid.uuid4(), number=CARRIED,
            name=_("Payments carried over from the bond ledger"), payee=_("Not itemised in the ledger"),
            amount=ZERO, signed_on=as_of, recorded_at=act.now, batch=batch,
        )
        for pk, project in projects.items() if pk not in found
    ]  # fmt: skip
    bulk_insert(new)
    return found | {row.project_id: row for row in new}


def reserved(ids: set[int]) -> list[Project]:
    """Return those of the projects that have a reserve project, which follows their money."""
    rows = Project.objects.filter(pk__in=ids, reserves__withdrawn_at=None, reserves__isnull=False)
    return list(rows.distinct().order_by("pk"))


def settle_carried(contract_ids: set[int], act: Act) -> None:
    """Bring carried contracts in step: each amounts to what was paid under it; one without payments is taken back."""
    sums = dict(
        Payment.objects.filter(contract_id__in=contract_ids, retracted_at=None)
        .order_by().values_list("contract_id").annotate(total=Sum("amount"))
    )  # fmt: skip
    for pk in contract_ids:
        if pk in sums:
            Contract.objects.filter(pk=pk).update(amount=sums[pk])
        else:
            Contract.objects.filter(pk=pk).update(amount=ZERO, retracted_at=act.now)


def _after(act: Act, batch: ImportBatch, projects: set[int], tranches: set[int], as_of: date) -> None:
    if not projects:
        return
    for project in reserved(projects):
        follow_payments(act, project, as_of)
    refold(projects, act.now)
    refresh_projects(act, projects, as_of)
    orgs = {batch.org_id, *org_ids_below(batch.org_id)}
    refresh_findings(orgs, as_of, act, projects)
    refresh_bond_findings(act, orgs, as_of, project_ids=projects, tranche_ids=tranches)
    refresh_quota_findings(act, [batch.org], as_of)


@action("funds.undo_bond_ledger", permission=ISSUE_BONDS)
def undo_bond_ledger(act: Act, batch: ImportBatch) -> Mapping[str, Any]:
    """Take an import back: its facts are retracted, changed bonds are as they were, new ones leave.

    Raises ValidationError, with the reason, when something newer builds on it.
    """
    act.require(batch.org_id)
    batches.lock_for_undo(batch)
    allotments = Allotment.objects.filter(batch=batch, retracted_at=None)
    more = dict(allotments.order_by().values_list("tranche_id").annotate(total=Sum("amount")))
    new = list(Tranche.objects.filter(batch=batch, retracted_at=None))
    changed: dict[str, Any] = batch.summary.get("tranches") or {}
    old = {str(row.pk): row for row in Tranche.objects.filter(pk__in=[int(pk) for pk in changed])}
    _refuse_if_built_upon(batch, [row.pk for row in new], old, changed)
    projects: set[int] = set()
    contracts: set[int] = set()
    models: tuple[Any, ...] = (Allotment, Disbursement, Payment, FundingFact)
    for model in models:
        rows = model._default_manager.filter(batch=batch, retracted_at=None)
        projects |= set(rows.values_list("project_id", flat=True))
        if model is Payment:
            contracts = set(rows.values_list("contract_id", flat=True))
        rows.update(retracted_at=act.now)
    for pk, amount in more.items():
        Tranche.objects.filter(pk=pk).update(allotted=F("allotted") - amount)
    for pk, values in changed.items():
        before = {name: _typed(name, value) for name, value in values["before"].items()}
        Tranche.objects.filter(pk=int(pk)).update(**before)
    Tranche.objects.filter(pk__in=[row.pk for row in new]).update(retracted_at=act.now)
    settle_carried(contracts, act)
    gone = Finding.objects.filter(batch=batch, gone_until=KNOWN_FOREVER)
    gone.update(gone_until=act.now, state=Finding.State.RESOLVED)
    day = batch.as_of or timezone.localdate(act.now)
    _after(act, batch, projects, {*more, *(row.pk for row in new)}, day)
    none_issued(act, reserved(projects), day)
    batches.mark_undone(act, batch)
    after = {"state": "undone", "projects": len(projects)}
    act.log(batch, before={"state": "committed"}, after=after, name=batch.file_name)
    return {"batch": batch.pk, "undone": True, "projects": len(projects)}


def _refuse_if_built_upon(
    batch: ImportBatch, new: list[int], old: Mapping[str, Tranche], changed: Mapping[str, Any]
) -> None:
    """Raise where a newer movement of the same money exists, or a bond was changed since."""
    pairs = set(
        Allotment.objects.filter(batch=batch, retracted_at=None).values_list("project_id", "tranche_id")
    )
    for model in (Disbursement, Payment):
        pairs |= set(
            model.objects.filter(batch=batch, retracted_at=None).values_list("project_id", "tranche_id")
        )
    for other in (Allotment, Disbursement, Payment):
        later = other._default_manager.filter(retracted_at=None, recorded_at__gte=batch.committed_at)
        for project, tranche, code in later.exclude(batch=batch).values_list(
            "project_id", "tranche_id", "tranche__code"
        ):
            if (project, tranche) in pairs or tranche in new:
                raise ValidationError(
                    _(
                        "This import cannot be undone: newer entries build on the bond %(code)s. Undo those first."
                    )
                    % {"code": code},
                    code="built_upon",
                )
    for pk, values in changed.items():
        row = old.get(pk)
        if row is None or any(
            getattr(row, name) != _typed(name, value) for name, value in values["after"].items()
        ):
            raise ValidationError(
                _("This import cannot be undone: the bond %(code)s was changed since. Undo that first.")
                % {"code": row.code if row else pk},
                code="built_upon",
            )


class BondLedger(LedgerKind):
    """What the pipeline needs to know of this kind."""

    code = "bond_ledger"
    name = gettext_lazy("Special-bond ledger")
    permission = ISSUE_BONDS
    order = 30
    one = gettext_lazy("Projects by tranche")
    home = "funds:tranches"
    acts = (preview_bond_ledger, import_bond_ledger, undo_bond_ledger, remember_bond_columns)

    @cached_property
    def spec(self) -> KindSpec:
        """Fields, words and rules from the preset."""
        return load_spec(PRESET.read_text(encoding="utf-8"))

    def check(self, parsed: Parsed, org_id: int) -> Parsed:
        """The reading with the faults that only the rules and what is stored show."""
        return check(parsed, org_id, timezone.localdate())

    def compare(self, parsed: Parsed, org_id: int, today: date, batch_name: str = "") -> Plan:
        """What taking over would change."""
        return compare(parsed, org_id, today)


BOND_LEDGER = import_kind(BondLedger())
