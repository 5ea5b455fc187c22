"""Keeping what was, and putting it back. Called inside actions only."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act
from yuanmai.core.undo.models import RowChange, UndoStep

DAYS = 30
CHUNK = 500
State = dict[str, Any]


@dataclass(frozen=True)
class Changed:
    """One changed row with its states (`state_of`); `before` None: it is new, `after` None: it was removed."""

    model: type[models.Model]
    pk: int
    before: State | None
    after: State | None


def state_of(row: models.Model) -> State:
    """Return every column of a row but its key, as JSON keeps it: two states are equal where the rows are."""
    columns = {
        field.attname: _said(field, getattr(row, field.attname))
        for field in row._meta.concrete_fields
        if not field.primary_key
    }
    state: State = json.loads(json.dumps(columns, cls=DjangoJSONEncoder))
    return state


def _said(field: models.Field[Any, Any], value: Any) -> Any:
    # The database keeps 4 as 4.0 where the column has one decimal.
    if isinstance(field, models.DecimalField) and value is not None:
        return str(Decimal(value).quantize(Decimal(1).scaleb(-field.decimal_places)))
    if isinstance(field, models.DateTimeField) and isinstance(value, datetime):
        return value.isoformat()  # to the microsecond, which JSON's own form cuts
    return value


def keep(
    act: Act, org_id: int, changes: Sequence[Changed], *, name: str = "", batch: Any = None
) -> UndoStep | None:
    """Keep what an action changed, in the order in which it did; None where nothing changed."""
    if not changes:
        return None
    step = UndoStep.objects.create(
        org_id=org_id,
        action=act.code,
        name=name[:200],
        created_at=act.now,
        created_by_id=act.actor.user_id,
        batch=batch,
    )
    RowChange.objects.bulk_create(
        (
            RowChange(step=step, model=c.model._meta.label_lower, row_id=c.pk, before=c.before, after=c.after)
            for c in changes
        ),
        batch_size=CHUNK,
    )
    return step


def since(now: datetime) -> datetime:
    """Return from which moment on changes can be taken back by hand."""
    return now - timedelta(days=DAYS)


def usable(token: UUID, now: datetime) -> UndoStep | None:
    """Return the step of a token that is young enough to be taken back; None for unknown and old ones."""
    return UndoStep.objects.filter(token=token, created_at__gte=since(now)).first()


def take_back(act: Act, step: UndoStep, *, retire: Iterable[type[models.Model]] = ()) -> int:
    """Put every row of a step back as it was and return their number; all of them or none.

    A new row is removed, one of a model in `retire` gets `retired_at` instead, so that what refers to it stays. Raises
    `ValidationError` where the step was undone already, a row was changed since, or something new refers to a row.
    """
    if not UndoStep.objects.filter(pk=step.pk, undone_at=None).update(undone_at=act.now):
        raise ValidationError(_("This was undone already."), code="state")
    changes = list(RowChange.objects.filter(step=step).order_by("-pk"))
    retired = {model._meta.label_lower for model in retire}
    now = _present(changes)
    newer = [c for c in changes if now.get((c.model, c.row_id)) != c.after]
    if newer:
        names = "、".join(_name(change) for change in newer[:3])
        text = _("This cannot be undone: %(names)s changed since. Undo the newer changes first.")
        raise ValidationError(text % {"names": names}, code="built_upon")
    for change in changes:
        model = apps.get_model(change.model)
        rows = model._base_manager.filter(pk=change.row_id)
        if change.before is not None:
            _restore(model, change)
        elif change.model in retired:
            rows.update(retired_at=act.now)
        else:
            _remove(model, change)
    return len(changes)


def _present(changes: Sequence[RowChange]) -> dict[tuple[str, int], State]:
    """Return the present states of the rows of some changes, a few queries per model."""
    wanted: dict[str, list[int]] = {}
    for change in changes:
        wanted.setdefault(change.model, []).append(change.row_id)
    found: dict[tuple[str, int], State] = {}
    for label, ids in wanted.items():
        manager = apps.get_model(label)._base_manager
        for start in range(0, len(ids), CHUNK):
            for row in manager.filter(pk__in=ids[start : start + CHUNK]):
                found[label, row.pk] = state_of(row)
    return found


def _values(model: type[models.Model], state: Mapping[str, Any]) -> dict[str, Any]:
    return {
        field.attname: field.to_python(state[field.attname])
        if not isinstance(field, models.ForeignKey | models.JSONField)
        else state[field.attname]
        for field in model._meta.concrete_fields
        if field.attname in state
    }


def _restore(model: type[models.Model], change: RowChange) -> None:
    values = _values(model, change.before or {})
    if change.after is not None:
        model._base_manager.filter(pk=change.row_id).update(**values)
        return
    row = model(pk=change.row_id, **values)
    row.save_base(raw=True, force_insert=True)


def _remove(model: type[models.Model], change: RowChange) -> None:
    row = model._base_manager.get(pk=change.row_id)
    try:
        row.delete()
    except ProtectedError as error:
        kinds = "、".join(sorted({str(type(other)._meta.verbose_name) for other in error.protected_objects}))
        text = _("This cannot be undone: “%(name)s” is referred to by %(kinds)s by now. Undo that first.")
        raise ValidationError(text % {"name": row, "kinds": kinds}, code="built_upon") from error


def _name(change: RowChange) -> str:
    state = change.after or change.before or {}
    return f"“{state.get('name') or state.get('code') or change.row_id}”"
