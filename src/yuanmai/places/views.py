"""Pages of the places room: lists, records, import of outlines, the map."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from yuanmai.core.saved.views import views_of
from yuanmai.core.web import page
from yuanmai.places import actions
from yuanmai.places.documents import list_workbook
from yuanmai.places.forms import (
    FIELDS,
    NOTES,
    ImportForm,
    PlaceFilter,
    UnitForm,
    fault_text,
    place_form,
    read_places,
)
from yuanmai.places.models import Unit
from yuanmai.places.permissions import EDIT_PLACES, SEE_PLACES
from yuanmai.places.queries import KINDS, PlaceKind, counts, filtered, inside, places
from yuanmai.places.queries.layers import LAYERS, Layer, collection, extent
from yuanmai.places.undo_views import offer_undo

PAGE_SIZE = 50
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN_FAULTS = 200


def _kind(code: str) -> PlaceKind:
    if code not in KINDS:
        raise Http404
    return KINDS[code]


def _orgs(request: HttpRequest, permission: str = SEE_PLACES) -> list[int]:
    """Organisations of the page in which the reader holds a right."""
    held = request.actor.org_ids(permission)  # type: ignore[attr-defined]
    return [pk for pk in request.view.org_ids if pk in held]  # type: ignore[attr-defined]


def _place(request: HttpRequest, kind: PlaceKind, pk: int) -> Any:
    """One place that the reader may see, wherever it lies in the data scope."""
    rows = places(kind, request.actor.org_ids(SEE_PLACES)).defer(None)  # type: ignore[attr-defined]
    place = rows.filter(pk=pk).first()
    if place is None:
        raise Http404
    return place


def _crumbs(kind: PlaceKind, *more: tuple[str, str]) -> list[dict[str, str]]:
    first = [
        (_("Parks and space"), reverse("places:index")),
        (str(kind.many), reverse("places:list", args=[kind.code])),
    ]
    return [{"label": label, "url": url} for label, url in [*first, *more]]


@page(SEE_PLACES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Go to the list of parks."""
    return redirect("places:list", "park")


def _rows(request: HttpRequest, kind: PlaceKind) -> tuple[Any, PlaceFilter]:
    org_ids = _orgs(request)
    form = PlaceFilter(request.GET, kind=kind, org_ids=org_ids)
    form.is_valid()
    asked = form.cleaned_data
    return filtered(
        places(kind, org_ids),
        asked.get("q", ""),
        asked.get("park", ""),
        asked.get("placed", ""),
        request.GET.get("sort", ""),
    ), form


@page(SEE_PLACES)
@require_GET
def listing(request: HttpRequest, kind: str) -> HttpResponse:
    """The places of one kind."""
    shown = _kind(kind)
    rows, form = _rows(request, shown)
    number = counts(_orgs(request))
    tabs = [
        {
            "label": k.many,
            "url": reverse("places:list", args=[code]),
            "active": code == kind,
            "count": number[code],
            "icon": k.icon,
        }
        for code, k in KINDS.items()
    ]
    context = {
        "kind": shown,
        "tabs": tabs,
        "filter_form": form,
        "page_obj": Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page")),
        "views": views_of(request),
        "why_not": request.actor.why_not(EDIT_PLACES),  # type: ignore[attr-defined]
        "sort": request.GET.get("sort") or "code",
        "filtered": any(form.cleaned_data.values()),
        "breadcrumbs": _crumbs(shown),
    }
    return render(request, "places/list.html", context)


@page(SEE_PLACES)
@require_GET
def export(request: HttpRequest, kind: str) -> HttpResponse:
    """The list as a workbook, with the filters of the page."""
    shown = _kind(kind)
    rows, _form = _rows(request, shown)
    response = HttpResponse(list_workbook(shown, rows), content_type=XLSX)
    response["Content-Disposition"] = f'attachment; filename="{kind}.xlsx"'
    return response


