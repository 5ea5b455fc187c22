"""The reserve as a ranking, the yearly demand, and the joint start batches."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header, urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import WAN
from yuanmai.common.pinyin import pinyin_of
from yuanmai.core.documents import Column, Kind, Row, Table, simple_head, to_excel
from yuanmai.core.figures import evaluate_many, get
from yuanmai.core.figures.display import chinese, display
from yuanmai.core.figures.links import figure_url
from yuanmai.core.saved.views import views_of
from yuanmai.core.web import page
from yuanmai.funds.figures import facts
from yuanmai.funds.models import Reserve
from yuanmai.funds.permissions import KEEP_RESERVE, SEE_FUNDS
from yuanmai.funds.reserve.queries import Line, lines
from yuanmai.funds.reserve.rules import name_of, names
from yuanmai.funds.reserve.views.shared import frame, wan
from yuanmai.funds.reserve.wording import percent, times
from yuanmai.funds.reserve.workflow import TONES

PAGE_SIZE = 50
FIGURES = (
    "bonds.reserve_count",
    "bonds.applied_count",
    "bonds.requested",
    "bonds.approved",
    "bonds.coverage",
)
ZERO = Decimal(0)
LAST = Decimal(10) ** 20
# What the list can be sorted by; the first one is how it opens: most ready and best reviewed first.
SORTS: dict[str, Callable[[Line], tuple[Any, ...]]] = {
    "rank": lambda line: (-(line.score or ZERO), -(line.readiness or ZERO), line.reserve.name),
    "name": lambda line: (line.reserve.name,),
    "score": lambda line: (line.score is None, line.score or ZERO),
    "readiness": lambda line: (line.readiness or ZERO,),
    "coverage": lambda line: (line.coverage is None, line.coverage or ZERO),
    "deadline": lambda line: (line.reserve.deadline is None, str(line.reserve.deadline)),
    "requested": lambda line: (line.reserve.requested,),
    "approved": lambda line: (line.reserve.approved_then or ZERO,),
}
HEADS: tuple[tuple[str, Any, bool], ...] = (
    ("name", gettext_lazy("Project"), False),
    ("", gettext_lazy("State"), False),
    ("", gettext_lazy("Field of use"), False),
    ("requested", gettext_lazy("Requested"), True),
    ("approved", gettext_lazy("Approved"), True),
    ("readiness", gettext_lazy("Readiness"), False),
    ("score", gettext_lazy("Score"), True),
    ("coverage", gettext_lazy("Coverage"), True),
    ("deadline", gettext_lazy("Needed by"), True),
)


class FilterForm(forms.Form):
    """The filters of the reserve; every one stands in the address."""

    q = forms.CharField(required=False)
    state = forms.ChoiceField(required=False)
    year = forms.ChoiceField(required=False)
    field = forms.ChoiceField(required=False)
    joint_start = forms.ChoiceField(required=False)

    def __init__(self, values: Any, every: Iterable[Any], kept: dict[str, str]) -> None:
        super().__init__(values, auto_id="filter_%s")
        rows = list(every)
        none = [("", _("All"))]
        labels = {
            "q": _("Search"), "state": _("State"), "year": _("Year of the demand"), "field": _("Field of use"),
            "joint_start": _("Joint start batch"),
        }  # fmt: skip
        fields = {row.field for row in rows}
        choices: dict[str, list[tuple[Any, Any]]] = {
            "state": [
                *none,
                *((c, label) for c, label in Reserve.State.choices if c in {r.state_then for r in rows}),
            ],
            "year": [*none, *((str(y), str(y)) for y in sorted({row.year for row in rows}, reverse=True))],
            "field": [*none, *((code, name) for code, name in names("fields").items() if code in fields)],
            "joint_start": [*none, *((b, b) for b in sorted({row.joint_start for row in rows} - {""}))],
        }
        for name, field in self.fields.items():
            field.label = labels[name]
            if name in choices:
                field.choices = choices[name]  # type: ignore[attr-defined]
                if len(choices[name]) < 2:
                    field.widget = forms.HiddenInput()
        self.fields["q"].widget.attrs.update(
            placeholder=_("Name, pinyin initials"), type="search", maxlength=60
        )
        for name, value in kept.items():
            self.fields[name] = forms.CharField(required=False, widget=forms.HiddenInput(), initial=value)


def chosen(request: HttpRequest, rows: Iterable[Any]) -> list[Any]:
    """Return the rows that the filters of the address leave."""
    asked = {
        name: request.GET.get(name, "").strip() for name in ("q", "state", "year", "field", "joint_start")
    }
    words = asked["q"].lower().split()

    def fits(row: Any) -> bool:
        if any(w not in row.name.lower() and not (w.isascii() and w in pinyin_of(row.name)) for w in words):
            return False
        values = {
            "state": row.state_then,
            "year": str(row.year),
            "field": row.field,
            "joint_start": row.joint_start,
        }
        return all(not asked[name] or asked[name] == value for name, value in values.items())

    return [row for row in rows if fits(row)]


def ranked(found: list[Line], sort: str) -> list[Line]:
    """Return the lines in the order asked for; what has no value stands last either way."""
    key = sort.removeprefix("-")
    if key not in SORTS or key == "rank":
        return sorted(found, key=SORTS["rank"])
    if key in {"score", "coverage", "deadline"}:
        values: dict[str, Callable[[Line], Any]] = {
            "score": lambda li: li.score,
            "coverage": lambda li: li.coverage,
            "deadline": lambda li: li.reserve.deadline,
        }
        value = values[key]
        known = [line for line in found if value(line) is not None]
        rest = [line for line in found if value(line) is None]
        return [*sorted(known, key=SORTS[key], reverse=sort.startswith("-")), *rest]
    return sorted(found, key=SORTS[key], reverse=sort.startswith("-"))


@page(SEE_FUNDS)
def index(request: HttpRequest) -> HttpResponse:
    """The reserve as of the page's day, the best reviewed and most ready first."""
    view, actor = request.view, request.actor  # type: ignore[attr-defined]
    query = view.query()
    every = list(facts.reserves(query))
    rows = chosen(request, every)
    sort = request.GET.get("sort", "")
    found = ranked(lines(query, rows), sort)
    page_obj = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    results = evaluate_many(FIGURES, query)
    parameters = frame(request)
    kept = {name: request.GET[name] for name in ("sort", "org", "as_of", "known_at") if request.GET.get(name)}
    context = {
        "figures": [
            {"label": get(c).name, "display": display(get(c), r), "url": figure_url(c, view)} for c, r in results.items()
        ],
        "chart": _chart(rows, view) if rows else None,
        "filter_form": FilterForm(request.GET.dict(), every, kept),
        "total": len(found),
        "empty": not every,
        "heads": [_head(request, key, label, number, sort) for key, label, number in HEADS],
        "lines": [
            {
                "line": line,
                "rank": page_obj.start_index() + index,
                "url": f"{reverse('funds:reserve_record', args=[line.reserve.uid])}?{parameters}",
                "state": Reserve.State(line.reserve.state_then).label,
                "tone": TONES[line.reserve.state_then],
                "field": name_of("fields", line.reserve.field),
                "coverage": times(line.coverage),
                "coverage_tone": _coverage_tone(line),
                "late": bool(line.reserve.deadline and line.reserve.deadline < view.as_of and not line.reserve.approved_then),
                "readiness_text": percent(line.readiness, 0),
            }
            for index, line in enumerate(page_obj)
        ],
        "page_obj": page_obj,
        "views": views_of(request),
        "save_view_url": reverse("core:save_view"),
        "export_url": f"{reverse('funds:export_reserve')}?{_kept_query(request)}",
        "may_keep": actor.why_not(KEEP_RESERVE) is None,
        "tabs": list_tabs(request, "reserve"),
    }  # fmt: skip
    return render(request, "funds/reserve/index.html", context)


