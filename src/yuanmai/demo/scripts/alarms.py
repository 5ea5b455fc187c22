"""The alarms of the demonstration's week: what the rules find in its readings, handled by the operator on duty."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.demo.presets import preset
from yuanmai.demo.scripts.history import SPAN
from yuanmai.devices.engine.rules.evaluator import Evaluator
from yuanmai.devices.engine.rules.target import Transition
from yuanmai.devices.models import Alarm, AlarmStep, Point
from yuanmai.devices.queries import load_registry
from yuanmai.devices.rules.actions import move_alarm
from yuanmai.devices.rules.history import in_order
from yuanmai.devices.rules.loading import load_rules
from yuanmai.devices.rules.recording import record
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.people.actor import UserActor
from yuanmai.people.models import User

OPERATOR = "heshan.operator"
PIECE = timedelta(hours=12)
LEFT_OPEN = 1  # the last one waits for whoever looks at the demonstration


def load(now: datetime) -> int:
    """Judge the week before `now` by the rules of the park; returns the number of alarms, all of them cleared by now."""
    with everywhere():
        points = list(Point.objects.filter(device__synthetic=True).values_list("pk", flat=True))
        found = _cleared(_transitions(points, now))
        alarms = record(SYSTEM, found)
        operator = UserActor.of(User.objects.get(username=OPERATOR))
        said = preset("devices")["handled"]
        for alarm in sorted(alarms, key=lambda one: one.raised_at)[:-LEFT_OPEN]:
            _handle(operator, alarm, said)
        _as_at_the_time(alarms, now)
    return len(alarms)


def _transitions(points: Sequence[int], now: datetime) -> list[Transition]:
    """Return what the rules find, by the evaluation that follows the live readings."""
    registry, queries, at = load_registry(), Queries(Lake(settings.LAKE)), now - SPAN
    evaluator = Evaluator(load_rules(registry), registry, begin=int(at.timestamp() * 1_000_000))
    found: list[Transition] = []
    while at < now:
        readings = queries.raw(points, at, min(at + PIECE, now))
        if len(readings):
            found += evaluator.feed(in_order(readings))
        at += PIECE
    return found


def _cleared(transitions: Sequence[Transition]) -> list[Transition]:
    """Return the transitions of alarms that have an end: what still goes on, the live evaluation finds by itself.

    Silence is left out: some devices of the demonstration only begin to speak now.
    """
    ended = {(one.rule, one.device, one.raised_at) for one in transitions if one.kind == "cleared"}
    silent = {(one.rule, one.device, one.raised_at) for one in transitions if one.cause == "silence"}
    return [one for one in transitions if (one.rule, one.device, one.raised_at) in ended - silent]


def _handle(operator: UserActor, alarm: Alarm, said: dict[str, str]) -> None:
    move_alarm(operator, alarm, "acknowledge", {})
    alarm.refresh_from_db()
    move_alarm(operator, alarm, "close", {"text": said.get(alarm.rule.code, said["other"])})


def _as_at_the_time(alarms: Sequence[Alarm], now: datetime) -> None:
    """Set the moments of the week's alarms to what they would have been: the demonstration was not there to note them.

    The operator answers within minutes at day, later at night.
    """
    for number, alarm in enumerate(sorted(alarms, key=lambda one: one.raised_at)):
        alarm.refresh_from_db()
        night = not 7 <= timezone.localtime(alarm.raised_at).hour < 22
        known = alarm.raised_at + timedelta(seconds=1)
        answered = min(known + timedelta(seconds=95 + number * 137 % 420 + 900 * night), now)
        closed = min(
            max(answered, alarm.cleared_at or answered) + timedelta(minutes=9 + number * 7 % 26), now
        )
        alarm.recorded_at = known
        if alarm.acknowledged_at is not None:
            alarm.acknowledged_at, alarm.closed_at = answered, closed
            alarm.answered_after = int((answered - known).total_seconds())
        alarm.save(update_fields=["recorded_at", "acknowledged_at", "closed_at", "answered_after"])
        for kind, at in (("acknowledge", answered), ("close", closed)):
            AlarmStep.objects.filter(alarm=alarm, kind=kind).update(at=at)
