"""Rules, faults and alarms in words of the active language."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from yuanmai.core.figures.display import chinese
from yuanmai.devices.engine.rules import conditions as c
from yuanmai.devices.engine.rules.definition import Definition, Fault
from yuanmai.devices.engine.rules.shapes import Circle
from yuanmai.devices.engine.rules.windows import Window
from yuanmai.devices.engine.states import state_word
from yuanmai.devices.models import Alarm, Severity

# Stands in a preset for the outline of a park that is still to be chosen.
NOWHERE = Circle(0.0, 0.0, 1.0)
TONES = {4: "danger", 3: "warning", 2: "info", 1: "secondary"}


class PointName(NamedTuple):
    """How a point is called: its unit, and what its states are called."""

    name: str
    unit: str = ""
    states: Mapping[str, str] = {}


Named = Callable[
    [str, str], PointName
]  # of a point and the device that was named with it, "" for the device itself
CAUSES = {
    "value": gettext_lazy("by a reading"),
    "silence": gettext_lazy("by silence"),
    "hours": gettext_lazy("the hours of the rule ended"),
    "withdrawn": gettext_lazy("the rule or the device is no longer in use"),
}
FLAGS = {
    "flagged": gettext_lazy("marked as doubtful by the device"), "range": gettext_lazy("outside the plausible range"),
    "clock": gettext_lazy("with a wrong clock"), "not_a_number": gettext_lazy("without a readable value"),
    "jump": gettext_lazy("jumped"), "late": gettext_lazy("late by more than a day"),
    "ahead": gettext_lazy("ahead of time"), "substituted": gettext_lazy("set by hand"),
}  # fmt: skip
DAYS = {
    "all": gettext_lazy("every day"),
    "working": gettext_lazy("on working days"),
    "off": gettext_lazy("on days off"),
}
WEEKDAYS = (
    gettext_lazy("Monday"), gettext_lazy("Tuesday"), gettext_lazy("Wednesday"), gettext_lazy("Thursday"),
    gettext_lazy("Friday"), gettext_lazy("Saturday"), gettext_lazy("Sunday"),
)  # fmt: skip
PER = {
    "minute": gettext_lazy("a minute"), "hour": gettext_lazy("an hour"), "day": gettext_lazy("a day"),
}  # fmt: skip


def number(value: float) -> str:
    """Return a number without needless zeros, six significant digits."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.6g}"
    return f"{value:.0f}" if "e" in text and abs(value) < 1e15 and value == int(value) else text


def quantity(value: float, unit: str) -> str:
    """Return a number with its unit."""
    return f"{number(value)} {unit}".strip()


def _count(unit: str, n: int) -> str:
    if unit == "day":
        return ngettext("%(n)s day", "%(n)s days", n) % {"n": n}
    if unit == "hour":
        return ngettext("%(n)s hour", "%(n)s hours", n) % {"n": n}
    if unit == "minute":
        return ngettext("%(n)s minute", "%(n)s minutes", n) % {"n": n}
    return ngettext("%(n)s second", "%(n)s seconds", n) % {"n": n}


def duration(seconds: float) -> str:
    """Return a duration in the largest units that say it exactly."""
    parts: list[str] = []
    rest = round(seconds)
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        count, rest = divmod(rest, size)
        if count:
            parts.append(_count(unit, count))
    return " ".join(parts) or _("no time")


def plain_names(point: str, device: str) -> PointName:
    """Name points by their codes: where nothing better is known."""
    return PointName(f"{device} {point}".strip())


def named_by(names: Mapping[str, PointName]) -> Named:
    """Name points by what was found of them, by their codes where nothing was."""

    def named(point: str, device: str) -> PointName:
        found = names.get(point, PointName(point))
        return found._replace(name=f"{device} {found.name}") if device else found

    return named


def condition_text(condition: c.Condition, named: Named = plain_names, *, nested: bool = False) -> str:
    """Return a condition as a part of a sentence."""
    if isinstance(condition, c.All | c.AnyOf):
        joint = _(" and ") if isinstance(condition, c.All) else _(" or ")
        text = joint.join(condition_text(part, named, nested=True) for part in condition.conditions)
        return _("(%(text)s)") % {"text": text} if nested and len(condition.conditions) > 1 else text
    if isinstance(condition, c.Not):
        return _("it is not so that %(text)s") % {
            "text": condition_text(condition.condition, named, nested=True)
        }
    return _leaf_text(condition, named)


def _state(value: float, states: Mapping[str, str]) -> str:
    word = state_word(states, value, english=not chinese())
    return _("“%(state)s”") % {"state": word} if word else number(value)


