"""The parameters of commands: each knows what it takes and how to read it from a form (text) or the interface (JSON)."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from yuanmai.protocols.jt808 import params as terminal

Text = str | Promise
MOST_CORNERS = 500
MOST_LISTED = 125


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `kind` is a key of `READERS`; `low` and `high` bound numbers, or the length of texts (bytes in `coding`)."""

    name: str
    label: Text
    kind: str = "text"
    required: bool = True
    low: float | None = None
    high: float | None = None
    choices: tuple[tuple[str | int, Text], ...] = ()
    default: Any = None
    help: Text = ""
    pattern: str = ""
    coding: str = "utf-8"

    @property
    def secret(self) -> bool:
        """Whether the value must not be shown or kept after the command has ended."""
        return self.kind == "secret"

    def read(self, given: Any) -> Any:
        """Return the value as it is stored (JSON), None where it is left out; raises ValidationError with what is wanted."""
        if isinstance(given, str):
            given = given.strip()
        if given is None or given == "" or given == [] or given == {}:
            if self.required and self.kind != "yes":
                raise ValidationError(_("This is needed."))
            return False if self.kind == "yes" else None
        return READERS[self.kind](self, given)


def number_text(number: float) -> str:
    """Return a bound as people read it: whole numbers with all their digits."""
    return str(int(number)) if number == int(number) else f"{number:g}"


def _number(parameter: Parameter, given: Any) -> float:
    try:
        value = float(given) if not isinstance(given, bool) else math.nan
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise ValidationError(_("A number is wanted."))
    return _bounded(parameter, value)


def _bounded(parameter: Parameter, value: float) -> float:
    low, high = parameter.low, parameter.high
    shown = [None if bound is None else number_text(bound) for bound in (low, high)]
    if (low is not None and value < low) or (high is not None and value > high):
        if low is not None and high is not None:
            raise ValidationError(
                _("Between %(low)s and %(high)s.") % {"low": f"{low:g}", "high": f"{high:g}"}
            )
        limit = {"limit": shown[0] or shown[1]}
        raise ValidationError(
            (_("At least %(limit)s.") if low is not None else _("At most %(limit)s.")) % limit
        )
    return value


def _whole(parameter: Parameter, given: Any) -> int:
    if isinstance(given, bool) or not re.fullmatch(r"[+-]?\d{1,15}", str(given)):
        raise ValidationError(_("A whole number is wanted."))
    return int(_bounded(parameter, int(given)))


def _text(parameter: Parameter, given: Any) -> str:
    if not isinstance(given, str | int | float) or isinstance(given, bool):
        raise ValidationError(_("A text is wanted."))
    text = str(given)
    try:
        size = len(text.encode(parameter.coding))
    except UnicodeEncodeError as error:
        raise ValidationError(
            _("“%(sign)s” cannot be sent to the device.") % {"sign": text[error.start]}
        ) from None
    if parameter.high is not None and size > parameter.high:
        raise ValidationError(
            _("At most %(most)d bytes (a Chinese character has two or three); these are %(size)d.")
            % {"most": parameter.high, "size": size}
        )
    if parameter.pattern and not re.fullmatch(parameter.pattern, text):
        raise ValidationError(str(parameter.help) or _("Not of the form that is wanted."))
    return text


def _yes(_parameter: Parameter, given: Any) -> bool:
    return given in (True, 1, "1", "on", "true", "True", "yes")


def _choice(parameter: Parameter, given: Any) -> Any:
    found = next((value for value, _name in parameter.choices if str(value) == str(given)), None)
    if found is None:
        offered = ", ".join(str(value) for value, _name in parameter.choices)
        raise ValidationError(_("One of these: %(offered)s.") % {"offered": offered})
    return found


def _moment(_parameter: Parameter, given: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(given))
    except ValueError:
        raise ValidationError(_("A date and time is wanted, like 2026-01-31 08:00.")) from None
    if timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _corners(parameter: Parameter, given: Any) -> list[list[float]]:
    rows: list[Any] = (
        given if isinstance(given, list) else [line for line in str(given).splitlines() if line.strip()]
    )
    least = int(parameter.low or 3)
    if not least <= len(rows) <= MOST_CORNERS:
        wanted = {"least": least, "most": MOST_CORNERS}
        raise ValidationError(_("Between %(least)d and %(most)d points, one in each line.") % wanted)
    return [_corner(number, row) for number, row in enumerate(rows, 1)]


def _corner(number: int, row: Any) -> list[float]:
    parts = row if isinstance(row, list | tuple) else re.split(r"[\s,，;；]+", str(row).strip())
    try:
        longitude, latitude = (float(part) for part in parts)
        good = abs(longitude) <= 180 and abs(latitude) <= 90
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValidationError(
            _("Line %(number)d: longitude and latitude are wanted, like 113.151200, 27.830500.")
            % {"number": number}
        )
    return [round(longitude, 6), round(latitude, 6)]


def _wholes(parameter: Parameter, given: Any) -> list[int]:
    parts = (
        given if isinstance(given, list) else [part for part in re.split(r"[\s,，;；]+", str(given)) if part]
    )
    if len(parts) > MOST_LISTED:
        raise ValidationError(_("At most %(most)d numbers.") % {"most": MOST_LISTED})
    return [_whole(parameter, part) for part in parts]


def _names(_parameter: Parameter, given: Any) -> list[str]:
    parts = (
        given if isinstance(given, list) else [part for part in re.split(r"[\s,，;；]+", str(given)) if part]
    )
    for part in parts:
        if part not in terminal.BY_NAME:
            raise ValidationError(_("“%(name)s” is no parameter of a terminal.") % {"name": part})
    return list(dict.fromkeys(parts))[:255]


def _pairs(parameter: Parameter, given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        rows = [line.partition("=") for line in str(given).splitlines() if line.strip()]
        given = {name.strip(): value.strip() for name, _sign, value in rows}
    for name in _names(parameter, list(given)):
        try:
            terminal.write(name, given[name])
        except (ValueError, OverflowError, TypeError, UnicodeError):
            problem = {"name": name, "value": str(given[name])[:60]}
            raise ValidationError(_("%(name)s cannot be “%(value)s”.") % problem) from None
    return dict(given)


def _payload(parameter: Parameter, given: Any) -> str:
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return _text(parameter, text)


READERS: dict[str, Callable[[Parameter, Any], Any]] = {
    "text": _text,
    "long": _text,
    "secret": _text,
    "number": _number,
    "whole": _whole,
    "yes": _yes,
    "choice": _choice,
    "moment": _moment,
    "corners": _corners,
    "wholes": _wholes,
    "names": _names,
    "pairs": _pairs,
    "payload": _payload,
    "point": _text,  # the code of a point that can be set: `verbs.checked` knows those of the device
}
