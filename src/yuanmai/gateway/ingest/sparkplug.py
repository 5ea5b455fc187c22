"""Sparkplug B: births give names to numbers, data carries the numbers; deaths end what was known."""

from typing import Any

from yuanmai.gateway.ingest.told import Odd, Told
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.sparkplug import topic as topics
from yuanmai.protocols.sparkplug.payload import DataSet, Metric, Template, decode
from yuanmai.protocols.sparkplug.session import BDSEQ, Node

GOOD = 192
OWN = (
    "Node Control/",
    "Device Control/",
    "Properties/",
    "Node Info/",
)  # about the node itself, no measurement
MOST_NODES = 20_000


class Nodes:
    """All nodes as their messages left them. Kept with the positions in the journals, for births are rare."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}

    def node(self, group: str, name: str) -> Node:
        """Return what is known of a node."""
        key = f"{group}/{name}"
        node = self._nodes.get(key)
        if node is None:
            while len(self._nodes) >= MOST_NODES:
                del self._nodes[next(iter(self._nodes))]
            node = self._nodes[key] = Node()
        return node

    def plain(self) -> dict[str, Any]:
        """Return everything as JSON."""
        return {
            key: {
                "online": node.online, "bdseq": node.bdseq, "seq": node.seq, "devices": sorted(node.devices),
                "aliases": {
                    device: [[alias, name, kind] for alias, (name, kind) in known.items()]
                    for device, known in node.aliases.items()
                },
            }
            for key, node in self._nodes.items()
        }  # fmt: skip

    def restore(self, plain: dict[str, Any]) -> None:
        """Take what `plain` returned."""
        for key, told in plain.items():
            aliases = {
                device: {alias: (name, kind) for alias, name, kind in known}
                for device, known in told["aliases"].items()
            }
            self._nodes[key] = Node(told["online"], told["bdseq"], told["seq"], aliases, set(told["devices"]))


class Heard:
    """What a message says. `device`: key of who says it; `alive`: whether it is there (nothing: as before); `gone`: who is not."""

    __slots__ = ("alive", "device", "gone", "odd", "told")

    def __init__(self, device: str = "") -> None:
        self.device = device
        self.told: list[Told] = []
        self.odd: list[Odd] = []
        self.alive: bool | None = None
        self.gone: list[str] = []


def tell(text: str, body: bytes, nodes: Nodes) -> Heard:
    """Return what a message says, with names and types as the births gave them."""
    topic = topics.parse(text)
    if isinstance(topic, Fault):
        heard = Heard()
        heard.odd.append(Odd("topic", text[:200]))
        return heard
    key = f"{topic.group}/{topic.node}" + (f"/{topic.device}" if topic.device else "")
    heard = Heard(key)
    if topic.type in ("STATE", "NCMD", "DCMD"):
        heard.device = ""
        return heard
    payload = decode(body)
    if isinstance(payload, Fault):
        heard.odd.append(Odd("protobuf", body[:120].hex()))
        return heard
    node = nodes.node(topic.group, topic.node)
    before = sorted(node.devices)
    asked = node.take(topic.type, payload, topic.device or "")
    if asked:
        heard.odd.append(Odd("rebirth", f"{topic.type} seq {payload.seq}"))
    if topic.type in ("NDEATH", "DDEATH"):
        if topic.type == "DDEATH" or not node.online:
            heard.alive = False
            heard.gone = [f"{key}/{name}" for name in before] if topic.type == "NDEATH" else []
        return heard
    heard.alive = True
    known = {metric.alias for metric in payload.metrics if metric.name is None}
    metrics = node.resolve(payload, topic.device or "")
    missing = len(payload.metrics) - len(metrics)
    if missing:
        heard.odd.append(Odd("unknown_alias", f"{missing}: {sorted(str(alias) for alias in known)[:8]}"))
    _tell(heard, metrics, payload.timestamp)
    return heard


def _tell(heard: Heard, metrics: list[Metric], stamp: int | None) -> None:
    groups: dict[int | None, tuple[dict[str, Any], list[str]]] = {}
    for metric in metrics:
        name = metric.name or ""
        if not name or name == BDSEQ or name.startswith(OWN):
            continue
        moment = metric.timestamp if metric.timestamp is not None else stamp
        time = moment * 1000 if moment is not None and moment < 1 << 52 else None
        values, flagged = groups.setdefault(time, ({}, []))
        quality = metric.properties.get("Quality") or metric.properties.get("quality")
        doubtful = quality is not None and quality[1] != GOOD
        for address, value in _single(name, metric.value, 0):
            values[address] = value
            if doubtful:
                flagged.append(address)
    heard.told += [Told(time, values, frozenset(flagged)) for time, (values, flagged) in groups.items()]


def _single(name: str, value: Any, depth: int) -> list[tuple[str, Any]]:
    """Return single values by address: members of a template as `name/member`, elements as `name[0]`."""
    if isinstance(value, Template) and depth < 8:
        return [
            pair
            for metric in value.metrics
            for pair in _single(f"{name}/{metric.name or metric.alias}", metric.value, depth + 1)
        ]
    if isinstance(value, list):
        return [(f"{name}[{place}]", one) for place, one in enumerate(value[:256])]
    if isinstance(value, DataSet):
        return [(f"{name}[{row}].{column}", cell)
                for row, cells in enumerate(value.rows[:64])
                for column, cell in zip(value.columns, cells, strict=False)]  # fmt: skip
    if isinstance(value, bytes):
        return [(name, value[:40].hex())]
    return [(name, value)]
