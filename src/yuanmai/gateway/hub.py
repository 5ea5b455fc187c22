"""What all listeners and pollers of one gateway share: the journal, the register, commands downwards, limits, counts of oddities.

A listener or poller is a class with `async start()` and `async stop()`, made with a `Hub`. It may call everything here from
the loop's thread only.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol as Interface

from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.devices.store.journal import JournalError
from yuanmai.devices.store.records import Kind
from yuanmai.gateway.orders import Directory

logger = logging.getLogger(__name__)

Done = Callable[[JournalError | None], None]
ODD_EVERY = 5.0  # seconds between two records about the same oddity of the same device; what happens between is counted
MOST_ODDITIES = 20_000  # kinds and devices counted at once
LONGEST_SAMPLE = 400  # characters


class Listener(Interface):
    """Something of a gateway that runs from start to stop."""

    async def start(self) -> None:
        """Begin; raises OSError where an address cannot be listened on."""

    async def stop(self) -> None:
        """Take nothing new, close what is open. What was handed to the journal is made durable afterwards."""


class Commits(Interface):
    """What the hub needs of `devices.store.journal.GroupCommit`."""

    pending_bytes: int  # handed over and not yet durable

    def add(self, kind: int, key: str, payload: bytes, received: int, done: Done | None = None) -> None:
        """Hand over a record; `done(error or None)` is called in the loop when its group is durable, or is lost."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one connection, one address and all together may take. Seconds, bytes, frames."""

    connections: int = 20_000
    per_address: int = 2_000  # this machine's own addresses excepted
    frames_per_second: float = (
        1_000.0  # of one connection; faster ones are read more slowly, nothing is thrown away
    )
    frames_burst: float = 4_000.0
    bytes_per_second: float = 2 << 20
    bytes_burst: float = 8 << 20
    write_bytes: int = 256 << 10  # not taken by the other side, above which nothing more is read from it
    stalled_seconds: float = 30.0  # how long the other side may take nothing
    partial_seconds: float = 10.0  # how long a frame may take
    first_frame_seconds: float = 120.0  # how long a connection may say nothing at all
    nonsense_bytes: int = 64 << 10  # without one good frame
    nonsense_frames: int = 50  # one after the other
    stations: int = 512  # identities in one connection


@dataclass(slots=True)
class _Odd:
    count: int = 0
    sample: str = ""
    written: float = float("-inf")


