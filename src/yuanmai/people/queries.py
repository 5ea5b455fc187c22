"""Reads of the people room that more than one face needs. All of them stay within the actor's data scope."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Sum
from django.utils import timezone

from yuanmai.core.policy import PERMISSIONS, Text
from yuanmai.people import permissions
from yuanmai.people.actor import UserActor, matches
from yuanmai.people.models import Organisation, Post, Role, User


def organisations(
    actor: UserActor, permission: str = permissions.SEE_ORGANISATIONS
) -> QuerySet[Organisation]:
    """Return the organisations where the actor holds a permission, in tree order."""
    return Organisation.objects.filter(pk__in=actor.org_ids(permission)).order_by("path")


def organisation_tree(actor: UserActor) -> QuerySet[Organisation]:
    """Return the visible organisations with the number of accounts kept there, as `people` (one query)."""
    return organisations(actor).annotate(people=Count("staff", distinct=True))


def holds_everywhere(actor: UserActor, permission: str) -> bool:
    """Whether the actor holds a permission in every root of the tree."""
    held = actor.org_ids(permission)
    roots = Organisation.objects.filter(depth=1).values_list("pk", flat=True)
    return bool(held) and all(pk in held for pk in roots)


def users(actor: UserActor, permission: str = permissions.SEE_ORGANISATIONS) -> QuerySet[User]:
    """Return the accounts of people who work or hold a post where the actor holds a permission.

    Accounts that belong nowhere yet are seen by who holds it in the whole installation.
    """
    ids = actor.org_ids(permission)
    here: Any = Q(org_id__in=ids) | Exists(Post.objects.filter(user=OuterRef("pk"), org_id__in=ids))
    if holds_everywhere(actor, permission):
        here |= Q(org=None) & ~Exists(Post.objects.filter(user=OuterRef("pk")))
    posts = Post.objects.select_related("role", "org").order_by("role__order", "org__path")
    return (
        User.objects.filter(here)
        .select_related("org")
        .prefetch_related(Prefetch("posts", posts))
        .order_by("username")
    )


def search_users(
    rows: QuerySet[User], *, text: str = "", org: Organisation | None = None, role: str = "", state: str = ""
) -> QuerySet[User]:
    """Narrow accounts down by name, organisation (with all below), role and state (`active`, `locked`, `no_post`)."""
    if text:
        rows = rows.filter(
            Q(username__icontains=text) | Q(full_name__icontains=text) | Q(email__icontains=text)
        )
    if org is not None:
        below = Organisation.objects.filter(path__startswith=org.path)
        rows = rows.filter(Q(org__in=below) | Exists(Post.objects.filter(user=OuterRef("pk"), org__in=below)))
    if role:
        rows = rows.filter(Exists(Post.objects.filter(user=OuterRef("pk"), role__code=role)))
    if state == "active":
        rows = rows.filter(is_active=True)
    elif state == "locked":
        rows = rows.filter(Q(is_active=False) | Q(username__in=locked_names()))
    elif state == "no_post":
        rows = rows.filter(~Exists(Post.objects.filter(user=OuterRef("pk"))))
    return rows


def locked_names() -> set[str]:
    """Return the accounts that wrong passwords have locked right now."""
    found = (
        AccessAttempt.objects.filter(attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME)
        .values("username")
        .annotate(failures=Sum("failures_since_start"))
        .filter(failures__gte=settings.AXES_FAILURE_LIMIT)
        .values_list("username", flat=True)
    )
    return set(found)


@dataclass(frozen=True)
class RightView:
    """A right as explained to the person who asks: held or not, by which roles, where, and which roles would give it."""

    code: str
    name: Text
    writes: bool
    held: bool
    through: tuple[str, ...]
    places: tuple[str, ...]
    roles_with: tuple[str, ...]


def carries(role: Role, code: str) -> bool:
    """Whether a role carries a right."""
    return any(matches(entry, code) for entry in role.permissions)


def rights_explained(actor: UserActor) -> list[RightView]:
    """Return every right with why the actor holds it or not (three queries)."""
    roles = list(Role.objects.all())
    by_code = {role.code: role for role in roles}
    names = {
        o.pk: o.label for o in Organisation.objects.filter(pk__in={p.org_id for p in actor.grants.posts})
    }
    rows = []
    for code, declared in sorted(PERMISSIONS.items()):
        giving = [p for p in actor.grants.posts if p.role in by_code and carries(by_code[p.role], code)]
        rows.append(
            RightView(
                code,
                declared.name,
                declared.writes,
                bool(actor.org_ids(code)),
                tuple(dict.fromkeys(by_code[p.role].label for p in giving)),
                tuple(dict.fromkeys(names.get(p.org_id, "") for p in giving)),
                tuple(role.label for role in roles if carries(role, code)),
            )
        )
    return rows


def matrix(roles: Iterable[Role]) -> list[dict[str, Any]]:
    """Return the permissions matrix: one row per right with a cell per role."""
    roles = list(roles)
    return [
        {"code": code, "name": p.name, "writes": p.writes, "cells": [carries(role, code) for role in roles]}
        for code, p in sorted(PERMISSIONS.items())
    ]