def list_tabs(request: HttpRequest, active: str) -> list[dict[str, Any]]:
    """Return the pages over the whole reserve as tabs."""
    parameters = frame(request)
    known = (
        ("reserve", _("Ranking"), "funds:reserve", "list-details"),
        ("demand", _("Yearly demand"), "funds:reserve_demand", "chart-bar"),
        ("rules", _("Rules"), "funds:rules", "scale"),
    )
    return [
        {"label": label, "url": f"{reverse(url)}?{parameters}", "active": code == active, "icon": icon}
        for code, label, url, icon in known
    ]


def _coverage_tone(line: Line) -> str:
    if line.coverage is None:
        return "secondary"
    if line.coverage < line.threshold:
        return "danger"
    return "warning" if line.gap_years else "success"


def _head(request: HttpRequest, key: str, label: Any, number: bool, sort: str) -> dict[str, Any]:
    if not key:
        return {"label": label, "number": number, "url": "", "sorted": ""}
    values = request.GET.copy()
    values.pop("page", None)
    # The first click sorts the way one reads it: names from A, everything else from the greatest, days from the nearest.
    first, second = (key, f"-{key}") if key in {"name", "deadline"} else (f"-{key}", key)
    values["sort"] = second if sort == first else first
    state = "" if sort.removeprefix("-") != key else ("descending" if sort.startswith("-") else "ascending")
    return {"label": label, "number": number, "url": f"?{values.urlencode()}", "sorted": state}


