"""What waits around the reserve: reviews that are due, send-backs to answer, steps to record."""

from collections.abc import Sequence
from datetime import date

from django.db.models import F, QuerySet
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import Actor
from yuanmai.core.todo import LIMIT, Todo, TodoSource, register_todo
from yuanmai.funds.models import Reserve, Review
from yuanmai.funds.permissions import APPROVE_BONDS, KEEP_RESERVE, SEE_FUNDS
from yuanmai.funds.reserve.actions.reviewing import BODIES
from yuanmai.funds.reserve.queries import awaiting
from yuanmai.projects.models import ProjectState


def _named(rows: QuerySet[Reserve]) -> list[tuple[Reserve, str]]:
    found = list(rows.select_related("org").order_by(F("deadline").asc(nulls_last=True), "pk")[:LIMIT])
    states = ProjectState.objects.current().filter(project_id__in=[row.project_id for row in found])
    names = dict(states.order_by("effective_from").values_list("project_id", "name"))
    return [(row, names.get(row.project_id, str(row.uid))) for row in found]


def _todo(row: Reserve, name: str, today: date, *, reason: str, action: str, url: str, icon: str) -> Todo:
    late = row.deadline is not None and row.deadline < today
    return Todo(
        title=name,
        reason=reason,
        url=url,
        action=action,
        due=row.deadline,
        tone="danger" if late else "",
        icon=icon,
        detail=row.org.label,
    )


def reviews(actor: Actor, today: date) -> Sequence[Todo]:
    """Reserve projects that wait for the review of a body the person reviews for; not those he entered himself."""
    items: list[Todo] = []
    for body, permission in BODIES.items():
        orgs = actor.org_ids(permission)
        if not orgs:
            continue
        for row, name in _named(awaiting(body).filter(org_id__in=orgs)):
            if actor.user_id in row.editors:
                continue
            items.append(
                _todo(
                    row, name, today,
                    reason=gettext("Handed in for review by %(body)s.") % {"body": Review.Body(body).label},
                    action=gettext("Review"),
                    url=reverse("funds:review_reserve", args=[row.uid, body.value]),
                    icon="gavel",
                )
            )  # fmt: skip
    return items[:LIMIT]


def sent_back(actor: Actor, today: date) -> Sequence[Todo]:
    """Reserve projects that were sent back and not handed in again."""
    rows = Reserve.objects.filter(
        org_id__in=actor.org_ids(KEEP_RESERVE), state=Reserve.State.RESERVE, withdrawn_at=None
    ).exclude(sent_back_at=None)
    return [
        _todo(
            row, name, today,
            reason=gettext("Sent back: put right what the review found and hand it in again."),
            action=gettext("Answer"),
            url=reverse("funds:reserve_reviews", args=[row.uid]),
            icon="arrow-back-up",
        )
        for row, name in _named(rows)
    ]  # fmt: skip


def to_report(actor: Actor, today: date) -> Sequence[Todo]:
    """Reserve projects that both bodies passed and that were not reported yet."""
    rows = Reserve.objects.filter(
        org_id__in=actor.org_ids(APPROVE_BONDS), state=Reserve.State.REVIEWED, withdrawn_at=None
    )
    return [
        _todo(
            row, name, today,
            reason=gettext("Passed by both bodies, not reported for bonds yet."),
            action=gettext("Report"),
            url=f"{reverse('funds:reserve_record', args=[row.uid])}#steps",
            icon="upload",
        )
        for row, name in _named(rows)
    ]  # fmt: skip


_rooms = ("funds", "projects")
register_todo(
    TodoSource(
        "reserve_reviews", _("Reviews of the bond reserve"), reviews, SEE_FUNDS, order=22, rooms=_rooms
    )
)
register_todo(
    TodoSource(
        "reserve_sent_back", _("Reserve projects sent back"), sent_back, KEEP_RESERVE, order=23, rooms=_rooms
    )
)
register_todo(
    TodoSource(
        "reserve_report", _("Reserve projects to report"), to_report, APPROVE_BONDS, order=24, rooms=_rooms
    )
)
