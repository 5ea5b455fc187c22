"""Readings in, transitions of alarms out: live and, with the same code, over history.

Rules of time, which make the answer independent of how the readings are cut into pieces:

* A reading counts at its time; one from the future, or whose clock is wrong, at its arrival.
* Within one call readings are taken in order of time. One that is older than the newest of its point does not change the present.
* Durations run on the device's own times. What falls due without a reading is settled when `grace` more than the device's usual
  delay has passed, so that readings which are only late are heard first.
* Silence is measured by arrival.
* Conditions that combine devices compare their times as they are.

Readings of points without rules cost one look into a table; readings that cannot change a condition one comparison, both in numpy.
"""

import heapq
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from yuanmai.common.working_days import WorkingDays, china
from yuanmai.devices.engine.quality import CLOCK, EXCLUDED
from yuanmai.devices.engine.registry import Registry
from yuanmai.devices.engine.rules.leaves import SECOND
from yuanmai.devices.engine.rules.slots import Slots
from yuanmai.devices.engine.rules.target import Plan, Rule, Target, Transition
from yuanmai.devices.engine.rules.windows import Activity
from yuanmai.devices.store.readings import Readings

GRACE = 2 * SECOND
READING, SILENT, HEARD = 0, 1, 2
Key = tuple[int, int]  # rule, device