def _leaf_text(leaf: c.Leaf, named: Named) -> str:
    if isinstance(leaf, c.Fence):
        return _fence_text(leaf)
    if isinstance(leaf, c.Missing):
        if not leaf.point:
            who = leaf.device or _("the device")
            return _("nothing is heard from %(who)s for %(time)s") % {
                "who": who,
                "time": duration(leaf.after),
            }
        name = named(leaf.point, leaf.device).name
        return _("no reading of %(name)s comes for %(time)s") % {"name": name, "time": duration(leaf.after)}
    name, unit, states = named(leaf.point, leaf.device)
    if isinstance(leaf, c.Among):
        values = pgettext("list", " or ").join(_state(value, states) for value in sorted(leaf.values))
        return _("%(name)s is %(values)s") % {"name": name, "values": values}
    if isinstance(leaf, c.Doubtful):
        flags = pgettext("list", " or ").join(
            str(FLAGS[flag]) for flag, bit in c.FLAGS.items() if leaf.mask & bit
        )
        return _("a reading of %(name)s is %(flags)s") % {"name": name, "flags": flags}
    if isinstance(leaf, c.Rate):
        what = _("the increase of %(name)s is") if leaf.counter else _("the change of %(name)s is")
        return _("%(what)s %(bounds)s %(per)s (over %(over)s)") % {
            "what": what % {"name": name}, "bounds": bounds_text(leaf.bounds, unit), "per": PER[leaf.per],
            "over": duration(leaf.over),
        }  # fmt: skip
    return _("%(name)s is %(bounds)s") % {"name": name, "bounds": bounds_text(leaf.bounds, unit)}


def bounds_text(bounds: c.Bounds, unit: str = "") -> str:
    """Return limits in words."""
    if bounds.compare == "above":
        return _("above %(limit)s") % {"limit": quantity(bounds.high, unit)}
    if bounds.compare == "below":
        return _("below %(limit)s") % {"limit": quantity(bounds.low, unit)}
    low, high = number(bounds.low), quantity(bounds.high, unit)
    if bounds.compare == "inside":
        return _("between %(low)s and %(high)s") % {"low": low, "high": high}
    return _("outside %(low)s to %(high)s") % {"low": low, "high": high}


def _fence_text(leaf: c.Fence) -> str:
    if leaf.shape == NOWHERE:
        figure = _("the outline of the park")
    elif isinstance(leaf.shape, Circle):
        figure = _("the circle of %(radius)s m around %(place)s") % {
            "radius": number(leaf.shape.radius),
            "place": f"{leaf.shape.longitude:.5f}, {leaf.shape.latitude:.5f}",
        }
    else:
        figure = _("the drawn area")
    who = leaf.device or _("the device")
    return (_("%(who)s is inside %(figure)s") if leaf.inside else _("%(who)s is outside %(figure)s")) % {
        "who": who, "figure": figure,
    }  # fmt: skip


def window_text(window: Window) -> str:
    """Return hours in words."""
    days = (
        str(DAYS[window.days])
        if isinstance(window.days, str)
        else ", ".join(str(WEEKDAYS[day - 1]) for day in window.days)
    )

    def clock(minutes: int) -> str:
        return f"{minutes // 60:02}:{minutes % 60:02}"

    return f"{days} {clock(window.begin)}–{clock(window.end)}"


def sentence(definition: Definition, severity: int, named: Named = plain_names) -> str:
    """Return a whole rule in plain words."""
    when, hold = condition_text(definition.when, named), definition.hold
    if hold.of:
        when += _(", in at least %(minutes)s of %(of)s minutes") % {"minutes": hold.minutes, "of": hold.of}
    elif hold.seconds:
        when += _(", for at least %(time)s") % {"time": duration(hold.seconds)}
    parts = [
        _("When %(when)s, an alarm is raised (%(severity)s).")
        % {"when": when, "severity": Severity(severity).label}
    ]
    for grade, condition in definition.grades:
        assert isinstance(condition, c.Threshold | c.Rate)
        unit = named(condition.point, condition.device).unit
        parts.append(
            _("%(bounds)s: %(severity)s.")
            % {
                "bounds": _upper(bounds_text(condition.bounds, unit)), "severity": Severity(grade).label,
            }
        )  # fmt: skip
    ends = _ends(definition, named)
    if ends:
        parts.append(ends)
    if definition.active:
        hours = "; ".join(window_text(window) for window in definition.active)
        parts.append(_("Only %(hours)s.") % {"hours": hours})
    return spaced("".join(parts)) if chinese() else " ".join(parts)


def spaced(text: str) -> str:
    """Return Chinese text with a blank between numbers or units and the characters after them."""
    return (
        re.sub(r"([0-9A-Za-z%°³²）])(?=[时后的为）])", r"\1 ", text).replace("） ", "）").replace(" “", "“")
    )


def _ends(definition: Definition, named: Named) -> str:
    when = definition.when
    slack = ""
    if isinstance(when, c.Threshold | c.Rate) and when.bounds.hysteresis:
        unit = named(when.point, when.device).unit
        slack = _("%(slack)s within the limit") % {"slack": quantity(when.bounds.hysteresis, unit)}
    elif isinstance(when, c.Fence) and when.margin:
        slack = _("%(slack)s beyond the edge") % {"slack": quantity(when.margin, "m")}
    wait = duration(definition.clear_for) if definition.clear_for else ""
    if slack and wait:
        return _("It is cleared when the value is back %(slack)s for %(time)s.") % {
            "slack": slack,
            "time": wait,
        }
    if slack:
        return _("It is cleared when the value is back %(slack)s.") % {"slack": slack}
    return _("It is cleared when it has not held for %(time)s.") % {"time": wait} if wait else ""


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


