"""One gateway from start to stop: journal, register, listeners, commands.

Stopping is orderly: nothing new is taken, what is under way is made durable and acknowledged, then connections end. A gateway
that is killed instead loses nothing either: what was acknowledged is in the journal, what was not is sent again.
"""

import asyncio
import contextlib
import importlib
import logging
import resource
import signal
from collections.abc import Callable

from yuanmai.gateway.hub import Commits, Hub, Listener
from yuanmai.gateway.options import Options

logger = logging.getLogger(__name__)

# What makes the listeners and pollers: `make(hub, options) -> list of listeners`.
LISTENERS = (
    "yuanmai.gateway.hj212:listeners",
    "yuanmai.gateway.jt808:listeners",
    "yuanmai.gateway.mqtt:listeners",
    "yuanmai.gateway.pollers:listeners",
)
STOP_WITHIN = 10.0  # seconds until what is under way must be durable

Ready = Callable[["Gateway"], None]


class Gateway:
    """A running gateway. `listeners` are in the order of `LISTENERS`."""

    def __init__(self, options: Options, hub: Hub, listeners: list[Listener]) -> None:
        self.options, self.hub, self.listeners = options, hub, listeners
        self.stopping = asyncio.Event()
        self._pulse: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start every listener; when one cannot, those before it are stopped and the error is raised."""
        started: list[Listener] = []
        try:
            for listener in self.listeners:
                started.append(listener)
                await listener.start()
        except BaseException:
            for listener in reversed(started):
                with contextlib.suppress(Exception):
                    await listener.stop()
            raise
        self._pulse = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Stop listening and close what is open; counts that were not told yet are told."""
        for listener in self.listeners:
            try:
                await asyncio.wait_for(listener.stop(), STOP_WITHIN)
            except Exception:
                logger.exception("%s did not stop", type(listener).__name__)
        if self._pulse is not None:
            self._pulse.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pulse
        self.hub.tell_odd(everything=True)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(1)
            try:
                self.hub.tell_odd()
            except Exception:
                logger.exception("counts of oddities could not be written")


def make_listeners(hub: Hub, options: Options) -> list[Listener]:
    """Return all listeners and pollers that the options ask for."""
    made: list[Listener] = []
    for place in LISTENERS:
        module, function = place.split(":")
        made += getattr(importlib.import_module(module), function)(hub, options)
    return made


def allow_connections(wanted: int) -> None:
    """Raise the number of open files to what the connections need, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = wanted + 1_000
    if soft != resource.RLIM_INFINITY and soft < want:
        allowed = want if hard == resource.RLIM_INFINITY else min(want, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, allowed), hard))
        if allowed < want:
            logger.warning("only %d files may be open: fewer connections than allowed will be taken", allowed)


async def serve(options: Options, ready: Ready | None = None) -> None:
    """Run a gateway until SIGTERM or SIGINT; `ready` is called when it listens.

    Raises OSError where an address or the journal cannot be had (another process holds it).
    """
    from yuanmai.devices.store.journal import GroupCommit, Journal
    from yuanmai.gateway.downlink import Downlink

    allow_connections(options.limits.connections)
    loop = asyncio.get_running_loop()
    journal = Journal.open(options.journals, options.name)
    try:
        commits = GroupCommit(journal, loop, paused=lambda: hub.pause(), resumed=lambda: hub.resume())
        hub = make_hub(options, commits)
        gateway = Gateway(options, hub, make_listeners(hub, options))
        downlink = Downlink(hub)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, gateway.stopping.set)
        await downlink.prepare()  # the register first: whoever connects is known
        await gateway.start()
        await downlink.start()
        if ready is not None:
            ready(gateway)
        try:
            await gateway.stopping.wait()
        finally:
            await downlink.stop()
            await gateway.stop()
            await commits.close()
    finally:
        journal.close()


def make_hub(options: Options, commits: Commits) -> Hub:
    """Return the hub of a gateway of this installation."""
    from django.conf import settings

    return Hub(options.name, commits, limits=options.limits, secret=settings.SECRET_KEY.encode())
