"""What a saved view says in a mail: rooms declare how a list of theirs is told in a few lines.

The lines are made at each delivery, for whoever gets them, by the rights and the data scope of that moment.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from yuanmai.core.figures import FIGURES, Query, evaluate, get, trend
from yuanmai.core.figures.display import display

Teller = Callable[[Query, Mapping[str, str]], Sequence[str]]


@dataclass(frozen=True)
class ListDigest:
    """A list that can be told: the right that it needs, and ``tell(query, parameters of the address)``."""

    permission: str
    tell: Teller


DIGESTS: dict[str, ListDigest] = {}


def list_digest(path_name: str, permission: str, tell: Teller) -> None:
    """Declare how the list at an address (``projects:library``) is told; raises `ValueError` where it is declared already."""
    if path_name in DIGESTS:
        raise ValueError(f"the digest of {path_name} is declared twice")
    DIGESTS[path_name] = ListDigest(permission, tell)


def tell_figure(code: str, query: Query) -> list[str]:
    """Return a figure in lines: its value, and its course since the year began; empty for an unknown figure."""
    if code not in FIGURES:
        return []
    figure = get(code)
    lines = [f"{figure.name}: {display(figure, evaluate(code, query))}"]
    course = trend(code, query)
    if len(course) > 1:
        lines += [f"  {day.isoformat()}  {display(figure, result)}" for day, result in course]
    return lines
