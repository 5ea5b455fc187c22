"""Pages of the import: upload → columns → preview → take over → undo."""

from dataclasses import replace
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yuanmai.core.jobs.actions import enqueue
from yuanmai.core.permissions import IMPORT_WORKBOOKS
from yuanmai.core.web import page
from yuanmai.core.workbooks import previewing
from yuanmai.core.workbooks.engine.book import MAX_BYTES, read_book
from yuanmai.core.workbooks.engine.faults import BookError
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.units import MONEY_UNITS
from yuanmai.core.workbooks.importing import recognise
from yuanmai.core.workbooks.kinds import KINDS, ImportKind, rows_called
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.returned import marked_workbook
from yuanmai.core.workbooks.running import Options, remembered
from yuanmai.core.workbooks.store import load
from yuanmai.core.workbooks.template import template_workbook
from yuanmai.core.workbooks.wording import book_message, field_label

# The right to open the wizard; each kind's own right is asked for again for the organisation.
IMPORT = IMPORT_WORKBOOKS
INLINE_ROWS = 2_000  # more rows are taken over in the background
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
State = ImportBatch.State
TONES = {State.PREVIEWED: "warning", State.COMMITTED: "success", State.UNDONE: "secondary"}


def _batch(request: HttpRequest, pk: int) -> tuple[ImportBatch, ImportKind]:
    batch = get_object_or_404(ImportBatch.objects.select_related("org", "created_by"), pk=pk)
    kind = KINDS[batch.kind]
    request.actor.require(kind.permission, batch.org_id)  # type: ignore[attr-defined]
    return batch, kind


def _crumbs(*more: tuple[str, str]) -> list[dict[str, str]]:
    return [
        {"label": _("Imports"), "url": reverse("imports:list")},
        *({"label": label, "url": url} for label, url in more),
    ]


def _steps(now: int) -> list[dict[str, Any]]:
    names = (_("File"), _("Meaning of columns"), _("Preview"), _("Taken over"))
    return [{"label": name, "active": number == now} for number, name in enumerate(names)]


def _say(request: HttpRequest, error: ValidationError) -> None:
    for text in error.messages:
        messages.error(request, text)


@page(IMPORT)
@require_GET
def batches(request: HttpRequest) -> HttpResponse:
    """All imports of the scope, newest first."""
    allowed = request.actor.org_ids(IMPORT)  # type: ignore[attr-defined]
    ids = [pk for pk in request.view.org_ids if pk in allowed]  # type: ignore[attr-defined]
    rows = ImportBatch.objects.filter(org_id__in=ids).select_related("org", "created_by").order_by("-id")
    page_obj = Paginator(rows, 50).get_page(request.GET.get("page"))
    lines = [
        {"batch": b, "kind": KINDS[b.kind].name if b.kind in KINDS else b.kind, "tone": TONES[State(b.state)]}
        for b in page_obj
    ]
    return render(
        request, "core/imports/list.html", {"rows": lines, "page_obj": page_obj, "breadcrumbs": _crumbs()}
    )


