"""What waits for a person: reports, blockers, findings, imports, the password."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from yuanmai.core.figures import Query
from yuanmai.core.findings import Finding
from yuanmai.core.permissions import ANSWER_FINDINGS
from yuanmai.core.policy import Actor
from yuanmai.core.todo import LIMIT, Todo, TodoSource, register_todo
from yuanmai.core.web.links import link
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.projects.engine.periods import Period, period_of
from yuanmai.projects.models import Blocker
from yuanmai.projects.permissions import DISPATCH_PROJECTS, IMPORT_PROJECTS, REPORT_PROGRESS
from yuanmai.projects.queries import planned_projects

PASSWORD_NOTICE = timedelta(days=14)


def unreported(actor: Actor, today: date, period: Period) -> int:
    """Return how many projects that the actor reports for have no report since the period began."""
    query = Query(tuple(sorted(actor.org_ids(REPORT_PROGRESS))), today)
    late = Q(reported_on=None) | Q(reported_on__lt=period.first)
    return planned_projects(query).filter(late, completed=False).count()


def reports(actor: Actor, today: date) -> Sequence[Todo]:
    """The half-monthly reports that are due, and those of the period before that are still missing."""
    period = period_of(today)
    entry = reverse("projects:progress")
    items: list[Todo] = []
    for which, tone in ((period.previous(), "danger"), (period, "")):
        missing = unreported(actor, today, which)
        if not missing or (which is period and items and missing == items[0].count):
            continue
        items.append(
            Todo(
                title=ngettext(
                    "Report %(n)d project for %(period)s", "Report %(n)d projects for %(period)s", missing
                )
                % {"n": missing, "period": period_name(which)},
                reason=gettext("No progress has been reported since the period began."),
                url=f"{entry}?{urlencode({'period': which.code, 'missing': '1'})}",
                action=gettext("Enter progress"),
                due=which.last,
                tone=tone,
                icon="edit",
                count=missing,
            )
        )
    return items


def period_name(period: Period) -> str:
    """Return a period in words: first half of March 2022."""
    month = f"{period.year}-{period.month:02d}"
    if period.half == 1:
        return gettext("the first half of %(month)s") % {"month": month}
    if period.half == 2:
        return gettext("the second half of %(month)s") % {"month": month}
    return month


def blockers(actor: Actor, today: date) -> Sequence[Todo]:
    """Blockers to hand over, answers to judge, and deadlines that have passed."""
    waiting = Q(state__in=[Blocker.State.OPEN, Blocker.State.ANSWERED]) | Q(
        state=Blocker.State.HANDED, due_on__lte=today
    )
    rows = Blocker.objects.filter(waiting, org_id__in=actor.org_ids(DISPATCH_PROJECTS), opened_on__lte=today)
    rows = rows.order_by(F("due_on").asc(nulls_last=True), "id")[:LIMIT]
    return [_blocker(row, today) for row in rows]


def _blocker(row: Blocker, today: date) -> Todo:
    reason, action = {
        Blocker.State.OPEN: (gettext("Raised, and not yet handed to anybody."), gettext("Hand over")),
        Blocker.State.ANSWERED: (
            gettext("Answered: close it, or send it back."),
            gettext("Judge the answer"),
        ),
    }.get(
        Blocker.State(row.state),
        (
            gettext("Handed to %(body)s; the deadline has passed.") % {"body": row.body or "–"},
            gettext("Follow up"),
        ),
    )
    late = row.due_on is not None and row.due_on < today
    return Todo(
        title=row.title,
        reason=reason,
        url=link("projects:blocker", row.pk)
        or f"{reverse('projects:record', args=[row.project.uid])}#blockers",
        action=action,
        due=row.due_on,
        tone="danger" if late else "",
        icon="octagon",
        detail=row.get_kind_display(),
    )


def findings(actor: Actor, today: date) -> Sequence[Todo]:
    """Open findings that the person answers for."""
    rows = Finding.objects.filter(
        owner_id=actor.user_id, state=Finding.State.OPEN, org_id__in=actor.org_ids(ANSWER_FINDINGS)
    )
    return [
        Todo(
            title=row.sentence,
            reason=gettext("You answer for this finding."),
            url=reverse("cockpit:finding", args=[row.pk]),
            action=gettext("Answer the finding"),
            icon="alert-triangle",
            tone="warning",
        )
        for row in rows.order_by("-effective_on", "id")[:LIMIT]
    ]


def imports(actor: Actor, today: date) -> Sequence[Todo]:
    """Workbooks that the person uploaded and looked at, and has neither taken over nor thrown away."""
    rows = ImportBatch.objects.filter(
        created_by_id=actor.user_id,
        state=ImportBatch.State.PREVIEWED,
        org_id__in=actor.org_ids(IMPORT_PROJECTS),
    )
    return [
        Todo(
            title=row.file_name,
            reason=gettext("Uploaded and previewed, but not taken over yet."),
            url=import_url(row),
            action=gettext("Continue"),
            due=timezone.localdate(row.created_at) + timedelta(days=7),
            icon="file-import",
        )
        for row in rows.order_by("-created_at")[:LIMIT]
    ]


def import_url(batch: ImportBatch) -> str:
    """Return the page of an import."""
    return reverse("imports:record", args=[batch.pk])


def password(actor: Actor, today: date) -> Sequence[Todo]:
    """The password, when its last fourteen days have begun."""
    user: Any = getattr(actor, "user", None)
    if user is None or settings.PASSWORD_PROFILE != "dengbao3" or user.password_changed_at is None:  # noqa: S105
        return []
    ends = timezone.localdate(user.password_changed_at) + timedelta(days=settings.PASSWORD_ROTATION_DAYS)
    now = timezone.localdate()
    if ends - now > PASSWORD_NOTICE:
        return []
    return [
        Todo(
            title=gettext("Change your password"),
            reason=gettext("Passwords are valid for %(n)s days.") % {"n": settings.PASSWORD_ROTATION_DAYS},
            url=reverse("account_change_password"),
            action=gettext("Change the password"),
            due=ends,
            tone="danger" if ends <= now else "warning",
            icon="key",
        )
    ]


register_todo(
    TodoSource("reports", _("Reports due"), reports, REPORT_PROGRESS, order=10, rooms=("projects",))
)
register_todo(
    TodoSource("blockers", _("Blockers"), blockers, DISPATCH_PROJECTS, order=20, rooms=("projects",))
)
register_todo(TodoSource("findings", _("Findings"), findings, ANSWER_FINDINGS, order=30))
register_todo(TodoSource("imports", _("Imports"), imports, IMPORT_PROJECTS, order=40))
register_todo(TodoSource("password", _("Password"), password, order=90, rooms=("people",)))
