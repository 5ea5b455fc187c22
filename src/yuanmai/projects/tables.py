"""The columns of the library: head, cell on the page, value in Excel."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import F
from django.urls import get_script_prefix, reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from yuanmai.common.money import WAN
from yuanmai.core.documents import Kind as CellKind
from yuanmai.core.figures import Unit
from yuanmai.core.figures.display import display_value
from yuanmai.core.policy import Text
from yuanmai.core.templatetags.ui import icon, light_icon, light_word, money_display
from yuanmai.projects.engine.rates import COMPLETION
from yuanmai.projects.models import Kind, ProjectState, Stage
from yuanmai.projects.queries.lights import RANKS, completion_order

TONES = {
    "reserve": "secondary",
    "preparation": "info",
    "construction": "primary",
    "completed": "success",
    "operating": "success",
}


@dataclass(frozen=True)
class LibraryColumn:
    """A column: `cell` gives HTML for a state, `value` what Excel gets, `order` what it is sorted by."""

    key: str
    label: Text
    cell: Callable[[ProjectState, str], Any]
    value: Callable[[ProjectState], Any]
    order: Any = None
    number: bool = False
    kind: CellKind = CellKind.TEXT
    width: float = 1.0
    shown: bool = False  # in the list as it opens
    tight: bool = False  # short words that must not wrap
    related: str = ""  # the relation that the cell reads


def completion_rate(state: ProjectState) -> Decimal | None:
    """Return a project's completion rate as the figure gives it, unrounded; None without a plan."""
    return COMPLETION.value(state)


def badge(text: Any, tone: str) -> SafeString:
    """Return a badge."""
    return _badge(str(text), tone)


@lru_cache(maxsize=256)
def _badge(text: str, tone: str) -> SafeString:
    return format_html('<span class="ym-badge" data-tone="{}">{}</span>', tone, text)


def label_of(choices: type[Kind | Stage], value: str) -> str:
    """Return the label of a choice in the active language; the value itself where it is none of them.

    The same as `get_…_display`, which builds its list of choices anew for every row.
    """
    return _labels(choices, get_language() or "").get(value, value)


@lru_cache(maxsize=16)
def _labels(choices: type[Kind | Stage], _language: str) -> dict[str, str]:
    return {str(value): str(label) for value, label in choices.choices}


def light_html(value: str, text: Any = "") -> Any:
    """Return a light with its word; the shape differs with the colour."""
    return _light_html(value, str(text or light_word(value)))


@lru_cache(maxsize=256)
def _light_html(value: str, word: str) -> SafeString:
    return format_html(
        '<span class="ym-light" data-light="{}">{}<span>{}</span></span>',
        value,
        icon(light_icon(value)),
        word,
    )


def record_url(state: ProjectState, query: str = "") -> str:
    """Return the address of a project's page."""
    before, after = _record_path(get_script_prefix())
    url = f"{before}{state.project.uid}{after}"
    return f"{url}?{query}" if query else url


@lru_cache(maxsize=4)
def _record_path(_prefix: str) -> tuple[str, str]:
    """Return what stands before and behind the uid in a project's address; looked up once, not for every row."""
    nobody = UUID(int=0)
    before, _uid, after = reverse("projects:record", args=[nobody]).partition(str(nobody))
    return before, after


def _name(state: ProjectState, query: str) -> SafeString:
    code = f"<small>{escape(state.code)}</small>" if state.code else ""
    return mark_safe(f'<a href="{escape(record_url(state, query))}">{escape(state.name)}</a>{code}')


def _text(name: str) -> dict[str, Any]:
    return {
        "cell": lambda s, q: getattr(s, name) or "–",
        "value": lambda s: getattr(s, name) or None,
        "order": name,
    }


def _day(name: str) -> dict[str, Any]:
    def cell(state: ProjectState, _query: str) -> Any:
        day: date | None = getattr(state, name)
        return day.isoformat() if day else "–"

    return {
        "cell": cell,
        "value": lambda s: getattr(s, name),
        "order": name,
        "kind": CellKind.DATE,
        "number": True,
    }


def _money(name: str) -> dict[str, Any]:
    def value(state: ProjectState) -> Decimal | None:
        amount = getattr(state, name)
        return None if amount is None else amount / WAN

    return {
        "cell": lambda s, q: money_display(getattr(s, name), "wan bare"),
        "value": value,
        "order": name,
        "number": True,
        "kind": CellKind.DECIMAL,
    }


def _lists(state: ProjectState, _query: str) -> Any:
    codes = state.lists.strip("|").split("|") if state.lists else []
    return (
        format_html_join(
            " ", '<span class="ym-badge" data-tone="info">{}</span>', ((code,) for code in codes)
        )
        or "–"
    )


