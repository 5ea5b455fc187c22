"""The people room's checks for the doctor."""

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.doctor import Outcome, check
from yuanmai.people.models import User


@check("demo_accounts", gettext_lazy("Demonstration accounts"), needs_database=True)
def demo_accounts() -> Outcome:
    """Accounts whose password is published stand in no real installation."""
    count = User.objects.filter(is_demo=True).count()
    if not count:
        return Outcome.ok(_("none"))
    if settings.DEMO:
        return Outcome.ok(_("%(count)s, demonstration mode is on") % {"count": count})
    return Outcome.warn(
        _("%(count)s demonstration accounts, and demonstration mode is off: they cannot sign in")
        % {"count": count},
        _(
            "Begin with an empty data directory (YUANMAI_HOME), or start with YUANMAI_DEMO=1 to show the demonstration."
        ),
    )
