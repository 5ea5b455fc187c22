"""What all kinds do with a batch: keep the file, guard its states, remember columns. Called inside actions only."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act
from yuanmai.core.workbooks.engine.match import path_key
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.kinds import Plan
from yuanmai.core.workbooks.models import ColumnMapping, ImportBatch
from yuanmai.core.workbooks.store import keep

State = ImportBatch.State


def keep_preview(
    act: Act,
    org_id: int,
    kind: str,
    *,
    data: bytes | None = None,
    file_name: str = "",
    options: Mapping[str, Any] | None = None,
    batch: ImportBatch | None = None,
) -> ImportBatch:
    """Store the file and a batch for it; with `batch`, only its options change. Raises ValidationError when it is closed."""
    if batch is None:
        assert data is not None
        batch = ImportBatch(
            org_id=org_id,
            kind=kind,
            file_name=file_name[-255:],
            digest=keep(data),
            created_at=act.now,
            created_by_id=act.actor.user_id,
        )
    elif batch.state != State.PREVIEWED:
        raise ValidationError(_("This import was taken over already."))
    batch.summary = {**batch.summary, "options": dict(options or {})}
    batch.save()
    return batch


def lock_for_commit(batch: ImportBatch) -> None:
    """Let one caller through: compare-and-swap of the state. Raises ValidationError for the second."""
    if not ImportBatch.objects.filter(pk=batch.pk, state=State.PREVIEWED).update(state=State.COMMITTED):
        raise ValidationError(_("This import was taken over already."), code="state")
    batch.state = State.COMMITTED


def lock_for_undo(batch: ImportBatch) -> None:
    """The same for taking back."""
    if not ImportBatch.objects.filter(pk=batch.pk, state=State.COMMITTED).update(state=State.UNDONE):
        text = (
            _("This import was undone already.")
            if batch.state == State.UNDONE
            else _("This import was not taken over.")
        )
        raise ValidationError(text, code="state")
    batch.state = State.UNDONE


def close(act: Act, batch: ImportBatch, parsed: Parsed, plan: Plan) -> None:
    """Write what became of a batch."""
    batch.sheet = parsed.sheet[:100]
    batch.as_of = plan.effective_on
    batch.committed_at = act.now
    batch.summary = {
        **batch.summary,
        **{name: plan.count(name) for name in ("created", "updated", "unchanged")},
        "findings": len(plan.found),
        "as_of_assumed": plan.assumed,
    }
    batch.save()


def mark_undone(act: Act, batch: ImportBatch) -> None:
    """Note when it was taken back."""
    batch.undone_at = act.now
    batch.save(update_fields=["state", "undone_at"])


def remember(act: Act, org_id: int, kind: str, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
    """Keep decisions on column heads; the newest wins."""
    rows = [
        ColumnMapping(
            org_id=org_id,
            kind=kind,
            key=path_key(path)[:200],
            header="/".join(path)[:200],
            field=code,
            changed_at=act.now,
            changed_by_id=act.actor.user_id,
        )
        for path, code in decisions
        if path_key(path)
    ]
    ColumnMapping.objects.bulk_create(
        list({row.key: row for row in rows}.values()),
        update_conflicts=True,
        unique_fields=["org", "kind", "key"],
        update_fields=["header", "field", "changed_at", "changed_by"],
    )
