"""Follow the yuan: where the money of a place, or of any node, comes from and what became of it."""

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from yuanmai.core.web import page
from yuanmai.funds.engine import flow, flow_graph
from yuanmai.funds.engine.flow import Strand
from yuanmai.funds.insight import following
from yuanmai.funds.insight.following import Flow
from yuanmai.funds.insight.pictures import SHOWN, sankey, shared_words
from yuanmai.funds.permissions import SEE_FUNDS

PAGE_SIZE = 30


@page(SEE_FUNDS)
def follow(request: HttpRequest) -> HttpResponse:
    """The money of the chosen place as a picture and as a list; with `node`, only what came to it and went from it."""
    view = request.view  # type: ignore[attr-defined]
    money = following.load(view.query(), view.parameters)
    node = request.GET.get("node", "")
    strands = flow_graph.through(money.strands, node) if node else money.strands
    if node and not strands:
        raise Http404
    whole = flow_graph.graph(strands)
    present = [s for s in flow.STAGES if any(n.stage == s for n in whole.nodes.values())]
    asked = [stage for stage in request.GET.getlist("stage") if stage in flow.STAGES]
    shown = {*(asked or SHOWN)} | ({flow.stage_of(node)} if node else set())
    address = Address(view.parameters, asked)
    urls = {key: address.node(key) for key in whole.nodes}
    listed = request.GET.get("list", "")
    if listed not in present:
        listed = flow.TRANCHE if flow.TRANCHE in present else next(iter(present), flow.TRANCHE)
    names = following.stage_names()
    chart = sankey(money, strands, shown, urls, node)
    context = {
        "chart": chart,
        "height": height_of(chart) if chart else "",
        "node": chosen(money, strands, node, address) if node else None,
        "rests": [
            {"name": money.name(key).name, "amount": found.inflow, "url": urls[key], "key": key}
            for key, found in whole.nodes.items()
            if found.stage == flow.REST
        ],
        "unexplained": [
            {"name": money.name(key).name, "amount": found.inflow, "url": urls[key]}
            for key, found in whole.nodes.items()
            if found.stage == flow.EXCESS
        ],
        "total": whole.total,
        "stages": [
            {"code": stage, "name": names[stage], "on": stage in shown}
            for stage in present
            if stage != flow.PLACE
        ],
        "place_on": flow.PLACE in shown,
        "place_name": names[flow.PLACE],
        "tabs": [
            {
                "label": names[stage],
                "url": address.node(node, list=stage),
                "active": stage == listed,
                "count": sum(found.stage == stage for found in whole.nodes.values()),
            }
            for stage in present
        ],
        "listed": listed,
        "everything": address.node(""),
        "keep": {**view.parameters, **({"node": node} if node else {})},
        **listing(request, money, whole, listed, urls),
        "breadcrumbs": crumbs(money, node, address),
    }
    return render(request, "funds/insight/follow.html", context)


def height_of(chart: Mapping[str, Any]) -> str:
    """Return how tall the chart must be for its fullest column."""
    fullest = max(Counter(node["depth"] for node in chart["nodes"]).values())
    return "md" if fullest <= 3 else "lg" if fullest <= 7 else "xl"


class Address:
    """Addresses of this page that keep the frame and the chosen stages."""

    def __init__(self, frame: Mapping[str, str], stages: list[str]) -> None:
        self._frame = [*frame.items(), *(("stage", stage) for stage in stages)]

    def node(self, node: str, **more: str) -> str:
        """Return the address of a node of this page; "" is everything."""
        if node.endswith(f":{flow_graph.FOLDED}"):
            return ""
        own = [("node", node)] if node else []
        return f"{reverse('funds:follow')}?{urlencode([*self._frame, *own, *more.items()])}"


def crumbs(money: Flow, node: str, address: Address) -> list[dict[str, str]]:
    """Return where the reader is."""
    rows = [{"label": _("Follow the yuan"), "url": address.node("")}]
    if node:
        rows.append({"label": money.name(node).name, "url": ""})
    return rows


def chosen(money: Flow, strands: list[Strand], node: str, address: Address) -> dict[str, Any]:
    """Return what the page says of the chosen node: its sums, and what lies before and behind it."""
    found = flow_graph.graph(strands).nodes[node]
    before, behind = flow_graph.around(strands, node)
    name = money.name(node)
    return {
        "key": node,
        "name": name.name,
        "detail": name.detail,
        "url": name.url,
        "kind": following.stage_word(node),
        "inflow": found.inflow,
        "outflow": found.outflow,
        "rests": found.rests,
        "sides": [
            {
                "title": _("Where it comes from"),
                "icon": "arrow-left",
                "rows": lines(money, before, found.inflow, address),
            },
            {
                "title": _("What became of it"),
                "icon": "arrow-right",
                "rows": lines(money, behind, found.inflow, address),
            },
        ],
    }


def lines(
    money: Flow, parts: list[flow_graph.Part], whole: Decimal, address: Address
) -> list[dict[str, Any]]:
    """Return the rows of one side of a node; `first` marks the first row of a stage."""
    rows: list[dict[str, Any]] = []
    before = ""
    for part in parts:
        name = money.name(part.key)
        stage = flow.stage_of(part.key)
        rows.append(
            {
                "stage": following.stage_word(part.key),
                "first": stage != before,
                "name": name.name,
                "detail": name.detail,
                "amount": part.amount,
                "of": whole,
                "rules": shared_words(part.rules),
                "follow": address.node(part.key),
                "url": name.url,
            }
        )
        before = stage
    return rows


def listing(
    request: HttpRequest, money: Flow, whole: flow_graph.Graph, stage: str, urls: Mapping[str, str]
) -> dict[str, Any]:
    """Return the nodes of one stage, searched and paged."""
    text = request.GET.get("q", "").strip().lower()
    nodes = [found for found in whole.nodes.values() if found.stage == stage]
    if text:
        nodes = [n for n in nodes if text in f"{money.name(n.key).name} {money.name(n.key).detail}".lower()]
    paginator = Paginator(nodes, PAGE_SIZE)
    page_obj = paginator.get_page(request.GET.get("page"))
    rows = [
        {
            "name": money.name(found.key).name,
            "detail": money.name(found.key).detail,
            "url": money.name(found.key).url,
            "follow": urls[found.key],
            "node": found,
        }
        for found in page_obj
    ]
    return {"rows": rows, "page_obj": page_obj, "text": request.GET.get("q", "").strip()}
