"""Verbs of the organisation tree."""

from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import Denied
from yuanmai.people import permissions
from yuanmai.people.models import Organisation

EDITABLE = ("name", "name_en", "short_name", "kind", "level", "default_as_of")


def require_everywhere(act: Act) -> None:
    """Raise `Denied` unless the actor holds the action's permission in every root of the tree."""
    for root in Organisation.objects.filter(depth=1).values_list("pk", flat=True):
        if act.actor.why_not(act.permission, root):
            raise Denied(
                _("This concerns the whole installation; your post covers only a part of it."),
                code=act.permission,
            )
    act.require(None)


def _checked(code: str, kind: str) -> None:
    validate_slug(code)
    if kind not in Organisation.Kind.values:
        raise ValidationError(
            _("“%(kind)s” is not a kind of organisation. Choose one of: %(kinds)s.")
            % {"kind": kind, "kinds": ", ".join(Organisation.Kind.values)}
        )
    if Organisation.objects.filter(code=code).exists():
        raise ValidationError(
            _("The code “%(code)s” is already taken by another organisation.") % {"code": code}
        )


@action("people.add_organisation", permission=permissions.MANAGE_ORGANISATIONS)
def add_organisation(
    act: Act,
    /,
    *,
    code: str,
    name: str,
    kind: str,
    parent_code: str | None = None,
    name_en: str = "",
    **more: Any,
) -> Organisation:
    """Add an organisation below another one, or as a root; raises `ValidationError` for a code that is taken.

    `more` are further fields: `short_name`, `level`, `default_as_of`.
    """
    _checked(code, kind)
    values = {"code": code, "name": name, "kind": kind, "name_en": name_en, **more}
    if unknown := set(more) - set(EDITABLE):
        raise TypeError(f"not fields of an organisation: {unknown}")
    if parent_code:
        parent = Organisation.objects.filter(code=parent_code).first()
        if parent is None:
            raise ValidationError(
                _("There is no organisation with the code “%(code)s”.") % {"code": parent_code}
            )
        act.require(parent.pk)
        if not parent.active:
            raise ValidationError(_("“%(name)s” is no longer in use.") % {"name": parent})
        created = parent.add_child(**values)
    else:
        require_everywhere(act)
        created = Organisation.add_root(**values)
    act.log(created, org_id=created.pk, after={**values, "parent": parent_code})
    return created


@action("people.edit_organisation", permission=permissions.MANAGE_ORGANISATIONS)
def edit_organisation(act: Act, /, org: Organisation, **values: Any) -> Organisation:
    """Change name, names in other forms, kind, level, or the day that pages open at. The code stays: links carry it."""
    act.require(org.pk)
    if unknown := set(values) - set(EDITABLE):
        raise TypeError(f"not fields of an organisation that can change: {unknown}")
    before = {key: getattr(org, key) for key in values}
    if not any(before[key] != value for key, value in values.items()):
        act.log(org, org_id=org.pk, before=_plain(before), after=_plain(before))
        return org
    for key, value in values.items():
        setattr(org, key, value)
    org.full_clean(exclude=["path", "depth", "numchild"])
    org.save(update_fields=list(values))
    act.log(org, org_id=org.pk, before=_plain(before), after=_plain(values))
    return org


@action("people.move_organisation", permission=permissions.MANAGE_ORGANISATIONS)
def move_organisation(act: Act, org: Organisation, *, parent_code: str) -> Organisation:
    """Hang an organisation with all below it under another one. Who may see it follows at the next request."""
    org = Organisation.objects.get(pk=org.pk)
    act.require(org.pk)
    parent = Organisation.objects.filter(code=parent_code).first()
    if parent is None:
        raise ValidationError(_("There is no organisation with the code “%(code)s”.") % {"code": parent_code})
    act.require(parent.pk)
    if parent.pk == org.pk or parent.is_descendant_of(org):
        raise ValidationError(_("An organisation cannot be moved below itself."))
    if not parent.active:
        raise ValidationError(_("“%(name)s” is no longer in use.") % {"name": parent})
    before = org.get_parent()
    if before is None:
        require_everywhere(act)
    else:
        act.require(before.pk)
    org.move(parent, pos="last-child")
    org = Organisation.objects.get(pk=org.pk)
    act.log(
        org,
        org_id=org.pk,
        before={"parent": before.code if before else None},
        after={"parent": parent.code},
    )
    return org


@action("people.deactivate_organisation", permission=permissions.MANAGE_ORGANISATIONS)
def deactivate_organisation(act: Act, org: Organisation) -> Organisation:
    """Take an organisation and all below it out of use: what it has stays, nothing new is given to it."""
    return _set_active(act, org, False)


@action("people.reactivate_organisation", permission=permissions.MANAGE_ORGANISATIONS)
def reactivate_organisation(act: Act, org: Organisation) -> Organisation:
    """Take an organisation and all below it into use again."""
    return _set_active(act, org, True)


def _set_active(act: Act, org: Organisation, active: bool) -> Organisation:
    act.require(org.pk)
    if org.depth == 1 and not active:
        raise ValidationError(_("The root of the tree stays in use."))
    if active and org.get_ancestors().filter(active=False).exists():
        raise ValidationError(_("An organisation above it is out of use."))
    Organisation.objects.filter(path__startswith=org.path).update(active=active)
    act.log(org, org_id=org.pk, before={"active": org.active}, after={"active": active})
    org.active = active
    return org


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()}
