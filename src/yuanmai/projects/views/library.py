"""The project library: list, tree, export."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, cast

from django import forms
from django.core.cache import caches
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import content_disposition_header, urlencode
from django.utils.safestring import mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from yuanmai.core.documents import Column, Row, Table, simple_head, to_excel
from yuanmai.core.figures import Query, get
from yuanmai.core.figures.display import chinese, display
from yuanmai.core.figures.links import figure_url
from yuanmai.core.figures.sums import question
from yuanmai.core.saved.actions import preference, remember
from yuanmai.core.saved.views import views_of
from yuanmai.core.templatetags.ui import LIGHTS
from yuanmai.core.web import page
from yuanmai.projects.models import Kind, ProjectState, Stage
from yuanmai.projects.permissions import EDIT_PROJECTS, IMPORT_PROJECTS, REPORT_PROGRESS, SEE_PROJECTS
from yuanmai.projects.queries.library import (
    PageRows,
    child_counts,
    children,
    choices,
    filters_of,
    library,
    listed_version,
    sums,
)
from yuanmai.projects.tables import (
    BY_KEY,
    COLUMNS,
    DEFAULT,
    LibraryColumn,
    Line,
    chosen,
    heads,
    line_html,
    ordering,
)

PAGE_SIZE = 50
EXPORT_LIMIT = 50_000
PICKS = "bulk-form"  # the form to which the boxes of the rows belong
COLUMNS_KEY = "projects.library.columns"


class FilterForm(forms.Form):
    """The filters of the library; every one stands in the address."""

    q = forms.CharField(required=False)
    kind = forms.ChoiceField(required=False)
    stage = forms.ChoiceField(required=False)
    light = forms.ChoiceField(required=False)
    category = forms.ChoiceField(required=False)
    list = forms.ChoiceField(required=False)
    responsible = forms.ChoiceField(required=False)
    leader = forms.ChoiceField(required=False)
    park = forms.ChoiceField(required=False)
    started = forms.ChoiceField(required=False)
    reported = forms.ChoiceField(required=False)

    def __init__(self, values: Any, offered: dict[str, Any], kept: dict[str, str]) -> None:
        super().__init__(values, auto_id="filter_%s")
        every = [("", _("All"))]
        yes_no = [*every, ("yes", _("Yes")), ("no", _("No"))]
        labels = {
            "q": _("Search"), "kind": _("Project kind"), "stage": _("Stage"), "light": _("Light"), "category": _("Category"),
            "list": _("List"), "responsible": _("Responsible organisation"), "leader": _("Leader in charge"),
            "park": _("Park"), "started": _("Started"), "reported": _("Reported"),
        }  # fmt: skip
        fixed: dict[str, Any] = {
            "kind": [*every, *Kind.choices],
            "stage": [*every, *Stage.choices],
            "light": [*every, *((code, words[0]) for code, words in LIGHTS.items())],
            "started": yes_no,
            "reported": yes_no,
        }
        for name, field in self.fields.items():
            field.label = labels[name]
            if name in fixed:
                cast(forms.ChoiceField, field).choices = fixed[name]
            elif name != "q":
                cast(forms.ChoiceField, field).choices = [*every, *((v, v) for v in offered.get(name, ()))]
                if not offered.get(name):
                    field.widget = forms.HiddenInput()
        self.fields["q"].widget.attrs.update(
            placeholder=_("Name, code, pinyin initials"), type="search", maxlength=60
        )
        for name, value in kept.items():  # sort and columns survive filtering
            self.fields[name] = forms.CharField(required=False, widget=forms.HiddenInput(), initial=value)


class CountedPaginator(Paginator[Any]):
    """A paginator whose count is the figure above the list, so that counting costs nothing extra."""

    def __init__(self, rows: Any, per_page: int, number: int) -> None:
        self.number = number
        super().__init__(rows, per_page)

    @cached_property
    def count(self) -> int:
        """Number of rows, from the registry."""
        return self.number


def columns_of(request: HttpRequest) -> list[LibraryColumn]:
    """Return the chosen columns: from the address, else as the user chose last, else as the list opens."""
    user_id = cast(int, request.user.pk)
    asked = [key for key in request.GET.getlist("cols") if key in BY_KEY]
    if asked:
        remember(user_id, COLUMNS_KEY, asked)
        return chosen(asked)
    return chosen(preference(user_id, COLUMNS_KEY, list(DEFAULT)))


def _query(request: HttpRequest) -> Query:
    return request.view.query(**filters_of(request.GET.dict()))  # type: ignore[attr-defined]


@page(SEE_PROJECTS)
def index(request: HttpRequest) -> HttpResponse:
    """The library at the page's organisation and day; filters, columns, order and page stand in the address."""
    view = request.view  # type: ignore[attr-defined]
    query, columns = _query(request), columns_of(request)
    sort = request.GET.get("sort", "")
    figures = sums(query)
    total = int(figures["projects.library_count"].value or 0)
    listed = PageRows(query, ordering(sort), sort, [c.related for c in columns if c.related])
    page_obj = CountedPaginator(listed, PAGE_SIZE, total).get_page(request.GET.get("page"))
    frame = urlencode(view.parameters)
    # The rows are the same for everybody who sees this scope with these columns; they are written once until one changes.
    store, language = caches["fragments"], get_language()
    asked = f"{request.GET.urlencode()}|{frame}|{','.join(c.key for c in columns)}|{language}"
    key = f"library:{listed_version(query)}:{question(query)}:{blake2b(asked.encode(), digest_size=16).hexdigest()}"
    body, lines = store.get(key), None
    if body is None:
        lines = _tree(list(page_obj.object_list), query, request)
        body = mark_safe("\n".join(line_html(line, columns, frame, pick=PICKS) for line in lines))
        store.set(key, body)
    filters = dict(query.filters)
    kept = {name: request.GET[name] for name in ("sort", "org", "as_of", "known_at") if request.GET.get(name)}
    actor = request.actor  # type: ignore[attr-defined]
    offered = choices(query)
    context = {
        "filter_form": FilterForm({**request.GET.dict()}, offered, kept),
        "offered": offered,
        "heads": heads(columns, sort, request.GET),
        "rows": lines,
        "body": body,
        "picks": PICKS,
        "page_obj": page_obj,
        "total": total,
        "filtered": bool(filters),
        "summary": [
            {
                "label": get(code).name,
                "display": display(get(code), result),
                "url": figure_url(code, view, **filters),
            }
            for code, result in figures.items()
        ],
        "columns": [{"key": c.key, "label": c.label, "visible": c in columns} for c in COLUMNS],
        "views": views_of(request),
        "save_view_url": reverse("core:save_view"),
        "export_url": f"{reverse('projects:export')}?{_export_query(request)}",
        "may_edit": actor.why_not(EDIT_PROJECTS) is None,
        "may_import": actor.why_not(IMPORT_PROJECTS) is None,
        "may_report": actor.why_not(REPORT_PROGRESS) is None,
        "import_url": "/import/",
    }
    return render(request, "projects/library.html", context)


