"""The wall chart: every project's schedule, state and owner on one picture, as a board, a table or a map."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.db.models import Count, F, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from yuanmai.cockpit.answers import allowed
from yuanmai.cockpit.engine.timeline import axis_for, bar, ticks
from yuanmai.cockpit.keeping import kept
from yuanmai.cockpit.permissions import SEE_COCKPIT
from yuanmai.core.figures import FIGURES, Query
from yuanmai.core.search import matching
from yuanmai.core.templatetags.ui import LIGHTS
from yuanmai.core.web import page
from yuanmai.people.view_context import ViewContext
from yuanmai.places.queries.layers import LAYERS, extent
from yuanmai.projects.models import Kind, ProjectState, ProjectVersion, Stage
from yuanmai.projects.queries import list_codes, main_projects
from yuanmai.projects.queries.lights import RANKS, completion_order, light_of, with_light, words

VIEWS = ("board", "table", "map")
ROOMS = ("projects", "people", "core")  # whose changes change the wall
PER_COLUMN = 40
PER_PAGE = 60
SITES_MAX = 5000
BENEATH = {"parks", "zones"}  # layers of the places room that lie below the projects
SORTS = {
    "light": ("-light_rank", F("completion").asc(nulls_last=True), "name", "pk"),
    "start": (F("start_on").asc(nulls_last=True), "name", "pk"),
    "finish": (F("finish_on").asc(nulls_last=True), "name", "pk"),
    "leader": ("leader", "name", "pk"),
    "responsible": ("responsible", "name", "pk"),
    "name": ("name", "pk"),
}
SORT_NAMES = {
    "leader": gettext_lazy("Leader in charge"),
    "responsible": gettext_lazy("Responsible organisation"),
    "light": gettext_lazy("Light"),
    "start": gettext_lazy("Start"),
    "finish": gettext_lazy("Completion"),
    "name": gettext_lazy("Name"),
}


class WallFilter(forms.Form):
    """What the wall chart can be narrowed by; kept in the address."""

    q = forms.CharField(label=gettext_lazy("Search"), required=False, max_length=60)
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), required=False)
    stage = forms.ChoiceField(label=gettext_lazy("Stage"), required=False)
    light = forms.ChoiceField(label=gettext_lazy("Light"), required=False)
    list = forms.ChoiceField(label=gettext_lazy("List"), required=False)
    leader = forms.ChoiceField(label=gettext_lazy("Leader in charge"), required=False)
    responsible = forms.ChoiceField(label=gettext_lazy("Responsible organisation"), required=False)
    sort = forms.ChoiceField(label=gettext_lazy("Rows by"), required=False, choices=[*SORT_NAMES.items()])
    view = forms.CharField(required=False, widget=forms.HiddenInput)
    full = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any, query: Query) -> None:
        super().__init__(data)
        offered = kept("wall-choices", ROOMS, query, lambda: _choices(main_projects(query)))
        every = [("", _("all"))]
        self._choose("kind", every + list(Kind.choices))
        self._choose("stage", every + list(Stage.choices))
        self._choose("light", every + [(code, light[0]) for code, light in LIGHTS.items()])
        for name, values in offered.items():
            self._choose(name, every + [(value, value) for value in values])

    def _choose(self, name: str, choices: Sequence[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def apply(self, states: QuerySet[ProjectState]) -> QuerySet[ProjectState]:
        """Narrow the states; a value that is no choice is left out (the form shows it as an error)."""
        self.is_valid()
        chosen = self.cleaned_data
        for name in ("kind", "stage", "light", "leader", "responsible"):
            if chosen.get(name):
                states = states.filter(**{name: chosen[name]})
        if chosen.get("list"):
            states = states.filter(lists__contains=f"|{chosen['list']}|")
        if chosen.get("q"):
            states = states.filter(matching(chosen["q"], "name", "code", pinyin="pinyin"))
        return states


def _choices(states: QuerySet[ProjectState]) -> dict[str, list[str]]:
    """Return the values that occur, for the filters."""
    found = {"list": list_codes(states)}
    for name in ("leader", "responsible"):
        values = states.exclude(**{name: ""}).order_by(name).values_list(name, flat=True)
        found[name] = list(values.distinct()[:300])
    return found


def question(request: HttpRequest) -> Query:
    """Return the question of the page, narrowed to where the asker may see projects."""
    view: ViewContext = request.view  # type: ignore[attr-defined]
    return allowed(request.actor, FIGURES["projects.count"], view.query())  # type: ignore[attr-defined]


@page(SEE_COCKPIT)
@require_GET
def wall(request: HttpRequest) -> HttpResponse:
    """The wall chart as a board, a table with bars, or a map."""
    query = question(request)
    base = main_projects(query)
    form = WallFilter(request.GET, query)
    states = form.apply(with_light(base, query))
    narrowing = repr(
        sorted((k, v) for k, v in form.cleaned_data.items() if v and k not in {"view", "full", "sort"})
    )
    shown = request.GET.get("view") if request.GET.get("view") in VIEWS else "board"
    rest = {key: value for key, value in request.GET.items() if key not in {"view", "page"} and value}
    context: dict[str, Any] = {
        "form": form,
        "shown": shown,
        "tabs": [
            {
                "label": label,
                "icon": icon,
                "active": shown == code,
                "url": f"?{urlencode({**rest, 'view': code})}",
            }
            for code, label, icon in (
                ("board", _("Board"), "layout-kanban"),
                ("table", _("Schedule"), "calendar-stats"),
                ("map", _("Map"), "map-2"),
            )
        ],
        "filtered": any(
            form.cleaned_data.get(name) for name in form.fields if name not in {"view", "full", "sort"}
        ),
        "full": request.GET.get("full") == "1",
        "full_url": f"?{urlencode({**rest, 'view': shown, 'full': '1'})}",
        "leave_url": f"?{urlencode({**{k: v for k, v in rest.items() if k != 'full'}, 'view': shown})}",
        "query": query,
        **kept(f"wall-lights:{narrowing}", ROOMS, query, lambda: lights_of(states)),
    }
    if shown == "board":
        context["columns"] = kept(
            f"wall-board:{narrowing}", ROOMS, query, lambda: board(states, query), words=True
        )
    elif shown == "table":
        context.update(
            schedule(states, query, form.cleaned_data.get("sort") or "leader", request.GET.get("page"))
        )
    else:
        context["map_url"] = (
            f"{reverse('cockpit:wall_layers')}?{urlencode({**request.view.parameters, **rest})}"  # type: ignore[attr-defined]
        )
        context["without_site"] = kept(
            f"wall-no-site:{narrowing}", ROOMS, query, lambda: states.filter(has_site=False).count()
        )
    context["empty"] = not context["total"]
    template = "cockpit/wall/full.html" if context["full"] else "cockpit/wall/wall.html"
    return render(request, template, context)


def lights_of(states: QuerySet[ProjectState]) -> dict[str, Any]:
    """Return how many projects stand at each light (one query)."""
    # `light` is annotated by with_light(), which the type checker does not follow.
    counted = dict(states.order_by().values_list("light").annotate(n=Count("pk")))  # type: ignore[misc]
    return {
        "lights": [
            {"light": code, "count": counted.get(code, 0)} for code in ("red", "yellow", "green", "grey")
        ],
        "total": sum(counted.values()),
    }


def ordered(states: QuerySet[ProjectState], sort: str) -> QuerySet[ProjectState]:
    """Return the states in the order of the page, with the light's rank and the completion rate for sorting."""
    return states.annotate(light_rank=RANKS, completion=completion_order()).order_by(*SORTS[sort])


