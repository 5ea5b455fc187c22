"""Alarms for programs: list, read, steps, comments."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404
from pydantic import Field

from yuanmai.core.api import ApiRequest, Conflict, Page, Paging, Query, Router, Schema, paginate
from yuanmai.core.workflow import Conflict as StateConflict
from yuanmai.core.workflow import offers
from yuanmai.devices.models import Alarm, AlarmState, AlarmStep
from yuanmai.devices.models.alarm import StepKind
from yuanmai.devices.permissions import HANDLE_ALARMS, SEE_DEVICES
from yuanmai.devices.rules.actions import comment, move_alarm
from yuanmai.devices.rules.queries import OPEN, alarm_of, alarms
from yuanmai.devices.rules.workflow import ALARM

router = Router(tags=["alarms"])


class EvidenceOut(Schema):
    """A reading that an alarm rests on."""

    point: int = Field(description="number of the point, 0 where there is none")
    time: datetime
    value: float


class AlarmRow(Schema):
    """An alarm."""

    uid: UUID
    rule: str = Field(description="code")
    rule_version: int
    name: str
    device: int
    device_code: str
    organisation: str = Field(description="code")
    point: str | None = Field(description="code")
    unit: str
    severity: int = Field(description="4 urgent, 3 important, 2 minor, 1 hint")
    state: AlarmState
    raised_at: datetime
    cleared_at: datetime | None
    cause: str = Field(
        description="value, silence, hours, withdrawn: why it was raised, or why it was cleared"
    )
    evidence: list[EvidenceOut]
    peak: EvidenceOut | None
    assignee: str | None = Field(description="user name")
    maintenance: bool
    alarms_in_group: int = Field(description="alarms of the same rule at the same place that came together")
    revision: int


class StepOut(Schema):
    """One thing that happened to an alarm."""

    kind: StepKind
    at: datetime
    by: str | None
    text: str
    data: dict[str, Any]


class AlarmOut(AlarmRow):
    """An alarm with everything that happened to it."""

    advice: str
    source: str
    acknowledged_at: datetime | None
    closed_at: datetime | None
    possible: list[str] = Field(description="steps that you may take now")
    steps: list[StepOut]


class AlarmFilter(Schema):
    """Which alarms."""

    open: bool | None = Field(None, description="not closed (or closed)")
    going: bool | None = Field(None, description="the cause still holds (or is over)")
    state: AlarmState | None = None
    severity: int | None = Field(None, ge=1, le=4, description="this one and above")
    device: int | None = Field(None, ge=1, le=2**62)
    rule: str | None = Field(None, max_length=60)
    since: int | None = Field(None, ge=0, le=2**62, description="revision: only what has changed since")
    raised_from: datetime | None = None
    raised_until: datetime | None = None


def _row(alarm: Alarm) -> dict[str, Any]:
    return {
        "uid": alarm.uid, "rule": alarm.rule.code, "rule_version": alarm.version.number, "name": alarm.rule.label,
        "device": alarm.device_id, "device_code": alarm.device.code, "organisation": alarm.org.code,
        "point": alarm.point.code if alarm.point else None, "unit": alarm.point.unit if alarm.point else "",
        "severity": alarm.severity, "state": AlarmState(alarm.state), "raised_at": alarm.raised_at,
        "cleared_at": alarm.cleared_at, "cause": alarm.cause, "evidence": [e for e in alarm.evidence if e],
        "peak": alarm.peak, "assignee": alarm.assignee.username if alarm.assignee else None,
        "maintenance": alarm.maintenance_id is not None, "alarms_in_group": alarm.group.alarms if alarm.group else 1,
        "revision": alarm.revision,
    }  # fmt: skip


@router.get("", permission=SEE_DEVICES, response=Page[AlarmRow])
def list_alarms(request: ApiRequest, filters: Query[AlarmFilter], paging: Query[Paging]) -> Page[AlarmRow]:
    """List alarms, the newest first; with `since` those that have changed, the oldest change first."""
    seen = request.actor.org_ids(SEE_DEVICES)
    rows = alarms(pk for pk in request.view.org_ids if pk in seen)
    if filters.open is not None:
        rows = rows.filter(state__in=OPEN) if filters.open else rows.exclude(state__in=OPEN)
    if filters.going is not None:
        rows = rows.filter(cleared_at__isnull=filters.going)
    if filters.state is not None:
        rows = rows.filter(state=filters.state)
    if filters.severity is not None:
        rows = rows.filter(severity__gte=filters.severity)
    if filters.device is not None:
        rows = rows.filter(device_id=filters.device)
    if filters.rule is not None:
        rows = rows.filter(rule__code=filters.rule)
    if filters.raised_from is not None:
        rows = rows.filter(raised_at__gte=filters.raised_from)
    if filters.raised_until is not None:
        rows = rows.filter(raised_at__lt=filters.raised_until)
    if filters.since is not None:
        rows = rows.filter(revision__gt=filters.since).order_by("revision", "id")
    return paginate(request, rows, paging, lambda row: AlarmRow(**_row(row)))


def _alarm(request: ApiRequest, uid: UUID) -> Alarm:
    alarm = alarm_of(uid)
    if alarm is None or alarm.org_id not in request.actor.org_ids(SEE_DEVICES):
        raise Http404
    return alarm


def _out(request: ApiRequest, uid: UUID) -> AlarmOut:
    alarm = _alarm(request, uid)
    steps = AlarmStep.objects.filter(alarm=alarm).select_related("by").order_by("id")
    return AlarmOut(
        **_row(alarm), advice=alarm.version.advice, source=alarm.version.source, acknowledged_at=alarm.acknowledged_at,
        closed_at=alarm.closed_at,
        possible=[o.transition.code for o in offers(ALARM, alarm, request.actor) if o.why_not is None],
        steps=[
            StepOut(kind=StepKind(s.kind), at=s.at, by=s.by.username if s.by else None, text=s.text, data=s.data) for s in steps
        ],
    )  # fmt: skip


@router.get("/{uuid:uid}", permission=SEE_DEVICES, response=AlarmOut)
def get_alarm(request: ApiRequest, uid: UUID) -> AlarmOut:
    """Show an alarm with its steps and what can be done with it."""
    return _out(request, uid)


class AlarmStepIn(Schema):
    """What a step needs: assign an assignee, close and reopen a text."""

    text: str = Field("", max_length=5000)
    assignee: int | None = Field(None, ge=1, le=2**62, description="number of the user")


@router.post("/{uuid:uid}/steps/{slug:step}", permission=HANDLE_ALARMS, response=AlarmOut)
def move(request: ApiRequest, uid: UUID, step: str, body: AlarmStepIn) -> AlarmOut:
    """Take a step: acknowledge, assign, close, reopen."""
    alarm = _alarm(request, uid)
    if step not in {t.code for t in ALARM.transitions}:
        raise Http404
    try:
        move_alarm(request.actor, alarm, step, body.model_dump())
    except StateConflict as error:
        raise Conflict(" ".join(error.messages)) from error
    return _out(request, uid)


class CommentIn(Schema):
    """A comment."""

    text: str = Field(min_length=1, max_length=5000)


@router.post("/{uuid:uid}/comments", permission=HANDLE_ALARMS, response={201: AlarmOut})
def add_comment(request: ApiRequest, uid: UUID, body: CommentIn) -> tuple[int, AlarmOut]:
    """Comment an alarm."""
    comment(request.actor, _alarm(request, uid), body.text)
    return 201, _out(request, uid)
