"""Which condition of which rule looks at which point: flat tables, so that numpy can pass over what changes nothing."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from yuanmai.devices.engine.registry import DeviceSpec, Registry
from yuanmai.devices.engine.rules import conditions as c
from yuanmai.devices.engine.rules.leaves import LATITUDE, LONGITUDE, SECOND
from yuanmai.devices.engine.rules.target import Plan, Target

Ints = npt.NDArray[np.int64]


class _Lists:
    """Which rows belong to which watched point, as one flat table with offsets."""

    def __init__(self, pairs: list[tuple[int, int]], watched: int) -> None:
        owners = np.array([owner for owner, _row in pairs], np.int64)
        rows = np.array([row for _owner, row in pairs], np.int64)
        order = np.argsort(owners, kind="stable")
        self.rows = rows[order] if len(rows) else np.empty(0, np.int64)
        self.count = np.bincount(owners, minlength=watched) if len(rows) else np.zeros(watched, np.int64)
        self.start = np.r_[0, np.cumsum(self.count)[:-1]] if watched else np.empty(0, np.int64)

    def expand(self, watched: Ints) -> tuple[Ints, Ints]:
        """Return (position in `watched`, row) for every row of every point."""
        count = self.count[watched]
        position = np.repeat(np.arange(len(watched)), count)
        if not len(position):
            return position, np.empty(0, np.int64)
        offset = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count)
        return position, self.rows[self.start[watched][position] + offset]


class Slots:
    """One slot for each (rule, device, condition, point)."""

    def __init__(self, plans: Iterable[Plan], registry: Registry, begin: int) -> None:
        self.codes: list[str] = []
        self.points: dict[tuple[int, int], tuple[int, ...]] = {}  # (rule, device) → points of its conditions
        self.of_target: dict[tuple[int, int], list[int]] = {}
        self.numbers: list[int] = []  # of the watched points
        self._where: dict[int, int] = {}
        self._columns: list[tuple[int, int, int, float, float, bool, int, bool]] = []
        self._values: list[tuple[int, int]] = []  # (watched, slot)
        self._silences: list[tuple[int, int]] = []  # (watched, silence)
        self._silent: list[tuple[int, int]] = []  # (slot, after)
        named: dict[int, dict[str, int]] = {}
        for plan in plans:
            for number in plan.rule.devices:
                if (device := registry.devices.get(number)) is not None:
                    self._add(plan, device, registry, named)
        self._freeze(begin)

    def _add(
        self, plan: Plan, device: DeviceSpec, registry: Registry, named: dict[int, dict[str, int]]
    ) -> None:
        found: list[tuple[list[tuple[str, int]], int]] = []
        for leaf in plan.leaves:
            other = registry.by_code.get(leaf.device) if leaf.device else device
            if other is None:
                return
            codes = named.get(other.number)
            if codes is None:
                codes = {spec.code: spec.number for specs in other.points.values() for spec in specs}
                named[other.number] = codes
            if isinstance(leaf, c.Fence):
                wanted = [LATITUDE, LONGITUDE]
            elif isinstance(leaf, c.Missing) and not leaf.point:
                wanted = list(codes)
            else:
                wanted = [leaf.point]
            if not wanted or any(code not in codes for code in wanted):
                return  # the device has no such point: the rule does not concern it
            whole = isinstance(leaf, c.Missing) and not leaf.point
            found.append(([(code, codes[code]) for code in wanted], 0 if whole else codes[wanted[0]]))
        key = (plan.rule.number, device.number)
        self.points[key] = tuple(point for _points, point in found)
        self.of_target[key] = []
        for index, (leaf, (points, _first)) in enumerate(zip(plan.leaves, found, strict=True)):
            if isinstance(leaf, c.Missing):
                slot = self._slot(key, index, leaf, plan, "")
                silence = len(self._silent)
                self._silent.append((slot, int(leaf.after * SECOND)))
                self._silences += [(self._watch(number), silence) for _code, number in points]
                continue
            for code, number in points:
                self._values.append((self._watch(number), self._slot(key, index, leaf, plan, code)))

    def _watch(self, number: int) -> int:
        if number not in self._where:
            self._where[number] = len(self.numbers)
            self.numbers.append(number)
        return self._where[number]

    def _slot(self, key: tuple[int, int], index: int, leaf: c.Leaf, plan: Plan, code: str) -> int:
        low, high, negate, mask = -math.inf, math.inf, False, 0
        restless = not plan.alone
        if isinstance(leaf, c.Threshold):
            low, high, negate = leaf.bounds.low, leaf.bounds.high, leaf.bounds.compare == "inside"
        elif isinstance(leaf, c.Among) and len(leaf.values) == 1:
            low = high = next(iter(leaf.values))
            negate = True
        elif isinstance(leaf, c.Doubtful):
            mask = leaf.mask
        else:
            restless = True
        slot = len(self._columns)
        self._columns.append((key[0], key[1], index, low, high, negate, mask, restless))
        self.codes.append(code)
        self.of_target[key].append(slot)
        return slot

    def _freeze(self, begin: int) -> None:
        columns = list(zip(*self._columns, strict=True)) or [()] * 8
        kinds = (np.int64, np.int64, np.int64, np.float64, np.float64, np.bool_, np.int16, np.bool_)
        arrays: list[Any] = [np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
        self.rule, self.device, self.leaf, self.low, self.high, self.negate, self.mask, self.restless = arrays
        self.always = self.restless.copy()  # whether every reading is looked at one by one
        watched = len(self.numbers)
        self._value_lists = _Lists(self._values, watched)
        self._silence_lists = _Lists(self._silences, watched)
        # Of the newest reading of each watched point: its time, its arrival, the journal's record it came with.
        self.newest = np.zeros(watched, np.int64)
        self.received = np.zeros(watched, np.int64)
        self.sequence = np.zeros(watched, np.int64)
        self.silence_slot = np.array([slot for slot, _after in self._silent], np.int64)
        self._silence_of = {slot: silence for silence, (slot, _after) in enumerate(self._silent)}
        self.after = np.array([after for _slot, after in self._silent], np.int64)
        self.heard = np.full(len(self._silent), begin, np.int64)
        self.silent = np.zeros(len(self._silent), np.bool_)
        self._table = np.full(max(self.numbers, default=-1) + 1, -1, np.int64)
        self._table[self.numbers] = np.arange(watched)
        del self._columns, self._values, self._silences

    def watched(self, points: npt.NDArray[Any]) -> Ints:
        """Return for each point its place among the watched ones, -1 where no rule looks at it."""
        if not len(self._table):
            return np.full(len(points), -1, np.int64)
        known = (points >= 0) & (points < len(self._table))
        return np.where(known, self._table[np.where(known, points, 0)], -1)

    def expand(self, watched: Ints) -> tuple[Ints, Ints]:
        """Return (position, slot) for the conditions on values."""
        return self._value_lists.expand(watched)

    def expand_silence(self, watched: Ints) -> tuple[Ints, Ints]:
        """Return (position, silence) for the conditions on silence."""
        return self._silence_lists.expand(watched)

    def arrivals(self) -> dict[str, Any]:
        """Return time, arrival and record of the newest readings of points, and of silences when they were last heard, as JSON."""
        heard = {
            f"{self.rule[slot]}:{self.device[slot]}:{self.leaf[slot]}": int(at)
            for slot, at in zip(self.silence_slot, self.heard, strict=True)
        }
        known = zip(self.newest.tolist(), self.received.tolist(), self.sequence.tolist(), strict=True)
        newest = {str(n): list(of_it) for n, of_it in zip(self.numbers, known, strict=True) if of_it[0]}
        return {"newest": newest, "heard": heard}

    def is_news(self, watched: Ints, moment: Ints, received: Ints, sequence: Ints) -> npt.NDArray[np.bool_]:
        """Return which readings are newer than what is known of their points: of equal time the one that came later.

        So a correction counts, and what is fed a second time after a crash does not.
        """
        newest, arrived = self.newest[watched], self.received[watched]
        same = (received == arrived) & (sequence > self.sequence[watched])
        return (moment > newest) | ((moment == newest) & ((received > arrived) | same))

    def take_news(self, watched: Ints, moment: Ints, received: Ints, sequence: Ints) -> None:
        """Remember readings, in order of time and arrival: the last of each point stays."""
        self.newest[watched], self.received[watched], self.sequence[watched] = moment, received, sequence

    def take_arrivals(self, kept: Mapping[str, Any]) -> None:
        """Take up what :meth:`arrivals` gave."""
        for number, of_it in kept.get("newest", {}).items():
            if (where := self._where.get(int(number))) is not None:
                self.newest[where], self.received[where], self.sequence[where] = of_it
        heard = kept.get("heard", {})
        for silence, slot in enumerate(self.silence_slot):
            at = heard.get(f"{self.rule[slot]}:{self.device[slot]}:{self.leaf[slot]}")
            if at is not None:
                self.heard[silence] = at

    def mark_silent(self, key: tuple[int, int], target: Target) -> None:
        """Take from a restored target which of its silences have been noticed."""
        for slot in self.of_target[key]:
            if (silence := self._silence_of.get(slot)) is not None:
                self.silent[silence] = bool(target.leaves[self.leaf[slot]].truth)
