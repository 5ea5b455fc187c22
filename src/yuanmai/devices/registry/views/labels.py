"""Labels to stick on devices: code, name, and a QR code that opens the record."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from yuanmai.core.web import page
from yuanmai.devices.permissions import SEE_DEVICES
from yuanmai.devices.registry.labels import LAYOUTS, Label, labels_pdf
from yuanmai.devices.registry.views.shared import back_to, picked

MOST = 600


@page(SEE_DEVICES)
@require_http_methods(["GET", "POST"])
def sheet(request: HttpRequest) -> HttpResponse:
    """The labels of the picked devices as PDF: sheets of A4 with 3 × 8, or one label per page; `skip` leaves places of a
    sheet that was begun free."""
    devices = picked(request)[:MOST]
    values = request.POST or request.GET
    layout = values.get("layout", "sheet")
    if not devices or layout not in LAYOUTS:
        messages.error(request, _("Choose at least one device."))
        return back_to(request, reverse("devices:index"))
    skip = values.get("skip", "0")
    labels = [
        Label(
            device.code,
            device.label,
            " · ".join(
                filter(
                    None,
                    [
                        device.park.label if device.park else "",
                        device.building.label if device.building else "",
                    ],
                )
            ),
            request.build_absolute_uri(reverse("devices:record", args=[device.pk])),
        )
        for device in devices
    ]
    content = labels_pdf(labels, layout, skip=int(skip) if skip.isdigit() and int(skip) < 24 else 0)
    response = HttpResponse(content, content_type="application/pdf")
    name = f"labels-{len(labels)}.pdf"
    response["Content-Disposition"] = content_disposition_header(False, name) or ""
    return response
