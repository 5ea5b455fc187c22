"""Imports for programs: send a workbook, look at what it would do, take it over, take it back."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from pydantic import Field

from yuanmai.core.api import (
    ApiRequest,
    Conflict,
    CursorPage,
    CursorPaging,
    Fault,
    File,
    Form,
    Path,
    Problem,
    Query,
    Router,
    Schema,
    UploadedFile,
    paginate_by_key,
)
from yuanmai.core.workbooks import previewing
from yuanmai.core.workbooks.engine.book import MAX_BYTES, read_book
from yuanmai.core.workbooks.engine.faults import BookError
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.units import MONEY_UNITS
from yuanmai.core.workbooks.importing import document
from yuanmai.core.workbooks.kinds import KINDS, ImportKind, Plan, checked
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.running import Options, book_document, fault_document, read_file, remembered
from yuanmai.core.workbooks.views import IMPORT

router = Router(tags=["imports"])


class BatchPath(Schema):
    """Which import."""

    id: int = Field(ge=1, le=2**62)


class ImportOptions(Schema):
    """What the file does not say, or says wrongly."""

    organisation: str = Field(max_length=60, description="code: to whom the file belongs")
    kind: str = Field("key_project_ledger", max_length=60)
    sheet: str | None = Field(None, max_length=100)
    day: date | None = Field(None, description="the day the figures speak of")
    unit: str | None = Field(None, max_length=10, description="unit of the amounts, e.g. 万元")


class BatchFilter(Schema):
    """Which imports."""

    state: ImportBatch.State | None = None


class BatchOut(Schema):
    """An import."""

    id: int
    kind: str
    organisation: str
    file: str
    sha256: str
    sheet: str
    effective_on: date | None
    state: ImportBatch.State
    created: int
    updated: int
    unchanged: int
    findings: int = Field(description="contradictions that were listed")
    created_at: datetime
    created_by: str | None
    committed_at: datetime | None
    undone_at: datetime | None

    @classmethod
    def of(cls, batch: ImportBatch) -> "BatchOut":
        """Return an import's document."""
        counts = {n: int(batch.summary.get(n, 0)) for n in ("created", "updated", "unchanged", "findings")}
        return cls(
            id=batch.pk,
            kind=batch.kind,
            organisation=batch.org.code,
            file=batch.file_name,
            sha256=batch.digest,
            sheet=batch.sheet,
            effective_on=batch.as_of,
            state=ImportBatch.State(batch.state),
            created_at=batch.created_at,
            created_by=batch.created_by.username if batch.created_by else None,
            committed_at=batch.committed_at,
            undone_at=batch.undone_at,
            **counts,
        )


class PreviewOut(Schema):
    """What taking over a workbook would do, and after taking over what it did."""

    batch: int
    kind: str
    sheet: str
    as_of: date | None
    as_of_assumed: bool = Field(description="the file does not say of which day it speaks")
    created: int
    updated: int
    unchanged: int
    unknown_columns: list[str] = Field(description="heads that were not recognised and are left out")
    findings: list[dict[str, Any]] = Field(description="contradictions, which do not stop the import")


def _refused(faults: list[dict[str, Any]]) -> Problem:
    """Every fault at once: short in `errors` as always, whole (sheet, cell, column, value) in `faults`."""
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        _("The file has faults; nothing was taken over."),
        code="invalid",
        faults=[Fault(str(f["message"]), str(f["rule"]), parameter="file") for f in faults],
        more={"faults": faults},
    )


def _preview(batch: ImportBatch, kind: ImportKind, parsed: Parsed) -> dict[str, Any]:
    plan = kind.compare(parsed, batch.org_id, timezone.localdate())
    return _said(parsed, plan, batch.pk)


def _said(parsed: Parsed, plan: Plan, pk: int) -> dict[str, Any]:
    said = document(parsed, plan, pk) | {"unknown_columns": [c.header for c in parsed.sheets[0].unknown]}
    return {name: said[name] for name in PreviewOut.model_fields}


def _batch(request: ApiRequest, pk: int) -> tuple[ImportBatch, ImportKind]:
    rows = ImportBatch.objects.filter(org_id__in=request.actor.org_ids(IMPORT))
    batch = get_object_or_404(rows.select_related("org", "created_by"), pk=pk)
    return batch, KINDS[batch.kind]


def _reading(batch: ImportBatch, kind: ImportKind) -> Parsed:
    try:
        parsed = previewing.reading_of(batch, kind)
    except BookError as error:
        raise _refused([book_document(error, batch.file_name)]) from None
    if parsed.errors:
        raise _refused([fault_document(fault) for fault in parsed.errors])
    return parsed


