"""The first act of a real installation: its root organisation and the three administrators."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.people import permissions
from yuanmai.people.engine.separation import ADMINISTRATORS
from yuanmai.people.models import Organisation, Post, Role, User
from yuanmai.people.presets_loader import ensure_roles

# Each is told of the root organisation of a new installation: rooms above bring what it starts with.
NEW_INSTALLATION: list[Callable[[Organisation], object]] = []


@dataclass(frozen=True)
class Administrator:
    """One of the three: `group` is system, security or audit."""

    group: str
    username: str
    full_name: str
    password: str


@action("people.set_up", permission=permissions.MANAGE_USERS)
def set_up_installation(
    act: Act, *, code: str, name: str, kind: str, administrators: Sequence[Administrator]
) -> Organisation:
    """Create the root organisation and the three administrators; only the system does it, and only once."""
    if act.actor is not SYSTEM:
        raise Denied(_("Only the system itself sets up an installation."), code=act.permission)
    if User.objects.exists():
        raise ValidationError(_("This installation has accounts already."))
    if {a.group for a in administrators} != ADMINISTRATORS or len(administrators) != 3:
        raise ValidationError(_("Three administrators are needed: system, security, audit."))
    if len({a.username.casefold() for a in administrators}) != 3:
        raise ValidationError(_("The three administrators need three different accounts."))
    ensure_roles()
    root = Organisation.objects.filter(code=code).first() or Organisation.add_root(
        code=code, name=name, kind=kind
    )
    for admin in administrators:
        user = User(username=admin.username, full_name=admin.full_name, org=root)
        validate_password(admin.password, user)
        user.set_password(admin.password)
        user.full_clean(exclude=["password"])
        user.save()
        Post.objects.create(user=user, org=root, role=Role.objects.get(code=f"{admin.group}_administrator"))
        act.log(user, org_id=root.pk, after={"username": admin.username, "role": admin.group, "org": code})
    for begin in NEW_INSTALLATION:
        begin(root)
    return root
