"""What is done to the picked devices: place, use, labels, retiring, export."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from yuanmai.core.undo import usable
from yuanmai.core.web import page
from yuanmai.devices.permissions import KEEP_DEVICES, SEE_DEVICES
from yuanmai.devices.registry import actions
from yuanmai.devices.registry.actions.devices import undo_change
from yuanmai.devices.registry.views.register import columns_of, with_alarms, workbook_of
from yuanmai.devices.registry.views.shared import back_to, devices_seen, offer_undo, picked, tell
from yuanmai.enterprises.models import Enterprise
from yuanmai.places.models import Building, Park

MODELS: dict[str, Any] = {"park": Park, "building": Building, "enterprise": Enterprise}


def _chosen(what: str, text: str) -> Any:
    """Return what devices are to be put into: a park, building or enterprise of the data scope; None for nothing."""
    if not text:
        return None
    row = MODELS[what].objects.filter(pk=int(text)).first() if text.isdigit() and len(text) < 18 else None
    if row is None:
        raise ValidationError(_("Choose where the devices belong."))
    return row


@page(KEEP_DEVICES)
@require_POST
def change(request: HttpRequest) -> HttpResponse:
    """Change the picked devices and offer to take it back."""
    actor, what = request.actor, request.POST.get("do", "")  # type: ignore[attr-defined]
    devices = picked(request)
    try:
        if what in MODELS:
            number, step = actions.assign_many(
                actor, devices, {what: _chosen(what, request.POST.get(what, ""))}
            )
        elif what in ("enable", "pause"):
            number, step = actions.enable_many(actor, devices, what == "enable")
        elif what == "retire":
            number, step = actions.retire_devices(actor, devices), None
        elif what == "restore":
            number, step = actions.restore_devices(actor, devices), None
        else:
            raise ValidationError(_("Choose what shall be done."))
    except ValidationError as error:
        tell(request, error)
        return back_to(request, reverse("devices:index"))
    text = ngettext("%(n)s device was changed.", "%(n)s devices were changed.", number) % {"n": number}
    offer_undo(request, text, step)
    return back_to(request, reverse("devices:index"))


@page(SEE_DEVICES)
@require_POST
def export(request: HttpRequest) -> HttpResponse:
    """The picked devices as a workbook, with the columns of the list."""
    devices = picked(request)
    if not devices:
        messages.error(request, _("Choose at least one device."))
        return back_to(request, reverse("devices:index"))
    columns = columns_of(request)
    counted = with_alarms(devices_seen(request).filter(pk__in=[d.pk for d in devices]), columns)
    numbers = {row.pk: getattr(row, "alarm_count", 0) for row in counted}
    for device in devices:
        device.alarm_count = numbers.get(device.pk, 0)  # type: ignore[attr-defined]
    return workbook_of(devices, columns)


@page(KEEP_DEVICES)
@require_POST
def undo(request: HttpRequest, token: UUID) -> HttpResponse:
    """Take a change of several devices back."""
    step = usable(token, timezone.now())
    if step is None or not step.action.startswith("devices."):
        raise Http404
    try:
        number = undo_change(request.actor, step)  # type: ignore[attr-defined]
    except ValidationError as error:
        tell(request, error)
    else:
        text = ngettext(
            "Undone: %(n)s device is as it was.", "Undone: %(n)s devices are as they were.", number
        )
        messages.success(request, text % {"n": number})
    return back_to(request, reverse("devices:index"))
