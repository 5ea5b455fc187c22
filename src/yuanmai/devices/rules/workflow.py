"""What can be done with an alarm. That its cause is over (`cleared_at`) is no step: it happens by itself."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from yuanmai.core.workflow import Need, Transition, Workflow, workflow
from yuanmai.devices.models import AlarmState
from yuanmai.devices.permissions import HANDLE_ALARMS

NEW, KNOWN, GIVEN, CLOSED = (state.value for state in AlarmState)
OPEN = (NEW, KNOWN, GIVEN)

ALARM = workflow(
    Workflow(
        code="alarms",
        name=_("Alarm"),
        initial=NEW,
        states={state.value: state.label for state in AlarmState},
        final=(CLOSED,),
        transitions=(
            Transition(
                "acknowledge", pgettext_lazy("alarm", "Acknowledge"), (NEW,), KNOWN, HANDLE_ALARMS,
                (Need("text", _("Note"), "long", optional=True),), icon="check", tone="primary",
                explain=_("I have seen it. Nobody else is called any more."),
            ),
            Transition(
                "assign", pgettext_lazy("alarm", "Assign"), OPEN, GIVEN, HANDLE_ALARMS,
                (Need("assignee", pgettext_lazy("alarm", "To whom")), Need("text", _("Note"), "long", optional=True)), icon="user-check",
                explain=_("It appears among the to-dos of that person."),
            ),
            Transition(
                "close", pgettext_lazy("alarm", "Close"), OPEN, CLOSED, HANDLE_ALARMS,
                (Need("text", _("What was the cause, what was done"), "long"),), icon="circle-check", tone="success",
                explain=_("The alarm is dealt with."),
            ),
            Transition(
                "reopen", pgettext_lazy("alarm", "Open again"), (CLOSED,), KNOWN, HANDLE_ALARMS,
                (Need("text", _("Reason"), "long"),), icon="rotate",
                explain=_("It was closed too early."),
            ),
        ),
    )
)  # fmt: skip
STATE_TONES = {NEW: "danger", KNOWN: "warning", GIVEN: "info", CLOSED: "secondary"}
