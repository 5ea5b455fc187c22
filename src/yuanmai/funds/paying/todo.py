"""What waits in paying: certificates for the supervisor's confirmation, changes of use for a decision."""

from collections.abc import Sequence
from datetime import date

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import yuan_text
from yuanmai.core.figures.display import chinese
from yuanmai.core.policy import Actor
from yuanmai.core.todo import LIMIT, Todo, TodoSource, register_todo
from yuanmai.funds.models import Certificate, ChangeOfUse
from yuanmai.funds.paying.workflow import REQUESTED, REVIEWED
from yuanmai.funds.permissions import CHANGE_USE, KEEP_CONTRACTS, REVIEW_FINANCE, SEE_FUNDS


def certificates(actor: Actor, today: date) -> Sequence[Todo]:
    """Certificates that somebody else recorded and nobody confirmed."""
    rows = Certificate.objects.filter(
        Q(recorded_by=None) | ~Q(recorded_by_id=actor.user_id),
        contract__org_id__in=list(actor.org_ids(KEEP_CONTRACTS)),
        confirmed_on=None,
        retracted_at=None,
        effective_on__lte=today,
    )
    return [
        Todo(
            title=gettext("Confirm certificate %(number)s of “%(contract)s”")
            % {"number": row.number, "contract": row.contract.name},
            reason=gettext(
                "%(amount)s of work wait for the supervisor’s confirmation; it counts for payment only then."
            )
            % {"amount": yuan_text(row.amount, chinese=chinese())},
            url=reverse("funds:certificate_confirm", args=[row.pk]),
            action=gettext("Confirm"),
            icon="clipboard-check",
        )
        for row in rows.select_related("contract").order_by("effective_on", "id")[:LIMIT]
    ]


def changes(actor: Actor, today: date) -> Sequence[Todo]:
    """Changes of use that wait for the review or for the decision."""
    reviewing, deciding = list(actor.org_ids(REVIEW_FINANCE)), list(actor.org_ids(CHANGE_USE))
    waiting = Q(state=REQUESTED, org_id__in=reviewing) | Q(state=REVIEWED, org_id__in=deciding)
    rows = ChangeOfUse.objects.filter(waiting, requested_on__lte=today).select_related("tranche")
    return [
        Todo(
            title=gettext("Change of use of %(amount)s out of %(tranche)s")
            % {"amount": yuan_text(row.amount, chinese=chinese()), "tranche": row.tranche.code},
            reason=gettext("It waits for the review.")
            if row.state == REQUESTED
            else gettext("It waits for the decision."),
            url=reverse("funds:change", args=[row.uid]),
            action=gettext("Open"),
            icon="transfer",
        )
        for row in rows.order_by("requested_on", "id")[:LIMIT]
    ]


register_todo(
    TodoSource(
        "funds.certificates",
        _("Certificates to confirm"),
        certificates,
        KEEP_CONTRACTS,
        35,
        ("funds", "core"),
    )
)
register_todo(TodoSource("funds.changes", _("Changes of use"), changes, SEE_FUNDS, 36, ("funds", "core")))
