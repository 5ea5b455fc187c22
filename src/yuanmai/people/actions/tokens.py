"""Verbs around API tokens: everybody makes and ends their own."""

from collections.abc import Collection
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import Denied
from yuanmai.people import permissions, tokens
from yuanmai.people.models import ApiToken, User

LONGEST_DAYS = 365


@action("people.create_token", permission=permissions.USE_API)
def create_token(act: Act, *, name: str, codes: Collection[str], days: int) -> tuple[ApiToken, str]:
    """Make a token for the actor that carries some of the actor's own rights for some days; returns it and its text.

    The text is shown once; only its hash is kept.
    """
    user = User.objects.filter(pk=act.actor.user_id or 0).first()
    if user is None or act.actor.via == "api":
        raise Denied(_("A token is made by a person who is signed in."), code=act.permission)
    if not name.strip():
        raise ValidationError({"name": _("Give the token a name that says what uses it.")})
    if not 1 <= days <= LONGEST_DAYS:
        raise ValidationError({"days": _("Between 1 and %(n)d days.") % {"n": LONGEST_DAYS}})
    wanted = sorted(set(codes))
    if not wanted:
        raise ValidationError({"codes": _("Choose at least one right.")})
    for code in wanted:
        act.require(None, code)
    text, prefix, digest = tokens.new_token()
    row = ApiToken.objects.create(
        user=user,
        name=name.strip(),
        prefix=prefix,
        digest=digest,
        permissions=wanted,
        created_at=act.now,
        expires_at=act.now + timedelta(days=days),
    )
    act.log(
        row, org_id=user.org_id, after={"name": row.name, "permissions": wanted, "expires_at": row.expires_at}
    )
    return row, text


@action("people.revoke_token", permission=permissions.USE_API)
def revoke_token(act: Act, token: ApiToken) -> ApiToken:
    """End a token of one's own at once; who keeps the accounts ends any."""
    if token.user_id != act.actor.user_id:
        act.require(token.user.org_id, permissions.MANAGE_USERS)
    if token.revoked_at is None:
        token.revoked_at = act.now
        token.save(update_fields=["revoked_at"])
    act.log(token, org_id=token.user.org_id, after={"name": token.name, "revoked": True})
    return token
