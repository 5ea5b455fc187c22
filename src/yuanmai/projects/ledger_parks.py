"""Parks that a ledger names: found in the register, entered, brought back; taken out again when the import is undone."""

from collections.abc import Iterator
from typing import Any

from django.db.models import F

from yuanmai.core.actions import Act, touch
from yuanmai.core.scope import everywhere
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.places.models import Park
from yuanmai.projects.ledger import org_ids_below
from yuanmai.projects.models import ProjectState, ProjectVersion


def _standing_on_parks() -> Iterator[tuple[Any, str]]:
    """Every model that can name a park, with the name of its field. Facts are left out: they are kept when retracted."""
    for relation in Park._meta.get_fields(include_hidden=True):
        if relation.one_to_many and relation.related_model is not ProjectVersion:
            yield relation.related_model, relation.field.name  # type: ignore[union-attr]


def parks_named(batch: ImportBatch, names: set[str]) -> dict[str, int]:
    """Ids of parks by name among those of the organisation and below; unknown ones are entered, retired ones brought back."""
    if not names:
        return {}
    rows = Park.everything.filter(org_id__in=org_ids_below(batch.org_id), name__in=names)
    # Of several with one name the oldest that is in use counts.
    found = {row.name: row for row in rows.order_by(F("retired_at").asc(nulls_last=True), "-pk")}
    back = [row.pk for row in found.values() if row.retired_at is not None]
    if back:
        Park.everything.filter(pk__in=back).update(retired_at=None)
    new = [
        Park(org_id=batch.org_id, name=name, code=f"park-{batch.pk}-{number}")
        for number, name in enumerate(sorted(names - set(found)), 1)
    ]
    Park.objects.bulk_create(new)
    brought = [*back, *(row.pk for row in new)]
    if brought:
        batch.summary = {**batch.summary, "parks": brought}
        touch("places")
    return {row.name: row.pk for row in [*found.values(), *new]}


def retire_parks(act: Act, batch: ImportBatch) -> None:
    """Take the parks that a batch brought out of the register, except those that something else stands on by now.

    The rows stay: what was known before the undo still names them.
    """
    brought = set(batch.summary.get("parks") or ())
    if not brought:
        return
    used: set[int] = set()
    with everywhere():
        believed = ProjectState.objects.filter(known_until=KNOWN_FOREVER)
        for model, name in _standing_on_parks():
            rows = believed if model is ProjectState else model._base_manager.all()
            used.update(rows.filter(**{f"{name}__in": brought}).values_list(f"{name}_id", flat=True))
    gone = Park.objects.filter(pk__in=brought - used, geometry__isnull=True)
    if gone.update(retired_at=act.now):
        touch("places")
