"""Reads of alarms and rules that several faces need."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from yuanmai.core.scope import everywhere
from yuanmai.core.search import matching
from yuanmai.devices.models import (
    Alarm,
    AlarmRule,
    AlarmState,
    Device,
    MaintenanceWindow,
    Notification,
    NotificationState,
    Severity,
)
from yuanmai.devices.rules.wording import PointName

SORTS = {
    "raised": ("-raised_at", "-id"), "-raised": ("raised_at", "id"),
    "severity": ("-severity", "-raised_at", "-id"), "-severity": ("severity", "-raised_at", "-id"),
    "device": ("device__code", "-raised_at"), "-device": ("-device__code", "-raised_at"),
}  # fmt: skip
OPEN = (AlarmState.RAISED, AlarmState.ACKNOWLEDGED, AlarmState.ASSIGNED)


@dataclass(frozen=True)
class AlarmsAsked:
    """What a list of alarms asks for. Without a word about the state: all that are not closed."""

    q: str = ""
    state: str = "open"
    severity: str = ""
    going: str = ""
    park: str = ""
    rule: str = ""
    device: str = ""
    group: str = ""
    mine: str = ""
    maintenance: str = ""
    begin: datetime | None = None
    end: datetime | None = None
    sort: str = ""
    user_id: int | None = field(default=None, compare=False)

    @classmethod
    def of(cls, values: Mapping[str, str], user_id: int | None = None) -> "AlarmsAsked":
        """Read it out of an address; what cannot be read counts for nothing."""
        names = ("q", "severity", "going", "park", "rule", "device", "group", "mine", "maintenance", "sort")
        given = {name: values.get(name, "").strip()[:60] for name in names}
        return cls(
            state=values.get("state") or "open", begin=_day(values.get("from", "")),
            end=_day(values.get("to", ""), last=True), user_id=user_id, **given,
        )  # fmt: skip


def _day(text: str, *, last: bool = False) -> datetime | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    if day is None:
        return None
    moment = timezone.make_aware(datetime.combine(day, datetime.min.time()))
    return moment + timedelta(days=1) if last else moment


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else -1


def alarms(org_ids: Iterable[int]) -> QuerySet[Alarm]:
    """Return the alarms of organisations, with everything that a line of the list names."""
    return Alarm.objects.filter(org_id__in=list(org_ids)).select_related(
        "rule", "version", "device", "device__park", "point", "group", "assignee", "maintenance", "org"
    )


def narrowed(rows: QuerySet[Alarm], asked: AlarmsAsked, *, severity: bool = True) -> QuerySet[Alarm]:
    """Narrow alarms down to what is asked for; without `severity` all severities stay, for their counts."""
    if asked.state == "open":
        rows = rows.filter(state__in=OPEN)
    elif asked.state in AlarmState.values:
        rows = rows.filter(state=asked.state)
    if severity and asked.severity:
        rows = rows.filter(severity=_number(asked.severity))
    if asked.going in {"yes", "no"}:
        rows = rows.filter(cleared_at__isnull=asked.going == "yes")
    for name, path in (("park", "device__park_id"), ("device", "device_id"), ("group", "group_id")):
        if value := getattr(asked, name):
            rows = rows.filter(**{path: _number(value)})
    if asked.rule:
        rows = rows.filter(rule__code=asked.rule)
    if asked.mine == "yes":
        rows = rows.filter(assignee_id=asked.user_id)
    if asked.maintenance in {"yes", "no"}:
        rows = rows.filter(maintenance__isnull=asked.maintenance == "no")
    if asked.begin is not None:
        rows = rows.filter(raised_at__gte=asked.begin)
    if asked.end is not None:
        rows = rows.filter(raised_at__lt=asked.end)
    if asked.q:
        rows = rows.filter(matching(asked.q, "device__name", "device__code", "rule__name", "rule__code"))
    return rows


def ordered(rows: QuerySet[Alarm], sort: str) -> QuerySet[Alarm]:
    """Return alarms in the order asked for: severity first where nothing is said."""
    return rows.order_by(*SORTS.get(sort, SORTS["severity"]))


def by_severity(rows: QuerySet[Alarm]) -> dict[int, int]:
    """Return the number of alarms of each severity (one query)."""
    counted = rows.order_by().values("severity").annotate(n=Count("pk")).values_list("severity", "n")
    found = dict(counted)
    return {int(severity): found.get(int(severity), 0) for severity in Severity}


def alarm_of(uid: UUID) -> Alarm | None:
    """Return an alarm inside the data scope."""
    return (
        Alarm.objects.select_related(
            "rule", "rule__org", "version", "device", "device__park", "device__state", "device__enterprise", "device__org",
            "point", "group", "assignee", "acknowledged_by", "maintenance", "org",
        ).filter(uid=uid).first()
    )  # fmt: skip


def similar(alarm: Alarm, limit: int = 8) -> list[Alarm]:
    """Return the other alarms of its group, and the latest of the same rule at the same device."""
    rows = Alarm.objects.filter(
        Q(group_id=alarm.group_id) | Q(rule_id=alarm.rule_id, device_id=alarm.device_id)
    )
    return list(
        rows.exclude(pk=alarm.pk)
        .select_related("device", "rule", "point")
        .order_by("-raised_at", "-id")[:limit]
    )


def earlier(alarm: Alarm, days: int = 30) -> int:
    """Return how often the same rule was raised at the same device in the days before."""
    since = alarm.raised_at - timedelta(days=days)
    rows = Alarm.objects.filter(rule_id=alarm.rule_id, device_id=alarm.device_id, raised_at__gte=since)
    return rows.filter(raised_at__lt=alarm.raised_at).count()


def rules(org_ids: Iterable[int], *, retired: bool = False) -> QuerySet[AlarmRule]:
    """Return the rules of organisations with their present versions and the number of open alarms."""
    rows = AlarmRule.objects.filter(org_id__in=list(org_ids), retired_at__isnull=not retired)
    going = Count("alarms", filter=Q(alarms__state__in=OPEN), distinct=True)
    return rows.select_related("org", "current", "current__template", "current__park").annotate(
        open_alarms=going
    )


def rule_of(uid: UUID) -> AlarmRule | None:
    """Return a rule inside the data scope, a retired one too."""
    found = AlarmRule.objects.select_related("org", "current", "current__template", "current__park")
    return found.filter(uid=uid).first()


def names_of_points(
    codes: Sequence[str], template_id: int | None, org_ids: Iterable[int]
) -> dict[str, PointName]:
    """Return what points are called, by code: of the template, else of any device seen (one or two queries)."""
    from yuanmai.devices.models import Point, TemplatePoint

    found: dict[str, PointName] = {}
    if template_id is not None:
        with everywhere():  # templates may belong to an organisation above the data scope
            for row in TemplatePoint.objects.filter(template_id=template_id, code__in=codes):
                found[row.code] = PointName(row.label, row.unit, row.states)
    if missing := [code for code in codes if code not in found]:
        rows = Point.objects.filter(device__org_id__in=list(org_ids), code__in=missing, retired_at=None)
        for point in rows.order_by("code", "pk").distinct()[:200]:
            found.setdefault(point.code, PointName(point.label, point.unit, point.states))
    return found


def windows(org_ids: Iterable[int]) -> QuerySet[MaintenanceWindow]:
    """Return the maintenance windows of organisations, the newest first, with the number of alarms in them."""
    rows = MaintenanceWindow.objects.filter(org_id__in=list(org_ids)).select_related(
        "org", "park", "created_by"
    )
    return rows.annotate(alarm_count=Count("alarms"))


def devices_named(ids: Iterable[int]) -> list[Device]:
    """Return devices by their numbers, in order of their codes."""
    return list(Device.objects.filter(pk__in=list(ids)).order_by("code"))


def outbox(org_ids: Iterable[int], state: str = "") -> QuerySet[Notification]:
    """Return the messages of the channels of organisations, the newest first."""
    rows = Notification.objects.filter(channel__org_id__in=list(org_ids)).select_related("channel", "alarm")
    if state in NotificationState.values:
        rows = rows.filter(state=state)
    return rows.order_by("-id")
