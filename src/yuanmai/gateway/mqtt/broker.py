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
from yuanmai.gateway.mqtt.access import SPEAKERS, Guard, Identity, identify
from yuanmai.gateway.mqtt.audience import Audience
from yuanmai.gateway.mqtt.connection import Client
from yuanmai.gateway.mqtt.link import PROTOCOL, RETRY, Acked, Heard, Tap
from yuanmai.gateway.mqtt.retained import Retained
from yuanmai.gateway.mqtt.session import LONGEST_SESSION, Session, expiry_of, restored
from yuanmai.gateway.mqtt.store import Store
from yuanmai.gateway.mqtt.wills import Wills
from yuanmai.gateway.server import Connection, Server
from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt.packets import V5, Connect, Properties, Publish
from yuanmai.protocols.mqtt.topics import Tree, is_name

logger = logging.getLogger(__name__)

MOST_SESSIONS = 20_000
LONGEST_CLIENT_ID = 200


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
        self.listeners: Tree[Heard] = Tree()
        self.store = Store(folder / f"mqtt-{hub.name}.sqlite3") if folder is not None else None
        self.retained = Retained(self.store)
        self.audience = Audience(hub, self.retained)
        self.wills = Wills(self)
        self.direct = True
        self.taps: list[Tap] = []
        self.on_arrival: Callable[[Identity], None] | None = None
        self.on_departure: Callable[[Identity], None] | None = None
        self._waiting: set[Client] = set()
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
        self.wills.close()
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
        self.wills.call_off(client_id)
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
            client.incoming.topics.clear()
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
        self.wills.open(client, reason, session)
        who = client.identity
        if client.speaking:
            client.speaking = False
            self.hub.disconnected(who.protocol, who.key, client.address, reason)
        if self.on_departure is not None and session.client is None:
            self.on_departure(who)

    def expire(self, session: Session, expiry: int) -> None:
        """Change how long a session outlives its connection."""
        session.expiry = min(expiry, LONGEST_SESSION)
        if not session.expiry and session.store is not None:
            session.store.write("DELETE FROM session WHERE client = ?", session.client_id)

    def _drop(self, session: Session) -> None:
        self.audience.leave(session)
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
        self.audience.hand_out(packet, origin)
        if len(self.listeners):
            for _owner, heard in self.listeners.find(packet.topic):
                heard(packet)
        for tap in self.taps:
            tap(kind, packet)

    def publish(self, packet: Publish, acked: Acked | None = None) -> int:
        """Say something as the platform (a command, our state); return how many sessions hear it. Nothing of it is journalled.

        Raises ValueError for a topic that is none.
        """
        if not is_name(packet.topic):
            raise ValueError(f"no name of a topic: {packet.topic!r}")
        if packet.retain:
            self.retained.put(packet)
        return self.audience.tell(packet, acked)

    def hears(self, topic: str) -> bool:
        """Return whether a session listens to a topic."""
        return self.audience.hears(topic)

    def listen(self, pattern: str, heard: Heard) -> Callable[[], None]:
        """Have `heard` called in the loop with every durable message of a filter; return what ends that."""
        owner = object()
        self.listeners.add(pattern, owner, heard)

        def end() -> None:
            self.listeners.remove(pattern, owner)

        return end

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
                client.incoming.retry()

    # --- the file ---------------------------------------------------------------------------------------------------------

    def _restore(self, store: Store) -> None:
        for session, filters in restored(store, time.time()):
            self.sessions[session.client_id] = session
            for wanted, identifier in filters:
                self.audience.subscribe(session, wanted, identifier)
        self.retained.restore()

    def _housekeeping(self) -> None:
        self._sweep_sessions()
        self._housekeeper = self.loop.call_later(60, self._housekeeping)


def _client(server: Server) -> Connection:
    assert isinstance(server, Broker)
    return Client(server)
