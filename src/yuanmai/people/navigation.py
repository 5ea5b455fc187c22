"""Entries of the people room on the left, in the user's menu, and what it says about refusals."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.core.audit.words import name_actions, name_fields, name_values
from yuanmai.core.policy import PERMISSIONS, Denied
from yuanmai.core.web.hooks import explainer, role_label, user_menu
from yuanmai.core.web.navigation import NavItem, nav
from yuanmai.people import permissions
from yuanmai.people.models import Organisation, Role
from yuanmai.people.queries import carries

nav(
    NavItem(
        "manage",
        gettext_lazy("Organisations"),
        "people:organisations",
        "sitemap",
        permissions.SEE_ORGANISATIONS,
        10,
    )
)
nav(NavItem("manage", gettext_lazy("People"), "people:users", "users", permissions.SEE_ORGANISATIONS, 20))
nav(
    NavItem(
        "manage", gettext_lazy("Roles and rules"), "people:roles", "shield-lock", permissions.GRANT_ROLES, 30
    )
)


@user_menu
def my_pages(request: HttpRequest) -> list[dict[str, Any]]:
    """What stands above "Sign out"."""
    return [
        {"label": _("My account"), "url": reverse("people:me"), "icon": "user"},
        {"label": _("My rights"), "url": reverse("people:rights"), "icon": "key"},
        {"label": _("Second factor"), "url": reverse("mfa_index"), "icon": "shield-check"},
        {"label": _("My sessions"), "url": reverse("usersessions_list"), "icon": "device-mobile"},
    ]


@role_label
def my_roles(request: HttpRequest) -> str:
    """The roles under the user's name."""
    actor: Any = getattr(request, "actor", None)
    return ", ".join(dict.fromkeys(post.role_name for post in actor.grants.posts)) if actor else ""


@explainer
def why_refused(request: HttpRequest, refusal: Denied) -> dict[str, Any]:
    """Say which right was missing, which roles carry it, and what the reader has instead."""
    actor: Any = getattr(request, "actor", None)
    right = PERMISSIONS.get(refusal.code)
    if actor is None or right is None:
        return {}
    places = Organisation.objects.filter(pk__in={post.org_id for post in actor.grants.posts}).order_by("path")
    return {
        "permission": str(right.name),
        "roles_with": [role.label for role in Role.objects.all() if carries(role, refusal.code)],
        "my_roles": list(dict.fromkeys(post.role_name for post in actor.grants.posts)),
        "my_scope": ", ".join(place.label for place in places),
    }


name_actions(
    {
        "session.sign_in": gettext_lazy("Sign in"),
        "session.sign_out": gettext_lazy("Sign out"),
        "session.expire": gettext_lazy("Session timed out"),
        "session.end_other": gettext_lazy("End another session"),
        "session.lock_out": gettext_lazy("Lock-out after wrong passwords"),
        "session.change_password": gettext_lazy("Change own password"),
        "session.add_second_factor": gettext_lazy("Set up second factor"),
        "session.remove_second_factor": gettext_lazy("Remove second factor"),
        "session.renew_recovery_codes": gettext_lazy("Make recovery codes"),
        "session.second_factor": gettext_lazy("Second factor"),
        "session.connect_oidc": gettext_lazy("Connect with identity provider"),
        "session.set_up": gettext_lazy("Set up the installation"),
        "people.set_up": gettext_lazy("Set up the installation"),
        "people.add_organisation": gettext_lazy("Add organisation"),
        "people.edit_organisation": gettext_lazy("Change organisation"),
        "people.move_organisation": gettext_lazy("Move organisation"),
        "people.deactivate_organisation": gettext_lazy("Take organisation out of use"),
        "people.reactivate_organisation": gettext_lazy("Take organisation into use"),
        "people.add_user": gettext_lazy("Add account"),
        "people.edit_user": gettext_lazy("Change account"),
        "people.lock_user": gettext_lazy("Lock account"),
        "people.unlock_user": gettext_lazy("Unlock account"),
        "people.reset_password": gettext_lazy("Give one-time password"),
        "people.remove_second_factor": gettext_lazy("Remove somebody's second factor"),
        "people.give_post": gettext_lazy("Give post"),
        "people.take_post": gettext_lazy("Take post away"),
        "people.require_second_factor": gettext_lazy("Rule of second factors"),
        "people.set_role_permissions": gettext_lazy("Change role"),
        "people.create_token": gettext_lazy("Make API token"),
        "people.revoke_token": gettext_lazy("End API token"),
    }
)

name_fields(
    {
        "role": gettext_lazy("Role"),
        "org": gettext_lazy("Organisation"),
        "title": gettext_lazy("Job title"),
        "since": gettext_lazy("Since"),
        "until": gettext_lazy("Until"),
        "parent": gettext_lazy("Below"),
        "failed_sign_ins": gettext_lazy("Wrong passwords"),
        "one_time_until": gettext_lazy("One-time password works until"),
        "second_factor": gettext_lazy("Second factor"),
        "kind": gettext_lazy("Kind"),
        "address": gettext_lazy("Address"),
        "subject": gettext_lazy("Subject at the identity provider"),
        "added": gettext_lazy("Rights added"),
        "removed": gettext_lazy("Rights removed"),
        "revoked": gettext_lazy("Ended"),
    }
)


def _role(code: str) -> str | None:
    role = Role.objects.filter(code=code).first()
    return None if role is None else role.label


def _organisation(code: str) -> str | None:
    org = Organisation.objects.filter(code=code).first()
    return None if org is None else org.label


name_values({"role": _role, "org": _organisation, "parent": _organisation})
