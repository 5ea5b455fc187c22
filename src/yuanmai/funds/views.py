"""Pages of the funds room: the funding of a place, of one project, and its entry."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from yuanmai.common.money import YI
from yuanmai.core.figures import Query, breakdown, evaluate_many, get
from yuanmai.core.figures import rows as rows_behind
from yuanmai.core.figures.display import display
from yuanmai.core.figures.links import figure_url
from yuanmai.core.search import matching
from yuanmai.core.web import page
from yuanmai.funds.actions import set_funding, undo_funding
from yuanmai.funds.forms import FundingForm, LineFormSet
from yuanmai.funds.models import FundingFact, FundingState, Security, Source
from yuanmai.funds.permissions import EDIT_FUNDS, SEE_FUNDS
from yuanmai.funds.queries import Sums, lines_of, sums_of, with_gap
from yuanmai.projects.models import Project, ProjectState
from yuanmai.projects.queries.record import changes
from yuanmai.projects.views.panels import Panel, Said
from yuanmai.projects.views.record import shown_project, who

PAGE_SIZE = 50
SALT, UNDO_SECONDS = "funds.undo", 30 * 24 * 3600
TONES = {Security.ISSUED: "success", Security.SECURED: "primary", Security.PLANNED: "warning"}
FIGURES = ("projects.library_investment", "funds.secured", "funds.issued", "funds.planned", "funds.gap")


def _yi(value: Decimal | None) -> Decimal | None:
    return None if value is None else (value / YI).quantize(Decimal("0.0001"))


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """What the projects of a place are paid from, and what is missing: figures, sources, projects by gap."""
    view = request.view  # type: ignore[attr-defined]
    query = view.query()
    results = evaluate_many(FIGURES, query)
    groups = {
        code: breakdown("funds.sources", query.where(security=code), "source") for code in Security.values
    }
    present = {group.value for parts in groups.values() for group in parts}
    sources = [code for code in Source.values if code in present]
    chart = {
        "type": "bar",
        "stack": True,
        "horizontal": True,
        "axis": _("Source"),
        "unit": _("100 million yuan"),
        "categories": [str(Source(code).label) for code in sources],
        "series": [
            {
                "name": str(Security(code).label),
                "tone": TONES[Security(code)],
                "data": [next((_yi(g.result.value) for g in groups[code] if g.value == s), Decimal(0)) for s in sources],
            }
            for code in Security.values
        ],
        "urls": [figure_url("funds.sources", view, source=code) for code in sources],
    }  # fmt: skip
    rows = with_gap(query)
    if text := request.GET.get("q", "").strip():
        rows = rows.filter(matching(text, "name", "code", pinyin="pinyin"))
    if request.GET.get("gap") == "yes":
        rows = rows.filter(gap__gt=0)
    paginator = Paginator(rows, PAGE_SIZE)
    if request.GET.get("gap") != "yes":
        # The list is the rows behind the gap, whose number is kept until something changes.
        _figure, behind = rows_behind("funds.gap", query.where(**({"q": text} if text else {})))
        paginator.count = len(behind or ())
    page_obj = paginator.get_page(request.GET.get("page"))
    sums = sums_of(query, [state.project_id for state in page_obj])
    frame = urlencode(view.parameters)
    lines = [
        {
            "state": state,
            "sums": sums.get(state.project_id, Sums()),
            "url": f"{reverse('funds:project', args=[state.project.uid])}?{frame}",
        }
        for state in page_obj
    ]
    context = {
        "figures": [
            {"label": get(c).name, "display": display(get(c), r), "url": figure_url(c, view)} for c, r in results.items()
        ],
        "chart": chart if sources else None,
        "lines": lines,
        "page_obj": page_obj,
        "text": text,
        "only_gap": request.GET.get("gap") == "yes",
    }  # fmt: skip
    return render(request, "funds/index.html", context)


def donut(state: ProjectState, lines: list[FundingState]) -> dict[str, Any]:
    """Return the sources of a project, and what is missing, as a ring; amounts in 亿元."""
    parts: dict[str, Decimal] = {}
    for line in lines:
        name = f"{line.get_source_display()} · {line.get_security_display()}"
        parts[name] = parts.get(name, Decimal(0)) + line.amount
    data = [{"name": name, "value": _yi(amount)} for name, amount in parts.items()]
    total = sum(parts.values(), Decimal(0))
    if state.total_investment is not None and state.total_investment > total:
        data.append({"name": _("Funding gap"), "value": _yi(state.total_investment - total)})
    return {
        "type": "pie",
        "axis": _("Source"),
        "unit": _("100 million yuan"),
        "series": [{"name": _("Funding"), "data": data}],
    }


def project_panel(request: HttpRequest, state: ProjectState) -> Panel | None:
    """Return the funding card of a project's overview for those who may see funds."""
    if request.actor.why_not(SEE_FUNDS, state.org_id):  # type: ignore[attr-defined]
        return None
    view = request.view  # type: ignore[attr-defined]
    lines = lines_of(Query((state.org_id,), view.as_of, view.known_at), state.project_id)
    sums = _sums(lines)
    uid = str(state.project.uid)
    return Panel(
        "funds/_panel.html",
        {
            "chart": donut(state, lines) if lines else None,
            "sums": sums,
            "gap": sums.gap(state.total_investment),
            "gap_url": figure_url("funds.gap", view, project=uid) if state.main else "",
            "url": f"{reverse('funds:project', args=[uid])}?{urlencode(view.parameters)}",
        },
    )


