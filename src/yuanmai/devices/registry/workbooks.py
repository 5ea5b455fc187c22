"""The register of devices, and the points of devices, as import kinds: preview, take over, take back, remember columns."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.actions import Act, action
from yuanmai.core.bulk import bulk_insert
from yuanmai.core.policy import Actor, Text
from yuanmai.core.undo import Changed, keep, state_of, take_back
from yuanmai.core.undo.models import UndoStep
from yuanmai.core.workbooks import batches
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.spec import KindSpec, load_spec
from yuanmai.core.workbooks.kinds import Change, Plan, Progress, import_kind
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.devices.engine.states import states_text
from yuanmai.devices.models import Device, Point
from yuanmai.devices.permissions import KEEP_DEVICES
from yuanmai.devices.registry import workbook_wording  # noqa: F401  (declares the rules)
from yuanmai.devices.registry.actions.checking import POINT_FIELDS, points_from
from yuanmai.devices.registry.queries import template_points
from yuanmai.devices.registry.workbook_compare import (
    compare_devices,
    compare_points,
    device_faults,
    point_faults,
)

PRESETS = Path(__file__).parents[1] / "presets"
CHUNK = 500
WRITTEN = (
    "name", "name_en", "note", "template", "protocol", "key", "park", "building", "enterprise", "parent", "longitude", "latitude",
    "silence_after", "installed_on", "mobile", "batch", "retired_at",
)  # fmt: skip


@action("devices.preview_import", permission=KEEP_DEVICES)
def preview_import(act: Act, /, org_id: int, kind: str, **values: Any) -> ImportBatch:
    """Keep an uploaded workbook as a previewed batch, or change the decisions made for one (`batch`)."""
    act.require(org_id)
    batch = batches.keep_preview(act, org_id, kind, **values)
    after = {"file": batch.file_name, "options": batch.summary.get("options")}
    act.log(batch, after=after, name=batch.file_name)
    return batch


@action("devices.remember_columns", permission=KEEP_DEVICES)
def remember_columns(
    act: Act, org_id: int, kind: str, decisions: Sequence[tuple[Sequence[str], str]]
) -> None:
    """Keep what an organisation decided about column heads: (path, field), '' for "leave out"."""
    act.require(org_id)
    batches.remember(act, org_id, kind, decisions)
    act.log(None, org_id=org_id, after={"columns": {"/".join(path): code for path, code in decisions}})


Write = Callable[[Act, ImportBatch, Sequence[Change]], list[Changed]]


def _take(
    act: Act, kind: "DeviceKind", batch: ImportBatch, parsed: Parsed, progress: Progress | None
) -> Plan:
    act.require(batch.org_id)
    batches.lock_for_commit(batch)
    # What is stored may have changed since the preview.
    if kind.check(parsed, batch.org_id).errors:
        raise ValidationError(_("The file has faults; nothing was taken over."))
    plan = kind.plan(parsed, batch.org_id)
    plan.effective_on = timezone.localdate(act.now)
    wanted = [change for change in plan.changes if change.action != "unchanged"]
    changed: list[Changed] = []
    for start in range(0, len(wanted), CHUNK):
        changed += kind.write(act, batch, wanted[start : start + CHUNK])
        if progress is not None:
            progress(min(start + CHUNK, len(wanted)), len(wanted))
    changed += kind.finish(act, batch, wanted)
    keep(act, batch.org_id, _once(changed), name=batch.file_name, batch=batch)
    batches.close(act, batch, parsed, plan)
    summary = {name: batch.summary[name] for name in ("created", "updated", "unchanged")}
    act.log(batch, after={"file": batch.file_name, "sha256": batch.digest, **summary}, name=batch.file_name)
    return plan


def _once(changed: Sequence[Changed]) -> list[Changed]:
    """Return one entry for each row: what it was before the first of its changes and is after the last."""
    found: dict[tuple[Any, int], Changed] = {}
    for one in changed:
        first = found.get((one.model, one.pk), one)
        found[one.model, one.pk] = Changed(one.model, one.pk, first.before, one.after)
    return list(found.values())


@action("devices.import_devices", permission=KEEP_DEVICES)
def import_devices(act: Act, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None) -> Plan:
    """Take over a workbook of devices: all of it or nothing. Raises `ValidationError` when it has faults or was taken over."""
    return _take(act, DEVICES, batch, parsed, progress)


@action("devices.import_points", permission=KEEP_DEVICES)
def import_points(act: Act, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None) -> Plan:
    """Take over a workbook of points: all of it or nothing. Raises `ValidationError` when it has faults or was taken over."""
    return _take(act, POINTS, batch, parsed, progress)


@action("devices.undo_import", permission=KEEP_DEVICES)
def undo_import(act: Act, batch: ImportBatch) -> Mapping[str, Any]:
    """Take an import back: changed rows are as they were, new ones leave the register (their readings stay).

    Raises `ValidationError`, with the reason, when a row was changed since.
    """
    act.require(batch.org_id)
    batches.lock_for_undo(batch)
    step = UndoStep.objects.filter(batch=batch).first()
    number = take_back(act, step, retire=(Device, Point)) if step is not None else 0
    batches.mark_undone(act, batch)
    act.log(
        batch, before={"state": "committed"}, after={"state": "undone", "rows": number}, name=batch.file_name
    )
    return {"batch": batch.pk, "undone": True, "rows": number}


def _write_devices(act: Act, batch: ImportBatch, changes: Sequence[Change]) -> list[Changed]:
    """Write some devices and return what they were and are: new ones with the points of their template."""
    stored = Device.objects.in_bulk([c.payload.pk for c in changes if c.payload.pk is not None])
    before = {pk: state_of(row) for pk, row in stored.items()}
    rows: list[Device] = []
    new: list[Device] = []
    for change in changes:
        row = stored.get(change.payload.pk)
        if row is None:
            row = Device(org_id=batch.org_id, code=str(change.row.get("code")), batch=batch)
            new.append(row)
        elif row.retired_at is not None:
            row.retired_at, row.batch = None, batch
        for name, value in change.payload.values.items():
            setattr(row, name, value)
        if (template := change.payload.template) is not None and row.pk is None:
            row.protocol, row.mobile = template.protocol, bool(template.profile.get("mobile"))
        rows.append(row)
    bulk_insert(new)
    Device.objects.bulk_update(stored.values(), WRITTEN, batch_size=100)
    kept: dict[int, list[Any]] = {}
    points: list[Point] = []
    for change, row in zip(changes, rows, strict=True):
        change.target_id, change.uid = row.pk, str(row.pk)
        if row.pk not in before and (template := change.payload.template) is not None:
            if template.pk not in kept:
                kept[template.pk] = template_points(template)
            points += points_from(kept[template.pk], row)
    bulk_insert(points)
    return [Changed(Device, row.pk, before.get(row.pk), state_of(row)) for row in rows]


def _join_parts(act: Act, batch: ImportBatch, changes: Sequence[Change]) -> list[Changed]:
    """Hang parts on what they belong to, once all devices of the file are there."""
    parts = [change for change in changes if change.payload.parent]
    codes = (
        {row.code.casefold(): row for row in Device.objects.filter(org_id=batch.org_id, retired_at=None)}
        if parts
        else {}
    )
    changed = []
    for change in parts:
        row = Device.objects.get(pk=change.target_id or 0)
        parent = codes.get(change.payload.parent.casefold())
        above: Any = parent
        for _step in range(32):
            if above is None:
                break
            if above.pk == row.pk:
                raise ValidationError(_("“%(name)s” would be a part of itself.") % {"name": row.name})
            above = Device.objects.filter(pk=above.parent_id).first() if above.parent_id else None
        before = state_of(row)
        row.parent = parent
        row.save(update_fields=["parent"])
        changed.append(Changed(Device, row.pk, before, state_of(row)))
    return changed


def _write_points(act: Act, batch: ImportBatch, changes: Sequence[Change]) -> list[Changed]:
    """Write some points and return what they were and are."""
    stored = Point.objects.in_bulk([c.payload.pk for c in changes if c.payload.pk is not None])
    before = {pk: state_of(row) for pk, row in stored.items()}
    rows, new = [], []
    for number, change in enumerate(changes):
        row = stored.get(change.payload.pk)
        if row is None:
            row = Point(order=1000 + number)
            new.append(row)
        row.retired_at = None
        for name, value in change.payload.values.items():
            setattr(row, name, value)
        rows.append(row)
    bulk_insert(new)
    Point.objects.bulk_update(stored.values(), [*POINT_FIELDS, "retired_at"], batch_size=100)
    for change, row in zip(changes, rows, strict=True):
        change.target_id = row.pk
    return [Changed(Point, row.pk, before.get(row.pk), state_of(row)) for row in rows]


class DeviceKind:
    """What the pipeline needs to know of a kind of workbook of this room."""

    permission = KEEP_DEVICES

    def __init__(
        self,
        code: str,
        name: Text,
        rows: Text,
        order: int,
        faults: Any,
        plan: Callable[[Parsed, int], Plan],
        write: Write,
        finish: Write,
    ) -> None:
        self.code, self.name, self.rows, self.order = code, name, rows, order
        self.faults, self.plan, self.write, self.finish = faults, plan, write, finish

    @cached_property
    def spec(self) -> KindSpec:
        """Fields, words and rules from the preset."""
        name = {"devices": "device_register.yaml", "device_points": "device_points.yaml"}[self.code]
        return load_spec((PRESETS / name).read_text(encoding="utf-8"))

    def check(self, parsed: Parsed, org_id: int) -> Parsed:
        """The reading with the faults that only the register shows."""
        return parsed.with_faults(self.faults(parsed, org_id))

    def compare(self, parsed: Parsed, org_id: int, today: date, batch_name: str = "") -> Plan:
        """What taking over would change."""
        plan = self.plan(parsed, org_id)
        plan.effective_on = today
        return plan

    def preview(self, actor: Actor, **values: Any) -> ImportBatch:
        """Keep a file."""
        return preview_import(actor, kind=self.code, **values)

    def commit(
        self, actor: Actor, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None
    ) -> Plan:
        """Take it over."""
        take = import_devices if self.code == "devices" else import_points
        return take(actor, batch, parsed, progress)

    def undo(self, actor: Actor, batch: ImportBatch) -> Mapping[str, Any]:
        """Take it back."""
        return undo_import(actor, batch)

    def remember(self, actor: Actor, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
        """Keep decisions on columns."""
        remember_columns(actor, org_id, self.code, decisions)

    def home_url(self) -> str:
        """Address of the register."""
        return reverse("devices:index")

    def url_of(self, uid: str) -> str:
        """Address of a device's page."""
        try:
            return reverse("devices:record", args=[int(uid)])
        except (NoReverseMatch, ValueError):
            return ""

    def show(self, field_code: str, value: Any) -> str:
        """A value as people read it."""
        if isinstance(value, dict):
            return states_text(value) or "—"
        if isinstance(value, float):
            return f"{value:.12g}"
        return "—" if value is None or value == "" else str(value)


def _nothing(act: Act, batch: ImportBatch, changes: Sequence[Change]) -> list[Changed]:
    return []


DEVICES = DeviceKind(
    "devices",
    gettext_lazy("Register of devices"),
    gettext_lazy("Devices"),
    60,
    device_faults,
    compare_devices,
    _write_devices,
    _join_parts,
)
POINTS = DeviceKind(
    "device_points",
    gettext_lazy("Points of devices"),
    gettext_lazy("Points"),
    62,
    point_faults,
    compare_points,
    _write_points,
    _nothing,
)
import_kind(DEVICES)
import_kind(POINTS)
