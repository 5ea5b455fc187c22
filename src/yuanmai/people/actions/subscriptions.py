"""Verbs around subscriptions: everybody makes and ends their own."""

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.figures import FIGURES
from yuanmai.core.permissions import SEE_FIGURES
from yuanmai.core.policy import Denied
from yuanmai.core.saved.models import SavedView
from yuanmai.people import permissions
from yuanmai.people.models import Subscription, User
from yuanmai.people.tokens import digest_of, new_token

MOST = 20  # that somebody may have at once


def _subscriber(act: Act) -> User:
    user = User.objects.filter(pk=act.actor.user_id or 0).first()
    if user is None or act.actor.via == "api":
        raise Denied(_("A subscription is made by a person who is signed in."), code=act.permission)
    if Subscription.objects.filter(user=user, ended_at=None).count() >= MOST:
        raise ValidationError(_("You have %(n)s subscriptions; end one first.") % {"n": MOST})
    return user


def _made(act: Act, user: User, **values: object) -> Subscription:
    row = Subscription.objects.create(
        user=user, language=get_language() or "zh-hans", created_at=act.now, **values
    )
    act.log(row, org_id=user.org_id, after={"kind": row.kind, "name": row.name, "every": row.every})
    return row


@action("people.subscribe_calendar", permission=SEE_FIGURES)
def subscribe_calendar(act: Act, *, name: str) -> tuple[Subscription, str]:
    """Open an address under which a calendar program fetches the actor's to-dos; returns it and the secret, shown once."""
    user = _subscriber(act)
    if not name.strip():
        raise ValidationError({"name": _("Give the address a name that says what uses it.")})
    _kind, prefix, secret = new_token()[0].split("_", 2)
    row = _made(act, user, kind="calendar", name=name.strip()[:120], prefix=prefix, digest=digest_of(secret))
    return row, f"{prefix}-{secret}"


@action("people.subscribe_by_mail", permission=SEE_FIGURES)
def subscribe_by_mail(
    act: Act, *, every: str, org_id: int | None, view: SavedView | None = None, figure: str = ""
) -> Subscription:
    """Have a saved view or a figure sent to the actor's address every day or week, for an organisation of the data scope."""
    user = _subscriber(act)
    if not user.email:
        raise ValidationError(_("There is no e-mail address in your account; ask who keeps the accounts."))
    if every not in Subscription.Every.values:
        raise ValidationError({"every": _("Every day or every Monday.")})
    if org_id is not None:
        act.require(org_id)
    if view is not None:
        if view.user_id != user.pk and not (view.shared and view.org_id in act.actor.org_ids()):
            raise Denied(_("This view is somebody else's."), code=act.permission)
        return _made(act, user, kind="view", name=view.name, view=view, every=every, org_id=org_id)
    if figure not in FIGURES:
        raise ValidationError({"what": _("Choose a saved view or a figure.")})
    name = str(FIGURES[figure].name)[:120]
    return _made(act, user, kind="figure", name=name, figure=figure, every=every, org_id=org_id)


@action("people.end_subscription", permission=SEE_FIGURES)
def end_subscription(act: Act, row: Subscription) -> None:
    """End a subscription of one's own at once; who keeps the accounts ends any."""
    if row.user_id != act.actor.user_id:
        act.require(row.user.org_id, permissions.MANAGE_USERS)
    if row.ended_at is None:
        row.ended_at = act.now
        row.save(update_fields=["ended_at"])
    act.log(row, org_id=row.user.org_id, after={"name": row.name, "revoked": True})
