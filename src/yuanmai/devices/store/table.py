"""One Delta table: its files, its log, and what is wrong with them. Thread-safe; any number of processes."""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property

import pyarrow as pa

from yuanmai.devices.store import parquet, recovery
from yuanmai.devices.store.columns import COMPACTED, as_number
from yuanmai.devices.store.entries import DataFile, State
from yuanmai.devices.store.files import LocalFiles, ObjectFiles
from yuanmai.devices.store.log import Log

logger = logging.getLogger(__name__)
QUARANTINE = "_quarantine"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something found damaged. `kind`: log_entry_healed, log_entry_damaged, log_entry_rebuilt, checkpoint_damaged,
    file_damaged; `at`: when it was found (s since 1970)."""

    kind: str
    path: str
    detail: str
    at: float


@dataclass(frozen=True)
class Snapshot:
    """A table at one version: cannot change."""

    version: int
    files: tuple[DataFile, ...]
    transactions: Mapping[str, int]

    @cached_property
    def days(self) -> dict[int, list[DataFile]]:
        """The compacted files (of roll-ups: those of one day) by day number."""
        found: dict[int, list[DataFile]] = {}
        for file in self.files:
            if file.level == COMPACTED and file.day:
                found.setdefault(as_number(file.day), []).append(file)
        return found

    @cached_property
    def loose(self) -> tuple[DataFile, ...]:
        """The files that are not compacted yet."""
        return tuple(file for file in self.files if file.level < COMPACTED)


class Table:
    """A table of the lake. `partition`: names of the columns files are divided by, with "date" or "integer"."""

    def __init__(
        self,
        files: LocalFiles | ObjectFiles,
        schema: pa.Schema,
        partition: Mapping[str, str],
        moment: str = "time",
    ) -> None:
        self.files, self.schema, self.moment = files, schema, moment
        self._mutex = threading.RLock()
        self._log = Log(files, schema, partition, moment, self.fault, recovery.rebuild)
        self._told: set[tuple[str, str]] = set()
        self._snapshot = Snapshot(-1, (), {})
        with files.lock("open"):
            self._log.load()
        if files.local:
            recovery.check(self)

    # Reading

    def snapshot(self) -> Snapshot:
        """Return the newest version."""
        with self._mutex:
            self._log.refresh()
            state = self._log.state
            if self._snapshot.version != state.version:
                self._snapshot = Snapshot(
                    state.version, tuple(state.files.values()), dict(state.transactions)
                )
            return self._snapshot

    def arrived(self, after: int) -> tuple[int, list[DataFile] | None]:
        """Return the newest version and the files of arrivals that came after a version, moved on or not.

        None instead of files when too much has happened since to know.
        """
        with self._mutex:
            version = self.snapshot().version
            if after < self._log.arrived_from:
                return version, None
            return version, [file for number, file in self._log.arrived if number > after]

    def transactions(self) -> dict[str, int]:
        """Return the newest version of each application transaction."""
        return dict(self.snapshot().transactions)

    # Writing

    def write(
        self,
        rows: pa.Table,
        part: Mapping[str, str | None],
        *,
        row_group: int = parquet.ROW_GROUP,
        compression: int = 1,
        source: str = "",
    ) -> DataFile:
        """Write sorted rows as a durable file that no log entry names yet."""
        return parquet.write_file(
            self.files, rows, part, moment=self.moment, row_group=row_group, compression=compression, source=source
        )  # fmt: skip

    def commit(
        self,
        adds: Sequence[DataFile] = (),
        removes: Iterable[str] = (),
        transactions: Mapping[str, int] | None = None,
        *,
        operation: str = "WRITE",
        check: Callable[[State], None] = lambda state: None,
    ) -> int:
        """See `Log.commit`."""
        with self._mutex:
            return self._log.commit(adds, removes, transactions, operation=operation, check=check)

    def sync(self) -> None:
        """Make entries that other processes committed durable as well."""
        if isinstance(self.files, LocalFiles):
            self.files.sync_folder("_delta_log")

    def checkpoint(self, every: int = 1) -> bool:
        """Write a checkpoint when at least `every` entries stand behind the last one."""
        with self._mutex, self.files.lock("checkpoint"):
            self._log.refresh()
            if self._log.state.version - self._log.state.checkpoint < every:
                return False
            self._log.checkpoint()
            return True

    # Damage

    def fault(self, kind: str, path: str, detail: str) -> None:
        """Note something damaged: once in the server's log, once beside the quarantined file."""
        if (kind, path) in self._told:
            return
        self._told.add((kind, path))
        logger.error("lake %s: %s: %s: %s", self.files.root, kind, path, detail)
        fault = Fault(kind, path, detail, time.time())
        with contextlib.suppress(OSError):
            self.files.write(
                f"{QUARANTINE}/{path.replace('/', '_')}.{kind}.fault", json.dumps(asdict(fault)).encode()
            )

    def faults(self) -> list[Fault]:
        """Return what was ever found damaged here, newest last."""
        found = []
        for entry in self.files.listing(QUARANTINE):
            if entry.path.endswith(".fault"):
                with contextlib.suppress(OSError, ValueError, TypeError):
                    found.append(Fault(**json.loads(self.files.read(entry.path))))
        return sorted(found, key=lambda fault: fault.at)

    def quarantine(self, file: DataFile, reason: str) -> None:
        """Take a damaged file out of the table and keep its bytes apart."""
        with self._mutex:
            recovery.take_out(self, self._log, file, reason)

    def scrub(self, chosen: Iterable[DataFile] | None = None) -> list[Fault]:
        """Read files (all of them) against their checksums, quarantine what is damaged, return the faults."""
        before = {(f.kind, f.path) for f in self.faults()}
        for file in self.snapshot().files if chosen is None else chosen:
            reason = parquet.damage(self.files, file)
            if reason and any(file.path == now.path for now in self.snapshot().files):
                self.quarantine(file, reason)
        return [f for f in self.faults() if (f.kind, f.path) not in before]
