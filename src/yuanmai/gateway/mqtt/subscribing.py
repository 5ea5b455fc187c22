"""What a client asks to hear: each filter is judged, answered for itself, and followed by what is retained."""

from typing import TYPE_CHECKING

from yuanmai.gateway.mqtt.access import may_subscribe
from yuanmai.protocols.mqtt import packets as kinds
from yuanmai.protocols.mqtt.packets import V5, Subscribe, SubscribeAck, Unsubscribe

if TYPE_CHECKING:
    from yuanmai.gateway.mqtt.connection import Client

MOST_FILTERS = 100  # of one session


def subscribe(client: "Client", packet: Subscribe) -> None:
    """Answer SUBSCRIBE. Quality 1 is the most that is granted."""
    session = client.session
    assert session is not None
    identifier = (packet.properties.get("subscription_identifier") or [0])[0]
    codes: list[int] = []
    retained: list[tuple[str, int]] = []
    for wanted in packet.filters:
        new = wanted.filter not in session.filters
        if wanted.filter.startswith("$share/"):
            codes.append(kinds.NO_SHARED)
        elif not may_subscribe(client.identity, wanted.filter, client.server.hub.registry):
            codes.append(kinds.NOT_AUTHORIZED)
            client.server.hub.count(
                client.identity.protocol, client.identity.key, "filter_not_allowed", wanted.filter
            )
        elif new and len(session.filters) >= MOST_FILTERS:
            codes.append(kinds.QUOTA)
        else:
            wanted.qos = min(wanted.qos, 1)
            client.broker.audience.subscribe(session, wanted, identifier)
            codes.append(wanted.qos)
            if wanted.retain_handling == 0 or (wanted.retain_handling == 1 and new):
                retained.append((wanted.filter, wanted.qos))
    if client.version != V5:
        codes = [code if code < kinds.UNSPECIFIED else kinds.UNSPECIFIED for code in codes]
    client.send(SubscribeAck(kinds.SUBACK, packet.packet_id, codes))
    session.save()
    for pattern, qos in retained:
        client.broker.audience.tell_retained(session, pattern, qos, identifier)


def unsubscribe(client: "Client", packet: Unsubscribe) -> None:
    """Answer UNSUBSCRIBE."""
    session = client.session
    assert session is not None
    codes = [
        kinds.SUCCESS if client.broker.audience.unsubscribe(session, pattern) else kinds.NO_SUBSCRIPTION
        for pattern in packet.filters
    ]
    client.send(SubscribeAck(kinds.UNSUBACK, packet.packet_id, codes))
    session.save()