@page(SEE_PLACES)
@require_GET
def record(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """One place: its facts, what lies in it, where it is."""
    shown = _kind(kind)
    place = _place(request, shown, pk)
    actor = request.actor  # type: ignore[attr-defined]
    context = {
        "kind": shown,
        "place": place,
        "inside": [(k, rows[:12], number) for k, rows, number in inside(place)],
        "units": place.units.order_by("floor", "code") if kind == "building" else None,
        "why_not": actor.why_not(EDIT_PLACES, place.org_id),
        "breadcrumbs": _crumbs(shown, (place.label, "")),
    }
    return render(request, "places/record.html", context)


@page(EDIT_PLACES)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Change one place."""
    shown = _kind(kind)
    return _edit(request, shown, _place(request, shown, pk))


@page(EDIT_PLACES)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, kind: str) -> HttpResponse:
    """Add one place to the organisation of the page."""
    shown = _kind(kind)
    return _edit(request, shown, shown.model(org_id=request.view.org.id))  # type: ignore[attr-defined]


def _edit(request: HttpRequest, kind: PlaceKind, place: Any) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    actor.require(EDIT_PLACES, place.org_id)
    form = place_form(kind)(request.POST or None, instance=place)
    if request.method == "POST" and form.is_valid():
        try:
            actions.save_place(actor, place, form.values, geometry=form.cleaned_data["outline"])
        except ValidationError as error:
            for field, texts in error.message_dict.items():
                form.add_error(field if field in form.fields else None, texts)
        else:
            offer_undo(request, _("“%(name)s” was saved.") % {"name": place.label}, place.undo_step)
            return redirect("places:record", kind.code, place.pk)
    title = place.label if place.pk else _("Add: %(kind)s") % {"kind": kind.one}
    context = {"kind": kind, "place": place, "form": form, "title": title, "fields": FIELDS[kind.code],
               "breadcrumbs": _crumbs(kind, (title, ""))}  # fmt: skip
    return render(request, "places/edit.html", context, status=422 if form.errors else 200)


@page(EDIT_PLACES)
@require_POST
def remove(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """Remove a place that nothing refers to."""
    shown = _kind(kind)
    place = _place(request, shown, pk)
    label = place.label
    try:
        step = actions.remove_place(request.actor, place)  # type: ignore[attr-defined]
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("places:record", kind, pk)
    offer_undo(request, _("“%(name)s” was removed.") % {"name": label}, step)
    return redirect("places:list", kind)


@page(EDIT_PLACES)
@require_http_methods(["GET", "POST"])
def unit(request: HttpRequest, building: int, pk: int | None = None) -> HttpResponse:
    """Add or change a lettable unit of a building."""
    kind = KINDS["building"]
    place = _place(request, kind, building)
    actor = request.actor  # type: ignore[attr-defined]
    actor.require(EDIT_PLACES, place.org_id)
    one = Unit(building=place) if pk is None else Unit.objects.filter(building=place, pk=pk).first()
    if one is None:
        raise Http404
    form = UnitForm(request.POST or None, instance=one)
    if request.method == "POST" and form.is_valid():
        try:
            saved = actions.save_unit(actor, one, form.cleaned_data)
        except ValidationError as error:
            for field, texts in error.message_dict.items():
                form.add_error(field if field in form.fields else None, texts)
        else:
            offer_undo(request, _("“%(name)s” was saved.") % {"name": one.code}, saved.undo_step)  # type: ignore[attr-defined]
            return redirect("places:record", "building", place.pk)
    title = one.code if one.pk else _("Add a unit")
    crumbs = _crumbs(kind, (place.label, reverse("places:record", args=["building", place.pk])), (title, ""))
    context = {"kind": kind, "place": place, "form": form, "title": title, "breadcrumbs": crumbs}
    return render(request, "places/edit.html", context, status=422 if form.errors else 200)


@page(EDIT_PLACES)
@require_http_methods(["GET", "POST"])
def take_over(request: HttpRequest, kind: str) -> HttpResponse:
    """Import outlines from GeoJSON: first a look at what would happen, then one transaction."""
    shown = _kind(kind)
    context = request.view  # type: ignore[attr-defined]
    held = request.actor.org_ids(EDIT_PLACES)  # type: ignore[attr-defined]
    orgs = [(str(o.id), o.name) for o in context.orgs if o.id in held and o.id in context.org_ids]
    form = ImportForm(
        request.POST or None, request.FILES or None, orgs=orgs, initial={"org": str(context.org.id)}
    )
    shown_context: dict[str, Any] = {
        "kind": shown,
        "form": form,
        "breadcrumbs": _crumbs(shown, (_("Import GeoJSON"), "")),
    }
    status = 200
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        reading = read_places(shown, data["content"], data["system"])
        faults = reading.faults
        if not faults and request.POST.get("commit"):
            actor = request.actor  # type: ignore[attr-defined]
            done = actions.import_places(actor, shown, int(data["org"]), reading.records, data["source"])
            faults = done.faults
            if not faults:
                text = _("%(created)s added, %(updated)s changed, %(unchanged)s unchanged.")
                offer_undo(request, text % vars(done), done.undo)
                return redirect("places:list", kind)
        shown_context |= _preview(shown, reading, faults, data, int(data["org"]))
        status = 422 if faults else 200
    elif form.errors:
        status = 422
    return render(request, "places/import.html", shown_context, status=status)


def _preview(
    kind: PlaceKind, reading: Any, faults: list[Any], data: dict[str, Any], org_id: int
) -> dict[str, Any]:
    known = set(kind.model.objects.filter(org_id=org_id).values_list("code", flat=True))
    rows = [
        {"record": r, "new": r.code not in known, "notes": [NOTES[note] for note in r.notes]}
        for r in reading.records[:100]
    ]
    return {
        "reading": reading,
        "rows": rows,
        "noted": sum(1 for r in reading.records if "repaired" in r.notes or "swapped" in r.notes),
        "faults": [{"fault": f, "text": fault_text(f)} for f in faults[:SHOWN_FAULTS]],
        "fault_count": len(faults),
        "content": data["content"],
        "source": data["source"],
    }


@page(SEE_PLACES)
@require_GET
def map_page(request: HttpRequest) -> HttpResponse:
    """The map of everything that has a position in the scope of the page."""
    layers = reverse("places:map_layers")
    return render(
        request, "places/map.html", {"layers_url": layers, "selected": request.GET.get("selected", "")}
    )


def _layers(request: HttpRequest) -> list[Layer]:
    why_not = request.actor.why_not  # type: ignore[attr-defined]
    usable = [layer for layer in LAYERS.values() if not why_not(layer.permission)]
    return sorted(usable, key=lambda layer: (layer.order, layer.code))


@page(SEE_PLACES)
@require_GET
def map_layers(request: HttpRequest) -> JsonResponse:
    """What the map can show, as ``<ym-map>`` reads it; with ``?show=parks,devices`` it begins with these layers alone."""
    shown = {code for code in request.GET.get("show", "").split(",") if code}
    described = [
        {
            **layer.description(),
            **({"visible": layer.code in shown} if shown else {}),
            "url": reverse("places:map_layer", args=[layer.code]),
        }
        for layer in _layers(request)
    ]
    return JsonResponse({"layers": described, "bounds": extent(_orgs(request)), "tiles": None})


@page(SEE_PLACES)
@require_GET
def map_layer(request: HttpRequest, code: str) -> JsonResponse:
    """One layer as GeoJSON: only what lies in the scope of the page and may be seen."""
    layer = next((layer for layer in _layers(request) if layer.code == code), None)
    if layer is None:
        raise Http404
    features = layer.features(request.view, _orgs(request, layer.permission))  # type: ignore[attr-defined]
    return JsonResponse(collection(features), content_type="application/geo+json")
