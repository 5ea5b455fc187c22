"""Who a client is and what it may do: a device speaks on its own topics and hears its own commands; strangers are parked.

The user name is the code of the device or its identity in the protocol, the password its secret. A device without a secret needs
none; a client whose identifier is that of such a device is this device. Who is in no register may speak (`open_door`), so that it
can be adopted, but not in the name of a device that has a secret, and hears nothing but what names itself.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass

from yuanmai.devices.engine.mapping import Mappings
from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.devices.engine.topics import answer_topics, command_topics, topic_fits, topics_of
from yuanmai.devices.store.records import Kind
from yuanmai.protocols.mqtt.packets import BAD_CREDENTIALS, NOT_AUTHORIZED, Connect
from yuanmai.protocols.sparkplug.topic import DEVICE_TYPES, NAMESPACE, NODE_TYPES

LONGEST_KEY = 200
MOST_FAILURES, FORGET_AFTER = 10, 60.0  # wrong passwords, seconds
MOST_GUARDED = 10_000
SPEAKERS = ("mqtt", "sparkplug")  # protocols of devices that speak MQTT
SPARKPLUG = f"{NAMESPACE}/"
# Also heard by every device: whether the platform is there.
STATES = (f"{NAMESPACE}/STATE/#", "STATE/#")
OWN = ("devices/{key}/#", "v1/devices/me/#")
TOLD = (NODE_TYPES | DEVICE_TYPES) - {"NCMD", "DCMD"}
_UNFIT = re.compile(r"[\s+#\0]+")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a client is: `key` stands in the journal; `device` is nothing for a stranger."""

    client_id: str
    key: str
    device: DeviceSpec | None = None

    @property
    def protocol(self) -> str:
        """What it speaks, as the register says."""
        return self.device.protocol if self.device is not None else "mqtt"


class Guard:
    """Makes guessing slow: after some wrong passwords for one name from one address both are refused for a while.

    Others behind the same address do not suffer from a device that is set up wrongly.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failed: dict[tuple[str, str], tuple[int, float]] = {}

    def closed(self, host: str, name: str) -> bool:
        """Return whether a name is not even looked at now."""
        count, since = self._failed.get((host, name), (0, 0.0))
        return count >= MOST_FAILURES and self._clock() - since < FORGET_AFTER

    def failed(self, host: str, name: str) -> None:
        """A password was wrong."""
        now = self._clock()
        count, since = self._failed.get((host, name), (0, now))
        if now - since >= FORGET_AFTER:
            count, since = 0, now
        if len(self._failed) >= MOST_GUARDED:
            self._failed.pop(next(iter(self._failed)))
        self._failed[host, name] = count + 1, since


def identify(connect: Connect, host: str, registry: Registry, *, open_door: bool = True) -> Identity | int:
    """Return who wants in, or the reason code (5.0) of a refusal. `host` names a client that gives no identifier."""
    device: DeviceSpec | None = None
    name = connect.username or ""
    if name:
        device = _device(name, registry)
        if device is None and not open_door:
            return BAD_CREDENTIALS
        if device is not None and device.secret_hash and not knows(device, connect.password or b""):
            return BAD_CREDENTIALS
    if device is None:
        device = _device(connect.client_id, registry) if connect.client_id else None
        if device is not None and device.secret_hash:
            return NOT_AUTHORIZED  # its name without its secret
    if device is None and not open_door:
        return NOT_AUTHORIZED
    if device is not None:
        return Identity(connect.client_id, device.key, device)
    key = _UNFIT.sub("_", connect.client_id)[:LONGEST_KEY]
    return Identity(connect.client_id, key or f"anonymous@{host}")


def knows(device: DeviceSpec, password: bytes) -> bool:
    """Return whether this is the secret of the device."""
    return hmac.compare_digest(hashlib.sha256(password).hexdigest(), device.secret_hash)


def _device(name: str, registry: Registry) -> DeviceSpec | None:
    for protocol in SPEAKERS:
        found = registry.find(protocol, name)
        if found is not None:
            return found
    found = registry.by_code.get(name)
    return found if found is not None and found.protocol in SPEAKERS else None


def sparkplug_key(topic: str) -> tuple[str, str] | None:
    """Return type and key (group/node or group/node/device) of a topic of Sparkplug, or nothing."""
    parts = topic.split("/")
    if len(parts) not in (4, 5) or parts[0] != NAMESPACE:
        return None
    known = NODE_TYPES if len(parts) == 4 else DEVICE_TYPES
    if parts[2] not in known or not all(parts):
        return None
    return parts[2], "/".join((parts[1], *parts[3:]))


def may_publish(who: Identity, topic: str, registry: Registry, mappings: Mappings) -> tuple[Kind, str] | None:
    """Return kind and key of the record that a message on this topic becomes, or nothing where the client may not send it."""
    if topic.startswith("$"):
        return None
    device = who.device
    named = sparkplug_key(topic)
    if named is not None:
        told, key = named
        if told not in TOLD:
            return None
        node = "/".join(key.split("/")[:2])
        if device is not None and device.protocol == "sparkplug":
            return (Kind.SPARKPLUG, key) if "/".join(device.key.split("/")[:2]) == node else None
        owner = registry.find("sparkplug", node)
        free = owner is None or not owner.secret_hash
        return (Kind.SPARKPLUG, key) if free and (device is None or device.profile.get("gateway")) else None
    if topic.startswith((SPARKPLUG, "STATE/")):
        return None
    if device is None:
        owner = registry.find("mqtt", mappings.key_of(topic))
        free = (owner is None or not owner.secret_hash) and not mappings.guarded(topic)
        return (Kind.MQTT, who.key) if free else None
    if device.profile.get("gateway") or topic_fits(topic, topics_of(device), device.key):
        return Kind.MQTT, who.key
    # What it says about itself besides readings: answers to commands, states.
    own = any(covers(pattern, topic) for pattern in own_filters(who))
    return (Kind.MQTT, who.key) if own else None


def own_filters(who: Identity) -> tuple[str, ...]:
    """Return the filters of what concerns this client and nobody else."""
    device = who.device
    own = tuple(pattern.replace("{key}", who.key) for pattern in OWN)
    if device is None:
        return own + STATES
    if device.protocol == "sparkplug":
        group, node = device.key.split("/")[:2]
        return (*(f"{NAMESPACE}/{group}/{kind}/{node}/#" for kind in ("NCMD", "DCMD")), *own, *STATES)
    return own + command_topics(device) + answer_topics(device) + STATES


def may_subscribe(who: Identity, pattern: str, registry: Registry) -> bool:
    """Return whether a client may hear what this filter hears."""
    if any(covers(own, pattern) for own in own_filters(who)):
        return True
    if who.device is not None and not who.device.profile.get("gateway"):
        return False
    # A node that is not adopted yet must hear that it is to be born again, else it stays unknown for ever.
    parts = pattern.split("/")
    if len(parts) < 4 or parts[0] != NAMESPACE or parts[2] not in ("NCMD", "DCMD"):
        return False
    owner = registry.find("sparkplug", f"{parts[1]}/{parts[3]}")
    return not {"+", "#"} & set(parts[1:4]) and (owner is None or not owner.secret_hash)


def covers(wide: str, narrow: str) -> bool:
    """Return whether every topic that the narrow filter (or the name) hears is heard by the wide one."""
    wanted, given = wide.split("/"), narrow.split("/")
    for place, want in enumerate(wanted):
        if want == "#":
            return True
        if place >= len(given) or given[place] == "#" or (want != "+" and want != given[place]):
            return False
    return len(wanted) == len(given)
