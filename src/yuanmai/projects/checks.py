"""The projects room's checks for the doctor."""

from django.utils.translation import gettext_lazy as _

from yuanmai.core.doctor import Outcome, check
from yuanmai.core.doctor.states import Projection, agreement, projection
from yuanmai.projects.models import Project
from yuanmai.projects.projection import difference, refold

projection(
    Projection("projects", lambda: list(Project.objects.values_list("id", flat=True)), difference, refold)
)


@check("projects_states", _("States of projects"), needs_database=True)
def states() -> Outcome:
    """What lists and figures read agrees with the recorded facts."""
    return agreement("projects")
