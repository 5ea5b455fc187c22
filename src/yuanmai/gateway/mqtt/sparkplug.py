"""The host of Sparkplug B: follows births and numbers, asks for rebirths, tells nodes that it is there, sends commands.

Readings are made of the journal by the ingest process; here only so much is understood as is needed to talk back.
"""

import asyncio
import json
import struct
import time
from dataclasses import dataclass, field

from yuanmai.devices.engine.registry import DeviceSpec
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.mqtt.link import Link
from yuanmai.gateway.mqtt.senders import point_of, raw_of, same, seconds
from yuanmai.gateway.orders import Order, Outcome, RefusedError
from yuanmai.protocols.faults import Fault
from yuanmai.protocols.mqtt.packets import Publish
from yuanmai.protocols.sparkplug import payload as payloads
from yuanmai.protocols.sparkplug import topic as topics
from yuanmai.protocols.sparkplug.payload import Metric, Payload
from yuanmai.protocols.sparkplug.session import Node
from yuanmai.protocols.sparkplug.values import SIGNED, UNSIGNED, DataType, type_name

PROTOCOL = "sparkplug"
REBIRTH = "Node Control/Rebirth"
HOST = "yuanmai"
ASK_AGAIN = 30.0  # seconds until a node that was asked for a rebirth and gave none is asked again
MOST_NODES = 20_000


@dataclass(slots=True)
class Known:
    """A node: its session, and types and last values of metrics by key (its own, and those of its devices)."""

    node: Node = field(default_factory=Node)
    types: dict[str, dict[str, int]] = field(default_factory=dict)
    asked: float = float("-inf")


class SparkplugHost:
    """One link's nodes."""

    def __init__(self, hub: Hub, link: Link, host: str = HOST) -> None:
        self.hub, self.link, self.host = hub, link, host
        self.nodes: dict[str, Known] = {}
        self._watching: set[Watch] = set()
        link.taps.append(self.take)

    # --- our own state ----------------------------------------------------------------------------------------------------

    def state(self, online: bool, stamp: int) -> Publish:
        """Return what tells nodes whether this host is there (Sparkplug 3.0); also as the will. `stamp` is in milliseconds."""
        body = json.dumps({"online": online, "timestamp": stamp}, separators=(",", ":"))
        return Publish(f"{topics.NAMESPACE}/STATE/{self.host}", body.encode(), 1, True)

    # --- what nodes say -----------------------------------------------------------------------------------------------------

    def take(self, kind: Kind, packet: Publish) -> None:
        """Follow a message of a node."""
        if kind != Kind.SPARKPLUG:
            return
        named = topics.parse(packet.topic)
        if isinstance(named, Fault):
            return
        name = f"{named.group}/{named.node}"
        key = name if named.device is None else f"{name}/{named.device}"
        found = payloads.decode(packet.payload)
        if isinstance(found, Fault):
            self.hub.count(PROTOCOL, key, "bad_payload", packet.payload[:100].hex())
            return
        known = self.nodes.get(name)
        if known is None:
            if len(self.nodes) >= MOST_NODES:
                self.hub.count(PROTOCOL, "", "too_many_nodes", name)
                return
            known = self.nodes[name] = Known()
        self._follow(known, name, key, named, found)
        for watch in list(self._watching):
            watch.look(named.type, key, known, found)

    def _follow(self, known: Known, name: str, key: str, named: topics.Topic, found: Payload) -> None:
        node = known.node
        born, before = node.online, set(node.devices)
        if node.take(named.type, found, named.device or ""):
            self.hub.count(PROTOCOL, key, "out_of_order" if born else "no_birth", f"seq={found.seq}")
            self._ask(known, name)
        elif node.waiting and time.monotonic() - known.asked > ASK_AGAIN:
            self._ask(known, name)
        if named.type in ("NBIRTH", "DBIRTH"):
            known.types[key] = {metric.name: metric.datatype for metric in found.metrics if metric.name}
            self.hub.commands.register(PROTOCOL, key, self.send)
        elif named.type == "NDEATH" and not node.online:
            for gone in (name, *(f"{name}/{device}" for device in before)):
                self.hub.commands.remove(PROTOCOL, gone, self.send)
        elif named.type == "DDEATH":
            self.hub.commands.remove(PROTOCOL, key, self.send)

    def _ask(self, known: Known, name: str) -> None:
        known.asked = time.monotonic()
        packet = command(name, [rebirth()])
        self.hub.tally("sparkplug.rebirths")
        self.link.publish(packet)

    # --- commands -----------------------------------------------------------------------------------------------------------

    async def send(self, order: Order) -> Outcome:
        """Send a command and return how it ended: a value is set when the node tells it as its own."""
        device = order.device
        key = device.key
        if order.verb == "rebirth":
            name = "/".join(key.split("/")[:2])
            packet, watch = command(name, [rebirth()]), Watch("NBIRTH", name)
        elif order.verb == "write":
            packet, watch = self._written(order, device)
        else:
            raise RefusedError("unknown_verb", order.verb)
        self._watching.add(watch)
        try:
            taken = self.link.publish(packet)
            order.sent(data=packet.payload, text=packet.topic)
            if not taken:
                return Outcome("failed", {"code": "nobody_listens"})
            await asyncio.wait_for(watch.event.wait(), seconds(device.profile))
        except TimeoutError:
            return Outcome("timed_out", {"code": "no_answer"})
        finally:
            self._watching.discard(watch)
        order.heard(text=watch.text)
        return Outcome("done", {"code": "ok", "values": watch.values})

    def _written(self, order: Order, device: DeviceSpec) -> tuple[Publish, "Watch"]:
        point = point_of(device, str(order.parameters.get("point", "")))
        wanted = raw_of(point, order.parameters.get("value"))
        name = "/".join(device.key.split("/")[:2])
        known = self.nodes.get(name)
        datatype = known.types.get(device.key, {}).get(point.address) if known is not None else None
        if datatype is None:
            raise RefusedError("unknown_metric", point.address)
        value: float | bool = wanted
        if datatype == DataType.Boolean:
            value = bool(wanted)
        elif datatype in SIGNED or datatype in UNSIGNED:
            value = int(wanted)
            low, high = (
                (-(1 << SIGNED[datatype] - 1), (1 << SIGNED[datatype] - 1) - 1)
                if datatype in SIGNED
                else (0, (1 << UNSIGNED[datatype]) - 1)
            )
            if value != wanted or not low <= value <= high:
                raise RefusedError("bad_parameters", f"{wanted} is no {type_name(datatype)}")
        metric = Metric(name=point.address, timestamp=_now(), datatype=datatype, value=value)
        try:
            return command(device.key, [metric]), Watch("DATA", device.key, point.address, wanted)
        except (ValueError, OverflowError, struct.error) as error:
            raise RefusedError("bad_parameters", str(error)) from None


