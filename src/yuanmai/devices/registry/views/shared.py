"""What the pages of the register share."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from yuanmai.core.undo.models import UndoStep
from yuanmai.devices.models import Device
from yuanmai.devices.permissions import KEEP_DEVICES, SEE_DEVICES
from yuanmai.devices.registry.queries import with_state

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
MOST_PICKED = 2_000


def seen_orgs(request: HttpRequest, permission: str = SEE_DEVICES) -> list[int]:
    """Return the organisations of the page in which the reader holds a right."""
    mine = request.actor.org_ids(permission)  # type: ignore[attr-defined]
    return [pk for pk in request.view.org_ids if pk in mine]  # type: ignore[attr-defined]


def own_orgs(request: HttpRequest) -> list[tuple[int, str]]:
    """Return the organisations in whose register the user may write, the chosen one first."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    allowed = actor.org_ids(KEEP_DEVICES)
    orgs = [org for org in view.orgs if org.id in allowed]
    chosen = view.org.id if view.org else None
    return [(org.id, org.name) for org in sorted(orgs, key=lambda org: (org.id != chosen, org.path))]


def devices_seen(request: HttpRequest) -> QuerySet[Device]:
    """Return all devices, retired ones too, that the reader may see."""
    return Device.objects.filter(org_id__in=list(request.actor.org_ids(SEE_DEVICES)))  # type: ignore[attr-defined]


def device_or_404(request: HttpRequest, pk: int) -> Device:
    """Return a device of the data scope, a retired one too; raises `Http404`."""
    row = with_state(devices_seen(request)).filter(pk=pk).first() if pk < 2**62 else None
    if row is None:
        raise Http404
    return row


def picked(request: HttpRequest) -> list[Device]:
    """Return the picked devices in the order of the list; what is no number counts for nothing."""
    given = request.POST.getlist("device") or request.GET.getlist("device")
    ids = [
        int(text) for text in given[: MOST_PICKED + 1] if text.isascii() and text.isdigit() and len(text) < 18
    ]
    rows = with_state(devices_seen(request)).filter(pk__in=ids)
    found = {row.pk: row for row in rows}
    return [found[pk] for pk in dict.fromkeys(ids) if pk in found]


def may_keep(request: HttpRequest, org_id: int | None = None) -> bool:
    """Whether the reader may change the register (of an organisation)."""
    return request.actor.why_not(KEEP_DEVICES, org_id) is None  # type: ignore[attr-defined]


def back_to(request: HttpRequest, fallback: str) -> HttpResponse:
    """Go to where the form wants, where that is on this host."""
    target = request.POST.get("next", "")
    safe = target and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(target if safe else fallback)


def offer_undo(request: HttpRequest, text: str, step: UndoStep | None) -> None:
    """Say that something was done, with a button that takes it back."""
    tags = f"undo={reverse('devices:undo', args=[step.token])}" if step is not None else ""
    messages.success(request, text, extra_tags=tags)


def tell(request: HttpRequest, error: ValidationError) -> None:
    """Say what was refused."""
    messages.error(request, " ".join(error.messages))


def add_errors(form: Any, error: ValidationError) -> None:
    """Put the faults of an action at the fields of a form, those without a field above it."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, faults in error.message_dict.items():
        for fault in faults:
            form.add_error(name if name in form.fields else None, fault)


def crumbs(*steps: tuple[Any, str]) -> list[dict[str, Any]]:
    """Return the way from the register to a page."""
    way: Sequence[tuple[Any, str]] = [(_("Devices"), reverse("devices:index")), *steps]
    return [{"label": label, "url": url} for label, url in way]
