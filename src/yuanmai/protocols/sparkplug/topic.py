"""Topics of Sparkplug B."""

from dataclasses import dataclass

from yuanmai.protocols.faults import Fault

NAMESPACE = "spBv1.0"
NODE_TYPES = frozenset({"NBIRTH", "NDEATH", "NDATA", "NCMD"})
DEVICE_TYPES = frozenset({"DBIRTH", "DDEATH", "DDATA", "DCMD"})


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: of a node or a device, or the state of a host (`host`)."""

    type: str
    group: str = ""
    node: str = ""
    device: str | None = None
    host: str = ""

    def __str__(self) -> str:
        if self.type == "STATE":
            return f"{NAMESPACE}/STATE/{self.host}"
        device = f"/{self.device}" if self.device is not None else ""
        return f"{NAMESPACE}/{self.group}/{self.type}/{self.node}{device}"


def parse(text: str) -> Topic | Fault:
    """Return what a topic names; the fault is `syntax`: other namespace, unknown type, too few or many levels, empty or wild names."""
    levels = text.split("/")
    if not all(levels) or any(sign in text for sign in "+#\0"):
        return Fault("syntax", text.encode("utf-8", "backslashreplace"))
    match levels:
        case ["spBv1.0", "STATE", host] | ["STATE", host]:
            return Topic("STATE", host=host)
        case ["spBv1.0", group, kind, node] if kind in NODE_TYPES:
            return Topic(kind, group, node)
        case ["spBv1.0", group, kind, node, device] if kind in DEVICE_TYPES:
            return Topic(kind, group, node, device)
    return Fault("syntax", text.encode("utf-8", "backslashreplace"))
