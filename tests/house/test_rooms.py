"""Every room has the same shape, uses only the rooms below it, and says what it is for."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps

from tests.house.files import PACKAGE, ROOT, having, project_files, text

# The floors that are rooms of one subject; the ground floor (core, common) and the entry (config, demo, cli) differ.
ROOMS = sorted(
    config.label
    for config in apps.get_app_configs()
    if config.name.startswith("yuanmai.") and config.label not in {"core", "demo"}
)
# What may stand in a room, and docs/add-a-room.md says what each is. A module may be a package of the same name.
KNOWN = {
    "__init__", "apps", "models", "engine", "actions", "queries", "figures", "workbooks", "api", "views", "urls", "forms",
    "tables", "filters", "templates", "migrations", "presets", "locale", "admin", "permissions", "navigation", "search",
    "workflows", "tasks", "checks", "commands", "documents", "findings", "projection", "recording", "layers",
    "templatetags", "static",
}  # fmt: skip
# Words that only one room has. Whoever adds one says in the room's docstring what it is.
ALSO = {
    "people": {
        "actor", "adapters", "addresses", "backends", "gates", "lockout", "middleware", "oidc", "passwords", "presets_loader",
        "receivers", "sessions", "setup", "tokens", "view_context",
    },
    "enterprises": {"relations"},
    # A large room is divided by subject; each subject is built like a small room.
    "devices": {"live", "readings", "registry", "rules", "store", "telemetry", "todo", "upkeep"},
    "funds": {"coverage", "files", "insight", "issuing", "overview", "papers", "paying", "reserve", "todo"},
    "projects": {"ledger", "ledger_parks", "recording_new"},
    # The faces of everything: its own words are the names of its pages.
    "cockpit": {
        "answers", "bulletins", "enterprise_links", "evidence", "figure_pages", "home_admin", "home_leader", "home_officer",
        "home_operator", "keeping", "todo", "wall",
    },
}  # fmt: skip


def test_the_rooms_of_the_first_floors_are_there() -> None:
    assert {"people", "places", "enterprises", "projects", "funds", "cockpit"} <= set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_holds_what_rooms_hold(room: str) -> None:
    folder = Path("src/yuanmai") / room
    entries = {path.relative_to(folder).parts[0] for path in project_files() if folder in path.parents}
    names = {entry.removesuffix(".py") for entry in entries}
    # Where a room has several of a kind, a noun stands before: figure_views.py.
    plain = {name for name in names if name.rsplit("_", 1)[-1] not in KNOWN}
    assert plain - KNOWN - ALSO.get(room, set()) == set(), (
        f"not among what docs/add-a-room.md describes for {room}"
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for_in_one_docstring(room: str) -> None:
    tree = ast.parse(text(Path("src/yuanmai") / room / "__init__.py"))
    assert ast.get_docstring(tree), "say what the room is for and what it offers the rooms above"
    assert len(tree.body) == 1, "the front door of a room holds no code"


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_is_called_is_documented(room: str) -> None:
    checklist = text(Path("docs/add-a-room.md"))
    assert re.search(rf"\b{room}\b", text(Path("docs/architecture.md")))
    for name in KNOWN - {"__init__"}:
        assert f"`{name}" in checklist, f"docs/add-a-room.md does not say what {name} is"


@pytest.mark.parametrize(
    "path", [p for p in having(".py", under="src/yuanmai") if "engine" in p.parts], ids=str
)
def test_an_engine_reads_no_clock_no_file_no_network(path: Path) -> None:
    """import-linter keeps Django out; this keeps out what would make the same input give another result."""
    if "documents" in path.parts:
        return
    tree = ast.parse(text(path))
    imported = {
        (node.module if isinstance(node, ast.ImportFrom) else alias.name) or ""
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert {m.split(".")[0] for m in imported} & {
        "os",
        "socket",
        "urllib",
        "requests",
        "time",
        "random",
        "subprocess",
    } == set()
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert (
        calls & {"open", "datetime.now", "date.today", "datetime.today", "datetime.utcnow", "timezone.now"}
        == set()
    )


def test_the_layers_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_has_tests() -> None:
    tested = {p.parts[1] for p in project_files() if p.parts[0] == "tests" and p.name.startswith("test_")}
    assert set(ROOMS) - tested == set()


def test_every_module_can_be_imported() -> None:
    """A module that nothing imports may be broken for months."""
    for path in having(".py", under="src/yuanmai"):
        module = ".".join(path.relative_to("src").with_suffix("").parts).removesuffix(".__init__")
        if "migrations" not in path.parts and not module.endswith(("settings_test", "__main__")):
            importlib.import_module(module)
    assert PACKAGE.is_dir()
