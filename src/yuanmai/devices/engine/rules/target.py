"""One rule at one device: from conditions that hold or not to alarms raised, changed and cleared.

A target has its own clock: the times of its readings. What falls due (a duration, a minute that leaves the window, the end of the
rule's hours) is settled before the first reading of the target at or after that moment, or when the evaluator says that the
moment has passed for everybody.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from yuanmai.devices.engine.rules import conditions as c
from yuanmai.devices.engine.rules.definition import Definition, Hold
from yuanmai.devices.engine.rules.leaves import SECOND, LeafState, state_of
from yuanmai.devices.engine.rules.windows import Activity

MINUTE = 60 * SECOND
Tree = tuple[Any, ...]


@dataclass(frozen=True)
class Rule:
    """A rule in force: its definition, how severe it is, and the devices it is applied to."""

    number: int
    version: int
    severity: int
    definition: Definition
    devices: tuple[int, ...]


@dataclass(frozen=True)
class Evidence:
    """A reading (or rate, or metres inside a fence) that a decision rests on; `point` is its number, 0 where it has none."""

    point: int
    time: int
    value: float


@dataclass(frozen=True)
class Transition:
    """What happened: `raised`, `changed` (another severity) or `cleared`, at a moment; an alarm is (rule, device, raised_at).

    `cause` says why: value, silence (of the device: missing data), hours (the rule's hours ended), withdrawn (the rule or its device is no
    longer in force). `peak` is the worst reading of the alarm so far.
    """

    kind: str
    rule: int
    version: int
    device: int
    point: int
    at: int
    raised_at: int
    severity: int
    before: int = 0
    cause: str = "value"
    evidence: tuple[Evidence, ...] = ()
    peak: Evidence | None = None


@dataclass
class Plan:
    """A rule made ready: its conditions numbered, each grade a tree over those numbers."""

    rule: Rule
    activity: Activity
    leaves: list[c.Leaf] = field(default_factory=list)
    grades: list[tuple[int, Tree]] = field(default_factory=list)
    alone: bool = False  # every grade is a single condition

    @classmethod
    def of(cls, rule: Rule, activity: Activity) -> "Plan":
        """Return the plan of a rule."""
        plan = cls(rule, activity)
        for severity, condition in [(0, rule.definition.when), *rule.definition.grades]:
            plan.grades.append((severity or rule.severity, plan._tree(condition)))
        plan.alone = all(tree[0] == "leaf" for _severity, tree in plan.grades)
        return plan

    def _tree(self, condition: c.Condition) -> Tree:
        if isinstance(condition, c.All | c.AnyOf):
            name = "all" if isinstance(condition, c.All) else "any"
            return (name, *(self._tree(part) for part in condition.conditions))
        if isinstance(condition, c.Not):
            return ("not", self._tree(condition.condition))
        self.leaves.append(condition)
        return ("leaf", len(self.leaves) - 1)


def truth_of(tree: Tree, leaves: list[LeafState]) -> bool | None:
    """Return whether a tree holds; None where too little is known (Kleene)."""
    name = tree[0]
    if name == "leaf":
        return leaves[tree[1]].truth
    if name == "not":
        found = truth_of(tree[1], leaves)
        return None if found is None else not found
    stop = name == "any"
    unknown = False
    for part in tree[1:]:
        found = truth_of(part, leaves)
        if found is stop:
            return stop
        unknown = unknown or found is None
    return None if unknown else not stop


class Grade:
    """Whether one grade of a rule has held long enough."""

    __slots__ = ("ending", "hold", "marks", "reached", "since", "slack")

    def __init__(self, hold: Hold, clear_for: float) -> None:
        self.hold, self.slack = hold, int(clear_for * SECOND)
        self.since: int | None = None  # since when it holds without interruption
        self.ending: int | None = None  # since when it does not hold any more, while it still counts
        self.reached = False
        self.marks: deque[int] = deque()  # minutes in which it held, the newest `of`

    def due(self) -> int | None:
        """Return the next moment at which something changes without a reading."""
        if self.ending is not None:
            return self.ending + self.slack
        if self.hold.of:
            return self._leaves_window() if self.reached else None
        return (
            self.since + int(self.hold.seconds * SECOND)
            if self.since is not None and not self.reached
            else None
        )

    def _leaves_window(self) -> int | None:
        if len(self.marks) < self.hold.minutes:
            return None
        return (self.marks[-self.hold.minutes] + self.hold.of) * MINUTE

    def settle(self, moment: int) -> None:
        """Do what falls due at a moment."""
        if self.ending is not None:
            self.reached, self.ending = False, None
        elif self.hold.of:
            self._begin_ending(moment)
        else:
            self.reached = True

    def _begin_ending(self, moment: int) -> None:
        if self.slack:
            self.ending = moment
        else:
            self.reached = False

    def take(self, moment: int, holds: bool, *, reading: bool) -> None:
        """Take what holds from a moment on; `reading` where a reading said so (only readings mark minutes)."""
        if self.hold.of:
            if holds and reading:
                minute = moment // MINUTE
                if not self.marks or self.marks[-1] < minute:
                    self.marks.append(minute)
                while self.marks and self.marks[0] <= minute - self.hold.of:
                    self.marks.popleft()
                if len(self.marks) >= self.hold.minutes:
                    self.reached, self.ending = True, None
            return
        if holds:
            self.ending = None
            if self.since is None:
                self.since = moment
                self.reached = self.reached or not self.hold.seconds
            return
        self.since = None
        if self.reached and self.ending is None:
            self._begin_ending(moment)

    def forget(self) -> None:
        """The rule's hours are over: nothing holds, at once."""
        self.since, self.ending, self.reached = None, None, False
        self.marks.clear()

    def state(self) -> list[Any]:
        """Return what must be kept, as JSON."""
        return [self.since, self.ending, self.reached, list(self.marks)]

    def restore(self, state: list[Any]) -> None:
        """Take up what was kept."""
        self.since, self.ending, self.reached = state[0], state[1], bool(state[2])
        self.marks = deque(int(mark) for mark in state[3])


