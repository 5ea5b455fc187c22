"""Pages of the projects room."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from yuanmai.core.web import page
from yuanmai.projects.permissions import SEE_PROJECTS
from yuanmai.projects.queries import main_projects, states


@page(SEE_PROJECTS)
def library(request: HttpRequest) -> HttpResponse:
    """The project library."""
    rows = main_projects(request.view.query()).select_related("project").order_by("name")  # type: ignore[attr-defined]
    return render(request, "projects/library.html", {"rows": rows})


@page(SEE_PROJECTS)
def record(request: HttpRequest, uid: UUID) -> HttpResponse:
    """One project."""
    state = states(request.view.query()).filter(project__uid=uid).first()  # type: ignore[attr-defined]
    if state is None:
        raise Http404
    return render(request, "projects/record.html", {"state": state})
