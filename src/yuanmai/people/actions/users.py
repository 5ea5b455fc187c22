"""Verbs around accounts. The system administrator keeps accounts; what an account may do, the security administrator says."""

from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import SYSTEM, Denied
from yuanmai.people import permissions
from yuanmai.people.actions.organisations import require_everywhere
from yuanmai.people.engine.separation import ADMINISTRATORS
from yuanmai.people.models import Organisation, Post, Role, User
from yuanmai.people.passwords import ONE_TIME_DAYS, one_time_password

EDITABLE = ("full_name", "email", "phone", "org")


def groups_of(user: User) -> set[str]:
    """Return the groups of the roles that a user holds now or will hold."""
    day = timezone.localdate()
    posts = Post.objects.filter(user=user).exclude(until__lte=day)
    return set(posts.values_list("role__group", flat=True))


def require_account(act: Act, user: User) -> None:
    """Raise `Denied` unless the account lies wholly within what the actor administers.

    That is where the person works and where every post is: who keeps the accounts of a park does not lock out the mayor.
    """
    places = set(Post.objects.filter(user=user).values_list("org_id", flat=True))
    if user.org_id:
        places.add(user.org_id)
    if not places:
        require_everywhere(act)
    for org_id in places:
        act.require(org_id)


def not_oneself(act: Act, user: User) -> None:
    """Raise `Denied` where somebody would act upon their own account."""
    if act.actor.user_id is not None and act.actor.user_id == user.pk:
        raise Denied(_("Nobody does this to their own account. Ask a colleague."), code=act.permission)


def not_another_administrator(act: Act, user: User) -> None:
    """Raise `Denied` where the account is a security or audit administrator's: who could take it over would hold both."""
    if act.actor is not SYSTEM and groups_of(user) & (ADMINISTRATORS - {"system"}):
        raise Denied(
            _(
                "This is the account of a security or audit administrator. Whoever keeps the machine does this, "
                "on its command line: yuanmai user reset-password."
            ),
            code=act.permission,
        )


def _one_time(user: User) -> str:
    """Give the account a password that works once and for three days."""
    password = one_time_password()
    user.set_password(password)
    user.must_change_password = True
    user.one_time_until = timezone.now() + timedelta(days=ONE_TIME_DAYS)
    return password


@action("people.add_user", permission=permissions.MANAGE_USERS)
def add_user(
    act: Act,
    *,
    username: str,
    full_name: str,
    org_code: str,
    role_code: str | None = None,
    password: str | None = None,
    email: str = "",
    phone: str = "",
) -> tuple[User, str | None]:
    """Add an account; returns the user and, where no password was given, the one-time password that was made.

    Only the system itself (command line, set-up, demonstration) gives a first role by `role_code`; a person who keeps
    accounts leaves roles to the security administrator.
    """
    org = Organisation.objects.filter(code=org_code).first()
    if org is None:
        raise ValidationError(_("There is no organisation with the code “%(code)s”.") % {"code": org_code})
    act.require(org.pk)
    role = None
    if role_code:
        if act.actor is not SYSTEM:
            raise Denied(_("Roles are given by the security administrator."), code=act.permission)
        role = Role.objects.filter(code=role_code).first()
        if role is None:
            raise ValidationError(_("There is no role with the code “%(code)s”.") % {"code": role_code})
    UnicodeUsernameValidator()(username)
    if User.objects.filter(username__iexact=username).exists():
        raise ValidationError(_("The account “%(name)s” exists already.") % {"name": username})
    user = User(username=username, full_name=full_name, org=org, email=email, phone=phone)
    first = None
    if password:
        user.set_password(password)
    else:
        first = _one_time(user)
    user.full_clean(exclude=["password"])
    user.save()
    if role is not None:
        Post.objects.create(user=user, org=org, role=role)
    act.log(
        user,
        org_id=org.pk,
        after={"username": username, "full_name": full_name, "role": role_code, "org": org_code},
    )
    return user, first


@action("people.edit_user", permission=permissions.MANAGE_USERS)
def edit_user(act: Act, /, user: User, **values: Any) -> User:
    """Change name, e-mail, phone or the organisation where the person works."""
    require_account(act, user)
    if unknown := set(values) - set(EDITABLE):
        raise TypeError(f"not fields of an account that can change: {unknown}")
    org = values.get("org")
    if org is not None:
        act.require(org.pk)
    before = {key: str(getattr(user, key) or "") for key in values}
    for key, value in values.items():
        setattr(user, key, value)
    user.full_clean(exclude=["password"])
    user.save(update_fields=list(values))
    act.log(
        user,
        org_id=user.org_id,
        before=before,
        after={key: str(value or "") for key, value in values.items()},
    )
    return user


@action("people.lock_user", permission=permissions.MANAGE_USERS)
def lock_user(act: Act, user: User, *, reason: str = "") -> User:
    """Lock an account: its sessions and tokens end at the next request. The last administrator of a kind stays."""
    not_oneself(act, user)
    require_account(act, user)
    for group in sorted(groups_of(user) & ADMINISTRATORS):
        last_of_its_kind(user, group)
    act.log(
        user, org_id=user.org_id, before={"active": user.is_active}, after={"active": False, "reason": reason}
    )
    user.is_active = False
    user.save(update_fields=["is_active"])
    return user


def last_of_its_kind(user: User, group: str) -> None:
    """Raise `ValidationError` where no other active account holds a role of that group."""
    day = timezone.localdate()
    others = Post.objects.filter(Post.held_on(day), role__group=group, user__is_active=True).exclude(
        user=user
    )
    if not others.exists():
        raise ValidationError(
            _("This is the last %(group)s. Give another account that role first.")
            % {"group": Role.Group(group).label}
        )


@action("people.unlock_user", permission=permissions.MANAGE_USERS)
def unlock_user(act: Act, user: User) -> User:
    """Open an account again, whether it was locked by a person or by wrong passwords."""
    not_oneself(act, user)
    require_account(act, user)
    failures = AccessAttempt.objects.filter(username__iexact=user.username)
    act.log(
        user,
        org_id=user.org_id,
        before={"active": user.is_active, "failed_sign_ins": sum(f.failures_since_start for f in failures)},
        after={"active": True, "failed_sign_ins": 0},
    )
    failures.delete()
    user.is_active = True
    user.save(update_fields=["is_active"])
    return user


@action("people.reset_password", permission=permissions.MANAGE_USERS)
def reset_password(act: Act, user: User) -> str:
    """Give a one-time password, to be changed at the next sign-in; running sessions end. Returns it, for one showing."""
    not_oneself(act, user)
    require_account(act, user)
    not_another_administrator(act, user)
    password = _one_time(user)
    user.save()
    AccessAttempt.objects.filter(username__iexact=user.username).delete()
    act.log(user, org_id=user.org_id, after={"one_time_until": user.one_time_until})
    return password


@action("people.remove_second_factor", permission=permissions.MANAGE_USERS)
def remove_second_factor(act: Act, user: User) -> int:
    """Take away the second factor of somebody who lost phone and codes; returns how many were removed.

    Where the role asks for one, a new one is set up at the next sign-in.
    """
    not_oneself(act, user)
    require_account(act, user)
    not_another_administrator(act, user)
    factors = Authenticator.objects.filter(user=user)
    kinds = sorted(factors.values_list("type", flat=True))
    factors.delete()
    act.log(user, org_id=user.org_id, before={"second_factor": kinds}, after={"second_factor": []})
    return len(kinds)
