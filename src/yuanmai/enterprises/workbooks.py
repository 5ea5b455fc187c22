"""The register of enterprises as an import kind: preview, take over, take back, remember columns."""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.pinyin import pinyin_of
from yuanmai.core.actions import Act, action
from yuanmai.core.bulk import bulk_insert, no_collection
from yuanmai.core.policy import Actor
from yuanmai.core.undo import Changed, keep, state_of, take_back
from yuanmai.core.undo.models import UndoStep
from yuanmai.core.workbooks import batches
from yuanmai.core.workbooks.engine.formats import text_format
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.spec import KindSpec, load_spec
from yuanmai.core.workbooks.engine.values import ValueFault
from yuanmai.core.workbooks.kinds import Change, Plan, Progress, import_kind
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.wording import add_rules
from yuanmai.enterprises.engine.credit_code import LENGTH, normalised, verify
from yuanmai.enterprises.models import Enterprise
from yuanmai.enterprises.permissions import IMPORT_ENTERPRISES
from yuanmai.enterprises.register_queries import compare, faults_against

PRESET = Path(__file__).parent / "presets" / "enterprise_register.yaml"
CHUNK = 500
WRITTEN = (
    "name", "pinyin", "credit_code", "industry", "chain", "chain_role", "park", "address", "contact", "phone", "note",
    "batch", "retired_at",
)  # fmt: skip

add_rules(
    {
        "credit_code.length": (
            gettext_lazy("A unified social credit code has {n} characters, this one has {detail}."),
            gettext_lazy("Copy the code from the business licence; format the cell as text."),
        ),
        "credit_code.letter": (
            gettext_lazy("“{detail}” does not occur in a unified social credit code."),
            gettext_lazy("The letters I, O, S, V and Z are not used: 1 and 0 are often mistaken for them."),
        ),
        "credit_code.region": (
            gettext_lazy("Characters 3 to 8 are the digits of the region, not “{detail}”."),
            gettext_lazy("Copy the code from the business licence."),
        ),
        "credit_code.check": (
            gettext_lazy("The check character is “{detail}”, but “{expected}” follows from the others."),
            gettext_lazy("One of the characters is mistyped; compare it with the business licence."),
        ),
        "credit_code.differs": (
            gettext_lazy("The register has this enterprise with the code {stored}."),
            gettext_lazy("Correct the code here, or change it on the enterprise's own page first."),
        ),
        "name.taken": (
            gettext_lazy("The register has another enterprise of this name (code {stored})."),
            gettext_lazy("Correct the name or the code: the two say different enterprises."),
        ),
        "park.unknown": (
            gettext_lazy("There is no park of this name."),
            gettext_lazy(
                "Write it as in the list of parks (“{nearest}” comes nearest), or enter the park first."
            ),
        ),
    }
)


def _credit_code(text: str) -> str:
    code = normalised(text)
    verdict = verify(code)
    if verdict.fault:
        raise ValueFault(
            f"credit_code.{verdict.fault}", n=LENGTH, detail=verdict.detail, expected=verdict.expected
        )
    return code


text_format("credit_code", _credit_code)


@action("enterprises.preview_register", permission=IMPORT_ENTERPRISES)
def preview_register(act: Act, /, org_id: int, **values: Any) -> ImportBatch:
    """Keep an uploaded register as a previewed batch, or change the decisions made for one (`batch`)."""
    act.require(org_id)
    batch = batches.keep_preview(act, org_id, EnterpriseRegister.code, **values)
    after = {"file": batch.file_name, "options": batch.summary.get("options")}
    act.log(batch, after=after, name=batch.file_name)
    return batch


