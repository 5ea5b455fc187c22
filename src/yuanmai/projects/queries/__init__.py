"""Reads that more than one face needs."""

from typing import Any

from django.db.models import QuerySet

from yuanmai.core.figures import Query
from yuanmai.projects.models import Kind, ProjectState


def states(query: Query) -> QuerySet[ProjectState]:
    """Return the state of every project of the query's organisations on its day, sub-projects included."""
    if query.since is not None:
        stretch = ProjectState.objects.during(query.since, query.as_of, query.known_since, query.known_at)
        return stretch.filter(org_id__in=query.org_ids)
    return ProjectState.objects.at(query.as_of, query.known_at).filter(org_id__in=query.org_ids)


def main_projects(query: Query) -> QuerySet[ProjectState]:
    """Return projects without the sub-projects, which count within their main project."""
    return states(query).filter(main=True)


def planned_projects(query: Query) -> QuerySet[ProjectState]:
    """Return the projects on the plan of the day's year: new starts, continuing and unclassified, not the reserve."""
    return main_projects(query).filter(plan_year=query.as_of.year).exclude(kind=Kind.RESERVE)


def reserve_projects(query: Query) -> QuerySet[ProjectState]:
    """Return the projects that wait for funding."""
    return main_projects(query).filter(kind=Kind.RESERVE)


def list_codes(states: QuerySet[Any]) -> list[str]:
    """Return the codes of the lists that occur in a set of states, sorted."""
    texts = states.exclude(lists="").order_by().values_list("lists", flat=True).distinct()
    return sorted({code for text in texts for code in text.strip("|").split("|")})
