"""Pages of the register: list, record, entry."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yuanmai.core.documents import Column, Row, Table, simple_head
from yuanmai.core.documents.excel import to_excel
from yuanmai.core.web import page
from yuanmai.enterprises import actions
from yuanmai.enterprises.forms import EnterpriseFilter, EnterpriseForm
from yuanmai.enterprises.models import Enterprise
from yuanmai.enterprises.permissions import EDIT_ENTERPRISES, IMPORT_ENTERPRISES, SEE_ENTERPRISES
from yuanmai.enterprises.queries import named, register
from yuanmai.enterprises.relations import linked

PER_PAGE = 50
SORTS = {"name": "name", "credit_code": "credit_code", "industry": "industry", "park": "park__name"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def visible(request: HttpRequest) -> QuerySet[Enterprise]:
    """Return the register of the chosen organisation, where the asker may see it, as known at the page's moment."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    mine = actor.org_ids(SEE_ENTERPRISES)
    return register([pk for pk in view.org_ids if pk in mine], view.known_at)


def asked(request: HttpRequest) -> tuple[QuerySet[Enterprise], EnterpriseFilter]:
    """Return the rows of an address in its order, and the filter form."""
    every = visible(request)
    industries = list(
        every.exclude(industry="").order_by("industry").values_list("industry", flat=True).distinct()[:200]
    )
    parks = list(
        every.exclude(park=None).order_by("park__name").values_list("park_id", "park__name").distinct()
    )
    form = EnterpriseFilter(request.GET, industries, parks)
    form.is_valid()
    rows, chosen = every, form.cleaned_data
    if chosen.get("q"):
        rows = named(rows, chosen["q"])
    if chosen.get("industry"):
        rows = rows.filter(industry=chosen["industry"])
    if chosen.get("park"):
        rows = rows.filter(park_id=chosen["park"])
    wanted = request.GET.get("sort", "name")
    field = SORTS.get(wanted.lstrip("-"), "name")
    return rows.select_related("park", "org").order_by(
        f"-{field}" if wanted.startswith("-") else field, "pk"
    ), form


@page(SEE_ENTERPRISES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The register."""
    rows, form = asked(request)
    rows_page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    sort = request.GET.get("sort", "name")
    heads = [
        {
            "label": label,
            "sort": f"-{key}" if sort == key else key,
            "aria": "ascending" if sort == key else "descending" if sort == f"-{key}" else "",
        }
        for key, label in (
            ("name", _("Name")),
            ("credit_code", _("Unified social credit code")),
            ("industry", _("Industry")),
            ("park", _("Park")),
        )
    ]
    context = {
        "form": form,
        "page_obj": rows_page,
        "rows": list(rows_page),
        "heads": heads,
        "filtered": any(form.cleaned_data.values()),
        "export_url": f"{reverse('enterprises:export')}?{request.GET.urlencode()}",
        "may_add": not request.actor.why_not(EDIT_ENTERPRISES),  # type: ignore[attr-defined]
        "may_import": not request.actor.why_not(IMPORT_ENTERPRISES),  # type: ignore[attr-defined]
    }
    return render(request, "enterprises/index.html", context)


@page(SEE_ENTERPRISES)
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The rows of the list as a workbook."""
    rows, _form = asked(request)
    heads = [_("Name"), _("Unified social credit code"), _("Industry"), _("Park"), _("Organisation"), _("Address"),
             _("Contact"), _("Phone")]  # fmt: skip
    lines = tuple(
        Row(
            (
                r.name,
                r.credit_code,
                r.industry,
                r.park.label if r.park else "",
                r.org.label,
                r.address,
                r.contact,
                r.phone,
            )
        )
        for r in rows[:50_000]
    )
    table = Table((Column(2.5), Column(1.8), *[Column(1.2)] * 6), simple_head(*heads), lines)
    content = to_excel(
        table, title=_("Enterprises"), sheet=_("Enterprises"), language=(get_language() or "zh")[:2]
    )
    response = HttpResponse(content, content_type=XLSX)
    response["Content-Disposition"] = 'attachment; filename="enterprises.xlsx"'
    return response


def enterprise_or_404(request: HttpRequest, pk: int) -> Enterprise:
    """Return an enterprise of the data scope, a retired one too; raises `Http404`."""
    allowed = request.actor.org_ids(SEE_ENTERPRISES)  # type: ignore[attr-defined]
    row = Enterprise.objects.filter(pk=pk, org_id__in=allowed).select_related("park", "org").first()
    if row is None:
        raise Http404
    return row


@page(SEE_ENTERPRISES)
@require_GET
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """One enterprise and what it is linked to."""
    row = enterprise_or_404(request, pk)
    context = {
        "row": row,
        "sections": linked(request, row),
        "refused": request.actor.why_not(EDIT_ENTERPRISES, row.org_id),  # type: ignore[attr-defined]
        "breadcrumbs": [
            {"label": _("Enterprises"), "url": reverse("enterprises:index")},
            {"label": row.name},
        ],
    }
    return render(request, "enterprises/record.html", context)


def own_orgs(request: HttpRequest) -> list[tuple[int, str]]:
    """Return the organisations in whose register the user may write, the chosen one first."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    allowed = actor.org_ids(EDIT_ENTERPRISES)
    orgs = [org for org in view.orgs if org.id in allowed]
    chosen = view.org.id if view.org else None
    return [(org.id, org.name) for org in sorted(orgs, key=lambda org: (org.id != chosen, org.path))]


@page(EDIT_ENTERPRISES)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Enter an enterprise."""
    orgs = own_orgs(request)
    form = EnterpriseForm(request.POST or None, orgs=orgs)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        org_id = int(values.pop("org"))
        try:
            row = actions.add_enterprise(request.actor, org_id, **values)  # type: ignore[attr-defined]
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("“%(name)s” is in the register.") % {"name": row.name})
            return redirect("enterprises:record", pk=row.pk)
    return entry(request, form, _("New enterprise"), reverse("enterprises:index"))


