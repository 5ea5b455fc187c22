"""Pages of the organisation tree."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.people import actions, permissions, queries
from yuanmai.people.forms import MoveForm, OrganisationForm, take_errors
from yuanmai.people.models import Organisation


def _found(request: HttpRequest, code: str) -> Organisation:
    return get_object_or_404(queries.organisation_tree(request.actor), code=code)  # type: ignore[attr-defined]


@page(permissions.SEE_ORGANISATIONS)
def organisation_list(request: HttpRequest) -> HttpResponse:
    """The tree of organisations that the reader sees."""
    actor = request.actor  # type: ignore[attr-defined]
    nodes = list(queries.organisation_tree(actor))
    top = min((node.depth for node in nodes), default=1)
    context = {
        "rows": [{"org": node, "level": node.depth - top} for node in nodes],
        "may_edit": actor.why_not(permissions.MANAGE_ORGANISATIONS) is None,
    }
    return render(request, "people/organisation_list.html", context)


@page(permissions.MANAGE_ORGANISATIONS)
def organisation_add(request: HttpRequest) -> HttpResponse:
    """Add an organisation."""
    actor = request.actor  # type: ignore[attr-defined]
    initial = {}
    if asked := request.GET.get("below"):
        initial["parent"] = (
            queries.organisations(actor, permissions.MANAGE_ORGANISATIONS).filter(code=asked).first()
        )
    form = OrganisationForm(request.POST or None, initial=initial, actor=actor)
    if request.method == "POST" and form.is_valid():
        values = dict(form.cleaned_data)
        parent = values.pop("parent")
        try:
            org = actions.add_organisation(actor, parent_code=parent.code if parent else None, **values)
        except ValidationError as error:
            take_errors(form, error)
        else:
            messages.success(request, _("“%(name)s” was added.") % {"name": org})
            return redirect("people:organisation", code=org.code)
    return render(request, "people/organisation_form.html", {"form": form})


@page(permissions.SEE_ORGANISATIONS)
def organisation(request: HttpRequest, code: str) -> HttpResponse:
    """One organisation: what it is, who works there, and what can be changed."""
    actor = request.actor  # type: ignore[attr-defined]
    org = _found(request, code)
    may_edit = actor.why_not(permissions.MANAGE_ORGANISATIONS, org.pk) is None
    form = OrganisationForm(request.POST or None, instance=org, actor=actor) if may_edit else None
    if request.method == "POST" and form is not None:
        actor.require(permissions.MANAGE_ORGANISATIONS, org.pk)
        if form.is_valid():
            try:
                actions.edit_organisation(actor, Organisation.objects.get(pk=org.pk), **form.cleaned_data)
            except ValidationError as error:
                take_errors(form, error)
            else:
                messages.success(request, _("Saved."))
                return redirect("people:organisation", code=code)
    shown = _found(request, code)
    context = {
        "org": shown,
        "parent": shown.get_parent() if shown.depth > 1 else None,
        "children": queries.organisations(actor).filter(path__startswith=shown.path, depth=shown.depth + 1),
        "staff": queries.users(actor).filter(org=shown)[:50],
        "may_edit": may_edit,
        "form": form,
        "move_form": MoveForm(actor=actor, org=shown) if may_edit else None,
    }
    return render(request, "people/organisation.html", context)


@page(permissions.MANAGE_ORGANISATIONS)
@require_POST
def organisation_move(request: HttpRequest, code: str) -> HttpResponse:
    """Move an organisation."""
    actor = request.actor  # type: ignore[attr-defined]
    org = _found(request, code)
    form = MoveForm(request.POST, actor=actor, org=org)
    if not form.is_valid():
        messages.error(request, _("Choose where it belongs."))
        return redirect("people:organisation", code=code)
    try:
        actions.move_organisation(actor, org, parent_code=form.cleaned_data["parent"].code)
        messages.success(request, _("Moved. Who may see it follows at once."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("people:organisation", code=code)


@page(permissions.MANAGE_ORGANISATIONS)
@require_POST
def organisation_active(request: HttpRequest, code: str) -> HttpResponse:
    """Take an organisation out of use, or into use again."""
    actor = request.actor  # type: ignore[attr-defined]
    org = _found(request, code)
    change = actions.deactivate_organisation if org.active else actions.reactivate_organisation
    try:
        change(actor, org)
        messages.success(request, _("Saved."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect("people:organisation", code=code)
