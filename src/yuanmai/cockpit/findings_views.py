"""Findings: the list, and the page of one with its evidence and what can be answered."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.core.exceptions import BadRequest, ValidationError
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from yuanmai.cockpit import evidence
from yuanmai.core import findings_actions as verbs
from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.findings import KINDS, Finding
from yuanmai.core.findings_queries import counts_by_state, findings_at
from yuanmai.core.permissions import ANSWER_FINDINGS, SEE_FINDINGS
from yuanmai.core.web import page
from yuanmai.people.actor import UserActor, matches
from yuanmai.people.models import Post, User
from yuanmai.people.view_context import ViewContext

PER_PAGE = 50
TONES = {Finding.State.OPEN: "danger", Finding.State.EXPLAINED: "info", Finding.State.RESOLVED: "success"}


class FindingFilter(forms.Form):
    """What the list can be narrowed by."""

    state = forms.ChoiceField(label=gettext_lazy("State"), required=False)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    at = forms.ChoiceField(label=gettext_lazy("Organisation"), required=False)
    mine = forms.BooleanField(label=gettext_lazy("Only mine"), required=False)

    def __init__(self, data: Any, rows: QuerySet[Finding], view: ViewContext) -> None:
        super().__init__(data)
        every = [("", _("all"))]
        kinds = sorted(set(rows.order_by().values_list("kind", flat=True).distinct()))
        ids = set(rows.order_by().values_list("org_id", flat=True).distinct())
        self._choose("state", every + list(Finding.State.choices))
        self._choose(
            "kind", every + [(code, str(KINDS[code].name) if code in KINDS else code) for code in kinds]
        )
        self._choose("at", every + [(str(org.id), org.name) for org in view.orgs if org.id in ids])

    def _choose(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


@page(SEE_FINDINGS)
@require_GET
def findings(request: HttpRequest) -> HttpResponse:
    """All findings of the scope up to the day asked for; open ones unless the address says otherwise."""
    view: ViewContext = request.view  # type: ignore[attr-defined]
    mine = [pk for pk in view.org_ids if pk in request.actor.org_ids(SEE_FINDINGS)]  # type: ignore[attr-defined]
    rows = findings_at(mine, view.as_of, view.known_at)
    data = request.GET.copy()
    data.setdefault("state", Finding.State.OPEN)
    form = FindingFilter(data, rows, view)
    form.is_valid()
    chosen = form.cleaned_data
    counts = counts_by_state(rows)
    for field, name in (("state", "state"), ("kind", "kind"), ("at", "org_id")):
        if chosen.get(field):
            rows = rows.filter(**{name: chosen[field]})
    if chosen.get("mine"):
        rows = rows.filter(owner_id=request.actor.user_id)  # type: ignore[attr-defined]
    rows = rows.select_related("org", "owner").order_by("state", "severity", "-effective_on", "id")
    rows_page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "form": form,
        "page_obj": rows_page,
        "rows": [line(row) for row in rows_page],
        "tabs": [
            {
                "label": label,
                "count": counts[state],
                "active": chosen.get("state") == state,
                "url": f"?{urlencode({**{k: v for k, v in request.GET.items() if k != 'page'}, 'state': state})}",
            }
            for state, label in Finding.State.choices
        ],
        "any": sum(counts.values()),
    }
    return render(request, "cockpit/findings/list.html", context)


def line(row: Finding) -> dict[str, Any]:
    """Return a finding as the list shows it."""
    kind = KINDS.get(row.kind)
    return {
        "finding": row,
        "url": reverse("cockpit:finding", args=[row.pk]),
        "kind": kind.name if kind else row.kind,
        "tone": TONES[Finding.State(row.state)],
        "severity_tone": "danger" if row.severity == Finding.Severity.ERROR else "warning",
    }


def finding_or_404(request: HttpRequest, pk: int) -> Finding:
    """Return a finding of the data scope that the asker may see; raises `Http404`."""
    allowed = request.actor.org_ids(SEE_FINDINGS)  # type: ignore[attr-defined]
    row = Finding.objects.filter(pk=pk, org_id__in=allowed).select_related("org", "owner", "batch").first()
    if row is None:
        raise Http404
    return row


def owners(row: Finding) -> list[User]:
    """Return who may answer findings of an organisation: holders of the right there or above."""
    above = [row.org.path[:end] for end in range(row.org.steplen, len(row.org.path) + 1, row.org.steplen)]
    posts = Post.objects.filter(org__path__in=above, user__is_active=True).select_related("user", "role")
    found = {
        post.user_id: post.user
        for post in posts
        if any(matches(pattern, ANSWER_FINDINGS) for pattern in post.role.permissions)
    }
    return sorted(found.values(), key=lambda user: user.full_name or user.username)


VERBS = {"assign", "explain", "resolve", "reopen"}


@page(SEE_FINDINGS)
@require_http_methods(["GET", "POST"])
def finding(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding; what is posted is one of the answers."""
    row = finding_or_404(request, pk)
    errors: list[str] = []
    note = ""
    if request.method == "POST":
        verb, note = request.POST.get("verb", ""), request.POST.get("note", "")
        if verb not in VERBS:
            raise BadRequest(_("There is no such answer to a finding."))
        try:
            answer(request, row, verb, note)
        except ValidationError as error:
            errors = error.messages
            row.refresh_from_db()
        else:
            messages.success(request, _("Saved."))
            return redirect("cockpit:finding", pk=row.pk)
    kind = KINDS.get(row.kind)
    refused = request.actor.why_not(ANSWER_FINDINGS, row.org_id)  # type: ignore[attr-defined]
    context = {
        **line(row),
        "advice": kind.advice if kind else "",
        "refused": refused,
        "owners": owners(row) if not refused else [],
        "errors": errors,
        "note": note,
        "evidence": evidence.lines(row),
        "is_open": row.state == Finding.State.OPEN,
        "history": history(row),
        "breadcrumbs": [
            {"label": _("Findings"), "url": reverse("cockpit:findings")},
            {"label": row.org.label},
        ],
    }
    return render(request, "cockpit/findings/record.html", context, status=422 if errors else 200)


