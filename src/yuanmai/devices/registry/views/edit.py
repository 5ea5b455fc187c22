"""Entering, changing, placing, retiring one device; entering a row of them."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_http_methods, require_POST

from yuanmai.core.web import page
from yuanmai.devices.engine.addresses import counted
from yuanmai.devices.models import Device
from yuanmai.devices.permissions import KEEP_DEVICES
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.forms import BatchForm, DeviceForm
from yuanmai.devices.registry.queries import templates_for
from yuanmai.devices.registry.views.shared import add_errors, back_to, crumbs, device_or_404, own_orgs, tell

SHOWN = 3  # devices of a row that are named before it is entered, and the last one


def _page(request: HttpRequest, form: Any, title: str, back: str, **more: Any) -> HttpResponse:
    context = {"form": form, "title": title, "back": back, "breadcrumbs": crumbs((title, "")), **more}
    return render(request, "devices/registry/form.html", context, status=422 if form.errors else 200)


@page(KEEP_DEVICES)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Enter a device; `template` and `parent` of the address are filled in."""
    orgs = own_orgs(request)
    templates = templates_for([pk for pk, _name in orgs])
    initial = {
        name: request.GET[name]
        for name in ("template", "parent", "park")
        if request.GET.get(name, "").isdigit()
    }
    form = DeviceForm(
        request.POST or None, orgs=orgs, templates=templates, initial={"enabled": True, **initial}
    )
    if request.method == "POST" and form.is_valid():
        try:
            row = actions.add_device(request.actor, int(form.cleaned_data["org"]), **form.values())  # type: ignore[attr-defined]
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(
                request, pgettext("device", "“%(name)s” is in the register.") % {"name": row.name}
            )
            return redirect("devices:record", pk=row.pk)
    return _page(request, form, _("New device"), reverse("devices:index"), needs_templates=not templates)


@page(KEEP_DEVICES)
@require_http_methods(["GET", "POST"])
def batch(request: HttpRequest) -> HttpResponse:
    """Enter a numbered row of devices of one template."""
    orgs = own_orgs(request)
    templates = templates_for([pk for pk, _name in orgs])
    initial = {"template": request.GET["template"]} if request.GET.get("template", "").isdigit() else {}
    form = BatchForm(request.POST or None, orgs=orgs, templates=templates, initial=initial)
    if request.POST.get("preview"):
        return render(request, "devices/registry/_batch.html", _foreseen(form))
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        org_id, template = int(given.pop("org")), given.pop("template")
        try:
            rows = actions.add_many(request.actor, org_id, template, **given)  # type: ignore[attr-defined]
        except ValidationError as error:
            add_errors(form, error)
        else:
            text = ngettext(
                "%(n)s device is in the register.", "%(n)s devices are in the register.", len(rows)
            )
            messages.success(request, text % {"n": len(rows)})
            return redirect(
                f"{reverse('devices:index')}?{urlencode({'template': template.pk, 'sort': '-code'})}"
            )
    return _page(
        request, form, _("Several devices at once"), reverse("devices:index"),
        lead=_("They share template and place; code, name and identity count up. All of them are entered, or none."),
        submit=_("Enter the devices"), preview=True,
    )  # fmt: skip


def _foreseen(form: BatchForm) -> dict[str, Any]:
    """Return what the page says a row of devices will be called, as it is typed: the first ones, the last, what is taken already."""
    form.is_valid()
    told = {name: form.cleaned_data.get(name) for name in form.fields}
    count, first = told["count"], told["first"]
    if not count or first is None or not told["code"]:
        return {}
    patterns = {name: str(told[name] or "") for name in ("code", "name", "key")}
    rows = [counted(number, first, **patterns) for number in range(first, first + count)]
    if not patterns["name"]:
        rows = [{**row, "name": ""} for row in rows]
    codes = {row["code"] for row in rows}
    taken = (
        Device.objects.filter(org_id=int(told["org"]), code__in=codes)
        if told["org"]
        else Device.objects.none()
    )
    return {
        "count": count,
        "head": rows[:SHOWN],
        "last": rows[-1] if count > SHOWN else None,
        "twice": len(codes) < count,
        "taken": list(taken.order_by("code").values_list("code", flat=True)[:5]),
    }


@page(KEEP_DEVICES)
@require_http_methods(["GET", "POST"])
def revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what is known of a device."""
    row = device_or_404(request, pk)
    request.actor.require(KEEP_DEVICES, row.org_id)  # type: ignore[attr-defined]
    templates = templates_for([row.org_id], retired=True)
    templates = [
        t for t in templates if t.protocol == row.protocol and (not t.retired_at or t.pk == row.template_id)
    ]
    form = DeviceForm(request.POST or None, orgs=own_orgs(request), templates=templates, device=row)
    if request.method == "POST" and form.is_valid():
        try:
            actions.revise_device(request.actor, row, **form.values())  # type: ignore[attr-defined]
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("devices:record", pk=pk)
    return _page(request, form, row.name, reverse("devices:record", args=[pk]), device=row)


@page(KEEP_DEVICES)
@require_http_methods(["GET", "POST"])
def place(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a device on the map: by clicking on it, or by typing coordinates."""
    row = device_or_404(request, pk)
    request.actor.require(KEEP_DEVICES, row.org_id)  # type: ignore[attr-defined]
    faults: list[str] = []
    typed = {name: request.POST.get(name, "").strip() for name in ("longitude", "latitude")}
    if request.method == "POST":
        try:
            told = {name: float(text) if text else None for name, text in typed.items()}
            actions.revise_device(request.actor, row, **told)  # type: ignore[attr-defined]
        except ValueError:
            faults = [_("Coordinates are decimal degrees, such as 112.93412.")]
        except ValidationError as error:
            faults = list(error.messages)
        else:
            messages.success(request, _("The place was saved."))
            return redirect("devices:record", pk=pk)
    stored = {"longitude": row.longitude, "latitude": row.latitude}
    context = {
        "device": row,
        "values": typed if faults else {k: "" if v is None else f"{v:.6f}" for k, v in stored.items()},
        "faults": faults,
        "map_url": f"{reverse('devices:map_layers', args=[pk])}?around=1",
        "breadcrumbs": crumbs((row.name, reverse("devices:record", args=[pk])), (_("Position"), "")),
    }
    return render(request, "devices/registry/place.html", context, status=422 if faults else 200)


@page(KEEP_DEVICES)
@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a device out of the register; can be undone."""
    row = device_or_404(request, pk)
    try:
        actions.retire_devices(request.actor, [row])  # type: ignore[attr-defined]
    except ValidationError as error:
        tell(request, error)
        return redirect("devices:record", pk=pk)
    text = pgettext("device", "“%(name)s” was taken out of the register.") % {"name": row.name}
    messages.success(request, text, extra_tags=f"undo={reverse('devices:restore', args=[pk])}")
    return redirect("devices:index")


@page(KEEP_DEVICES)
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring a device back."""
    row: Device = device_or_404(request, pk)
    try:
        actions.restore_devices(request.actor, [row])  # type: ignore[attr-defined]
    except ValidationError as error:
        tell(request, error)
    else:
        messages.success(request, pgettext("device", "“%(name)s” is in the register.") % {"name": row.name})
    return back_to(request, reverse("devices:record", args=[pk]))
