"""What a host makes of the messages of Sparkplug B: readings with names, who is there, and whom to ask for a rebirth.

Messages go in in the order of the journal, so the same journal gives the same readings again. Births define the aliases that
data uses afterwards; who begins in the middle of a journal restores what was known there with `load(dump())` of an earlier run
(a birth taken in twice changes nothing). Without it data with unknown aliases is counted and a rebirth is due.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from yuanmai.devices.engine.quality import FLAGGED, GOOD, NOT_A_NUMBER
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.sparkplug import payload as payloads
from yuanmai.protocols.sparkplug import topic as topics
from yuanmai.protocols.sparkplug.payload import DataSet, Metric, Payload, Template
from yuanmai.protocols.sparkplug.session import BDSEQ, Node
from yuanmai.protocols.sparkplug.values import DataType

GOOD_QUALITY = 192  # of the property `Quality`: 0 bad, 192 good, 500 stale
REBIRTH = "Node Control/Rebirth"
MOST_NODES = 20_000
Raw = int | float | str | bool | None


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a metric. `key` is group/node or group/node/device, `time` microseconds since 1970 or nothing."""

    key: str
    time: int | None
    address: str
    raw: Raw
    quality: int = GOOD
    historical: bool = False


@dataclass(slots=True)
class Told:
    """What one message says. `online` and `offline` are keys; `rebirth` is the group/node to ask; `odd` are key and kind."""

    key: str = ""
    samples: list[Sample] = field(default_factory=list)
    online: list[str] = field(default_factory=list)
    offline: list[str] = field(default_factory=list)
    rebirth: str = ""
    odd: list[tuple[str, str]] = field(default_factory=list)


class SparkplugHost:
    """All nodes that a host has heard of."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}

    def take(self, topic: str, body: bytes) -> Told | Fault:
        """Take in a message. Reasons of faults: syntax (no topic of Sparkplug), protobuf (no payload)."""
        named = topics.parse(topic)
        if isinstance(named, Fault):
            return named
        told = Told()
        if named.type == "STATE" or named.type.endswith("CMD"):
            return told
        found = payloads.decode(body)
        if isinstance(found, Fault):
            return found
        name = f"{named.group}/{named.node}"
        told.key = name if named.device is None else f"{name}/{named.device}"
        node = self.nodes.get(name)
        if node is None:
            if len(self.nodes) >= MOST_NODES:
                told.odd.append((told.key, "too_many_nodes"))
                return told
            node = self.nodes[name] = Node()
        self._session(node, name, named, found, told)
        if named.type in ("NDEATH", "DDEATH"):
            return told
        metrics = node.resolve(found, named.device or "") if named.type.endswith("DATA") else found.metrics
        if len(metrics) < len(found.metrics):
            told.odd.append((told.key, "unknown_alias"))
        for metric in metrics:
            self._sample(metric, found.timestamp, told)
        return told

    @staticmethod
    def _session(node: Node, name: str, named: topics.Topic, found: Payload, told: Told) -> None:
        """Move the state of the node, and say who has come, gone, or must be asked."""
        before, was = node.online, set(node.devices)
        if node.take(named.type, found, named.device or ""):
            told.rebirth = name
            told.odd.append((told.key, "out_of_order" if before else "no_birth"))
        if named.type == "NBIRTH":
            told.online.append(name)
        elif named.type == "DBIRTH" and told.key not in told.online:
            told.online.append(told.key)
        elif named.type == "NDEATH":
            if node.online:
                told.odd.append((name, "old_death"))
            else:
                told.offline += [name, *(f"{name}/{device}" for device in sorted(was))]
        elif named.type == "DDEATH":
            told.offline.append(told.key)

    @staticmethod
    def _sample(metric: Metric, sent: int | None, told: Told) -> None:
        if not metric.name or metric.name == BDSEQ or metric.name.startswith("Node Control/"):
            return
        raw = metric.value
        stamp = metric.timestamp if metric.timestamp is not None else sent
        quality = quality_of(metric)
        if isinstance(raw, DataSet | Template | bytes | list | dict):
            return  # tables and files are no readings
        if metric.datatype == DataType.DateTime and isinstance(raw, int):
            raw = raw / 1000  # seconds, as a number
        if raw is None:
            quality |= NOT_A_NUMBER
        time = stamp * 1000 if stamp is not None and stamp < 1 << 52 else None
        told.samples.append(Sample(told.key, time, metric.name, raw, quality, bool(metric.historical)))

    def dump(self) -> bytes:
        """Return all that is known, for `load`."""
        return json.dumps(
            {name: {**asdict(node), "devices": sorted(node.devices)} for name, node in self.nodes.items()}
        ).encode()

    def load(self, dumped: bytes) -> None:
        """Take back what `dump` has returned. Raises ValueError for anything else."""
        try:
            for name, given in json.loads(dumped).items():
                aliases = {
                    device: {int(alias): (str(known[0]), int(known[1])) for alias, known in table.items()}
                    for device, table in given["aliases"].items()
                }
                self.nodes[name] = Node(
                    online=bool(given["online"]),
                    bdseq=given["bdseq"],
                    seq=given["seq"],
                    aliases=aliases,
                    devices=set(given["devices"]),
                    waiting=False,  # who was asked before is asked again: the question may be lost
                )
        except (AttributeError, KeyError, TypeError, IndexError) as error:
            raise ValueError(f"no state of Sparkplug nodes: {error}") from None


def quality_of(metric: Metric) -> int:
    """Return the bits of quality that the property `Quality` of a metric says; a metric without it is good."""
    told = metric.properties.get("Quality")
    return GOOD if told is None or told[1] == GOOD_QUALITY else FLAGGED


def command(key: str, metrics: list[Metric], now_ms: int) -> tuple[str, bytes]:
    """Return topic and payload of NCMD or DCMD to group/node or group/node/device. Raises ValueError for another key or a value
    that its type does not hold."""
    parts = key.split("/")
    if len(parts) not in (2, 3) or not all(parts):
        raise ValueError(f"no node or device of Sparkplug: {key}")
    kind = "NCMD" if len(parts) == 2 else "DCMD"
    topic = f"{topics.NAMESPACE}/{parts[0]}/{kind}/{'/'.join(parts[1:])}"
    return topic, payloads.encode(Payload(timestamp=now_ms, metrics=metrics))


def rebirth(node: str, now_ms: int) -> tuple[str, bytes]:
    """Return topic and payload that ask a node (group/node) for a rebirth."""
    wanted = Metric(name=REBIRTH, timestamp=now_ms, datatype=DataType.Boolean, value=True)
    return command(node, [wanted], now_ms)


def host_state(host: str, online: bool, now_ms: int) -> tuple[str, bytes]:
    """Return topic and body that say whether this host is there (Sparkplug 3.0: JSON, retained, QoS 1; also as the will)."""
    body: dict[str, Any] = {"online": online, "timestamp": now_ms}
    return f"{topics.NAMESPACE}/STATE/{host}", json.dumps(body, separators=(",", ":")).encode()
