"""The verbs of the people room."""

import secrets

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.people import permissions
from yuanmai.people.models import Organisation, Post, Role, User


@action("people.add_organisation", permission=permissions.MANAGE_ORGANISATIONS)
def add_organisation(
    act: Act, *, code: str, name: str, kind: str, parent_code: str | None = None, name_en: str = ""
) -> Organisation:
    """Add an organisation below another one, or as a root; raises `ValidationError` for a code that is taken."""
    validate_slug(code)
    if Organisation.objects.filter(code=code).exists():
        raise ValidationError(_("The code “%(code)s” is already taken by another organisation.") % {"code": code})
    values = {"code": code, "name": name, "kind": kind, "name_en": name_en}
    if parent_code:
        parent = Organisation.objects.filter(code=parent_code).first()
        if parent is None:
            raise ValidationError(_("There is no organisation with the code “%(code)s”.") % {"code": parent_code})
        act.require(parent.pk)
        created = parent.add_child(**values)
    else:
        act.require(None)
        created = Organisation.add_root(**values)
    act.log(created, org_id=created.pk, after={**values, "parent": parent_code})
    return created


@action("people.add_user", permission=permissions.MANAGE_USERS)
def add_user(
    act: Act, *, username: str, full_name: str, role_code: str, org_code: str, password: str | None = None
) -> tuple[User, str | None]:
    """Add a user with one post; returns the user and, where no password was given, the one that was made."""
    if User.objects.filter(username=username).exists():
        raise ValidationError(_("The account “%(name)s” exists already.") % {"name": username})
    role = Role.objects.filter(code=role_code).first()
    org = Organisation.objects.filter(code=org_code).first()
    if role is None or org is None:
        raise ValidationError(_("The role or the organisation does not exist."))
    act.require(org.pk)
    first = None if password else f"{secrets.token_urlsafe(9)}-Ym7"
    user = User(username=username, full_name=full_name, must_change_password=first is not None)
    user.set_password(password or first)
    user.password_changed_at = timezone.now()
    user.save()
    Post.objects.create(user=user, org=org, role=role)
    act.log(user, org_id=org.pk, after={"username": username, "role": role_code, "org": org_code})
    return user, first