COLUMNS: tuple[LibraryColumn, ...] = (
    LibraryColumn("name", _("Project"), _name, lambda s: s.name, "name", width=3.0, shown=True),
    LibraryColumn("light", _("Light"), lambda s, q: light_html(s.light), lambda s: light_word(s.light), RANKS, shown=True),  # type: ignore[attr-defined]
    LibraryColumn("kind", _("Project kind"), lambda s, q: label_of(Kind, s.kind) or "–", lambda s: label_of(Kind, s.kind) or None, "kind", shown=True),
    LibraryColumn("stage", _("Stage"), lambda s, q: badge(label_of(Stage, s.stage), TONES.get(s.stage, "secondary")),
                  lambda s: label_of(Stage, s.stage), "stage", shown=True),
    LibraryColumn("category", _("Category"), **_text("category"), shown=True),
    LibraryColumn("organisation", _("Organisation"), lambda s, q: s.org.label, lambda s: s.org.label, "org__path", related="org"),
    LibraryColumn("responsible", _("Responsible organisation"), **_text("responsible"), shown=True),
    LibraryColumn("leader", _("Leader in charge"), **_text("leader"), shown=True),
    LibraryColumn("park", _("Park"), lambda s, q: s.park.label if s.park else "–", lambda s: s.park.label if s.park else None, "park__name", related="park"),
    LibraryColumn("owner", _("Owner enterprise"), lambda s, q: s.owner.name if s.owner else "–",
                  lambda s: s.owner.name if s.owner else None, "owner__name", width=2.0, related="owner"),
    LibraryColumn("lists", _("Lists"), _lists, lambda s: "、".join(s.lists.strip("|").split("|")) if s.lists else None, "lists"),
    LibraryColumn("total_investment", _("Total investment"), **_money("total_investment"), shown=True),
    LibraryColumn("planned_investment", _("Planned this year"), **_money("planned_investment"), shown=True),
    LibraryColumn("investment_done", _("Done this year"), **_money("investment_done"), shown=True),
    LibraryColumn("completion", _("Completion rate"), lambda s, q: display_value(completion_rate(s), Unit.RATIO), completion_rate,
                  completion_order(), number=True, kind=CellKind.PERCENT, shown=True),
    LibraryColumn("done_total", _("Done since the start"), **_money("done_total")),
    LibraryColumn("visible_percent", _("Visible progress (%)"), lambda s, q: "–" if s.visible_percent is None else f"{s.visible_percent.normalize():f} %",
                  lambda s: None if s.visible_percent is None else s.visible_percent / 100, "visible_percent", number=True, kind=CellKind.PERCENT),
    LibraryColumn("visible_progress", _("Visible progress"), **_text("visible_progress"), width=3.0),
    LibraryColumn("start_on", _("Start"), **_day("start_on")),
    LibraryColumn("finish_on", _("Completion"), **_day("finish_on")),
    LibraryColumn("reported_on", _("Last report"), **_day("reported_on"), shown=True),
    LibraryColumn("problems", _("Problems"), **_text("problems"), width=3.0),
)  # fmt: skip
BY_KEY = {column.key: column for column in COLUMNS}
DEFAULT = tuple(column.key for column in COLUMNS if column.shown)


def chosen(keys: list[str]) -> list[LibraryColumn]:
    """Return the columns of these keys in the order of the table; the name always stands first."""
    wanted = set(keys) | {"name"}
    return [column for column in COLUMNS if column.key in wanted]


def ordering(sort: str) -> list[Any]:
    """Return what to order by for a sort key such as ``-total_investment``; undefined values come last."""
    key = sort.removeprefix("-")
    column = BY_KEY.get(key)
    if column is None or column.order is None:
        return ["name", "id"]
    if key == "name":
        return ["-name", "-id"] if sort.startswith("-") else ["name", "id"]
    expression = F(column.order) if isinstance(column.order, str) else column.order
    ordered = expression.desc(nulls_last=True) if sort.startswith("-") else expression.asc(nulls_last=True)
    return [ordered, "name", "id"]


def heads(columns: list[LibraryColumn], sort: str, query: Any) -> list[dict[str, Any]]:
    """Return the table's head: label, the address that sorts by it, and how it is sorted now."""
    result = []
    for column in columns:
        state = {"": "", column.key: "ascending", f"-{column.key}": "descending"}.get(sort, "")
        values = query.copy()
        values.pop("page", None)
        first = f"-{column.key}" if column.number or column.key == "light" else column.key
        values["sort"] = first if not state else (column.key if state == "descending" else f"-{column.key}")
        result.append(
            {"column": column, "state": state, "url": f"?{values.urlencode()}" if column.order else ""}
        )
    return result


@dataclass(frozen=True)
class Line:
    """One line of the table: a project with its depth in the tree and the number of its sub-projects."""

    state: ProjectState
    depth: int
    children: int
    open: bool
    toggle: str  # the address that opens or closes its sub-projects


def line_html(line: Line, columns: list[LibraryColumn], frame: str, pick: str = "") -> SafeString:
    """Return a line as a table row; `pick` is the id of the form that its box belongs to, if rows can be picked.

    Written here and not in a template: fifty rows of a dozen cells are most of the page, and every cell of a template costs
    ten times its text.
    """
    depth = f' class="ym-sub" data-depth="{line.depth}"' if line.depth else ""
    cells: list[str] = []
    for column in columns:
        text = column.cell(line.state, frame)
        text = text if isinstance(text, SafeString) else escape(text)
        if not cells:
            cells.append(f'<th scope="row">{_toggle(line) if line.children else ""}{text}</th>')
        else:
            cells.append(f'<td class="num">{text}</td>' if column.number else f"<td>{text}</td>")
    box = _box(line.state, pick) if pick else ""
    return mark_safe(f'<tr id="p{line.state.project_id}"{depth}>{box}{"".join(cells)}</tr>')


def _box(state: ProjectState, form: str) -> str:
    label = escape(_("Pick %(name)s") % {"name": state.name})
    return (
        f'<td class="ym-pick"><input class="form-check-input" type="checkbox" name="project" value="{state.project.uid}" '
        f'form="{form}" data-ym-pick aria-label="{label}"></td>'
    )


def _toggle(line: Line) -> SafeString:
    label = ngettext("%(n)s sub-project", "%(n)s sub-projects", line.children) % {"n": line.children}
    return format_html(
        '<a class="ym-toggle" href="{}" aria-expanded="{}" aria-label="{}">{}<span class="ym-count">{}</span></a>',
        line.toggle,
        "true" if line.open else "false",
        label,
        icon("chevron-down" if line.open else "chevron-right"),
        line.children,
    )
