"""The left navigation in the order of the chain; rooms declare their entries in `navigation.py`."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yuanmai.core.policy import Actor, Text


@dataclass(frozen=True)
class NavItem:
    """One entry: group code, label, URL name, icon, the right it needs, and its place in the group."""

    group: str
    label: Text
    url_name: str
    icon: str
    permission: str = ""
    order: int = 100
    active_prefix: str = ""  # path prefix that marks it active; default: its own address


GROUPS: dict[str, Text] = {
    "home": _("Home"),
    "fund": _("Fund"),
    "build": _("Build"),
    "run": _("Run"),
    "serve": _("Serve"),
    "judge": _("Judge"),
    "manage": _("Manage"),
}
ITEMS: list[NavItem] = []


def nav(item: NavItem) -> NavItem:
    """Declare an entry."""
    ITEMS.append(item)
    return item


def navigation(actor: Actor, path: str) -> list[dict[str, Any]]:
    """Return the groups with the entries that the actor may use; empty groups are left out."""
    groups: list[dict[str, Any]] = []
    # Of several entries that a path lies under only the nearest is active: /projects/blockers/ is not also the library.
    prefixes = [item.active_prefix or reverse(item.url_name) for item in ITEMS]
    nearest = max(
        (p for p in prefixes if p == path or (p != "/" and path.startswith(p))), key=len, default=""
    )
    for code, label in GROUPS.items():
        entries = []
        for item in sorted((i for i in ITEMS if i.group == code), key=lambda i: (i.order, str(i.url_name))):
            if item.permission and actor.why_not(item.permission):
                continue
            url = reverse(item.url_name)
            active = (item.active_prefix or url) == nearest
            entries.append({"label": item.label, "url": url, "icon": item.icon, "active": active})
        if entries:
            groups.append({"code": code, "label": label, "items": entries})
    return groups
