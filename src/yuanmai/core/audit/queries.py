"""Reading the audit log: who did what when, within the reader's data scope, in words."""

from datetime import date, datetime, time
from functools import partial
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy

from yuanmai.core.audit.models import AuditEntry
from yuanmai.core.audit.words import Values, action_name, field_name, kind_name
from yuanmai.core.permissions import SEE_AUDIT
from yuanmai.core.policy import Actor, Text

RESULTS: dict[str, tuple[Text, str]] = {
    "done": (gettext_lazy("Succeeded"), "success"),
    "refused": (gettext_lazy("Refused"), "warning"),
    "failed": (gettext_lazy("Failed"), "danger"),
}
VIAS: dict[str, Text] = {
    "web": gettext_lazy("Page"),
    "api": gettext_lazy("Interface"),
    "cli": gettext_lazy("Command line"),
    "job": gettext_lazy("Background work"),
    "system": gettext_lazy("System"),
}


def _whole(actor: Actor, ids: Any) -> bool:
    """Whether the reader holds the log in every root of the organisation tree."""
    organisations: Any = apps.get_model("people", "Organisation")
    roots = list(organisations.objects.filter(depth=1).values_list("pk", flat=True))
    return bool(roots) and all(pk in ids for pk in roots)


def entries(actor: Actor) -> QuerySet[AuditEntry]:
    """Return the entries the actor may read, newest first; raises `Denied` for who may read none.

    Entries that belong to no organisation (unknown accounts at the door, the system itself) are read by who holds the log in
    the whole installation.
    """
    actor.require(SEE_AUDIT)
    ids = actor.org_ids(SEE_AUDIT)
    rows = AuditEntry.objects.order_by("-sequence")
    return rows if _whole(actor, ids) else rows.filter(org_id__in=list(ids))


def search(
    rows: QuerySet[AuditEntry],
    *,
    since: date | None = None,
    until: date | None = None,
    who: str = "",
    action: str = "",
    result: str = "",
    target: str = "",
) -> QuerySet[AuditEntry]:
    """Narrow entries down: days (both included, local time), text in actor or address, action, result, text in target."""
    if since:
        rows = rows.filter(at__gte=timezone.make_aware(datetime.combine(since, time.min)))
    if until:
        rows = rows.filter(at__lte=timezone.make_aware(datetime.combine(until, time.max)))
    if who:
        rows = rows.filter(Q(actor__icontains=who) | Q(address__startswith=who))
    if action:
        rows = rows.filter(action=action)
    if result:
        rows = rows.filter(result=result)
    if target:
        rows = rows.filter(Q(target_name__icontains=target) | Q(target_id=target) | Q(request_id=target))
    return rows


def used_actions(rows: QuerySet[AuditEntry]) -> list[tuple[str, str]]:
    """Return the actions among these entries as (code, name), sorted by name."""
    codes = rows.order_by().values_list("action", flat=True).distinct()
    return sorted(((code, action_name(code)) for code in codes), key=lambda pair: pair[1])


def describe(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry as pages show it."""
    label, tone = RESULTS.get(entry.result, (entry.result, "secondary"))
    return {
        "entry": entry,
        "action": action_name(entry.action),
        "result": label,
        "tone": tone,
        "via": VIAS.get(entry.via, entry.via),
        "kind": kind_name(entry.target_type),
    }


def differences(entry: AuditEntry, values: Values | None = None) -> list[dict[str, Any]]:
    """Return the rows of the before/after table: `label`, `before`, `after`, `changed`; `values` keeps what was looked up."""
    values = values or Values()
    show = partial(values.show, entry.target_type)
    before = (
        entry.before
        if isinstance(entry.before, dict)
        else ({} if entry.before is None else {"": entry.before})
    )
    after = (
        entry.after if isinstance(entry.after, dict) else ({} if entry.after is None else {"": entry.after})
    )
    rows = []
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old in (None, "", []) and new in (None, "", []):
            continue
        rows.append(
            {
                "label": field_name(entry.target_type, key),
                "before": show(key, old),
                "after": show(key, new),
                "changed": old != new,
            }
        )
    return rows


def history_of(actor: Actor, target: models.Model, limit: int = 50) -> list[dict[str, Any]]:
    """Return what was done to one thing, newest first, as entries of the timeline component."""
    rows = entries(actor).filter(target_type=target._meta.label_lower, target_id=str(target.pk))[:limit]
    values = Values()
    icons = {"done": "check", "refused": "ban", "failed": "alert-triangle"}
    return [
        {
            "title": action_name(row.action),
            "who": row.actor,
            "when": timezone.localtime(row.at).strftime("%Y-%m-%d %H:%M"),
            "iso": row.at.isoformat(),
            "tone": "" if row.result == "done" else RESULTS.get(row.result, ("", "secondary"))[1],
            "icon": icons.get(row.result, "circle"),
            "changes": [change for change in differences(row, values) if change["changed"]],
        }
        for row in rows
    ]
