"""How commands, their states, parameters and answers are said."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.policy import Text
from yuanmai.devices.commands.verbs import Verb, verb_of
from yuanmai.devices.engine.states import state_word
from yuanmai.devices.models import Command, Point
from yuanmai.devices.models.command import CommandState
from yuanmai.devices.registry.wording import english

TONES: dict[str, str] = {
    CommandState.QUEUED: "secondary",
    CommandState.SENT: "info",
    CommandState.ACCEPTED: "info",
    CommandState.DONE: "success",
    CommandState.FAILED: "danger",
    CommandState.TIMED_OUT: "warning",
    CommandState.CANCELLED: "secondary",
}
ICONS: dict[str, str] = {
    CommandState.QUEUED: "hourglass",
    CommandState.SENT: "send",
    CommandState.ACCEPTED: "progress",
    CommandState.DONE: "circle-check",
    CommandState.FAILED: "circle-x",
    CommandState.TIMED_OUT: "clock",
    CommandState.CANCELLED: "ban",
}
# What `answer["code"]` may be: of the protocols and of the gateway.
CODES: dict[str, Text] = {
    "success": gettext_lazy("Carried out"),
    "ok": gettext_lazy("Carried out"),
    "delivered": gettext_lazy("Taken by the device, which says nothing of the result"),
    "handed_to_broker": gettext_lazy("Handed to the broker; the device says nothing of the result"),
    "no_data": gettext_lazy("Carried out; there were no data"),
    "data_without_result": gettext_lazy("Data came, but no word that it was all"),
    "refused": gettext_lazy("The device refuses"),
    "password": gettext_lazy("The device expects another password"),
    "station_number": gettext_lazy("The device does not go by this identity"),
    "system": gettext_lazy("The device does not know the system code"),
    "flag": gettext_lazy("The device does not understand the flags of the message"),
    "request_number": gettext_lazy("The device does not accept the request number"),
    "command": gettext_lazy("The device does not know this command"),
    "crc": gettext_lazy("The message reached the device damaged"),
    "unknown": gettext_lazy("The device gives a reason that nobody knows"),
    "failed": gettext_lazy("The device could not carry it out"),
    "condition": gettext_lazy("The device lacks a condition for it"),
    "timeout": gettext_lazy("No answer in time"),
    "busy": gettext_lazy("The device is busy"),
    "fault": gettext_lazy("The device has a fault"),
    "bad_message": gettext_lazy("The device finds the message wrong"),
    "unsupported": gettext_lazy("The device does not support it"),
    "alarm_confirmed": gettext_lazy("The alarm is confirmed"),
    "no_channel": gettext_lazy("The device has no such camera"),
    "unreadable_answer": gettext_lazy("The answer could not be read"),
    "unknown_verb": gettext_lazy("The gateway does not know this command"),
    "bad_parameters": gettext_lazy("The command cannot be put into the device's protocol"),
    "interrupted": gettext_lazy(
        "The connection broke; it is not known whether the device has carried it out"
    ),
    "disconnected": gettext_lazy("The device has gone; the command waits for it"),
    "expired": gettext_lazy("The device did not come in time"),
    "unreachable": gettext_lazy("The device cannot be reached"),
    "error": gettext_lazy("An error of the gateway; its log says more"),
}


def local(moment: datetime | str | None) -> str:
    """Return a moment in local time to the second, "–" for none."""
    if isinstance(moment, str):
        moment = parse_datetime(moment)
    return date_format(localtime(moment), "Y-m-d H:i:s") if moment is not None else "–"


def exact(text: str) -> str:
    """Return the time of day of an entry of the trace, to the millisecond."""
    moment = parse_datetime(text)
    return localtime(moment).strftime("%H:%M:%S.%f")[:12] if moment is not None else "–"


def code_word(code: str) -> str:
    """Return a result in words; the code itself where there are none."""
    return str(CODES.get(code, code))


def result(row: Command) -> str:
    """Return in words how a command ended or what it waits for."""
    code = row.answer.get("code", "") if isinstance(row.answer, Mapping) else ""
    detail = row.answer.get("detail", "") if isinstance(row.answer, Mapping) else ""
    if not code:
        return ""
    return f"{code_word(code)} ({detail})" if detail else code_word(code)


def parameters_said(row: Command) -> list[tuple[str, str]]:
    """Return the parameters with their labels and values as people read them."""
    verb = verb_of(row.device.protocol, row.verb)
    if verb is None:
        return [(name, str(value)) for name, value in row.parameters.items()]
    if verb.writes_point and (point := written(row)) is not None:
        value = row.parameters.get("value")
        word = state_word(point.states, value, english=english()) if isinstance(value, int | float) else ""
        told = f"{value:g} {point.unit}".strip() if isinstance(value, int | float) else str(value)
        return [(_("Point"), point.label), (_("Value"), f"{word} ({told})" if word else told)]
    return [
        (str(parameter.label), value_said(verb, parameter.name, row.parameters[parameter.name]))
        for parameter in verb.parameters
        if row.parameters.get(parameter.name, False) is not False
    ]


def written(row: Command) -> Point | None:
    """Return the point that a command sets."""
    return Point.objects.filter(device_id=row.device_id, code=row.parameters.get("point", "")).first()


def value_said(verb: Verb, name: str, value: Any) -> str:
    """Return the value of a parameter as people read it."""
    parameter = next(parameter for parameter in verb.parameters if parameter.name == name)
    if parameter.secret:
        return "••••••"
    if parameter.kind == "choice":
        return next((str(label) for known, label in parameter.choices if known == value), str(value))
    if parameter.kind == "yes":
        return _("yes") if value else _("no")
    if parameter.kind == "moment":
        return local(str(value))
    if parameter.kind == "corners":
        return _("%(number)d points") % {"number": len(value)}
    if parameter.kind == "pairs":
        return ", ".join(f"{key} = {entry}" for key, entry in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def spaced(digits: str) -> str:
    """Return hexadecimal digits in pairs."""
    return " ".join(digits[place : place + 2] for place in range(0, len(digits), 2)).upper()