@router.get("", permission=IMPORT, response=CursorPage[BatchOut])
def list_imports(
    request: ApiRequest, filters: Query[BatchFilter], paging: Query[CursorPaging]
) -> CursorPage[BatchOut]:
    """List the imports of the chosen organisation, newest first."""
    allowed = request.actor.org_ids(IMPORT)
    ids = [pk for pk in request.view.org_ids if pk in allowed]
    rows = ImportBatch.objects.filter(org_id__in=ids).select_related("org", "created_by")
    if filters.state is not None:
        rows = rows.filter(state=filters.state)
    return paginate_by_key(request, rows, paging, BatchOut.of)


@router.post("", permission=IMPORT, response={201: PreviewOut})
def upload_workbook(
    request: ApiRequest, options: Form[ImportOptions], file: File[UploadedFile]
) -> tuple[int, dict[str, Any]]:
    """Send a workbook and get what it would do. Nothing is stored of one with faults; all of them are listed."""
    allowed = request.actor.org_ids(IMPORT)
    org = next((o for o in request.view.orgs if o.code == options.organisation and o.id in allowed), None)  # type: ignore[attr-defined]
    faults = []
    if org is None:
        text = _("There is no organisation with the code “%(code)s” that you may see.")
        faults.append(Fault(text % {"code": options.organisation}, "unknown", parameter="organisation"))
    if options.kind not in KINDS:
        faults.append(Fault(_("Known: %(kinds)s") % {"kinds": ", ".join(KINDS)}, "unknown", parameter="kind"))
    if options.unit is not None and options.unit not in MONEY_UNITS:
        known = ", ".join(MONEY_UNITS)
        faults.append(Fault(_("Known: %(kinds)s") % {"kinds": known}, "unknown", parameter="unit"))
    if faults or org is None:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, _("The request has faults."), code="invalid", faults=faults
        )
    kind = KINDS[options.kind]
    request.actor.require(kind.permission, org.id)
    name = str(file.name)
    chosen = Options(options.sheet, options.day, options.unit)
    try:
        if file.size is not None and file.size > MAX_BYTES:
            raise BookError("too_big", limit_mb=MAX_BYTES // 1024 // 1024)
        data = file.read()
        parsed = _checked(data, name, kind, org.id, chosen)
    except BookError as error:
        raise _refused([book_document(error, name)]) from None
    batch = kind.preview(request.actor, org_id=org.id, data=data, file_name=name, options=chosen.as_json())
    return 201, _preview(batch, kind, parsed)


def _checked(data: bytes, name: str, kind: ImportKind, org_id: int, options: Options) -> Parsed:
    """Read a file before anything is kept of it. Raises BookError, and a Problem with all faults."""
    read_book(data, name)
    parsed = checked(kind, read_file(data, name, kind.spec, remembered(org_id, kind.code), options), org_id)
    if parsed.errors:
        raise _refused([fault_document(fault) for fault in parsed.errors])
    return parsed


@router.get("/{id}", permission=IMPORT, response=BatchOut)
def get_import(request: ApiRequest, path: Path[BatchPath]) -> BatchOut:
    """Show one import."""
    return BatchOut.of(_batch(request, path.id)[0])


@router.get("/{id}/preview", permission=IMPORT, response=PreviewOut)
def preview_import(request: ApiRequest, path: Path[BatchPath]) -> dict[str, Any]:
    """Say again what taking over would do, by what is stored now."""
    batch, kind = _batch(request, path.id)
    if batch.state != ImportBatch.State.PREVIEWED:
        raise Conflict(_("This import was taken over already."))
    return _preview(batch, kind, _reading(batch, kind))


@router.post("/{id}/commit", permission=IMPORT, response=PreviewOut)
def commit_import(request: ApiRequest, path: Path[BatchPath]) -> dict[str, Any]:
    """Take a previewed workbook over: all of it or nothing."""
    batch, kind = _batch(request, path.id)
    if batch.state != ImportBatch.State.PREVIEWED:
        raise Conflict(_("This import was taken over already."))
    parsed = _reading(batch, kind)
    try:
        plan = kind.commit(request.actor, batch, parsed)
    except ValidationError as error:
        raise Conflict(" ".join(error.messages)) from None
    return _said(parsed, plan, batch.pk)


@router.post("/{id}/undo", permission=IMPORT, response=BatchOut)
def undo_import(request: ApiRequest, path: Path[BatchPath]) -> BatchOut:
    """Take an import back; refused where something newer builds on it."""
    batch, kind = _batch(request, path.id)
    try:
        kind.undo(request.actor, batch)
    except ValidationError as error:
        raise Conflict(" ".join(error.messages)) from None
    return BatchOut.of(_batch(request, path.id)[0])