RULES_OF_FAULTS = {
    "missing": gettext_lazy("must be stated"),
    "number": gettext_lazy("“%(value)s” is not a number"),
    "range": gettext_lazy("%(value)s is not between %(least)s and %(most)s"),
    "text": gettext_lazy("“%(value)s” is not a short text"),
    "choice": gettext_lazy("“%(value)s” is not among: %(among)s"),
    "unknown": gettext_lazy("is not known here"),
    "object": gettext_lazy("must be an object"),
    "list": gettext_lazy("must be a list of at most %(most)s entries"),
    "whole": gettext_lazy("must be whole numbers"),
    "boolean": gettext_lazy("must be true or false"),
    "numbers": gettext_lazy("must be a list of numbers"),
    "order": gettext_lazy("%(low)s lies above %(high)s"),
    "hysteresis": gettext_lazy("%(value)s leaves no value between the limits at which the alarm could be cleared"),
    "grades_kind": gettext_lazy("grades are possible for limits and rates only"),
    "twice": gettext_lazy("names a severity twice"),
    "too_deep": gettext_lazy("too many conditions within each other"),
    "time": gettext_lazy("“%(value)s” is not a time like 08:30"),
    "weekdays": gettext_lazy("“%(value)s” is not all, working, off or a list of days 1 to 7"),
    "empty": gettext_lazy("ends when it begins"),
    "shape": gettext_lazy("must be a polygon or a circle"),
    "radius": gettext_lazy("the radius must be 1 to 500,000 m"),
    "corners": gettext_lazy("an area needs at least three corners"),
    "too_many": gettext_lazy("has more than %(value)s corners"),
    "position": gettext_lazy("“%(value)s” is not a position (longitude, latitude)"),
}  # fmt: skip


PARTS = {
    "when.point": gettext_lazy("Point"), "when.limit": gettext_lazy("Limit"), "when.low": gettext_lazy("Lower limit"),
    "when.high": gettext_lazy("Upper limit"), "when.hysteresis": gettext_lazy("Hysteresis"), "when.after": gettext_lazy("Silent for (s)"),
    "when.over": gettext_lazy("Measured over (s)"), "when.values": gettext_lazy("Values"), "when.shape": gettext_lazy("Geofence"),
    "hold.minutes": gettext_lazy("Minutes in which it holds"), "hold.of": gettext_lazy("Of so many minutes"),
    "hold.for": gettext_lazy("Seconds without interruption"), "clear_for": gettext_lazy("Cleared after (s)"),
}  # fmt: skip


def fault_text(fault: Fault) -> str:
    """Return what is wrong, with where it stands: the name of the field where a form has one, else the path in the JSON."""
    text = str(RULES_OF_FAULTS[fault.rule]) % fault.values
    where = PARTS.get(fault.path, fault.path)
    return _("%(where)s: %(text)s") % {"where": where, "text": text} if where else text


def faults_text(faults: Sequence[Fault]) -> list[str]:
    """Return everything that is wrong, a line each."""
    return [fault_text(fault) for fault in faults]


def alarm_title(alarm: Alarm) -> str:
    """Return what happened where, shortly."""
    return _("%(device)s: %(rule)s") % {"device": alarm.device.label, "rule": alarm.rule.label}


def alarm_text(alarm: Alarm, event: str) -> tuple[str, str]:
    """Return subject and text of a message about an alarm; `event` is group, severity, cleared or escalate."""
    words = {
        "cleared": _("Cleared"),
        "severity": _("Severity changed"),
        "escalate": _("Not acknowledged"),
    }
    severity = str(Severity(alarm.severity).label)
    head = words.get(event) or severity
    subject = _("[%(head)s] %(title)s") % {"head": head, "title": alarm_title(alarm)}
    lines = [alarm_title(alarm), _("Severity: %(severity)s") % {"severity": severity}]
    lines.append(_("Raised: %(at)s") % {"at": local(alarm.raised_at)})
    if alarm.cleared_at:
        lines.append(_("Cleared: %(at)s") % {"at": local(alarm.cleared_at)})
    if (text := evidence_text(alarm)) and event != "cleared":
        lines.append(text)
    others = alarm.group.alarms - 1 if alarm.group is not None else 0
    if others > 0:
        lines.append(
            ngettext("and %(n)s more of the same kind", "and %(n)s more of the same kind", others)
            % {"n": others}
        )
    if alarm.version.advice and event != "cleared":
        lines.append(_("What to do: %(advice)s") % {"advice": alarm.version.advice})
    return subject, "\n".join(lines)


def evidence_text(alarm: Alarm) -> str:
    """Return the value that raised an alarm, where one did."""
    found: Mapping[str, Any] | None = next((e for e in alarm.evidence if e and e["point"]), None)
    if found is None or alarm.point is None or alarm.cause == "silence":
        return ""
    return _("Value: %(value)s") % {"value": quantity(found["value"], alarm.point.unit)}


def local(at: Any) -> str:
    """Return a moment as people read it."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S")
