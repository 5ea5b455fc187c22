"""What is known of one client beyond its connection: what it listens to, what is on its way to it, what it has half sent."""

import json
import time
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from yuanmai.gateway.mqtt.link import Acked
from yuanmai.gateway.mqtt.store import Store, pack_properties
from yuanmai.gateway.mqtt.store import message as message_of
from yuanmai.protocols.mqtt.packets import V5, Connect, Publish, Subscription

if TYPE_CHECKING:
    from yuanmai.gateway.mqtt.connection import Client

MOST_QUEUED = 1_000  # messages for a client that is away or slow
MOST_QUEUED_BYTES = 4 << 20
WINDOW = 20  # messages of QoS 1 under way to a client that names no limit
NEVER = 0xFFFFFFFF
LONGEST_SESSION = 7 * 86400  # seconds that a registered device's session outlives its connection
STRANGERS_SESSION = 3600


class Waiting(NamedTuple):
    """A message on its way: `number` is its place in the file (0: not there), `until` when it is of no use any more (0: never)."""

    message: Publish
    number: int
    until: float
    acked: Acked | None = None


class Session:
    """One client identifier. `store` is there for sessions that outlive a restart."""

    __slots__ = (
        "bytes", "client", "client_id", "dropped", "expiry", "filters", "last_id", "left", "next_number", "owner", "queue",
        "received", "sending", "store", "window",
    )  # fmt: skip

    def __init__(self, client_id: str, owner: str, expiry: int, store: Store | None) -> None:
        self.client_id, self.owner, self.expiry = client_id, owner, expiry
        self.store = store if expiry else None
        self.client: Client | None = None
        self.left = 0.0  # when the client went, by the clock of the wall
        self.filters: dict[str, tuple[Subscription, int]] = {}  # with the subscription identifier
        self.queue: deque[Waiting] = deque()
        self.sending: dict[int, Waiting] = {}  # by packet identifier, in the order of sending
        self.received: dict[int, bool] = {}  # QoS 2 from the client: identifier → whether PUBREC may be said
        self.bytes = 0
        self.last_id = 0
        self.next_number = 1
        self.window = WINDOW
        self.dropped = 0

    def over(self, now: float) -> bool:
        """Return whether the client has been away for longer than the session lasts."""
        return self.client is None and self.expiry != NEVER and now - self.left >= self.expiry

    # --- to the client --------------------------------------------------------------------------------------------------

    def offer(self, message: Publish, *, until: float = 0.0, acked: Acked | None = None) -> bool:
        """Send a message or keep it for later; return whether there was room. QoS 0 goes out now or not at all."""
        if not message.qos:
            return self.client is not None and self.client.deliver(message)
        if len(self.queue) + len(self.sending) >= MOST_QUEUED or self.bytes > MOST_QUEUED_BYTES:
            self.dropped += 1
            return False
        number = 0
        if self.store is not None:
            number, self.next_number = self.next_number, self.next_number + 1
            self.store.write(
                "INSERT OR REPLACE INTO queued VALUES (?, ?, ?, ?, ?, ?, ?)",
                self.client_id, number, message.topic, message.payload, message.retain, pack_properties(message.properties), until,
            )  # fmt: skip
        self.bytes += len(message.payload)
        self.queue.append(Waiting(message, number, until, acked))
        self.pump()
        return True

    def restore(self, messages: Iterable[tuple[int, Publish, float]]) -> None:
        """Take back what the file held."""
        for number, message, until in messages:
            self.bytes += len(message.payload)
            self.queue.append(Waiting(message, number, until))
            self.next_number = number + 1

    def pump(self) -> None:
        """Send what waits, as much as may be under way."""
        client = self.client
        if client is None:
            return
        while self.queue and len(self.sending) < self.window:
            entry = self.queue.popleft()
            if entry.until and entry.until < time.time():
                self._settle(entry)
                continue
            number = self._identifier()
            message = entry.message
            sent = Publish(
                message.topic, message.payload, 1, message.retain, False, number, message.properties
            )
            if not client.deliver(sent):
                self._settle(entry)  # larger than the client takes: it will never go
                continue
            self.sending[number] = Waiting(sent, entry.number, entry.until, entry.acked)

    def resend(self) -> None:
        """Send again what was under way when the connection broke, then what waits."""
        for number, entry in list(self.sending.items()):
            message = entry.message
            message.dup = True
            if self.client is not None and not self.client.deliver(message):
                self._settle(self.sending.pop(number))
        self.pump()

    def acknowledged(self, number: int) -> bool:
        """The client has it; return whether it was under way."""
        entry = self.sending.pop(number, None)
        if entry is None:
            return False
        self._settle(entry)
        if entry.acked is not None:
            entry.acked()
        self.pump()
        return True

    def _settle(self, entry: Waiting) -> None:
        self.bytes -= len(entry.message.payload)
        if entry.number and self.store is not None:
            self.store.write(
                "DELETE FROM queued WHERE client = ? AND number = ?", self.client_id, entry.number
            )

    def _identifier(self) -> int:
        while True:
            self.last_id = self.last_id % 0xFFFF + 1
            if self.last_id not in self.sending:
                return self.last_id

    # --- the file -------------------------------------------------------------------------------------------------------

    def save(self) -> None:
        """Keep subscriptions and end of the session."""
        if self.store is not None:
            filters = [
                [one.filter, one.qos, one.no_local, one.retain_as_published, number]
                for one, number in self.filters.values()
            ]
            self.store.write(
                "INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?)",
                self.client_id, self.owner, self.expiry, self.left, json.dumps(filters),
            )  # fmt: skip

    def forget(self) -> None:
        """Drop everything that is kept of it."""
        self.queue.clear()
        self.sending.clear()
        self.received.clear()
        self.bytes = 0
        if self.store is not None:
            for table in ("session", "queued", "received"):
                self.store.write(f"DELETE FROM {table} WHERE client = ?", self.client_id)  # noqa: S608  # names of our own


def expiry_of(packet: Connect, registered: bool) -> int:
    """Return how many seconds a session outlives its connection: what the client asks for, within limits."""
    if packet.version == V5:
        wanted = int(packet.properties.get("session_expiry_interval", 0))
    else:
        wanted = 0 if packet.clean else LONGEST_SESSION
    return min(wanted, LONGEST_SESSION if registered else STRANGERS_SESSION)


def restored(store: Store, now: float) -> list[tuple[Session, list[tuple[Subscription, int]]]]:
    """Return the sessions of the file that are not over, with what they listen to."""
    found: dict[str, tuple[Session, list[tuple[Subscription, int]]]] = {}
    for client_id, owner, expiry, left, filters in store.rows("SELECT * FROM session"):
        session = Session(client_id, owner, expiry, store)
        session.left = left or now
        if session.over(now):
            session.forget()
            continue
        wanted = [
            (Subscription(pattern, qos, bool(no_local), bool(as_published)), identifier)
            for pattern, qos, no_local, as_published, identifier in json.loads(filters)
        ]
        found[client_id] = session, wanted
    for client_id, number, topic, payload, retain, properties, until in store.rows(
        "SELECT * FROM queued ORDER BY client, number"
    ):
        if client_id in found:
            entry = message_of(topic, payload, 1, bool(retain), properties)
            found[client_id][0].restore([(number, entry, until)])
    for client_id, number in store.rows("SELECT * FROM received"):
        if client_id in found:
            found[client_id][0].received[number] = True
    return list(found.values())
