"""What a page wants to hear of: topics in its address, and which events belong to them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TOPIC = re.compile(r"^(devices|alarms|commands|positions|device:[1-9]\d{0,17})$")
MOST_TOPICS = 100


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has changed. `kind`: latest, state, command, alarm; `org` owns the device; `revision` of its row."""

    kind: str
    org: int
    device: int
    data: Mapping[str, Any]
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Topics:
    """A set of topics. `devices` hears of states of all devices, `positions` of those that move, `device:N` all of one."""

    names: frozenset[str]
    devices: frozenset[int] = field(default=frozenset())

    @classmethod
    def read(cls, text: str) -> "Topics":
        """Return the topics of a comma-separated text; raises ValueError naming the first that is none."""
        names = [part for part in text.split(",") if part]
        if len(names) > MOST_TOPICS:
            raise ValueError(f"more than {MOST_TOPICS} topics")
        for name in names:
            if not TOPIC.match(name):
                raise ValueError(name[:60])
        return cls(
            frozenset(names),
            frozenset(int(name.partition(":")[2]) for name in names if name.startswith("device:")),
        )

    def want(self, event: Event) -> bool:
        """Return whether a page with these topics wants to hear this."""
        if event.device in self.devices:
            return True
        if event.kind == "state":
            return "devices" in self.names or ("positions" in self.names and event.data.get("at") is not None)
        if event.kind == "alarm":
            return "alarms" in self.names
        return event.kind == "command" and "commands" in self.names


def joined(several: Iterable[Topics]) -> Topics:
    """Return the union: what has to be asked for so that all of them are served."""
    names: set[str] = set()
    devices: set[int] = set()
    for topics in several:
        names |= topics.names
        devices |= topics.devices
    return Topics(frozenset(names), frozenset(devices))
