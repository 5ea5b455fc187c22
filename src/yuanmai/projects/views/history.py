"""The history of a project: everything that was ever said of it, and what was taken back."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.web import page
from yuanmai.projects.permissions import SEE_PROJECTS
from yuanmai.projects.queries.record import Told, facts_of_project
from yuanmai.projects.views.panels import EXTENSIONS, Said
from yuanmai.projects.views.record import moment, shown_project, who

NAMES = {
    "projectversion": (gettext_lazy("Attributes"), "edit"),
    "yearplan": (gettext_lazy("Year plan"), "calendar-stats"),
    "progressreport": (gettext_lazy("Progress report"), "clipboard-check"),
    "listmembership": (gettext_lazy("List"), "tag"),
}


def _said(told: Told, uid: UUID, may: dict[str, bool]) -> Said:
    fact = told.fact
    name, icon = NAMES[told.kind]
    title = str(name)
    if told.kind == "listmembership":
        title = (_("On the list “%(list)s”") if fact.on else _("Off the list “%(list)s”")) % {
            "list": fact.list_code
        }
    undo = ""
    if fact.retracted_at is None and may.get(told.kind):
        undo = reverse("projects:undo_fact", args=[uid, told.kind, fact.pk])
    return Said(
        title, fact.recorded_at, fact.effective_on, who(fact), told.changes if told.kind != "listmembership" else (),
        fact.retracted_at, undo, icon,
    )  # fmt: skip


@page(SEE_PROJECTS)
def history(request: HttpRequest, uid: UUID) -> HttpResponse:
    """Everything that was ever said of the project: who, when, before and after; what was taken back is struck out."""
    found = shown_project(request, uid, "history")
    if isinstance(found, HttpResponse):
        return found
    view, project = request.view, found.state.project  # type: ignore[attr-defined]
    edit, report = bool(found.context["may_edit"]), bool(found.context["may_report"])
    may = {"progressreport": report, "projectversion": edit, "yearplan": edit, "listmembership": edit}
    said = [_said(told, uid, may) for told in facts_of_project(project, view.known_at)]
    said += [entry for source in EXTENSIONS.history for entry in source(request, project)]
    said.sort(key=lambda entry: entry.recorded_at, reverse=True)
    entries = [
        {
            "said": entry,
            "when": moment(entry.recorded_at),
            "retracted": moment(entry.retracted_at) if entry.retracted_at else "",
            "then_url": "?" + urlencode({**view.parameters, "as_of": entry.effective_on.isoformat(), "known_at": entry.recorded_at.isoformat()}),
        }
        for entry in said
    ]  # fmt: skip
    record = reverse("projects:record", args=[uid])
    return render(
        request, "projects/record_history.html", {**found.context, "entries": entries, "record_url": record}
    )
