"""A client of a broker beside us (the city size): what it delivers is acknowledged to it when the journal has it.

The session persists: what comes while we are away waits in the broker. Nothing is told to the broker out of order; while the disk is
full nothing more is read and what came waits here, unacknowledged. It is written on our own codec: so the acknowledgement is
ours to give.
"""

import asyncio
import logging
import random
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from yuanmai.devices.engine.mapping import Mappings
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.engine.topics import ANSWERS, filter_of
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.mqtt.access import TOLD, covers, sparkplug_key
from yuanmai.gateway.mqtt.link import Acked, Heard, Tap
from yuanmai.gateway.mqtt.wire import KEEP_ALIVE, Wire
from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt.packets import (
    V5,
    V311,
    Connack,
    Connect,
    Publish,
    Subscribe,
    Subscription,
    Unsubscribe,
    Will,
)
from yuanmai.protocols.mqtt.topics import Tree, is_name
from yuanmai.protocols.sparkplug.topic import DEVICE_TYPES, NAMESPACE

logger = logging.getLogger(__name__)

WINDOW = 1_000  # messages of QoS 1 under way to us
SESSION = 7 * 86400
CONNECT_WITHIN = 10.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
MOST_SENDING = 1_000
FILTERS_AT_ONCE = 100
SPARKPLUG_FILTERS = tuple(
    f"{NAMESPACE}/+/{kind}/+" + ("/+" if kind in DEVICE_TYPES else "") for kind in sorted(TOLD)
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where the broker is: `mqtt://user:password@host:1883?version=5&share=yuanmai` (`mqtts` for TLS; `share` among gateways)."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: bytes | None = None
    version: int = V5
    share: str = ""


def address_of(url: str) -> Address:
    """Return where a broker is. Raises ValueError naming what is wrong."""
    parts = urlsplit(url)
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
        raise ValueError(f"{url}: mqtt://host or mqtts://host is wanted")
    asked = {name: found[-1] for name, found in parse_qs(parts.query).items()}
    versions = {"3": V311, "3.1.1": V311, "4": V311, "5": V5}
    if asked.get("version", "5") not in versions:
        raise ValueError(f"version={asked['version']}: 3.1.1 or 5 is wanted")
    share = asked.get("share", "")
    if any(sign in share for sign in "/+#"):
        raise ValueError(f"share={share}: a name without / + #")
    return Address(
        parts.hostname, parts.port or (8883 if parts.scheme == "mqtts" else 1883), parts.scheme == "mqtts",
        unquote(parts.username) if parts.username else None,
        unquote(parts.password).encode() if parts.password else None,
        versions[asked.get("version", "5")], share,
    )  # fmt: skip


class Upstream:
    """A listener of the gateway, and a link to the devices behind the broker."""

    def __init__(
        self,
        hub: Hub,
        address: Address,
        *,
        client_id: str = "",
        will: Callable[[bool], Publish] | None = None,
    ) -> None:
        self.hub, self.address = hub, address
        self.client_id = client_id or f"yuanmai-{hub.name}"
        self.will = will  # what tells others whether we are there: given False the will, given True what follows CONNECT
        self.on_connect: list[Callable[[], None]] = []
        self.direct = False
        self.taps: list[Tap] = []
        self.listeners: Tree[Heard] = Tree()
        self.mappings = Mappings(hub.registry)
        self.version = address.version
        self.connected = False
        self.wire: Wire | None = None
        self.filters: set[str] = set()  # what the broker knows that we want
        self.sending: dict[int, tuple[Publish, Acked | None]] = {}
        self._last = 0
        self._task: asyncio.Task[None] | None = None
        hub.on_registry(self._registry)
        hub.on_pressure(self._pause, self._resume)

    async def start(self) -> None:
        """Begin to connect; a broker that is not there yet is waited for."""
        self._task = asyncio.create_task(self._run(), name=f"mqtt {self.address.host}")

    async def stop(self) -> None:
        """Wait until what came is durable and acknowledged, then say goodbye; the session stays in the broker."""
        if self.wire is not None:
            await self.wire.finish(self.will(False) if self.will is not None else None)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                began = time.monotonic()
                await self._live()
            except (OSError, TimeoutError, ssl.SSLError) as error:
                self.hub.tally("upstream.disconnected")
                logger.warning(
                    "broker %s:%s: %s", self.address.host, self.address.port, error or type(error).__name__
                )
            if time.monotonic() - began > 60:
                wait = FIRST_WAIT
            await asyncio.sleep(wait * random.uniform(0.5, 1.5))  # noqa: S311  # no secret
            wait = min(wait * 2, LONGEST_WAIT)

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        made = loop.create_connection(
            lambda: Wire(self), self.address.host, self.address.port,
            ssl=ssl.create_default_context() if self.address.tls else None,
        )  # fmt: skip
        _transport, wire = await asyncio.wait_for(made, CONNECT_WITHIN)
        self.wire = wire
        try:
            wire.send(self._connect())
            await asyncio.wait_for(wire.welcome, CONNECT_WITHIN)
            while not wire.lost.done():
                await asyncio.wait({wire.lost}, timeout=KEEP_ALIVE / 2)
                wire.pulse()
            raise ConnectionResetError(wire.why or "the broker has closed the connection")
        finally:
            self.connected, self.wire = False, None
            wire.transport.abort()

    def _connect(self) -> Connect:
        five = self.version == V5
        farewell = self.will(False) if self.will is not None else None
        return Connect(
            client_id=self.client_id, version=self.version, clean=False, keep_alive=KEEP_ALIVE,
            username=self.address.username, password=self.address.password,
            will=Will(farewell.topic, farewell.payload, farewell.qos, farewell.retain) if farewell is not None else None,
            properties={"session_expiry_interval": SESSION, "receive_maximum": WINDOW} if five else {},
        )  # fmt: skip

    def welcomed(self, wire: Wire, packet: Connack) -> str:
        """The broker has let us in, or not: return why not."""
        if packet.code:
            if self.version == V5 and packet.code in (1, kinds.UNSUPPORTED_VERSION):
                self.version = V311
                return "the broker does not speak 5.0: next with 3.1.1"
            return f"the broker refuses us: {packet.code:#04x}"
        self.connected = True
        if not packet.session_present:
            self.filters.clear()
        self._subscribe(wire)
        for number, (message, _acked) in list(self.sending.items()):
            message.dup, message.packet_id = True, number
            wire.send(message)
        if self.will is not None:
            self.publish(self.will(True))
        self.hub.commands.version += 1
        for told in self.on_connect:
            told()
        return ""

    # --- what we want to hear -------------------------------------------------------------------------------------------------

    def wanted(self) -> set[str]:
        """Return the filters that hear all devices of the register."""
        plain = {*self.mappings.filters(), *map(filter_of, ANSWERS), *SPARKPLUG_FILTERS}
        for device in self.hub.registry.devices.values():
            told = device.profile.get("answers") if device.protocol == "mqtt" else None
            if isinstance(told, str) and told:
                plain.add(filter_of(told))
        # What another filter hears as well would come twice.
        few = {one for one in plain if not any(other != one and covers(other, one) for other in plain)}
        return {f"$share/{self.address.share}/{one}" for one in few} if self.address.share else few

    def _subscribe(self, wire: Wire) -> None:
        wanted = self.wanted()
        new, old = sorted(wanted - self.filters), sorted(self.filters - wanted)
        for place in range(0, len(new), FILTERS_AT_ONCE):
            some = new[place : place + FILTERS_AT_ONCE]
            asked = [
                Subscription(
                    one, 1, retain_handling=1 if self.version == V5 and not one.startswith("$share/") else 0
                )
                for one in some
            ]
            wire.asked[self._identifier()] = some
            wire.send(Subscribe(self._last, asked))
        for place in range(0, len(old), FILTERS_AT_ONCE):
            wire.send(Unsubscribe(self._identifier(), old[place : place + FILTERS_AT_ONCE]))
        self.filters = wanted

    def _registry(self, registry: Registry) -> None:
        self.mappings = Mappings(registry)
        if self.connected and self.wire is not None:
            self._subscribe(self.wire)

    # --- messages -------------------------------------------------------------------------------------------------------------

    def place_of(self, packet: Publish) -> tuple[Kind, str] | None:
        """Return kind and key of the record that a message becomes; nothing for what is none of ours."""
        named = sparkplug_key(packet.topic)
        if named is not None:
            return (Kind.SPARKPLUG, named[1]) if named[0] in TOLD else None
        return None if packet.topic.startswith(("STATE/", f"{NAMESPACE}/")) else (Kind.MQTT, "")

    def durable(self, kind: Kind, packet: Publish) -> None:
        """A message is in the journal: tell whoever wants to know."""
        for _owner, heard in list(self.listeners.find(packet.topic)):
            heard(packet)
        for tap in self.taps:
            tap(kind, packet)

    def publish(self, packet: Publish, acked: Acked | None = None) -> int:
        """Send a message; return 0 where the broker cannot be reached or takes no more. Raises ValueError for a wrong topic."""
        if not is_name(packet.topic):
            raise ValueError(f"no name of a topic: {packet.topic!r}")
        if not self.connected or self.wire is None or (packet.qos and len(self.sending) >= MOST_SENDING):
            return 0
        sent = Publish(packet.topic, packet.payload, min(packet.qos, 1), packet.retain)
        if sent.qos:
            sent.packet_id = self._identifier()
            self.sending[sent.packet_id] = sent, acked
        self.wire.send(sent)
        if not sent.qos and acked is not None:
            acked()
        return 1

    def acknowledged(self, number: int) -> None:
        """The broker has one of our messages."""
        _packet, acked = self.sending.pop(number, (None, None))
        if acked is not None:
            acked()

    def listen(self, pattern: str, heard: Heard) -> Callable[[], None]:
        """Have `heard` called in the loop with every durable message of a filter; return what ends that."""
        owner = object()
        self.listeners.add(pattern, owner, heard)

        def end() -> None:
            self.listeners.remove(pattern, owner)

        return end

    def hears(self, topic: str) -> bool:
        """Return whether the broker can be reached: who listens behind it, it does not say."""
        return self.connected

    def _identifier(self) -> int:
        while True:
            self._last = self._last % 0xFFFF + 1
            if self._last not in self.sending:
                return self._last

    def _pause(self) -> None:
        if self.wire is not None:
            self.wire.hold()

    def _resume(self) -> None:
        if self.wire is not None:
            self.wire.free()
