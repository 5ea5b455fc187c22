"""The homes of the three administrators and of enterprise users: tasks first, numbers that matter for them."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from yuanmai.core.audit.models import AuditEntry, AuditHead
from yuanmai.core.jobs.models import Job
from yuanmai.core.web.links import link
from yuanmai.people.models import Organisation, Post, Role, User


def first(*names: str) -> str:
    """Return the address of the first page of these that there is."""
    return next((address for name in names if (address := link(name))), "")


def task(label: str, text: str, icon: str, *names: str, post: bool = False) -> dict[str, Any] | None:
    """Return a task with its page (with `post`: something that is done at once); None where there is no such page."""
    url = first(*names)
    return {"label": label, "text": text, "icon": icon, "url": url, "post": post} if url else None


def tasks(*entries: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the tasks that there are."""
    return [entry for entry in entries if entry]


def system(request: HttpRequest) -> dict[str, Any]:
    """Return the system administrator's home: accounts, organisations, background work."""
    ids = request.actor.org_ids()  # type: ignore[attr-defined]
    today = timezone.localdate()
    users = User.objects.filter(posts__org_id__in=ids).distinct()
    jobs = Job.objects.filter(created_at__gte=timezone.now() - timedelta(days=7))
    return {
        "title": _("System administration"),
        "lead": _(
            "Accounts, organisations and the running of the system. Roles are given by the security administrator, the log"
            " is read by the audit administrator."
        ),
        "facts": [
            {"label": _("Accounts in use"), "value": users.filter(is_active=True).count(), "icon": "users"},
            {"label": _("Locked accounts"), "value": users.filter(is_active=False).count(), "icon": "lock"},
            {
                "label": _("Accounts without a post today"),
                "value": User.objects.filter(is_active=True)
                .exclude(pk__in=Post.objects.filter(Post.held_on(today)).values("user_id"))
                .count(),
                "icon": "user-circle",
            },
            {
                "label": _("Organisations"),
                "value": Organisation.objects.filter(pk__in=ids).count(),
                "icon": "sitemap",
            },
            {
                "label": _("Failed jobs in 7 days"),
                "value": jobs.filter(state=Job.State.FAILED).count(),
                "icon": "alert-circle",
            },
        ],
        "tasks": tasks(
            task(_("Users"), _("Add accounts, lock them, give new passwords."), "users", "people:users"),
            task(
                _("Organisations"),
                _("Keep the organisation tree, the backbone of the data scope."),
                "sitemap",
                "people:organisations",
            ),
            task(
                _("Jobs"),
                _("Imports and exports that run in the background."),
                "progress",
                "core:jobs",
                "jobs:list",
            ),
            task(_("State of the system"), _("Database, queue, disk, backup."), "server", "core:system"),
        ),
    }


def security(request: HttpRequest) -> dict[str, Any]:
    """Return the security administrator's home: roles, posts, second factors."""
    ids = request.actor.org_ids()  # type: ignore[attr-defined]
    today = timezone.localdate()
    held = Post.objects.filter(Post.held_on(today), org_id__in=ids)
    must = held.filter(role__second_factor=True).values("user_id")
    soon = today + timedelta(days=30)
    return {
        "title": _("Security administration"),
        "lead": _("Who may do what, where and until when. Accounts are made by the system administrator."),
        "facts": [
            {"label": _("Posts held today"), "value": held.count(), "icon": "id"},
            {"label": _("Roles"), "value": Role.objects.count(), "icon": "user-cog"},
            {
                "label": _("Must use a second factor, but have none"),
                "value": User.objects.filter(pk__in=must, authenticator=None).count(),
                "icon": "shield-lock",
            },
            {
                "label": _("Posts that end within 30 days"),
                "value": held.filter(until__lte=soon).count(),
                "icon": "calendar-time",
            },
        ],
        "tasks": tasks(
            task(_("Posts"), _("Who holds which role where."), "id", "people:posts", "people:users"),
            task(
                _("Roles"),
                _("Rights of each role; who must use a second factor."),
                "user-cog",
                "people:roles",
            ),
            task(
                _("Why can someone see this?"),
                _("Explain a person's rights and data scope."),
                "help-circle",
                "people:explain",
                "people:why",
            ),
        ),
    }


def audit(request: HttpRequest) -> dict[str, Any]:
    """Return the audit administrator's home: the chain, refusals, the last entries."""
    ids = list(request.actor.org_ids())  # type: ignore[attr-defined]
    head = AuditHead.objects.filter(pk=1).first()
    week = timezone.now() - timedelta(days=7)
    entries = AuditEntry.objects.filter(at__gte=week, org_id__in=ids)
    refused = AuditEntry.objects.filter(at__gte=week, result="refused")
    return {
        "title": _("Audit administration"),
        "lead": _("Everything that was done, in a chain that cannot be changed without being noticed."),
        "facts": [
            {"label": _("Entries in the log"), "value": head.count if head else 0, "icon": "list-details"},
            {"label": _("Changes in 7 days"), "value": entries.filter(result="done").count(), "icon": "edit"},
            {"label": _("Refusals in 7 days"), "value": refused.count(), "icon": "ban"},
        ],
        "seal": head.last[:16] if head else "",
        "entries": list(AuditEntry.objects.filter(org_id__in=ids).order_by("-sequence")[:12]),
        "tasks": tasks(
            task(_("Audit log"), _("Who did what, when, from where; before and after."), "list-search",
                 "core:audit_log"),
            task(_("Verify the chain"), _("Prove that no entry was changed or taken out."), "shield-check",
                 "core:audit_verify",
                post=True,
            ),
        ),
    }  # fmt: skip


def enterprise(request: HttpRequest) -> dict[str, Any]:
    """Return the enterprise user's home, which has no content of its own yet."""
    return {}
