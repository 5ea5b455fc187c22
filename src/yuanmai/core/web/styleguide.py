"""Every component and island on one page, with made-up content: only in a debug installation."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from yuanmai.core.web.pages import public_page


class SampleForm(forms.Form):
    """One field of every kind."""

    name = forms.CharField(label="Name", help_text="As in the approval", max_length=80)
    kind = forms.ChoiceField(label="Kind", choices=[("new", "New start"), ("continuing", "Continuing")])
    amount = forms.DecimalField(label="Total investment", min_value=0)
    day = forms.DateField(label="Start", widget=forms.DateInput(attrs={"type": "date"}))
    urgent = forms.BooleanField(label="Key project", required=False)
    ways = forms.MultipleChoiceField(
        label="Lists", choices=[("a", "City key"), ("b", "Top"), ("c", "Technical renewal")],
        widget=forms.CheckboxSelectMultiple, required=False,
    )  # fmt: skip
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)


class SampleFilter(forms.Form):
    """A filter bar."""

    q = forms.CharField(label="Name or code", required=False)
    kind = forms.ChoiceField(label="Kind", required=False, choices=[("", "All"), ("new", "New start")])
    stage = forms.ChoiceField(label="Stage", required=False, choices=[("", "All"), ("build", "Building")])


NAMES = [
    "碧泉湖智能装备园",
    "湘乡经开区标准厂房(一期)",
    "九华新能源汽车零部件产业园",
    "岳塘数字产业中心",
    "昭山科创走廊",
]


def _bars() -> dict[str, Any]:
    months = [f"2022-{month:02d}" for month in range(1, 7)]
    return {
        "type": "bar", "categories": months, "axis": "Month", "unit": "亿元", "urls": [f"?month={m}" for m in months],
        "series": [
            {"name": "Planned", "data": [1.2, 1.4, 2.0, 2.4, 2.6, 3.0]},
            {"name": "Done", "data": [1.0, 1.1, 2.2, 1.9, None, None], "tone": "success"},
            {"name": "Completion rate", "type": "line", "axis": "percent", "data": [0.83, 0.81, 0.92, 0.88, None, None]},
        ],
    }  # fmt: skip


def _square(x: float, y: float, d: float) -> dict[str, Any]:
    ring = [[x, y], [x + d, y], [x + d, y + d], [x, y + d], [x, y]]
    return {"type": "Polygon", "coordinates": [ring]}


def _map(request: HttpRequest, part: str) -> HttpResponse:
    if part == "layers":
        layer = {"visible": True, "label_field": "name"}
        return JsonResponse({"layers": [
            {"id": "parks", "label": "Parks", "url": "?map=parks", "kind": "area", "tone": "primary", **layer},
            {"id": "buildings", "label": "Buildings", "url": "?map=buildings", "kind": "building", "tone": "secondary",
             "height_field": "height", **layer},
            {"id": "sites", "label": "Sites", "url": "?map=sites", "kind": "point", "color_field": "light", **layer},
        ]})  # fmt: skip
    features: list[dict[str, Any]] = []
    if part == "parks":
        features = [{"geometry": _square(112.90, 27.83, 0.03), "name": NAMES[0]}]
    elif part == "buildings":
        features = [
            {"geometry": _square(112.903 + 0.004 * (n % 5), 27.834 + 0.004 * (n // 5), 0.002),
             "name": f"{n + 1}#", "height": 6 + 6 * (n % 4), "detail": "Standard factory"} for n in range(20)
        ]  # fmt: skip
    else:
        features = [
            {"geometry": {"type": "Point", "coordinates": [112.905 + 0.005 * n, 27.84]}, "name": name,
             "light": ["green", "yellow", "red", "grey", "green"][n], "url": "#", "detail": "Building"}
            for n, name in enumerate(NAMES)
        ]  # fmt: skip
    made = [
        {"type": "Feature", "geometry": f.pop("geometry"), "properties": {**f, "key": f"{part}-{n}"}}
        for n, f in enumerate(features)
    ]
    return JsonResponse({"type": "FeatureCollection", "features": made})


@public_page(
    "the style guide of the web kit holds made-up content only and exists only in a debug installation"
)
def styleguide(request: HttpRequest) -> HttpResponse:
    """Show the whole web kit."""
    if part := request.GET.get("map"):
        return _map(request, part)
    if request.GET.get("error"):
        raise Http404
    messages.success(request, "Saved.", extra_tags="undo=/styleguide/")
    messages.warning(request, "Two values are smaller than last time.")
    page = Paginator(range(1, 1266), 50).page(3)
    sheet = {
        "columns": [
            {"key": "name", "label": "Project", "readonly": True},
            {"key": "planned", "label": "Planned", "unit": "万元", "type": "number", "readonly": True},
            {"key": "done", "label": "Done this year", "unit": "万元", "type": "number", "max_key": "planned",
             "not_less": True, "required": True},
            {"key": "percent", "label": "Progress", "unit": "%", "type": "percent", "not_less": True},
            {"key": "state", "label": "State", "type": "choice",
             "choices": [{"value": "no", "label": "Not started"}, {"value": "yes", "label": "Started"}]},
            {"key": "text", "label": "Visible progress", "type": "text", "width": 220},
        ],
        "rows": [
            {"id": n, "url": "#", "values": {"name": name, "planned": 5000 + 100 * n, "done": "", "percent": "", "state": "yes"},
             "previous": {"done": 1200.5 + n, "percent": 25, "state": "yes"}} for n, name in enumerate(NAMES)
        ],
    }  # fmt: skip
    context = {
        "breadcrumbs": [{"label": "Yuanmai", "url": "/"}, {"label": "Style guide", "url": ""}],
        "tabs": [{"label": "Overview", "url": "?", "active": True}, {"label": "Progress", "url": "?", "count": 12},
                 {"label": "Money", "url": "?"}, {"label": "Files", "url": "?", "count": 0}],
        "form": SampleForm({"name": "", "amount": "-3"}) if request.GET.get("bad", "1") else SampleForm(),
        "filter_form": SampleFilter({"kind": "new"}),
        "columns": [{"key": "name", "label": "Name", "visible": True}, {"key": "kind", "label": "Kind", "visible": True}],
        "views": [{"name": "Behind plan", "url": "?", "active": True, "shared": True, "delete_url": "#"}],
        "page_obj": page, "names": NAMES, "bars": _bars(), "sheet": sheet, "trend": [3, 5, 4, 8, 7, 9],
        "lines": {"type": "line", "categories": ["Q1", "Q2", "Q3", "Q4"], "axis": "Quarter", "percent": True, "area": True,
                  "series": [{"name": "Start rate", "data": [0.4, 0.6, 0.8, 0.85]}]},
        "pie": {"type": "pie", "axis": "Source", "unit": "亿元", "series": [{"name": "Funds", "data": [
            {"name": "Special bond", "value": 7.35}, {"name": "Fiscal", "value": 2.07}, {"name": "Loan", "value": 1.0},
            {"name": "Gap", "value": 1.43}]}]},
        "ranks": {"type": "bar", "horizontal": True, "percent": True, "axis": "Park", "categories": NAMES,
                  "series": [{"name": "Completion rate", "data": [0.96, 0.82, 0.75, 0.61, 0.33]}]},
        "entries": [
            {"title": "Progress reported", "when": "2022-03-31 17:20", "who": "李明", "text": "主体结构封顶", "icon": "report",
             "tone": "success", "changes": [{"label": "Done", "before": "1,200.00", "after": "1,450.00", "changed": True}]},
            {"title": "Blocker opened", "when": "2022-03-12 09:02", "who": "王芳", "text": "红线外供电未到位", "icon": "alert-triangle",
             "tone": "danger"},
            {"title": "Created", "when": "2022-01-05 10:00", "who": "系统", "icon": "plus"},
        ],
        "diff": [{"label": "Total investment", "before": "5.00", "after": "5.60", "changed": True},
                 {"label": "Kind", "before": "New start", "after": "New start", "changed": False}],
        "todo_count": 7, "jobs_running": 1,
    }  # fmt: skip
    return render(request, "core/styleguide.html", context)
