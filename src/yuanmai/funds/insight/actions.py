"""Verbs around the repayment calendar: everybody who sees funds makes and ends their own private addresses."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import Denied
from yuanmai.funds.insight.feed import new_address
from yuanmai.funds.models import CalendarFeed
from yuanmai.funds.permissions import SEE_FUNDS
from yuanmai.people.models import User
from yuanmai.people.permissions import MANAGE_USERS

MOST = 10  # addresses of one user at a time


@action("funds.open_calendar", permission=SEE_FUNDS)
def open_calendar(act: Act, *, name: str) -> tuple[CalendarFeed, str]:
    """Make a private address of the repayment calendar for the actor; returns it and its secret text, which is shown once."""
    user = User.objects.filter(pk=act.actor.user_id or 0).first()
    if user is None or act.actor.via == "api":
        raise Denied(_("A private address is made by a person who is signed in."), code=act.permission)
    name = name.strip()
    if not name:
        raise ValidationError({"name": _("Say which program or phone uses the address.")})
    if len(name) > 80:
        raise ValidationError({"name": _("At most 80 characters.")})
    if CalendarFeed.objects.filter(user=user, revoked_at=None).count() >= MOST:
        raise ValidationError(
            {"name": _("You have %(n)d addresses. End one that is not used any more.") % {"n": MOST}}
        )
    text, prefix, digest = new_address()
    row = CalendarFeed.objects.create(user=user, name=name, prefix=prefix, digest=digest, created_at=act.now)
    act.log(row, org_id=user.org_id, after={"name": name})
    return row, text


@action("funds.close_calendar", permission=SEE_FUNDS)
def close_calendar(act: Act, row: CalendarFeed) -> CalendarFeed:
    """End a private address of one's own at once; who keeps the accounts ends any."""
    if row.user_id != act.actor.user_id:
        act.require(row.user.org_id, MANAGE_USERS)
    if row.revoked_at is None:
        row.revoked_at = act.now
        row.save(update_fields=["revoked_at"])
    act.log(row, org_id=row.user.org_id, after={"name": row.name, "revoked": True})
    return row