@page(IMPORT)
@require_http_methods(["GET", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Choose, drop or paste a file."""
    allowed = request.actor.org_ids(IMPORT)  # type: ignore[attr-defined]
    orgs = [o for o in request.view.orgs if o.id in allowed]  # type: ignore[attr-defined]
    kinds = [k for k in KINDS.values() if request.actor.org_ids(k.permission)]  # type: ignore[attr-defined]
    chosen = request.view.org  # type: ignore[attr-defined]
    org_id = chosen.id if chosen and chosen.id in allowed else orgs[0].id if orgs else None
    errors: list[str] = []
    if request.method == "POST":
        wanted = request.POST.get("org", "")
        org_id = int(wanted) if wanted.isdigit() else org_id
        name, data, problem = _uploaded(request)
        if problem:
            errors.append(problem)
        else:
            try:
                kind = KINDS.get(request.POST.get("kind", ""))
                kind = kind or KINDS[recognise(data, name, [k.code for k in kinds] or None)]
                request.actor.require(kind.permission, org_id)  # type: ignore[attr-defined]
                return _received(request, kind, int(org_id or 0), name, data)
            except BookError as error:
                errors.append(f"{name}: {book_message(error)}")
    context = {
        "orgs": orgs, "org_id": org_id, "kinds": kinds, "errors": errors, "steps": _steps(0),
        "kind": request.POST.get("kind") or request.GET.get("kind", ""), "max_mb": MAX_BYTES // 1024 // 1024, "breadcrumbs": _crumbs((_("New import"), "")),
    }  # fmt: skip
    return render(request, "core/imports/upload.html", context, status=422 if errors else 200)


def _uploaded(request: HttpRequest) -> tuple[str, bytes, str]:
    """File name, content, and what is wrong; cells pasted from Excel come as tab-separated text."""
    file = request.FILES.get("file")
    if file is not None:
        if file.size is not None and file.size > MAX_BYTES:
            return "", b"", book_message(BookError("too_big", limit_mb=MAX_BYTES // 1024 // 1024))
        return str(file.name), file.read(), ""
    text = request.POST.get("pasted", "")
    if text.strip():
        return _("Pasted %(day)s.csv") % {"day": timezone.localdate().isoformat()}, text.encode("utf-8"), ""
    return "", b"", _("Choose a file, or paste cells from Excel.")


def _received(request: HttpRequest, kind: ImportKind, org_id: int, name: str, data: bytes) -> HttpResponse:
    read_book(data, name)  # refused before anything is kept
    batch = kind.preview(request.actor, org_id=org_id, data=data, file_name=name)  # type: ignore[attr-defined]
    parsed = previewing.reading_of(batch, kind)
    unsure = any(c.how == "likeness" for c in parsed.sheets[0].columns if c.field)
    if parsed.sheets[0].unknown or unsure or any(f.rule == "column.missing" for f in parsed.errors):
        return redirect("imports:columns", batch.pk)
    return redirect("imports:preview", batch.pk)


@page(IMPORT)
@require_http_methods(["GET", "POST"])
def columns(request: HttpRequest, pk: int) -> HttpResponse:
    """What each column means; what the user decides is remembered for the organisation."""
    batch, kind = _batch(request, pk)
    if batch.state != State.PREVIEWED:
        return redirect("imports:record", pk)
    options = Options.from_json(batch.summary.get("options"))
    try:
        parsed = previewing.reading_of(batch, kind)
    except BookError as error:
        return _unreadable(request, batch, error)
    if request.method == "POST":
        try:
            _decide(request, batch, kind, options, parsed)
        except ValidationError as error:
            _say(request, error)
            return redirect("imports:columns", pk)
        return redirect("imports:preview", pk)
    known = remembered(batch.org_id, batch.kind)
    fields = [(code, field_label(kind.spec, code)) for code in kind.spec.fields if code != "index"]
    first = parsed.sheets[0]
    context = {
        "batch": batch, "columns": previewing.column_lines(parsed, kind, options, known), "fields": fields, "parsed": parsed,
        "options": options, "sheet": first, "unknown": len(first.unknown), "units": [u for u in MONEY_UNITS if u.endswith("元")],
        "unit_assumed": any(c.unit_from == "assumed" for c in first.columns), "steps": _steps(1),
        "breadcrumbs": _crumbs((batch.file_name, "")),
    }  # fmt: skip
    return render(request, "core/imports/columns.html", context)


def _decide(
    request: HttpRequest, batch: ImportBatch, kind: ImportKind, options: Options, parsed: Parsed
) -> None:
    post = request.POST
    sheet = post.get("sheet") or None
    if sheet is not None and sheet not in parsed.sheet_names:
        raise ValidationError(_("There is no such sheet."))
    chosen: dict[int, str | None] = {}
    decisions: list[tuple[tuple[str, ...], str]] = []
    taken: dict[str, str] = {}
    for column in parsed.sheets[0].columns:
        value = post.get(f"column-{column.index}")
        if value is None:
            continue
        if value in kind.spec.fields:
            if value in taken and kind.spec.fields[value].type not in ("state", "tags"):
                raise ValidationError(
                    _("“%(field)s” was chosen for two columns: %(first)s and %(second)s.")
                    % {"field": field_label(kind.spec, value), "first": taken[value], "second": column.letter}
                )
            taken[value] = column.letter
        if value == column.field or (value == "-" and column.field is None):
            continue  # as it was found, or left out before
        field = value if value in kind.spec.fields else None
        if value in ("-", "") or field:
            chosen[column.index] = field
            decisions.append((column.path, field or ""))
    # A new sheet has other columns: decisions by position do not carry over to it, remembered heads do.
    kept = dict(options.columns) if sheet in (None, options.sheet) else {}
    day = post.get("as_of") or ""
    try:
        as_of = date.fromisoformat(day) if day else None
    except ValueError:
        raise ValidationError(_("“%(day)s” is not a date.") % {"day": day}) from None
    unit = post.get("unit") or None
    new = replace(
        options,
        sheet=sheet,
        as_of=as_of,
        unit=unit if unit in MONEY_UNITS else None,
        columns={**kept, **chosen},
    )
    if decisions and any(path for path, _field in decisions):
        kind.remember(request.actor, batch.org_id, decisions)  # type: ignore[attr-defined]
    kind.preview(request.actor, org_id=batch.org_id, batch=batch, options=new.as_json())  # type: ignore[attr-defined]


@page(IMPORT)
@require_GET
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """What taking over would do: rows with marked cells, totals checked, faults, contradictions."""
    batch, kind = _batch(request, pk)
    if batch.state != State.PREVIEWED:
        return redirect("imports:record", pk)
    try:
        parsed = previewing.reading_of(batch, kind)
    except BookError as error:
        return _unreadable(request, batch, error)
    plan = kind.compare(parsed, batch.org_id, timezone.localdate())
    wanted = request.GET.get("show", "")
    if wanted not in previewing.FILTERS:
        wanted = "faults" if parsed.errors else "all"
    changes = previewing.choose(plan, parsed, wanted)
    page_obj = Paginator(changes, previewing.PER_PAGE).get_page(request.GET.get("page"))
    fields = previewing.shown_fields(parsed)
    warnings = [f for f in parsed.faults if f.severity == "warning"]
    checks = previewing.check_lines(parsed.checks, kind)
    context = {
        "batch": batch, "kind": kind, "rows_called": rows_called(kind), "parsed": parsed, "plan": plan, "steps": _steps(2),
        "errors": previewing.fault_lines(parsed.errors), "error_count": len(parsed.errors),
        "warnings": previewing.fault_lines(warnings), "warning_count": len(warnings),
        "checks": checks, "wrong_checks": sum(not c["ok"] for c in checks),
        "counts": {name: plan.count(name) for name in previewing.TONES},
        "filters": [(name, _filter_label(name), _filter_count(name, plan, parsed)) for name in previewing.FILTERS],
        "show": wanted, "heads": [(field_label(kind.spec, code), previewing.is_number(kind, code)) for code in fields],
        "rows": previewing.lines_of(list(page_obj), fields, parsed, kind), "page_obj": page_obj,
        "several": len(parsed.sheets) > 1, "unit": parsed.sheets[0].unit,
        "unit_assumed": any(c.unit_from == "assumed" for c in parsed.sheets[0].columns),
        "shown_faults": previewing.SHOWN_FAULTS, "breadcrumbs": _crumbs((batch.file_name, "")),
    }  # fmt: skip
    return render(request, "core/imports/preview.html", context)


def _filter_label(name: str) -> str:
    return {
        "all": _("All rows"), "faults": _("Only faults"), "created": _("New"), "updated": _("Changed"), "unchanged": _("Unchanged"),
    }[name]  # fmt: skip


def _filter_count(name: str, plan: Any, parsed: Parsed) -> int:
    if name == "all":
        return len(plan.changes)
    if name == "faults":
        return len({(f.sheet, f.row) for f in parsed.faults})
    return int(plan.count(name))


def _unreadable(request: HttpRequest, batch: ImportBatch, error: BookError) -> HttpResponse:
    context = {
        "batch": batch,
        "message": book_message(error),
        "breadcrumbs": _crumbs((batch.file_name, "")),
        "steps": _steps(0),
    }
    return render(request, "core/imports/unreadable.html", context, status=422)


@page(IMPORT)
@require_POST
def commit(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the file over, all of it or nothing; a big one in the background."""
    batch, kind = _batch(request, pk)
    try:
        parsed = previewing.reading_of(batch, kind)
        if parsed.errors:
            raise ValidationError(_("The file has faults; nothing was taken over."))
        if len(parsed.rows) > INLINE_ROWS:
            actor = request.actor  # type: ignore[attr-defined]
            job = enqueue(actor, "core.import_workbook", batch.file_name, {"batch": batch.pk}, batch.org_id)
            return redirect("jobs:record", job.pk)
        plan = kind.commit(request.actor, batch, parsed)  # type: ignore[attr-defined]
    except BookError as error:
        messages.error(request, book_message(error))
        return redirect("imports:preview", pk)
    except ValidationError as error:
        _say(request, error)
        return redirect("imports:record", pk)
    text = _("Taken over: %(created)s new, %(updated)s changed, %(unchanged)s unchanged.") % {
        name: plan.count(name) for name in previewing.TONES
    }
    messages.success(request, text, extra_tags=f"undo={reverse('imports:undo', args=[pk])}")
    return redirect("imports:record", pk)


@page(IMPORT)
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an import back."""
    batch, kind = _batch(request, pk)
    try:
        kind.undo(request.actor, batch)  # type: ignore[attr-defined]
        messages.success(request, _("The import was undone; everything is as it was before."))
    except ValidationError as error:
        _say(request, error)
    return redirect("imports:record", pk)


@page(IMPORT)
@require_GET
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """One import: what it was, what it did, what it found; with undo."""
    batch, kind = _batch(request, pk)
    if batch.state == State.PREVIEWED:
        return redirect("imports:preview", pk)
    context = {
        "batch": batch, "rows_called": rows_called(kind), "kind": kind, "home_url": kind.home_url(), "tone": TONES[State(batch.state)], "findings": batch.findings.order_by("severity", "id")[:100],
        "steps": _steps(3), "breadcrumbs": _crumbs((batch.file_name, "")),
        "can_undo": batch.state == State.COMMITTED and not request.actor.why_not(kind.permission, batch.org_id),  # type: ignore[attr-defined]
        "counts": {name: batch.summary.get(name, 0) for name in previewing.TONES},
    }  # fmt: skip
    return render(request, "core/imports/record.html", context)


@page(IMPORT)
@require_GET
def template(request: HttpRequest, code: str) -> HttpResponse:
    """An empty workbook of a kind."""
    kind = KINDS.get(code)
    if kind is None:
        raise Http404
    return _workbook(template_workbook(kind), f"{kind.name}.xlsx")


@page(IMPORT)
@require_GET
def marked(request: HttpRequest, pk: int) -> HttpResponse:
    """The user's workbook with every bad cell coloured, and a sheet that lists them."""
    batch, kind = _batch(request, pk)
    try:
        parsed = previewing.reading_of(batch, kind)
        content = marked_workbook(read_book(load(batch.digest), batch.file_name), parsed)
    except BookError as error:
        return _unreadable(request, batch, error)
    stem = batch.file_name.rsplit(".", 1)[0]
    return _workbook(content, f"{stem}-{_('marked')}.xlsx")


def _workbook(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=XLSX)
    header = content_disposition_header(as_attachment=True, filename=name)
    response.headers["Content-Disposition"] = header or "attachment"
    return response
