"""The library as a list: the filters of an address, the rows they leave, and what the rows add up to.

The filters are dimensions and conditions of the figures, so the count and the sums above a list are figures narrowed by the
same filters, and open to the same rows.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

from django.core.cache import cache
from django.db.models import Count, QuerySet

from yuanmai.core.figures import Facts, Query, evaluate_many, get
from yuanmai.core.figures.evaluate import facts_of
from yuanmai.projects.models import ProjectState
from yuanmai.projects.queries import list_codes, main_projects, states
from yuanmai.projects.queries.lights import with_light

FILTERS = (
    "q", "kind", "category", "stage", "light", "list", "responsible", "leader", "park", "organisation", "started", "reported",
)  # fmt: skip
SUMMED = (
    "projects.library_count",
    "projects.library_investment",
    "projects.planned_investment",
    "projects.investment_done",
    "projects.completion_rate",
    "projects.ahead_points",
)
RELATED = ("project", "org", "park", "owner")
CHOICES = {"category": "category", "responsible": "responsible", "leader": "leader", "park": "park__name"}
CHOICES_KEPT = 60  # seconds that the values offered in the filters may be old


def filters_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return the filters among the parameters of an address, empty ones left out."""
    return {name: values[name].strip() for name in FILTERS if values.get(name, "").strip()}


def library(query: Query) -> QuerySet[ProjectState]:
    """Return the main projects that a query with filters leaves, each with its `light`."""
    figure = get("projects.library_count")
    assert isinstance(figure, Facts)
    return facts_of(figure, query).select_related(*RELATED)


def sums(query: Query) -> dict[str, Any]:
    """Return the figures above the list."""
    return evaluate_many(SUMMED, query)


def children(query: Query, project_ids: Iterable[int]) -> dict[int, list[ProjectState]]:
    """Return the sub-projects of these projects by main project (one query)."""
    ids = list(project_ids)
    result: dict[int, list[ProjectState]] = {}
    if ids:
        rows = with_light(states(query).filter(parent_id__in=ids), query).select_related(*RELATED)
        for state in rows.order_by("name", "id"):
            result.setdefault(state.parent_id or 0, []).append(state)
    return result


def child_counts(query: Query, project_ids: Iterable[int]) -> dict[int, int]:
    """Return how many sub-projects each of these projects has (one query)."""
    rows = states(query).filter(parent_id__in=list(project_ids)).order_by()
    return {
        parent: number
        for parent, number in rows.values_list("parent_id").annotate(number=Count("id"))
        if parent is not None
    }


def choices(query: Query) -> dict[str, list[str]]:
    """Return the values that occur in the library, for the filters; at most a minute old."""
    question = blake2b(
        Query(query.org_ids, query.as_of, query.known_at).key.encode(), digest_size=16
    ).hexdigest()
    key = f"library-choices:{question}"
    found = cache.get(key)
    if found is None:
        rows = main_projects(query).order_by()
        found = {
            name: sorted(value for value in rows.values_list(path, flat=True).distinct() if value)
            for name, path in CHOICES.items()
        }
        found["list"] = list_codes(rows)
        cache.set(key, found, CHOICES_KEPT)
    return found
