"""The page of a reserve project: overview with readiness, gates and steps; reviews; history; moving it on."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.audit.queries import differences
from yuanmai.core.audit.words import Values
from yuanmai.core.web import page
from yuanmai.funds.models import Reserve, ReserveStep, Review
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS
from yuanmai.funds.reserve.actions import move_reserve, restore_reserve, withdraw_reserve
from yuanmai.funds.reserve.forms import StepForm
from yuanmai.funds.reserve.queries import Examined, examine
from yuanmai.funds.reserve.rules import name_of
from yuanmai.funds.reserve.views.analysis import coverage_cards, coverage_chart
from yuanmai.funds.reserve.views.shared import reserve_or_404, shown
from yuanmai.funds.reserve.wording import gate_lines, percent, stored_gates, yuan
from yuanmai.funds.reserve.workflow import RESERVE, STEP_NAMES, TONES
from yuanmai.projects.views.record import moment

ICONS = {
    "enter": "inbox", "submit": "send", "review": "gavel", "pass": "checks", "returned": "arrow-back-up",
    "send_back": "arrow-back-up", "report": "upload", "approve": "check", "issue": "coins", "draw": "cash",
    "finish": "flag", "complete": "flag", "withdraw": "archive",
}  # fmt: skip
# Steps that change the application, with the action whose entry in the audit log says what was changed.
CHANGES = {
    "change": "funds.change_reserve", "items": "funds.set_reserve_items", "uses": "funds.set_named_uses",
    "plan": "funds.set_reserve_plan", "loans": "funds.set_reserve_loans",
}  # fmt: skip


def readiness_bars(seen: Examined) -> list[dict[str, Any]]:
    """Return the readiness by group of the checklist, the whole first."""
    from yuanmai.funds.engine.review import readiness

    given, checklist = seen.application, seen.rules["checklist"]
    bars = [{"name": _("Readiness"), "found": seen.readiness}]
    for group in dict.fromkeys(line["group"] for line in checklist.values()):
        found = readiness(given.items, given.files, checklist, (group,))
        if found.lines:
            bars.append({"name": name_of("checklist_groups", group), "found": found})
    return bars


@page(SEE_FUNDS)
def overview(request: HttpRequest, uid: UUID) -> HttpResponse:
    """What the project asks for, how ready it is, whether it would pass, and what can be done with it."""
    return _overview(request, uid)


def _overview(
    request: HttpRequest, uid: UUID, forms: dict[str, StepForm] | None = None, status: int = 200
) -> HttpResponse:
    found = shown(request, uid, "overview")
    seen = examine(found.reserve, found.query)
    gates = gate_lines(seen.gates)
    context = {
        **found.context,
        "seen": seen,
        "bars": readiness_bars(seen),
        "gates": gates,
        "stops": [gate for gate in gates if gate["hard"] and not gate["passed"]],
        "cards": coverage_cards(seen)[:4],
        "chart": coverage_chart(seen.statement) if seen.statement.plan.years else None,
        "field_name": name_of("fields", found.reserve.field),
        "sector_name": name_of("sectors", found.reserve.sector),
        "level_name": name_of("park_levels", seen.application.park_level)
        if seen.application.park_level
        else "",
        "rate_text": percent(found.reserve.rate, 4),
        "withdrawable": ("reserve", "reviewed", "reported"),
        "sent_back_for": _reason(found.reserve) if found.reserve.sent_back_at else "",
        "waits_for": _others(found.reserve.depends_on.all()),
        "steps": [
            {"offer": offer, "form": (forms or {}).get(offer.transition.code) or step_form(offer.transition)}
            for offer in found.context["offers"]
        ],
    }
    return render(request, "funds/reserve/overview.html", context, status=status)


def _reason(reserve: Reserve) -> str:
    """Return why the project was last sent back, in the words of whoever did."""
    step = ReserveStep.objects.filter(reserve=reserve, transition__in=("returned", "send_back")).last()
    review = Review.objects.filter(reserve=reserve, verdict=Review.Verdict.SEND_BACK).first()
    return (step.text if step else "") or (review.opinion if review else "")


def _others(rows: Any) -> list[dict[str, str]]:
    from yuanmai.projects.models import ProjectState

    found = list(rows)
    ids = [row.project_id for row in found]
    states = ProjectState.objects.current().filter(project_id__in=ids).order_by("effective_from")
    names = dict(states.values_list("project_id", "name"))
    return [
        {
            "name": names.get(row.project_id, str(row.uid)),
            "url": reverse("funds:reserve_record", args=[row.uid]),
        }
        for row in found
    ]


def step_form(transition: Any) -> StepForm:
    """Return the empty form of a step."""
    return StepForm(transition, auto_id=f"{transition.code}_%s")


@page(SEE_FUNDS)
def move(request: HttpRequest, uid: UUID, code: str) -> HttpResponse:
    """Take a step of the workflow."""
    reserve = reserve_or_404(uid)
    try:
        transition = RESERVE.transition(code)
    except KeyError:
        raise Http404 from None
    if request.method != "POST":
        return HttpResponseRedirect(reverse("funds:reserve_record", args=[uid]))
    form = StepForm(transition, request.POST, auto_id=f"{code}_%s")
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    if form.is_valid():
        moved = form.carry_out(lambda _ok: move_reserve(actor, reserve, code, view.as_of, form.cleaned_data))
        if moved is not None:
            messages.success(request, _("“%(step)s” was recorded.") % {"step": transition.name})
            return HttpResponseRedirect(reverse("funds:reserve_record", args=[uid]))
    return _overview(request, uid, {code: form}, status=422)


@page(KEEP_RESERVE)
@require_POST
def withdraw(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Withdraw a project from the reserve, with a reason."""
    reserve = reserve_or_404(uid)
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    try:
        withdraw_reserve(actor, reserve, view.as_of, request.POST.get("reason", ""))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        undo = reverse("funds:restore_reserve", args=[uid])
        messages.success(request, _("The project was withdrawn from the reserve."), extra_tags=f"undo={undo}")
    return HttpResponseRedirect(reverse("funds:reserve_record", args=[uid]))


