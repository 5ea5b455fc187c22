"""The verbs of the places room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.utils.translation import gettext as _

from yuanmai.common.geometry import bounds, geodesic_area, projected_area
from yuanmai.core.actions import Act, action
from yuanmai.core.undo import Changed, keep, state_of, take_back
from yuanmai.core.undo.models import UndoStep
from yuanmai.places.engine.features import Fault, Record
from yuanmai.places.models import Building, Parcel, Park, Place, Unit, Zone
from yuanmai.places.permissions import EDIT_PLACES
from yuanmai.places.queries import PlaceKind

GEOMETRY = ("geometry", "west", "south", "east", "north", "area_projected", "area_geodesic")
PARENTS: dict[str, type[Park] | type[Zone] | type[Parcel]] = {"park": Park, "zone": Zone, "parcel": Parcel}


@dataclass
class Imported:
    """What an import did, or the faults that kept it from doing anything."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    faults: list[Fault] = field(default_factory=list)
    undo: UndoStep | None = None  # what takes it back; None where nothing changed


def with_geometry(place: Place, geometry: dict[str, Any] | None) -> None:
    """Give a place its geometry (cleaned, WGS84), its bounds and its measured areas; None takes them away."""
    place.geometry = geometry
    if geometry is None:
        place.west = place.south = place.east = place.north = None
        place.area_projected = place.area_geodesic = None
        return
    place.west, place.south, place.east, place.north = bounds(geometry)
    place.area_projected = projected_area(geometry)
    place.area_geodesic = geodesic_area(geometry)


def _state(place: Any, names: Iterable[str]) -> dict[str, Any]:
    """What the audit log keeps of a place: values as text, of a geometry only its bounds."""
    state: dict[str, Any] = {}
    for name in names:
        value = getattr(place, place._meta.get_field(name).attname)
        state[name] = (
            str(value)
            if isinstance(value, Decimal)
            else value
            if isinstance(value, int | str | None)
            else str(value)
        )
    return state


@action("places.import", permission=EDIT_PLACES)
def import_places(act: Act, kind: PlaceKind, org_id: int, records: list[Record], source: str) -> Imported:
    """Take over the places of a file into an organisation, known again by their code; all of them or, with faults, none.

    Fields that the file does not have stay as they are. Takes a constant number of queries.
    """
    act.require(org_id)
    result = Imported()
    # A park that was taken out of the register comes back with its code.
    every = getattr(kind.model, "everything", kind.model.objects)
    stored = {p.code: p for p in every.filter(org_id=org_id, code__in=[r.code for r in records])}
    states = {place.pk: state_of(place) for place in stored.values()}
    parents, faults = _parents(kind, org_id, records)
    if faults:
        result.faults = faults
        act.log(
            None, org_id=org_id, name=source, after={"kind": kind.code, "faults": len(faults), "stored": 0}
        )
        return result
    new, changed = [], []
    for record in records:
        place = stored.get(record.code) or kind.model(org_id=org_id, code=record.code)
        before = _snapshot(place)
        _take(place, record, parents)
        if hasattr(place, "retired_at"):
            place.retired_at = None
        if place.pk is None:
            new.append(place)
        elif _snapshot(place) != before:
            changed.append(place)
        else:
            result.unchanged += 1
    kind.model.objects.bulk_create(new, batch_size=500)
    names = [f.name for f in kind.model._meta.concrete_fields if f.name not in {"id", "org", "code"}]
    kind.model.objects.bulk_update(changed, names, batch_size=200)
    result.created, result.updated = len(new), len(changed)
    result.undo = keep(act, org_id, _changes(kind.model, [*new, *changed], states), name=source)
    after = {"kind": kind.code, "created": [p.code for p in new], "updated": [p.code for p in changed]}
    act.log(None, org_id=org_id, name=source, after=after)
    return result


def _changes(model: type[Any], rows: Iterable[Any], states: Mapping[int, dict[str, Any]]) -> list[Changed]:
    """Return what some stored rows were and, read again as the database keeps them, are."""
    now = model._base_manager.in_bulk([row.pk for row in rows])
    return [Changed(model, row.pk, states.get(row.pk), state_of(now[row.pk])) for row in rows]


def _keep_one(act: Act, row: Any, before: Any) -> None:
    """Keep the change of one row; the row carries the step as `undo_step`, for whoever offers to take it back."""
    states = {} if before is None else {row.pk: state_of(before)}
    row.undo_step = keep(act, row.org_id, _changes(type(row), [row], states), name=str(row))


def _snapshot(place: Any) -> dict[str, Any]:
    return {f.attname: getattr(place, f.attname) for f in place._meta.concrete_fields}


