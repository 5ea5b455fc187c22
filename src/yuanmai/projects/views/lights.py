"""The rules of the lights: which hold where, and deciding new ones."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.web import page
from yuanmai.projects.actions import retract_light_rule, set_light_rule
from yuanmai.projects.forms import LightRuleForm
from yuanmai.projects.models import LightRule
from yuanmai.projects.permissions import DISPATCH_PROJECTS, SEE_PROJECTS
from yuanmai.projects.queries.lights import presets, rules_in_force
from yuanmai.projects.views.edit import writable_orgs


@page(SEE_PROJECTS)
def index(request: HttpRequest) -> HttpResponse:
    """The rules that hold on the page's day, the published ones they may start from, and a form for a new one."""
    view = request.view  # type: ignore[attr-defined]
    visible = {org.id for org in view.orgs}
    known = presets()
    start = next((preset for preset in known if preset.code == request.GET.get("preset")), None)
    may_edit = request.actor.why_not(DISPATCH_PROJECTS) is None  # type: ignore[attr-defined]
    form = None
    if may_edit:
        chosen = start or known[0]
        initial = {
            **chosen.values,
            "name": chosen.name,
            "source": chosen.source,
            "effective_on": view.as_of,
            "org": view.org.id if view.org else None,
        }
        form = LightRuleForm(
            request.POST or None, initial=initial, orgs=writable_orgs(request, DISPATCH_PROJECTS)
        )
    if request.method == "POST" and form is not None and form.is_valid():
        values = form.cleaned_data
        rule = form.carry_out(
            lambda _ok: set_light_rule(request.actor, values["org"], values["effective_on"], values)  # type: ignore[attr-defined]
        )
        if rule is not None:
            undo = reverse("projects:retract_light_rule", args=[rule.pk])
            messages.success(
                request, _("The rule was saved; the lights follow it at once."), extra_tags=f"undo={undo}"
            )
            return HttpResponseRedirect(reverse("projects:lights"))
    rows = [
        rule
        for rule in rules_in_force(view.as_of, view.known_at)
        if rule.org_id is None or rule.org_id in visible
    ]
    actor = request.actor  # type: ignore[attr-defined]
    context = {
        "rules": [
            (rule, may_edit and actor.why_not(DISPATCH_PROJECTS, rule.org_id) is None) for rule in rows
        ],
        "presets": known,
        "start": start,
        "form": form,
    }
    return render(
        request, "projects/lights.html", context, status=422 if form is not None and form.errors else 200
    )


@page(DISPATCH_PROJECTS)
@require_POST
def retract(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a rule back."""
    rule = LightRule.objects.filter(pk=pk).first()
    if rule is None:
        raise Http404
    try:
        retract_light_rule(request.actor, rule)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The rule was taken back."))
    return HttpResponseRedirect(reverse("projects:lights"))
