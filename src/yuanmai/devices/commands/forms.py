"""The form of a command, made from its parameters, and the filters of the list. The rules are those of `verbs.checked`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.devices.commands.parameters import Parameter, number_text
from yuanmai.devices.commands.verbs import Verb, checked
from yuanmai.devices.engine.states import state_word
from yuanmai.devices.models import Point, Protocol
from yuanmai.devices.models.command import CommandState
from yuanmai.devices.registry.drawing import drawing
from yuanmai.devices.registry.wording import english

WAITS = (
    (60, gettext_lazy("1 minute")),
    (600, gettext_lazy("10 minutes")),
    (3600, gettext_lazy("1 hour")),
    (86_400, gettext_lazy("1 day")),
    (604_800, gettext_lazy("7 days")),
)


# What of a command is drawn on the map: the figure, and the field of each of its measures.
FIGURES: dict[str, tuple[str, tuple[str, ...]]] = {
    "circle_set": ("circle", ("longitude", "latitude", "radius")),
    "rectangle_set": ("rectangle", ("west", "north", "east", "south")),
    "polygon_set": ("polygon", ("corners",)),
    "route_set": ("line", ("corners",)),
}
CONDITIONS = ("max_speed", "duration", "night_max_speed", "begin", "end")


@dataclass
class Part:
    """A part of the form: its heading, its fields, then those that are ticked; `draw` where it stands on the map."""

    title: str = ""
    fields: list[BoundField] = dataclass_field(default_factory=list)
    ticks: list[BoundField] = dataclass_field(default_factory=list)
    draw: dict[str, Any] | None = None


class MomentInput(forms.DateTimeInput):
    """Date and time to the minute, in local time."""

    input_type = "datetime-local"


class CommandFilter(forms.Form):
    """The filters of the list of commands."""

    q = forms.CharField(required=False, max_length=60, label=gettext_lazy("Device"))
    state = forms.ChoiceField(required=False, label=gettext_lazy("State"))
    protocol = forms.ChoiceField(required=False, label=gettext_lazy("Protocol"))

    def __init__(self, given: Any) -> None:
        super().__init__(given, auto_id="filter_%s")
        every = ("", _("All"))
        choices: dict[str, Sequence[tuple[str, Any]]] = {
            "state": [every, ("open", _("Not ended yet")), *CommandState.choices],
            "protocol": [every, *Protocol.choices],
        }
        for name, offered in choices.items():
            field = self.fields[name]
            assert isinstance(field, forms.ChoiceField)
            field.choices = list(offered)
        self.fields["q"].widget.attrs.update(placeholder=_("Name, code, identity"), type="search")


class CommandForm(forms.Form):
    """The parameters of one command, how long it may wait, and for drastic ones a confirmation."""

    def __init__(
        self, data: Any, verb: Verb, points: Iterable[Point] = (), initial: dict[str, Any] | None = None
    ) -> None:
        super().__init__(data, initial=initial)
        self.verb, self.points = verb, list(points)
        for parameter in verb.parameters:
            self.fields[parameter.name] = self._field(parameter)
        self.fields["wait"] = forms.TypedChoiceField(
            choices=WAITS, coerce=int, initial=3600, label=_("Wait for the device at most"),
            help_text=_("If it is not connected now, the command is sent when it comes."),
        )  # fmt: skip
        if verb.drastic:
            self.fields["sure"] = forms.BooleanField(
                label=_("I have made sure that this is the right device.")
            )

    def _field(self, parameter: Parameter) -> forms.Field:
        given: dict[str, Any] = {
            "required": parameter.required and parameter.kind != "yes",
            "label": parameter.label,
            "initial": parameter.default,
            "help_text": self._help(parameter),
        }
        if parameter.kind == "yes":
            return forms.BooleanField(**given)
        if parameter.kind == "choice":
            return forms.ChoiceField(
                choices=[(str(value), label) for value, label in parameter.choices], **given
            )
        if parameter.kind == "point":
            return forms.ChoiceField(
                choices=[(point.code, self._point(point)) for point in self.points], **given
            )
        if parameter.kind in ("long", "corners", "pairs", "payload"):
            rows = 3 if parameter.kind == "long" else 6
            return forms.CharField(
                widget=forms.Textarea(attrs={"rows": rows}), strip=parameter.kind != "payload", **given
            )
        if parameter.kind == "moment":
            return forms.CharField(widget=MomentInput, **given)
        if parameter.kind == "secret":
            return forms.CharField(widget=forms.PasswordInput(attrs={"autocomplete": "off"}), **given)
        widget = forms.TextInput(
            attrs={"inputmode": "decimal"} if parameter.kind in ("number", "whole") else {}
        )
        return forms.CharField(widget=widget, **given)

    @staticmethod
    def _point(point: Point) -> str:
        if point.kind == "state" and point.states:
            named = sorted(point.states, key=float)
            return f"{point.label} ({', '.join(f'{value} = {state_word(point.states, float(value), english=english())}' for value in named)})"
        bounds = (
            "" if point.low is None or point.high is None else f" {point.low:g}–{point.high:g} {point.unit}"
        )
        unit = f" ({point.unit})" if point.unit and not bounds else ""
        return f"{point.label}{unit}{bounds}".rstrip()

    @staticmethod
    def _help(parameter: Parameter) -> str:
        if (
            parameter.help
            or parameter.low is None
            or parameter.high is None
            or parameter.kind not in ("whole", "number")
        ):
            return str(parameter.help)
        return _("%(low)s to %(high)s") % {
            "low": number_text(parameter.low),
            "high": number_text(parameter.high),
        }

    def clean(self) -> dict[str, Any]:
        """Read every parameter by its own rule; the faults stand at their fields."""
        cleaned = super().clean() or {}
        given = {parameter.name: cleaned.get(parameter.name) for parameter in self.verb.parameters}
        try:
            cleaned["parameters"] = checked(self.verb, given, self.points)
        except ValidationError as error:
            for name, faults in error.message_dict.items():
                if name not in self.errors:
                    self.add_error(name if name in self.fields else None, ValidationError(faults))
        return cleaned

    def parts(self) -> list[Part]:
        """Return the fields as the page shows them: what is asked, on the map or in fields, then how it is sent."""
        figure = FIGURES.get(self.verb.code)
        asked = Part()
        limits, sending = Part(_("Limits and alarms")), Part(_("Sending"))
        if figure:
            asked.draw = drawing([figure[0]], {name: self[name].id_for_label for name in figure[1]})
        for field in self:
            if field.name in ("wait", "sure"):
                (sending.ticks if field.name == "sure" else sending.fields).append(field)
            elif isinstance(field.field, forms.BooleanField):
                (limits if figure else asked).ticks.append(field)
            else:
                (limits if figure and field.name in CONDITIONS else asked).fields.append(field)
        return [part for part in (asked, limits, sending) if part.fields or part.ticks]

    @property
    def wait(self) -> timedelta:
        """How long the command may wait."""
        return timedelta(seconds=self.cleaned_data["wait"])
