"""Taking changes of places back: the button in a message, and the list of what can be taken back."""

from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.undo import since, usable
from yuanmai.core.undo.models import UndoStep
from yuanmai.core.web import page
from yuanmai.places.actions import undo_change
from yuanmai.places.permissions import EDIT_PLACES

PER_PAGE = 50
WORDS = {
    "places.import": gettext_lazy("Import of outlines"),
    "places.edit": gettext_lazy("Place saved"),
    "places.remove": gettext_lazy("Place removed"),
    "places.edit_unit": gettext_lazy("Space unit saved"),
}


def offer_undo(request: HttpRequest, text: str, step: UndoStep | None) -> None:
    """Say that something was done, with a button that takes it back."""
    tags = f"undo={reverse('places:undo', args=[step.token])}" if step is not None else ""
    messages.success(request, text, extra_tags=tags)


@page(EDIT_PLACES)
@require_POST
def undo(request: HttpRequest, token: UUID) -> HttpResponse:
    """Take a change back."""
    step = usable(token, timezone.now())
    if step is None:
        raise Http404
    try:
        number = undo_change(request.actor, step)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        text = ngettext(
            "Undone: %(n)s entry is as it was.", "Undone: %(n)s entries are as they were.", number
        )
        messages.success(request, text % {"n": number})
    target = request.POST.get("next", "")
    safe = target and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(target if safe else reverse("places:changes"))


@page(EDIT_PLACES)
@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """What was changed in the last thirty days and can be taken back, newest first."""
    held = request.actor.org_ids(EDIT_PLACES)  # type: ignore[attr-defined]
    ids = [pk for pk in request.view.org_ids if pk in held]  # type: ignore[attr-defined]
    rows = UndoStep.objects.filter(
        org_id__in=ids, action__startswith="places.", created_at__gte=since(timezone.now())
    )
    rows = rows.select_related("org", "created_by").order_by("-pk")
    page_obj = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    lines = [{"step": step, "what": WORDS.get(step.action, step.action)} for step in page_obj]
    crumbs = [
        {"label": _("Parks and space"), "url": reverse("places:index")},
        {"label": _("Recent changes"), "url": ""},
    ]
    context = {"lines": lines, "page_obj": page_obj, "breadcrumbs": crumbs}
    return render(request, "places/changes.html", context)
