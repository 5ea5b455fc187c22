"""The list of alarms and one alarm."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext
from django.views.decorators.http import require_GET, require_POST

from yuanmai.core.saved.views import views_of
from yuanmai.core.web import page
from yuanmai.core.workflow import offers
from yuanmai.devices.engine.rules.conditions import leaves
from yuanmai.devices.engine.rules.definition import DefinitionError, read
from yuanmai.devices.models import Alarm, AlarmRule, AlarmStep, Point, Severity, StepKind
from yuanmai.devices.permissions import HANDLE_ALARMS, SEE_DEVICES
from yuanmai.devices.registry.tables import value_text
from yuanmai.devices.registry.views.record import link
from yuanmai.devices.registry.views.shared import seen_orgs
from yuanmai.devices.rules import curve
from yuanmai.devices.rules.actions import comment, move_alarm, move_alarms
from yuanmai.devices.rules.actions.handling import assignable
from yuanmai.devices.rules.forms import AlarmFilter, CommentForm, StepForm, carry_out
from yuanmai.devices.rules.queries import (
    AlarmsAsked,
    alarms,
    by_severity,
    earlier,
    names_of_points,
    narrowed,
    ordered,
    similar,
)
from yuanmai.devices.rules.views.shared import alarm_or_404, back, frame, may, parks_of, refused
from yuanmai.devices.rules.wording import (
    CAUSES,
    TONES,
    bounds_text,
    duration,
    local,
    named_by,
    sentence,
)
from yuanmai.devices.rules.workflow import ALARM, STATE_TONES

PER_PAGE = 50
MOST_AT_ONCE = 1000
STEP_ICONS = {
    "raised": ("bell-ringing", "danger"), "severity": ("trending-up", "warning"), "cleared": ("circle-check", "success"),
    "acknowledge": ("check", "primary"), "assign": ("user-check", "info"), "comment": ("message", "secondary"),
    "escalate": ("alert-triangle", "danger"), "close": ("circle-check", "secondary"), "reopen": ("rotate", "warning"),
}  # fmt: skip


def value_of(alarm: Alarm) -> str:
    """Return the value that raised an alarm, or how it was noticed."""
    found: dict[str, Any] | None = next((e for e in alarm.evidence if e), None)
    if found is None or alarm.point is None or not found["point"]:
        return ""
    return valued(alarm.point, found["value"])


def valued(point: Point, value: float) -> str:
    """Return a value as its point writes it, with the unit."""
    return f"{value_text(point, value)} {point.unit}".strip()


def line_of(alarm: Alarm, now: datetime) -> dict[str, Any]:
    """Return what the list shows of an alarm."""
    end = alarm.cleared_at or now
    return {
        "alarm": alarm,
        "url": reverse("devices:alarm", args=[alarm.uid]),
        "tone": TONES[alarm.severity],
        "state_tone": STATE_TONES[alarm.state],
        "value": value_of(alarm),
        "raised": local(alarm.raised_at),
        "iso": alarm.raised_at.isoformat(),
        "lasted": duration(max(60, (end - alarm.raised_at).total_seconds() // 60 * 60))
        if end > alarm.raised_at
        else "",
        "others": alarm.group.alarms - 1 if alarm.group else 0,
    }


def lines_of(rows: Iterable[Alarm]) -> list[dict[str, Any]]:
    """Return lines of the list."""
    now = timezone.now()
    return [line_of(row, now) for row in rows]


def _heads(request: HttpRequest) -> list[dict[str, str]]:
    present = request.GET.get("sort", "") or "severity"
    found = []
    for key, label in (("severity", _("Severity")), ("device", pgettext("alarm", "Where")), ("", pgettext("alarm", "What")), ("", _("Value")),
                       ("raised", pgettext("alarm", "Raised")), ("", _("Lasted")), ("", _("State")), ("", _("Assigned to"))):  # fmt: skip
        query = request.GET.copy()
        query.pop("part", None)
        query["sort"] = f"-{key}" if present == key else key
        state = {key: "descending", f"-{key}": "ascending"}.get(present, "") if key else ""
        found.append({"label": label, "url": f"?{query.urlencode()}" if key else "", "state": state})
    return found


@page(SEE_DEVICES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The alarms; filters, order and page stand in the address. With `part=1` only what moves by itself."""
    asked = AlarmsAsked.of(request.GET.dict(), request.user.pk)
    seen = seen_orgs(request)
    rows = alarms(seen)
    counts = by_severity(narrowed(rows, asked, severity=False))
    page_obj = Paginator(ordered(narrowed(rows, asked), asked.sort), PER_PAGE).get_page(
        request.GET.get("page")
    )
    query = request.GET.copy()
    query["part"] = "1"
    context: dict[str, Any] = {
        "lines": lines_of(page_obj),
        "page_obj": page_obj,
        "heads": _heads(request),
        "part_url": f"{request.path}?{query.urlencode()}",
        "may_handle": may(request, HANDLE_ALARMS),
        "counts": [
            {"label": Severity(s).label, "tone": TONES[s], "count": counts[s], "active": asked.severity == str(s),
             "url": _with(request, severity="" if asked.severity == str(s) else str(s))}
            for s in sorted(counts, reverse=True)
        ],
        "filtered": bool(request.GET.dict().keys() - {"org", "sort", "page", "part", "as_of", "known_at"}),
    }  # fmt: skip
    if request.GET.get("part"):
        return render(request, "devices/rules/_alarms.html", context)
    kept = {name: request.GET[name] for name in ("sort", "org", "device", "group") if request.GET.get(name)}
    parks = [(park.pk, park.label) for park in parks_of(request)]
    rules = AlarmRule.objects.filter(retired_at=None).order_by("name")
    context |= {
        "filter_form": AlarmFilter(request.GET.dict(), parks, [(r.code, r.label) for r in rules], kept),
        "views": views_of(request),
        "save_view_url": reverse("core:save_view"),
        "people": [(user.pk, str(user)) for user in assignable(request.view.org.id)]  # type: ignore[attr-defined]
        if context["may_handle"] and request.view.org  # type: ignore[attr-defined]
        else [],
    }
    return render(request, "devices/rules/alarms.html", context)


