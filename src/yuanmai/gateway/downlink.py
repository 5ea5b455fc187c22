"""Commands from the table to the devices: claimed by compare-and-swap, sent, followed, written back.

One thread speaks with the database, the loop never waits for it. A claim is a lease: a gateway renews the leases of what it has
under way; where one runs out, whoever reaches the device takes the command over. Commands wait for their device until they
expire. The register is read again whenever its version has grown.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from django.db import DatabaseError, close_old_connections

from yuanmai.gateway.claims import Change, Claimed, Claims, scrubbed
from yuanmai.gateway.hub import Hub
from yuanmai.gateway.orders import Order, Outcome, RefusedError, Sender

logger = logging.getLogger(__name__)
T = TypeVar("T")

POLL = 0.3  # seconds between two looks at the table
MOST_AT_ONCE = 500  # commands under way in one gateway
PATIENCE = 5.0  # seconds that a round may take which is under way at the end
RETRY = 2.0  # seconds after the database could not be asked


@dataclass(slots=True)
class UnderWay:
    """A command that this gateway has claimed."""

    order: Order
    claimed: Claimed
    task: asyncio.Task[None] | None = None
    changed: bool = False
    outcome: Outcome | None = None
    dropped: bool = False


class Downlink:
    """The commands of one gateway."""

    def __init__(self, hub: Hub, claims: Claims | None = None, *, poll: float = POLL) -> None:
        self.hub, self.poll = hub, poll
        self.claims = claims or Claims(hub.name)
        self.under_way: dict[int, UnderWay] = {}
        self.late: dict[int, Order] = {}  # commands that have ended and were answered since
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="commands")
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._trouble = False
        self._stopping = False

    async def prepare(self) -> None:
        """Read the register. Without a database the gateway starts all the same: frames are kept, whoever sends them."""
        await self._refresh()
        await self._ask(self.claims.recover)

    async def start(self) -> None:
        """Begin to look for commands."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Give back what is under way: another gateway, or this one after its restart, goes on with it."""
        if self._task is not None:
            # Not in the midst of a round: what the database does then nobody would hear of.
            self._stopping = True
            self._wake.set()
            await asyncio.wait({self._task}, timeout=PATIENCE)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for each in list(self.under_way.values()):
            if each.task is not None:
                each.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await each.task
        for each in self.under_way.values():
            each.dropped = each.outcome is None
        await self._write()
        await asyncio.get_running_loop().run_in_executor(self._thread, close_old_connections)
        self._thread.shutdown(wait=True)

    async def _run(self) -> None:
        while not self._stopping:
            try:
                await self._refresh()
                await self._write()
                await self._claim()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self.poll)
                self._wake.clear()
            except asyncio.CancelledError:
                raise
            except Exception:
                logger.exception("commands could not be looked after")
                await asyncio.sleep(RETRY)

    async def _ask(self, work: Callable[[], T]) -> T | None:
        """Do something with the database in its thread; nothing where it cannot be asked."""

        def run() -> T:
            close_old_connections()
            return work()

        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._thread, run)
        except DatabaseError as error:
            if not self._trouble:
                logger.warning("the database cannot be asked: %s", error)
            self._trouble = True
            await asyncio.sleep(RETRY)
            return None
        if self._trouble:
            logger.warning("the database answers again")
        self._trouble = False
        return answer

    async def _refresh(self) -> None:
        known = self.hub.registry.version if self.claims.loaded else -1
        registry = await self._ask(lambda: self.claims.registry_after(known))
        if registry is not None:
            self.hub.take_registry(registry)

    # --- claiming -------------------------------------------------------------------------------------------------------

    async def _claim(self) -> None:
        room = MOST_AT_ONCE - len(self.under_way)
        if room <= 0:
            return
        waiting = await self._ask(self.claims.waiting)
        if not waiting:
            return
        devices = self.hub.registry.devices
        find = self.hub.commands.find
        here = {
            number for _command, number in waiting if number in devices and find(devices[number]) is not None
        }
        mine = [command for command, number in waiting if number in here and command not in self.under_way][
            :room
        ]
        others = [command for command, number in waiting if number not in here]
        if not mine and not others:
            return
        claimed = await self._ask(lambda: self.claims.claim(mine, others))
        for row in claimed or ():
            device = devices.get(row.device)
            sender = find(device) if device is not None else None
            if device is None or row.number in self.under_way:
                continue
            order = Order(
                row.number, row.uid, device, row.verb, row.parameters, row.expires, attempts=row.attempts, request=row.request,
                trace=list(row.trace),
            )  # fmt: skip
            each = self.under_way[row.number] = UnderWay(order, row)
            order.changed = self._changed
            if sender is None:  # it has gone between the question and the answer
                each.outcome = Outcome("queued", {"code": "disconnected"})
                each.changed = True
            elif row.taken_over and not row.repeatable:
                each.outcome = Outcome("failed", {"code": "interrupted"})
                each.changed = True
            else:
                each.task = asyncio.create_task(self._send(each, sender))

    async def _send(self, each: UnderWay, sender: Sender) -> None:
        order = each.order
        try:
            outcome = await sender(order)
            if (
                outcome.state == "queued"
                and order.attempts > each.claimed.attempts
                and not each.claimed.repeatable
            ):
                outcome = Outcome("failed", {"code": "interrupted"})
        except RefusedError as error:
            outcome = Outcome("failed", {"code": error.code, "detail": error.detail})
        except asyncio.CancelledError:
            raise
        except Exception as error:
            logger.exception("command %s could not be sent", order.uid)
            outcome = Outcome("failed", {"code": "error", "detail": str(error)[:200]})
        each.outcome, each.changed = outcome, True
        self._wake.set()

    def _changed(self, order: Order) -> None:
        """An order has something new to tell; called by senders, also after its end."""
        each = self.under_way.get(order.number)
        if each is not None:
            each.changed = True
            self._wake.set()
        elif order.ended:
            self.late[order.number] = order

    # --- writing back ---------------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        changes = [
            change
            for change in (self._change(each) for each in self.under_way.values())
            if change is not None
        ]
        late = [
            Change(order.number, order.state, trace=list(order.trace), late=True)
            for order in self.late.values()
        ]
        self.late.clear()
        leases = [
            number for number, each in self.under_way.items() if each.outcome is None and not each.dropped
        ]
        if not (changes or late or leases):
            return
        lost = await self._ask(lambda: self.claims.write(changes + late, leases))
        if lost is None:  # nothing is known of what was written: write it all again
            for each in self.under_way.values():
                each.changed = True
            return
        for number in list(self.under_way):
            each = self.under_way[number]
            if number in lost and each.task is not None and not each.task.done():
                logger.warning("command %s has been taken over by another gateway", each.order.uid)
                each.task.cancel()
            if number in lost or (each.outcome is not None and not each.changed) or each.dropped:
                del self.under_way[number]

    def _change(self, each: UnderWay) -> Change | None:
        if each.dropped:
            return Change(
                each.order.number,
                "released",
                attempts=each.order.attempts,
                request=each.order.request,
                trace=list(each.order.trace),
            )
        if not each.changed:
            return None
        each.changed = False
        order, outcome = each.order, each.outcome
        state = order.state if outcome is None else outcome.state
        if outcome is not None:
            order.ended, order.state = outcome.state != "queued", outcome.state
            if order.ended:
                order.trace[:] = scrubbed(order.trace, each.claimed.secrets)
                order.secrets = each.claimed.secrets
        return Change(
            order.number, state, attempts=order.attempts, request=order.request, trace=list(order.trace),
            answer=dict(outcome.answer) if outcome is not None else None,
            answered=any(entry["direction"] == "in" for entry in order.trace),
        )  # fmt: skip
