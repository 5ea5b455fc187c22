"""The payment file: use plan, contract, certificate confirmed by the supervisor, invoice, site photographs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.policy import Text
from yuanmai.funds.files import attachments, target_of
from yuanmai.funds.models import Attachment, Measurement, Payment, UsePlan
from yuanmai.funds.paying.loading import month_of

USE_PLAN, CONTRACT, CERTIFICATE, INVOICE, PHOTO = "use_plan", "contract", "certificate", "invoice", "photo"
PARTS: dict[str, Text] = {
    USE_PLAN: _("Use plan"),
    CONTRACT: _("Contract"),
    CERTIFICATE: _("Certificate confirmed by the supervisor"),
    INVOICE: _("Invoice"),
    PHOTO: _("Site photographs"),
}
PRESENT, NO_FILE, UNCONFIRMED, MISSING = "present", "no_file", "unconfirmed", "missing"
STATES: dict[str, Text] = {
    PRESENT: _("Present"),
    NO_FILE: _("Recorded, scan missing"),
    UNCONFIRMED: _("Not confirmed by the supervisor"),
    MISSING: pgettext_lazy("payment file", "Missing"),
}


@dataclass(frozen=True)
class Part:
    """One part of a payment file: its state, the row that it is, and the files that prove it."""

    code: str
    state: str
    row: Any = None
    files: Sequence[Attachment] = ()

    @property
    def name(self) -> Text:
        """What the part is called."""
        return PARTS[self.code]

    @property
    def says(self) -> Text:
        """Its state in words."""
        return STATES[self.state]

    @property
    def complete(self) -> bool:
        """Whether nothing of it is missing."""
        return self.state == PRESENT


@dataclass(frozen=True)
class PaymentFile:
    """The parts of one payment file, always the same five in the same order."""

    parts: tuple[Part, ...] = field(default=())

    @property
    def lacking(self) -> list[Part]:
        """The parts that are not complete."""
        return [part for part in self.parts if not part.complete]

    @property
    def done(self) -> int:
        """How many parts are complete."""
        return len(self.parts) - len(self.lacking)

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.lacking


def payment_files(payments: Iterable[Payment]) -> dict[int, PaymentFile]:
    """Return the file of each payment by its id, by present knowledge; three queries (with the papers selected along)."""
    rows = list(payments)
    if not rows:
        return {}
    plans: dict[tuple[int, date], UsePlan] = {}
    found = UsePlan.objects.filter(project_id__in={row.project_id for row in rows}, retracted_at=None)
    for plan in found.order_by("effective_on", "recorded_at", "id"):
        plans[plan.project_id, plan.month] = plan
    measured: dict[int, list[Measurement]] = defaultdict(list)
    works = Measurement.objects.filter(
        item__contract_id__in={row.contract_id for row in rows}, retracted_at=None, item__retracted_at=None
    )
    for measurement in works.select_related("item").order_by("-effective_on", "-id"):
        if measurement.item.contract_id is not None:
            measured[measurement.item.contract_id].append(measurement)
    held: list[models.Model] = [*rows, *plans.values()]
    held += [m for group in measured.values() for m in group]
    for row in rows:
        held += [paper for paper in (row.contract, row.certificate, row.invoice) if paper is not None]
    kept = attachments({target_of(obj): obj for obj in held}.values())
    return {row.pk: _file(row, plans, measured[row.contract_id], kept) for row in rows}


def _file(
    row: Payment,
    plans: dict[tuple[int, date], UsePlan],
    measured: list[Measurement],
    kept: dict[str, list[Attachment]],
) -> PaymentFile:
    own = kept.get(target_of(row), [])

    def files(code: str, *objects: models.Model | None) -> list[Attachment]:
        mine = [file for file in own if file.kind == code]
        return mine + [
            file
            for obj in objects
            if obj is not None
            for file in kept.get(target_of(obj), [])
            if file.kind == code
        ]

    def paper(code: str, obj: Any, *, confirmed: bool = True) -> Part:
        proofs = files(code, obj)
        if obj is None:
            return Part(code, PRESENT if proofs and code != CERTIFICATE else MISSING, None, proofs)
        if not confirmed:
            return Part(code, UNCONFIRMED, obj, proofs)
        return Part(code, PRESENT if proofs else NO_FILE, obj, proofs)

    plan = plans.get((row.project_id, month_of(row.effective_on)))
    planned = files(USE_PLAN, plan)
    certificate = row.certificate
    confirmed = (
        certificate is not None
        and certificate.confirmed_on is not None
        and certificate.confirmed_on <= row.effective_on
    )
    before = [m for m in measured if m.effective_on <= row.effective_on]
    photos = files(PHOTO, *before)
    return PaymentFile(
        (
            Part(USE_PLAN, PRESENT if plan or planned else MISSING, plan, planned),
            paper(CONTRACT, row.contract),
            paper(CERTIFICATE, certificate, confirmed=confirmed),
            paper(INVOICE, row.invoice),
            Part(PHOTO, PRESENT if photos else MISSING, before[0] if before else None, photos),
        )
    )
