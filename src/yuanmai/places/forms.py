"""Forms of the places room, and the words of the faults of a GeoJSON file."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

import yaml
from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.geometry import GeometryError, clean
from yuanmai.places.engine.features import Fault, Reading, read
from yuanmai.places.models import Building, Parcel, Unit, Zone
from yuanmai.places.queries import PlaceKind, parks

LARGEST_FILE = 30 * 1024 * 1024

# Rule → what is wrong and what to do about it.
RULES: dict[str, Promise | str] = {
    "not_json": gettext_lazy("The file is not valid JSON (line %(line)s). Export it again as GeoJSON, encoded as UTF-8."),
    "not_geojson": gettext_lazy("This is not GeoJSON. Export a FeatureCollection from your mapping program."),
    "no_features": gettext_lazy("The collection is empty. Select the features before exporting."),
    "too_many_features": gettext_lazy("The file has %(count)s features; at most %(most)s can be taken over at once. Split it."),
    "system": gettext_lazy("The coordinate system is not supported. Export in WGS84 (EPSG:4326) or CGCS2000 degrees (EPSG:4490)."),
    "no_code": gettext_lazy("The code is missing. Every feature needs one, so that it is known again next time."),
    "no_name": gettext_lazy("The name is missing."),
    "too_long": gettext_lazy("The text is too long (at most %(most)s characters)."),
    "not_number": gettext_lazy("This is not a number."),
    "not_whole": gettext_lazy("This must be a whole number."),
    "not_text": gettext_lazy("A text was expected here."),
    "range": gettext_lazy("The value must lie between %(low)s and %(high)s."),
    "twice": gettext_lazy("The code stands twice in the file; first at feature %(first)s."),
    "kind_unknown": gettext_lazy("The kind of building is not known."),
    "no_parent": gettext_lazy("No such place in this organisation. Import parks before zones, parcels before buildings."),
    "missing": gettext_lazy("The feature has no geometry."),
    "kind": gettext_lazy("A %(kind)s cannot be taken over here; what is needed: %(wanted)s."),
    "not_numbers": gettext_lazy("A coordinate is not a number: %(value)s."),
    "projected": gettext_lazy("The coordinates (%(x)s, %(y)s) are not degrees; they look projected. Export in WGS84 degrees."),
    "outside": gettext_lazy("The point %(x)s, %(y)s lies outside China. Check the order of the coordinates and the system."),
    "too_many": gettext_lazy("The outline has %(count)s points; at most %(most)s. Simplify it."),
    "empty": gettext_lazy("The geometry is empty."),
    "too_small": gettext_lazy("The area is smaller than one square metre."),
}  # fmt: skip
NOTES: dict[str, Promise | str] = {
    "swapped": gettext_lazy("Longitude and latitude were the wrong way round and have been swapped."),
    "repaired": gettext_lazy("The outline crossed itself and has been repaired."),
    "converted": gettext_lazy("Converted from GCJ-02 to WGS84."),
}


def fault_text(fault: Fault) -> str:
    """Return the sentence of a fault."""
    return str(RULES.get(fault.rule, fault.rule)) % dict(fault.values)


@lru_cache(maxsize=1)
def preset() -> dict[str, Any]:
    """Return the words of properties and of kinds of buildings."""
    text = (files("yuanmai.places") / "presets" / "geojson_properties.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text))


def read_places(kind: PlaceKind, text: str, system: str) -> Reading:
    """Read a file for a kind of place; the kind of a building is understood by its words."""
    reading = read(text, preset()["words"], system=system)
    if kind.code != "building":
        return reading
    words = {word: code for code, names in preset()["building_kinds"].items() for word in [code, *names]}
    words |= {str(label): value for value, label in Building.Kind.choices}
    records, faults = [], list(reading.faults)
    for record in reading.records:
        fields = dict(record.fields)
        if "kind" in fields:
            code = words.get(str(fields["kind"]).strip())
            if code is None:
                faults.append(Fault(record.index, "kind_unknown", field="kind", value=str(fields["kind"])))
                continue
            fields["kind"] = code
        records.append(
            type(record)(record.index, record.code, record.name, fields, record.geometry, record.notes)
        )
    return Reading(records, faults, reading.ignored)


class ImportForm(forms.Form):
    """A GeoJSON file or text, and the system of its coordinates."""

    org = forms.ChoiceField(label=gettext_lazy("Organisation"))
    system = forms.ChoiceField(
        label=gettext_lazy("Coordinates"),
        choices=[
            ("wgs84", gettext_lazy("WGS84 or CGCS2000 (surveys, GPS)")),
            ("gcj02", gettext_lazy("GCJ-02 (picked on a public map)")),
        ],
        help_text=gettext_lazy("A wrong choice moves everything by several hundred metres."),
    )
    file = forms.FileField(label=gettext_lazy("File"), required=False)
    text = forms.CharField(
        label=gettext_lazy("Or paste GeoJSON"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, orgs: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["org"].choices = orgs  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Read the file as text (UTF-8 or GB18030); exactly one of file and text is needed."""
        data = super().clean() or {}
        file, text = data.get("file"), (data.get("text") or "").strip()
        if bool(file) == bool(text):
            raise forms.ValidationError(_("Choose a file or paste its text, one of the two."))
        if file:
            if file.size > LARGEST_FILE:
                raise forms.ValidationError(
                    _("The file is larger than %(n)s MB.") % {"n": LARGEST_FILE // 1024**2}
                )
            content = file.read()
            try:
                text = content.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = content.decode("gb18030", errors="replace")
        data["content"], data["source"] = text, file.name if file else _("pasted text")
        return data


class PlaceForm(forms.ModelForm[Any]):
    """One place. The outline is GeoJSON; left as it is, it is not touched."""

    outline = forms.CharField(
        label=gettext_lazy("Outline (GeoJSON)"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "A polygon in WGS84, longitude before latitude. Empty: no position on the map."
        ),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        org_id = self.instance.org_id
        self.before = (
            json.dumps(self.instance.geometry, separators=(",", ":")) if self.instance.geometry else ""
        )
        self.fields["outline"].initial = self.before
        for name, model in (("zone", Zone), ("parcel", Parcel)):
            if name in self.fields:
                rows = model.objects.filter(org_id=org_id).defer("geometry")
                self.fields[name].queryset = rows  # type: ignore[attr-defined]
        if "park" in self.fields:
            self.fields["park"].queryset = parks([org_id])  # type: ignore[attr-defined]

    def clean_outline(self) -> Any:
        """Return the cleaned geometry, None for none, `...` where nothing was changed."""
        text = self.cleaned_data["outline"].strip()
        if text == self.before:
            return ...
        if not text:
            return None
        try:
            document = json.loads(text)
            if isinstance(document, dict) and document.get("type") == "Feature":
                document = document.get("geometry")
            return clean(document).geometry
        except (ValueError, RecursionError) as error:
            fault = (
                Fault(0, error.rule, values=error.values)
                if isinstance(error, GeometryError)
                else Fault(0, "not_geojson")
            )
            raise forms.ValidationError(fault_text(fault)) from error

    def _post_clean(self) -> None:
        """The action judges and stores; the form only reads."""

    @property
    def values(self) -> dict[str, Any]:
        """The values of the model's own fields."""
        return {name: value for name, value in self.cleaned_data.items() if name != "outline"}


FIELDS: dict[str, list[str]] = {
    "park": ["code", "name", "name_en", "level", "area_certificate", "note"],
    "zone": ["code", "name", "name_en", "park", "area_certificate", "note"],
    "gridcell": ["code", "name", "name_en", "park", "note"],
    "parcel": ["code", "name", "name_en", "park", "zone", "holder", "use", "area_certificate", "note"],
    "building": ["code", "name", "name_en", "park", "parcel", "kind", "floors", "storey_height", "floor_area",
                 "area_certificate", "built_on", "note"],
}  # fmt: skip


def place_form(kind: PlaceKind) -> type[PlaceForm]:
    """Return the form of a kind of place."""
    widgets: dict[str, type[forms.Widget] | forms.Widget] = {
        "built_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        "note": forms.Textarea(attrs={"rows": 2}),
    }
    made = forms.modelform_factory(kind.model, form=PlaceForm, fields=FIELDS[kind.code], widgets=widgets)
    return cast(type[PlaceForm], made)


class UnitForm(forms.ModelForm[Unit]):
    """A lettable unit of a building."""

    class Meta:
        model = Unit
        fields = ("code", "floor", "area", "state")

    def _post_clean(self) -> None:
        """The action judges and stores; the form only reads."""


class PlaceFilter(forms.Form):
    """The filter bar of a list."""

    q = forms.CharField(label=gettext_lazy("Name or code"), required=False)
    park = forms.ChoiceField(label=gettext_lazy("Park"), required=False)
    placed = forms.ChoiceField(
        label=gettext_lazy("On the map"),
        required=False,
        choices=[
            ("", gettext_lazy("All")),
            ("yes", gettext_lazy("With position")),
            ("no", gettext_lazy("Without position")),
        ],
    )

    def __init__(self, *args: Any, kind: PlaceKind, org_ids: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if kind.code == "park":
            del self.fields["park"]
        else:
            choices = [(str(p.pk), p.label) for p in parks(org_ids)]
            self.fields["park"].choices = [("", _("All")), *choices]  # type: ignore[attr-defined]
