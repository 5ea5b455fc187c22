"""The way to the devices that speak MQTT: the embedded broker, or a client of a broker beside us."""

from collections.abc import Callable
from typing import Protocol

from yuanmai.devices.store.records import Kind
from yuanmai.protocols.mqtt.packets import Publish

PROTOCOL = "mqtt"
RETRY = 1.0  # seconds until the journal is asked again for room
Tap = Callable[[Kind, Publish], None]
Heard = Callable[[Publish], None]
Acked = Callable[[], None]


class Link(Protocol):
    """What commands and the host of Sparkplug need. All of it is called in the loop."""

    direct: bool  # whether PUBACK comes from the device itself
    taps: list[Tap]  # told of every message from a device when it is durable

    def publish(self, packet: Publish, acked: Acked | None = None) -> int:
        """Send a message as the platform; return to how many it is on its way. `acked`: the first of them (or the broker) has it."""

    def listen(self, pattern: str, heard: Heard) -> Callable[[], None]:
        """Have `heard` called with every durable message of a filter; return what ends that."""

    def hears(self, topic: str) -> bool:
        """Return whether somebody listens to a topic, as far as this link can know."""
