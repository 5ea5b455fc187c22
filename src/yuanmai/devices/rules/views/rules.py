"""Alarm rules: the list, one rule, the editor with its preview, trying on history."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.web import page
from yuanmai.devices.engine.rules.conditions import Fence, leaves
from yuanmai.devices.engine.rules.definition import Definition, DefinitionError, read
from yuanmai.devices.engine.rules.leaves import LATITUDE, LONGITUDE
from yuanmai.devices.models import (
    Alarm,
    AlarmRule,
    AlarmRuleVersion,
    Device,
    Point,
    Severity,
)
from yuanmai.devices.permissions import KEEP_RULES, SEE_DEVICES
from yuanmai.devices.registry.drawing import drawing
from yuanmai.devices.registry.views.shared import seen_orgs
from yuanmai.devices.rules import curve
from yuanmai.devices.rules.actions import retire_rule, save_rule, switch_rule
from yuanmai.devices.rules.editor import (
    BY_KIND,
    DEPENDS,
    GENERAL,
    KINDS,
    ROWS,
    TIMING,
    RuleForm,
    UnfilledError,
)
from yuanmai.devices.rules.forms import carry_out
from yuanmai.devices.rules.loading import Places
from yuanmai.devices.rules.queries import by_severity, devices_named, names_of_points, rules
from yuanmai.devices.rules.shown import initial_of, kind_of
from yuanmai.devices.rules.views.alarms import lines_of
from yuanmai.devices.rules.views.editing import devices_of, form_of, free_code, tried_before, values_of
from yuanmai.devices.rules.views.fences import shape_of
from yuanmai.devices.rules.views.shared import back, frame, may, rule_or_404, tabs
from yuanmai.devices.rules.wording import TONES, PointName, faults_text, local, named_by, sentence

RANGES = (1, 7, 30, 90)
DRAWN, DRAWN_FIELDS = (
    ("circle", "rectangle", "polygon"),
    ("figure", "longitude", "latitude", "radius", "corners"),
)


def words_of(
    version: AlarmRuleVersion, org_ids: list[int], cache: dict[int | None, dict[str, PointName]]
) -> str:
    """Return a rule in plain words; `cache` keeps the names of points by template."""
    try:
        definition = read(version.definition)
    except DefinitionError as error:
        return "; ".join(faults_text(error.faults))
    if version.template_id not in cache:
        cache[version.template_id] = names_of_points(_codes(definition), version.template_id, org_ids)
    names = cache[version.template_id]
    missing = [code for code in _codes(definition) if code not in names]
    if missing:
        names.update(
            {code: PointName(code) for code in missing}
            | names_of_points(missing, version.template_id, org_ids)
        )
    return sentence(definition, version.severity, named_by(names))


def _codes(definition: Definition) -> list[str]:
    found = {code for leaf in leaves(definition.when) if (code := getattr(leaf, "point", ""))}
    return sorted(found)


def _needed(definition: Definition) -> set[str]:
    """Return the points that a device must have for a rule to concern it."""
    found: set[str] = set()
    for leaf in leaves(definition.when):
        if not leaf.device:
            found |= {LATITUDE, LONGITUDE} if isinstance(leaf, Fence) else {leaf.point} - {""}
    return found


def applied_to(version: AlarmRuleVersion) -> str:
    """Return in words what a version is applied to."""
    parts = []
    if version.template is not None:
        parts.append(version.template.label)
    if version.park is not None:
        parts.append(version.park.label)
    if version.device_ids:
        parts.append(_("%(n)s named devices") % {"n": len(version.device_ids)})
    return " · ".join(parts) or _("all devices with these points")


@page(SEE_DEVICES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The rules of the chosen organisation and all below it."""
    seen = seen_orgs(request)
    retired = bool(request.GET.get("retired"))
    cache: dict[int | None, dict[str, PointName]] = {}
    lines = []
    for rule in rules(seen, retired=retired).order_by("-current__severity", "name"):
        assert rule.current is not None
        lines.append(
            {
                "rule": rule, "words": words_of(rule.current, seen, cache), "tone": TONES[rule.current.severity],
                "severity": Severity(rule.current.severity).label, "applied": applied_to(rule.current),
                "may_keep": may(request, KEEP_RULES, rule.org_id),
            }
        )  # fmt: skip
    context = {
        "lines": lines,
        "retired": retired,
        "tabs": tabs(request, "rules"),
        "may_keep": may(request, KEEP_RULES),
        "kinds": [
            {"code": code, "name": name, "icon": icon, "text": text}
            for code, (name, icon, text) in KINDS.items()
        ],
    }
    return render(request, "devices/rules/rules.html", context)


