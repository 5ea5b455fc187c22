"""Wills: what a client wants said when it goes without a goodbye, at once or after a delay; journalled like any other message."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from yuanmai.gateway.mqtt.access import may_publish
from yuanmai.gateway.mqtt.link import RETRY
from yuanmai.gateway.mqtt.session import Session
from yuanmai.protocols.mqtt.packets import Publish, Will
from yuanmai.protocols.mqtt.stream import message_of

if TYPE_CHECKING:
    from yuanmai.gateway.mqtt.broker import Broker
    from yuanmai.gateway.mqtt.connection import Client

MOST_WILL_DELAY = 3600


class Wills:
    """The wills of one broker. Its length is the number of those that wait for their time."""

    def __init__(self, broker: "Broker") -> None:
        self.broker = broker
        self._delayed: dict[str, Callable[[], None]] = {}  # by client: how to call it off

    def __len__(self) -> int:
        return len(self._delayed)

    def call_off(self, client_id: str) -> None:
        """A client is back: what waits is not said."""
        off = self._delayed.pop(client_id, None)
        if off is not None:
            off()

    def close(self) -> None:
        """The broker has stopped: nothing is said any more."""
        for off in self._delayed.values():
            off()

    def open(self, client: "Client", reason: str, session: Session) -> None:
        """A client has gone: say its will, now or when its delay is over."""
        will, client.will = client.will, None
        if will is not None and reason != "stopping":  # we go, not the client
            delay = min(will.properties.get("will_delay_interval", 0), session.expiry, MOST_WILL_DELAY)
            if not delay or reason == "replaced":
                self._speak(client, will)
            else:
                timer = self.broker.loop.call_later(delay, self._speak, client, will)
                self._delayed[session.client_id] = timer.cancel

    def _speak(self, client: "Client", will: Will) -> None:
        broker = self.broker
        who = client.identity
        self._delayed.pop(who.client_id, None)
        allowed = may_publish(who, will.topic, broker.hub.registry, broker.mappings)
        if allowed is None:
            broker.hub.count(who.protocol, who.key, "topic_not_allowed", will.topic)
            return
        properties = {name: value for name, value in will.properties.items() if name != "will_delay_interval"}
        packet = Publish(will.topic, will.payload, will.qos, will.retain, properties=properties or None)
        kind, key = allowed

        def kept(error: Exception | None) -> None:
            broker.hub.note(error)
            if error is None:
                broker.published(kind, packet, None)
            else:
                broker.loop.call_later(RETRY, broker.hub.record, kind, key, message_of(packet), kept)

        broker.hub.record(kind, key, message_of(packet), kept)
