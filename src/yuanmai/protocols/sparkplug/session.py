"""What a host knows of one node: births, the run of numbers, aliases, deaths; and when it must ask for a rebirth."""

from dataclasses import dataclass, field

from yuanmai.protocols.sparkplug.payload import Metric, Payload

Aliases = dict[int, tuple[str, int]]  # alias → name and data type
BDSEQ = "bdSeq"


@dataclass(slots=True)
class Node:
    """One edge node and its devices as its messages leave them. Nothing is believed before a birth."""

    online: bool = False
    bdseq: int | None = None
    seq: int | None = None
    aliases: dict[str, Aliases] = field(default_factory=dict)  # by device; the node's own under ""
    devices: set[str] = field(default_factory=set)
    waiting: bool = False  # for the rebirth that was asked for

    def take(self, kind: str, payload: Payload, device: str = "") -> bool:
        """Take in a message; return whether the node must be asked for a rebirth (once until it comes)."""
        if kind == "NDEATH":
            self._death(payload)
            return False
        if kind == "NBIRTH":
            self.online, self.waiting = True, False
            self.bdseq, self.seq = bdseq_of(payload), payload.seq
            self.devices.clear()
            self.aliases = {"": _aliases(payload)}
            return payload.seq not in (None, 0) and self._ask()
        if kind not in ("NDATA", "DBIRTH", "DDATA", "DDEATH"):
            return False
        if not self.online:
            return self._ask()
        if not self._next(payload.seq):
            return self._ask()
        if kind == "DBIRTH":
            self.devices.add(device)
            self.aliases[device] = _aliases(payload)
            return False
        if kind == "DDEATH":
            self.devices.discard(device)
            return False
        if kind == "DDATA" and device not in self.devices:
            return self._ask()
        known, shared = self._known(device if kind == "DDATA" else "")
        unknown = any(
            metric.name is None and metric.alias not in known and metric.alias not in shared
            for metric in payload.metrics
        )
        return unknown and self._ask()

    def resolve(self, payload: Payload, device: str = "") -> list[Metric]:
        """Return the metrics of data with the names and types that their aliases have; those of unknown aliases are left out."""
        known, shared = self._known(device)
        found = []
        for metric in payload.metrics:
            if metric.name is None and metric.alias is not None:
                entry = known.get(metric.alias) or shared.get(metric.alias)
                if entry is None:
                    continue
                metric.name, datatype = entry
                metric.datatype = metric.datatype or datatype
            found.append(metric)
        return found

    def _known(self, device: str) -> tuple[Aliases, Aliases]:
        """Aliases are unique in a node: its devices may use those of its own birth, too."""
        return self.aliases.get(device, {}), self.aliases.get("", {})

    def _death(self, payload: Payload) -> None:
        told = bdseq_of(payload)
        if told is not None and self.bdseq is not None and told != self.bdseq:
            return  # the will of a connection before this one
        self.online = False
        self.devices.clear()

    def _next(self, seq: int | None) -> bool:
        right = seq is None or self.seq is None or seq == (self.seq + 1) & 0xFF
        self.seq = seq
        return right

    def _ask(self) -> bool:
        first, self.waiting = not self.waiting, True
        return first


def bdseq_of(payload: Payload) -> int | None:
    """Return the number of births and deaths in a payload."""
    for metric in payload.metrics:
        if metric.name == BDSEQ and isinstance(metric.value, int):
            return metric.value
    return None


def _aliases(payload: Payload) -> Aliases:
    return {
        metric.alias: (metric.name or "", metric.datatype)
        for metric in payload.metrics
        if metric.alias is not None
    }