@action("enterprises.remember_columns", permission=IMPORT_ENTERPRISES)
def remember_register_columns(act: Act, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
    """Keep what an organisation decided about column heads: (path, field), '' for "leave out"."""
    act.require(org_id)
    batches.remember(act, org_id, EnterpriseRegister.code, decisions)
    act.log(None, org_id=org_id, after={"columns": {"/".join(path): code for path, code in decisions}})


@action("enterprises.import_register", permission=IMPORT_ENTERPRISES)
def import_register(act: Act, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None) -> Plan:
    """Take over a register: all of it or nothing. Raises ValidationError when it has faults or was taken over before."""
    act.require(batch.org_id)
    batches.lock_for_commit(batch)
    # What is stored may have changed since the preview.
    if REGISTER.check(parsed, batch.org_id).errors:
        raise ValidationError(_("The file has faults; nothing was taken over."))
    plan = compare(parsed, batch.org_id)
    plan.effective_on = timezone.localdate(act.now)
    wanted = [change for change in plan.changes if change.action != "unchanged"]
    changed: list[Changed] = []
    with no_collection():
        for start in range(0, len(wanted), CHUNK):
            changed += _write(act, batch, wanted[start : start + CHUNK])
            if progress is not None:
                progress(min(start + CHUNK, len(wanted)), len(wanted))
        keep(act, batch.org_id, changed, name=batch.file_name, batch=batch)
    batches.close(act, batch, parsed, plan)
    summary = {name: batch.summary[name] for name in ("created", "updated", "unchanged")}
    after = {"file": batch.file_name, "sha256": batch.digest, **summary}
    act.log(batch, after=after, name=batch.file_name)
    return plan


def _write(act: Act, batch: ImportBatch, changes: Sequence[Change]) -> list[Changed]:
    """Write some rows and return what they were and are: new ones, changed ones, and retired ones brought back."""
    stored = Enterprise.objects.in_bulk([c.payload.pk for c in changes if c.payload.pk is not None])
    before = {pk: state_of(row) for pk, row in stored.items()}
    new: list[Enterprise] = []
    rows: list[Enterprise] = []
    for change in changes:
        row = stored.get(change.payload.pk)
        if row is None:
            row = Enterprise(org_id=batch.org_id, batch=batch, created_at=act.now)
            new.append(row)
        else:
            # A register that states it makes it more than something a ledger once named.
            row.batch = None if row.retired_at is None else batch
            row.retired_at = None
        for name, value in change.payload.values.items():
            setattr(row, name, value)
        row.pinyin = pinyin_of(row.name)[:200]
        rows.append(row)
    bulk_insert(new)
    Enterprise.objects.bulk_update(stored.values(), WRITTEN, batch_size=200)
    for change, row in zip(changes, rows, strict=True):
        change.target_id, change.uid = row.pk, str(row.pk)
    return [Changed(Enterprise, row.pk, before.get(row.pk), state_of(row)) for row in rows]


@action("enterprises.undo_import", permission=IMPORT_ENTERPRISES)
def undo_register(act: Act, batch: ImportBatch) -> Mapping[str, Any]:
    """Take an import back: changed entries are as they were, new ones leave the register (what refers to them stays).

    Raises ValidationError, with the reason, when an entry was changed since.
    """
    act.require(batch.org_id)
    batches.lock_for_undo(batch)
    step = UndoStep.objects.filter(batch=batch).first()
    number = take_back(act, step, retire=(Enterprise,)) if step is not None else 0
    batches.mark_undone(act, batch)
    after = {"state": "undone", "enterprises": number}
    act.log(batch, before={"state": "committed"}, after=after, name=batch.file_name)
    return {"batch": batch.pk, "undone": True, "enterprises": number}


class EnterpriseRegister:
    """What the pipeline needs to know of this kind."""

    code = "enterprises"
    name = gettext_lazy("Register of enterprises")
    permission = IMPORT_ENTERPRISES
    order = 20
    rows = gettext_lazy("Enterprises")

    @cached_property
    def spec(self) -> KindSpec:
        """Fields, words and rules from the preset."""
        return load_spec(PRESET.read_text(encoding="utf-8"))

    def check(self, parsed: Parsed, org_id: int) -> Parsed:
        """The reading with the faults that only the stored register shows."""
        return parsed.with_faults(faults_against(parsed, org_id))

    def compare(self, parsed: Parsed, org_id: int, today: date, batch_name: str = "") -> Plan:
        """What taking over would change."""
        plan = compare(parsed, org_id)
        plan.effective_on = today
        return plan

    def preview(self, actor: Actor, **values: Any) -> ImportBatch:
        """Keep a file."""
        return preview_register(actor, **values)

    def commit(
        self, actor: Actor, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None
    ) -> Plan:
        """Take it over."""
        return import_register(actor, batch, parsed, progress)

    def undo(self, actor: Actor, batch: ImportBatch) -> Mapping[str, Any]:
        """Take it back."""
        return undo_register(actor, batch)

    def remember(self, actor: Actor, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
        """Keep decisions on columns."""
        remember_register_columns(actor, org_id, decisions)

    def home_url(self) -> str:
        """Address of the register."""
        return reverse("enterprises:index")

    def url_of(self, uid: str) -> str:
        """Address of an enterprise's page."""
        try:
            return reverse("enterprises:record", args=[int(uid)])
        except (NoReverseMatch, ValueError):
            return ""

    def show(self, field_code: str, value: Any) -> str:
        """A value as people read it."""
        return "—" if value is None or value == "" else str(value)


REGISTER = EnterpriseRegister()
import_kind(REGISTER)
