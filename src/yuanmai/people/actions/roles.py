"""Verbs around roles: what they allow, and whether they ask for a second factor."""

from collections.abc import Collection

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import PERMISSIONS, Denied
from yuanmai.people import permissions
from yuanmai.people.actions.organisations import require_everywhere
from yuanmai.people.actor import matches
from yuanmai.people.engine.separation import BUSINESS, misplaced
from yuanmai.people.models import Role


@action("people.require_second_factor", permission=permissions.GRANT_ROLES)
def require_second_factor(act: Act, role: Role, *, required: bool) -> Role:
    """Say whether whoever holds the role needs a second factor; who has none sets one up before anything else."""
    require_everywhere(act)
    act.log(role, before={"second_factor": role.second_factor}, after={"second_factor": required})
    role.second_factor = required
    role.save(update_fields=["second_factor"])
    return role


@action("people.set_role_permissions", permission=permissions.GRANT_ROLES)
def set_role_permissions(act: Act, role: Role, *, codes: Collection[str]) -> Role:
    """Say what a business role allows. The administrators' roles are fixed, and their rights go into no other role."""
    require_everywhere(act)
    if role.group != BUSINESS:
        raise Denied(_("What the three administrators may do is fixed."), code=act.permission)
    wanted = sorted(set(codes))
    if unknown := [code for code in wanted if code not in PERMISSIONS]:
        raise ValidationError(_("There is no right “%(code)s”.") % {"code": unknown[0]})
    if wrong := misplaced(wanted, role.group):
        raise ValidationError(
            _("“%(right)s” belongs to an administrator and goes into no other role.")
            % {"right": PERMISSIONS[wrong[0]].name}
        )
    before = sorted(role.permissions)
    held = {code for code in PERMISSIONS if any(matches(entry, code) for entry in before)}
    role.permissions = wanted
    role.save(update_fields=["permissions"])
    act.log(
        role,
        before={"permissions": before},
        after={
            "permissions": wanted,
            "added": sorted(set(wanted) - held),
            "removed": sorted(held - set(wanted)),
        },
    )
    return role