def _export_query(request: HttpRequest) -> str:
    view = request.view  # type: ignore[attr-defined]
    pairs = [
        (key, value) for key, values in request.GET.lists() for value in values if key not in {"page", "open"}
    ]
    keys = {key for key, _value in pairs}
    return urlencode([*pairs, *((k, v) for k, v in view.parameters.items() if k not in keys)])


def _tree(rows: list[ProjectState], query: Query, request: HttpRequest) -> list[Line]:
    """Return the lines of the table: main projects, and below those that are opened their sub-projects."""
    opened = set(request.GET.getlist("open"))
    everything = Query(query.org_ids, query.as_of, query.known_at)
    counts = child_counts(everything, [row.project_id for row in rows])
    lines: list[Line] = []

    def add(state: ProjectState, depth: int, number: int, members: list[ProjectState]) -> None:
        uid = str(state.project.uid)
        is_open, toggle = uid in opened, ""
        if number:
            values = request.GET.copy()
            values.setlist("open", sorted(opened - {uid} if is_open else opened | {uid}))
            toggle = f"?{values.urlencode()}#p{state.project_id}"
        lines.append(Line(state, depth, number, is_open, toggle))
        for member in members:
            grand = below_counts.get(member.project_id, 0)
            add(
                member,
                depth + 1,
                grand,
                below.get(member.project_id, []) if str(member.project.uid) in opened else [],
            )

    top = [row.project_id for row in rows if str(row.project.uid) in opened]
    members = children(everything, top)
    inner = [state.project_id for group in members.values() for state in group]
    below_counts = child_counts(everything, inner) if inner else {}
    below = children(everything, below_counts) if below_counts else {}
    for row in rows:
        add(row, 0, counts.get(row.project_id, 0), members.get(row.project_id, []))
    return lines


@page(SEE_PROJECTS)
def export(request: HttpRequest) -> HttpResponse:
    """What the list shows as an Excel workbook: the same filters, columns and order, all rows."""
    query, columns = _query(request), columns_of(request)
    states = library(query).order_by(*ordering(request.GET.get("sort", "")))[:EXPORT_LIMIT]
    return workbook_of(request, states, columns)


def workbook_of(
    request: HttpRequest, states: Iterable[ProjectState], columns: list[LibraryColumn]
) -> HttpResponse:
    """Return these projects as an Excel workbook with these columns."""
    view = request.view  # type: ignore[attr-defined]
    table = Table(
        columns=tuple(Column(width=c.width, kind=c.kind) for c in columns),
        head=simple_head(*(str(c.label) for c in columns)),
        rows=tuple(Row(tuple(_plain(c.value(state)) for c in columns)) for state in states),
        unit_note=_("Unit of amounts: 10,000 yuan; as of %(day)s") % {"day": view.as_of.isoformat()},
    )
    title = _("Project library")
    content = to_excel(table, title=f"{view.org.name if view.org else ''} {title}".strip(), sheet=title)
    name = f"{'项目库' if chinese() else 'projects'}-{view.as_of.isoformat()}.xlsx"
    response = HttpResponse(
        content, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _plain(value: Any) -> Any:
    return str(value) if value is not None and hasattr(value, "_proxy____cast") else value
