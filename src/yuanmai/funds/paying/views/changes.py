"""Changes of use: the list, one request with its conditions and steps, asking for one, the statement by place and year."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.core.figures import Query, Unit
from yuanmai.core.figures.display import display_value
from yuanmai.core.web import page
from yuanmai.core.web.links import link
from yuanmai.core.workflow import offers
from yuanmai.funds.files import ACCEPT, attachments, target_of
from yuanmai.funds.models import ChangeOfUse, Reserve
from yuanmai.funds.paying.actions import move_change, request_change
from yuanmai.funds.paying.change_words import asked, condition
from yuanmai.funds.paying.forms import ChangeForm
from yuanmai.funds.paying.judging import judged, restraints, years_of_changes
from yuanmai.funds.paying.views.money import left_of
from yuanmai.funds.paying.views.shared import (
    PAGE_SIZE,
    entry_page,
    frame,
    names_of,
    paying_url,
    project_crumbs,
    tabs,
)
from yuanmai.funds.paying.workflow import CHANGE, STEP_NAMES, TONES
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS
from yuanmai.projects.forms import TransitionForm
from yuanmai.projects.models import Project
from yuanmai.projects.views.record import moment, shown_project


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """The changes of use of a place, open ones first."""
    view = request.view  # type: ignore[attr-defined]
    query: Query = view.query()
    rows = ChangeOfUse.objects.filter(org_id__in=view.org_ids, requested_on__lte=view.as_of)
    state = request.GET.get("state", "")
    if state in CHANGE.states:
        rows = rows.filter(state=state)
    page_obj = Paginator(
        rows.select_related("tranche", "giver", "receiver").order_by("-requested_on", "-id"), PAGE_SIZE
    ).get_page(request.GET.get("page"))
    shown = list(page_obj)
    names = names_of(query, {pk for row in shown for pk in (row.giver_id, row.receiver_id)})
    lines = [
        {
            "change": row,
            "giver": names.get(row.giver_id, ""),
            "receiver": names.get(row.receiver_id, _("a project outside your data scope")),
            "tone": TONES[row.state],
        }
        for row in shown
    ]
    states = [("", _("All")), *((code, str(label)) for code, label in CHANGE.states.items())]
    context = {
        "lines": lines,
        "page_obj": page_obj,
        "tabs": tabs(request, "changes"),
        "states": states,
        "state": state,
    }
    return render(request, "funds/paying/changes.html", context)


def _change(uid: UUID) -> ChangeOfUse:
    row = (
        ChangeOfUse.objects.select_related("tranche__org", "giver__org", "receiver__org", "org")
        .filter(uid=uid)
        .first()
    )
    if row is None:
        raise Http404
    return row


@page(SEE_FUNDS)
def record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One change of use: its conditions one by one, what can be done, and what was done."""
    return _record(request, _change(uid))


@page(SEE_FUNDS)
def step(request: HttpRequest, uid: UUID, code: str) -> HttpResponse:
    """Carry out a step of the workflow."""
    change = _change(uid)
    try:
        transition = CHANGE.transition(code)
    except KeyError:
        raise Http404 from None
    if request.method != "POST":
        return HttpResponseRedirect(reverse("funds:change", args=[uid]))
    form = TransitionForm(transition, request.POST, auto_id=f"{code}_%s")
    if form.is_valid():
        day = request.view.as_of  # type: ignore[attr-defined]
        moved = form.carry_out(lambda _ok: move_change(request.actor, change, code, day, form.cleaned_data))  # type: ignore[attr-defined]
        if moved is not None:
            messages.success(request, _("“%(step)s” was recorded.") % {"step": transition.name})
            return HttpResponseRedirect(f"{reverse('funds:change', args=[uid])}?{frame(request)}")
    return _record(request, _change(uid), {code: form}, status=422)


