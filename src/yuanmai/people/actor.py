"""Who acts: a user with the rights that the posts give, resolved once per request."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from functools import reduce
from operator import or_

from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.audit.log import versions
from yuanmai.core.policy import PERMISSIONS, Denied
from yuanmai.people.engine.separation import effective_groups
from yuanmai.people.models import Organisation, Post, User


@dataclass(frozen=True)
class PostView:
    """A post as the actor carries it."""

    role: str
    role_name: str
    org_id: int
    home: str
    group: str
    second_factor: bool


@dataclass(frozen=True)
class Grants:
    """What a user may do where: permission → organisation ids; `scope` is the union."""

    by_permission: dict[str, frozenset[int]]
    scope: frozenset[int]
    posts: tuple[PostView, ...]


def matches(pattern: str, code: str) -> bool:
    """Whether a role's entry (`room.verb`, `room.*` or `*`) covers a permission."""
    return pattern in {"*", code} or (pattern.endswith(".*") and code.startswith(pattern[:-1]))


def subtree_ids(paths: Collection[str]) -> dict[str, frozenset[int]]:
    """Return for each tree path the ids of the organisation and all below it (one query)."""
    if not paths:
        return {}
    below = reduce(or_, (Q(path__gte=path, path__lt=_after(path)) for path in set(paths)))
    nodes = list(Organisation.objects.filter(below).values_list("id", "path"))
    return {path: frozenset(pk for pk, p in nodes if p.startswith(path)) for path in set(paths)}


def _after(path: str) -> str:
    """Return the least text above all paths that start with `path` (treebeard's alphabet is 0-9A-Z)."""
    return path + "~"


def grants_of(user_id: int, day: date) -> Grants:
    """Return what a user may do on a day; kept until something changes in the people room."""
    key = f"grants:{user_id}:{day}:{versions().get('people', 0)}"
    grants = cache.get(key)
    if grants is None:
        grants = _grants(user_id, day)
        cache.set(key, grants)
    return grants


def _grants(user_id: int, day: date) -> Grants:
    posts = list(
        Post.objects.filter(Post.held_on(day), user_id=user_id)
        .select_related("role", "org")
        .order_by("role__order", "org__path")
    )
    counting = effective_groups({post.role.group for post in posts})
    posts = [post for post in posts if post.role.group in counting]
    trees = subtree_ids({post.org.path for post in posts})
    by_permission: dict[str, frozenset[int]] = {}
    scope: frozenset[int] = frozenset()
    for post in posts:
        ids = trees[post.org.path]
        scope |= ids
        for code in PERMISSIONS:
            if any(matches(pattern, code) for pattern in post.role.permissions):
                by_permission[code] = by_permission.get(code, frozenset()) | ids
    views = tuple(
        PostView(p.role.code, p.role.label, p.org_id, p.role.home, p.role.group, p.role.second_factor)
        for p in posts
    )
    return Grants(by_permission, scope, views)


@dataclass(frozen=True)
class UserActor:
    """A signed-in user (or one for whom a job or token acts)."""

    user: User
    grants: Grants
    via: str = "web"
    address: str = ""
    only: frozenset[str] | None = field(default=None)  # rights of the API token used, None for all

    @classmethod
    def of(
        cls, user: User, *, via: str = "web", address: str = "", only: frozenset[str] | None = None
    ) -> "UserActor":
        """Return the actor of a user as of today's posts."""
        return cls(user, grants_of(user.pk, timezone.localdate()), via, address, only)

    @property
    def user_id(self) -> int:
        """Primary key of the user."""
        return self.user.pk

    @property
    def name(self) -> str:
        """Full name and account."""
        return f"{self.user.full_name} ({self.user.username})" if self.user.full_name else self.user.username

    @property
    def homes(self) -> tuple[str, ...]:
        """The home pages of the user's roles, in order."""
        return tuple(dict.fromkeys(post.home for post in self.grants.posts))

    @property
    def must_have_second_factor(self) -> bool:
        """Whether one of the roles requires it."""
        return any(post.second_factor for post in self.grants.posts)

    def org_ids(self, code: str | None = None) -> frozenset[int]:
        """Organisations in which the user holds a permission, or the whole data scope."""
        if code is None:
            return self.grants.scope
        if self.only is not None and code not in self.only:
            return frozenset()
        return self.grants.by_permission.get(code, frozenset())

    def why_not(self, code: str, org_id: int | None = None) -> str | None:
        """Return None when allowed, else the reason in words."""
        declared = PERMISSIONS[code]
        ids = self.org_ids(code)
        if not ids:
            if self.only is not None and code in self.grants.by_permission:
                return _("This token does not carry the right “%(right)s”.") % {"right": declared.name}
            roles = ", ".join(dict.fromkeys(post.role_name for post in self.grants.posts)) or _("none")
            return _(
                "None of your roles (%(roles)s) carries the right “%(right)s”. Ask your security administrator."
            ) % {
                "roles": roles,
                "right": declared.name,
            }
        if org_id is not None and org_id not in ids:
            return _("You hold the right “%(right)s”, but not for this organisation.") % {
                "right": declared.name
            }
        return None

    def require(self, code: str, org_id: int | None = None) -> None:
        """Raise :class:`Denied` with the reason unless allowed."""
        if reason := self.why_not(code, org_id):
            raise Denied(reason, code=code)
