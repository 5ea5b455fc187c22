"""Alarms as the evaluation finds them, written once: an alarm is (rule, device, raised at).

A constant number of queries for any number of transitions. The same transitions again change nothing.
"""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Max

from yuanmai.core.actions import Act, action
from yuanmai.core.scope import everywhere
from yuanmai.devices.engine.rules.target import Evidence, Transition
from yuanmai.devices.models import (
    Alarm,
    AlarmGroup,
    AlarmRule,
    AlarmRuleVersion,
    AlarmState,
    AlarmStep,
    Device,
    MaintenanceWindow,
    Point,
    StepKind,
)
from yuanmai.devices.permissions import HANDLE_ALARMS
from yuanmai.people.models import Organisation

# Alarms of one rule at one place that follow each other within this time have one cause: one group, one message.
TOGETHER = timedelta(minutes=10)
PIECE = 500
CHANGED = ("cleared_at", "cause", "severity", "worst", "peak", "state", "closed_at", "revision")
Key = tuple[int, int, datetime]


def moment(micros: int) -> datetime:
    """Return microseconds since 1970 as a moment."""
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)


def next_revision() -> int:
    """Return a revision that is greater than every one given so far: microseconds of the clock, or one more."""
    last = Alarm.objects.aggregate(last=Max("revision"))["last"] or 0
    return max(time.time_ns() // 1000, last + 1)


def plain(evidence: Evidence | None) -> dict[str, Any] | None:
    """Return evidence as it is kept."""
    if evidence is None:
        return None
    return {"point": evidence.point, "time": moment(evidence.time).isoformat(), "value": evidence.value}


class Known:
    """What a batch of transitions refers to."""

    def __init__(self, transitions: Sequence[Transition]) -> None:
        rules = {t.rule for t in transitions}
        devices = {t.device for t in transitions}
        moments = {moment(t.raised_at) for t in transitions}
        found = AlarmRuleVersion.objects.filter(rule_id__in=rules).defer("definition")
        self.versions = {(row.rule_id, row.number): row for row in found}
        self.rules = {row.pk: row for row in AlarmRule.objects.filter(pk__in=rules)}
        self.devices = {row.pk: row for row in Device.objects.filter(pk__in=devices).defer("profile", "note")}
        points = {t.point for t in transitions if t.point}
        self.points = set(Point.objects.filter(pk__in=points).values_list("pk", flat=True))
        rows = Alarm.objects.filter(rule_id__in=rules, device_id__in=devices, raised_at__in=moments)
        self.alarms: dict[Key, Alarm] = {(row.rule_id, row.device_id, row.raised_at): row for row in rows}


@action("alarms.record", permission=HANDLE_ALARMS, local=True)
def record(act: Act, transitions: Sequence[Transition]) -> list[Alarm]:
    """Write what rules brought about; return the alarms concerned. For the ingest process alone.

    Alarms of rules or devices that have gone from the database meanwhile are left out.
    """
    with everywhere():
        known = Known(transitions)
        revision = next_revision()
        new: dict[Key, Alarm] = {}
        touched: dict[Key, Alarm] = {}
        steps: list[tuple[Alarm, StepKind, datetime, dict[str, Any]]] = []
        for t in transitions:
            key = (t.rule, t.device, moment(t.raised_at))
            alarm = known.alarms.get(key)
            if alarm is None:
                if t.kind != "raised" or (alarm := _made(act, t, known)) is None:
                    continue
                new[key] = known.alarms[key] = alarm
            elif not _moved(alarm, t):
                continue
            alarm.revision = revision
            touched[key] = alarm
            data = {
                "severity": t.severity,
                "before": t.before,
                "cause": t.cause,
                "evidence": [plain(e) for e in t.evidence],
            }
            kind = {"raised": StepKind.RAISED, "changed": StepKind.SEVERITY, "cleared": StepKind.CLEARED}[
                t.kind
            ]
            steps.append((alarm, kind, moment(t.at), data))
        _group(list(new.values()))
        _mark_maintenance(list(new.values()))
        Alarm.objects.bulk_create(new.values(), batch_size=PIECE)
        old = [alarm for key, alarm in touched.items() if key not in new]
        Alarm.objects.bulk_update(old, CHANGED, batch_size=PIECE)
        AlarmStep.objects.bulk_create(
            (AlarmStep(alarm=a, kind=kind, at=at, data=data) for a, kind, at, data in steps), batch_size=PIECE
        )
        from yuanmai.devices.rules.telling import tell

        tell(act.now, list(touched.values()), {alarm.pk for alarm in new.values()})
        _log(act, touched.values(), len(transitions))
        return list(touched.values())


def _made(act: Act, t: Transition, known: Known) -> Alarm | None:
    version, device = known.versions.get((t.rule, t.version)), known.devices.get(t.device)
    if version is None or device is None:
        return None
    return Alarm(
        org_id=device.org_id, rule=known.rules[t.rule], version=version, device=device,
        point_id=t.point if t.point in known.points else None, raised_at=moment(t.raised_at), cause=t.cause,
        severity=t.severity, worst=t.severity, evidence=[plain(e) for e in t.evidence], peak=plain(t.peak),
        recorded_at=act.now, state=AlarmState.RAISED,
    )  # fmt: skip


def _moved(alarm: Alarm, t: Transition) -> bool:
    """Put a transition into an alarm that is there; returns whether it was news."""
    at = moment(t.at)
    if t.kind == "raised":
        # Raised again in the very moment in which it was cleared: it goes on. Everything else is a repetition.
        if alarm.cleared_at != alarm.raised_at:
            return False
        alarm.cleared_at = None
        return True
    if t.kind == "cleared":
        if alarm.cleared_at is not None:
            return False
        alarm.cleared_at, alarm.cause = at, t.cause
    elif alarm.severity == t.severity or alarm.cleared_at is not None:
        return False
    else:
        alarm.severity, alarm.worst = t.severity, max(alarm.worst, t.severity)
    if t.peak is not None:
        alarm.peak = plain(t.peak)
    return True


def _group(alarms: list[Alarm]) -> None:
    """Put alarms into groups: those of the same rule at the same place that are still going on, or new ones."""
    if not alarms:
        return
    since = min(alarm.raised_at for alarm in alarms) - TOGETHER
    rules = {alarm.rule_id for alarm in alarms}
    rows = AlarmGroup.objects.filter(rule_id__in=rules, last_at__gte=since).order_by("last_at")
    going = {(row.rule_id, row.org_id, row.park_id): row for row in rows}
    fresh: list[AlarmGroup] = []
    for alarm in sorted(alarms, key=lambda a: a.raised_at):
        key = (alarm.rule_id, alarm.org_id, alarm.device.park_id)
        group = going.get(key)
        if group is None or not group.began_at - TOGETHER <= alarm.raised_at <= group.last_at + TOGETHER:
            group = going[key] = AlarmGroup(
                org_id=alarm.org_id, rule_id=alarm.rule_id, park_id=alarm.device.park_id,
                began_at=alarm.raised_at, last_at=alarm.raised_at,
            )  # fmt: skip
            fresh.append(group)
        group.alarms += 1
        group.last_at = max(group.last_at, alarm.raised_at)
        alarm.group = group
    AlarmGroup.objects.bulk_create(fresh, batch_size=PIECE)
    AlarmGroup.objects.bulk_update(
        [row for row in going.values() if row not in fresh], ["alarms", "last_at"], batch_size=PIECE
    )
    for alarm in alarms:
        alarm.group = alarm.group  # takes the key that the row has got


def _mark_maintenance(alarms: list[Alarm]) -> None:
    """Mark the alarms that fall into a maintenance window."""
    if not alarms:
        return
    first, last = min(a.raised_at for a in alarms), max(a.raised_at for a in alarms)
    windows = list(MaintenanceWindow.objects.filter(begins_at__lte=last, ends_at__gte=first))
    if not windows:
        return
    paths = dict(Organisation.objects.values_list("pk", "path"))
    for alarm in alarms:
        alarm.maintenance = next((w for w in windows if covers(w, alarm, paths)), None)


def covers(window: MaintenanceWindow, alarm: Alarm, paths: dict[int, str]) -> bool:
    """Whether a window is meant for an alarm."""
    end = min(window.ends_at, window.ended_at or window.ends_at)
    if not window.begins_at <= alarm.raised_at < end:
        return False
    if window.device_ids:
        return alarm.device_id in window.device_ids
    if window.park_id is not None:
        return alarm.device.park_id == window.park_id
    return paths[alarm.org_id].startswith(paths[window.org_id])


def _log(act: Act, alarms: Iterable[Alarm], count: int) -> None:
    """Leave one entry for each organisation: what happened to single alarms stands in their steps."""
    by_org: dict[int, list[Alarm]] = {}
    for alarm in alarms:
        by_org.setdefault(alarm.org_id, []).append(alarm)
    for org, mine in by_org.items():
        act.log(
            None, org_id=org, after={"alarms": len(mine), "open": sum(a.cleared_at is None for a in mine)}
        )
    if not by_org:
        act.log(None, after={"alarms": 0, "repeated": count})