def _record(
    request: HttpRequest,
    change: ChangeOfUse,
    forms: dict[str, TransitionForm] | None = None,
    status: int = 200,
) -> HttpResponse:
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    query = Query((change.giver.org_id, change.receiver.org_id), view.as_of, view.known_at)
    names = names_of(query, [change.giver_id, change.receiver_id])
    finished = change.state in CHANGE.final
    facts, checks = (None, []) if finished else judged(change, max(view.as_of, change.requested_on))
    steps: list[dict[str, Any]] = [
        {
            "offer": offer,
            "form": (forms or {}).get(offer.transition.code)
            or TransitionForm(offer.transition, auto_id=f"{offer.transition.code}_%s"),
        }
        for offer in offers(CHANGE, change, actor)
    ]
    giver = names.get(change.giver_id, str(change.giver))
    context: dict[str, Any] = {
        "change": change,
        "tone": TONES[change.state],
        "giver": giver,
        "receiver": names.get(change.receiver_id, _("a project outside your data scope")),
        "giver_url": paying_url(request, change.giver),
        "receiver_url": paying_url(request, change.receiver) if change.receiver_id in names else "",
        "tranche_url": link("funds:tranche", change.tranche.uid),
        "facts": facts,
        "checks": [{"check": c, "text": asked(c), "fault": "" if c.met else condition(c)} for c in checks],
        "met": sum(1 for c in checks if c.met),
        "steps": steps,
        "next_step": next((str(s["offer"].transition.name) for s in steps if s["offer"].why_not is None), ""),
        "files": attachments([change]).get(target_of(change), []),
        "accept": ACCEPT,
        "may_attach": actor.why_not(KEEP_RESERVE, change.org_id) is None,
        "frame": frame(request),
        "entries": [
            {
                "title": STEP_NAMES.get(row.transition, row.transition),
                "when": moment(row.recorded_at),
                "iso": row.recorded_at.isoformat(),
                "who": str(row.recorded_by) if row.recorded_by else _("System"),
                "text": row.text,
                "tone": TONES[row.state],
                "icon": "circle-dot",
            }
            for row in change.steps.select_related("recorded_by").order_by("-recorded_at", "-id")
        ],
        "breadcrumbs": [
            {"label": _("Changes of use"), "url": f"{reverse('funds:changes')}?{frame(request)}"},
            {"label": giver, "url": ""},
        ],
    }
    return render(request, "funds/paying/change.html", context, status=status)


@page(KEEP_RESERVE)
def create(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Ask for a change of use."""
    found = shown_project(request, uid, "paying")
    if isinstance(found, HttpResponse):
        return found
    view, project = request.view, found.state.project  # type: ignore[attr-defined]
    tranches, left, aside = left_of(found.context["query"], project.pk, "movable")
    rows = Reserve.objects.filter(withdrawn_at=None).exclude(project_id=project.pk)
    receivers = Project.objects.filter(pk__in=rows.values("project_id"))
    orgs = tuple(request.actor.org_ids())  # type: ignore[attr-defined]
    names = names_of(Query(orgs, view.as_of), receivers.values_list("pk", flat=True))
    choices = sorted(
        ((str(row.uid), names[row.pk]) for row in receivers if row.pk in names), key=lambda pair: pair[1]
    )
    form = ChangeForm(
        request.POST or None, tranches=tranches, left=left, receivers=receivers, names=choices,
        initial={"requested_on": view.as_of, "tranche": tranches[0].uid if len(left) == 1 else None},
    )  # fmt: skip

    def save(_confirmed: bool) -> tuple[str, Any, str]:
        values = dict(form.cleaned_data)
        change = request_change(
            request.actor,  # type: ignore[attr-defined]
            values.pop("tranche"),
            project,
            values.pop("receiver"),
            values.pop("amount"),
            **values,
        )
        return (
            _("The change of use was requested. Nothing moves before it is approved."),
            (),
            f"{reverse('funds:change', args=[change.uid])}?{frame(request)}",
        )

    return entry_page(
        request, form, save, title=_("Ask for a change of use"), subtitle=found.state.name, submit=_("Request"),
        cancel_url=paying_url(request, project), crumbs=project_crumbs(request, project, found.state.name), aside=aside,
        aside_title=_("Allotted and not paid out: only this can be moved"),
    )  # fmt: skip


@page(SEE_FUNDS)
def statement(request: HttpRequest) -> HttpResponse:
    """How often and how much each place changed the use of its bonds in a year, and who loses quota next year."""
    view = request.view  # type: ignore[attr-defined]
    years = sorted({view.as_of.year, *years_of_changes(view.org_ids)}, reverse=True)
    text = request.GET.get("year", "")
    year = int(text) if text.isdigit() and int(text) in range(2015, 2101) else view.as_of.year
    rows = restraints(view.query(), year)
    context = {
        "rows": rows,
        "lines": [
            {
                "row": row,
                "share": display_value(row.restraint.share, Unit.RATIO),
                "most_share": display_value(row.restraint.most_share, Unit.RATIO),
            }
            for row in rows
        ],
        "year": year,
        "years": years,
        "losing": sum(1 for row in rows if row.restraint.loses_quota),
        "tabs": tabs(request, "changes_statement"),
    }
    return render(request, "funds/paying/statement.html", context)
