"""What has changed in the tables since a moment: a few queries, whatever the number of listeners."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Max, Q

from yuanmai.core.scope import everywhere
from yuanmai.devices.live.topics import Event, Topics
from yuanmai.devices.models import Alarm, Command, DeviceState, Latest

# More than this since the last look is told as "look at everything again".
MOST_EVENTS = 2000
FEW_DEVICES = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far each table has been read: revisions, written as the identifier of an event."""

    latest: int = 0
    state: int = 0
    command: int = 0
    alarm: int = 0

    def __str__(self) -> str:
        return f"{self.latest}.{self.state}.{self.command}.{self.alarm}"

    @classmethod
    def read(cls, text: str) -> "Cursor | None":
        """Return the cursor that a browser brings back, or None where it is none."""
        parts = text.split(".")
        if len(parts) != 4 or not all(part.isdigit() and len(part) < 19 for part in parts):
            return None
        return cls(*map(int, parts))

    @classmethod
    def now(cls) -> "Cursor":
        """Return the cursor behind everything that is there."""

        def newest(model: Any) -> int:
            return model.objects.aggregate(newest=Max("revision"))["newest"] or 0

        with everywhere():
            return cls(newest(Latest), newest(DeviceState), newest(Command), newest(Alarm))


@dataclass(frozen=True, slots=True)
class Changes:
    """Events in the order of their revisions; `reset` where there were too many to tell."""

    events: list[Event]
    cursor: Cursor
    reset: bool = False


def changes(since: Cursor, topics: Topics, orgs: Iterable[int] | None = None) -> Changes:
    """Return what has changed behind `since` and belongs to the topics, of these organisations (None: of all)."""
    with everywhere():
        found = [
            _latest(since, topics, orgs),
            _states(since, topics, orgs),
            _commands(since, topics, orgs),
            _alarms(since, topics, orgs),
        ]
    cursor = since
    for name, rows in zip(("latest", "state", "command", "alarm"), found, strict=True):
        if rows:
            cursor = replace(cursor, **{name: rows[-1][0]})
    events = [replace(event, revision=revision) for rows in found for revision, event in rows]
    if any(len(rows) >= MOST_EVENTS for rows in found):
        return Changes([], Cursor.now(), reset=True)
    return Changes(events, cursor)


Rows = list[tuple[int, Event]]


def _within(rows: Any, orgs: Iterable[int] | None, path: str) -> Any:
    return rows if orgs is None else rows.filter(**{f"{path}__in": list(orgs)})


def _latest(since: Cursor, topics: Topics, orgs: Iterable[int] | None) -> Rows:
    """Values are told of single devices only: a list of thousands would drown the browser."""
    if not topics.devices:
        return []
    rows = Latest.objects.filter(
        revision__gt=since.latest, point__device_id__in=sorted(topics.devices)[:FEW_DEVICES]
    ).order_by("revision")
    merged: dict[int, tuple[int, Event]] = {}
    for row in _within(rows, orgs, "point__device__org_id").values_list(
        "revision", "point__device__org_id", "point__device_id", "point_id", "value", "time", "quality"
    )[:MOST_EVENTS]:
        revision, org, device, point, value, time, quality = row
        known = merged.pop(device, None)
        points = dict(known[1].data["points"]) if known else {}
        points[str(point)] = [int(time.timestamp() * 1000), value, quality]
        merged[device] = (revision, Event("latest", org, device, {"device": device, "points": points}))
    return list(merged.values())


def _states(since: Cursor, topics: Topics, orgs: Iterable[int] | None) -> Rows:
    wanted = Q(device_id__in=sorted(topics.devices)[:FEW_DEVICES])
    if "devices" in topics.names:
        # What only says that a device was heard once more is no news to a list.
        wanted |= Q(changed_at__gte=F("last_seen")) | Q(online=False)
    if "positions" in topics.names:
        wanted |= Q(positioned_at__isnull=False)
    if not topics.devices and topics.names.isdisjoint({"devices", "positions"}):
        return []
    rows = DeviceState.objects.filter(wanted, revision__gt=since.state).order_by("revision")
    return [
        (
            revision,
            Event(
                "state", org, device,
                {
                    "device": device, "online": online, "seen": _milliseconds(seen), "at": None if longitude is None else [longitude, latitude],
                    "direction": direction, "speed": speed,
                },
            ),
        )
        for revision, org, device, online, seen, longitude, latitude, direction, speed in _within(rows, orgs, "device__org_id").values_list(
            "revision", "device__org_id", "device_id", "online", "last_seen", "longitude", "latitude", "direction", "speed"
        )[:MOST_EVENTS]
    ]  # fmt: skip


def _commands(since: Cursor, topics: Topics, orgs: Iterable[int] | None) -> Rows:
    if "commands" not in topics.names and not topics.devices:
        return []
    rows = Command.objects.filter(revision__gt=since.command).order_by("revision")
    if "commands" not in topics.names:
        rows = rows.filter(device_id__in=sorted(topics.devices)[:FEW_DEVICES])
    return [
        (revision, Event("command", org, device, {"device": device, "command": str(uid), "state": state}))
        for revision, org, device, uid, state in _within(rows, orgs, "device__org_id").values_list(
            "revision", "device__org_id", "device_id", "uid", "state"
        )[:MOST_EVENTS]
    ]


def _alarms(since: Cursor, topics: Topics, orgs: Iterable[int] | None) -> Rows:
    if "alarms" not in topics.names and not topics.devices:
        return []
    rows = Alarm.objects.filter(revision__gt=since.alarm).order_by("revision")
    if "alarms" not in topics.names:
        rows = rows.filter(device_id__in=sorted(topics.devices)[:FEW_DEVICES])
    return [
        (
            revision,
            Event(
                "alarm",
                org,
                device or 0,
                {"alarm": pk, "device": device, "state": state, "severity": severity},
            ),
        )
        for revision, org, device, pk, state, severity in _within(rows, orgs, "org_id").values_list(
            "revision", "org_id", "device_id", "pk", "state", "severity"
        )[:MOST_EVENTS]
    ]


def _milliseconds(moment: Any) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
