"""Alarms: acknowledging, assigning, commenting, closing, opening again."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.workflow import Conflict, move
from yuanmai.devices.models import Alarm, AlarmStep, StepKind
from yuanmai.devices.permissions import HANDLE_ALARMS
from yuanmai.devices.rules.recording import next_revision
from yuanmai.devices.rules.workflow import ALARM
from yuanmai.people.actor import UserActor
from yuanmai.people.models import Organisation, Post, Role, User
from yuanmai.people.queries import carries

LONGEST = 5000


def assignable(org_id: int) -> list[User]:
    """Return who can be given alarms of an organisation: active people with the right to handle them, by name."""
    path = Organisation.objects.get(pk=org_id).path
    steps = Organisation.steplen
    above = [path[:end] for end in range(steps, len(path) + 1, steps)]
    roles = [role.pk for role in Role.objects.all() if carries(role, HANDLE_ALARMS)]
    posts = Post.objects.filter(
        Post.held_on(timezone.localdate()), org__path__in=above, role_id__in=roles
    ).values("user_id")
    return list(User.objects.filter(is_active=True, pk__in=posts).order_by("full_name", "username"))


def _text(given: Mapping[str, Any]) -> str:
    text = str(given.get("text") or "").strip()
    if len(text) > LONGEST:
        raise ValidationError({"text": [_("At most %(n)s characters.") % {"n": LONGEST}]})
    return text


def _move(act: Act, alarm: Alarm, code: str, given: Mapping[str, Any], revision: int) -> None:
    text = _text(given)
    data: dict[str, Any] = {}
    changes: dict[str, Any] = {"revision": revision}
    if code == "assign":
        person = given.get("assignee")
        if person is not None and person != "":
            user = (
                person if isinstance(person, User) else User.objects.filter(pk=person, is_active=True).first()
            )
            if user is None or UserActor.of(user).why_not(HANDLE_ALARMS, alarm.org_id):
                raise ValidationError(
                    {"assignee": [_("This person may not handle alarms of this organisation.")]}
                )
            changes["assignee_id"] = user.pk
            data = {"assignee": user.pk, "name": str(user)}
    if code in {"acknowledge", "assign", "close"} and alarm.acknowledged_at is None:
        changes |= {
            "acknowledged_at": act.now, "acknowledged_by_id": act.actor.user_id,
            "answered_after": max(0, int((act.now - alarm.recorded_at).total_seconds())),
        }  # fmt: skip
    if code == "close":
        changes["closed_at"] = act.now
    if code == "reopen":
        changes["closed_at"] = None
    moved = move(act, ALARM, alarm, code, {**given, "text": text}, **changes)
    AlarmStep.objects.create(
        alarm=alarm, kind=StepKind(code), at=act.now, by_id=act.actor.user_id, text=text, data=data
    )
    act.log(
        alarm,
        before={"state": moved.before},
        after={"state": moved.after, "text": text, **data},
        name=str(alarm.uid),
    )


@action("alarms.move", permission=HANDLE_ALARMS, local=True)
def move_alarm(act: Act, alarm: Alarm, code: str, given: Mapping[str, Any]) -> None:
    """Take a step: acknowledge, assign (`assignee`), close (`text`), reopen (`text`).

    Raises `ValidationError` for what is missing, `Conflict` when somebody else was first, `KeyError` for an unknown step.
    """
    _move(act, alarm, code, given, next_revision())


@action("alarms.move_many", permission=HANDLE_ALARMS, local=True)
def move_alarms(act: Act, alarms: Iterable[Alarm], code: str, given: Mapping[str, Any]) -> tuple[int, int]:
    """Take the same step with many alarms; return how many took it and how many were not in a state for it any more."""
    revision, done, left = next_revision(), 0, 0
    for alarm in alarms:
        try:
            _move(act, alarm, code, given, revision)
            done += 1
        except Conflict:
            left += 1
    if not done:
        raise ValidationError(_("None of these alarms is in a state for this step any more."))
    return done, left


@action("alarms.comment", permission=HANDLE_ALARMS, local=True)
def comment(act: Act, alarm: Alarm, text: str) -> AlarmStep:
    """Add a comment to an alarm, whatever its state."""
    act.require(alarm.org_id)
    text = _text({"text": text})
    if not text:
        raise ValidationError({"text": [_("Write something first.")]})
    step = AlarmStep.objects.create(
        alarm=alarm, kind=StepKind.COMMENT, at=act.now, by_id=act.actor.user_id, text=text
    )
    Alarm.objects.filter(pk=alarm.pk).update(revision=next_revision())
    act.log(alarm, after={"comment": text}, name=str(alarm.uid))
    return step
