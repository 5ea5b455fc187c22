"""The lake: readings as a Delta table, appended exactly once, with the journals' positions in the same commit.

One table `readings`, divided by `level` and `day`:

- level 0, day null: as they arrived, one file per commit, sorted by (point, time);
- level 1: the same rows sorted into local days (Asia/Shanghai), still with doubles between files;
- level 2: compacted: files of one day hold disjoint ranges of points, and (point, time) is unique;
- level 9: readings with a clock that cannot be right, apart from all others, under the day 1970-01-01.

Level 2 alone is what programs from outside should read of finished days; our own queries take all levels and let the greatest
(received, sequence) count. Moving rows upwards is one commit that removes and adds, so a crash leaves either the one or the
other. Beside it stand the tables `hourly` and `daily` (`rollup`).
"""

from collections.abc import Mapping

from yuanmai.devices.store import columns, rollup
from yuanmai.devices.store.columns import APART, ARRIVED, MISDATED
from yuanmai.devices.store.entries import LakeError, State
from yuanmai.devices.store.files import open_files
from yuanmai.devices.store.readings import Readings
from yuanmai.devices.store.table import Fault, Table

APP = "journal:"
PARTITION = {"level": "integer", "day": "date"}


class AlreadyCommitted(LakeError):  # noqa: N818
    """The lake is already at or behind these positions: the readings must not be appended again."""


class Lake:
    """The lake below a folder or an object store's address. Thread-safe; any number of processes may read and write."""

    def __init__(self, url: str, options: Mapping[str, str] | None = None) -> None:
        self.url, self.options = str(url).rstrip("/"), options
        self.readings = Table(open_files(f"{self.url}/readings", options), columns.SCHEMA, PARTITION)
        self.hourly = Table(open_files(f"{self.url}/hourly", options), rollup.SCHEMA, {"day": "date"})
        self.daily = Table(open_files(f"{self.url}/daily", options), rollup.SCHEMA, {"day": "date"})

    def append(self, readings: Readings, positions: Mapping[str, int]) -> int:
        """Append readings and set the positions of journals in one commit; return the version, which is durable.

        `positions`: journal stream -> sequence of the last record that is contained. Without readings only the positions
        move. Raises `AlreadyCommitted` when a stream does not move forward (read `positions()` and go on from there),
        `LakeError`, or `OSError` (disk full, broken): then nothing has happened, unless `positions()` says otherwise.
        """
        rows = columns.settle(columns.clean(readings))
        adds = []
        if len(rows):
            apart = columns.misdated(rows)
            if apart.any():
                part = {"level": str(APART), "day": MISDATED.isoformat()}
                adds.append(self.readings.write(columns.to_table(columns.take(rows, apart)), part))
                rows = columns.take(rows, ~apart)
        if len(rows):
            adds.append(self.readings.write(columns.to_table(rows), {"level": str(ARRIVED), "day": None}))
        moved = {APP + stream: int(sequence) for stream, sequence in positions.items()}

        def check(state: State) -> None:
            for app, sequence in moved.items():
                if state.transactions.get(app, -1) >= sequence:
                    raise AlreadyCommitted(
                        f"{app} stands at {state.transactions[app]}, which is not before {sequence}"
                    )

        if not adds and not moved:
            return self.readings.snapshot().version
        return self.readings.commit(adds, (), moved, check=check)

    def positions(self) -> dict[str, int]:
        """Return for each journal stream the sequence up to which its records are in the lake."""
        return {
            app.removeprefix(APP): sequence
            for app, sequence in self.readings.transactions().items()
            if app.startswith(APP)
        }

    def durable_positions(self) -> dict[str, int]:
        """Return the positions whose readings survive a power cut: what the journals may prune."""
        positions = self.positions()
        self.readings.sync()
        return positions

    def faults(self) -> list[Fault]:
        """Return what was found damaged, oldest first."""
        faults = [fault for table in (self.readings, self.hourly, self.daily) for fault in table.faults()]
        return sorted(faults, key=lambda fault: fault.at)