def _kept_query(request: HttpRequest) -> str:
    view = request.view  # type: ignore[attr-defined]
    pairs = [(key, value) for key, values in request.GET.lists() for value in values if key != "page"]
    keys = {key for key, _value in pairs}
    return urlencode([*pairs, *((k, v) for k, v in view.parameters.items() if k not in keys)])


def _chart(rows: list[Any], view: Any) -> dict[str, Any]:
    """Return what is requested by field and state, in 万元."""
    fields = [code for code in names("fields") if any(row.field == code for row in rows)]
    states = [code for code in Reserve.State.values if any(row.state_then == code for row in rows)]
    base = reverse("funds:reserve")

    def total(field: str, state: str) -> Decimal | None:
        return (
            wan(sum((r.requested for r in rows if r.field == field and r.state_then == state), ZERO)) or None
        )

    return {
        "type": "bar",
        "stack": True,
        "horizontal": True,
        "axis": _("Field of use"),
        "unit": _("10,000 yuan"),
        "categories": [name_of("fields", code) for code in fields],
        "series": [
            {"name": str(Reserve.State(state).label), "data": [total(field, state) for field in fields]} for state in states
        ],
        "urls": [f"{base}?{urlencode({**view.parameters, 'field': code})}" for code in fields],
    }  # fmt: skip


@page(SEE_FUNDS)
def export(request: HttpRequest) -> HttpResponse:
    """What the ranking shows as an Excel workbook: the same filters and order, all rows; amounts in 万元."""
    view = request.view  # type: ignore[attr-defined]
    query = view.query()
    found = ranked(lines(query, chosen(request, facts.reserves(query))), request.GET.get("sort", ""))
    columns = (
        Column(width=6, kind=Kind.INTEGER), Column(width=34, kind=Kind.TEXT), Column(width=18, kind=Kind.TEXT), Column(width=10, kind=Kind.TEXT),
        Column(width=22, kind=Kind.TEXT), Column(width=8, kind=Kind.TEXT), Column(width=14, kind=Kind.DECIMAL), Column(width=14, kind=Kind.DECIMAL),
        Column(width=10, kind=Kind.PERCENT), Column(width=10, kind=Kind.DECIMAL), Column(width=10, kind=Kind.DECIMAL), Column(width=12, kind=Kind.DATE),
    )  # fmt: skip
    heads = (
        _("Rank"), _("Project"), _("Organisation"), _("State"), _("Field of use"), _("Year"), _("Requested"), _("Approved"),
        _("Readiness"), _("Score"), _("Coverage"), _("Needed by"),
    )  # fmt: skip
    table = Table(
        columns=columns,
        head=simple_head(*heads),
        rows=tuple(Row(_cells(index + 1, line)) for index, line in enumerate(found)),
        unit_note=_("Unit of amounts: 10,000 yuan; as of %(day)s") % {"day": view.as_of.isoformat()},
    )
    title = _("Bond reserve")
    content = to_excel(table, title=f"{view.org.name if view.org else ''} {title}".strip(), sheet=title)
    name = f"{'专项债券储备' if chinese() else 'bond-reserve'}-{view.as_of.isoformat()}.xlsx"
    response = HttpResponse(
        content, content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    )
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response


