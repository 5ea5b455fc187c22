"""The reserve projects behind allotments: the first allotment makes them *issued*, taking the last one back *approved* again."""

from collections.abc import Iterable
from datetime import date

from yuanmai.core.actions import Act
from yuanmai.funds.models import Allotment, Reserve, ReserveStep


def now_issued(act: Act, project_ids: Iterable[int], on: date) -> None:
    """Move the approved reserve projects of these projects to *issued*."""
    _step(act, project_ids, on, Reserve.State.APPROVED, Reserve.State.ISSUED, "issue")


def none_issued(act: Act, project_ids: Iterable[int], on: date) -> None:
    """Move the issued reserve projects of those projects to which nothing stands allotted back to *approved*."""
    ids = set(project_ids)
    still = Allotment.objects.filter(project_id__in=ids, retracted_at=None, amount__gt=0)
    ids -= set(still.values_list("project_id", flat=True))
    _step(act, ids, on, Reserve.State.ISSUED, Reserve.State.APPROVED, "unissue")


def _step(act: Act, ids: Iterable[int], on: date, source: str, target: str, transition: str) -> None:
    for reserve in Reserve.objects.filter(project_id__in=list(ids), withdrawn_at=None, state=source):
        if not Reserve.objects.filter(pk=reserve.pk, state=source).update(state=target):
            continue
        ReserveStep.objects.create(
            reserve=reserve,
            transition=transition,
            state=target,
            effective_on=on,
            recorded_at=act.now,
            recorded_by_id=act.actor.user_id,
            approved=reserve.approved,
        )
