"""The life of a reserve project, as a table: pages, API and actions read their buttons and rules from it.

What people decide is in `RESERVE`; what follows from reviews, allotments, payments is in `AUTOMATIC` and moved by
``reserve.moving.advance`` inside the actions that cause it.
"""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.workflow import Need, Transition, Workflow, workflow
from yuanmai.funds.models import Reserve
from yuanmai.funds.permissions import APPROVE_BONDS, KEEP_RESERVE

S = Reserve.State
PREPARED, REVIEWED, REPORTED, APPROVED = S.RESERVE.value, S.REVIEWED.value, S.REPORTED.value, S.APPROVED.value
ISSUED, DRAWN, COMPLETED, REPAID = S.ISSUED.value, S.DRAWN.value, S.COMPLETED.value, S.REPAID.value
ORDER = (PREPARED, REVIEWED, REPORTED, APPROVED, ISSUED, DRAWN, COMPLETED, REPAID)

REASON = Need("text", _("Reason"), "long")
DOCUMENT = Need("document", _("Document number"))
AMOUNT = Need("amount", _("Bonds approved (10,000 yuan)"), "money")

RESERVE = workflow(
    Workflow(
        code="funds.reserve",
        name=_("Reserve project"),
        initial=PREPARED,
        states=dict(S.choices),
        final=(REPAID,),
        transitions=(
            Transition("submit", _("Hand in for review"), (PREPARED,), "", KEEP_RESERVE,
                       (Need("text", _("What was done since it was sent back"), "long", optional=True),), "send", "primary",
                       _("Finance and development-reform then review it; until they have, it cannot be changed.")),
            Transition("recall", _("Take back from review"), (PREPARED,), "", KEEP_RESERVE, (REASON,), "arrow-back-up", "",
                       _("It can be changed again; the reviews begin anew afterwards.")),
            Transition("report", _("Report for bonds"), (REVIEWED,), REPORTED, APPROVE_BONDS, (DOCUMENT,), "upload",
                       "primary", _("It goes up to the province with the place's other demands.")),
            Transition("approve", _("Record the approval"), (REPORTED,), APPROVED, APPROVE_BONDS, (AMOUNT, DOCUMENT), "check",
                       "success", _("The amount may be less than what was asked for.")),
            Transition("send_back", _("Send back"), (REVIEWED, REPORTED), PREPARED, APPROVE_BONDS, (REASON,), "arrow-back-up",
                       "warning", _("Whoever keeps it puts it right and hands it in again.")),
            Transition("adjust", _("Change the approved amount"), (APPROVED, ISSUED, DRAWN), "", APPROVE_BONDS,
                       (AMOUNT, DOCUMENT), "adjustments", "", _("Not below what tranches were allotted already.")),
            Transition("revoke", _("Take the approval back"), (APPROVED,), REPORTED, APPROVE_BONDS, (REASON,),
                       "arrow-back-up", "danger", _("Only while no tranche is allotted.")),
            Transition("complete", _("Record the completion"), (ISSUED, DRAWN), COMPLETED, KEEP_RESERVE, (DOCUMENT,), "flag",
                       "success", _("The work is accepted and its assets are registered.")),
            Transition("reopen", _("Take the completion back"), (COMPLETED,), DRAWN, KEEP_RESERVE, (REASON,), "refresh", "",
                       _("It turned out not to be complete.")),
            Transition("repay", _("Record the last repayment"), (COMPLETED,), REPAID, APPROVE_BONDS, (DOCUMENT,), "check",
                       "success", _("All principal and interest of its tranches is paid.")),
        ),
    )
)  # fmt: skip

# What other actions move. The permission is that of the action that causes it.
STEP_NAMES = {t.code: t.name for t in RESERVE.transitions} | {
    "enter": _("Put in reserve"),
    "change": _("Application changed"),
    "items": _("Checklist stated"),
    "uses": _("Named uses stated"),
    "plan": _("Plan by year stated"),
    "loans": _("Loans stated"),
    "review": _("Reviewed"),
    "pass": _("Passed by both bodies"),
    "returned": _("Sent back by the review"),
    "unreviewed": _("Review taken back"),
    "issue": pgettext_lazy("reserve project", "Issued"),
    "draw": _("Drawn"),
    "finish": pgettext_lazy("reserve project", "Completed"),
    "pay_off": _("Repaid"),
    "completed": pgettext_lazy("reserve project", "Completed"),
    "fall_back": _("Fallen back"),
    "unissue": _("No tranche allotted any more"),
    "withdraw": _("Withdrawn from the reserve"),
    "restore": _("Put back in reserve"),
}
ADVANCES = {ISSUED: "issue", DRAWN: "draw", COMPLETED: "finish", REPAID: "pay_off"}
TONES = {
    PREPARED: "secondary", REVIEWED: "info", REPORTED: "info", APPROVED: "primary", ISSUED: "primary", DRAWN: "warning",
    COMPLETED: "success", REPAID: "success",
}  # fmt: skip
