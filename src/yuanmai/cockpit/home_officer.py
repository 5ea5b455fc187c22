"""The officer's home: what is due, what was imported, and the ways to begin."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from yuanmai.cockpit import home_leader
from yuanmai.cockpit.todo import import_url
from yuanmai.core.findings import Finding
from yuanmai.core.findings_queries import open_findings
from yuanmai.core.permissions import SEE_FINDINGS
from yuanmai.core.policy import Actor
from yuanmai.core.todo import todos
from yuanmai.core.web.links import link
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.enterprises.permissions import EDIT_ENTERPRISES
from yuanmai.funds.permissions import EDIT_FUNDS
from yuanmai.projects.permissions import EDIT_PROJECTS, IMPORT_PROJECTS, REPORT_PROGRESS

SHOWN = 8
OFFICER_CARDS = (
    "projects.count",
    "projects.completion_rate",
    "projects.start_rate",
    "projects.resumption_rate",
    "funds.gap",
)


def quick_actions(actor: Actor) -> list[dict[str, str]]:
    """Return the ways to begin that the actor may take."""
    wanted = (
        (
            IMPORT_PROJECTS,
            ("imports:new",),
            _("Import a workbook"),
            "file-import",
        ),
        (REPORT_PROGRESS, ("projects:progress",), _("Enter progress"), "edit"),
        (EDIT_PROJECTS, ("projects:create",), _("New project"), "plus"),
        (EDIT_ENTERPRISES, ("enterprises:create",), _("New enterprise"), "building-factory-2"),
        (EDIT_FUNDS, ("funds:index",), _("Record funding"), "coins"),
        ("cockpit.bulletin", ("cockpit:bulletins",), _("Write the bulletin"), "file-text"),
    )
    found = []
    for permission, names, label, icon in wanted:
        url = next((address for name in names if (address := link(name))), "")
        if url and not actor.why_not(permission):
            found.append({"url": url, "label": label, "icon": icon})
    return found


def recent_imports(actor: Actor) -> list[dict[str, Any]]:
    """Return the last imports of the scope, with what they did; undo is on their page."""
    if actor.why_not(IMPORT_PROJECTS):
        return []
    rows = ImportBatch.objects.filter(org_id__in=actor.org_ids(IMPORT_PROJECTS)).select_related(
        "org", "created_by"
    )
    tones = {ImportBatch.State.COMMITTED: "success", ImportBatch.State.UNDONE: "secondary"}
    return [
        {
            "batch": row,
            "url": import_url(row),
            "tone": tones.get(ImportBatch.State(row.state), "warning"),
            "created": row.summary.get("created"),
            "updated": row.summary.get("updated"),
            "undo_url": undo_url(row),
        }
        for row in rows.order_by("-created_at", "-pk")[:5]
    ]


def undo_url(row: ImportBatch) -> str:
    """Return where an import is undone by one tap; "" when it cannot be."""
    if row.state != ImportBatch.State.COMMITTED:
        return ""
    return reverse("imports:undo", args=[row.pk])


def home(request: HttpRequest) -> dict[str, Any]:
    """Return what the officer's home shows."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    waiting = todos(actor, view.as_of)
    shown = [
        {"item": item, "days": None if item.due is None else (item.due - view.as_of).days}
        for item in waiting[:SHOWN]
    ]
    return {
        "items": shown,
        "more": len(waiting) - len(shown),
        "todo_url": reverse("cockpit:todo"),
        "quick": quick_actions(actor),
        "imports": recent_imports(actor),
        "findings": home_leader.findings(actor, view),
        "mine": my_findings(actor, view),
        "cards": home_leader.cards(actor, view, OFFICER_CARDS),
        "card_columns": 5,
        "empty": home_leader.emptiness(actor, view),
    }


def my_findings(actor: Actor, view: Any) -> int:
    """Return how many open findings the person answers for."""
    if actor.why_not(SEE_FINDINGS):
        return 0
    rows = open_findings(view.org_ids, view.as_of, view.known_at)
    return rows.filter(owner_id=actor.user_id, state=Finding.State.OPEN).count()
