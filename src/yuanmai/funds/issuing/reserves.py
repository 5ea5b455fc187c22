"""The reserve projects behind allotments: the first allotment makes them *issued*, taking the last one back *approved* again."""

from collections.abc import Iterable
from datetime import date

from yuanmai.core.actions import Act
from yuanmai.funds.models import Allotment, Reserve
from yuanmai.funds.reserve.moving import advance, fall_back
from yuanmai.projects.models import Project


def now_issued(act: Act, projects: Iterable[Project], on: date) -> None:
    """Move the approved reserve entries of these projects on to *issued*."""
    for project in projects:
        advance(act, project, Reserve.State.ISSUED, on)


def none_issued(act: Act, projects: Iterable[Project], on: date) -> None:
    """Let the reserve entries of those projects to which nothing stands allotted any more fall back to *approved*."""
    ids = {project.pk: project for project in projects}
    still = Allotment.objects.filter(project_id__in=ids, retracted_at=None, amount__gt=0)
    for pk in ids.keys() - set(still.values_list("project_id", flat=True)):
        fall_back(act, ids[pk], Reserve.State.APPROVED, on)