@page(EDIT_ENTERPRISES)
@require_http_methods(["GET", "POST"])
def revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is known of an enterprise."""
    row = enterprise_or_404(request, pk)
    request.actor.require(EDIT_ENTERPRISES, row.org_id)  # type: ignore[attr-defined]
    form = EnterpriseForm(request.POST or None, instance=row, orgs=own_orgs(request))
    if request.method == "POST" and form.is_valid():
        stored = enterprise_or_404(request, pk)  # the form has already written into its own copy
        try:
            actions.revise_enterprise(request.actor, stored, **form.cleaned_data)  # type: ignore[attr-defined]
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("enterprises:record", pk=pk)
    return entry(request, form, row.name, reverse("enterprises:record", args=[pk]))


def entry(request: HttpRequest, form: EnterpriseForm, title: str, back: str) -> HttpResponse:
    """Return the page of the form."""
    context: dict[str, Any] = {
        "form": form,
        "title": title,
        "back": back,
        "breadcrumbs": [{"label": _("Enterprises"), "url": reverse("enterprises:index")}, {"label": title}],
    }
    return render(request, "enterprises/form.html", context, status=422 if form.errors else 200)


@page(EDIT_ENTERPRISES)
@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an enterprise out of the register; can be undone."""
    row = enterprise_or_404(request, pk)
    actions.retire_enterprise(request.actor, row)  # type: ignore[attr-defined]
    undo = reverse("enterprises:restore", args=[pk])
    messages.success(
        request,
        _("“%(name)s” was taken out of the register.") % {"name": row.name},
        extra_tags=f"undo={undo}",
    )
    return redirect("enterprises:index")


@page(EDIT_ENTERPRISES)
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring an enterprise back."""
    row = enterprise_or_404(request, pk)
    actions.restore_enterprise(request.actor, row)  # type: ignore[attr-defined]
    messages.success(request, _("“%(name)s” is in the register.") % {"name": row.name})
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        return HttpResponseRedirect(target)
    return redirect(f"{reverse('enterprises:record', args=[pk])}?{urlencode({})}".rstrip("?"))
