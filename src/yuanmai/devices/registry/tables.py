"""The columns of the register: head, cell on the page, value in Excel; and how states and values are said."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from yuanmai.core.documents import Kind as CellKind
from yuanmai.core.policy import Text
from yuanmai.core.templatetags.ui import icon
from yuanmai.devices.engine import quality
from yuanmai.devices.engine.states import state_word
from yuanmai.devices.models import Device, Point, Protocol
from yuanmai.devices.registry.wording import english

QUALITY: tuple[tuple[int, Text], ...] = (
    (quality.FLAGGED, gettext_lazy("marked invalid by the device")),
    (quality.RANGE, gettext_lazy("outside the plausible range")),
    (quality.CLOCK, gettext_lazy("impossible time")),
    (quality.NOT_A_NUMBER, gettext_lazy("not a number")),
    (quality.JUMP, gettext_lazy("changed too fast")),
    (quality.AHEAD, gettext_lazy("ahead of its arrival")),
    (quality.LATE, gettext_lazy("came late")),
    (quality.SUBSTITUTED, gettext_lazy("replaced by hand")),
)
TONES = {
    "online": "success",
    "offline": "danger",
    "never": "secondary",
    "paused": "warning",
    "retired": "secondary",
}
ICONS = {
    "online": "circle-check",
    "offline": "circle-x",
    "never": "circle-dashed",
    "paused": "player-pause",
    "retired": "archive",
}


def standing(device: Device) -> str:
    """Return how a device stands: online, offline, never (heard), paused, retired."""
    if device.retired_at:
        return "retired"
    if not device.enabled:
        return "paused"
    state = getattr(device, "state", None)
    if state is None or state.last_seen is None:
        return "never"
    return "online" if state.online else "offline"


def standing_word(code: str) -> str:
    """Return how it stands in words."""
    return {
        "online": _("Online"),
        "offline": _("Offline"),
        "never": _("Never heard"),
        "paused": _("Not in use"),
        "retired": pgettext("device", "Not in the register"),
    }[code]


def standing_badge(device: Device) -> SafeString:
    """Return how a device stands as a badge; a sign besides the colour."""
    code = standing(device)
    return format_html(
        '<span class="ym-badge" data-tone="{}" data-device-state="{}">{}{}</span>',
        TONES[code], device.pk, icon(ICONS[code]), standing_word(code),
    )  # fmt: skip


def quality_words(bits: int) -> list[str]:
    """Return what is wrong with a reading in words; empty for a good one."""
    return [str(words) for bit, words in QUALITY if bits & bit]


def value_text(point: Point, value: float | None) -> str:
    """Return a value as people read it: the name of a state, or the number with the point's decimals; "–" for none."""
    if value is None or value != value:
        return "–"
    if point.kind == "state":
        word = state_word(point.states, value, english=english())
        if word:
            return word
        return f"{value:g}"
    return f"{value:,.{point.decimals}f}"