def _with(request: HttpRequest, **values: str) -> str:
    query = {k: str(v) for k, v in request.GET.items() if k not in {"page", "part", *values}}
    query |= {k: v for k, v in values.items() if v}
    return f"{request.path}?{urlencode(query)}"


@page(HANDLE_ALARMS)
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """Take one step with the picked alarms."""
    code = request.POST.get("step", "")
    target = reverse("devices:alarms")
    ids = [
        int(t)
        for t in request.POST.getlist("alarm")[:MOST_AT_ONCE]
        if t.isascii() and t.isdigit() and len(t) < 18
    ]
    rows = list(Alarm.objects.filter(pk__in=ids, org_id__in=list(request.actor.org_ids(HANDLE_ALARMS))))  # type: ignore[attr-defined]
    if not rows or code not in {"acknowledge", "assign", "close"}:
        messages.error(request, _("Pick the alarms first."))
        return back(request, target)
    try:
        done, left = move_alarms(request.actor, rows, code, request.POST.dict())  # type: ignore[attr-defined]
    except ValidationError as error:
        refused(request, error)
        return back(request, target)
    text = ngettext("%(n)s alarm: %(step)s.", "%(n)s alarms: %(step)s.", done) % {
        "n": done, "step": ALARM.transition(code).name,
    }  # fmt: skip
    if left:
        text += " " + ngettext(
            "%(n)s was left as it is: somebody was faster.",
            "%(n)s were left as they are: somebody was faster.",
            left,
        ) % {"n": left}
    messages.success(request, text)
    return back(request, target)


# -- one alarm -----------------------------------------------------------------------------------------------------------


@page(SEE_DEVICES)
@require_GET
def record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One alarm: what, where, the value against its limit, what has been done, what can be done."""
    alarm = alarm_or_404(request, uid)
    if request.GET.get("part"):
        return render(request, "devices/rules/_alarm_now.html", _standing(request, alarm))
    return _record(request, alarm)


def _standing(request: HttpRequest, alarm: Alarm) -> dict[str, Any]:
    """Return what of an alarm's page moves by itself."""
    return {"alarm": alarm, "entries": timeline(alarm), "line": line_of(alarm, timezone.now())}


