"""The picture of the strands of `flow`: nodes, links, and what lies before and behind a node (pure)."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from yuanmai.funds.engine.flow import EXCESS, REST, STAGES, ZERO, Step, Strand, stage_of

FOLDED = "folded"  # "stage:folded" stands for all nodes of a stage that are drawn as one
ORDER = {stage: index for index, stage in enumerate(STAGES)}


@dataclass(frozen=True, slots=True)
class Node:
    """What a node took in, gave on to other nodes, and keeps.

    A node without anything before it took in what it gave; where a strand ends, it rests. `inflow == outflow + rests` always.
    """

    key: str
    inflow: Decimal
    outflow: Decimal
    rests: Decimal  # in this node itself, and in the rest nodes behind it

    @property
    def stage(self) -> str:
        """Its stage."""
        return stage_of(self.key)


@dataclass(frozen=True, slots=True)
class Link:
    """What went from one node to the next; `rules` are the rules by which parts of it were shared out."""

    source: str
    target: str
    amount: Decimal
    rules: frozenset[str]


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes in the order of the stages, the largest first; links in the order of their nodes."""

    nodes: Mapping[str, Node]
    links: tuple[Link, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """How much of the money of a chosen node passes through another one; `rules` by which it was shared out, if it was."""

    key: str
    amount: Decimal
    rules: frozenset[str]

    @property
    def shared(self) -> bool:
        """Is the amount computed, not recorded?"""
        return bool(self.rules)


def through(strands: Iterable[Strand], node: str) -> list[Strand]:
    """Return the strands that pass through a node: all that it came from and all that became of it."""
    return [strand for strand in strands if any(step.node == node for step in strand.path)]


def only(strands: Iterable[Strand], stages: Collection[str]) -> list[Strand]:
    """Return the strands without the nodes of other stages. Rests and excesses stay; a rule goes on to the next node."""
    kept = {*stages, REST, EXCESS}
    merged: dict[tuple[Step, ...], Decimal] = {}
    for strand in strands:
        path: list[Step] = []
        rule = ""
        for step in strand.path:
            if stage_of(step.node) in kept:
                path.append(Step(step.node, step.rule or rule))
                rule = ""
            else:
                rule = step.rule or rule
        if path:
            way = tuple(path)
            merged[way] = merged.get(way, ZERO) + strand.amount
    return [Strand(path, amount) for path, amount in merged.items()]


def fold(strands: Sequence[Strand], most: int, keep: str = "") -> tuple[list[Strand], dict[str, int]]:
    """Draw the smaller nodes of a stage with more than `most` as one (``stage:folded``), never the node `keep`.

    Returns the strands and how many nodes each folded stage hides.
    """
    amounts: dict[str, dict[str, Decimal]] = {}
    for strand in strands:
        for step in strand.path:
            stage = stage_of(step.node)
            if stage in ORDER:
                nodes = amounts.setdefault(stage, {})
                nodes[step.node] = nodes.get(step.node, ZERO) + strand.amount
    names: dict[str, str] = {}
    hidden: dict[str, int] = {}
    for stage, nodes in amounts.items():
        if len(nodes) <= most:
            continue
        largest = sorted(nodes, key=lambda node: (node != keep, -nodes[node], node))
        for node in largest[most - 1 :]:
            names[node] = f"{stage}:{FOLDED}"
        hidden[stage] = len(largest) - most + 1
    if not names:
        return list(strands), {}
    merged: dict[tuple[Step, ...], Decimal] = {}
    for strand in strands:
        path = tuple(Step(names.get(step.node, step.node), step.rule) for step in strand.path)
        merged[path] = merged.get(path, ZERO) + strand.amount
    return [Strand(path, amount) for path, amount in merged.items()], hidden


def graph(strands: Iterable[Strand]) -> Graph:
    """Add strands up to nodes and links."""
    inflow: dict[str, Decimal] = {}
    onward: dict[str, Decimal] = {}
    resting: dict[str, Decimal] = {}
    amounts: dict[tuple[str, str], Decimal] = {}
    rules: dict[tuple[str, str], set[str]] = {}
    total = ZERO
    for path, amount in strands:
        total += amount
        for index, step in enumerate(path):
            inflow[step.node] = inflow.get(step.node, ZERO) + amount
            following = path[index + 1] if index + 1 < len(path) else None
            side = resting if following is None or stage_of(following.node) == REST else onward
            side[step.node] = side.get(step.node, ZERO) + amount
            if following is not None:
                pair = (step.node, following.node)
                amounts[pair] = amounts.get(pair, ZERO) + amount
                rules.setdefault(pair, set()).update({following.rule} - {""})
    order = sorted(inflow, key=lambda node: (_position(node), -inflow[node], node))
    rank = {node: index for index, node in enumerate(order)}
    nodes = {
        node: Node(node, inflow[node], onward.get(node, ZERO), resting.get(node, ZERO)) for node in order
    }
    links = tuple(
        Link(source, target, amounts[source, target], frozenset(rules[source, target]))
        for source, target in sorted(amounts, key=lambda pair: (rank[pair[0]], rank[pair[1]]))
    )
    return Graph(nodes, links, total)


def _position(node: str) -> int:
    stage = stage_of(node)
    return ORDER.get(stage, -1 if stage == EXCESS else len(ORDER))


def around(strands: Iterable[Strand], node: str) -> tuple[list[Part], list[Part]]:
    """Return what lies before a node and what lies behind it, each in the order of the stages, the largest first.

    The amounts of the parts of one stage never add up to more than the node's own.
    """
    sides: tuple[dict[str, Decimal], dict[str, Decimal]] = ({}, {})
    rules: dict[str, set[str]] = {}
    for path, amount in strands:
        at = next((index for index, step in enumerate(path) if step.node == node), None)
        if at is None:
            continue
        for index, step in enumerate(path):
            if index == at:
                continue
            side = sides[index > at]
            side[step.node] = side.get(step.node, ZERO) + amount
            used = {passed.rule for passed in path[: max(index, at) + 1]} - {""}
            rules.setdefault(step.node, set()).update(used)

    def parts(side: Mapping[str, Decimal]) -> list[Part]:
        order = sorted(side, key=lambda key: (_position(key), -side[key], key))
        return [Part(key, side[key], frozenset(rules[key])) for key in order]

    return parts(sides[0]), parts(sides[1])
