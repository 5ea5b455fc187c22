"""Handing out and taking back the files of the funds room."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.funds.files import path_of, take_back_file
from yuanmai.funds.models import Attachment
from yuanmai.funds.permissions import SEE_FUNDS


def _attachment(pk: int) -> Attachment:
    row = Attachment.objects.filter(pk=pk, retracted_at=None).first()
    if row is None:
        raise Http404
    return row


@page(SEE_FUNDS)
def download(request: HttpRequest, pk: int) -> Any:
    """Hand out a file to who may see the funds of its organisation; always as a download, never shown in the page."""
    row = _attachment(pk)
    request.actor.require(SEE_FUNDS, row.org_id)  # type: ignore[attr-defined]
    try:
        stream = path_of(row.digest).open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(stream, as_attachment=True, filename=row.name, content_type=row.media_type)
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cache-Control"] = "private, no-store"
    return response


@page(SEE_FUNDS)
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a file back."""
    try:
        take_back_file(request.actor, _attachment(pk))  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The file was taken back."))
    target = request.POST.get("next", "")
    safe = target and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(target if safe else reverse("funds:index"))
