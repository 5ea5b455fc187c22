"""What an enterprise is linked to along the chain; rooms above register what they know."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.http import HttpRequest

from yuanmai.core.policy import Text
from yuanmai.enterprises.models import Enterprise


@dataclass(frozen=True)
class Linked:
    """One thing that an enterprise is linked to."""

    label: str
    url: str
    detail: str = ""


@dataclass(frozen=True)
class Section:
    """The things of one kind that an enterprise is linked to."""

    name: Text
    icon: str
    items: Sequence[Linked] = field(default_factory=tuple)


Source = Callable[[HttpRequest, Enterprise], Section | None]
SOURCES: list[Source] = []


def enterprise_links(source: Source) -> Source:
    """Register what a room knows of an enterprise; the source answers None where the reader may not see it."""
    SOURCES.append(source)
    return source


def linked(request: HttpRequest, row: Enterprise) -> list[Section]:
    """Return everything that is linked to an enterprise."""
    return [section for source in SOURCES if (section := source(request, row)) is not None]
