"""What waits in issuing: payments that fall due, tranches not yet allotted, money that lies idle."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta

from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import to_cents, yuan_text
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese
from yuanmai.core.policy import Actor
from yuanmai.core.todo import LIMIT, Todo, TodoSource, register_todo
from yuanmai.funds.issuing.debt import ISSUER, PLACE, PROJECT, Due, payments_due
from yuanmai.funds.issuing.idle import idle
from yuanmai.funds.models import Tranche
from yuanmai.funds.permissions import ISSUE_BONDS, PAY_BONDS
from yuanmai.projects.queries import states

AHEAD = timedelta(days=30)


def payments(actor: Actor, today: date) -> Sequence[Todo]:
    """Payments of the next 30 days, one for each tranche and day, at the level nearest to the bondholders that is the reader's own."""
    query = Query(tuple(actor.org_ids(PAY_BONDS)), today)
    by_day: dict[tuple[date, str], dict[str, list[Due]]] = defaultdict(lambda: defaultdict(list))
    for due in payments_due(query, today - timedelta(days=15), today + AHEAD):
        if today <= due.pay_on <= today + AHEAD:
            by_day[due.pay_on, due.tranche.code][due.level].append(due)
    items = []
    for (day, code), levels in sorted(by_day.items(), key=lambda pair: pair[0]):
        mine = next(levels[level] for level in (ISSUER, PLACE, PROJECT) if levels[level])
        whole = to_cents(sum((due.amount for due in mine), 0 * mine[0].amount))
        items.append(
            Todo(
                title=gettext("Pay %(amount)s on %(tranche)s")
                % {"amount": yuan_text(whole, chinese=chinese()), "tranche": code},
                reason=gettext("Interest or principal falls due; the money must be there before the day."),
                url=f"{reverse('funds:payment_dates')}?year={day.year}",
                action=gettext("Open"),
                due=day,
                icon="calendar",
            )
        )
    return items[:LIMIT]


def to_allot(actor: Actor, today: date) -> Sequence[Todo]:
    """Tranches of which something is left to allot."""
    rows = Tranche.objects.filter(
        org_id__in=list(actor.org_ids(ISSUE_BONDS)),
        retracted_at=None,
        value_date__lte=today,
        allotted__lt=F("amount"),
    )
    return [
        Todo(
            title=gettext("Allot the rest of %(tranche)s") % {"tranche": row.code},
            reason=gettext("%(amount)s are not allotted to any project yet; the time to spend them runs.")
            % {"amount": yuan_text(row.amount - row.allotted, chinese=chinese())},
            url=reverse("funds:tranche_allot", args=[row.uid]),
            action=gettext("Allot"),
            icon="git-branch",
            detail=row.name,
        )
        for row in rows.order_by("value_date", "pk")[:LIMIT]
    ]


def lying_idle(actor: Actor, today: date) -> Sequence[Todo]:
    """Parts of tranches whose time to be spent is over, the longest first."""
    query = Query(tuple(actor.org_ids(PAY_BONDS)), today)
    parts = sorted(idle(query), key=lambda part: (part.standing.deadline, part.project_id))[:LIMIT]
    found = states(query).filter(project_id__in=[part.project_id for part in parts])
    named = {state.project_id: state for state in found.select_related("project")}
    return [
        Todo(
            title=gettext("Idle: %(amount)s of %(tranche)s for “%(name)s”")
            % {
                "amount": yuan_text(part.standing.unspent, chinese=chinese()),
                "tranche": part.tranche.code,
                "name": named[part.project_id].name,
            },
            reason=gettext("The time to spend it ended on %(day)s.") % {"day": part.standing.deadline},
            url=reverse("funds:debt_service_project", args=[named[part.project_id].project.uid]),
            action=gettext("Open"),
            due=part.standing.take_back,
            tone="danger",
            icon="hourglass",
        )
        for part in parts
        if part.project_id in named
    ]


ROOMS = ("funds", "projects", "core")
register_todo(TodoSource("funds.payments", _("Payments due"), payments, PAY_BONDS, 31, ROOMS))
register_todo(TodoSource("funds.to_allot", _("Tranches to allot"), to_allot, ISSUE_BONDS, 32, ROOMS))
register_todo(TodoSource("funds.idle", _("Idle bond money"), lying_idle, PAY_BONDS, 33, ROOMS))
