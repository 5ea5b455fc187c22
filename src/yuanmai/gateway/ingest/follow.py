"""The ingest process: follows all journals of this machine, round by round.

A round decodes what has come, hands it to the rules and writes the newest values; every few seconds the readings go into the
lake together with the positions of the journals. Killed at any instant, it goes on from the positions in the lake: what is
in there is there once, and what the tables of the database say is made again.
"""

import contextlib
import fcntl
import logging
import os
import time
from pathlib import Path
from typing import Protocol

import numpy as np
from django.db import DatabaseError, IntegrityError, close_old_connections, connection

from yuanmai.devices.engine.quality import CLOCK, JUMP, LATE, NOT_A_NUMBER, RANGE
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.queries import load_registry, registry_version
from yuanmai.devices.store.journal import Damage, JournalError, Reader, journals, recover
from yuanmai.devices.store.lake import AlreadyCommitted, Lake
from yuanmai.devices.store.readings import Readings
from yuanmai.gateway.ingest import checkpoint, refine, tables
from yuanmai.gateway.ingest.adoption import Adoption
from yuanmai.gateway.ingest.batch import Batch, Columns
from yuanmai.gateway.ingest.buffer import Buffer, Rewound
from yuanmai.gateway.ingest.decode import Decoder
from yuanmai.gateway.ingest.health import Health
from yuanmai.gateway.ingest.keeping import Keeping
from yuanmai.gateway.ingest.refine import Carry
from yuanmai.gateway.ingest.slots import Slots
from yuanmai.gateway.ingest.tables import Tables

logger = logging.getLogger(__name__)

ROUND = 0.25  # seconds
PIECE = 4 << 20  # bytes of one journal in one round
COMMIT_EVERY = 3.0
COMMIT_ROWS = 400_000
MOST_ROWS = 3_000_000  # not in the lake yet, above which nothing more is read
CHECKPOINT_EVERY = 30.0
LOOK_EVERY = 1.0  # for new journals, and another version of the register
SILENCE_EVERY = 1.0
ODD = {RANGE: "out_of_range", CLOCK: "clock", LATE: "late", NOT_A_NUMBER: "not_a_number", JUMP: "jump"}


class Evaluation(Protocol):
    """What evaluates the rules (`devices.rules.runtime`)."""

    def feed(self, readings: Readings, now: float) -> None:
        """Take new readings in the order they came."""

    def tick(self, now: float) -> None:
        """Hear that everything that came until now has been fed."""

    def flush(self) -> None:
        """Write alarms that have begun or ended. Raises `DatabaseError`."""

    def reload(self, registry: Registry) -> None:
        """Take another register."""


class Busy(Exception):  # noqa: N818  (a state, not an error)
    """Another ingest process follows these journals."""


