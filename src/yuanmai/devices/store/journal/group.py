"""Many writers, few syncs: for threads and for an event loop."""

import asyncio
import threading
from collections.abc import Callable, Sequence

from yuanmai.devices.store.journal.errors import JournalBroken, JournalError
from yuanmai.devices.store.journal.format import RECORD_BYTES, Entry, entry
from yuanmai.devices.store.journal.writer import Journal, Ticket
from yuanmai.devices.store.records import Record

HIGH_BYTES = 32 << 20
LOW_BYTES = 8 << 20

Done = Callable[[JournalError | None], None]


def write_durable(journal: Journal, records: Sequence[Record]) -> int:
    """Write records from a thread; return the sequence of the first when all are durable. The sequences they carry are not used.

    Threads that come while another's sync runs go into one group. Raises JournalFull, JournalBroken (nothing is kept), ValueError.
    """
    ticket = Ticket([entry(row.kind, row.key, row.payload, row.received) for row in records])
    with journal.queue_lock:
        journal.queue.append(ticket)
    with journal.lock:
        if not ticket.settled:
            with journal.queue_lock:
                group, journal.queue = journal.queue, []
            _settle(journal, group)
    if ticket.error is not None:
        raise type(ticket.error)(str(ticket.error)) from ticket.error
    return ticket.first


def _settle(journal: Journal, group: list[Ticket]) -> None:
    try:
        first = journal.commit([row for ticket in group for row in ticket.entries])
    except JournalError as error:
        for ticket in group:
            ticket.error, ticket.settled = error, True
        return
    for ticket in group:
        ticket.first, ticket.settled = first, True
        first += len(ticket.entries)


class GroupCommit:
    """Writes of an event loop: one thread syncs, whatever comes meanwhile is the next group, the loop never waits.

    `paused` is called when more than `high_bytes` wait (stop reading from sockets), `resumed` when fewer than `low_bytes` do.
    To be used from the loop's thread only.
    """

    def __init__(
        self, journal: Journal, loop: asyncio.AbstractEventLoop, *, high_bytes: int = HIGH_BYTES,
        low_bytes: int = LOW_BYTES, paused: Callable[[], None] | None = None, resumed: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        self.journal = journal
        self.pending_bytes = 0
        self._loop = loop
        self._high, self._low = high_bytes, low_bytes
        self._paused_call, self._resumed_call = paused, resumed
        self.is_paused = False
        self._entries: list[Entry] = []
        self._dones: list[Done | None] = []
        self._bytes = 0
        self._running = False
        self._closed = False
        self._idle: list[asyncio.Future[None]] = []
        self._wake = threading.Condition()
        self._job: list[Entry] | None = None
        self._stop = False
        self._thread = threading.Thread(target=self._work, name=f"journal {journal.folder.name}", daemon=True)
        self._thread.start()

    def add(self, kind: int, key: str, payload: bytes, received: int, done: Done | None = None) -> None:
        """Have a record written; `done(None)` is called when it is durable, `done(error)` when it is not kept. Raises ValueError."""
        if self._closed:
            raise JournalBroken(f"{self.journal.folder}: closed")
        made = entry(kind, key, payload, received)
        self._entries.append(made)
        self._dones.append(done)
        size = RECORD_BYTES + len(made.key) + len(payload)
        self._bytes += size
        self.pending_bytes += size
        if not self._running:
            # At the end of this turn of the loop: what its other sockets bring goes into the same group.
            self._running = True
            self._loop.call_soon(self._start)
        if self.pending_bytes > self._high and not self.is_paused:
            self.is_paused = True
            if self._paused_call is not None:
                self._paused_call()

    async def flush(self) -> None:
        """Return when everything added so far is settled."""
        while self._running:
            waiter = self._loop.create_future()
            self._idle.append(waiter)
            await waiter

    async def close(self) -> None:
        """Settle what was added, then stop the thread. The journal stays open."""
        self._closed = True
        await self.flush()
        with self._wake:
            self._stop = True
            self._wake.notify()
        await self._loop.run_in_executor(None, self._thread.join)

    def _start(self) -> None:
        entries, self._entries = self._entries, []
        dones, self._dones = self._dones, []
        self._flight = (dones, self._bytes)
        self._bytes = 0
        with self._wake:
            self._job = entries
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while self._job is None and not self._stop:
                    self._wake.wait()
                if self._job is None:
                    return
                entries, self._job = self._job, None
            error: JournalError | None = None
            try:
                self.journal.commit(entries)
            except JournalError as caught:
                error = caught
            except Exception as caught:  # whatever it is, the waiting must hear of it
                error = JournalBroken(f"{self.journal.folder}: {caught!r}")
            if self._loop.is_closed():
                return
            self._loop.call_soon_threadsafe(self._finish, error)

    def _finish(self, error: JournalError | None) -> None:
        dones, size = self._flight
        self.pending_bytes -= size
        if self._entries:
            self._start()
        else:
            self._running = False
            waiters, self._idle = self._idle, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
        for done in dones:
            if done is not None:
                try:
                    done(error)
                except Exception as caught:
                    self._loop.call_exception_handler(
                        {"message": "answer after a journal write", "exception": caught}
                    )
        if self.is_paused and self.pending_bytes < self._low:
            self.is_paused = False
            if self._resumed_call is not None:
                self._resumed_call()
