"""Product templates: list, record, entry with a grid of points, copy, retire, the library."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yuanmai.core.web import page
from yuanmai.devices.engine.states import states_text
from yuanmai.devices.models import Device, ProductTemplate
from yuanmai.devices.permissions import KEEP_DEVICES, SEE_DEVICES
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.forms import TemplateForm
from yuanmai.devices.registry.presets import without
from yuanmai.devices.registry.queries import template_or_404, template_points, templates_for
from yuanmai.devices.registry.tables import SHORT, span_text
from yuanmai.devices.registry.views.points import grid, posted, rows_of
from yuanmai.devices.registry.views.shared import (
    add_errors,
    back_to,
    crumbs,
    may_keep,
    own_orgs,
    seen_orgs,
    tell,
)


def _orgs(request: HttpRequest) -> list[int]:
    """Return the organisations whose templates the reader may see: the page's and, through them, all above."""
    return seen_orgs(request)


def _crumbs(*steps: tuple[Any, str]) -> list[dict[str, Any]]:
    return crumbs((_("Product templates"), reverse("devices:templates")), *steps)


@page(SEE_DEVICES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All templates that serve the page's organisation, by protocol."""
    retired = bool(request.GET.get("retired"))
    text, protocol = request.GET.get("q", "").strip().casefold(), request.GET.get("protocol", "")
    rows = every = templates_for(_orgs(request), retired=True, counted=True)
    hidden = sum(row.retired_at is not None for row in rows)
    rows = [row for row in rows if (row.retired_at is not None) == retired]
    total = len(rows)
    if text:
        rows = [row for row in rows if text in f"{row.name} {row.name_en} {row.code} {row.maker}".casefold()]
    if protocol:
        rows = [row for row in rows if row.protocol == protocol]
    orgs = own_orgs(request)
    # What the organisations above offer serves here already; a second copy would only confuse.
    lacking = without({row.code for row in every}) if orgs else []
    context = {
        "lines": [(row, SHORT[row.protocol]) for row in rows],
        "total": total,
        "retired": retired,
        "hidden": hidden,
        "q": request.GET.get("q", ""),
        "protocols": [(code, name, code == protocol) for code, name in SHORT.items()],
        "may_edit": bool(orgs),
        "loadable": len(lacking),
        "org_name": orgs[0][1] if orgs else "",
        "breadcrumbs": crumbs((_("Product templates"), "")),
    }
    return render(request, "devices/registry/templates.html", context)


@page(KEEP_DEVICES)
@require_POST
def load(request: HttpRequest) -> HttpResponse:
    """Take the library's templates into the register of the page's organisation."""
    orgs = own_orgs(request)
    there = {row.code for row in templates_for([orgs[0][0]], retired=True)}
    codes = [preset.code for preset in without(there)]
    number = actions.load_templates(request.actor, orgs[0][0], codes)  # type: ignore[attr-defined]
    text = ngettext("%(n)s template was loaded.", "%(n)s templates were loaded.", number)
    messages.success(request, text % {"n": number})
    return redirect("devices:templates")


def _template(request: HttpRequest, pk: int) -> ProductTemplate:
    return template_or_404(pk, list(request.actor.org_ids(SEE_DEVICES)))  # type: ignore[attr-defined]


@page(SEE_DEVICES)
@require_GET
def record(request: HttpRequest, pk: int) -> HttpResponse:
    """One template with its points."""
    row = _template(request, pk)
    silence = row.profile.get("silence_after")
    context = {
        "template": row,
        "protocol": SHORT[row.protocol],
        "points": [(point, states_text(point.states)) for point in template_points(row)],
        "profile": [(key, value) for key, value in row.profile.items() if key != "silence_after"],
        "silence": span_text(silence) if isinstance(silence, int) else "",
        "device_count": Device.objects.filter(template=row, retired_at=None).count(),
        "may_edit": may_keep(request, row.org_id),
        "may_copy": may_keep(request),
        "orgs": own_orgs(request),
        "breadcrumbs": _crumbs((row.label, "")),
    }
    return render(request, "devices/registry/template.html", context)


def _entry(
    request: HttpRequest,
    form: TemplateForm,
    rows: list[dict[str, Any]],
    protocol: str,
    title: str,
    back: str,
    **more: Any,
) -> HttpResponse:
    faults = more.pop("faults", [])
    context = {
        "form": form,
        "grid": grid(rows, protocol),
        "title": title,
        "back": back,
        "faults": faults,
        "breadcrumbs": _crumbs((title, "")),
        **more,
    }
    return render(
        request, "devices/registry/template_form.html", context, status=422 if form.errors or faults else 200
    )


def _told(form: TemplateForm, error: ValidationError) -> list[str]:
    """Put faults of fields at the fields and return those of the points."""
    if not hasattr(error, "error_dict"):
        return list(error.messages)
    told = error.message_dict
    faults = told.pop("points", [])
    if told:
        add_errors(form, ValidationError(told))
    return list(faults)


@page(KEEP_DEVICES)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Enter a template."""
    form = TemplateForm(request.POST or None, orgs=own_orgs(request), initial={"icon": "cpu"})
    rows = posted(request.POST) if request.method == "POST" else []
    faults: list[str] = []
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        org_id = int(given.pop("org"))
        try:
            row = actions.add_template(request.actor, org_id, points=rows, **given)  # type: ignore[attr-defined]
        except ValidationError as error:
            faults = _told(form, error)
        else:
            messages.success(request, _("The template “%(name)s” was saved.") % {"name": row.name})
            return redirect("devices:template", pk=row.pk)
    protocol = request.POST.get("protocol", "hj212")
    back = reverse("devices:templates")
    return _entry(
        request, form, rows, protocol if protocol in SHORT else "", _("New template"), back, faults=faults
    )


@page(KEEP_DEVICES)
@require_http_methods(["GET", "POST"])
def revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a template, and on request its devices with it."""
    row = _template(request, pk)
    request.actor.require(KEEP_DEVICES, row.org_id)  # type: ignore[attr-defined]
    form = TemplateForm(request.POST or None, orgs=own_orgs(request), template=row)
    rows = posted(request.POST) if request.method == "POST" else rows_of(template_points(row))
    faults: list[str] = []
    if request.method == "POST" and form.is_valid():
        pass_on = bool(request.POST.get("pass_on"))
        try:
            number = actions.revise_template(request.actor, row, rows, pass_on=pass_on, **form.cleaned_data)  # type: ignore[attr-defined]
        except ValidationError as error:
            faults = _told(form, error)
        else:
            text = ngettext(
                "Saved; %(n)s device changed with it.", "Saved; %(n)s devices changed with it.", number
            )
            messages.success(request, text % {"n": number} if pass_on else _("Saved."))
            return redirect("devices:template", pk=pk)
    number = Device.objects.filter(template=row, retired_at=None).count()
    back = reverse("devices:template", args=[pk])
    return _entry(
        request, form, rows, row.protocol, row.name, back, faults=faults, device_count=number, editing=True
    )


@page(KEEP_DEVICES)
@require_POST
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """Copy a template into an organisation of one's own."""
    row = _template(request, pk)
    orgs = {str(key) for key, _name in own_orgs(request)}
    org, code = request.POST.get("org", ""), request.POST.get("code", "").strip()
    name = request.POST.get("name", "").strip() or row.name
    try:
        if org not in orgs:
            raise ValidationError(_("Choose an organisation."))
        made = actions.copy_template(request.actor, row, int(org), code, name)  # type: ignore[attr-defined]
    except ValidationError as error:
        tell(request, error)
        return redirect("devices:template", pk=pk)
    messages.success(request, _("The template was copied; this is the copy."))
    return redirect("devices:revise_template", pk=made.pk)


@page(KEEP_DEVICES)
@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer a template no more; can be undone."""
    row = _template(request, pk)
    actions.retire_template(request.actor, row)  # type: ignore[attr-defined]
    undo = reverse("devices:restore_template", args=[pk])
    text = _("“%(name)s” is offered no more; devices that have it keep it.") % {"name": row.name}
    messages.success(request, text, extra_tags=f"undo={undo}")
    return redirect("devices:templates")


@page(KEEP_DEVICES)
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Offer a template again."""
    row = _template(request, pk)
    actions.restore_template(request.actor, row)  # type: ignore[attr-defined]
    messages.success(request, _("“%(name)s” is offered again.") % {"name": row.name})
    return back_to(request, reverse("devices:template", args=[pk]))
