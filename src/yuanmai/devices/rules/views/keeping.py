"""Maintenance windows, channels, escalations, the outbox."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.web import page
from yuanmai.devices.models import (
    ChannelKind,
    Device,
    Escalation,
    MaintenanceWindow,
    Notification,
    NotificationChannel,
    NotificationState,
    Severity,
)
from yuanmai.devices.permissions import HANDLE_ALARMS, KEEP_RULES
from yuanmai.devices.registry.views.shared import seen_orgs
from yuanmai.devices.rules.actions import (
    end_window,
    retry_message,
    save_channel,
    save_escalation,
    save_window,
    test_channel,
)
from yuanmai.devices.rules.actions.handling import assignable
from yuanmai.devices.rules.forms import (
    ChannelForm,
    EscalationForm,
    WindowForm,
    carry_out,
)
from yuanmai.devices.rules.hours import hours_of, hours_text
from yuanmai.devices.rules.queries import devices_named, outbox, windows
from yuanmai.devices.rules.views.shared import back, frame, may, parks_of, refused, tabs, writable
from yuanmai.devices.rules.wording import TONES, local
from yuanmai.people.models import User

PER_PAGE = 50
STATE_TONES = {
    "waiting": "info",
    "sending": "info",
    "sent": "success",
    "dead": "danger",
    "cancelled": "secondary",
}


def _page(
    request: HttpRequest, form: forms.Form, save: Callable[[], Any], *, title: str, said: str, target: str, tab: str, lead: str = ""
) -> HttpResponse:  # fmt: skip
    """Show a form and, when it was sent, carry it out."""
    target = reverse(f"devices:{target}")
    if request.method == "POST" and form.is_valid() and carry_out(form, save) is not None:
        messages.success(request, said)
        return HttpResponseRedirect(target)
    context = {
        "form": form, "title": title, "lead": lead, "back": target, "tabs": tabs(request, tab),
        "breadcrumbs": [{"label": _("Alarm rules"), "url": f"{reverse('devices:rules')}?{frame(request)}"}, {"label": title, "url": ""}],
    }  # fmt: skip
    return render(request, "devices/rules/form.html", context, status=422 if form.errors else 200)


def _mine(rows: Any, request: HttpRequest, pk: int, permission: str) -> Any:
    allowed = list(request.actor.org_ids(permission))  # type: ignore[attr-defined]
    row = rows.filter(pk=pk, org_id__in=allowed).first() if pk < 2**62 else None
    if row is None:
        raise Http404
    return row


# -- maintenance ---------------------------------------------------------------------------------------------------------


@page(HANDLE_ALARMS)
@require_GET
def window_list(request: HttpRequest) -> HttpResponse:
    """The maintenance windows."""
    now, lines = timezone.now(), []
    for row in windows(seen_orgs(request))[:200]:
        end = min(row.ends_at, row.ended_at or row.ends_at)
        state, tone = pgettext("maintenance", "Announced"), "primary"
        if end <= now:
            state, tone = pgettext("maintenance", "Over"), "secondary"
        elif row.begins_at <= now:
            state, tone = pgettext("maintenance", "Going on"), "info"
        where = row.park.label if row.park else row.org.label
        if row.device_ids:
            where = ", ".join(device.label for device in devices_named(row.device_ids[:5]))
        lines.append(
            {"row": row, "state": state, "tone": tone, "where": where, "begin": local(row.begins_at)[:16], "end": local(end)[:16],
             "open": end > now, "may_keep": may(request, HANDLE_ALARMS, row.org_id)}
        )  # fmt: skip
    context = {"lines": lines, "tabs": tabs(request, "windows")}
    return render(request, "devices/rules/windows.html", context)


def _window(request: HttpRequest, row: MaintenanceWindow | None) -> HttpResponse:
    initial: dict[str, Any] = {
        "begins_at": timezone.localtime(),
        "ends_at": timezone.localtime() + timedelta(hours=4),
    }
    if row is not None:
        initial = {
            "name": row.name, "org": row.org_id, "park": row.park_id, "begins_at": timezone.localtime(row.begins_at),
            "ends_at": timezone.localtime(row.ends_at), "reason": row.reason,
            "devices": " ".join(device.code for device in devices_named(row.device_ids)),
        }  # fmt: skip
    elif (number := request.GET.get("device", "")).isascii() and number.isdigit():
        allowed = list(request.actor.org_ids(HANDLE_ALARMS))  # type: ignore[attr-defined]
        device = Device.objects.filter(pk=int(number[:17]), org_id__in=allowed).first()
        initial |= {"devices": device.code, "org": device.org_id} if device else {}
    form = WindowForm(request.POST or None, initial=initial)
    form.offer(writable(request, HANDLE_ALARMS), parks_of(request))

    def save() -> MaintenanceWindow:
        values = dict(form.cleaned_data)
        codes = values.pop("devices").replace(",", " ").split()
        found = dict(Device.objects.filter(code__in=codes, retired_at=None).values_list("code", "pk"))
        if missing := [code for code in codes if code not in found]:
            raise ValidationError(
                {"devices": [_("Not in the register: %(codes)s") % {"codes": ", ".join(missing[:10])}]}
            )
        return save_window(request.actor, row, values.pop("org"), device_ids=list(found.values()), **values)  # type: ignore[attr-defined]

    return _page(
        request, form, save, title=row.name if row else _("Announce maintenance"), said=_("The maintenance window was saved."),
        target="windows", tab="windows", lead=_("Alarms of this time are marked, and nobody is notified."),
    )  # fmt: skip


@page(HANDLE_ALARMS)
def window_new(request: HttpRequest) -> HttpResponse:
    """Announce maintenance."""
    return _window(request, None)


@page(HANDLE_ALARMS)
def window_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what was announced."""
    return _window(request, _mine(MaintenanceWindow.objects.all(), request, pk, HANDLE_ALARMS))


