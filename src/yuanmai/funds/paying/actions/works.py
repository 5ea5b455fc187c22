"""Physical work: what is planned to stand on the ground, and how much of it stands."""

from datetime import date
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.funds.engine.payments import Verdict, check_measurement
from yuanmai.funds.findings.paying import refresh_paying
from yuanmai.funds.models import Contract, Measurement, WorkItem
from yuanmai.funds.paying.actions.papers import Files, fact, keep, refused, text_needed
from yuanmai.funds.paying.loading import hold, today_of
from yuanmai.funds.paying.wording import enforce, sentence
from yuanmai.funds.permissions import KEEP_CONTRACTS
from yuanmai.places.models import Building
from yuanmai.projects.actions import NeedsConfirmation
from yuanmai.projects.models import Project


@action("funds.plan_work", permission=KEEP_CONTRACTS)
def plan_work(
    act: Act,
    project: Project,
    *,
    name: str,
    unit: str,
    planned: Decimal,
    contract: Contract | None = None,
    building: Building | None = None,
) -> WorkItem:
    """Plan a physical work quantity (metres, m², sets) of a project, under a contract and at a building, where known."""
    act.require(project.org_id)
    texts = text_needed(
        {"name": name, "unit": unit},
        name=_("State the work: pipe DN 600, floor of factory 3 …"),
        unit=_("State the unit: m, m², set …"),
    )
    if planned is None or not planned.is_finite() or planned <= 0:
        raise refused("planned", _("State how much is planned; it must be more than 0."))
    if contract is not None and (contract.project_id != project.pk or contract.retracted_at is not None):
        raise refused(
            "contract", _("This contract belongs to another project. Choose a contract of this project.")
        )
    rows = WorkItem.objects.filter(project=project, contract=contract, retracted_at=None)
    if rows.filter(name=texts["name"], unit=texts["unit"]).exists():
        raise refused("name", _("“%(name)s” is already planned.") % {"name": texts["name"]})
    row = WorkItem.objects.create(
        org_id=project.org_id,
        project=project,
        contract=contract,
        building=building,
        planned=planned,
        recorded_at=act.now,
        **texts,
    )
    after = {**texts, "planned": planned, "contract": contract.number if contract else ""}
    act.log(row, after=after, name=row.name)
    refresh_paying(act, [project.pk])
    return row


@action("funds.measure", permission=KEEP_CONTRACTS)
def measure(
    act: Act,
    item: WorkItem,
    effective_on: date,
    quantity: Decimal,
    *,
    note: str = "",
    confirmed: bool = True,
    files: Files = (),
    batch: ImportBatch | None = None,
) -> tuple[Measurement, list[Verdict]]:
    """Record how much of a work item stands on the ground on a day, cumulative.

    Less than before, or more than planned, raises `NeedsConfirmation` unless `confirmed`.
    """
    act.require(item.org_id)
    hold(item.project_id)
    if item.retracted_at is not None:
        raise ValidationError(_("This work has been taken back."))
    rows = Measurement.objects.filter(item=item, retracted_at=None)
    newest = ("-effective_on", "-recorded_at", "-id")
    before = rows.filter(effective_on__lte=effective_on).order_by(*newest).first() if effective_on else None
    after = (
        rows.filter(effective_on__gt=effective_on).order_by("effective_on").first() if effective_on else None
    )
    flags = enforce(
        check_measurement(
            quantity,
            effective_on,
            today_of(act),
            planned=item.planned,
            before=before.quantity if before else None,
            after=after.quantity if after else None,
        )
    )
    if flags and not confirmed:
        raise NeedsConfirmation({"quantity": [sentence(verdict) for verdict in flags]})
    row = Measurement.objects.create(
        item=item, quantity=quantity, note=note.strip()[:200], **fact(act, effective_on, batch)
    )
    act.log(
        row,
        org_id=item.org_id,
        before={"quantity": before.quantity} if before else None,
        after={"quantity": quantity, "effective_on": effective_on, "note": row.note},
        name=item.name,
    )
    keep(act, row, files)
    refresh_paying(act, [item.project_id])
    return row, flags