@page(KEEP_RESERVE)
@require_POST
def restore(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Put a withdrawn project back."""
    reserve = reserve_or_404(uid)
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    try:
        restore_reserve(actor, reserve, view.as_of)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The project stands in the reserve again."))
    return HttpResponseRedirect(reverse("funds:reserve_record", args=[uid]))


@page(SEE_FUNDS)
def reviews(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Every review with its scores, opinions, and what the gates said then."""
    found = shown(request, uid, "reviews")
    actor = request.actor  # type: ignore[attr-defined]
    rows = (
        Review.objects.filter(reserve=found.reserve)
        .select_related("reviewer")
        .order_by("-recorded_at", "-id")
    )
    lines = []
    for row in rows:
        gates = gate_lines(stored_gates(row.gates))
        mine = row.retracted_at is None and row.reviewer_id == actor.user_id
        lines.append(
            {
                "review": row,
                "headings": [
                    {"name": name_of("headings", code), **entry} for code, entry in row.headings.items()
                ],
                "gates": gates,
                "stops": sum(1 for gate in gates if gate["hard"] and not gate["passed"]),
                "may_take_back": mine
                and found.reserve.state in {Reserve.State.RESERVE, Reserve.State.REVIEWED},
                "when": moment(row.recorded_at),
            }
        )
    return render(request, "funds/reserve/reviews.html", {**found.context, "lines": lines})


@page(SEE_FUNDS)
def history(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Every step of its life, the newest first."""
    found = shown(request, uid, "history")
    steps = ReserveStep.objects.filter(reserve=found.reserve).select_related("recorded_by")
    if found.query.known_at is not None:
        steps = steps.filter(recorded_at__lte=found.query.known_at)
    logged = AuditEntry.objects.filter(
        target_type=Reserve._meta.label_lower,
        target_id=str(found.reserve.pk),
        action__in=CHANGES.values(),
        result="done",
    )
    # Every such action leaves one step and one entry: the n-th of a kind belong together.
    waiting: dict[str, list[AuditEntry]] = {}
    for row in logged.order_by("sequence"):
        waiting.setdefault(row.action, []).append(row)
    values = Values()
    entries = []
    for step in steps.order_by("id"):
        mine = waiting.get(CHANGES.get(step.transition, ""), [])
        entries.append({**_entry(step), **(_changed(step.transition, mine.pop(0), values) if mine else {})})
    return render(request, "funds/reserve/history.html", {**found.context, "entries": entries[::-1]})


def _changed(transition: str, entry: AuditEntry, values: Values) -> dict[str, Any]:
    """Return what an entry of the log says was changed: a table, or for a plan its years."""
    if transition == "plan":
        years = sorted(key for key in (entry.after or {}) if key.isdigit())
        return {"text": _("Years: %(years)s") % {"years": ", ".join(years)}}
    rows = [row for row in differences(entry, values) if row["changed"]]
    if transition == "items":
        rows = [{**row, "label": name_of("checklist", str(row["label"]))} for row in rows]
    return {"changes": rows}


def _entry(step: ReserveStep) -> dict[str, Any]:
    details = [_("as of %(day)s") % {"day": step.effective_on.isoformat()}]
    if step.transition in {"approve", "adjust"} and step.approved is not None:
        details.append(_("Approved: %(amount)s") % {"amount": yuan(step.approved)})
    if step.text:
        details.append(step.text)
    return {
        "title": STEP_NAMES.get(step.transition, step.transition),
        "when": moment(step.recorded_at),
        "iso": step.recorded_at.isoformat(),
        "who": str(step.recorded_by) if step.recorded_by else _("System"),
        "text": "\n".join(details),
        "tone": "secondary" if step.transition in CHANGES else TONES[step.state],
        "icon": ICONS.get(step.transition, "pencil" if step.transition in CHANGES else "circle-dot"),
    }
