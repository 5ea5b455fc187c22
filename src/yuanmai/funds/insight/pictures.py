"""Descriptions of charts: the sankey of the money."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yuanmai.common.money import WAN, YI
from yuanmai.funds.engine import flow, flow_graph
from yuanmai.funds.engine.flow import Strand
from yuanmai.funds.insight.following import Flow, rule_names, stage_names

MOST_NODES = 12  # of a stage; the smaller ones are drawn as one
SHOWN = (
    flow.TRANCHE,
    flow.LENT,
    flow.PROJECT,
    flow.CONTRACT,
    flow.PAYMENT,
    flow.WORK,
    flow.BUILDING,
    flow.TENANT,
)
TONES = {
    flow.key(flow.REST, flow.UNRECORDED): "warning",
    flow.key(flow.REST, flow.UNBUILT): "warning",
    flow.key(flow.REST, flow.STANDING): "success",
    **{flow.key(flow.EXCESS, kind): "danger" for kind in flow.EXCESSES},
}


def unit_of(total: Decimal) -> tuple[Decimal, str]:
    """Return the unit in which amounts of this size are drawn, and its name."""
    return (Decimal(YI), _("100 million yuan")) if total >= YI else (Decimal(WAN), _("10,000 yuan"))


def shared_words(rules: Collection[str]) -> str:
    """Return how something was shared out, in words; empty where it is recorded."""
    words = rule_names()
    return ", ".join(words[rule] for rule in flow.RULES if rule in rules)


def sankey(
    money: Flow, strands: Sequence[Strand], stages: Collection[str], urls: Mapping[str, str], chosen: str = ""
) -> dict[str, Any] | None:
    """Return the chart of some strands through these stages; `urls` are the addresses behind nodes. None where there is nothing."""
    folded, hidden = flow_graph.fold(flow_graph.only(strands, stages), MOST_NODES, chosen)
    picture = flow_graph.graph(folded)
    if not picture.links:
        return None
    columns = [stage for stage in flow.STAGES if any(node.stage == stage for node in picture.nodes.values())]
    depths = _depths(picture, columns)
    first = min(depths.values())
    divisor, unit = unit_of(picture.total)
    heads = ["" for _column in range(max(depths.values()) - first + 1)]
    for index, stage in enumerate(columns):
        heads[index - first] = stage_names()[stage]
    return {
        "type": "sankey",
        "series": [],
        "unit": unit,
        "stages": heads,
        "head": [_("From"), _("To"), _("Shared out"), f"{_('Amount')} ({unit})"],
        "nodes": [
            {
                "id": key,
                "label": _folded(key, hidden) or money.name(key).name,
                "depth": depths[key] - first,
                "url": urls.get(key, ""),
                "tone": TONES.get(key, "secondary" if node.stage == flow.REST else ""),
                "chosen": key == chosen,
            }
            for key, node in picture.nodes.items()
        ],
        "links": [
            {
                "source": link.source,
                "target": link.target,
                "value": (link.amount / divisor).quantize(Decimal("0.000001")).normalize(),
                "note": shared_words(link.rules),
            }
            for link in picture.links
        ],
    }


def _depths(picture: flow_graph.Graph, columns: Sequence[str]) -> dict[str, int]:
    """Return the column of each node: a rest stands behind the last node it rests in, an excess before the first it goes to."""
    depths = {key: columns.index(node.stage) for key, node in picture.nodes.items() if node.stage in columns}
    for link in picture.links:
        if flow.stage_of(link.target) == flow.REST and link.source in depths:
            depths[link.target] = max(depths.get(link.target, 0), depths[link.source] + 1)
    for link in picture.links:
        if flow.stage_of(link.source) == flow.EXCESS:
            depths[link.source] = min(depths.get(link.source, len(columns)), depths[link.target] - 1)
    return depths


def _folded(key: str, hidden: Mapping[str, int]) -> str:
    stage, _colon, rest = key.partition(":")
    if rest != flow_graph.FOLDED:
        return ""
    count = hidden[stage]
    return ngettext("%(n)d more", "%(n)d more", count) % {"n": count}
