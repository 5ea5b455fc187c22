"""One connection to a gateway or serial server, with everything behind it: one request at a time, in turn."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from yuanmai.gateway.hub import Hub
from yuanmai.gateway.orders import Order, Outcome
from yuanmai.protocols.faults import Fault

logger = logging.getLogger(__name__)

CONNECT_WITHIN = 5.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0  # between attempts to connect
LOST_AFTER = 3  # rounds without an answer until a device counts as gone
LONGEST_REST = (
    300.0  # seconds between two questions to a device that does not answer, unless its interval is longer
)
MOST_HEARD = 64 << 10  # bytes of one answer
MOST_BACK_OFF = 60.0
Answer = TypeVar("Answer")


class Codec(Protocol):
    """What finds frames in bytes: the decoders of `protocols`."""

    def feed(self, data: bytes) -> list[Any]:
        """Return the frames and faults that these bytes complete."""


class Device(Protocol):
    """One device on a bus, in the language it speaks."""

    protocol: str
    key: str
    interval: float

    async def poll(self, bus: "Bus") -> bool:
        """Ask for everything once and record it; return whether the device answered. Raises ConnectionError."""

    async def send(self, bus: "Bus", order: Order) -> Outcome:
        """Carry out a command. Raises RefusedError and ConnectionError."""


class BusyError(Exception):
    """The device is there but wants to be left alone for a while."""


class Bus:
    """The devices behind one address (`host:port`). Runs from `start` to `stop`."""

    def __init__(self, hub: Hub, host: str, port: int) -> None:
        self.hub, self.host, self.port = hub, host, port
        self.address = f"{host}:{port}"
        self.devices: dict[tuple[str, str], Device] = {}
        self.connected = False
        self._due: dict[tuple[str, str], float] = {}
        self._silent: dict[tuple[str, str], int] = {}  # rounds without an answer
        self._back_off: dict[tuple[str, str], float] = {}
        self._present: set[tuple[str, str]] = set()
        self._orders: deque[tuple[Device, Order, asyncio.Future[Outcome]]] = deque()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None
        self._sink: Callable[[bytes], None] | None = None
        self._lost: asyncio.Future[None] | None = None

    # --- running ----------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to connect and to ask."""
        self._task = asyncio.create_task(self._run(), name=f"bus {self.address}")

    async def stop(self) -> None:
        """End; who is asked at this moment is not waited for."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._leave("stopping")
        for _device, _order, answer in self._orders:
            answer.cancel()

    def put(self, devices: list[Device]) -> None:
        """Have these devices on the bus from now on, and no others."""
        new = {(device.protocol, device.key): device for device in devices}
        now = time.monotonic()
        for name in self.devices.keys() - new.keys():
            self._gone(name, "retired")
            self._due.pop(name, None)
        for name in new.keys() - self.devices.keys():
            # Not all in the same instant, on thousands of buses.
            self._due[name] = now + random.uniform(0, min(new[name].interval, 1.0)) * 0.2  # noqa: S311  # no secret
        self.devices = new
        self._wake.set()

    async def order(self, device: Device, order: Order) -> Outcome:
        """Carry out a command as soon as the bus is free."""
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._orders.append((device, order, answer))
        self._wake.set()
        return await answer

    async def _run(self) -> None:
        wait = FIRST_WAIT
        while True:
            try:
                await self._connect()
                wait = FIRST_WAIT
                await self._serve()
            except (OSError, TimeoutError) as error:
                self.hub.tally("poll.disconnected")
                if not self.connected:
                    for protocol, key in self.devices:
                        self.hub.count(protocol, key, "unreachable", f"{self.address} {error}")
            except Exception:
                logger.exception("%s: polling broke off", self.address)
            self._leave("closed")
            await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311  # no secret
            wait = min(wait * 2, LONGEST_WAIT)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        lost = loop.create_future()
        made = loop.create_connection(lambda: _Wire(self, lost), self.host, self.port)
        transport, _wire = await asyncio.wait_for(made, CONNECT_WITHIN)
        self._transport, self._lost, self.connected = transport, lost, True

    def _leave(self, reason: str) -> None:
        if self._transport is not None:
            self._transport.abort()
        self._transport, self.connected = None, False
        for name in list(self._present):
            self._gone(name, reason)

    async def _serve(self) -> None:
        while True:
            self._check()
            if self._orders:
                await self._command(*self._orders.popleft())
                continue
            now = time.monotonic()
            name = min(self._due, key=self._due.__getitem__, default=None)
            if name is not None and self._due[name] <= now:
                device = self.devices[name]
                self._due[name] = (
                    max(now, self._due[name] + device.interval)
                    if now - self._due[name] < device.interval
                    else now + device.interval
                )
                await self._poll(name, device)
                continue
            self._wake.clear()
            pause = self._due[name] - now if name is not None else 3600.0
            wakes: asyncio.Future[Any] = asyncio.ensure_future(self._wake.wait())
            assert self._lost is not None
            either: set[asyncio.Future[Any]] = {wakes, self._lost}
            await asyncio.wait(either, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            wakes.cancel()

    async def _poll(self, name: tuple[str, str], device: Device) -> None:
        try:
            answered = await device.poll(self)
        except BusyError as error:
            pause = self._back_off[name] = min(max(self._back_off.get(name, 0.0) * 2, 1.0), MOST_BACK_OFF)
            self._due[name] = max(self._due[name], time.monotonic() + pause)
            self.hub.count(*name, "busy", str(error))
            answered = True
        else:
            self._back_off.pop(name, None)
        if answered:
            self._silent.pop(name, None)
            if name not in self._present:
                self._present.add(name)
                self.hub.connected(*name, self.address)
            return
        self._silent[name] = self._silent.get(name, 0) + 1
        self.hub.count(*name, "no_answer", self.address)
        if self._silent[name] >= LOST_AFTER:
            self._gone(name, "silent")
            # Whoever is not there costs the others on the bus its time-outs: it is asked less often.
            rarer = device.interval * 2 ** min(self._silent[name] - LOST_AFTER + 1, 5)
            self._due[name] = time.monotonic() + min(rarer, max(device.interval, LONGEST_REST))

    async def _command(self, device: Device, order: Order, answer: asyncio.Future[Outcome]) -> None:
        if answer.done():
            return
        try:
            outcome = await device.send(self, order)
        except (ConnectionError, asyncio.CancelledError) as error:
            if not answer.done():
                answer.set_result(Outcome("queued", {"code": "disconnected"}))
            if isinstance(error, asyncio.CancelledError):
                raise
            raise
        except Exception as error:  # RefusedError and what a wrong point makes: it is the asker's
            if not answer.done():
                answer.set_exception(error)
            return
        if not answer.done():
            answer.set_result(outcome)

    def _gone(self, name: tuple[str, str], reason: str) -> None:
        if name in self._present:
            self._present.discard(name)
            self.hub.disconnected(*name, self.address, reason)

    # --- one request --------------------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self._transport is None or self._lost is None or self._lost.done():
            raise ConnectionResetError(f"{self.address} has closed the connection")

    async def exchange(
        self,
        request: bytes,
        codec: Codec,
        accept: Callable[[Any], Answer | None],
        timeout: float,
        odd: Callable[[Fault], None],
    ) -> Answer | None:
        """Send a request and return the first frame that `accept` makes something of, or nothing in time. Faults go to `odd`.

        What comes when nothing was asked is thrown away. Raises ConnectionError.
        """
        self._check()
        assert self._transport is not None
        assert self._lost is not None
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        heard = 0

        def sink(data: bytes) -> None:
            nonlocal heard
            heard += len(data)
            for frame in codec.feed(data) if heard <= MOST_HEARD else ():
                if isinstance(frame, Fault):
                    odd(frame)
                elif not answer.done() and (found := accept(frame)) is not None:
                    answer.set_result(found)

        self._sink = sink
        try:
            self._transport.write(request)
            either: set[asyncio.Future[Any]] = {answer, self._lost}
            await asyncio.wait(either, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._sink = None
        if answer.done():
            return answer.result()
        self._check()
        return None

    async def renew(self) -> None:
        """Begin a new connection: on this one a late answer could be taken for that to the next question. Raises OSError."""
        if self._transport is not None:
            self._transport.abort()
        await self._connect()

    def hear(self, data: bytes) -> None:
        """Take what comes."""
        if self._sink is not None:
            self._sink(data)
        else:
            self.hub.tally("poll.unasked", len(data))


class _Wire(asyncio.Protocol):
    def __init__(self, bus: Bus, lost: "asyncio.Future[None]") -> None:
        self.bus, self.lost = bus, lost

    def data_received(self, data: bytes) -> None:
        self.bus.hear(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.lost.done():
            self.lost.set_result(None)
