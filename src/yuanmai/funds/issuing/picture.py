"""The on-lending chain as a picture: boxes as high as their money, bands between lender and borrower (pure geometry)."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

WIDTH, BOX, GAP, LINE = 900, 168, 14, 46
TALL = 260  # the height of the keeper's box


@dataclass(frozen=True)
class Node:
    """One organisation to draw: `key`, key of its lender (None for the keeper), label, money received."""

    key: int
    lender: int | None
    label: str
    amount: Decimal
    text: str


@dataclass
class Box:
    """A box of the picture; `base` is where its text begins, `share` 0 … 1 how much of the whole it has."""

    node: Node
    x: int
    y: int
    height: int

    @property
    def middle(self) -> int:
        """Where its text stands."""
        return self.y + self.height // 2


@dataclass(frozen=True)
class Band:
    """The money from one box to the next, as a path of SVG."""

    path: str
    title: str


@dataclass(frozen=True)
class Picture:
    """Boxes and bands, with the size of the whole."""

    width: int
    height: int
    box: int
    boxes: list[Box]
    bands: list[Band]


def picture(nodes: list[Node]) -> Picture:
    """Lay out a chain in columns by depth; the nodes come in the order of the tree, the keeper first."""
    depth: dict[int, int] = {}
    for node in nodes:
        depth[node.key] = depth.get(node.lender, -1) + 1 if node.lender is not None else 0
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        columns[depth[node.key]].append(node)
    whole = max((node.amount for node in nodes), default=Decimal(0)) or Decimal(1)
    step = (WIDTH - BOX) // max(len(columns) - 1, 1)
    boxes: dict[int, Box] = {}
    for column, members in sorted(columns.items()):
        y = 0
        for node in members:
            height = max(LINE, int(TALL * node.amount / whole))
            boxes[node.key] = Box(node, column * step, y, height)
            y += height + GAP
    tall = max((box.y + box.height for box in boxes.values()), default=LINE)
    return Picture(WIDTH, tall, BOX, list(boxes.values()), _bands(nodes, boxes, whole))


def _bands(nodes: list[Node], boxes: dict[int, Box], whole: Decimal) -> list[Band]:
    used: dict[int, int] = defaultdict(int)
    bands = []
    for node in nodes:
        if node.lender is None or node.lender not in boxes:
            continue
        source, target = boxes[node.lender], boxes[node.key]
        thick = max(2, int(TALL * node.amount / whole))
        top = min(source.y + used[node.lender], source.y + max(source.height - thick, 0))
        used[node.lender] += thick
        left, right = source.x + BOX, target.x
        bend = (left + right) // 2
        low, end = top + thick, target.y + min(thick, target.height)
        path = (
            f"M{left},{top} C{bend},{top} {bend},{target.y} {right},{target.y} "
            f"L{right},{end} C{bend},{end} {bend},{low} {left},{low} Z"
        )
        bands.append(Band(path, f"{source.node.label} → {node.label}: {node.text}"))
    return bands
