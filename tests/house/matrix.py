"""Who may call what: every address of pages and API with the right it declares, and the roles that hold it.

    python -m tests.house.matrix        writes docs/access-matrix.md

The document is what is declared; test_access_matrix.py calls every address as every role, with an object of the role's own
organisation and with a foreign one, and proves that it is also what happens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.house.files import ROOT

DOCUMENT = ROOT / "docs" / "access-matrix.md"
# Pages of libraries, with who may see them. They know nothing of our objects: each shows the signed-in user their own.
LIBRARIES = {
    "allauth": "account pages of the signed-in user",
    "django": "framework",
    "ninja": "API description",
}


@dataclass(frozen=True)
class Address:
    """One address with one method. ``permission`` is None for everybody, "" for whoever is signed in."""

    method: str
    path: str
    name: str
    permission: str | None
    parameters: tuple[str, ...]
    api: bool
    reason: str = ""

    @property
    def room(self) -> str:
        """The room whose function answers."""
        return self.name.split(".")[1]


def shown(route: str) -> str:
    """A Django route as people write it: ``projects/<uuid:uid>/`` as ``/projects/{uid}/``."""
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route).lstrip("^").rstrip("$").replace("\\Z", "")


def patterns(urls: list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(route, callback) of every address, depth first."""
    for entry in urls:
        route = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from patterns(entry.url_patterns, route)
        else:
            yield route, entry.callback


def addresses() -> tuple[list[Address], list[tuple[str, str]]]:
    """All addresses of our own, and (route, module) of those that neither declare a right nor belong to a library."""
    from django.urls import get_resolver

    from yuanmai.core.api import ROUTES

    found: list[Address] = []
    undeclared: list[tuple[str, str]] = []
    for route, callback in patterns(get_resolver().url_patterns):
        names = tuple(re.findall(r"<(?:\w+:)?(\w+)>", route))
        page = getattr(callback, "page", None)
        inner = getattr(callback, "func", callback)  # the API's root is a partial
        module = getattr(inner, "__module__", "")
        if page is not None:
            found.append(Address("GET", shown(route), page.name, page.permission, names, False, page.reason))
        elif (view := path_view(callback)) is not None:
            for operation in view.operations:
                name = f"{operation.view_func.__module__}.{operation.view_func.__qualname__}"
                declared = ROUTES.get(name)
                if declared is None:
                    undeclared.append((f"{operation.methods} {route}", name))
                    continue
                found.append(Address(declared.method, shown(route), name, declared.permission, names, True))
        elif module.split(".")[0] not in LIBRARIES:
            undeclared.append((route, f"{module}.{getattr(inner, '__qualname__', inner)}"))
    unique: dict[tuple[str, str], Address] = {
        (a.method, a.path): a for a in found
    }  # one path, several operations
    return list(unique.values()), undeclared


def path_view(callback: Any) -> Any:
    """The API's collection of operations behind a callback, or None when it is something else."""
    for cell in [
        getattr(callback, "__self__", None),
        *(c.cell_contents for c in getattr(callback, "__closure__", None) or ()),
    ]:
        if type(cell).__name__ == "PathView":
            return cell
    return None


def role_presets() -> list[dict[str, Any]]:
    """The roles that an installation starts with."""
    from yuanmai.people.presets_loader import role_presets as load

    return load()


def holds(role: dict[str, Any], permission: str | None) -> bool:
    """Whether a role carries what an address asks for."""
    from yuanmai.people.actor import matches

    return not permission or any(matches(pattern, permission) for pattern in role["permissions"])


def document() -> str:
    """The text of docs/access-matrix.md."""
    found, _undeclared = addresses()
    roles = role_presets()
    lines = [
        "# Access matrix",
        "",
        "Generated from the addresses of all pages and API operations, the rights they declare and the roles that an installation",
        "starts with (`python -m tests.house.matrix`). `tests/house/test_access_matrix.py` calls each of them as each role, with an",
        "object of the role's own organisation and with a foreign one.",
        "",
        "● allowed, within the user's own part of the organisation tree · – refused (403) · a foreign object does not exist (404)",
    ]
    for room in sorted({address.room for address in found}):
        lines += ["", f"## {room}", ""]
        head = ["address", "right", "nobody", *(role["code"].replace("_", " ") for role in roles)]
        lines += ["| " + " | ".join(head) + " |", "| --- | --- |" + " :-: |" * (len(roles) + 1)]
        mine = sorted((a for a in found if a.room == room), key=lambda a: (a.api, a.path, a.method))
        for a in mine:
            right = {None: "public", "": "signed in"}.get(a.permission, f"`{a.permission}`")
            cells = [
                "●" if a.permission is None else "–",
                *("●" if holds(role, a.permission) else "–" for role in roles),
            ]
            lines.append(f"| `{a.method} {a.path}` | {right} | " + " | ".join(cells) + " |")
    public = [a for a in found if a.permission is None]
    lines += ["", "## Why an address is public", ""]
    lines += [f"- `{a.path}`: {a.reason}" for a in sorted(public, key=lambda a: a.path)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import os
    import sys

    sys.path.insert(0, str(ROOT / "src"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yuanmai.config.settings_test")
    import django

    django.setup()
    DOCUMENT.write_text(document(), "utf-8")
