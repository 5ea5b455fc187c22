"""The life of a blocker, as a table: pages, API and actions read their buttons and rules from it."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.workflow import Need, Transition, Workflow, workflow
from yuanmai.projects.models import Blocker
from yuanmai.projects.permissions import DISPATCH_PROJECTS, REPORT_PROGRESS

OPEN, HANDED, ANSWERED, CLOSED = "open", "handed", "answered", "closed"
LEVELS = (pgettext_lazy("level of dispatch", "Office"), _("Deputy leader"), _("Leader"))

BODY = Need("body", _("Handed to"))
DUE = Need("due_on", _("Due"), "date")
NOTE = Need("text", _("Reason"), "long")

BLOCKERS = workflow(
    Workflow(
        code="projects.blocker",
        name=_("Blocker"),
        initial=OPEN,
        states=dict(Blocker.State.choices),
        final=(CLOSED,),
        transitions=(
            Transition("hand", _("Hand over"), (OPEN,), HANDED, DISPATCH_PROJECTS, (BODY, DUE), "send", "primary",
                       _("A body is to solve it by a day.")),
            Transition("answer", _("Answer"), (HANDED,), ANSWERED, REPORT_PROGRESS,
                       (Need("text", _("Answer"), "long"),), "message", "primary",
                       _("What the body did; the office then closes it or sends it back.")),
            Transition("send_back", _("Send back"), (ANSWERED,), HANDED, DISPATCH_PROJECTS, (NOTE, DUE),
                       "arrow-back-up", "warning", _("The answer does not solve it; a new day is set.")),
            Transition("close", _("Close"), (OPEN, ANSWERED), CLOSED, DISPATCH_PROJECTS,
                       (Need("text", _("How it was solved"), "long"),), "check", "success",
                       _("It no longer stops the project.")),
            Transition("escalate", _("Escalate"), (OPEN, HANDED), "", DISPATCH_PROJECTS, (NOTE,), "trending-up",
                       "danger", _("To the deputy leader, then to the leader.")),
            Transition("reopen", _("Open again"), (CLOSED,), OPEN, DISPATCH_PROJECTS, (NOTE,), "refresh", "",
                       _("It turned out not to be solved.")),
        ),
    )
)  # fmt: skip