def _record(
    request: HttpRequest, alarm: Alarm, forms: dict[str, StepForm] | None = None, comment_form: CommentForm | None = None,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    actor = request.actor  # type: ignore[attr-defined]
    offered = offers(ALARM, alarm, actor)
    people = []
    if any(offer.transition.code == "assign" and offer.why_not is None for offer in offered):
        people = [(user.pk, str(user)) for user in assignable(alarm.org_id)]
    steps = [
        {
            "offer": offer,
            "form": (forms or {}).get(offer.transition.code)
            or StepForm(offer.transition, people, auto_id=f"{offer.transition.code}_%s"),
        }
        for offer in offered
    ]
    chart, words = _drawn(alarm)
    device = alarm.device
    placed = device.longitude is not None or device.mobile
    context = {
        **_standing(request, alarm),
        "device": device,
        "steps": steps,
        "words": words,
        "chart": chart,
        "limit": _limit(alarm),
        "peak": valued(alarm.point, alarm.peak["value"]) if alarm.peak and alarm.point else "",
        "peak_at": local(datetime.fromisoformat(alarm.peak["time"])) if alarm.peak else "",
        "similar": lines_of(similar(alarm)),
        "earlier": earlier(alarm),
        "comment_form": comment_form or CommentForm(auto_id="comment_%s"),
        "may_comment": may(request, HANDLE_ALARMS, alarm.org_id),
        "map_url": reverse("devices:map_layers", args=[device.pk]) if placed else "",
        "park_url": link("places:record", "park", device.park_id) if device.park_id else "",
        "cause": CAUSES.get(alarm.cause, alarm.cause),
        "group_url": f"{reverse('devices:alarms')}?{urlencode({'group': str(alarm.group_id or 0), 'state': 'all'})}",
        "breadcrumbs": [
            {"label": _("Alarms"), "url": f"{reverse('devices:alarms')}?{frame(request)}"},
            {"label": alarm.rule.label, "url": ""},
        ],
    }
    return render(request, "devices/rules/alarm.html", context, status=status)


def _drawn(alarm: Alarm) -> tuple[dict[str, Any] | None, str]:
    """Return the chart around an alarm (None without a point or readings), and the rule in words."""
    try:
        definition = read(alarm.version.definition)
    except DefinitionError:
        return None, ""
    codes = sorted({code for leaf in leaves(definition.when) if (code := getattr(leaf, "point", ""))})
    names = names_of_points(codes, alarm.version.template_id, [alarm.org_id])
    words = sentence(definition, alarm.version.severity, named_by(names))
    if alarm.point is None:
        return None, words
    found = curve.readings_of([alarm.point.pk], curve.around(alarm.raised_at, alarm.cleared_at))
    if found is None or not len(found):
        return None, words
    span = [(alarm.raised_at, alarm.cleared_at)]
    return curve.chart(alarm.point, found, span, curve.limits(definition)), words


def _limit(alarm: Alarm) -> str:
    try:
        definition = read(alarm.version.definition)
    except DefinitionError:
        return ""
    bounds = getattr(definition.when, "bounds", None)
    return bounds_text(bounds, alarm.point.unit if alarm.point else "") if bounds else ""


def timeline(alarm: Alarm) -> list[dict[str, Any]]:
    """Return what has happened to an alarm, the newest first."""
    entries = []
    for step in AlarmStep.objects.filter(alarm=alarm).select_related("by").order_by("-at", "-id"):
        icon, tone = STEP_ICONS[step.kind]
        entries.append(
            {
                "title": step.get_kind_display(),
                "when": local(step.at),
                "iso": step.at.isoformat(),
                "who": str(step.by) if step.by else _("System"),
                "text": "\n".join(part for part in (_said(step, alarm), step.text) if part),
                "icon": icon,
                "tone": tone,
            }
        )
    return entries


def _said(step: AlarmStep, alarm: Alarm) -> str:
    data = step.data
    if step.kind == StepKind.ASSIGN:
        return _("To %(name)s") % {"name": data.get("name", "")}
    if step.kind == StepKind.CLEARED:
        return str(CAUSES.get(data.get("cause", ""), ""))
    if step.kind in {StepKind.RAISED, StepKind.SEVERITY, StepKind.ESCALATE} and data.get("severity"):
        text = str(Severity(data["severity"]).label)
        found = next((e for e in data.get("evidence", ()) if e and e["point"]), None)
        if found and alarm.point:
            text += f" · {valued(alarm.point, found['value'])}"
        if data.get("name"):
            text += f" · {data['name']}"
        return text
    return str(data.get("name", ""))


@page(HANDLE_ALARMS)
def move(request: HttpRequest, uid: UUID, code: str) -> HttpResponse:
    """Take a step with an alarm."""
    alarm = alarm_or_404(request, uid)
    try:
        transition = ALARM.transition(code)
    except KeyError:
        raise Http404 from None
    if request.method != "POST":
        return HttpResponseRedirect(reverse("devices:alarm", args=[uid]))
    people = [(user.pk, str(user)) for user in assignable(alarm.org_id)] if code == "assign" else []
    form = StepForm(transition, people, request.POST, auto_id=f"{code}_%s")
    if form.is_valid():
        carry_out(form, lambda: move_alarm(request.actor, alarm, code, form.cleaned_data))  # type: ignore[attr-defined]
        if not form.errors:
            messages.success(request, _("“%(step)s” was recorded.") % {"step": transition.name})
            return back(request, reverse("devices:alarm", args=[uid]))
    alarm.refresh_from_db(fields=["state"])
    return _record(request, alarm, {code: form}, status=422)


@page(HANDLE_ALARMS)
@require_POST
def add_comment(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Comment an alarm."""
    alarm = alarm_or_404(request, uid)
    form = CommentForm(request.POST, auto_id="comment_%s")
    if form.is_valid():
        carry_out(form, lambda: comment(request.actor, alarm, form.cleaned_data["text"]))  # type: ignore[attr-defined]
        if not form.errors:
            return HttpResponseRedirect(reverse("devices:alarm", args=[uid]) + "#timeline")
    return _record(request, alarm, comment_form=form, status=422)
