"""Raising blockers and moving them along their workflow."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.workflow import move
from yuanmai.projects import permissions
from yuanmai.projects.models import Blocker, BlockerStep, Project
from yuanmai.projects.workflows import BLOCKERS, LEVELS


@action("projects.raise_blocker", permission=permissions.REPORT_PROGRESS, local=True)
def raise_blocker(act: Act, project: Project, opened_on: date, values: Mapping[str, Any]) -> Blocker:
    """Say what stops a project: `title`, `kind`, and, where known, `detail` and `way`."""
    act.require(project.org_id)
    title = str(values.get("title") or "").strip()
    if not title:
        raise ValidationError({"title": [_("Say in a few words what stops the project.")]})
    if values.get("kind") not in Blocker.Kind.values:
        raise ValidationError({"kind": [_("Choose one of the kinds.")]})
    blocker = Blocker.objects.create(
        org_id=project.org_id,
        project=project,
        title=title[:200],
        kind=values["kind"],
        way=values.get("way") or "",
        detail=values.get("detail") or "",
        opened_on=opened_on,
        recorded_at=act.now,
    )
    _step(act, blocker, "raise", opened_on, text=blocker.detail)
    act.log(blocker, after={"title": title, "kind": blocker.kind, "opened_on": opened_on}, name=title)
    return blocker


@action("projects.move_blocker", permission=permissions.SEE_PROJECTS, local=True)
def move_blocker(act: Act, blocker: Blocker, code: str, on: date, given: Mapping[str, Any]) -> Blocker:
    """Carry out a transition of the blocker's workflow (`workflows.BLOCKERS`), which also names the right it needs.

    `given` holds what it needs: `body`, `due_on`, `text`. Raises `ValidationError` by input, `Conflict` when somebody
    else was faster.
    """
    before = {name: getattr(blocker, name) for name in ("state", "level", "body", "due_on")}
    due = given.get("due_on")
    if due is not None and due < on:
        raise ValidationError({"due_on": [_("The deadline lies before the day it is set on.")]})
    changes: dict[str, Any] = {}
    if code == "hand":
        changes = {"body": str(given.get("body") or "").strip()[:120], "due_on": due}
        if given.get("way"):
            changes["way"] = given["way"]
    elif code == "answer":
        changes = {"answer": str(given.get("text") or "").strip()}
    elif code == "send_back":
        changes = {"due_on": due}
    elif code == "close":
        changes = {"closed_on": on}
    elif code == "reopen":
        changes = {"closed_on": None, "level": 0}
    elif code == "escalate":
        if blocker.level + 1 >= len(LEVELS):
            raise ValidationError(_("It is already with the leader; there is nobody above."))
        changes = {"level": blocker.level + 1}
    moved = move(act, BLOCKERS, blocker, code, given, **changes)
    text = str(given.get("text") or "").strip()
    _step(act, blocker, code, on, text=text)
    after = {"state": moved.after, **changes, **({"text": text} if text else {})}
    act.log(blocker, before=before, after=after, name=blocker.title)
    return blocker


def _step(act: Act, blocker: Blocker, transition: str, on: date, *, text: str) -> None:
    BlockerStep.objects.create(
        blocker=blocker,
        transition=transition,
        state=blocker.state,
        level=blocker.level,
        effective_on=on,
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
        body=blocker.body,
        due_on=blocker.due_on,
        text=text,
    )
