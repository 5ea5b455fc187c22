"""Pages of commands: list, record, asking for one, taking it back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yuanmai.core.web import page
from yuanmai.core.workflow import Conflict
from yuanmai.devices.commands import actions
from yuanmai.devices.commands.forms import CommandFilter, CommandForm
from yuanmai.devices.commands.queries import ENDED, commands, devices_to_command, narrowed
from yuanmai.devices.commands.terms import TERMS
from yuanmai.devices.commands.verbs import Verb, offered, settable, verb_name, verb_of
from yuanmai.devices.commands.wording import (
    ICONS,
    TONES,
    exact,
    local,
    parameters_said,
    result,
    spaced,
)
from yuanmai.devices.models import Command, Device
from yuanmai.devices.models.command import CommandState
from yuanmai.devices.permissions import COMMAND_DEVICES, SEE_DEVICES
from yuanmai.protocols.hj212.messages import without_passwords

PER_PAGE = 50
DIRECTIONS = {"out": "arrow-right", "in": "arrow-left", "late": "clock", "note": "note"}


def seen(request: HttpRequest) -> list[int]:
    """Return the organisations of the page in which the asker may see devices."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    mine = actor.org_ids(SEE_DEVICES)
    return [pk for pk in view.org_ids if pk in mine]


def command_or_404(request: HttpRequest, uid: UUID) -> Command:
    """Return a command to a device that the asker may see; raises Http404."""
    actor = request.actor  # type: ignore[attr-defined]
    row = commands(actor.org_ids(SEE_DEVICES)).filter(uid=uid).first()
    if row is None:
        raise Http404
    return row


def line(row: Command) -> dict[str, Any]:
    """Return what the list shows of a command."""
    return {
        "row": row,
        "name": verb_name(row.device.protocol, row.verb),
        "tone": TONES[row.state],
        "icon": ICONS[row.state],
        "result": result(row),
        "created": local(row.created_at),
        "ended": local(row.ended_at),
        "author": str(row.created_by) if row.created_by else _("the system"),
    }


