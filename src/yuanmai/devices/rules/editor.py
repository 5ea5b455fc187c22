"""The form of a rule by kind: what is asked for each, and how it becomes a definition and comes back from one."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from yuanmai.devices.models import ProductTemplate, Severity
from yuanmai.devices.registry.forms import Named
from yuanmai.devices.rules.forms import PlacedForm
from yuanmai.devices.rules.hours import HELP as HOURS_HELP
from yuanmai.devices.rules.hours import hours_of
from yuanmai.devices.rules.wording import FLAGS as FLAG_WORDS

KINDS = {
    "threshold": (gettext_lazy("Limit"), "gauge", gettext_lazy("A value above or below a limit, or outside a range.")),
    "rate": (pgettext_lazy("rule", "Change"), "trending-up", gettext_lazy("A value that changes too fast, a meter that stops or runs away.")),
    "missing": (gettext_lazy("Silence"), "bell-off", gettext_lazy("Nothing comes from a point or a device.")),
    "state": (pgettext_lazy("rule", "State"), "toggle-right", gettext_lazy("A device reports a fault, a door is open.")),
    "quality": (gettext_lazy("Quality"), "alert-triangle", gettext_lazy("Readings are doubtful.")),
    "geofence": (gettext_lazy("Geofence"), "map-pin", gettext_lazy("A vehicle leaves its area or enters a forbidden one.")),
    "combined": (gettext_lazy("Combination"), "arrows-join", gettext_lazy("Several conditions, all or any of them.")),
    "expert": (gettext_lazy("As JSON"), "code", gettext_lazy("Everything the engine can do, written down.")),
}  # fmt: skip
COMPARE = [
    ("above", gettext_lazy("above")),
    ("below", gettext_lazy("below")),
    ("outside", gettext_lazy("outside a range")),
    ("inside", gettext_lazy("inside a range")),
]
ROWS = 4  # conditions of a combination
CONDITIONS = [
    ("", "–"), ("above", gettext_lazy("above")), ("below", gettext_lazy("below")), ("outside", gettext_lazy("outside a range")),
    ("inside", gettext_lazy("inside a range")), ("is", gettext_lazy("is one of")), ("is_not", gettext_lazy("is none of")),
    ("silent", gettext_lazy("silent for (seconds)")),
]  # fmt: skip
BY_KIND = {
    "threshold": (
        "point",
        "compare",
        "limit",
        "low",
        "high",
        "hysteresis",
        "second_limit",
        "second_severity",
    ),
    "rate": ("point", "compare", "limit", "low", "high", "per", "over", "counter"),
    "missing": ("point", "after"),
    "state": ("point", "values"),
    "quality": ("point", "flags"),
    "geofence": ("where", "figure", "longitude", "latitude", "radius", "corners", "margin"),
    "combined": (
        "joint",
        *(f"{name}_{i}" for i in range(ROWS) for name in ("device", "point", "compare", "value")),
    ),
    "expert": ("definition",),
}
TIMING = ("hold", "hold_for", "hold_minutes", "hold_of", "clear_for", "hours")
# Fields that are asked only when another one says so: the other one and its values.
ONE_LIMIT, TWO_LIMITS = ("compare", ("above", "below")), ("compare", ("outside", "inside"))
DEPENDS = {
    "limit": ONE_LIMIT, "second_limit": ONE_LIMIT, "second_severity": ONE_LIMIT, "low": TWO_LIMITS, "high": TWO_LIMITS,
    "hold_for": ("hold", ("for",)), "hold_minutes": ("hold", ("minutes",)), "hold_of": ("hold", ("minutes",)),
    "longitude": ("figure", ("circle",)), "latitude": ("figure", ("circle",)), "radius": ("figure", ("circle",)),
    "corners": ("figure", ("polygon",)),
}  # fmt: skip
GENERAL = (
    "name",
    "name_en",
    "code",
    "severity",
    "org",
    "template",
    "park",
    "devices",
    "source",
    "advice",
    "enabled",
)
Pairs = Sequence[tuple[Any, Any]]


def _float(label: Any, *, required: bool = False, **more: Any) -> forms.FloatField:
    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    return forms.FloatField(label=label, required=required, widget=widget, **more)


SKELETON = """{
  "when": {"kind": "threshold", "point": "", "compare": "above", "limit": 100, "hysteresis": 5},
  "hold": {"minutes": 3, "of": 5}
}"""


class UnfilledError(ValidationError):
    """Something that is needed was not typed yet."""


class RuleForm(PlacedForm):
    """A rule of one kind. :meth:`definition_of` turns what was typed into a definition."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=160, required=False)
    code = forms.SlugField(
        label=gettext_lazy("Code"),
        max_length=60,
        help_text=gettext_lazy("Small letters, digits, “-” and “_”."),
    )
    severity = forms.TypedChoiceField(
        coerce=int, choices=Severity.choices, initial=Severity.IMPORTANT, label=gettext_lazy("Severity")
    )
    template = Named(
        queryset=ProductTemplate.objects.none(),
        required=False,
        label=gettext_lazy("Devices of the template"),
        empty_label=gettext_lazy("All"),
    )
    devices = forms.CharField(
        required=False, label=gettext_lazy("Only these devices"), widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Codes of devices, separated by blanks. Left empty: all."),
    )  # fmt: skip
    source = forms.CharField(
        label=pgettext_lazy("rule", "Source"),
        max_length=300,
        help_text=gettext_lazy("A standard, a permit, a decision."),
    )
    advice = forms.CharField(
        label=gettext_lazy("What to do"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    enabled = forms.BooleanField(label=gettext_lazy("In use"), required=False, initial=True)
    hold = forms.ChoiceField(
        label=gettext_lazy("How long it must hold"),
        choices=[("", pgettext_lazy("rule", "At once")), ("for", gettext_lazy("Without interruption")),
                 ("minutes", gettext_lazy("In some of the last minutes"))],
        required=False,
    )  # fmt: skip
    hold_for = _float(gettext_lazy("Seconds without interruption"))
    hold_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes in which it holds"), required=False, min_value=1, max_value=1440
    )
    hold_of = forms.IntegerField(
        label=gettext_lazy("Of so many minutes"), required=False, min_value=1, max_value=1440
    )
    clear_for = _float(gettext_lazy("Cleared after (s)"))
    hours = forms.CharField(
        label=gettext_lazy("Only at these hours"), required=False, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=HOURS_HELP,
    )  # fmt: skip

    def __init__(self, kind: str, points: Pairs, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        self._points = list(points)
        getattr(self, f"_add_{kind}")()
        if kind == "missing" or kind == "expert":
            for name in TIMING if kind == "expert" else ("hold", "hold_for", "hold_minutes", "hold_of"):
                del self.fields[name]

    def _point(self, *, required: bool = True, label: Any = None) -> forms.CharField:
        # A text field with suggestions: a rule may speak of points that no device has yet.
        widget = forms.TextInput(attrs={"list": "rule-points", "autocomplete": "off"})
        return forms.CharField(label=label or _("Point"), max_length=60, required=required, widget=widget)

    def _bounds(self) -> None:
        self.fields["compare"] = forms.ChoiceField(label=_("Alarm when the value is"), choices=COMPARE)
        self.fields["limit"] = _float(_("Limit"))
        self.fields["low"] = _float(_("Lower limit"))
        self.fields["high"] = _float(_("Upper limit"))

    def _add_threshold(self) -> None:
        self.fields["point"] = self._point()
        self._bounds()
        self.fields["hysteresis"] = _float(
            _("Hysteresis"),
            help_text=_("How far the value must be back within the limit before it is cleared."),
        )
        self.fields["second_limit"] = _float(_("Second limit"))
        self.fields["second_severity"] = forms.TypedChoiceField(
            label=_("Severity beyond the second limit"), coerce=int, required=False, choices=Severity.choices,
            empty_value=None,
        )  # fmt: skip

    def _add_rate(self) -> None:
        self.fields["point"] = self._point()
        self._bounds()
        self.fields["per"] = forms.ChoiceField(
            label=_("Change per"), choices=[("minute", _("minute")), ("hour", _("hour")), ("day", _("day"))]
        )
        self.fields["over"] = _float(_("Measured over (s)"), initial=600)
        self.fields["counter"] = forms.BooleanField(label=_("The point is a meter count"), required=False)

    def _add_missing(self) -> None:
        self.fields["point"] = self._point(required=False, label=_("Point (left empty: the whole device)"))
        self.fields["after"] = _float(_("Silent for (s)"), required=True, initial=1800)

    def _add_state(self) -> None:
        self.fields["point"] = self._point()
        self.fields["values"] = forms.CharField(
            label=_("Values"),
            max_length=200,
            help_text=_("Numbers of states, separated by commas; the suggestions of the point name them."),
        )

    def _add_quality(self) -> None:
        self.fields["point"] = self._point()
        self.fields["flags"] = forms.MultipleChoiceField(
            label=_("What is wrong with the reading"), choices=list(FLAG_WORDS.items()),
            widget=forms.CheckboxSelectMultiple, initial=["flagged", "range", "clock", "not_a_number", "jump"],
        )  # fmt: skip

    def _add_geofence(self) -> None:
        self.fields["where"] = forms.ChoiceField(
            label=_("Alarm when it is"), choices=[("outside", _("outside")), ("inside", _("inside"))]
        )
        self.fields["figure"] = forms.ChoiceField(
            label=pgettext("geofence", "Figure"),
            choices=[("circle", _("Circle")), ("polygon", _("Area with corners"))],
        )
        self.fields["longitude"] = _float(_("Longitude of the middle"))
        self.fields["latitude"] = _float(_("Latitude of the middle"))
        self.fields["radius"] = _float(_("Radius (m)"), initial=500)
        self.fields["corners"] = forms.CharField(
            label=_("Corners"), required=False, max_length=60_000, widget=forms.Textarea(attrs={"rows": 5}),
            help_text=_("One corner a line: longitude, latitude (WGS 84). What is drawn on the map stands here; GeoJSON can be pasted."),
        )  # fmt: skip
        self.fields["margin"] = _float(
            _("Margin (m)"), help_text=_("So far past the edge it must be back before it is cleared.")
        )

    def _add_combined(self) -> None:
        self.fields["joint"] = forms.ChoiceField(
            label=_("Alarm when"), choices=[("all", _("all of these hold")), ("any", _("any of these holds"))]
        )
        for i in range(ROWS):
            self.fields[f"device_{i}"] = forms.CharField(
                label=_("Device (left empty: the same)"), required=False, max_length=60
            )
            self.fields[f"point_{i}"] = self._point(required=False)
            self.fields[f"compare_{i}"] = forms.ChoiceField(
                label=_("Condition"), required=False, choices=CONDITIONS
            )
            self.fields[f"value_{i}"] = forms.CharField(label=_("Value"), required=False, max_length=100)

    def _add_expert(self) -> None:
        self.fields["definition"] = forms.CharField(
            label=pgettext("rule", "Definition"),
            max_length=100_000,
            widget=forms.Textarea(attrs={"rows": 16, "class": "ym-code", "spellcheck": "false"}),
            initial=SKELETON,
        )

    @property
    def point_choices(self) -> Pairs:
        """(code, name) of the points that are offered."""
        return self._points

    # -- to a definition -------------------------------------------------------------------------------------------------

    def definition_of(self) -> dict[str, Any]:
        """Return what was typed as a definition; raises `ValidationError`. Whether it makes sense, the engine says."""
        values = self.cleaned_data
        if self.kind == "expert":
            try:
                document = json.loads(values["definition"])
            except ValueError as error:
                raise ValidationError(
                    {"definition": [_("This is not JSON: %(error)s") % {"error": error}]}
                ) from error
            return cast(dict[str, Any], document)
        document = {"when": getattr(self, f"_of_{self.kind}")(values)}
        if self.kind == "threshold" and values.get("second_limit") is not None:
            severity = values.get("second_severity")
            if values["compare"] not in {"above", "below"} or severity is None:
                raise ValidationError(
                    {"second_limit": [_("A second limit goes with “above” or “below” and a severity.")]}
                )
            document["grades"] = [{"severity": severity, "limit": values["second_limit"]}]
        if values.get("hold") == "for":
            document["hold"] = {"for": values.get("hold_for") or 0}
        elif values.get("hold") == "minutes":
            document["hold"] = {"minutes": values.get("hold_minutes"), "of": values.get("hold_of")}
        if values.get("clear_for"):
            document["clear_for"] = values["clear_for"]
        if hours := hours_of(values.get("hours", "")):
            document["active"] = hours
        return document

    def _limits(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if values["compare"] in {"above", "below"}:
            return {"compare": values["compare"], "limit": values.get("limit")}
        return {"compare": values["compare"], "low": values.get("low"), "high": values.get("high")}

    def _of_threshold(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = {"kind": "threshold", "point": values["point"], **self._limits(values)}
        return {**found, "hysteresis": values["hysteresis"]} if values.get("hysteresis") else found

    def _of_rate(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "kind": "rate", "point": values["point"], **self._limits(values), "per": values["per"],
            "over": values.get("over") or 600, "counter": values["counter"],
        }  # fmt: skip

    def _of_missing(self, values: Mapping[str, Any]) -> dict[str, Any]:
        found = {"kind": "missing", "after": values["after"]}
        return {**found, "point": values["point"]} if values.get("point") else found

    def _of_state(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"kind": "state", "point": values["point"], "values": numbers_of(values["values"], "values")}

    def _of_quality(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {"kind": "quality", "point": values["point"], "flags": values["flags"]}

    def _of_geofence(self, values: Mapping[str, Any]) -> dict[str, Any]:
        if values["figure"] == "circle":
            missing = [name for name in ("longitude", "latitude") if values.get(name) is None]
            if missing:
                raise UnfilledError(
                    {name: [_("Draw the circle on the map, or type its middle.")] for name in missing}
                )
            center = [values["longitude"], values["latitude"]]
            shape: Any = {"type": "Circle", "center": center, "radius": values.get("radius")}
        else:
            shape = polygon_of(values.get("corners", ""))
        found = {"kind": "geofence", "where": values["where"], "shape": shape}
        return {**found, "margin": values["margin"]} if values.get("margin") else found

    def _of_combined(self, values: Mapping[str, Any]) -> dict[str, Any]:
        parts = []
        for i in range(ROWS):
            compare, text = values.get(f"compare_{i}"), values.get(f"value_{i}", "")
            if compare:
                parts.append(self._part(i, values, compare, text))
        if not parts:
            raise UnfilledError({"compare_0": [_("State at least one condition.")]})
        return {"kind": values["joint"], "conditions": parts}

    def _part(self, i: int, values: Mapping[str, Any], compare: str, text: str) -> dict[str, Any]:
        base = {"point": values.get(f"point_{i}", "")}
        if values.get(f"device_{i}"):
            base["device"] = values[f"device_{i}"]
        numbers = numbers_of(text, f"value_{i}")
        if compare == "silent":
            return {"kind": "missing", **{k: v for k, v in base.items() if v}, "after": numbers[0]}
        if compare in {"is", "is_not"}:
            state = {"kind": "state", **base, "values": numbers}
            return state if compare == "is" else {"kind": "not", "condition": state}
        if compare in {"above", "below"}:
            return {"kind": "threshold", **base, "compare": compare, "limit": numbers[0]}
        if len(numbers) != 2:
            raise ValidationError({f"value_{i}": [_("Write both limits: 6, 9")]})
        return {"kind": "threshold", **base, "compare": compare, "low": numbers[0], "high": numbers[1]}


def numbers_of(text: str, field: str) -> list[float]:
    """Return numbers separated by commas or blanks; raises `ValidationError` at the field."""
    parts = text.replace("，", ",").replace("、", ",").replace(",", " ").split()
    try:
        found = [float(part) for part in parts]
    except ValueError:
        found = []
    if not found:
        raise ValidationError({field: [_("Write numbers separated by commas.")]})
    return [int(n) if n == int(n) else n for n in found if n == n and abs(n) < 1e300]


def polygon_of(text: str) -> Any:
    """Return typed corners as GeoJSON: lines of longitude and latitude, or GeoJSON itself; raises `ValidationError`."""
    text = text.strip()
    if not text:
        raise UnfilledError({"corners": [_("Draw the area on the map, or type its corners.")]})
    if text.startswith("{"):
        try:
            document = json.loads(text)
        except ValueError as error:
            raise ValidationError(
                {"corners": [_("This is not JSON: %(error)s") % {"error": error}]}
            ) from error
        return document.get("geometry", document) if isinstance(document, dict) else document
    ring = []
    for line in text.splitlines():
        if line.strip():
            found = numbers_of(line, "corners")
            if len(found) != 2:
                raise ValidationError(
                    {"corners": [_("“%(line)s”: one longitude and one latitude.") % {"line": line[:40]}]}
                )
            ring.append(found)
    return {"type": "Polygon", "coordinates": [ring]}