def _cells(rank: int, line: Line) -> tuple[Any, ...]:
    row = line.reserve
    return (
        rank, row.name, row.org.label, str(Reserve.State(row.state_then).label), name_of("fields", row.field), str(row.year),
        row.requested / WAN, None if row.approved_then is None else row.approved_then / WAN, line.readiness,
        None if line.score is None else line.score.quantize(Decimal("0.01")),
        None if line.coverage is None else line.coverage.quantize(Decimal("0.0001")), row.deadline,
    )  # fmt: skip


@dataclass
class Demand:
    """What is asked for and approved in one group of the demand."""

    label: str
    url: str = ""
    number: int = 0
    requested: Decimal = ZERO
    approved: Decimal = ZERO
    approved_number: int = 0

    def add(self, row: Any) -> None:
        """Count one reserve project."""
        self.number += 1
        self.requested += row.requested
        if row.approved_then is not None:
            self.approved += row.approved_then
            self.approved_number += 1


def grouped(rows: Iterable[Any], key: Any) -> list[tuple[Any, Demand]]:
    """Return the demand by what `key` says of a row: (value, label); in the order of first appearance."""
    found: dict[Any, Demand] = {}
    for row in rows:
        value, label = key(row)
        found.setdefault(value, Demand(str(label))).add(row)
    return list(found.items())


@page(SEE_FUNDS)
def demand(request: HttpRequest) -> HttpResponse:
    """The demand by year, place and field; the joint start batches."""
    view = request.view  # type: ignore[attr-defined]
    every = list(facts.reserves(view.query()))
    years = sorted({row.year for row in every}, reverse=True)
    asked = request.GET.get("year", "")
    year = int(asked) if asked.isdigit() and int(asked) in years else None
    rows = [row for row in every if year is None or row.year == year]
    base = reverse("funds:reserve")

    def linked(name: str, groups: list[tuple[Any, Demand]]) -> list[Demand]:
        for value, group in groups:
            more = {"year": year} if year and name != "year" else {}
            group.url = f"{base}?{urlencode({**view.parameters, **more, name: value})}"
        return [group for _value, group in groups]

    by_year = linked("year", sorted(grouped(every, lambda r: (r.year, r.year)), key=lambda pair: -pair[0]))
    places = grouped(rows, lambda r: (r.org.code, r.org.label))
    fields = linked(
        "field",
        sorted(grouped(rows, lambda r: (r.field, name_of("fields", r.field))), key=lambda p: -p[1].requested),
    )
    batches = linked(
        "joint_start",
        sorted(
            grouped([r for r in rows if r.joint_start], lambda r: (r.joint_start, r.joint_start)),
            key=lambda p: p[0],
        ),
    )
    whole = Demand(_("All"))
    for row in rows:
        whole.add(row)
    context = {
        "years": [{"label": _("All years"), "url": "?", "active": year is None}]
        + [{"label": str(y), "url": f"?year={y}", "active": y == year} for y in years],
        "by_year": by_year,
        "places": linked("org", sorted(places, key=lambda p: -p[1].requested)),
        "fields": fields,
        "batches": batches,
        "whole": whole,
        "chart": _demand_chart(by_year, view) if by_year else None,
        "tabs": list_tabs(request, "demand"),
    }  # fmt: skip
    return render(request, "funds/reserve/demand.html", context)


def _demand_chart(groups: list[Demand], view: Any) -> dict[str, Any]:
    ordered = list(reversed(groups))
    return {
        "type": "bar",
        "axis": _("Year"),
        "unit": _("10,000 yuan"),
        "categories": [group.label for group in ordered],
        "series": [
            {"name": _("Requested"), "data": [wan(group.requested) for group in ordered], "tone": "primary"},
            {"name": _("Approved"), "data": [wan(group.approved) for group in ordered], "tone": "success"},
        ],
        "urls": [group.url for group in ordered],
    }
