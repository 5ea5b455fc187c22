"""Pages of the audit log."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.audit import actions, queries
from yuanmai.core.audit.words import Values
from yuanmai.core.documents.excel import to_excel
from yuanmai.core.documents.model import Column, HeadCell, Row, Table
from yuanmai.core.permissions import SEE_AUDIT
from yuanmai.core.web.pages import page

EXPORT_LIMIT = 100_000
REASONS = {
    "missing": gettext_lazy("an entry is missing"),
    "unlinked": gettext_lazy("it does not follow the entry before it"),
    "changed": gettext_lazy("its content was changed"),
    "cut": gettext_lazy("the end of the log was cut off"),
    "unsealed": gettext_lazy("the seal does not fit"),
    "headless": gettext_lazy("the sealed head is missing"),
}


class AuditFilter(forms.Form):
    """Narrow the log down."""

    since = forms.DateField(
        label=gettext_lazy("From"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=gettext_lazy("To"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    who = forms.CharField(label=gettext_lazy("Who or address"), required=False)
    action = forms.ChoiceField(label=gettext_lazy("Action"), required=False)
    result = forms.ChoiceField(label=gettext_lazy("Result"), required=False)
    target = forms.CharField(label=gettext_lazy("Target or reference"), required=False)

    def __init__(self, *args: Any, known: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        every = [("", _("All"))]
        self.fields["action"].choices = every + known  # type: ignore[attr-defined]
        self.fields["result"].choices = every + [(k, str(v[0])) for k, v in queries.RESULTS.items()]  # type: ignore[attr-defined]


def _filtered(request: HttpRequest) -> tuple[AuditFilter, Any]:
    rows = queries.entries(request.actor)  # type: ignore[attr-defined]
    form = AuditFilter(request.GET, known=queries.used_actions(rows))
    if form.is_valid():
        rows = queries.search(rows, **form.cleaned_data)
    return form, rows


@page(SEE_AUDIT)
@require_GET
def audit_log(request: HttpRequest) -> HttpResponse:
    """The entries that the reader may see, newest first."""
    form, rows = _filtered(request)
    page_obj = Paginator(rows, 50).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page_obj": page_obj,
        "rows": [queries.describe(entry) for entry in page_obj],
        "query": request.GET.urlencode(),
    }
    return render(request, "core/audit/log.html", context)


@page(SEE_AUDIT)
@require_GET
def audit_entry(request: HttpRequest, sequence: int) -> HttpResponse:
    """One entry: what was before and what came after, and its place in the chain."""
    entry = get_object_or_404(queries.entries(request.actor), sequence=sequence)  # type: ignore[attr-defined]
    same = queries.entries(request.actor).filter(request_id=entry.request_id).exclude(pk=entry.pk)  # type: ignore[attr-defined]
    context = {
        "row": queries.describe(entry),
        "entry": entry,
        "changes": queries.differences(entry),
        "same_request": [queries.describe(other) for other in same[:20]] if entry.request_id else [],
    }
    return render(request, "core/audit/entry.html", context)


@page(SEE_AUDIT)
@require_POST
def audit_verify(request: HttpRequest) -> HttpResponse:
    """Prove the whole log."""
    verdict = actions.verify_audit(request.actor)  # type: ignore[attr-defined]
    broken = verdict.broken
    if broken is None:
        messages.success(
            request,
            _("The log is whole: all %(n)d entries are as they were written.") % {"n": verdict.entries},
        )
    else:
        messages.error(
            request,
            _(
                "The log is broken at entry %(n)d: %(reason)s. Keep the database as it is and call whoever is responsible."
            )
            % {"n": broken.position, "reason": REASONS.get(broken.reason, broken.reason)},
        )
    return redirect("core:audit_log")


@page(SEE_AUDIT)
@require_GET
def audit_export(request: HttpRequest) -> HttpResponse:
    """The filtered entries as an Excel workbook; that it was taken is itself an entry."""
    form, rows = _filtered(request)
    chosen = list(rows[:EXPORT_LIMIT])
    used = {k: str(v) for k, v in (form.cleaned_data if form.is_valid() else {}).items() if v}
    actions.export_audit(request.actor, count=len(chosen), filters=used)  # type: ignore[attr-defined]
    heads = [
        _("No."),
        _("Time"),
        _("Who"),
        _("Through"),
        _("Address"),
        _("Action"),
        _("Result"),
        _("Target"),
        _("Changes"),
        _("Reference"),
    ]
    values = Values()
    table = Table(
        columns=tuple(Column() for _head in heads),
        head=(tuple(HeadCell(head) for head in heads),),
        rows=tuple(Row(_cells(entry, values)) for entry in chosen),
        caption=_("Audit log"),
    )
    data = to_excel(table, title=_("Audit log"), language=(get_language() or "zh")[:2])
    response = HttpResponse(
        data, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    stamp = timezone.localtime().strftime("%Y%m%d-%H%M")
    response["Content-Disposition"] = f'attachment; filename="audit-{stamp}.xlsx"'
    return response


def _cells(entry: Any, values: Values) -> tuple[Any, ...]:
    shown = queries.describe(entry)
    changes = "\n".join(
        f"{change['label']}: {change['before'] or '–'} → {change['after'] or '–'}"
        for change in queries.differences(entry, values)
        if change["changed"]
    )
    target = f"{shown['kind']} {entry.target_name}".strip()
    return (
        str(entry.sequence),
        timezone.localtime(entry.at).strftime("%Y-%m-%d %H:%M:%S"),
        entry.actor,
        str(shown["via"]),
        entry.address,
        shown["action"],
        str(shown["result"]),
        target,
        changes,
        entry.request_id,
    )
