"""Addresses behind "save this view", and the list of views that a list page offers."""

from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.permissions import SEE_FIGURES
from yuanmai.core.saved.actions import MOMENTARY, delete_view, save_view
from yuanmai.core.saved.models import SavedView
from yuanmai.core.web.pages import page


def _back(request: HttpRequest) -> HttpResponse:
    target = request.POST.get("next", "/")
    safe = url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(target if safe else "/")


@page(SEE_FIGURES)
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """Keep a list under a name."""
    path = request.POST.get("path", "")
    if not path.startswith("/") or path.startswith("//"):
        raise Http404
    context = request.view  # type: ignore[attr-defined]
    try:
        view = save_view(
            request.actor,  # type: ignore[attr-defined]
            path,
            request.POST.get("name", ""),
            request.POST.get("query", ""),
            shared=bool(request.POST.get("shared")),
            org_id=context.org.id if context.org else None,
        )
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return _back(request)
    messages.success(request, _("The view “%(name)s” was saved.") % {"name": view.name})
    return HttpResponseRedirect(f"{view.path}?{view.query}" if view.query else view.path)


@page(SEE_FIGURES)
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a view away."""
    view = SavedView.objects.filter(pk=pk, user_id=request.user.pk or 0).first()
    if view is None:
        raise Http404
    delete_view(request.actor, view)  # type: ignore[attr-defined]
    messages.success(request, _("The view “%(name)s” was deleted.") % {"name": view.name})
    return HttpResponseRedirect(view.path)


def views_of(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the views of a list page as ``<c-data-list :views>`` shows them: the user's own and the shared ones."""
    context = request.view  # type: ignore[attr-defined]
    visible = {org.id for org in context.orgs} if context else set()
    rows = SavedView.objects.filter(path=request.path).filter(
        Q(user_id=request.user.pk or 0) | Q(shared=True)
    )
    present = sorted((k, v) for k, vs in request.GET.lists() for v in vs if k not in MOMENTARY and v)
    # A frame that stands in the address goes on to the view; what the session remembers holds anyway.
    frame = [(k, request.GET[k]) for k in MOMENTARY if k != "page" and request.GET.get(k)]
    result = []
    for row in rows:
        own = row.user_id == request.user.pk
        if not own and row.org_id not in visible:
            continue
        result.append(
            {
                "name": row.name,
                "url": f"{row.path}?{urlencode([*parse_qsl(row.query), *frame])}",
                "active": _pairs(row.query) == present,
                "shared": row.shared,
                "delete_url": reverse("core:delete_view", args=[row.pk]) if own else "",
            }
        )
    return result


def _pairs(query: str) -> list[tuple[str, str]]:
    return sorted(parse_qsl(query))
