"""Taking over rules that come with the program."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yuanmai.core.web import page
from yuanmai.devices.engine.rules.definition import read
from yuanmai.devices.models import AlarmRule, Severity
from yuanmai.devices.permissions import KEEP_RULES
from yuanmai.devices.rules.presets import filled, presets, take_over, templates_of
from yuanmai.devices.rules.queries import names_of_points
from yuanmai.devices.rules.views.rules import crumbs
from yuanmai.devices.rules.views.shared import parks_of, writable
from yuanmai.devices.rules.wording import NOWHERE, TONES, named_by, sentence
from yuanmai.people.models import Organisation

NO_OUTLINE = {
    "type": "Circle",
    "center": [NOWHERE.longitude, NOWHERE.latitude],
    "radius": NOWHERE.radius,
}


@page(KEEP_RULES)
def index(request: HttpRequest) -> HttpResponse:
    """The presets with what they say; the chosen ones become rules of the organisation."""
    orgs = writable(request)
    chosen = request.POST.get("org", "") or str(orgs[0][0] if orgs else "")
    if chosen not in {str(pk) for pk, _name in orgs}:
        raise Http404
    org = Organisation.objects.get(pk=int(chosen))
    parks = [park for park in parks_of(request).defer(None) if park.geometry]
    if request.method == "POST":
        park = next((park for park in parks if str(park.pk) == request.POST.get("park")), None)
        with transaction.atomic():
            made = take_over(request.actor, org, request.POST.getlist("preset"), park)  # type: ignore[attr-defined]
        if made:
            text = ngettext("%(n)s rule was taken over.", "%(n)s rules were taken over.", len(made)) % {
                "n": len(made)
            }
            messages.success(request, text)
            return HttpResponseRedirect(reverse("devices:rules"))
        messages.error(
            request, _("Nothing was taken over: pick rules, and a park for those that need its outline.")
        )
    have = set(AlarmRule.objects.filter(org=org).values_list("code", flat=True))
    templates = templates_of(org)
    groups: dict[str, dict[str, Any]] = {}
    for preset in presets().values():
        template = templates.get(preset.template)
        definition = read(filled(preset.definition, NO_OUTLINE))
        codes = list(_codes(preset.definition))
        names = names_of_points(codes, template.pk if template else None, [])
        group = groups.setdefault(
            preset.template, {"name": template.label if template else preset.template, "there": template is not None, "lines": []}
        )  # fmt: skip
        group["lines"].append(
            {
                "preset": preset, "severity": Severity(preset.severity).label, "tone": TONES[preset.severity],
                "have": preset.code in have,
                "words": sentence(definition, preset.severity, named_by(names)),
            }
        )  # fmt: skip
    context = {
        "groups": sorted(groups.values(), key=lambda group: not group["there"]),
        "orgs": orgs,
        "org": org,
        "parks": parks,
        "breadcrumbs": crumbs(request, _("Rules of the library")),
    }
    return render(request, "devices/rules/presets.html", context)


def _codes(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["point"]] if isinstance(part.get("point"), str) else []
        return own + [code for value in part.values() for code in _codes(value)]
    return [code for value in part for code in _codes(value)] if isinstance(part, list) else []
