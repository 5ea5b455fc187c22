"""Commands on their way: what a listener is given to send, and who in this gateway can reach which device."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from yuanmai.devices.engine.registry import DeviceSpec

MOST_TRACE = 200  # entries kept
LONGEST_ENTRY = 4096  # characters


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a command ended. `state` is `done`, `failed` or `timed_out`; `answer` has a `code` and what was read back.

    `queued` says that the device has gone before it answered: the command waits for it to come back.
    """

    state: str
    answer: Mapping[str, Any] = field(default_factory=dict)


class RefusedError(ValueError):
    """The command cannot be said in the protocol or to this device: it fails with this code and is not sent."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code, self.detail = code, detail


@dataclass(slots=True)
class Order:
    """One command to send. The sender calls `sent` for everything it writes (each raises `attempts`), `heard` for what came.

    `request` is what names the dialogue on the wire (a QN, a serial): set it with the first `sent`; it comes again when the
    command is tried once more after a broken connection or a restart of the gateway. `changed` is set by the gateway.
    """

    number: int
    uid: str
    device: DeviceSpec
    verb: str
    parameters: Mapping[str, Any]
    expires: datetime
    attempts: int = 0
    request: str = ""
    state: str = "sent"
    trace: list[dict[str, str]] = field(default_factory=list)
    changed: Callable[["Order"], None] | None = None
    ended: bool = False
    secrets: tuple[str, ...] = ()

    def sent(self, *, data: bytes = b"", text: str = "") -> None:
        """Say that these bytes (or this text) have been written to the device."""
        self.attempts += 1
        self.write("out", data=data, text=text)

    def heard(self, *, data: bytes = b"", text: str = "") -> None:
        """Say that the device has answered this; also after the end: late answers are noted."""
        self.write("late" if self.ended else "in", data=data, text=text)

    def accepted(self) -> None:
        """Say that the device has taken the command and is at work."""
        self.state = "accepted"
        self._tell()

    def write(self, direction: str, *, data: bytes = b"", text: str = "") -> None:
        """Add to the trace: `out`, `in`, `late`, or `note` for what the gateway itself has to say."""
        if len(self.trace) < MOST_TRACE:
            entry = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "direction": direction}
            if data:
                entry["hex"] = data[: LONGEST_ENTRY // 2].hex()
            if text:
                entry["text"] = text[:LONGEST_ENTRY]
            self.trace.append(entry)
        self._tell()

    def _tell(self) -> None:
        if self.changed is not None:
            self.changed(self)


# Sends one command and returns how it ended, after time-outs and re-sends by its protocol. It may raise RefusedError. When it is
# cancelled the gateway is stopping: the command is tried again by whoever starts next.
Sender = Callable[[Order], Awaitable[Outcome]]


class Directory:
    """Who can be reached from this gateway, by protocol and key. The newest connection of a device counts.

    A protocol whose devices have no connections of their own (MQTT, pollers) registers `*` as key and answers for all
    devices of it that `reaches` names.
    """

    def __init__(self) -> None:
        self._senders: dict[tuple[str, str], Sender] = {}
        self._all: dict[str, tuple[Sender, Callable[[DeviceSpec], bool]]] = {}
        self.version = 0  # grows whenever somebody comes

    def register(self, protocol: str, key: str, sender: Sender) -> None:
        """Say that a device is reached through this sender from now on."""
        self._senders[protocol, key] = sender
        self.version += 1

    def register_all(self, protocol: str, sender: Sender, reaches: Callable[[DeviceSpec], bool]) -> None:
        """Say that this sender reaches every device of the protocol for which `reaches` holds."""
        self._all[protocol] = (sender, reaches)
        self.version += 1

    def remove(self, protocol: str, key: str, sender: Sender) -> None:
        """Say that this sender no longer reaches the device; one that has taken its place stays."""
        if self._senders.get((protocol, key)) == sender:
            del self._senders[protocol, key]

    def remove_all(self, protocol: str) -> None:
        """Take back `register_all`."""
        self._all.pop(protocol, None)

    def find(self, device: DeviceSpec) -> Sender | None:
        """Return what reaches this device, or nothing."""
        found = self._senders.get((device.protocol, device.key))
        if found is None and device.protocol in self._all:
            sender, reaches = self._all[device.protocol]
            found = sender if reaches(device) else None
        return found

    def reachable(self, devices: Iterable[DeviceSpec]) -> list[DeviceSpec]:
        """Return those of these devices that can be reached now."""
        return [device for device in devices if self.find(device) is not None]
