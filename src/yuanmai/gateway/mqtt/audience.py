"""Who listens to what, and how a message gets to them: the subscriptions of all sessions."""

import time

from yuanmai.gateway.hub import Hub
from yuanmai.gateway.mqtt.link import PROTOCOL, Acked
from yuanmai.gateway.mqtt.retained import Retained
from yuanmai.gateway.mqtt.session import Session
from yuanmai.protocols.mqtt.packets import Properties, Publish, Subscription
from yuanmai.protocols.mqtt.topics import Tree

FORWARDED = (
    "payload_format_indicator",
    "content_type",
    "response_topic",
    "correlation_data",
    "user_property",
)


class Audience:
    """The sessions by what they have asked to hear."""

    def __init__(self, hub: Hub, retained: Retained) -> None:
        self.hub, self.retained = hub, retained
        self._tree: Tree[tuple[Subscription, int]] = Tree()  # with the subscription identifier

    def hears(self, topic: str) -> bool:
        """Return whether a session listens to a topic."""
        return next(self._tree.find(topic), None) is not None

    # --- subscriptions --------------------------------------------------------------------------------------------------

    def subscribe(self, session: Session, wanted: Subscription, identifier: int) -> None:
        """Let a session hear a filter."""
        session.filters[wanted.filter] = (wanted, identifier)
        self._tree.add(wanted.filter, session, (wanted, identifier))

    def unsubscribe(self, session: Session, pattern: str) -> bool:
        """Let a session hear it no more; return whether it did."""
        return session.filters.pop(pattern, None) is not None and self._tree.remove(pattern, session)

    def leave(self, session: Session) -> None:
        """Let a session hear nothing more."""
        for pattern in session.filters:
            self._tree.remove(pattern, session)
        session.filters.clear()

    # --- messages -------------------------------------------------------------------------------------------------------

    def hand_out(self, packet: Publish, origin: Session | None) -> None:
        """Hand a message of a client to every session that listens, once each, at the best quality it has asked for."""
        if not len(self._tree):
            return
        best: dict[Session, tuple[int, bool, list[int]]] = {}
        for owner, (wanted, identifier) in self._tree.find(packet.topic):
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

    def tell(self, packet: Publish, acked: Acked | None) -> int:
        """Hand a message of the platform to whoever listens; return how many sessions hear it."""
        heard = 0
        for owner, (wanted, identifier) in list(self._tree.find(packet.topic)):
            assert isinstance(owner, Session)
            qos = min(wanted.qos, packet.qos)
            taken = self.offer(owner, packet, qos, False, [identifier] if identifier else [], acked)
            heard += taken
            if taken and not qos and acked is not None:
                acked()  # nobody will say more about it
        return heard

    def tell_retained(self, session: Session, pattern: str, qos: int, identifier: int) -> None:
        """Send a session the retained messages of a filter."""
        for packet in self.retained.find(pattern):
            self.offer(session, packet, min(qos, packet.qos), True, [identifier] if identifier else [])

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
