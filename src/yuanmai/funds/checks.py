"""The funds room's checks for the doctor."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.doctor import Outcome, check
from yuanmai.core.doctor.states import Projection, agreement, projection
from yuanmai.funds.projection import difference, refold
from yuanmai.projects.models import Project

projection(
    Projection("funds", lambda: list(Project.objects.values_list("id", flat=True)), difference, refold)
)


@check("funds_states", _("States of funding"), needs_database=True)
def states() -> Outcome:
    """What figures of funds read agrees with the recorded facts."""
    return agreement("funds")