def age(moment: datetime | None, now: datetime | None = None) -> str:
    """Return how long ago something was: 5 s, 3 min, 2 h, 4 d; "–" for never."""
    if moment is None:
        return "–"
    seconds = int(((now or timezone.now()) - moment) / timedelta(seconds=1))
    if seconds < 0:
        return _("in the future")
    for size, text in ((86_400, _("%(n)s d ago")), (3_600, _("%(n)s h ago")), (60, _("%(n)s min ago"))):
        if seconds >= size:
            return text % {"n": seconds // size}
    return _("%(n)s s ago") % {"n": seconds}


def local(moment: datetime | str | None) -> str:
    """Return a moment in local time to the second; "–" for none."""
    if isinstance(moment, str):
        moment = parse_datetime(moment)
    return date_format(localtime(moment), "Y-m-d H:i:s") if moment else "–"


def span_text(seconds: int) -> str:
    """Return a number of seconds in the largest whole unit."""
    for size, singular, plural in (
        (86_400, "%(n)s day", "%(n)s days"), (3_600, "%(n)s hour", "%(n)s hours"), (60, "%(n)s minute", "%(n)s minutes")
    ):  # fmt: skip
        if seconds >= size and seconds % size == 0:
            return ngettext(singular, plural, seconds // size) % {"n": seconds // size}
    return ngettext("%(n)s second", "%(n)s seconds", seconds) % {"n": seconds}


def span_words() -> tuple[str, ...]:
    """Name the units of `span_text`, so that they are found and translated."""
    return (
        ngettext("%(n)s day", "%(n)s days", 1), ngettext("%(n)s hour", "%(n)s hours", 1),
        ngettext("%(n)s minute", "%(n)s minutes", 1), ngettext("%(n)s second", "%(n)s seconds", 1),
    )  # fmt: skip


@dataclass(frozen=True)
class DeviceColumn:
    """A column: `cell` gives HTML for a device, `value` what Excel gets, `order` what it is sorted by."""

    key: str
    label: Text
    cell: Callable[[Device], Any]
    value: Callable[[Device], Any]
    order: Any = None
    number: bool = False
    kind: CellKind = CellKind.TEXT
    width: float = 1.2
    shown: bool = False


def _name(device: Device) -> SafeString:
    return format_html(
        '<a href="{}">{}</a><small class="num">{}</small>',
        reverse("devices:record", args=[device.pk]),
        device.label,
        device.code,
    )


def _related(name: str) -> dict[str, Any]:
    def value(device: Device) -> Any:
        row = getattr(device, name)
        return None if row is None else str(getattr(row, "label", row))

    return {"cell": lambda device: value(device) or "–", "value": value}


def _state(name: str, show: Callable[[Any], Any] = str) -> dict[str, Any]:
    def value(device: Device) -> Any:
        state = getattr(device, "state", None)
        return getattr(state, name, None) or None

    return {
        "cell": lambda device: "–" if value(device) is None else show(value(device)),
        "value": lambda device: None if value(device) is None else show(value(device)),
    }


def _heard(device: Device) -> Any:
    state = getattr(device, "state", None)
    if state is None or state.last_seen is None:
        return "–"
    return format_html(
        '<time class="text-nowrap" datetime="{}" title="{}">{}</time>',
        state.last_seen.isoformat(),
        local(state.last_seen),
        age(state.last_seen),
    )


def _place(device: Device) -> str:
    if device.mobile:
        return pgettext("of a device", "moves")
    return "–" if device.longitude is None else f"{device.longitude:.5f}, {device.latitude:.5f}"


def _alarms(device: Device) -> Any:
    number = getattr(device, "alarm_count", 0)
    return format_html('<span class="ym-badge" data-tone="danger">{}</span>', number) if number else "–"


COLUMNS: tuple[DeviceColumn, ...] = (
    DeviceColumn("name", gettext_lazy("Device"), _name, lambda d: d.label, "name", width=2.4, shown=True),
    DeviceColumn("code", gettext_lazy("Code"), lambda d: format_html('<span class="ym-code">{}</span>', d.code), lambda d: d.code, "code"),
    DeviceColumn("state", gettext_lazy("State"), standing_badge, lambda d: standing_word(standing(d)), "state__online", shown=True),
    DeviceColumn("last_seen", gettext_lazy("Last heard"), _heard, _state("last_seen", local)["value"], "state__last_seen", shown=True, width=1.6),
    DeviceColumn("alarms", gettext_lazy("Open alarms"), _alarms, lambda d: getattr(d, "alarm_count", 0) or None, None, number=True, kind=CellKind.INTEGER),
    DeviceColumn("template", gettext_lazy("Template"), **_related("template"), order="template__name", shown=True, width=1.8),
    DeviceColumn("protocol", gettext_lazy("Protocol"), lambda d: SHORT[d.protocol], lambda d: SHORT[d.protocol], "protocol", shown=True),
    DeviceColumn("key", gettext_lazy("Identity in the protocol"), lambda d: format_html('<span class="ym-code">{}</span>', d.key), lambda d: d.key, "key", width=2.0),
    DeviceColumn("park", gettext_lazy("Park"), **_related("park"), order="park__name", shown=True, width=1.6),
    DeviceColumn("building", gettext_lazy("Building"), **_related("building"), order="building__name", shown=True),
    DeviceColumn("enterprise", gettext_lazy("Enterprise"), **_related("enterprise"), order="enterprise__name", shown=True, width=2.0),
    DeviceColumn("organisation", gettext_lazy("Organisation"), **_related("org"), order="org__path"),
    DeviceColumn("parent", gettext_lazy("Part of"), **_related("parent"), order="parent__code"),
    DeviceColumn("place", gettext_lazy("Position"), _place, _place, "longitude", width=1.6),
    DeviceColumn("address", gettext_lazy("Network address"), **_state("address"), order="state__address", width=1.4),
    DeviceColumn("readings", gettext_lazy("Readings"), _state("readings", lambda n: f"{n:,}")["cell"], _state("readings", int)["value"], "state__readings", number=True, kind=CellKind.INTEGER),
    DeviceColumn("installed_on", gettext_lazy("Installed on"), lambda d: d.installed_on.isoformat() if d.installed_on else "–", lambda d: d.installed_on, "installed_on", kind=CellKind.DATE),
    DeviceColumn("silence_after", gettext_lazy("Offline after"), lambda d: span_text(d.silence_after), lambda d: span_text(d.silence_after), "silence_after"),
)  # fmt: skip
SHORT: Mapping[str, str] = {
    Protocol.HJ212: "HJ 212", Protocol.JT808: "JT/T 808", Protocol.MQTT: "MQTT", Protocol.SPARKPLUG: "Sparkplug B",
    Protocol.MODBUS: "Modbus TCP", Protocol.DLT645: "DL/T 645", Protocol.CJT188: "CJ/T 188", Protocol.HTTP: "HTTP",
}  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}
DEFAULT = tuple(column.key for column in COLUMNS if column.shown)
ORDERS: dict[str, Any] = {column.key: column.order for column in COLUMNS if column.order}


def chosen(keys: list[str]) -> list[DeviceColumn]:
    """Return the columns of these keys in the order of the table; the name always stands first."""
    wanted = set(keys) | {"name"}
    return [column for column in COLUMNS if column.key in wanted]


def heads(columns: list[DeviceColumn], sort: str, query: Any) -> list[dict[str, Any]]:
    """Return the table's head: column, the address that sorts by it, and how it is sorted now."""
    result = []
    for column in columns:
        state = {column.key: "ascending", f"-{column.key}": "descending"}.get(sort, "")
        values = query.copy()
        values.pop("page", None)
        first = f"-{column.key}" if column.number or column.key in ("state", "last_seen") else column.key
        values["sort"] = first if not state else (column.key if state == "descending" else f"-{column.key}")
        result.append(
            {"column": column, "state": state, "url": f"?{values.urlencode()}" if column.order else ""}
        )
    return result
