"""What the rounds of ingest write into the database: collected here, written together, kept where writing fails."""

import time
from typing import Any

import numpy as np
from django.db import transaction

from yuanmai.core.scope import everywhere
from yuanmai.devices import telemetry
from yuanmai.devices.models import DeviceState, Oddity, UnknownDevice
from yuanmai.devices.telemetry import OddRow, Revisions, UnknownRow
from yuanmai.gateway.ingest.decode import Decoder
from yuanmai.gateway.ingest.refine import NEVER, Newest
from yuanmai.gateway.ingest.slots import Slots
from yuanmai.gateway.ingest.tally import Count, Stranger

STATES_EVERY = 5.0  # seconds: counters and last_seen of devices about which nothing else has changed
COUNTS_EVERY = 2.0


class Tables:
    """The newest values not written yet, and when what was written last."""

    def __init__(self, slots: Slots) -> None:
        self.revisions = Revisions(telemetry.last_revision())
        self._states_at = self._counts_at = float("-inf")
        self.take_slots(slots)

    def take_slots(self, slots: Slots) -> None:
        """Begin with another version of the register; what waits must have been written."""
        self.slots = slots
        size = slots.count
        self.time = np.full(size, NEVER, np.int64)
        self.received = np.full(size, NEVER, np.int64)
        self.value = np.full(size, np.nan)
        self.quality = np.zeros(size, np.int16)
        self.dirty = np.zeros(size, np.bool_)

    def newest(self, found: Newest) -> None:
        """Take the newest values of a round."""
        slot = found.slot
        before = self.time[slot]
        later = (found.time > before) | ((found.time == before) & (found.received > self.received[slot]))
        slot = slot[later]
        self.time[slot], self.received[slot] = found.time[later], found.received[later]
        self.value[slot], self.quality[slot] = found.value[later], found.quality[later]
        self.dirty[slot] = True

    def write(self, decoder: Decoder, *, everything: bool = False) -> int:
        """Write what waits, in one short transaction; return the number of rows. Raises DatabaseError: then all still waits."""
        presence, tally = decoder.presence, decoder.tally
        presence.settle()
        now = time.monotonic()
        all_states = everything or now - self._states_at >= STATES_EVERY
        all_counts = everything or now - self._counts_at >= COUNTS_EVERY
        slots = np.flatnonzero(self.dirty)
        states = np.flatnonzero(presence.dirty if all_states else presence.urgent)
        odd = list(tally.changed_odd) if all_counts else []
        strangers = [key for key in tally.changed_strangers if key in tally.strangers] if all_counts else []
        rows = len(slots) + len(states) + len(odd) + len(strangers)
        if rows:
            with transaction.atomic():
                revision = self.revisions.next()
                telemetry.write_latest(
                    self.slots.point[slots], self.time[slots], self.value[slots], self.quality[slots],
                    self.received[slots], revision,
                )  # fmt: skip
                telemetry.write_states(self._states(decoder, states, revision))
                # A device that is in the register no more cannot be referred to.
                known = self.slots.registry.devices
                telemetry.write_oddities(
                    [_odd_row(key, tally.odd[key]) for key in odd if key[0] in known and key in tally.odd]
                )
                telemetry.write_unknown([_unknown_row(key, tally.strangers[key]) for key in strangers])
        self.dirty[slots] = False
        presence.urgent[states] = presence.dirty[states] = False
        if all_states:
            self._states_at = now
        if all_counts:
            self._counts_at = now
            tally.changed_odd.clear()
            tally.changed_strangers.clear()
        return rows

    def _states(self, decoder: Decoder, rows: Any, revision: int) -> list[list[Any]]:
        presence = decoder.presence
        return [
            self.slots.device[rows].tolist(), presence.online[rows].tolist(),
            telemetry.moments(presence.changed[rows], NEVER), telemetry.moments(presence.seen[rows], NEVER),
            [presence.address[row] for row in rows.tolist()], [presence.gateway[row] for row in rows.tolist()],
            telemetry.numbers(presence.longitude[rows]), telemetry.numbers(presence.latitude[rows]),
            telemetry.numbers(presence.direction[rows]), telemetry.numbers(presence.speed[rows]),
            telemetry.moments(presence.positioned[rows], NEVER), presence.frames[rows].tolist(),
            presence.readings[rows].tolist(), [revision] * len(rows),
        ]  # fmt: skip


def _odd_row(key: tuple[int, str], count: Count) -> OddRow:
    return OddRow(key[0], key[1], count.count, count.first, count.last, count.sample)


def _unknown_row(key: tuple[str, str], one: Stranger) -> UnknownRow:
    return UnknownRow(
        key[0],
        key[1],
        one.address,
        one.frames,
        one.first,
        one.last,
        one.stream,
        one.first_sequence,
        one.sample,
    )


def restore(decoder: Decoder) -> None:
    """Take counts and presence from the tables, where no saved state is left."""
    places = {number: index for index, number in enumerate(decoder.slots.device.tolist())}
    presence, tally = decoder.presence, decoder.tally
    with everywhere():
        for row in DeviceState.objects.filter(device_id__in=places).iterator():
            index = places[row.device_id]
            presence.online[index] = row.online
            presence.frames[index], presence.readings[index] = row.frames, row.readings
            presence.address[index], presence.gateway[index] = row.address, row.gateway
            for name, moment in (
                ("seen", row.last_seen),
                ("changed", row.changed_at),
                ("positioned", row.positioned_at),
            ):
                getattr(presence, name)[index] = micros(moment)
            for name in ("longitude", "latitude", "direction", "speed"):
                number = getattr(row, name)
                getattr(presence, name)[index] = np.nan if number is None else number
        odd: Any  # the manager's type names the states only
        for odd in Oddity.objects.filter(device_id__in=places).iterator():
            count = Count(odd.count, micros(odd.first_at), micros(odd.last_at), odd.sample)
            tally.put(odd.device_id, odd.kind, count)
        for one in UnknownDevice.objects.all().iterator():
            tally.strangers[one.protocol, one.key] = Stranger(
                one.stream, one.first_sequence, micros(one.first_seen), micros(one.last_seen), one.frames, one.address,
                one.sample,
            )  # fmt: skip


def micros(moment: Any) -> int:
    """Return a time of the database in microseconds since 1970; `NEVER` for none."""
    if moment is None:
        return NEVER
    return int(np.datetime64(moment.replace(tzinfo=None), "us").astype(np.int64))