def board(states: QuerySet[ProjectState], query: Query) -> list[dict[str, Any]]:
    """Return the columns of the board, one per stage, the worst lights first (one query a column)."""
    counted = dict(states.order_by().values_list("stage").annotate(n=Count("pk")))
    tones = {Stage.RESERVE: "secondary", Stage.PREPARATION: "info", Stage.CONSTRUCTION: "primary"}
    columns = []
    for stage in Stage:
        rows = ordered(states.filter(stage=stage).select_related("project"), "light")[:PER_COLUMN]
        cards = [card(row, query) for row in rows] if counted.get(stage) else []
        columns.append(
            {
                "name": str(stage.label),
                "tone": tones.get(stage, "success"),
                "count": counted.get(stage, 0),
                "cards": cards,
                "more": counted.get(stage, 0) - len(cards),
                "url": f"{reverse('cockpit:wall')}?{urlencode({'view': 'table', 'stage': stage.value})}",
            }
        )
    return columns


def card(row: ProjectState, query: Query) -> dict[str, Any]:
    """Return one project as the board and the table show it."""
    return {
        "name": row.name,
        "url": reverse("projects:record", args=[row.project.uid]),
        "light": row.light,  # type: ignore[attr-defined]
        "words": words(light_of(row, query)),
        "responsible": row.responsible,
        "leader": row.leader,
        "planned": row.planned_investment,
        "done": row.investment_done or 0,
        "progress": row.visible_progress,
        "stage": row.get_stage_display(),
        "kind": row.get_kind_display(),
        "start": row.start_on,
        "finish": row.finish_on,
    }


