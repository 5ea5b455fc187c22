"""Moving reserve projects along their life: what other subjects call inside their actions, and what ours share."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, touch
from yuanmai.core.workflow import Conflict
from yuanmai.funds.models import Reserve, ReserveStep
from yuanmai.funds.reserve.workflow import ADVANCES, APPROVED, ORDER
from yuanmai.projects.models import Project, ProjectState


def advance(act: Act, project: Project, to: str, on: date, *, text: str = "") -> Reserve | None:
    """Move a project's reserve entry on to `to` (issued, drawn, completed, repaid), inside the action that caused it.

    Of several entries of the project the oldest one that is approved and not yet so far is moved. Returns it, or None where
    there is nothing to move: no approved entry, or it is as far already. The caller's action has checked the right.
    """
    if to not in ADVANCES:
        raise ValueError(f"a reserve project does not advance to {to}")
    before = ORDER[ORDER.index(APPROVED) : ORDER.index(to)]
    reserve = (
        Reserve.objects.filter(project=project, withdrawn_at=None, state__in=before)
        .order_by("year", "pk")
        .first()
    )
    if reserve is None:
        return None
    shift(act, reserve, ADVANCES[to], to, on, text=text)
    return reserve


def fall_back(act: Act, project: Project, to: str, on: date, *, text: str = "") -> Reserve | None:
    """Move a project's reserve entry back to `to` (approved, issued, drawn), where what moved it on was taken back.

    Returns it, or None where no entry of the project is beyond `to`.
    """
    if to not in {APPROVED, *ADVANCES}:
        raise ValueError(f"a reserve project does not fall back to {to}")
    beyond = ORDER[ORDER.index(to) + 1 :]
    reserve = (
        Reserve.objects.filter(project=project, withdrawn_at=None, state__in=beyond)
        .order_by("-year", "-pk")
        .first()
    )
    if reserve is None:
        return None
    shift(act, reserve, "fall_back", to, on, text=text)
    return reserve


def shift(
    act: Act, reserve: Reserve, transition: str, to: str, on: date, *, text: str = "", **changes: Any
) -> ReserveStep:
    """Set the state by compare-and-swap, record the step and log it. A day before the last step counts as that step's day."""
    before = reserve.state
    if not Reserve.objects.filter(pk=reserve.pk, state=before).update(state=to, **changes):
        raise Conflict(_("Somebody else has moved this reserve project meanwhile. Load the page again."))
    old = {name: getattr(reserve, name) for name in changes}
    for name, value in {"state": to, **changes}.items():
        setattr(reserve, name, value)
    step = record_step(act, reserve, transition, max(on, last_day(reserve) or on), text=text)
    log(
        act,
        reserve,
        before={"state": before, **old},
        after={"state": to, **changes, **({"text": text} if text else {})},
    )
    return step


def record_step(act: Act, reserve: Reserve, transition: str, on: date, *, text: str = "") -> ReserveStep:
    """Add a step with the state and approved amount as they stand now."""
    touch("funds")
    return ReserveStep.objects.create(
        reserve=reserve,
        transition=transition,
        state=reserve.state,
        effective_on=on,
        recorded_at=act.now,
        recorded_by_id=act.actor.user_id,
        approved=reserve.approved,
        text=text,
    )


def last_day(reserve: Reserve) -> date | None:
    """Return the day of the last step."""
    return (
        ReserveStep.objects.filter(reserve=reserve)
        .order_by("-effective_on")
        .values_list("effective_on", flat=True)
        .first()
    )


def not_before_last(reserve: Reserve, on: date) -> None:
    """Raise `ValidationError` where a day lies before the last step: steps are recorded in their order."""
    last = last_day(reserve)
    if last is not None and on < last:
        raise ValidationError(
            _("The last step was on %(last)s; this one cannot lie before it (%(on)s).")
            % {"last": last.isoformat(), "on": on.isoformat()}
        )


def log(
    act: Act, reserve: Reserve, *, before: dict[str, Any] | None = None, after: dict[str, Any] | None = None
) -> None:
    """Write what was done to a reserve project to the audit log, decimals as text."""

    def plain(values: dict[str, Any] | None) -> dict[str, Any] | None:
        return (
            None
            if values is None
            else {k: str(v) if isinstance(v, Decimal) else v for k, v in values.items()}
        )

    act.log(reserve, before=plain(before), after=plain(after), name=project_name(reserve))


def project_name(reserve: Reserve) -> str:
    """Return the project's newest name."""
    names = ProjectState.objects.current().filter(project_id=reserve.project_id).order_by("-effective_from")
    return names.values_list("name", flat=True).first() or str(reserve.project.uid)
