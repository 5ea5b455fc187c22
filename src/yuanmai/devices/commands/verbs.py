"""What can be asked of a device, by protocol: names, parameters, whether it may be sent twice."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.devices.commands.parameters import Parameter, Text
from yuanmai.devices.models import Device, Point


@dataclass(frozen=True, slots=True)
class Verb:
    """One command. `repeatable`: being carried out twice does no harm, so it is tried again after a broken connection.

    `drastic`: it cuts the device off or empties something; the form asks once more. `group` is a heading in the choice.
    """

    code: str
    name: Text
    group: Text
    parameters: tuple[Parameter, ...] = ()
    help: Text = ""
    icon: str = "send"
    repeatable: bool = True
    drastic: bool = False
    writes_point: bool = False

    def secrets(self) -> list[str]:
        """Return the names of parameters that are not to be shown or kept."""
        return [parameter.name for parameter in self.parameters if parameter.secret]


def verbs_of(protocol: str) -> dict[str, Verb]:
    """Return the commands of a protocol by code, in the order they are offered."""
    from yuanmai.devices.commands.verb_tables import VERBS

    return VERBS.get(protocol, {})


def verb_of(protocol: str, code: str) -> Verb | None:
    """Return a command of a protocol, or nothing."""
    return verbs_of(protocol).get(code)


def verb_name(protocol: str, code: str) -> str:
    """Return the name of a command for people; its code where it is none of today's."""
    verb = verb_of(protocol, code)
    return str(verb.name) if verb is not None else code


def settable(device: Device) -> list[Point]:
    """Return the points of a device that can be set."""
    return list(Point.objects.filter(device=device, writable=True, retired_at=None))


def offered(device: Device, points: Iterable[Point]) -> list[Verb]:
    """Return what can be asked of this device, given the points of it that can be set."""
    writable = bool(list(points))
    return [verb for verb in verbs_of(device.protocol).values() if writable or not verb.writes_point]


def checked(verb: Verb, given: Mapping[str, Any], points: Iterable[Point] = ()) -> dict[str, Any]:
    """Return the parameters as they are stored; raises ValidationError with the faults by parameter.

    `points` are those of the device that can be set: a written point must be one of them, its value plausible for it.
    """
    known = {parameter.name for parameter in verb.parameters}
    faults: dict[str, Any] = {
        name: _("This command takes no such parameter.") for name in given if name not in known
    }
    values: dict[str, Any] = {}
    for parameter in verb.parameters:
        try:
            value = parameter.read(given.get(parameter.name))
        except ValidationError as error:
            faults[parameter.name] = error
            continue
        if value is not None:
            values[parameter.name] = value
    if not faults:
        faults = _together(verb, values, {point.code: point for point in points})
    if faults:
        raise ValidationError(faults)
    return values


def _together(verb: Verb, values: Mapping[str, Any], points: Mapping[str, Point]) -> dict[str, str]:
    """What is wrong with parameters that are right one by one."""
    if verb.writes_point:
        return _point_faults(values, points)
    if "begin" in values or "end" in values:
        if "begin" not in values or "end" not in values:
            return {"end" if "begin" in values else "begin": _("Beginning and end belong together.")}
        if datetime.fromisoformat(values["end"]) <= datetime.fromisoformat(values["begin"]):
            return {"end": _("The end comes after the beginning.")}
    if "north" in values and (values["north"] <= values["south"] or values["east"] <= values["west"]):
        return {"north": _("North lies above south, east to the right of west.")}
    if verb.code == "intervals_set" and not values:
        return {"report": _("At least one interval is needed.")}
    return {}


def _point_faults(values: Mapping[str, Any], points: Mapping[str, Point]) -> dict[str, str]:
    point = points.get(values["point"])
    if point is None:
        return {"point": _("This device has no such point that can be set.")}
    value = values["value"]
    if point.kind == "state" and point.states and f"{value:g}" not in point.states:
        return {"value": _("One of these: %(offered)s.") % {"offered": ", ".join(point.states)}}
    if (point.low is not None and value < point.low) or (point.high is not None and value > point.high):
        bounds = {
            "low": "–" if point.low is None else f"{point.low:g}",
            "high": "–" if point.high is None else f"{point.high:g}",
        }
        return {"value": _("Plausible values of this point: %(low)s to %(high)s.") % bounds}
    return {}


def group_of_all() -> Text:
    """Return the heading of commands without one."""
    return gettext_lazy("Commands")