class Watch:
    """Somebody who waits until a node is born again, or tells a metric as it was wanted."""

    def __init__(self, kind: str, key: str, metric: str = "", wanted: float = 0.0) -> None:
        self.kind, self.key, self.metric, self.wanted = kind, key, metric, wanted
        self.event = asyncio.Event()
        self.text = ""
        self.values: dict[str, object] = {}

    def look(self, kind: str, key: str, known: Known, found: Payload) -> None:
        """Look whether a message is what is waited for."""
        if key != self.key or not kind.endswith(self.kind):
            return
        if self.metric:
            table = known.node.aliases.get(key.split("/")[2] if key.count("/") == 2 else "", {})
            for metric in found.metrics:
                name = metric.name or table.get(metric.alias or 0, ("", 0))[0]
                if name == self.metric and same(metric.value, self.wanted):
                    self.values = {name: metric.value}
                    break
            else:
                return
        self.text = f"{kind} {key} seq={found.seq}"
        self.event.set()


def rebirth() -> Metric:
    """Return the metric that asks for a rebirth."""
    return Metric(name=REBIRTH, timestamp=_now(), datatype=DataType.Boolean, value=True)


def command(key: str, metrics: list[Metric]) -> Publish:
    """Return NCMD (to group/node) or DCMD (to group/node/device). Raises ValueError or struct.error for a value that its type does not hold."""
    parts = key.split("/")
    kind = "NCMD" if len(parts) == 2 else "DCMD"
    topic = topics.Topic(kind, parts[0], parts[1], "/".join(parts[2:]) or None)
    return Publish(str(topic), payloads.encode(Payload(timestamp=_now(), metrics=metrics)), 0)


def _now() -> int:
    return time.time_ns() // 1_000_000