@page(SEE_DEVICES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The commands to the devices of the chosen organisation, newest first."""
    form = CommandFilter(request.GET)
    form.is_valid()
    rows = narrowed(commands(seen(request)), form.cleaned_data)
    page_obj = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page_obj": page_obj,
        "lines": [line(row) for row in page_obj],
        "filtered": any(form.cleaned_data.values()),
    }
    return render(request, "devices/commands/index.html", context)


@page(SEE_DEVICES)
@require_GET
def record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A command: what was asked, how far it has come, what went over the wire; with ``part=1`` what moves, alone."""
    row = command_or_404(request, uid)
    actor = request.actor  # type: ignore[attr-defined]
    refused = actor.why_not(COMMAND_DEVICES, row.device.org_id)
    answer = row.answer if isinstance(row.answer, dict) else {}
    context = {
        **line(row),
        "device": row.device,
        "parameters": parameters_said(row),
        "values": [
            (name, TERMS.get(name, ""), value) for name, value in (answer.get("values") or {}).items()
        ],
        "uploads": answer.get("uploads"),
        "expires": local(row.expires_at),
        "sent": local(row.sent_at),
        "answered": local(row.answered_at),
        "trace": [
            {
                "at": exact(entry.get("at", "")),
                "direction": entry.get("direction", "note"),
                "icon": DIRECTIONS.get(entry.get("direction", ""), "note"),
                "text": without_passwords(entry.get("text", "")),
                "hex": spaced(entry.get("hex", "")),
            }
            for entry in row.trace
        ],
        "open": row.state not in ENDED,
        "may_cancel": refused is None and row.state == CommandState.QUEUED,
        "again_url": ""
        if refused
        else f"{reverse('devices:command_new', args=[row.device_id])}?verb={row.verb}&again={row.uid}",
        "breadcrumbs": [
            {"label": _("Commands"), "url": reverse("devices:commands")},
            {"label": verb_name(row.device.protocol, row.verb), "url": ""},
        ],
    }
    template = "devices/commands/_record.html" if request.GET.get("part") else "devices/commands/record.html"
    return render(request, template, context)


@page(COMMAND_DEVICES)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose a command for a device (without ``verb``), give its parameters, send it."""
    actor = request.actor  # type: ignore[attr-defined]
    device = devices_to_command(actor.org_ids(COMMAND_DEVICES)).filter(pk=pk).first()
    if device is None:
        raise Http404
    points = settable(device)
    verb = verb_of(device.protocol, request.GET.get("verb", ""))
    if verb is None:
        return render(request, "devices/commands/choose.html", choice(device, offered(device, points)))
    form = CommandForm(
        request.POST if request.method == "POST" else None, verb, points, before(request, device, verb)
    )
    if request.method == "POST" and form.is_valid():
        try:
            row = actions.send_command(actor, device, verb.code, form.cleaned_data["parameters"], form.wait)
        except ValidationError as error:
            for name, faults in error.message_dict.items():
                form.add_error(name if name in form.fields else None, ValidationError(faults))
        else:
            messages.success(request, _("The command is on its way."))
            return redirect("devices:command", row.uid)
    state = getattr(device, "state", None)
    context = {"device": device, "verb": verb, "form": form, "online": bool(state and state.online),
               "parts": form.parts(),
               "breadcrumbs": crumbs(device, str(verb.name))}  # fmt: skip
    return render(request, "devices/commands/form.html", context, status=422 if form.errors else 200)


def crumbs(device: Device, last: str) -> list[dict[str, str]]:
    """Return the way to a command of a device."""
    return [
        {"label": _("Commands"), "url": reverse("devices:commands")},
        {"label": device.label, "url": reverse("devices:record", args=[device.pk])},
        {"label": last, "url": ""},
    ]


def choice(device: Device, verbs: list[Verb]) -> dict[str, Any]:
    """Return the commands of a device in their groups."""
    groups: dict[str, list[Verb]] = {}
    for verb in verbs:
        groups.setdefault(str(verb.group), []).append(verb)
    state = getattr(device, "state", None)
    return {
        "device": device,
        "columns": in_columns(groups),
        "online": bool(state and state.online),
        "breadcrumbs": crumbs(device, _("New command")),
    }


def in_columns(groups: dict[str, list[Verb]]) -> list[list[dict[str, Any]]]:
    """Return the groups in two columns of about the same height."""
    columns: list[list[dict[str, Any]]] = [[], []]
    heights = [0, 0]
    for name, found in groups.items():
        shorter = int(heights[1] < heights[0])
        columns[shorter].append({"name": name, "verbs": found})
        heights[shorter] += len(found) + 1
    return [column for column in columns if column]


def before(request: HttpRequest, device: Device, verb: Verb) -> dict[str, Any]:
    """Return the parameters of a command that is to be sent again, as the form shows them."""
    try:
        uid = UUID(request.GET.get("again", ""))
    except ValueError:
        return {}
    row = Command.objects.filter(uid=uid, device=device, verb=verb.code).first()
    if row is None:
        return {}
    shown: dict[str, Any] = {}
    for parameter in verb.parameters:
        value = row.parameters.get(parameter.name)
        if value is None or parameter.secret:
            continue
        if parameter.kind == "corners":
            value = "\n".join(f"{longitude:.6f}, {latitude:.6f}" for longitude, latitude in value)
        elif parameter.kind == "pairs":
            value = "\n".join(f"{name}={entry}" for name, entry in value.items())
        elif parameter.kind == "moment":
            value = local(value)[:16].replace(" ", "T")
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        shown[parameter.name] = value
    return shown


@page(COMMAND_DEVICES)
@require_POST
def cancel(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take back a command that still waits."""
    row = command_or_404(request, uid)
    try:
        actions.cancel_command(request.actor, row)  # type: ignore[attr-defined]
    except Conflict as conflict:
        messages.error(request, "; ".join(conflict.messages))
    else:
        messages.success(request, _("The command is cancelled."))
    return redirect("devices:command", row.uid)
