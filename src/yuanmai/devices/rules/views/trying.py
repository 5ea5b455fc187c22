"""Trying a rule on history: starting it, and what it found."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.jobs.actions import enqueue
from yuanmai.core.jobs.models import Job
from yuanmai.core.web import page
from yuanmai.devices.engine.rules.definition import DefinitionError, read
from yuanmai.devices.models import AlarmRuleVersion, Device, Point, Severity
from yuanmai.devices.permissions import KEEP_RULES, SEE_DEVICES
from yuanmai.devices.rules import curve
from yuanmai.devices.rules.editor import KINDS
from yuanmai.devices.rules.forms import attach
from yuanmai.devices.rules.history import LONGEST, TRY
from yuanmai.devices.rules.views.editing import form_of, values_of
from yuanmai.devices.rules.views.rules import crumbs, edit_page, words_of
from yuanmai.devices.rules.views.shared import rule_or_404
from yuanmai.devices.rules.wording import TONES, duration, faults_text, local, quantity

LEFT_OUT = {"csrfmiddlewaretoken", "days", "rule"}


def _begin(request: HttpRequest) -> int:
    days = request.POST.get("days", "7")
    return min(int(days), LONGEST) if days.isascii() and days.isdigit() and len(days) < 4 and int(days) else 7


@page(KEEP_RULES)
@require_POST
def try_out(request: HttpRequest) -> HttpResponse:
    """Try on history what stands in the editor (or, with `rule` alone, the present version)."""
    now, days = timezone.now(), _begin(request)
    given = request.POST.get("rule", "")
    rule = rule_or_404(request, UUID(given)) if _is_uid(given) else None
    if request.POST.get("kind"):
        kind = request.POST["kind"]
        if kind not in KINDS:
            raise Http404
        form = form_of(request, kind, request.POST)
        try:
            if not form.is_valid():
                raise ValidationError(_("Put right what is marked first."))
            values, org = values_of(form), form.cleaned_data["org"]
            read(values["definition"])
        except (ValidationError, DefinitionError) as error:
            if isinstance(error, DefinitionError):
                error = ValidationError(faults_text(error.faults))
            if form.is_valid() or not form.errors:
                attach(form, error)
            return edit_page(request, rule, form, rule.label if rule else _("New alarm rule"))
        arguments = {
            "definition": values["definition"], "severity": values["severity"], "devices": values["device_ids"], "name": values["name"],
            "template": values["template"].pk if values["template"] else None, "park": values["park"].pk if values["park"] else None,
        }  # fmt: skip
    elif rule is not None and rule.current is not None:
        org, version = rule.org_id, rule.current
        arguments = {
            "definition": version.definition, "severity": version.severity, "devices": version.device_ids, "name": rule.name,
            "template": version.template_id, "park": version.park_id,
        }  # fmt: skip
    else:
        raise Http404
    arguments |= {
        "typed": typed_of(request.POST) if request.POST.get("kind") else {},
        "rule": str(rule.uid) if rule and request.POST.get("kind") else None, "org": org,
        "begin": (now - timedelta(days=days)).isoformat(), "end": now.isoformat(),
    }  # fmt: skip
    title = _("Trying “%(name)s” on %(n)s days") % {"name": arguments["name"], "n": days}
    started = enqueue(request.actor, TRY, title, arguments, org)  # type: ignore[attr-defined]
    return HttpResponseRedirect(reverse("devices:rule_tried", args=[started.pk]))


def typed_of(sent: QueryDict) -> dict[str, Any]:
    """Return what stood in the editor, to go on from there: lists where several were chosen."""
    return {
        name: values if len(values) > 1 else values[0]
        for name, values in sent.lists()
        if name not in LEFT_OUT
    }


def _is_uid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


@page(KEEP_RULES)
@require_GET
def tried(request: HttpRequest, pk: int) -> HttpResponse:
    """What a rule would have raised: progress while it runs, then alarms, devices, and the chart of the busiest one."""
    found = Job.objects.filter(pk=pk, kind=TRY).first() if pk < 2**62 else None
    if found is None or found.org_id not in request.actor.org_ids(KEEP_RULES):  # type: ignore[attr-defined]
        raise Http404
    context: dict[str, Any] = {
        "job": found,
        "breadcrumbs": crumbs(request, found.title),
        "title": found.title,
    }
    result = found.result if found.state == Job.State.DONE else None
    if result:
        context |= _result(request, result)
        context["go_on"] = _way_back(found)
    return render(request, "devices/rules/tried.html", context)


def _way_back(job: Job) -> str:
    """Return where the editor goes on with what was tried, "" where the present version was tried."""
    typed, rule = job.arguments.get("typed"), job.arguments.get("rule")
    if not typed:
        return ""
    page = reverse("devices:rule_edit", args=[rule]) if rule else reverse("devices:rule_new")
    return f"{page}?{urlencode({'kind': typed.get('kind', 'threshold'), 'tried': job.pk})}"


def _result(request: HttpRequest, result: dict[str, Any]) -> dict[str, Any]:
    seen = list(request.actor.org_ids(SEE_DEVICES))  # type: ignore[attr-defined]
    tried_, present = result["tried"], result["present"]
    ids = {entry["device"] for entry in tried_["alarms"]} | {int(pk) for pk, _n in tried_["by_device"]}
    devices = {d.pk: d for d in Device.objects.filter(pk__in=ids, org_id__in=seen)}
    points = {p.pk: p for p in Point.objects.filter(pk__in={e["point"] for e in tried_["alarms"]})}
    version = AlarmRuleVersion(definition=result["definition"], severity=result["severity"])
    end = datetime.fromisoformat(result["end"])
    return {
        "result": result,
        "words": words_of(version, seen, {}),
        "sums": [
            {"label": _("Alarms"), "value": tried_["count"], "before": present["count"] if present else None},
            {"label": _("Time in alarm"), "value": duration(tried_["seconds"] // 60 * 60),
             "before": duration(present["seconds"] // 60 * 60) if present else None},
            {"label": _("Devices concerned"), "value": len(tried_["by_device"]), "before": len(present["by_device"]) if present else None},
        ],
        "lines": [
            {
                "device": devices.get(entry["device"]), "severity": Severity(entry["severity"]).label, "tone": TONES[entry["severity"]],
                "raised": local(datetime.fromisoformat(entry["raised"])),
                "lasted": duration(max(1, ((datetime.fromisoformat(entry["cleared"]) if entry["cleared"] else end)
                                           - datetime.fromisoformat(entry["raised"])).total_seconds())),
                "going": entry["cleared"] is None, "value": _said(entry["value"], points.get(entry["point"])),
                "peak": _said(entry["peak"], points.get(entry["point"])),
            }
            for entry in tried_["alarms"]
        ],
        "more": tried_["count"] - len(tried_["alarms"]),
        "chart": _busiest(result, devices, points),
        "begin": local(datetime.fromisoformat(result["begin"])), "until": local(end),
    }  # fmt: skip


def _said(value: float | None, point: Point | None) -> str:
    return "–" if value is None else quantity(value, point.unit if point else "")


def _busiest(
    result: dict[str, Any], devices: dict[int, Device], points: dict[int, Point]
) -> dict[str, Any] | None:
    """Return the chart of the device with most alarms, with its alarms in red."""
    tried_ = result["tried"]
    busiest = next((int(pk) for pk, _n in tried_["by_device"] if int(pk) in devices), None)
    mine = [e for e in tried_["alarms"] if e["device"] == busiest and e["point"] in points]
    if not mine:
        return None
    point = points[mine[0]["point"]]
    span = (datetime.fromisoformat(result["begin"]), datetime.fromisoformat(result["end"]))
    found = curve.readings_of([point.pk], span)
    if found is None or not len(found):
        return None
    alarmed = [
        (
            datetime.fromisoformat(e["raised"]),
            datetime.fromisoformat(e["cleared"]) if e["cleared"] else span[1],
        )
        for e in mine
    ]
    return {
        "title": devices[mine[0]["device"]].label,
        "chart": curve.chart(point, found, alarmed, curve.limits(read(result["definition"])), "%m-%d %H:%M"),
    }