def schedule(states: QuerySet[ProjectState], query: Query, sort: str, number: str | None) -> dict[str, Any]:
    """Return one page of the table: rows with bars on a common axis, in groups by leader or responsible organisation."""
    rows_page = Paginator(ordered(states.select_related("project"), sort), PER_PAGE).get_page(number)
    rows = list(rows_page.object_list)
    axis = axis_for(((row.start_on, row.finish_on) for row in rows), query.as_of)
    entries, group = [], None
    for row in rows:
        entry = card(row, query)
        entry["bar"] = bar(axis, row.start_on, row.finish_on, progress_share(row))
        if sort in {"leader", "responsible"}:
            name = getattr(row, sort) or _("Not stated")
            entry["group"] = name if name != group else ""
            group = name
        entries.append(entry)
    return {
        "rows_page": rows_page,
        "entries": entries,
        "ticks": ticks(axis),
        "today": axis.at(query.as_of),
        "grouped": sort in {"leader", "responsible"},
    }


def progress_share(row: ProjectState) -> float:
    """Return how much of a bar is filled: the visible progress that was reported, all of it once completed."""
    if row.completed:
        return 1.0
    return float(row.visible_percent) / 100 if row.visible_percent is not None else 0.0


@page(SEE_COCKPIT)
@require_GET
def layers(request: HttpRequest) -> HttpResponse:
    """The layers of the wall chart's map: parks below, sites of projects above."""
    query = question(request)
    sites = f"{reverse('cockpit:wall_sites')}?{request.GET.urlencode()}"
    frame = urlencode(request.view.parameters)  # type: ignore[attr-defined]
    found: list[dict[str, Any]] = [
        {**layer.description(), "url": f"{reverse('places:map_layer', args=[layer.code])}?{frame}"}
        for layer in LAYERS.values()
        if layer.code in BENEATH and not request.actor.why_not(layer.permission)  # type: ignore[attr-defined]
    ]
    for code, label, kind in (("areas", _("Sites"), "area"), ("points", _("Projects"), "point")):
        found.append(
            {"id": code, "label": label, "url": f"{sites}&shape={code}", "kind": kind, "tone": "primary",
             "visible": True, "label_field": "name" if kind == "point" else None, "height_field": None,
             "color_field": "light"}
        )  # fmt: skip
    return JsonResponse({"layers": found, "tiles": None, "bounds": extent(query.org_ids)})


def located(request: HttpRequest) -> QuerySet[ProjectState]:
    """Return the states of the page's filter that have a site."""
    query = question(request)
    base = main_projects(query)
    return WallFilter(request.GET, query).apply(with_light(base, query)).filter(has_site=True)


@page(SEE_COCKPIT)
@require_GET
def sites(request: HttpRequest) -> HttpResponse:
    """The sites of the projects as GeoJSON, coloured by light: `shape=areas` the polygons, `shape=points` one point each."""
    query = question(request)
    points = request.GET.get("shape") != "areas"
    rows = list(located(request).select_related("project").order_by("pk")[:SITES_MAX])
    geometries = dict(
        ProjectVersion.objects.filter(pk__in=[row.version_id for row in rows]).values_list("pk", "site")
    )
    features = []
    for row in rows:
        geometry = geometries.get(row.version_id)
        if not geometry:
            continue
        if points:
            geometry = {"type": "Point", "coordinates": middle(geometry)}
        elif geometry.get("type") not in {"Polygon", "MultiPolygon"}:
            continue
        features.append(
            {
                "type": "Feature",
                "id": row.pk,
                "geometry": geometry,
                "properties": {
                    "name": row.name,
                    "url": reverse("projects:record", args=[row.project.uid]),
                    "detail": " · ".join(filter(None, [words(light_of(row, query)), row.responsible])),
                    "light": row.light,  # type: ignore[attr-defined]
                },
            }
        )
    return JsonResponse({"type": "FeatureCollection", "features": features})


def positions(geometry: dict[str, Any]) -> list[list[float]]:
    """Return all positions of a GeoJSON geometry."""
    found: list[list[float]] = []

    def walk(value: Any) -> None:
        if isinstance(value, list) and value and isinstance(value[0], int | float):
            found.append([float(value[0]), float(value[1])])
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for part in geometry.get("geometries", [geometry]):
        walk(part.get("coordinates"))
    return found


def middle(geometry: dict[str, Any]) -> list[float]:
    """Return the middle of a geometry's bounds, which is where its mark stands."""
    found = positions(geometry)
    xs, ys = [p[0] for p in found], [p[1] for p in found]
    return [round((min(xs) + max(xs)) / 2, 6), round((min(ys) + max(ys)) / 2, 6)]
