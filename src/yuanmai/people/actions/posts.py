"""Giving and taking posts: the security administrator's verbs."""

from datetime import date

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.actions import Act, action
from yuanmai.core.policy import Denied
from yuanmai.people import permissions
from yuanmai.people.actions.users import groups_of, last_of_its_kind
from yuanmai.people.engine.separation import ADMINISTRATORS, conflicting
from yuanmai.people.models import Organisation, Post, Role, User


def _not_for_oneself(act: Act, user: User) -> None:
    if act.actor.user_id is not None and act.actor.user_id == user.pk:
        raise Denied(
            _("Nobody gives or takes their own roles. Another security administrator has to."),
            code=act.permission,
        )


@action("people.give_post", permission=permissions.GRANT_ROLES)
def give_post(
    act: Act,
    user: User,
    *,
    role: Role,
    org: Organisation,
    title: str = "",
    since: date | None = None,
    until: date | None = None,
) -> Post:
    """Give a user a role at an organisation, within the actor's own scope, never to oneself, never against separation."""
    _not_for_oneself(act, user)
    act.require(org.pk)
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.org_id is not None:
        act.require(user.org_id)
    if not org.active:
        raise ValidationError(_("“%(name)s” is no longer in use.") % {"name": org})
    if since and until and until <= since:
        raise ValidationError({"until": _("The end must be after the beginning.")})
    if other := conflicting(groups_of(user), role.group):
        raise ValidationError(
            _(
                "This account is a %(held)s account. The three administrators are different people, and their accounts "
                "do no business: use another account for “%(role)s”."
            )
            % {"held": Role.Group(other).label, "role": role.label}
        )
    if Post.objects.filter(user=user, org=org, role=role).exists():
        raise ValidationError(_("The user holds this post already."))
    post = Post.objects.create(user=user, org=org, role=role, title=title, since=since, until=until)
    act.log(
        user,
        org_id=org.pk,
        after={"role": role.code, "org": org.code, "title": title, "since": since, "until": until},
    )
    return post


@action("people.take_post", permission=permissions.GRANT_ROLES)
def take_post(act: Act, post: Post) -> None:
    """Take a post away; what it allowed ends at the next request."""
    user, role, org = post.user, post.role, post.org
    _not_for_oneself(act, user)
    act.require(org.pk)
    group = role.group
    day = timezone.localdate()
    if group in ADMINISTRATORS and not (
        Post.objects.filter(Post.held_on(day), user=user, role__group=group).exclude(pk=post.pk).exists()
    ):
        last_of_its_kind(user, group)
    act.log(user, org_id=org.pk, before={"role": role.code, "org": org.code, "title": post.title}, after={})
    post.delete()
