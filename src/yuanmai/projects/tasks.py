"""What the projects room delivers by itself: a saved view of the library in a mail."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from yuanmai.core.figures import Query, Unit, get
from yuanmai.core.figures.display import display, display_value
from yuanmai.core.saved.digests import list_digest
from yuanmai.core.templatetags.ui import light_word
from yuanmai.projects.permissions import SEE_PROJECTS
from yuanmai.projects.queries.library import filters_of, library, sums
from yuanmai.projects.tables import completion_rate, ordering

SHOWN = 30


def tell_library(query: Query, parameters: Mapping[str, str]) -> list[str]:
    """Return a saved view of the library in lines: its figures, then its first projects in its order."""
    query = query.where(**filters_of(parameters))
    lines = [f"{get(code).name}: {display(get(code), result)}" for code, result in sums(query).items()]
    rows = list(library(query).order_by(*ordering(parameters.get("sort", "")))[: SHOWN + 1])
    if rows:
        lines.append("")
    for number, state in enumerate(rows[:SHOWN], 1):
        parts = [state.name, light_word(state.light), display_value(completion_rate(state), Unit.RATIO)]  # type: ignore[attr-defined]
        lines.append(f"{number}. " + " · ".join(str(part) for part in [*parts, state.responsible] if part))
    if len(rows) > SHOWN:
        lines.append(_("… and more; the page lists them all."))
    return lines


list_digest("projects:library", SEE_PROJECTS, tell_library)