class Target:
    """A rule at a device. `points` are the numbers of the points of its conditions (0: none)."""

    __slots__ = (
        "active", "changes_at", "device", "grades", "lag", "leaves", "moment", "out", "peak", "plan", "points", "raised_at",
        "raised_version", "severity", "told",
    )  # fmt: skip

    def __init__(self, plan: Plan, device: int, points: tuple[int, ...], out: list[Transition]) -> None:
        self.plan, self.device, self.points, self.out = plan, device, points, out
        self.leaves = [state_of(spec) for spec in plan.leaves]
        hold, clear_for = plan.rule.definition.hold, plan.rule.definition.clear_for
        self.grades = [Grade(hold, clear_for) for _ in plan.grades]
        self.severity = 0
        self.raised_at = 0
        self.raised_version = plan.rule.version
        self.peak: Evidence | None = None
        self.moment = 0  # how far its own clock has come
        self.lag = 0  # how much later than its time the last reading came
        self.told: int | None = None  # the due moment that the evaluator knows of
        self.active: bool | None = None
        self.changes_at: int | None = None

    @property
    def quiet(self) -> bool:
        """Whether its single conditions can be passed over as long as they do not begin to hold."""
        if not self.plan.alone or self.severity or any(leaf.truth for leaf in self.leaves):
            return False
        return not any(grade.reached or grade.marks or grade.since or grade.ending for grade in self.grades)

    def sign(self) -> tuple[object, ...]:
        """Return what must survive a crash exactly; what else is kept may lag a few readings behind."""
        grades = tuple((g.since, g.ending, g.reached, g.marks[-1] if g.marks else 0) for g in self.grades)
        return (self.severity, self.raised_at, grades, tuple(leaf.truth for leaf in self.leaves))

    def due(self) -> int | None:
        """Return the next moment at which something changes without a reading."""
        found = [moment for grade in self.grades if (moment := grade.due()) is not None]
        # The rule's hours only matter while something holds.
        if self.changes_at is not None and any(leaf.truth is not False for leaf in self.leaves):
            found.append(self.changes_at)
        return min(found, default=None)

    def reading(self, leaf: int, moment: int, value: float, quality: int, code: str, lag: int) -> None:
        """Take a reading for one of the conditions; one that the condition is beyond is fed again and says nothing new."""
        known = self.leaves[leaf].last
        if known is not None and moment < known[0]:
            return
        self.advance(moment)
        self.moment, self.lag = max(self.moment, moment), lag
        self.leaves[leaf].update(moment, value, quality, code)
        self._step(self.moment, "value", reading=True)

    def silence(self, leaf: int, silent: bool, at: int, since: int) -> None:
        """Take that a point fell silent or was heard again."""
        self.advance(at)
        self.moment = max(self.moment, at)
        state = self.leaves[leaf]
        state.set(silent, since)  # type: ignore[attr-defined]  # only MissingLeaf has such slots
        self._step(self.moment, "silence", reading=True)

    def advance(self, moment: int) -> None:
        """Settle everything that falls due up to a moment."""
        while (due := self.due()) is not None and due <= moment:
            at = max(due, self.moment)
            self.moment = at
            if self.changes_at is not None and due == self.changes_at:
                self._step(at, "hours")
                continue
            for grade in self.grades:
                if grade.due() == due:
                    grade.settle(at)
            self._step(at, "value")

    def _step(self, moment: int, cause: str, *, reading: bool = False) -> None:
        was = self.active
        if was is None or (self.changes_at is not None and moment >= self.changes_at):
            self.active, self.changes_at = self.plan.activity.at(moment)
        for grade, (_severity, tree) in zip(self.grades, self.plan.grades, strict=True):
            if not self.active:
                grade.forget()
            else:
                grade.take(moment, truth_of(tree, self.leaves) is True, reading=reading)
        reached = [s for g, (s, _tree) in zip(self.grades, self.plan.grades, strict=True) if g.reached]
        self._note_peak(bool(reached))
        severity = max(reached, default=0)
        if severity != self.severity:
            self._tell(severity, moment, "hours" if not self.active else cause)

    def _note_peak(self, reached: bool) -> None:
        if not reached and not self.severity and not any(grade.since for grade in self.grades):
            self.peak = None
            return
        leaf, number = self.leaves[0], self.points[0]
        bad = leaf.excess()
        if bad is None or leaf.last is None or not leaf.truth:
            return
        spec = self.plan.leaves[0]
        assert isinstance(spec, c.Threshold | c.Rate)
        if self.peak is None or bad > spec.bounds.excess(self.peak.value):
            self.peak = Evidence(number, *leaf.last)

    def _tell(self, severity: int, moment: int, cause: str) -> None:
        before, self.severity = self.severity, severity
        kind = "changed" if before and severity else "raised" if severity else "cleared"
        if kind == "raised":
            self.raised_at, self.raised_version = moment, self.plan.rule.version
        self.out.append(
            Transition(
                kind, self.plan.rule.number, self.raised_version, self.device, self.points[0], moment, self.raised_at,
                severity, before, cause, self._evidence(), self.peak,
            )
        )  # fmt: skip
        if kind == "cleared":
            self.peak = None

    def _evidence(self) -> tuple[Evidence, ...]:
        seen: dict[tuple[int, int], Evidence] = {}
        for leaf, point in zip(self.leaves, self.points, strict=True):
            if leaf.last is not None:
                seen.setdefault((point, leaf.last[0]), Evidence(point, *leaf.last))
        if (
            self.plan.alone and seen
        ):  # grades look at one value: what one of them remembers from before says nothing
            return (max(seen.values(), key=lambda found: found.time),)
        return tuple(seen.values())

    def withdraw(self, moment: int) -> None:
        """The rule or the device is no longer in force: what is raised is cleared."""
        if self.severity:
            self._tell(0, max(moment, self.moment), "withdrawn")

    def state(self) -> dict[str, Any]:
        """Return what must be kept, as JSON."""
        return {
            "version": self.plan.rule.version,
            "severity": self.severity,
            "raised": [self.raised_at, self.raised_version],
            "moment": self.moment,
            "lag": self.lag,
            "active": [self.active, self.changes_at],
            "peak": [self.peak.point, self.peak.time, self.peak.value] if self.peak else None,
            "grades": [grade.state() for grade in self.grades],
            "leaves": [leaf.state() for leaf in self.leaves],
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what was kept. Of another version of the rule only the alarm is taken: the next reading decides."""
        self.severity = int(state["severity"])
        self.raised_at, self.raised_version = state["raised"]
        self.moment, self.lag = int(state["moment"]), int(state["lag"])
        self.peak = Evidence(*state["peak"]) if state["peak"] else None
        if state["version"] != self.plan.rule.version:
            for grade, (severity, _tree) in zip(self.grades, self.plan.grades, strict=True):
                grade.reached = bool(self.severity) and severity <= self.severity
                grade.marks.extend([self.moment // MINUTE] * (grade.hold.minutes if grade.reached else 0))
            return
        self.active, self.changes_at = state["active"]
        for grade, kept in zip(self.grades, state["grades"], strict=True):
            grade.restore(kept)
        for leaf, kept in zip(self.leaves, state["leaves"], strict=True):
            leaf.restore(kept)