@page(HANDLE_ALARMS)
@require_POST
def window_end(request: HttpRequest, pk: int) -> HttpResponse:
    """End maintenance now."""
    row = _mine(MaintenanceWindow.objects.all(), request, pk, HANDLE_ALARMS)
    try:
        end_window(request.actor, row)  # type: ignore[attr-defined]
        messages.success(request, _("Maintenance was ended."))
    except ValidationError as error:
        refused(request, error)
    return HttpResponseRedirect(reverse("devices:windows"))


# -- channels and escalation -----------------------------------------------------------------------------------------------


@page(KEEP_RULES)
@require_GET
def channel_list(request: HttpRequest) -> HttpResponse:
    """Where alarms are told, and what happens when nobody answers."""
    mine = [pk for pk in seen_orgs(request) if pk in request.actor.org_ids(KEEP_RULES)]  # type: ignore[attr-defined]
    dead = Count("messages", filter=_is(NotificationState.DEAD))
    waiting = Count("messages", filter=_is(NotificationState.WAITING))
    rows = NotificationChannel.objects.filter(org_id__in=mine).select_related("org", "park")
    context = {
        "channels": [
            {"row": row, "kind": ChannelKind(row.kind).label, "severity": Severity(row.severity).label, "tone": TONES[row.severity],
             "hours": hours_text(row.hours) or _("always"), "delivered": local(row.delivered_at) if row.delivered_at else "–"}
            for row in rows.annotate(dead=dead, waiting=waiting)
        ],
        "escalations": [
            {"row": row, "severity": Severity(row.severity).label, "tone": TONES[row.severity]}
            for row in Escalation.objects.filter(org_id__in=mine).select_related("org", "assign_to", "channel")
        ],
        "tabs": tabs(request, "channels"),
    }  # fmt: skip
    return render(request, "devices/rules/channels.html", context)


def _is(state: str) -> Any:
    from django.db.models import Q

    return Q(messages__state=state)


def _channel(request: HttpRequest, row: NotificationChannel | None) -> HttpResponse:
    initial: dict[str, Any] = {}
    if row is not None:
        names = (
            "name",
            "kind",
            "url",
            "recipients",
            "severity",
            "per_minute",
            "language",
            "tells_cleared",
            "enabled",
        )
        initial = {name: getattr(row, name) for name in names}
        initial |= {"org": row.org_id, "park": row.park_id, "hours": hours_text(row.hours)}
    form = ChannelForm(request.POST or None, initial=initial)
    form.offer(writable(request), parks_of(request))

    def save() -> NotificationChannel:
        values = dict(form.cleaned_data)
        hours = hours_of(values.pop("hours"))
        secret = values.pop("secret") or (None if row else "")
        return save_channel(request.actor, row, values.pop("org"), hours=hours, secret=secret, **values)  # type: ignore[attr-defined]

    return _page(
        request, form, save, title=row.name if row else _("New channel"), said=_("The channel was saved."), target="channels",
        tab="channels",
    )  # fmt: skip


