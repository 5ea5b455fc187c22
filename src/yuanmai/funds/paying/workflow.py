"""The life of a change of use, as a table: pages, API and actions read their buttons and rules from it."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.workflow import Need, Transition, Workflow, workflow
from yuanmai.funds.models import ChangeOfUse
from yuanmai.funds.permissions import CHANGE_USE, KEEP_RESERVE, REVIEW_FINANCE

S = ChangeOfUse.State
REQUESTED, REVIEWED, APPROVED, REJECTED = S.DRAFT.value, S.REVIEWED.value, S.APPROVED.value, S.REJECTED.value
REASON = Need("text", _("Reason"), "long")
DOCUMENT = Need("document", _("Document of approval"))
OPINION = Need("text", pgettext_lazy("change of use", "Opinion of the review"), "long")

CHANGE = workflow(
    Workflow(
        code="funds.change_of_use",
        name=_("Change of use"),
        initial=REQUESTED,
        states=dict(S.choices),
        final=(APPROVED, REJECTED),
        transitions=(
            Transition("review", _("Pass the review"), (REQUESTED,), REVIEWED, REVIEW_FINANCE, (OPINION,), "checklist", "primary",
                       _("Only while every condition is met.")),
            Transition("approve", _("Approve the change"), (REVIEWED,), APPROVED, CHANGE_USE, (DOCUMENT,), "check", "success",
                       _("The money moves at once: allotments, funding and coverage of both projects follow.")),
            Transition("send_back", _("Send back"), (REVIEWED,), REQUESTED, CHANGE_USE, (REASON,), "arrow-back-up", "warning",
                       _("It is looked at again, with what was found wanting.")),
            Transition("reject", _("Reject the change"), (REQUESTED, REVIEWED), REJECTED, CHANGE_USE, (REASON,), "x", "danger",
                       _("The money stays where it is.")),
            Transition("withdraw", _("Withdraw the request"), (REQUESTED,), REJECTED, KEEP_RESERVE, (REASON,), "trash", "",
                       _("Whoever asked for it no longer does.")),
        ),
    )
)  # fmt: skip
STEP_NAMES = {t.code: t.name for t in CHANGE.transitions} | {
    "request": pgettext_lazy("change of use", "Requested")
}
TONES = {REQUESTED: "info", REVIEWED: "primary", APPROVED: "success", REJECTED: "secondary"}
