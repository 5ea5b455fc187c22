"""Who knocks and is in no register: list, adopting with or without a look, dismissing."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yuanmai.core.web import page
from yuanmai.devices.models import Device, UnknownDevice
from yuanmai.devices.permissions import KEEP_DEVICES
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.adopting import Proposal, propose, propose_all
from yuanmai.devices.registry.forms import AdoptForm
from yuanmai.devices.registry.queries import templates_for, unknown_devices
from yuanmai.devices.registry.tables import SHORT, age, local
from yuanmai.devices.registry.views.shared import add_errors, crumbs, own_orgs, tell
from yuanmai.protocols.hj212.messages import without_passwords

PER_PAGE = 30
SAMPLE = 6  # values of the sample that a list shows


@page(KEEP_DEVICES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Who knocks, the latest first, each with a proposal."""
    dismissed = bool(request.GET.get("dismissed"))
    rows = unknown_devices(dismissed=dismissed)
    protocol = request.GET.get("protocol", "")
    if protocol in SHORT:
        rows = rows.filter(protocol=protocol)
    page_obj = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    orgs = own_orgs(request)
    templates = templates_for([pk for pk, _name in orgs])
    proposals = propose_all(list(page_obj), templates)
    org_name = orgs[0][1] if orgs else ""
    lines = [
        {
            "row": row,
            "protocol": SHORT[row.protocol],
            "since": local(row.first_seen),
            "last": local(row.last_seen),
            "age": age(row.last_seen),
            "sample": named(sample_of(row)[:SAMPLE], proposals[row.pk]),
            "more": max(0, len(sample_of(row)) - SAMPLE),
            "text": text_of(row)[:300],
            "proposal": proposals[row.pk],
        }
        for row in page_obj
    ]
    context = {
        "lines": lines,
        "page_obj": page_obj,
        "dismissed": dismissed,
        "protocols": [(code, name, code == protocol) for code, name in SHORT.items()],
        "dismissed_count": unknown_devices(dismissed=True).count(),
        "org_name": org_name,
        "breadcrumbs": crumbs((_("Unknown devices"), "")),
    }
    return render(request, "devices/registry/unknown.html", context)


def sample_of(row: UnknownDevice) -> list[tuple[str, Any]]:
    """Return what the last frame says: address and value."""
    heard = row.sample.get("addresses") if isinstance(row.sample, dict) else None
    return list(heard.items()) if isinstance(heard, dict) else []


def named(sample: list[tuple[str, Any]], proposal: Proposal) -> list[tuple[str, str, Any, str]]:
    """Return address, what the proposed template calls it ("" where it does not), value and unit."""
    found = [(address, proposal.names.get(address, ("", "")), value) for address, value in sample]
    return [(address, name, value, unit) for address, (name, unit), value in found]


def text_of(row: UnknownDevice) -> str:
    """Return the last frame as text; the password that HJ 212 carries in it is not for the screen."""
    text = str(row.sample.get("text", "")) if isinstance(row.sample, dict) else ""
    return without_passwords(text)


def _unknown(pk: int) -> UnknownDevice:
    row = unknown_devices().filter(pk=pk).first() if pk < 2**62 else None
    if row is None:
        raise Http404
    return row


@page(KEEP_DEVICES)
@require_http_methods(["GET", "POST"])
def adopt(request: HttpRequest, pk: int) -> HttpResponse:
    """Take somebody into the register after a look at the proposal."""
    row = _unknown(pk)
    orgs = own_orgs(request)
    templates = [t for t in templates_for([pk for pk, _name in orgs]) if t.protocol == row.protocol]
    chosen = request.POST.get("template") or request.GET.get("template") or ""
    proposal = propose(row, templates, int(chosen) if chosen.isdigit() else 0)
    initial = {
        "code": proposal.code,
        "name": proposal.name,
        "template": proposal.template.pk if proposal.template else "",
    }
    form = AdoptForm(request.POST or None, orgs=orgs, templates=templates, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = dict(form.cleaned_data)
        org_id = int(given.pop("org"))
        wanted = set(request.POST.getlist("extra"))
        extra = [guess for guess in proposal.extra if guess.address in wanted]
        try:
            device = actions.adopt_device(request.actor, row, org_id, extra=extra, **given)  # type: ignore[attr-defined]
        except ValidationError as error:
            add_errors(form, error)
        else:
            return _adopted(request, device)
    context = {
        "row": row,
        "form": form,
        "proposal": proposal,
        "protocol": SHORT[row.protocol],
        "since": local(row.first_seen),
        "sample": named(sample_of(row), proposal),
        "text": text_of(row)[:600],
        "address": row.address,
        "breadcrumbs": crumbs((_("Unknown devices"), reverse("devices:unknown")), (row.key, "")),
    }
    return render(request, "devices/registry/adopt.html", context, status=422 if form.errors else 200)


def _adopted(request: HttpRequest, device: Device) -> HttpResponse:
    text = _("“%(name)s” is in the register. What it has said since it first knocked is being taken over.")
    messages.success(request, text % {"name": device.name})
    return redirect("devices:record", pk=device.pk)


@page(KEEP_DEVICES)
@require_POST
def adopt_now(request: HttpRequest, pk: int) -> HttpResponse:
    """Take somebody into the register as proposed: one click."""
    row = _unknown(pk)
    orgs = own_orgs(request)
    proposal: Proposal = propose(row, templates_for([pk for pk, _name in orgs]))
    if proposal.template is None:
        messages.error(request, _("No template speaks this protocol; load the library or enter one."))
        return redirect("devices:unknown")
    given = {"template": proposal.template, "code": proposal.code, "name": proposal.name}
    try:
        device = actions.adopt_device(request.actor, row, orgs[0][0], extra=proposal.extra, **given)  # type: ignore[attr-defined]
    except ValidationError as error:
        tell(request, error)
        return redirect("devices:adopt", pk=pk)
    return _adopted(request, device)


@page(KEEP_DEVICES)
@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Show somebody no more."""
    row = _unknown(pk)
    actions.dismiss_unknown(request.actor, row)  # type: ignore[attr-defined]
    undo = reverse("devices:recall_unknown", args=[pk])
    messages.success(request, _("“%(key)s” is shown no more.") % {"key": row.key}, extra_tags=f"undo={undo}")
    return redirect("devices:unknown")


@page(KEEP_DEVICES)
@require_POST
def recall(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a dismissed one again."""
    row = UnknownDevice.objects.filter(pk=pk).exclude(dismissed_at=None).first() if pk < 2**62 else None
    if row is None:
        raise Http404
    actions.recall_unknown(request.actor, row)  # type: ignore[attr-defined]
    return redirect("devices:unknown")
