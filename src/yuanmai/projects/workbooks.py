"""The key-project ledger as an import kind: preview, take over, take back, remember columns."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from yuanmai.common.pinyin import pinyin_of
from yuanmai.core.actions import Act, action
from yuanmai.core.bulk import bulk_insert, no_collection
from yuanmai.core.findings import Finding
from yuanmai.core.findings_actions import store_findings
from yuanmai.core.policy import Actor
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.workbooks import batches
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.spec import KindSpec, load_spec
from yuanmai.core.workbooks.engine.values import Percent
from yuanmai.core.workbooks.kinds import Change, Plan, Progress, import_kind
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.wording import share
from yuanmai.enterprises.models import Enterprise
from yuanmai.projects.findings import refresh_findings
from yuanmai.projects.ledger import PARTS, Wanted, compare, org_ids_below
from yuanmai.projects.ledger_findings import yuan
from yuanmai.projects.ledger_parks import parks_named, retire_parks
from yuanmai.projects.models import Blocker, Kind, Project, ProjectState
from yuanmai.projects.permissions import IMPORT_PROJECTS
from yuanmai.projects.recording import FACT_MODELS, Entry, record, retract
from yuanmai.projects.recording_new import record_new

PRESET = Path(__file__).parent / "presets" / "key_project_ledger.yaml"
CHUNK = 500
STATES = {
    "not_started": gettext_lazy("Not started"),
    "started": gettext_lazy("Started"),
    "resumed": gettext_lazy("Resumed"),
    "not_resumed": gettext_lazy("Not resumed"),
    "completed": gettext_lazy("Completed"),
}


# ----- the verbs


@action("projects.preview_ledger", permission=IMPORT_PROJECTS)
def preview_ledger(act: Act, /, org_id: int, **values: Any) -> ImportBatch:
    """Keep an uploaded ledger as a previewed batch, or change the decisions made for one (`batch`)."""
    act.require(org_id)
    batch = batches.keep_preview(act, org_id, KeyProjectLedger.code, **values)
    act.log(
        batch, after={"file": batch.file_name, "options": batch.summary.get("options")}, name=batch.file_name
    )
    return batch


@action("projects.remember_columns", permission=IMPORT_PROJECTS)
def remember_columns(act: Act, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
    """Keep what an organisation decided about column heads: (path, field), '' for "leave out"."""
    act.require(org_id)
    batches.remember(act, org_id, KeyProjectLedger.code, decisions)
    act.log(None, org_id=org_id, after={"columns": {"/".join(path): code for path, code in decisions}})


@action("projects.import_ledger", permission=IMPORT_PROJECTS)
def import_ledger(act: Act, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None) -> Plan:
    """Take over a ledger: all of it or nothing. Raises ValidationError when it has faults or was taken over before."""
    act.require(batch.org_id)
    batches.lock_for_commit(batch)
    if parsed.errors:
        raise ValidationError(_("The file has faults; nothing was taken over."))
    plan = compare(parsed, batch.org_id, timezone.localdate(act.now))
    assert plan.effective_on is not None
    with no_collection():
        _record(act, batch, plan, progress)
    found = store_findings(act, batch.org_id, plan.found, plan.effective_on, batch=None)
    new = [row.pk for row in found if row.batch_id is None]
    Finding.objects.filter(pk__in=new).update(batch=batch)
    batches.close(act, batch, parsed, plan)
    summary = {name: batch.summary[name] for name in ("created", "updated", "unchanged")}
    act.log(
        batch,
        after={"file": batch.file_name, "sha256": batch.digest, "as_of": plan.effective_on, **summary},
        name=batch.file_name,
    )
    return plan


@action("projects.undo_import", permission=IMPORT_PROJECTS)
def undo_import(act: Act, batch: ImportBatch) -> Mapping[str, Any]:
    """Take an import back: its facts are retracted, and everything is as it was known before.

    Raises ValidationError, with the reason, when something newer builds on it.
    """
    act.require(batch.org_id)
    batches.lock_for_undo(batch)
    _refuse_if_built_upon(batch)
    touched = retract(act, batch)
    for part in PARTS:
        part.retract(act, batch)
    used = set(
        ProjectState.objects.filter(known_until=KNOWN_FOREVER, owner__batch=batch).values_list(
            "owner_id", flat=True
        )
    )
    Enterprise.objects.filter(batch=batch, retired_at=None).exclude(pk__in=used).update(retired_at=act.now)
    retire_parks(act, batch)
    gone = Finding.objects.filter(batch=batch, gone_until=KNOWN_FOREVER)
    gone.update(gone_until=act.now, state=Finding.State.RESOLVED)
    if batch.as_of:
        refresh_findings(org_ids_below(batch.org_id), batch.as_of, act)
    batches.mark_undone(act, batch)
    act.log(
        batch,
        before={"state": "committed"},
        after={"state": "undone", "projects": len(touched)},
        name=batch.file_name,
    )
    return {"batch": batch.pk, "undone": True, "projects": len(touched)}


def _refuse_if_built_upon(batch: ImportBatch) -> None:
    ids: set[int] = set()
    for model in FACT_MODELS:
        ids.update(model.objects.filter(batch=batch, retracted_at=None).values_list("project_id", flat=True))
    later: set[int] = set()
    for model in FACT_MODELS:
        rows = model.objects.filter(retracted_at=None, recorded_at__gt=batch.committed_at).exclude(
            batch=batch
        )
        later.update(pk for pk in rows.values_list("project_id", flat=True) if pk in ids)
    for part in PARTS:
        later |= part.later(batch, ids)
    blocked = Blocker.objects.filter(recorded_at__gt=batch.committed_at).values_list("project_id", flat=True)
    later.update(pk for pk in blocked if pk in ids)
    if not later:
        return
    names = list(
        ProjectState.objects.filter(project_id__in=sorted(later)[:3], known_until=KNOWN_FOREVER)
        .order_by("project_id")
        .values_list("name", flat=True)
        .distinct()
    )
    raise ValidationError(
        ngettext(
            "This import cannot be undone: %(count)s project (%(names)s) has newer entries that build on it. Undo those first.",
            "This import cannot be undone: %(count)s projects (%(names)s …) have newer entries that build on it. Undo those first.",
            len(later),
        )
        % {"count": len(later), "names": "、".join(names)},
        code="built_upon",
    )


def _record(act: Act, batch: ImportBatch, plan: Plan, progress: Progress | None) -> None:
    """Write the facts of a plan, 500 projects at a time within the one transaction."""
    assert plan.effective_on is not None
    wanted = [(change, change.payload) for change in plan.changes if change.payload.anything]
    owners = _owners(act, batch, {w.owner for _c, w in wanted if w.owner})
    parks = parks_named(batch, {w.park for _c, w in wanted if w.park})
    known = _projects({w.project_id for _c, w in wanted if w.project_id is not None})
    made: dict[int, Project] = {}
    positions = {id(change): position for position, change in enumerate(plan.changes)}
    total = len(wanted)
    for start in range(0, total, CHUNK):
        part = wanted[start : start + CHUNK]
        # Main projects of this file are made before their parts, so that a part can name its main project.
        for new in (True, False):
            some = [(c, w) for c, w in part if (w.project_id is None) is new]
            entries = [_entry(batch, c, w, owners, parks, known, made, positions) for c, w in some]
            writer = record_new if new else record
            projects = writer(act, entries, plan.effective_on, batch=batch)
            for (change, _w), project in zip(some, projects, strict=True):
                made[positions[id(change)]] = project
                change.uid = change.uid or str(project.uid)
                change.target_id = project.pk
            for keeper in PARTS:
                items = [
                    (p, values)
                    for (_c, w), p in zip(some, projects, strict=True)
                    if (values := {f: v for f, v in w.parts.items() if f in keeper.fields})
                ]
                if items:
                    keeper.record(act, items, plan.effective_on, batch, new=new)
        if progress is not None:
            progress(min(start + CHUNK, total), total)
    ids = [p.pk for p in made.values()]
    if ids:
        refresh_findings(
            org_ids_below(batch.org_id), plan.effective_on, act, ids if len(ids) <= CHUNK else None
        )


def _entry(
    batch: ImportBatch, change: Change, wanted: Wanted, owners: Mapping[str, int], parks: Mapping[str, int],
    known: Mapping[int, Project], made: Mapping[int, Project], positions: Mapping[int, int],
) -> Entry:  # fmt: skip
    project = known.get(wanted.project_id) if wanted.project_id is not None else None
    version = wanted.version
    entry_key, parent_key = "", ""
    if version is not None:
        if wanted.owner:
            version["owner_id"] = owners[wanted.owner]
        if wanted.park:
            version["park_id"] = parks[wanted.park]
        if wanted.parent is not None and not version.get("parent_id"):
            above = made.get(wanted.parent)
            if above is not None:
                version["parent_id"] = above.pk
            else:
                parent_key = str(wanted.parent)
    if project is None:
        entry_key = str(positions[id(change)])
    return Entry(
        batch.org_id if project is None else project.org_id,
        project,
        version=version,
        plans=[wanted.plan] if wanted.plan else [],
        reports=[wanted.report] if wanted.report else [],
        lists=wanted.lists,
        key=entry_key,
        parent_key=parent_key,
    )


def _projects(ids: Iterable[int]) -> dict[int, Project]:
    ordered = sorted(ids)
    found: dict[int, Project] = {}
    for start in range(0, len(ordered), CHUNK):
        found.update(Project.objects.in_bulk(ordered[start : start + CHUNK]))
    return found


def _owners(act: Act, batch: ImportBatch, names: set[str]) -> dict[str, int]:
    """Ids of enterprises by name; unknown ones are entered into the register, retired ones brought back."""
    found: dict[str, int] = {}
    ordered = sorted(names)
    for start in range(0, len(ordered), CHUNK):
        part = ordered[start : start + CHUNK]
        rows = Enterprise.objects.filter(org_id=batch.org_id, name__in=part)
        retired = [row.pk for row in rows if row.retired_at is not None]
        found.update({row.name: row.pk for row in rows})
        if retired:
            Enterprise.objects.filter(pk__in=retired).update(retired_at=None, batch=batch)
    new = [
        Enterprise(org_id=batch.org_id, name=name, batch=batch, pinyin=_pinyin(name), created_at=act.now)
        for name in ordered
        if name not in found
    ]
    bulk_insert(new)
    found.update({row.name: row.pk for row in new})
    return found


def _pinyin(name: str) -> str:
    return pinyin_of(name)[:200]


# ----- the kind


class KeyProjectLedger:
    """What the pipeline needs to know of this kind."""

    code = "key_project_ledger"
    name = gettext_lazy("Key-project ledger")
    permission = IMPORT_PROJECTS
    order = 10
    rows = gettext_lazy("Projects")

    @cached_property
    def spec(self) -> KindSpec:
        """Fields, words and rules from the preset."""
        return load_spec(PRESET.read_text(encoding="utf-8"))

    def compare(self, parsed: Parsed, org_id: int, today: date, batch_name: str = "") -> Plan:
        """What taking over would change."""
        return compare(parsed, org_id, today)

    def preview(self, actor: Actor, **values: Any) -> ImportBatch:
        """Keep a file."""
        return preview_ledger(actor, **values)

    def commit(
        self, actor: Actor, batch: ImportBatch, parsed: Parsed, progress: Progress | None = None
    ) -> Plan:
        """Take it over."""
        return import_ledger(actor, batch, parsed, progress)

    def undo(self, actor: Actor, batch: ImportBatch) -> Mapping[str, Any]:
        """Take it back."""
        return undo_import(actor, batch)

    def remember(self, actor: Actor, org_id: int, decisions: Sequence[tuple[Sequence[str], str]]) -> None:
        """Keep decisions on columns."""
        remember_columns(actor, org_id, decisions)

    def home_url(self) -> str:
        """Address of the library."""
        return reverse("projects:library")

    def url_of(self, uid: str) -> str:
        """Address of a project's page."""
        try:
            return reverse("projects:record", args=[uid])
        except NoReverseMatch:
            return ""

    def show(self, field_code: str, value: Any) -> str:
        """A value as people read it."""
        if value is None or value == "":
            return "—"
        if isinstance(value, bool):
            return _("Yes") if value else _("No")
        if isinstance(value, Percent):
            return share(value.value)
        field = self.spec.fields.get(field_code)
        if isinstance(value, Decimal):
            if field is not None and field.type == "money":
                return yuan(value)
            return share(value) if field is not None and field.type == "percent" else f"{value:f}"
        if isinstance(value, date):
            return date_format(value, "Y-m-d")
        if field_code == "state":
            return str(STATES.get(value, value))
        if field_code == "kind":
            return str(dict(Kind.choices).get(value, value))
        if isinstance(value, tuple):
            return "、".join(str(v) for v in value)
        return str(value)


LEDGER = import_kind(KeyProjectLedger())