def answer(request: HttpRequest, row: Finding, verb: str, note: str) -> None:
    """Call the action that an answer stands for."""
    actor = request.actor  # type: ignore[attr-defined]
    if verb == "assign":
        owner = User.objects.filter(pk=_whole(request.POST.get("owner")), is_active=True).first()
        if owner is None:
            raise ValidationError(_("Choose who is to answer for it."))
        verbs.assign_finding(actor, row, UserActor.of(owner))
    elif verb == "explain":
        verbs.explain_finding(actor, row, note)
    elif verb == "resolve":
        verbs.resolve_finding(actor, row, note)
    else:
        verbs.reopen_finding(actor, row, note)


def _whole(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 0


def history(row: Finding) -> list[dict[str, Any]]:
    """Return what was done about a finding, the newest first, as the timeline shows it."""
    names = {
        "core.assign_finding": (_("Assigned"), "user-check", "primary"),
        "core.explain_finding": (_("Explained"), "message", "primary"),
        "core.resolve_finding": (_("Resolved"), "circle-check", "success"),
        "core.reopen_finding": (_("Reopened"), "refresh", "warning"),
    }
    entries = AuditEntry.objects.filter(
        target_type=Finding._meta.label_lower, target_id=str(row.pk), result="done", action__in=names
    ).order_by("-sequence")[:50]
    lines = []
    for entry in entries:
        title, icon, tone = names[entry.action]
        lines.append(
            {
                "title": title,
                "who": entry.actor,
                "when": f"{entry.at.astimezone():%Y-%m-%d %H:%M}",
                "iso": entry.at.isoformat(),
                "text": (entry.after or {}).get("note", ""),
                "icon": icon,
                "tone": tone,
            }
        )
    return lines
