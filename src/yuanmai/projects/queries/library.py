"""The library as a list: the filters of an address, the rows they leave, and what the rows add up to.

The filters are dimensions and conditions of the figures, so the count and the sums above a list are figures narrowed by the
same filters, and open to the same rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.core.cache import cache
from django.db.models import Count, QuerySet

from yuanmai.core.audit.log import version_for
from yuanmai.core.figures import Facts, Query, evaluate_many, get
from yuanmai.core.figures.sums import facts_of, kept_by_org, question
from yuanmai.projects.models import ProjectState
from yuanmai.projects.queries import main_projects, states
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
# What a row's place in the list may depend on: names of organisations, parks and enterprises are orders, too.
LISTED_ROOMS = ("projects", "people", "places", "enterprises", "core")
CHOICES = {"category": "category", "responsible": "responsible", "leader": "leader", "park": "park__name"}


def filters_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return the filters among the parameters of an address, empty ones left out."""
    return {name: values[name].strip() for name in FILTERS if values.get(name, "").strip()}


def library(query: Query) -> QuerySet[ProjectState]:
    """Return the main projects that a query with filters leaves, each with its `light`."""
    figure = get("projects.library_count")
    assert isinstance(figure, Facts)
    return facts_of(figure, query).select_related(*RELATED)


def listed_version(query: Query) -> int:
    """Return the last change that may concern the rows of the list, their order or what they show."""
    return version_for(LISTED_ROOMS, query.org_ids)


class PageRows:
    """The rows of the library in an order, read page by page.

    First the keys of a page are found, which is kept until something changes, then only its rows are read whole: sorting
    thousands of rows with all their columns for the fifty that are shown would be most of the page's cost.
    """

    ordered = True

    def __init__(self, query: Query, order: Sequence[Any], name: str, related: Sequence[str] = ()) -> None:
        self.query, self.order, self.name, self.related = query, order, name, related

    def keys(self, part: slice) -> list[int]:
        """Return the primary keys of some of the rows, in order."""
        key = f"library-rows:{listed_version(self.query)}:{self.name}:{part.start}-{part.stop}:{question(self.query)}"
        found: list[int] | None = cache.get(key)
        if found is None:
            found = list(library(self.query).order_by(*self.order).values_list("pk", flat=True)[part])
            cache.set(key, found)
        return found

    def __getitem__(self, part: slice) -> "Shown":
        return Shown(self, part)


class Shown:
    """One page of rows, read when somebody looks at it."""

    def __init__(self, rows: PageRows, part: slice) -> None:
        self.rows, self.part = rows, part

    def __len__(self) -> int:
        return len(self.rows.keys(self.part))

    def __iter__(self) -> Iterator[ProjectState]:
        keys = self.rows.keys(self.part)
        states = with_light(ProjectState.objects.filter(pk__in=keys), self.rows.query)
        by_key = {state.pk: state for state in states.select_related("project", *self.rows.related)}
        return (by_key[key] for key in keys if key in by_key)


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
    """Return how many sub-projects each of these projects has; an organisation's are counted again when it changes."""

    def read(part: Query) -> dict[int, dict[int, int]]:
        rows = states(part).filter(parent_id__isnull=False).order_by()
        found: dict[int, dict[int, int]] = {}
        for org, parent, number in rows.values_list("org_id", "parent_id").annotate(number=Count("id")):
            found.setdefault(org, {})[parent] = number
        return found

    ids, result = set(project_ids), dict[int, int]()
    if not ids:
        return result
    for counts in kept_by_org("child-counts", ("projects",), query, read).values():
        for parent in ids & counts.keys():
            result[parent] = result.get(parent, 0) + counts[parent]
    return result


def choices(query: Query) -> dict[str, list[str]]:
    """Return the values that occur in the library, for the filters; each organisation's are kept until it changes."""

    def read(part: Query) -> dict[int, dict[str, set[str]]]:
        rows = main_projects(part).order_by()
        found: dict[int, dict[str, set[str]]] = {}
        for name, path in {**CHOICES, "list": "lists"}.items():
            for org, value in rows.values_list("org_id", path).distinct():
                found.setdefault(org, {}).setdefault(name, set()).update(
                    str(value or "").strip("|").split("|") if name == "list" else (value or "",)
                )
        return found

    everything = Query(query.org_ids, query.as_of, query.known_at)
    parts = kept_by_org("library-choices", LISTED_ROOMS, everything, read)
    return {
        name: sorted(set().union(*(part.get(name, set()) for part in parts.values())) - {""})
        for name in (*CHOICES, "list")
    }