class Ingest:
    """The process. `start`, then `round` again and again, then `close`."""

    def __init__(self, root: Path, lake: Lake, evaluation: Evaluation | None = None) -> None:
        self.root, self.lake, self.evaluation = root, lake, evaluation
        self.readers: dict[str, Reader] = {}
        self.positions: dict[str, int] = {}  # decoded
        self.buffer = Buffer(lake)
        self.adoptions: list[Adoption] = []
        self.health = Health(root)
        self.keeping = Keeping(root)
        self._at: dict[str, float] = {}
        self._lock = -1
        self._reload = False

    # --- begin and end --------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Take up where the last process ended, however it ended. Raises `Busy`."""
        self.root.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.root / ".ingest.lock", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(str(self.root)) from None
        slots = Slots(load_registry())
        self.decoder, self.carry, self.tables = Decoder(slots), Carry(slots.count), Tables(slots)
        self.buffer.start()
        saved = checkpoint.load(self.root)
        if saved is not None and all(
            position <= self.buffer.positions.get(stream, 0)
            for stream, position in saved["positions"].items()
        ):
            checkpoint.restore(saved, self.decoder, self.carry)
            self.positions = dict(saved["positions"])
            self.adoptions = [Adoption.of(one) for one in saved["adoptions"]]
        else:
            tables.restore(self.decoder)
            self.positions = self.buffer.journals()
            # From the first record on there is a state to go back to.
            checkpoint.save(self.root, self.positions, self.decoder, self.carry, [])
        if self.buffer.positions and (saved is None or saved["boot"] != checkpoint.boot()):
            # The machine has stopped: what the database wrote last may be gone, while the lake was synced.
            self.keeping.renew_latest(self.lake, slots, self.tables)
        recover(self.root)  # of journals whose writer is gone for good, the end may not be marked
        self._adopt(list(slots.by_number))
        self._discover()
        self._due("checkpoint", CHECKPOINT_EVERY)

    def close(self) -> None:
        """Write everything and let go."""
        try:
            self.write(everything=True)
            self.commit(saving=True)
        finally:
            for reader in self.readers.values():
                reader.close()
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1

    # --- a round --------------------------------------------------------------------------------------------------------

    def round(self) -> int:
        """Do what is due; return the number of records read."""
        if self._due("look", LOOK_EVERY):
            self._discover()
            self._look()
        count = self._read() if self.buffer.rows < MOST_ROWS else 0
        self._adopting()
        if self._due("silence", SILENCE_EVERY):
            self._silences()
        self.write()
        if self.buffer.rows >= COMMIT_ROWS or self._due("commit", COMMIT_EVERY):
            self.commit(saving=self._due("checkpoint", CHECKPOINT_EVERY))
        self.health.tell(self)
        return count

    def _due(self, what: str, every: float) -> bool:
        now = time.monotonic()
        if now - self._at.get(what, float("-inf")) < every:
            return False
        self._at[what] = now
        return True

    def _read(self) -> int:
        """Decode what the journals have, as far as a round may go; in pieces, so that one journal does not keep others waiting."""
        began, count = time.monotonic(), 0
        waiting = list(self.readers)
        while waiting:
            for stream in list(waiting):
                piece = self._piece(stream)
                count += piece
                if not piece:
                    waiting.remove(stream)
            self._settle()
            if time.monotonic() - began >= ROUND or self.buffer.rows >= MOST_ROWS:
                break
        self.buffer.reached(self.positions)
        self.health.records += count
        return count

    def _piece(self, stream: str) -> int:
        """Decode a piece of one journal; return the number of records."""
        reader = self.readers[stream]
        done = self.buffer.positions.get(stream, 0)
        try:
            records = reader.read(self.positions.get(stream, 0), PIECE)
        except (OSError, JournalError) as error:
            self.health.trouble(f"journal {reader.folder.name}", error)
            return 0
        take = self.decoder.take
        for record in records:
            take(stream, record, record.sequence > done)
        if records:
            self.positions[stream] = records[-1].sequence
            self.health.received = max(self.health.received, records[-1].received)
        return len(records)

    def _settle(self) -> None:
        """Make readings of what was decoded: judged, kept for the lake, compared with the newest, given to the rules."""
        batch, self.decoder.batch = self.decoder.batch, Batch()
        if not batch.slots and not batch.tables:
            return
        slots = self.decoder.slots
        columns = batch.columns(slots, [])
        refine.judge(columns, slots)
        keep = refine.watch(columns, slots, self.carry)
        self.decoder.presence.said(slots.owner[columns.slot[columns.slot < slots.count]])
        self._count(columns)
        self.buffer.add(refine.readings(columns, keep & columns.fresh))
        self.tables.newest(refine.newest(columns, slots))
        self.health.readings += len(columns)
        if self.evaluation is not None and columns.fresh.any():
            self.evaluation.feed(refine.readings(columns, columns.fresh), time.time())

    def _count(self, columns: Columns) -> None:
        """Count what is wrong with readings, by device."""
        if not columns.quality.any():
            return
        slots, tally = self.decoder.slots, self.decoder.tally
        for bit, kind in ODD.items():
            # From the end: the sample is the last one, however the journal is cut into rounds.
            rows = np.flatnonzero(((columns.quality & bit) != 0) & (columns.slot < slots.count))[::-1]
            if not len(rows):
                continue
            owners, first, counts = np.unique(
                slots.owner[columns.slot[rows]], return_index=True, return_counts=True
            )
            for owner, place, count in zip(
                owners.tolist(), rows[first].tolist(), counts.tolist(), strict=True
            ):
                point = slots.registry.points[int(columns.point[place])][1]
                moment = np.datetime64(int(columns.time[place]), "us")
                sample = f"{point.code}={float(columns.value[place])!r} {moment}Z"
                tally.add(int(slots.device[owner]), kind, int(columns.received[place]), sample, count)

    def _silences(self) -> None:
        """See who has been silent too long. Not while there is more to be read: it may have spoken."""
        if any(reader.durable() > self.positions.get(stream, 0) for stream, reader in self.readers.items()):
            return
        self.decoder.presence.silences(time.time_ns() // 1000)
        if self.evaluation is not None:
            self.evaluation.tick(time.time())

    # --- what is written ------------------------------------------------------------------------------------------------

    def write(self, *, everything: bool = False) -> None:
        """Write the newest values and states; what cannot be written now waits for the next round."""
        try:
            self.health.written += self.tables.write(self.decoder, everything=everything)
            if self.evaluation is not None:
                self.evaluation.flush()
            self.health.ok("database")
        except IntegrityError:
            logger.warning("the register has changed under the readings; it is read again")
            self._reload = True
        except DatabaseError as error:
            self.health.trouble("database", error)
            with contextlib.suppress(Exception):
                if not connection.in_atomic_block:
                    connection.close_if_unusable_or_obsolete()

    def commit(self, *, saving: bool = False) -> bool:
        """Put the readings into the lake; with `saving` keep the state that goes with it and prune the journals."""
        try:
            self.buffer.commit()
            self.health.ok("lake")
            if saving:
                checkpoint.save(
                    self.root,
                    self.positions,
                    self.decoder,
                    self.carry,
                    [one.plain() for one in self.adoptions],
                )
                self.keeping.prune(
                    self.lake, self.readers, self.positions, self.decoder.tally, self.adoptions
                )
                if not connection.in_atomic_block:
                    close_old_connections()
        except (AlreadyCommitted, Rewound):
            # Another process writes these streams, or the lake was damaged: what stands in memory is worth nothing any more.
            logger.error("the lake stands elsewhere than this process left it; it begins again")
            raise
        except Exception as error:  # disk full, store away: everything waits, nothing is lost
            self.health.trouble("lake", error)
            return False
        return True

    # --- journals and register ------------------------------------------------------------------------------------------

    def _discover(self) -> None:
        """Follow journals that are new."""
        known = {reader.folder for reader in self.readers.values()}
        for folder in journals(self.root):
            if folder not in known:
                with contextlib.suppress(JournalError):
                    reader = Reader(folder, lambda damage, name=folder.name: self._damaged(name, damage))  # type: ignore[misc]
                    self.readers[reader.stream] = reader

    def _damaged(self, name: str, damage: Damage) -> None:
        self.health.damages += 1
        logger.error("journal %s is damaged: %s", name, damage)

    def _look(self) -> None:
        """Take another version of the register."""
        try:
            if registry_version() == self.decoder.slots.version and not self._reload:
                return
            registry = load_registry()
        except DatabaseError as error:
            self.health.trouble("database", error)
            return
        self.write(everything=True)
        before, slots = self.decoder.slots, Slots(registry)
        added = [number for number in slots.by_number if number not in before.by_number]
        self.carry = self.carry.moved(before, slots)
        self.decoder.reload(slots)
        self.tables.take_slots(slots)
        self._reload = False
        for adoption in self.adoptions:
            adoption.decoder = None  # it begins again with the new register
        self._adopt(added)
        if self.evaluation is not None:
            self.evaluation.reload(registry)

    def _adopt(self, numbers: list[int]) -> None:
        """See which devices new in the register have spoken before."""
        tally = self.decoder.tally
        pairs = []
        for number in numbers:
            device = self.decoder.slots.by_number[number].device
            if (device.protocol, device.key) in tally.strangers:
                pairs.append((number, (device.protocol, device.key)))
        if not pairs or not self.commit():
            return
        since: dict[str, int] = {}
        for _number, key in pairs:
            stranger = tally.strangers.pop(key)
            known = since.get(stranger.stream, stranger.first_sequence)
            since[stranger.stream] = min(known, stranger.first_sequence)
        mark = max(time.time_ns() // 1000, *(one.mark + 1 for one in self.adoptions), 0)
        numbers = [number for number, _key in pairs]
        self.adoptions.append(
            Adoption(numbers, [key for _number, key in pairs], since, dict(self.positions), mark)
        )
        self.commit(saving=True)

    def _adopting(self) -> None:
        """Bring in one more piece of what adopted devices have said before."""
        if not self.adoptions:
            return
        adoption = self.adoptions[0]
        slots = self.decoder.slots
        if adoption.decoder is None:
            adoption.begin(slots, self.decoder.nodes)
        if not adoption.step(self.root, slots):
            return
        marks = adoption.marks()
        columns = adoption.columns()
        if any(self.buffer.positions.get(name, -1) < mark for name, mark in marks.items()):
            try:
                chosen = np.ones(0 if columns is None else len(columns), np.bool_)
                self.buffer.append_now(None if columns is None else refine.readings(columns, chosen), marks)
            except Exception as error:
                self.health.trouble("lake", error)
                adoption.decoder = None
                return
        if columns is not None:
            self.tables.newest(refine.newest(columns, slots))
            self.decoder.presence.said(slots.owner[columns.slot])
        self.keeping.adopted(adoption.strangers)
        self.adoptions.pop(0)
        self.commit(saving=True)