def _take(place: Any, record: Record, parents: Mapping[tuple[str, str], int]) -> None:
    place.name = record.name
    if place.geometry != record.geometry:
        with_geometry(place, record.geometry)
    names = {f.name for f in place._meta.concrete_fields}
    for name, value in record.fields.items():
        if name in PARENTS:
            if name in names:
                setattr(place, f"{name}_id", parents[name, value])
        elif name == "floors" and name in names:
            place.floors = int(value)
        elif name == "height" and isinstance(place, Building):
            floors = int(record.fields.get("floors", place.floors) or 1)
            place.storey_height = (value / floors).quantize(Decimal("0.1"))
        elif name in names:
            setattr(place, name, value.quantize(Decimal("0.01")) if isinstance(value, Decimal) else value)


def _parents(
    kind: PlaceKind, org_id: int, records: list[Record]
) -> tuple[dict[tuple[str, str], int], list[Fault]]:
    """Resolve codes and names of parks, zones and parcels; three queries at most, every unknown one is a fault."""
    found: dict[tuple[str, str], int] = {}
    faults: list[Fault] = []
    own = {f.name for f in kind.model._meta.concrete_fields}
    for name, model in PARENTS.items():
        asked = {str(r.fields[name]) for r in records if name in r.fields} if name in own else set()
        if not asked:
            continue
        for pk, code, title in model.objects.filter(org_id=org_id).values_list("pk", "code", "name"):
            for word in (title, code):
                found[name, word] = pk
        faults.extend(
            Fault(r.index, "no_parent", field=name, value=str(r.fields[name]))
            for r in records
            if name in r.fields and (name, str(r.fields[name])) not in found
        )
    return found, faults


@action("places.edit", permission=EDIT_PLACES)
def save_place(act: Act, place: Any, values: Mapping[str, Any], *, geometry: Any = ...) -> Any:
    """Add or change one place; `geometry` is cleaned GeoJSON, None to take it away, left out to keep it.

    The returned place carries what takes the change back as `undo_step`. Raises `ValidationError` by field where the code
    is taken or a park, zone or parcel belongs to another organisation.
    """
    act.require(place.org_id)
    names = [*values, *(GEOMETRY[1:] if geometry is not ... else ())]
    old = None if place.pk is None else type(place).objects.get(pk=place.pk)
    before = None if old is None else _state(old, names)
    for name, value in values.items():
        if name in PARENTS and value is not None and value.org_id != place.org_id:
            raise ValidationError({name: _("This belongs to another organisation.")})
        setattr(place, name, value)
    if geometry is not ...:
        with_geometry(place, geometry)
    place.full_clean(exclude=["geometry"])
    place.save()
    act.log(place, before=before, after=_state(place, names))
    _keep_one(act, place, old)
    return place


@action("places.remove", permission=EDIT_PLACES)
def remove_place(act: Act, place: Any) -> UndoStep | None:
    """Remove a place that nothing refers to and return what brings it back; raises `ValidationError` naming what still does."""
    act.require(place.org_id)
    state = _state(place, ["code", "name"])
    act.log(place, before=state, after=None)
    gone = Changed(type(place), place.pk, state_of(type(place).objects.get(pk=place.pk)), None)
    try:
        place.delete()
    except ProtectedError as error:
        kinds = sorted({str(type(row)._meta.verbose_name) for row in error.protected_objects})
        message = _("“%(name)s” cannot be removed: it is still referred to by %(kinds)s.")
        raise ValidationError(message % {"name": place.label, "kinds": ", ".join(kinds)}) from error
    return keep(act, place.org_id, [gone], name=str(place))


@action("places.edit_unit", permission=EDIT_PLACES)
def save_unit(act: Act, unit: Unit, values: Mapping[str, Any]) -> Unit:
    """Add or change a lettable unit of a building; raises `ValidationError` where the code is taken or the floor does not exist."""
    act.require(unit.building.org_id)
    unit.org_id = unit.building.org_id
    old = None if unit.pk is None else Unit.objects.get(pk=unit.pk)
    before = None if old is None else _state(old, values)
    for name, value in values.items():
        setattr(unit, name, value)
    if unit.floor > unit.building.floors:
        raise ValidationError(
            {"floor": _("The building has only %(n)s floors.") % {"n": unit.building.floors}}
        )
    unit.full_clean()
    unit.save()
    act.log(unit, before=before, after=_state(unit, values))
    _keep_one(act, unit, old)
    return unit


@action("places.undo", permission=EDIT_PLACES)
def undo_change(act: Act, step: UndoStep) -> int:
    """Take back an import, a change or a removal, and return the number of places that are as they were.

    Raises `ValidationError`, with the reason, where it was undone already or something newer builds on it.
    """
    act.require(step.org_id)
    number = take_back(act, step)
    act.log(
        None, org_id=step.org_id, name=step.name, before={"action": step.action}, after={"undone": number}
    )
    return number