@page(SEE_DEVICES)
@require_GET
def record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One rule: what it says, what it is applied to, its versions and latest alarms."""
    rule = rule_or_404(request, uid)
    version = rule.current
    assert version is not None
    seen = list(request.actor.org_ids(SEE_DEVICES))  # type: ignore[attr-defined]
    cache: dict[int | None, dict[str, PointName]] = {}
    alarms = Alarm.objects.filter(rule=rule).select_related("rule", "version", "device", "device__park", "point", "group", "assignee", "org", "maintenance")  # fmt: skip
    applied = Places().of(version, rule.org_id)
    month = timezone.now() - timedelta(days=30)
    versions = AlarmRuleVersion.objects.filter(rule=rule).select_related("recorded_by", "template", "park")
    context = {
        "rule": rule,
        "version": version,
        "words": words_of(version, seen, cache),
        "severity": Severity(version.severity).label,
        "tone": TONES[version.severity],
        "applied": applied_to(version),
        "device_count": Device.objects.filter(pk__in=applied).count(),
        "month": sum(by_severity(alarms.filter(raised_at__gte=month)).values()),
        "lines": lines_of(alarms.order_by("-raised_at", "-id")[:10]),
        "versions": [
            {
                "title": _("Version %(n)s") % {"n": row.number},
                "when": local(row.since),
                "iso": row.since.isoformat(),
                "who": str(row.recorded_by) if row.recorded_by else _("System"),
                "text": "\n".join([words_of(row, seen, cache), applied_to(row), row.source]),
                "icon": "adjustments",
            }
            for row in versions
        ],
        "fence_url": reverse("devices:rule_layers", args=[rule.uid]) if shape_of(version) else "",
        "may_keep": may(request, KEEP_RULES, rule.org_id),
        "ranges": RANGES,
        "breadcrumbs": crumbs(request, rule.label),
    }
    return render(request, "devices/rules/rule.html", context)


def crumbs(request: HttpRequest, label: str) -> list[dict[str, str]]:
    """Return the way to a page about rules."""
    return [
        {"label": _("Alarm rules"), "url": f"{reverse('devices:rules')}?{frame(request)}"},
        {"label": label, "url": ""},
    ]


# -- the editor ----------------------------------------------------------------------------------------------------------


def edit_page(request: HttpRequest, rule: AlarmRule | None, form: RuleForm, title: str) -> HttpResponse:
    """Show the editor and, when it was sent, save."""
    if request.method == "POST" and form.is_valid():

        def save() -> AlarmRule:
            return save_rule(request.actor, rule, form.cleaned_data["org"], **values_of(form))  # type: ignore[attr-defined]

        saved = carry_out(form, save)
        if saved is not None:
            messages.success(request, _("The rule was saved and holds from now on."))
            return HttpResponseRedirect(reverse("devices:rule", args=[saved.uid]))
    by_kind = [form[name] for name in BY_KIND[form.kind] if name in form.fields]
    context = {
        "form": form,
        "rule": rule,
        "title": title,
        "kind": form.kind,
        "kinds": [
            {"code": code, "label": name, "icon": icon, "url": f"?kind={code}", "active": code == form.kind}
            for code, (name, icon, _text) in KINDS.items()
        ],
        "kind_text": KINDS[form.kind][2],
        "general": [form[name] for name in GENERAL if name in form.fields and not form[name].is_hidden],
        "hidden": list(form.hidden_fields()),
        "by_kind": by_kind,
        "depends": json.dumps({name: on for name, on in DEPENDS.items() if name in form.fields}),
        "rows": [
            [form[f"{name}_{i}"] for name in ("point", "compare", "value", "device")] for i in range(ROWS)
        ]
        if form.kind == "combined"
        else [],
        "timing": [form[name] for name in TIMING if name in form.fields],
        "errors_elsewhere": _elsewhere(form),
        "draw": drawing(DRAWN, {name: form[name].id_for_label for name in DRAWN_FIELDS})
        if form.kind == "geofence"
        else None,
        "ranges": RANGES,
        "breadcrumbs": crumbs(request, title),
    }  # fmt: skip
    return render(request, "devices/rules/edit.html", context, status=422 if form.errors else 200)


def _elsewhere(form: RuleForm) -> list[str]:
    """Return refusals that no field shows: those of the definition as a whole."""
    return [str(text) for text in form.non_field_errors()]


@page(KEEP_RULES)
def create(request: HttpRequest) -> HttpResponse:
    """State a new rule."""
    kind = request.GET.get("kind", "threshold")
    if kind not in KINDS:
        raise Http404
    initial = {"code": free_code(request, kind), **tried_before(request)}
    form = form_of(request, kind, request.POST or None, initial)
    return edit_page(request, None, form, _("New alarm rule"))


@page(KEEP_RULES)
def revise(request: HttpRequest, uid: UUID) -> HttpResponse:
    """State a rule anew: what it says becomes a new version."""
    rule = rule_or_404(request, uid)
    assert rule.current is not None
    kind = request.GET.get("kind") or kind_of(rule.current.definition)
    if kind not in KINDS:
        raise Http404
    codes = [device.code for device in devices_named(rule.current.device_ids)]
    form = form_of(
        request, kind, request.POST or None, {**initial_of(rule, kind, codes), **tried_before(request)}
    )
    return edit_page(request, rule, form, rule.label)


@page(KEEP_RULES)
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """The rule in plain words as it is typed, how many devices it concerns, and the limit on the newest readings."""
    kind = request.GET.get("kind", "threshold")
    if kind not in KINDS:
        raise Http404
    form = form_of(request, kind, request.POST)
    context: dict[str, Any] = {"faults": [], "todo": []}
    form.is_valid()
    try:
        present = {name: form.cleaned_data.get(name) for name in form.fields}
        form.cleaned_data = present
        definition = read(form.definition_of())
        version = AlarmRuleVersion(
            definition=form.definition_of(), severity=present["severity"] or Severity.IMPORTANT, template=present["template"],
            park=present["park"], device_ids=devices_of(form) if "devices" not in form.errors else [],
        )  # fmt: skip
    except DefinitionError as error:
        # Nothing typed yet is no fault: what is still missing is said calmly.
        known = "todo" if all(fault.rule == "missing" for fault in error.faults) else "faults"
        context[known] = faults_text(error.faults)
    except UnfilledError as error:
        context["todo"] = list(dict.fromkeys(error.messages))
    except ValidationError as error:
        context["faults"] = list(dict.fromkeys(error.messages))
    except (KeyError, TypeError, AttributeError):
        context["todo"] = [_("Fill in the fields of the condition.")]
    else:
        seen = list(request.actor.org_ids(SEE_DEVICES))  # type: ignore[attr-defined]
        org = present["org"] or (request.view.org.id if request.view.org else None)  # type: ignore[attr-defined]
        devices = Places().of(version, org) if org else ()
        having = Device.objects.filter(pk__in=devices)
        for code in sorted(_needed(definition)):
            having = having.filter(points__code=code, points__retired_at=None)
        context |= {
            "words": words_of(version, seen, {}),
            "count": having.distinct().count(),
            "chart": _newest(definition, list(having.values_list("pk", flat=True)[:1])),
        }
    return render(request, "devices/rules/_preview.html", context)


def _newest(definition: Definition, devices: list[int]) -> dict[str, Any] | None:
    """Return the last day of the first device concerned, with the limits drawn in."""
    limits = curve.limits(definition)
    point = Point.objects.filter(
        device_id__in=devices, code=getattr(definition.when, "point", ""), retired_at=None
    ).first()
    if point is None or not limits:
        return None
    now = timezone.now()
    found = curve.readings_of([point.pk], (now - timedelta(days=1), now))
    if found is None or not len(found):
        return None
    return {**curve.chart(point, found, [], limits, "%H:%M")}


@page(KEEP_RULES)
@require_POST
def switch(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Switch a rule on or off."""
    rule = rule_or_404(request, uid)
    switch_rule(request.actor, rule, enabled=bool(request.POST.get("enabled")))  # type: ignore[attr-defined]
    messages.success(request, _("The rule is in use.") if rule.enabled else _("The rule is switched off."))
    return back(request, reverse("devices:rule", args=[uid]))


@page(KEEP_RULES)
@require_POST
def retire(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Take a rule out of use, or (`restore`) take that back."""
    rule = rule_or_404(request, uid)
    restore = bool(request.POST.get("restore"))
    retire_rule(request.actor, rule, restore=restore)  # type: ignore[attr-defined]
    messages.success(
        request, _("The rule is in use again.") if restore else _("The rule was taken out of use.")
    )
    return back(request, reverse("devices:rules"))
