"""Retained messages: the last one of each topic, as many as there is room for."""

import time
from collections import OrderedDict
from collections.abc import Iterator

from yuanmai.gateway.mqtt.store import Store, message, pack_properties
from yuanmai.protocols.mqtt.packets import Publish
from yuanmai.protocols.mqtt.topics import matches

MOST, MOST_BYTES = 20_000, 32 << 20


class Retained:
    """The last message of each topic; the topics longest unchanged go first when there is no room."""

    def __init__(self, store: Store | None) -> None:
        self.store = store
        self._kept: OrderedDict[str, tuple[Publish, float]] = OrderedDict()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, packet: Publish) -> None:
        """Keep a message in the place of the last one of its topic; an empty one only clears it."""
        self._take_out(packet.topic)
        if not packet.payload:
            if self.store is not None:
                self.store.write("DELETE FROM retained WHERE topic = ?", packet.topic)
            return
        expiry = (packet.properties or {}).get("message_expiry_interval")
        until = time.time() + expiry if expiry is not None else 0.0
        self._put_in(packet, until)
        if self.store is not None:
            self.store.write(
                "INSERT OR REPLACE INTO retained VALUES (?, ?, ?, ?, ?)",
                packet.topic, packet.payload, packet.qos, pack_properties(packet.properties), until,
            )  # fmt: skip
        while len(self._kept) > MOST or self._bytes > MOST_BYTES:
            oldest = next(iter(self._kept))
            self._take_out(oldest)
            if self.store is not None:
                self.store.write("DELETE FROM retained WHERE topic = ?", oldest)

    def find(self, pattern: str) -> Iterator[Publish]:
        """Return the messages that a filter hears."""
        now = time.time()
        exact = "+" not in pattern and "#" not in pattern
        kept = [self._kept[pattern]] if pattern in self._kept else [] if exact else list(self._kept.values())
        for packet, until in kept:
            if (not until or until > now) and (exact or matches(pattern, packet.topic)):
                yield packet

    def sweep(self, now: float) -> None:
        """Forget what has expired."""
        for topic in [topic for topic, (_packet, until) in self._kept.items() if until and until <= now]:
            self._take_out(topic)

    def restore(self) -> None:
        """Take back what the file holds."""
        if self.store is not None:
            for topic, payload, qos, properties, until in self.store.rows("SELECT * FROM retained"):
                self._put_in(message(topic, payload, qos, True, properties), until)

    def _put_in(self, packet: Publish, until: float) -> None:
        self._kept[packet.topic] = (packet, until)
        self._bytes += len(packet.payload)

    def _take_out(self, topic: str) -> None:
        found = self._kept.pop(topic, None)
        if found is not None:
            self._bytes -= len(found[0].payload)
