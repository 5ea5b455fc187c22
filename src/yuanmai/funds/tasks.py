"""The periodic work of the funds room."""

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.jobs.schedule import Daily, scheduled
from yuanmai.core.policy import SYSTEM
from yuanmai.funds.issuing.actions.daily import look_for_idle


@scheduled("funds.look_for_idle", gettext_lazy("Look for idle bond money"), Daily(4, 0))
def find_idle() -> str:
    """Bring the findings of idle bond money up to date with the day."""
    count = look_for_idle(SYSTEM, timezone.localdate())
    return _("%(count)s findings of idle money are open.") % {"count": count}
