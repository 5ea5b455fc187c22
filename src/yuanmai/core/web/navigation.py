"""The left navigation in the order of the chain; rooms declare their entries in `navigation.py`."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language
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


def navigation(actor: Actor, path: str) -> SafeString:
    """Return the groups with the entries that the actor may use as HTML; empty groups are left out.

    Written once for each set of rights, place and language: it is the same on every page that a person opens.
    """
    allowed = frozenset(code for code in {item.permission for item in ITEMS} if not code or _may(actor, code))
    return _written(allowed, _nearest(path, get_script_prefix()), get_language() or "", len(ITEMS))


def _may(actor: Actor, code: str) -> bool:
    ids = actor.org_ids(code)
    # Not by `why_not`: it puts a refusal into words that nobody reads here. The system's set of all cannot be counted.
    return bool(ids) if isinstance(ids, frozenset) else not actor.why_not(code)


@lru_cache(maxsize=1024)
def _written(allowed: frozenset[str], nearest: str, _language: str, _items: int) -> SafeString:
    return render_to_string("core/_nav.html", {"nav": groups(allowed, nearest)})


def _nearest(path: str, prefix: str) -> str:
    """Return the prefix of the entry that a path lies under, "" for none."""
    # Of several entries that a path lies under only the nearest is active: /projects/blockers/ is not also the library.
    known = (p for p in _prefixes(prefix, len(ITEMS)) if p == path or (p != "/" and path.startswith(p)))
    return max(known, key=len, default="")


@lru_cache(maxsize=8)
def _prefixes(_prefix: str, _items: int) -> tuple[str, ...]:
    return tuple(item.active_prefix or reverse(item.url_name) for item in ITEMS)


def groups(allowed: frozenset[str], nearest: str) -> list[dict[str, Any]]:
    """Return the groups with the entries that these rights open; `nearest` is the prefix of the active one."""
    result: list[dict[str, Any]] = []
    for code, label in GROUPS.items():
        entries = []
        for item in sorted((i for i in ITEMS if i.group == code), key=lambda i: (i.order, str(i.url_name))):
            if item.permission not in allowed:
                continue
            url = reverse(item.url_name)
            active = (item.active_prefix or url) == nearest
            entries.append({"label": item.label, "url": url, "icon": item.icon, "active": active})
        if entries:
            result.append({"code": code, "label": label, "items": entries})
    return result
