"""What is kept and what goes: segments of journals, the list of unknown devices; and the latest values after a power cut."""

import logging
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from yuanmai.devices.engine.quality import NOT_A_NUMBER
from yuanmai.devices.models import UnknownDevice
from yuanmai.devices.store.journal import Reader
from yuanmai.devices.store.lake import Lake
from yuanmai.devices.store.query import Queries
from yuanmai.devices.telemetry import forget_unknown
from yuanmai.gateway.ingest.refine import Newest
from yuanmai.gateway.ingest.slots import Slots
from yuanmai.gateway.ingest.tally import Tally

if TYPE_CHECKING:
    from yuanmai.gateway.ingest.adoption import Adoption
    from yuanmai.gateway.ingest.tables import Tables

logger = logging.getLogger(__name__)
STRANGERS_KEPT = 7 * 86_400_000_000  # µs: how long the frames of unknown devices wait for their adoption
ROOMY = 0.8  # of the disk; where it is fuller, unknown devices lose their frames first
LATEST_PIECE = 20_000  # points asked for at once


class Keeping:
    """Housekeeping of one ingest process."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prune(
        self,
        lake: Lake,
        readers: dict[str, Reader],
        saved: dict[str, int],
        tally: Tally,
        adoptions: "Iterable[Adoption]",
    ) -> None:
        """Remove segments that are durably in the lake, behind the saved state, and hold no frame of an unknown device."""
        durable = lake.durable_positions()
        wanted = self._wanted(tally)
        for adoption in adoptions:
            for stream in adoption.until:
                wanted[stream] = min(wanted.get(stream, 1 << 62), adoption.since.get(stream, 1))
        for stream, reader in readers.items():
            up_to = min(durable.get(stream, 0), saved.get(stream, 0), wanted.get(stream, 1 << 62) - 1)
            if up_to > 0:
                reader.prune(up_to)

    def _wanted(self, tally: Tally) -> dict[str, int]:
        """Return from which record on each journal is wanted for unknown devices; those not heard for long are forgotten."""
        now = time.time_ns() // 1000
        space = shutil.disk_usage(self.root)
        roomy = space.used < ROOMY * (space.used + space.free)
        wanted: dict[str, int] = {}
        for key, one in list(tally.strangers.items()):
            if now - one.last > STRANGERS_KEPT:
                del tally.strangers[key]
                UnknownDevice.objects.filter(protocol=key[0], key=key[1], dismissed_at=None).delete()
            elif roomy and now - one.first < STRANGERS_KEPT:
                wanted[one.stream] = min(wanted.get(one.stream, one.first_sequence), one.first_sequence)
        return wanted

    def adopted(self, keys: Iterable[tuple[str, str]]) -> None:
        """Take adopted devices off the list of unknown ones."""
        for protocol, key in keys:
            forget_unknown(protocol, key)

    def renew_latest(self, lake: Lake, slots: Slots, tables: "Tables") -> None:
        """Take the newest values from the lake: what the database wrote last may be lost with the power, the lake is not."""
        queries = Queries(lake)
        points = slots.point[: slots.count]
        for begin in range(0, len(points), LATEST_PIECE):
            found = queries.latest(points[begin : begin + LATEST_PIECE].tolist())
            value = np.where(found.quality & NOT_A_NUMBER, np.nan, found.value)
            # In the lake of compacted days the arrival is not kept: the time of the reading stands for it.
            received = np.where(found.received > 0, found.received, found.time)
            tables.newest(Newest(slots.of_points(found.point), found.time, value, found.quality, received))