@page(KEEP_RULES)
def channel_new(request: HttpRequest) -> HttpResponse:
    """State a new channel."""
    return _channel(request, None)


@page(KEEP_RULES)
def channel_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a channel."""
    return _channel(request, _mine(NotificationChannel.objects.all(), request, pk, KEEP_RULES))


@page(KEEP_RULES)
@require_POST
def channel_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test message."""
    row = _mine(NotificationChannel.objects.all(), request, pk, KEEP_RULES)
    test_channel(request.actor, row)  # type: ignore[attr-defined]
    messages.success(request, _("A test message is on its way; the outbox shows how it goes."))
    return HttpResponseRedirect(reverse("devices:outbox"))


def _escalation(request: HttpRequest, row: Escalation | None) -> HttpResponse:
    form = EscalationForm(request.POST or None, initial=EscalationForm.initial_of(row) if row else None)
    orgs = writable(request)
    form.fields["org"].choices = orgs  # type: ignore[attr-defined]
    first = row.org_id if row else (orgs[0][0] if orgs else 0)
    people = [user.pk for user in assignable(first)] if first else []
    form.fields["assign_to"].queryset = User.objects.filter(pk__in=people)  # type: ignore[attr-defined]
    mine = NotificationChannel.objects.filter(org_id__in=[pk for pk, _name in orgs])
    form.fields["channel"].queryset = mine  # type: ignore[attr-defined]

    def save() -> Escalation:
        values = dict(form.cleaned_data)
        return save_escalation(request.actor, row, values.pop("org"), **values)  # type: ignore[attr-defined]

    return _page(
        request, form, save, title=row.name if row else _("New escalation"), said=_("The escalation was saved."),
        target="channels", tab="channels",
    )  # fmt: skip


@page(KEEP_RULES)
def escalation_new(request: HttpRequest) -> HttpResponse:
    """State a new escalation."""
    return _escalation(request, None)


@page(KEEP_RULES)
def escalation_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an escalation."""
    return _escalation(request, _mine(Escalation.objects.all(), request, pk, KEEP_RULES))


# -- the outbox ------------------------------------------------------------------------------------------------------------


@page(KEEP_RULES)
@require_GET
def outbox_list(request: HttpRequest) -> HttpResponse:
    """What was told, what waits, what was given up."""
    mine = [pk for pk in seen_orgs(request) if pk in request.actor.org_ids(KEEP_RULES)]  # type: ignore[attr-defined]
    state = request.GET.get("state", "")
    page_obj = Paginator(outbox(mine, state), PER_PAGE).get_page(request.GET.get("page"))
    counted = dict(outbox(mine).order_by().values("state").annotate(n=Count("pk")).values_list("state", "n"))
    context = {
        "lines": [
            {"row": row, "tone": STATE_TONES[row.state], "created": local(row.created_at),
             "sent": local(row.sent_at) if row.sent_at else "", "due": local(row.due_at) if row.state == "waiting" else "",
             "url": reverse("devices:alarm", args=[row.alarm.uid]) if row.alarm else ""}
            for row in page_obj
        ],
        "page_obj": page_obj,
        "states": [
            {"label": label, "count": counted.get(code, 0), "tone": STATE_TONES[code], "active": state == code,
             "url": "?" if state == code else f"?state={code}"}
            for code, label in NotificationState.choices
        ],
        "tabs": tabs(request, "outbox"),
    }  # fmt: skip
    return render(request, "devices/rules/outbox.html", context)


@page(KEEP_RULES)
@require_POST
def outbox_retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try a message again that was given up."""
    row = Notification.objects.select_related("channel").filter(pk=pk).first() if pk < 2**62 else None
    if row is None or row.channel.org_id not in request.actor.org_ids(KEEP_RULES):  # type: ignore[attr-defined]
        raise Http404
    try:
        retry_message(request.actor, row)  # type: ignore[attr-defined]
        messages.success(request, _("The message is tried again."))
    except ValidationError as error:
        refused(request, error)
    return back(request, reverse("devices:outbox"))
