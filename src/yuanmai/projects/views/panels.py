"""What rooms above this one add to a project's page: tabs, panels of the overview, entries of the history."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.http import HttpRequest

from yuanmai.core.policy import Text
from yuanmai.projects.models import Project, ProjectState


@dataclass(frozen=True)
class RecordTab:
    """A tab of a project's page; `url_name` is resolved with the project's uid."""

    code: str
    label: Text
    url_name: str
    icon: str
    permission: str = ""
    order: int = 100


@dataclass(frozen=True)
class Panel:
    """A card of the overview: a template and what it is filled with."""

    template: str
    context: dict[str, Any]


@dataclass(frozen=True)
class Said:
    """A fact as the history shows it."""

    title: Text
    recorded_at: datetime
    effective_on: Any
    who: str
    changes: Sequence[dict[str, Any]] = ()
    retracted_at: datetime | None = None
    undo_url: str = ""
    icon: str = "pencil"
    batch: str = ""


@dataclass
class Extensions:
    """What was registered."""

    tabs: list[RecordTab] = field(default_factory=list)
    panels: list[Callable[[HttpRequest, ProjectState], Panel | None]] = field(default_factory=list)
    history: list[Callable[[HttpRequest, Project], list[Said]]] = field(default_factory=list)


EXTENSIONS = Extensions()


def record_tab(tab: RecordTab) -> RecordTab:
    """Add a tab to the page of every project."""
    EXTENSIONS.tabs.append(tab)
    return tab


def overview_panel(
    function: Callable[[HttpRequest, ProjectState], Panel | None],
) -> Callable[[HttpRequest, ProjectState], Panel | None]:
    """Add a card to the overview of every project; None leaves it out."""
    EXTENSIONS.panels.append(function)
    return function


def history_source(
    function: Callable[[HttpRequest, Project], list[Said]],
) -> Callable[[HttpRequest, Project], list[Said]]:
    """Add entries to the history of every project."""
    EXTENSIONS.history.append(function)
    return function