def _sums(lines: list[FundingState]) -> Sums:
    sums = Sums()
    for line in lines:
        setattr(sums, line.security, getattr(sums, line.security) + line.amount)
    return sums


@page(SEE_FUNDS)
def project(request: HttpRequest, uid: UUID) -> HttpResponse:
    """The sources of one project by state and year, and its gap."""
    found = shown_project(request, uid, "funding")
    if isinstance(found, HttpResponse):
        return found
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    lines = lines_of(found.context["query"], found.state.project_id)
    sums = _sums(lines)
    years = sorted({line.year for line in lines if line.year})
    context = {
        **found.context,
        "lines": [(line, TONES[Security(line.security)]) for line in lines],
        "sums": sums,
        "gap": sums.gap(found.state.total_investment),
        "gap_url": figure_url("funds.gap", view, project=str(uid)) if found.state.main else "",
        "chart": donut(found.state, lines) if lines else None,
        "years": years,
        "may_fund": actor.why_not(EDIT_FUNDS, found.state.org_id) is None,
        "why_no_fund": actor.why_not(EDIT_FUNDS, found.state.org_id) or "",
    }
    return render(request, "funds/project.html", context)


@page(EDIT_FUNDS)
def edit(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Enter the sources of a project: every line stands as it is known, an emptied amount ends the source."""
    found = shown_project(request, uid, "funding")
    if isinstance(found, HttpResponse):
        return found
    view, state = request.view, found.state  # type: ignore[attr-defined]
    lines = lines_of(found.context["query"], state.project_id)
    initial = [
        {name: getattr(line, name) for name in ("source", "security", "year", "tranche", "amount")}
        for line in lines
    ]
    form = FundingForm(request.POST or None, initial={"effective_on": view.as_of})
    formset = LineFormSet(request.POST or None, initial=initial, prefix="line")
    if request.method == "POST" and form.is_valid() and formset.is_valid():
        stated = [(index, line) for index, each in enumerate(formset.forms) if (line := each.line())]

        def save(confirmed: bool) -> list[FundingFact]:
            day = form.cleaned_data["effective_on"]
            return set_funding(
                request.actor,  # type: ignore[attr-defined]
                state.project,
                day,
                [line for _i, line in stated],
                confirmed=confirmed,
            )

        facts = _carry_out(form, formset, stated, save)
        if facts is not None:
            token = signing.dumps([fact.pk for fact in facts], salt=SALT)
            undo = reverse("funds:undo", args=[token])
            messages.success(request, _("The funding was saved."), extra_tags=f"undo={undo}")
            return HttpResponseRedirect(reverse("funds:project", args=[uid]))
    wrong = bool(form.errors) or (
        formset.is_bound and (not formset.is_valid() or any(f.errors for f in formset))
    )
    context = {
        **found.context,
        "form": form,
        "formset": formset,
        "cancel_url": reverse("funds:project", args=[uid]),
    }
    return render(request, "funds/edit.html", context, status=422 if wrong else 200)


def _carry_out(
    form: FundingForm, formset: Any, stated: list[tuple[int, Any]], save: Any
) -> list[FundingFact] | None:
    """Run the action; a fault of a line is shown at that line."""

    def call(confirmed: bool) -> list[FundingFact]:
        try:
            return list(save(confirmed))
        except ValidationError as error:
            if not hasattr(error, "error_dict") or "__all__" in error.error_dict:
                raise
            for name, faults in error.error_dict.items():
                index = stated[int(name.removeprefix("line_"))][0]
                formset.forms[index].add_error("amount", faults)
            raise ValidationError(_("Please correct the lines that are marked.")) from None

    return form.carry_out(call)


@page(EDIT_FUNDS)
@require_POST
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """Take back the entries that a message offered to undo."""
    try:
        ids = signing.loads(token, salt=SALT, max_age=UNDO_SECONDS)
    except signing.BadSignature:
        raise Http404 from None
    facts = list(FundingFact.objects.select_related("project").filter(pk__in=ids))
    return _take_back(request, facts, _("Undone right after saving"), reverse("funds:index"))


@page(EDIT_FUNDS)
@require_POST
def undo_fact(request: HttpRequest, uid: UUID, pk: int) -> HttpResponse:
    """Take back one entry from the history, with a reason."""
    facts = list(FundingFact.objects.select_related("project").filter(pk=pk, project__uid=uid))
    if not facts:
        raise Http404
    return _take_back(
        request, facts, request.POST.get("reason", ""), reverse("projects:record_history", args=[uid])
    )


def _take_back(request: HttpRequest, facts: list[FundingFact], reason: str, default: str) -> HttpResponse:
    try:
        undo_funding(request.actor, facts, reason)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("Taken back. It stays in the history, struck out."))
    target = request.POST.get("next", "")
    safe = target and url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()})
    return HttpResponseRedirect(target if safe else default)


def said(request: HttpRequest, project: Project) -> list[Said]:
    """Return the entries of funding for a project's history, to those who may see funds."""
    if request.actor.why_not(SEE_FUNDS, project.org_id):  # type: ignore[attr-defined]
        return []
    view = request.view  # type: ignore[attr-defined]
    rows = FundingFact.objects.filter(project=project)
    if view.known_at is not None:
        rows = rows.filter(recorded_at__lte=view.known_at)
    may = request.actor.why_not(EDIT_FUNDS, project.org_id) is None  # type: ignore[attr-defined]
    entries: list[Said] = []
    last: dict[Any, FundingFact] = {}
    for fact in rows.select_related("recorded_by", "batch").order_by("recorded_at", "id"):
        key = (fact.source, fact.security, fact.year, fact.tranche)
        undo_url = (
            reverse("funds:undo_fact", args=[project.uid, fact.pk])
            if may and fact.retracted_at is None
            else ""
        )
        entries.append(
            Said(
                _("Funding: %(source)s") % {"source": fact.get_source_display()},
                fact.recorded_at,
                fact.effective_on,
                who(fact),
                changes(last.get(key), fact),
                fact.retracted_at,
                undo_url,
                "coins",
            )
        )
        if fact.retracted_at is None:
            last[key] = fact
    return entries