class Hub:
    """The common part of one gateway. `registry` is the register at its newest known version, replaced as a whole."""

    def __init__(
        self,
        name: str,
        journal: Commits,
        registry: Registry | None = None,
        limits: Limits | None = None,
        *,
        secret: bytes = b"",
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.journal = journal
        self.registry = registry or Registry([])
        self.limits = limits or Limits()
        self.secret = secret  # the installation's key: codes of terminals are derived from it
        self.commands = Directory()
        self.paused = False  # the journal has fallen behind: read nothing more
        self.trouble: Exception | None = None  # why the last group was lost: the disk is full or broken
        self.counts: dict[str, int] = {}  # events since the start, for metrics and logs
        self._monotonic = monotonic
        self._odd: dict[tuple[str, str, str], _Odd] = {}
        self._on_pressure: list[tuple[Callable[[], None], Callable[[], None]]] = []
        self._on_registry: list[Callable[[Registry], None]] = []

    # --- the journal ----------------------------------------------------------------------------------------------------

    def record(self, kind: Kind, key: str, payload: bytes, done: Done | None = None) -> None:
        """Hand a record to the journal under the present moment; `done` is told when it is durable (None) or lost (why)."""
        self.journal.add(kind, key, payload, time.time_ns() // 1000, done or self.note)

    def note(self, error: Exception | None) -> None:
        """Remember whether the journal works. Whoever gives a `done` of their own calls this with what it was told."""
        if error is not None and self.trouble is None:
            logger.error("the journal takes nothing: %s", error)
        elif error is None and self.trouble is not None:
            logger.warning("the journal works again")
        self.trouble = error

    def on_pressure(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Have `pause` called when the journal falls behind and `resume` when it has caught up."""
        self._on_pressure.append((pause, resume))

    def pause(self) -> None:
        """The journal has fallen behind: nobody reads until `resume`."""
        if not self.paused:
            self.paused = True
            self.tally("paused")
            for pause, _resume in self._on_pressure:
                pause()

    def resume(self) -> None:
        """The journal has caught up."""
        if self.paused:
            self.paused = False
            for _pause, resume in self._on_pressure:
                resume()

    # --- the register ---------------------------------------------------------------------------------------------------

    def find(self, protocol: str, key: str) -> DeviceSpec | None:
        """Return the device in use that calls itself so, as far as it is registered."""
        return self.registry.by_key.get((protocol, key))

    def on_registry(self, changed: Callable[[Registry], None]) -> None:
        """Have `changed` called with each new state of the register (pollers begin and end with it)."""
        self._on_registry.append(changed)

    def take_registry(self, registry: Registry) -> None:
        """Put a new state of the register in the place of the old one."""
        self.registry = registry
        for changed in self._on_registry:
            changed(registry)

    # --- what is told besides readings ----------------------------------------------------------------------------------

    def connected(self, protocol: str, key: str, address: str) -> None:
        """Write down that a device is there now. `address` is host:port."""
        self._tell(Kind.CONNECTED, protocol, key, {"address": address, "gateway": self.name})

    def disconnected(self, protocol: str, key: str, address: str, reason: str) -> None:
        """Write down that a device has gone: `closed`, `idle`, `replaced`, `stopping` …"""
        self._tell(
            Kind.DISCONNECTED, protocol, key, {"address": address, "gateway": self.name, "reason": reason}
        )

    def count(self, protocol: str, key: str, kind: str, sample: str = "") -> None:
        """Count something odd that came from a device (or, with an empty key, from nobody known).

        The first is written to the journal at once, more of the same together, at most every five seconds.
        """
        self.tally(f"odd.{protocol}.{kind}")
        name = (protocol, key, kind)
        odd = self._odd.get(name)
        if odd is None:
            if len(self._odd) >= MOST_ODDITIES:
                self.tally("odd.overflow")
                return
            odd = self._odd[name] = _Odd()
        odd.count += 1
        odd.sample = sample[:LONGEST_SAMPLE]
        now = self._monotonic()
        if now - odd.written >= ODD_EVERY:
            self._write_odd(name, odd, now)

    def tell_odd(self, *, everything: bool = False) -> None:
        """Write what was counted and not yet told; the gateway calls this every second, and with `everything` at its end."""
        now = self._monotonic()
        for name, odd in list(self._odd.items()):
            if odd.count and (everything or now - odd.written >= ODD_EVERY):
                self._write_odd(name, odd, now)
            elif not odd.count and now - odd.written >= 60:
                del self._odd[name]

    def tally(self, event: str, number: int = 1) -> None:
        """Count an event of the gateway itself."""
        self.counts[event] = self.counts.get(event, 0) + number

    def _write_odd(self, name: tuple[str, str, str], odd: _Odd, now: float) -> None:
        protocol, key, kind = name
        told = {"kind": kind, "sample": odd.sample, "count": odd.count, "gateway": self.name}
        odd.count, odd.written = 0, now
        self._tell(Kind.ODD, protocol, key, told)

    def _tell(self, kind: Kind, protocol: str, key: str, payload: dict[str, object]) -> None:
        self.record(kind, f"{protocol}:{key}", json.dumps(payload, ensure_ascii=False).encode())


@dataclass(slots=True)
class MemoryJournal:
    """A journal that keeps nothing beyond the process: for tests and for measuring listeners by themselves.

    With `hold` groups wait until `release` is called; `failure` is handed to everybody instead of durability.
    """

    hold: bool = False
    failure: JournalError | None = None
    paused: Callable[[], None] | None = None  # to be set to the hub's `pause`
    resumed: Callable[[], None] | None = None
    high: int = 16 << 20
    records: list[tuple[int, str, bytes, int]] = field(default_factory=list)
    waiting: list[tuple[tuple[int, str, bytes, int], Done | None]] = field(default_factory=list)
    pending_bytes: int = 0

    def add(self, kind: int, key: str, payload: bytes, received: int, done: Done | None = None) -> None:
        """Take a record; without `hold` it counts as durable before this returns."""
        self.waiting.append(((kind, key, payload, received), done))
        self.pending_bytes += len(payload)
        if not self.hold:
            self.release()
        elif self.pending_bytes > self.high and self.paused is not None:
            self.paused()

    def release(self) -> None:
        """Make everything that waits durable, or fail it."""
        waiting, self.waiting, self.pending_bytes = self.waiting, [], 0
        for record, done in waiting:
            if self.failure is None:
                self.records.append(record)
            if done is not None:
                done(self.failure)
        if self.resumed is not None:
            self.resumed()

    def of(self, *kinds: Kind) -> Iterable[tuple[int, str, bytes, int]]:
        """Return the durable records of these kinds in their order."""
        return [record for record in self.records if record[0] in kinds]
