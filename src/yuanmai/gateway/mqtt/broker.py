"""The embedded broker: MQTT 3.1.1 and 5.0 for devices, QoS 0 to 2 in, 0 and 1 out. It answers when the journal has the message.

It is no exchange between devices: a device speaks to the platform and hears its own commands. Inside the process any topic can be
heard (`listen`) and spoken on (`publish`).
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from yuanmai.devices.engine.mapping import Mappings
from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.mqtt.access import SPEAKERS, Guard, Identity, identify, may_publish
from yuanmai.gateway.mqtt.connection import Client
from yuanmai.gateway.mqtt.link import Acked, Heard, Tap
from yuanmai.gateway.mqtt.retained import Retained
from yuanmai.gateway.mqtt.session import LONGEST_SESSION, Session, expiry_of, restored
from yuanmai.gateway.mqtt.store import Store
from yuanmai.gateway.server import Connection, Server
from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt.packets import V5, Connect, Properties, Publish, Subscription, Will
from yuanmai.protocols.mqtt.stream import message_of
from yuanmai.protocols.mqtt.topics import Tree, is_name

logger = logging.getLogger(__name__)

PROTOCOL = "mqtt"
MOST_SESSIONS = 20_000
LONGEST_CLIENT_ID = 200
MOST_WILL_DELAY = 3600
RETRY = 1.0  # seconds until the journal is asked again for room
FORWARDED = (
    "payload_format_indicator",
    "content_type",
    "response_topic",
    "correlation_data",
    "user_property",
)


class Broker(Server):
    """A listener of the gateway."""

    def __init__(
        self, hub: Hub, host: str, port: int, *, folder: Path | None = None, open_door: bool = True
    ) -> None:
        super().__init__(hub, PROTOCOL, host, port, _client, idle=86400.0)
        self.open_door = open_door
        self.guard = Guard(self.clock)
        self.mappings = Mappings(hub.registry)
        self.sessions: dict[str, Session] = {}
        self.tree: Tree[tuple[Subscription, int]] = Tree()
        self.listeners: Tree[Heard] = Tree()
        self.store = Store(folder / f"mqtt-{hub.name}.sqlite3") if folder is not None else None
        self.retained = Retained(self.store)
        self.direct = True
        self.taps: list[Tap] = []
        self.on_arrival: Callable[[Identity], None] | None = None
        self.on_departure: Callable[[Identity], None] | None = None
        self._waiting: set[Client] = set()
        self._wills: dict[str, Callable[[], None]] = {}  # delayed ones: how to call them off
        self._swept = 0.0
        self._housekeeper: asyncio.TimerHandle | None = None
        hub.on_registry(self._registry)

    async def start(self) -> None:
        """Take back what the file holds, then listen."""
        await super().start()
        self._housekeeping()
        if self.store is not None:
            self._restore(self.store)
            self.store.start(self.loop.call_soon_threadsafe)

    async def stop(self) -> None:
        """Stop as every server does, then close the file."""
        if self._housekeeper is not None:
            self._housekeeper.cancel()
        await super().stop()
        for off in self._wills.values():
            off()
        if self.store is not None:
            await self.loop.run_in_executor(None, self.store.close)

    def _registry(self, registry: Registry) -> None:
        self.mappings = Mappings(registry)
        for number, wrong in self.mappings.wrong.items():
            self.hub.count(PROTOCOL, registry.devices[number].key, "bad_mapping", wrong)
        for session in list(self.sessions.values()):
            if session.client is not None:
                self.learn(session.client)

    # --- clients come and go ----------------------------------------------------------------------------------------------

    def connect(self, client: Client, packet: Connect) -> None:
        """Let a client in, or not."""
        given: Properties = {}
        if "authentication_method" in packet.properties:
            client.refuse(packet, kinds.BAD_METHOD)
            return
        name = packet.username or packet.client_id
        if self.guard.closed(client.host, name):
            client.refuse(packet, kinds.BUSY)
            return
        found = identify(packet, client.host, self.hub.registry, open_door=self.open_door)
        too_long = len(packet.client_id) > LONGEST_CLIENT_ID
        if not packet.client_id and not packet.clean and packet.version != V5:
            too_long = True
        if too_long or isinstance(found, int):
            code = kinds.BAD_CLIENT_ID if too_long else found if isinstance(found, int) else 0
            if code == kinds.BAD_CREDENTIALS:
                self.guard.failed(client.host, name)
            known = any(self.hub.find(protocol, name) for protocol in SPEAKERS)
            self.hub.count(PROTOCOL, name if known else "", "refused", f"{client.host} {name} {code:#04x}")
            client.refuse(packet, code)
            return
        client_id = packet.client_id
        if not client_id:
            client_id = given["assigned_client_identifier"] = f"auto-{secrets.token_hex(8)}"
        expiry = expiry_of(packet, found.device is not None)
        if packet.version == V5 and expiry != packet.properties.get("session_expiry_interval", 0):
            given["session_expiry_interval"] = expiry
        session, present = self._session(client_id, found, packet.clean, expiry)
        if session is None:
            client.refuse(packet, kinds.BUSY)
            return
        off = self._wills.pop(client_id, None)
        if off is not None:
            off()
        session.client = client
        client.accept(packet, session, present, found, given)
        session.save()
        if found.device is not None:
            self.announce(client, Kind.MQTT)
        session.resend()

    def _session(
        self, client_id: str, who: Identity, clean: bool, expiry: int
    ) -> tuple[Session | None, bool]:
        """Return the session of a client, and whether it was there before. The one who had it is sent away."""
        session = self.sessions.get(client_id)
        if session is not None and session.client is not None:
            old = session.client
            session.client = None
            old.session = None
            if old.identity.key != who.key or self.clock() - old.connected < 5:
                self.hub.count(who.protocol, who.key, "taken_over", f"{old.address}")
            self.loop.call_soon(self._depart, old, "replaced", session)
            old.end("replaced", kinds.TAKEN_OVER)
        # Somebody else's session is not handed over, whatever the client calls itself.
        if session is not None and (clean or session.owner != who.key or session.over(time.time())):
            self._drop(session)
            session = None
        if session is not None:
            if session.store is None and expiry:
                session.store = self.store
            session.expiry = expiry
            return session, True
        if len(self.sessions) >= MOST_SESSIONS:
            self._sweep_sessions(force=True)
            if len(self.sessions) >= MOST_SESSIONS:
                self.hub.count(PROTOCOL, "", "too_many_sessions", client_id)
                return None, False
        session = self.sessions[client_id] = Session(client_id, who.key, expiry, self.store)
        return session, False

    def announce(self, client: Client, kind: Kind) -> None:
        """Write down that a client is there: a device at once, a stranger when it says something (a Sparkplug node by its birth)."""
        who = client.identity
        if client.speaking or (who.device is None and kind == Kind.SPARKPLUG):
            return
        client.speaking = True
        self.hub.connected(who.protocol, who.key, client.address)
        if self.on_arrival is not None:
            self.on_arrival(who)

    def learn(self, client: Client) -> None:
        """Look again who a client is: it may have been adopted, or its device taken out of use."""
        who = client.identity
        device: DeviceSpec | None = None
        for protocol in SPEAKERS:
            device = device or self.hub.find(protocol, who.key)
        if who.device is not None and device is None:
            client.end("retired", kinds.ADMINISTRATIVE)
        elif device is not None:
            if device.secret_hash and (who.device is None or who.device.secret_hash != device.secret_hash):
                client.end("secret", kinds.NOT_AUTHORIZED)  # it comes again and shows the new one
                return
            client.identity = Identity(who.client_id, device.key, device)
            client.topics.clear()
            if client.session is not None:
                client.session.owner = device.key
            if who.device is None:  # adopted
                self.announce(client, Kind.MQTT)
                if client.speaking and self.on_arrival is not None:
                    self.on_arrival(client.identity)

    def left(self, client: Client, reason: str) -> None:
        """A connection has ended."""
        self._waiting.discard(client)
        session = client.session
        if session is None:
            return
        client.session = None
        session.client = None
        session.left = time.time()
        self._depart(client, reason, session)
        if session.expiry:
            session.save()
        else:
            self._drop(session)

    def _depart(self, client: Client, reason: str, session: Session) -> None:
        """What follows when a client has gone: its will, and the note that it is gone."""
        will, client.will = client.will, None
        if will is not None and reason != "stopping":  # we go, not the client
            delay = min(will.properties.get("will_delay_interval", 0), session.expiry, MOST_WILL_DELAY)
            if not delay or reason == "replaced":
                self._testament(client, will)
            else:
                timer = self.loop.call_later(delay, self._testament, client, will)
                self._wills[session.client_id] = timer.cancel
        who = client.identity
        if client.speaking:
            client.speaking = False
            self.hub.disconnected(who.protocol, who.key, client.address, reason)
        if self.on_departure is not None and session.client is None:
            self.on_departure(who)

    def _testament(self, client: Client, will: Will) -> None:
        who = client.identity
        self._wills.pop(who.client_id, None)
        allowed = may_publish(who, will.topic, self.hub.registry, self.mappings)
        if allowed is None:
            self.hub.count(who.protocol, who.key, "topic_not_allowed", will.topic)
            return
        properties = {name: value for name, value in will.properties.items() if name != "will_delay_interval"}
        packet = Publish(will.topic, will.payload, will.qos, will.retain, properties=properties or None)
        kind, key = allowed

        def kept(error: Exception | None) -> None:
            self.hub.note(error)
            if error is None:
                self.published(kind, packet, None)
            else:
                self.loop.call_later(RETRY, self.hub.record, kind, key, message_of(packet), kept)

        self.hub.record(kind, key, message_of(packet), kept)

    def expire(self, session: Session, expiry: int) -> None:
        """Change how long a session outlives its connection."""
        session.expiry = min(expiry, LONGEST_SESSION)
        if not session.expiry and session.store is not None:
            session.store.write("DELETE FROM session WHERE client = ?", session.client_id)

    def _drop(self, session: Session) -> None:
        for pattern in session.filters:
            self.tree.remove(pattern, session)
        session.filters.clear()
        session.forget()
        if self.sessions.get(session.client_id) is session:
            del self.sessions[session.client_id]

    def _sweep_sessions(self, *, force: bool = False) -> None:
        now = time.time()
        if force or now - self._swept > 60:
            self._swept = now
            for session in [one for one in self.sessions.values() if one.over(now)]:
                self._drop(session)
            self.retained.sweep(now)

    # --- messages -------------------------------------------------------------------------------------------------------

    def published(self, kind: Kind, packet: Publish, origin: Session | None) -> None:
        """A message is durable: keep it if it is to be retained, hand it to whoever listens."""
        if packet.retain:
            self.retained.put(packet)
        if len(self.tree):
            self._hand_out(packet, origin)
        if len(self.listeners):
            for _owner, heard in self.listeners.find(packet.topic):
                heard(packet)
        for tap in self.taps:
            tap(kind, packet)

    def _hand_out(self, packet: Publish, origin: Session | None) -> None:
        best: dict[Session, tuple[int, bool, list[int]]] = {}
        for owner, (wanted, identifier) in self.tree.find(packet.topic):
            assert isinstance(owner, Session)
            if wanted.no_local and owner is origin:
                continue
            qos, retain, identifiers = best.get(owner, (0, False, []))
            if identifier:
                identifiers = [*identifiers, identifier]
            best[owner] = (
                max(qos, min(wanted.qos, packet.qos)),
                retain or (wanted.retain_as_published and packet.retain),
                identifiers,
            )
        for session, (qos, retain, identifiers) in best.items():
            self.offer(session, packet, qos, retain, identifiers)

    def offer(
        self,
        session: Session,
        packet: Publish,
        qos: int,
        retain: bool,
        identifiers: list[int],
        acked: Acked | None = None,
    ) -> bool:
        """Hand one message to one session; return whether it is on its way."""
        properties: Properties | None = None
        until = 0.0
        if packet.properties:
            properties = {name: packet.properties[name] for name in FORWARDED if name in packet.properties}
            if "message_expiry_interval" in packet.properties:
                until = time.time() + packet.properties["message_expiry_interval"]
        if identifiers:
            properties = (properties or {}) | {"subscription_identifier": identifiers}
        taken = session.offer(
            Publish(packet.topic, packet.payload, qos, retain, properties=properties or None),
            until=until,
            acked=acked,
        )
        if not taken and qos:
            self.hub.count(PROTOCOL, session.owner, "queue_full", packet.topic)
        return taken

    def publish(self, packet: Publish, acked: Acked | None = None) -> int:
        """Say something as the platform (a command, our state); return how many sessions hear it. Nothing of it is journalled.

        Raises ValueError for a topic that is none.
        """
        if not is_name(packet.topic):
            raise ValueError(f"no name of a topic: {packet.topic!r}")
        if packet.retain:
            self.retained.put(packet)
        heard = 0
        for owner, (wanted, identifier) in list(self.tree.find(packet.topic)):
            assert isinstance(owner, Session)
            qos = min(wanted.qos, packet.qos)
            taken = self.offer(owner, packet, qos, False, [identifier] if identifier else [], acked)
            heard += taken
            if taken and not qos and acked is not None:
                acked()  # nobody will say more about it
        return heard

    def hears(self, topic: str) -> bool:
        """Return whether a session listens to a topic."""
        return next(self.tree.find(topic), None) is not None

    def listen(self, pattern: str, heard: Heard) -> Callable[[], None]:
        """Have `heard` called in the loop with every durable message of a filter; return what ends that."""
        owner = object()
        self.listeners.add(pattern, owner, heard)

        def end() -> None:
            self.listeners.remove(pattern, owner)

        return end

    # --- subscriptions --------------------------------------------------------------------------------------------------

    def subscribe(self, session: Session, wanted: Subscription, identifier: int) -> None:
        """Let a session hear a filter."""
        session.filters[wanted.filter] = (wanted, identifier)
        self.tree.add(wanted.filter, session, (wanted, identifier))

    def unsubscribe(self, client: Client, pattern: str) -> bool:
        """Let a session hear it no more; return whether it did."""
        session = client.session
        return (
            session is not None
            and session.filters.pop(pattern, None) is not None
            and self.tree.remove(pattern, session)
        )

    def tell_retained(self, session: Session, pattern: str, qos: int, identifier: int) -> None:
        """Send a session the retained messages of a filter."""
        for packet in self.retained.find(pattern):
            self.offer(session, packet, min(qos, packet.qos), True, [identifier] if identifier else [])

    # --- a full disk ------------------------------------------------------------------------------------------------------

    def waits(self, client: Client) -> None:
        """Remember that a client has messages for which there was no room; they are tried again every second."""
        if not self._waiting:
            self.loop.call_later(RETRY, self._retry)
        self._waiting.add(client)

    def _retry(self) -> None:
        waiting, self._waiting = self._waiting, set()
        for client in waiting:
            if not client.ended:
                client.retry()

    # --- the file ---------------------------------------------------------------------------------------------------------

    def _restore(self, store: Store) -> None:
        for session, filters in restored(store, time.time()):
            self.sessions[session.client_id] = session
            for wanted, identifier in filters:
                self.subscribe(session, wanted, identifier)
        self.retained.restore()

    def _housekeeping(self) -> None:
        self._sweep_sessions()
        self._housekeeper = self.loop.call_later(60, self._housekeeping)


def _client(server: Server) -> Connection:
    assert isinstance(server, Broker)
    return Client(server)