class Evaluator:
    """All rules in force over all devices in use. `begin` is when listening began: silence is counted from there at the earliest."""

    def __init__(
        self, rules: Iterable[Rule], registry: Registry, *, begin: int = 0, grace: int = GRACE,
        calendar: WorkingDays | None = None,
    ) -> None:  # fmt: skip
        self.grace = grace
        self.watermark = begin  # how far arrival has come
        self.late = 0  # readings that were older than the newest of their point
        self._calendar = calendar or china()
        self._out: list[Transition] = []
        self._targets: dict[Key, Target] = {}
        self._heap: list[tuple[int, int, Key]] = []
        self._count = 0
        self._changed: set[Key] = set()
        self._turned: set[Key] = set()
        self._signs: dict[Key, tuple[object, ...]] = {}
        self._plans: dict[int, Plan] = {}
        self._load(rules, registry, begin)

    def _load(self, rules: Iterable[Rule], registry: Registry, begin: int) -> None:
        self._plans = {
            rule.number: Plan.of(rule, Activity(rule.definition.active, self._calendar)) for rule in rules
        }
        self._slots = Slots(self._plans.values(), registry, begin)

    # -- feeding ---------------------------------------------------------------------------------------------------------

    def feed(self, readings: Readings, now: int | None = None) -> list[Transition]:
        """Take readings and return what they brought about; `now`, where given, is how far arrival has come at least."""
        events: list[tuple[int, int, int, int, int, float, int, int]] = []
        if len(readings):
            events = self._readings(readings)
            now = max(now or 0, int(readings.received.max()))
        self.watermark = max(self.watermark, now or 0)
        self._fall_silent(events)
        events.sort(key=lambda event: event[:2])
        for clock, _order, kind, slot, moment, value, quality, lag in events:
            self._settle(clock)
            target, key = self._target(slot)
            if kind == READING:
                target.reading(
                    int(self._slots.leaf[slot]), moment, value, quality, self._slots.codes[slot], lag
                )
            else:
                # `lag` carries when the silent point was last heard.
                target.silence(int(self._slots.leaf[slot]), kind == SILENT, moment, lag)
            self._after(target, key, slot)
        self._settle(self.watermark)
        out, self._out[:] = list(self._out), []
        return out

    def tick(self, now: int) -> list[Transition]:
        """Say that time has come to `now` with no further readings: durations end, silence is noticed."""
        return self.feed(_NONE, now)

    def _readings(self, readings: Readings) -> list[tuple[int, int, int, int, int, float, int, int]]:
        """Return the events of readings that may change something: (clock, order, kind, slot, moment, value, quality, lag)."""
        slots = self._slots
        watched = slots.watched(readings.point)
        rows = np.flatnonzero(watched >= 0)
        if not len(rows):
            return []
        watched, quality, received = watched[rows], readings.quality[rows], readings.received[rows]
        moment = np.where(quality & CLOCK, received, np.minimum(readings.time[rows], received))
        value, sequence = readings.value[rows], readings.sequence[rows]
        events = self._heard(watched, received)
        order = np.lexsort((sequence, received, moment))
        order = order[slots.is_news(watched, moment, received, sequence)[order]]
        self.late += len(rows) - len(order)
        watched, quality, received = watched[order], quality[order], received[order]
        moment, value, sequence = moment[order], value[order], sequence[order]
        slots.take_news(watched, moment, received, sequence)
        row, slot = slots.expand(watched)
        if not len(slot):
            return events
        flags, number = quality[row], value[row]
        good = ((flags & EXCLUDED) == 0) & ~np.isnan(number)
        beyond = (number > slots.high[slot]) | (number < slots.low[slot])
        needed = (
            slots.always[slot] | (good & (beyond != slots.negate[slot])) | ((flags & slots.mask[slot]) != 0)
        )
        hot = np.zeros(len(slots.always), bool)
        hot[slot[needed]] = True
        chosen = np.flatnonzero(hot[slot])
        # The clock of an event is how far arrival had come when it is taken: the same however the readings are cut.
        clock = np.maximum.accumulate(np.maximum(received, self.watermark))
        row, slot = row[chosen], slot[chosen]
        events += zip(
            clock[row].tolist(), range(1, len(chosen) + 1), [READING] * len(chosen), slot.tolist(), moment[row].tolist(),
            value[row].tolist(), quality[row].tolist(), np.maximum(received[row] - moment[row], 0).tolist(), strict=True,
        )  # fmt: skip
        return events

    def _heard(self, watched: npt.NDArray[Any], received: npt.NDArray[Any]) -> list[Any]:
        """Note arrivals; return the silences that ended with them, also those nobody has noticed yet."""
        slots = self._slots
        row, silent = slots.expand_silence(watched)
        if not len(row):
            return []
        at = received[row]
        order = np.lexsort((at, silent))
        silent, at = silent[order], at[order]
        heard = slots.heard[silent]
        previous = np.where(np.r_[True, silent[1:] != silent[:-1]], 0, np.r_[0, at[:-1]])
        before = np.maximum(previous, heard)
        first = (at > heard) & (previous <= heard)  # what is fed again after a crash is no news
        gap = at - before > slots.after[silent] + self.grace
        ended = gap | (first & slots.silent[silent])
        events = []
        for i in np.flatnonzero(ended):
            s, was, now = int(silent[i]), int(before[i]), int(at[i])
            slot = int(slots.silence_slot[s])
            if gap[i] and not (first[i] and slots.silent[s]):
                due = was + int(slots.after[s])
                events.append((due + self.grace, 0, SILENT, slot, due, 0.0, 0, was))
            events.append((max(now, self.watermark), 0, HEARD, slot, now, 0.0, 0, now))
        slots.silent[silent[ended]] = False
        slots.heard[silent] = np.maximum(slots.heard[silent], at)  # sorted: the last of each stays
        return events

    def _fall_silent(self, events: list[Any]) -> None:
        slots = self._slots
        due = slots.heard + slots.after
        for s in np.flatnonzero((self.watermark > due + self.grace) & ~slots.silent):
            slots.silent[s] = True
            at = int(due[s])
            events.append(
                (at + self.grace, 0, SILENT, int(slots.silence_slot[s]), at, 0.0, 0, int(slots.heard[s]))
            )

    # -- targets ---------------------------------------------------------------------------------------------------------

    def _target(self, slot: int) -> tuple[Target, Key]:
        key = (int(self._slots.rule[slot]), int(self._slots.device[slot]))
        target = self._targets.get(key)
        if target is None:
            plan = self._plans[key[0]]
            target = self._targets[key] = Target(plan, key[1], self._slots.points[key], self._out)
        return target, key

    def _after(self, target: Target, key: Key, slot: int | None = None) -> None:
        """Remember what a target waits for, and whether its readings may be passed over."""
        self._changed.add(key)
        if self._signs.get(key) != (sign := target.sign()):
            self._signs[key] = sign
            self._turned.add(key)
        due = target.due()
        if due != target.told:
            target.told = due
            if due is not None:
                self._count += 1
                heapq.heappush(self._heap, (due + target.lag + self.grace, self._count, key))
        wakeful = not target.quiet
        for mine in self._slots.of_target[key]:
            self._slots.always[mine] = wakeful or self._slots.restless[mine]

    def _settle(self, clock: int) -> None:
        """Settle what has fallen due everywhere by `clock`."""
        while self._heap and self._heap[0][0] <= clock:
            at, _count, key = heapq.heappop(self._heap)
            target = self._targets.get(key)
            if target is None or target.told is None or target.told + target.lag + self.grace > at:
                # Its due moment has moved on, or its readings come later than they did: it is, or is put, in the heap again.
                if target is not None and target.told is not None and target.told + self.grace <= at:
                    self._count += 1
                    heapq.heappush(self._heap, (target.told + target.lag + self.grace, self._count, key))
                continue
            target.advance(target.told)
            target.told = None
            self._after(target, key)

    # -- state -----------------------------------------------------------------------------------------------------------

    def replace(self, rules: Iterable[Rule], registry: Registry, now: int) -> list[Transition]:
        """Take other rules or devices; alarms of rules and devices that are no longer in force are cleared."""
        state = self.state()
        self._targets, self._heap, self._signs = {}, [], {}
        self._load(rules, registry, now)
        return self.restore(state, now)

    def arrivals(self) -> dict[str, Any]:
        """Return how far arrival has come and the newest times of points, as JSON: the part of :meth:`state` that is no target's."""
        return {"watermark": self.watermark, "points": self._slots.arrivals()}

    def state(self) -> dict[str, Any]:
        """Return everything that must be kept, as JSON."""
        return {
            **self.arrivals(),
            "targets": {f"{rule}:{device}": t.state() for (rule, device), t in self._targets.items()},
        }

    def changes(self, *, everything: bool = True) -> dict[Key, dict[str, Any] | None]:
        """Return the targets that have changed since the last call, None for those that need not be kept any more.

        Without `everything` only those that have turned (a condition, a duration or an alarm began or ended), not those that merely
        know a newer reading.
        """
        keys = self._changed if everything else self._turned
        found: dict[Key, dict[str, Any] | None] = {}
        for key in keys:
            target = self._targets.get(key)
            found[key] = None if target is None or (target.quiet and self._plain(target)) else target.state()
        self._turned -= keys
        self._changed = set() if everything else self._changed - found.keys()
        return found

    @staticmethod
    def _plain(target: Target) -> bool:
        """Whether a quiet target is as good as a new one."""
        return not any(hasattr(leaf, "kept") or hasattr(leaf, "latitude") for leaf in target.leaves)

    def restore(self, state: Mapping[str, Any], now: int) -> list[Transition]:
        """Take up what was kept; return the ends of alarms whose rule or device is no longer in force."""
        self.watermark = max(self.watermark, int(state.get("watermark", 0)))
        self._slots.take_arrivals(state.get("points", {}))
        for name, kept in state.get("targets", {}).items():
            rule, device = (int(part) for part in name.split(":"))
            key = (rule, device)
            if key not in self._slots.points:
                if kept["severity"]:
                    self._end_of(key, kept, now)
                continue
            target = Target(self._plans[rule], device, self._slots.points[key], self._out)
            target.restore(kept)
            self._targets[key] = target
            self._slots.mark_silent(key, target)
            self._after(target, key)
        out, self._out[:] = list(self._out), []
        return out

    def _end_of(self, key: Key, kept: Mapping[str, Any], now: int) -> None:
        raised_at, version = kept["raised"]
        self._out.append(
            Transition("cleared", key[0], version, key[1], 0, max(now, raised_at), raised_at, 0, kept["severity"], "withdrawn")
        )  # fmt: skip
        self._changed.add(key)
        self._turned.add(key)

    def listened_again(self, now: int) -> None:
        """Nobody listened until `now`: silence is counted from there, except where it was known before."""
        self._slots.heard[~self._slots.silent] = np.maximum(self._slots.heard[~self._slots.silent], now)

    def open_alarms(self) -> dict[Key, Target]:
        """Return the targets whose alarm is raised."""
        return {key: target for key, target in self._targets.items() if target.severity}


def _empty() -> Readings:
    return Readings(
        np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.int16),
        np.empty(0, np.int64), np.empty(0, np.int64),
    )  # fmt: skip


_NONE = _empty()
__all__ = ["GRACE", "Evaluator", "Key", "Rule", "Transition"]
