"""The quota optimiser: which projects get how much of which batch, and why not for each one left out (pure, HiGHS).

A whole-number programme. For project i and batch j: y_i whether it is chosen, n_ij how many lots (multiples of, say, 1 million yuan).

    maximise   Σ n_ij · (1 + Σ_k weight_k · a_ijk)  +  weight_count · c · Σ y_i
    subject to Σ_j n_ij ≤ what project i may get · y_i       Σ_j n_ij ≥ its least useful amount · y_i
               Σ_i n_ij ≤ what batch j has left              Σ n_ij ≤ the quota
               y_B ≤ y_A where B needs A                     capital share of all bonds ≤ its cap
               n_ij = 0 where the term does not fit; y_i fixed where the user fixed it

The aims a_ijk are whole thousandths: readiness, coverage above the threshold, urgency of the deadline (0 in a batch that comes too late),
score, investment pulled along. c makes choosing all projects worth as much as placing the whole quota perfectly. All numbers are whole, so the best is the
best exactly, and raising the weight of an aim never lowers what is reached of it. Among equally good proposals the one with the fewest
splits and the best-fitting terms is taken.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from enum import StrEnum

from yuanmai.funds.engine.optimise_model import Column, Model, Solved

ZERO, ONE = Decimal(0), Decimal(1)
THOUSAND = 1000
CAPITAL = "capital"


class Aim(StrEnum):
    """What a proposal can be good at."""

    READINESS = "readiness"
    COVERAGE = "coverage"
    URGENCY = "urgency"
    SCORE = "score"
    COUNT = "count"
    INVESTMENT = "investment"


class Why(StrEnum):
    """Why a project is not in the proposal."""

    GATE = "gate"  # a hard gate is not passed
    THRESHOLD = "threshold"  # coverage unknown or below the threshold
    TERM = "term"  # no batch of a term that it may have
    LOT = "lot"  # not even one lot, or the least useful amount is no multiple of lots within what it may get
    SIZE = "size"  # its least useful amount is above the quota or what the fitting batches have left
    DEPENDENCY = "dependency"  # it needs another project that cannot be in
    FIXED = "fixed"  # the user fixed it out
    CAPITAL = "capital"  # with it the share of bonds used as capital would exceed its cap
    NO_ROOM = "no_room"  # what is fixed in leaves no room
    BETTER = "better"  # others serve the aims better; taking it in would cost so much


@dataclass(frozen=True, slots=True)
class Candidate:
    """A reserve project that asks for bonds; yuan, fractions, and what is not known as None.

    `limit` is the most it may get: what was approved or else requested, less what it has already. `minimum` is the least that is
    useful to it. `fitting` are the batches whose terms it can carry, None where the length of the term alone decides. `gates` are the codes of hard gates that it fails. `needs` are projects that must be in for it to be in;
    projects that are funded already are left out of `needs`.
    """

    id: str
    limit: Decimal
    minimum: Decimal
    readiness: Decimal
    coverage: Decimal | None
    score: Decimal | None
    deadline: date | None
    term_years: int
    longest_term: int
    capital_share: Decimal = ZERO  # of its bonds, the share used as project capital
    leverage: Decimal = ONE  # total investment ÷ bonds
    gates: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    fitting: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """A tranche that can still be allotted."""

    id: str
    available: Decimal
    term_years: int
    value_date: date


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be decided. `weights` are whole numbers from 0 to 100; `bonds`, `as_capital`: what the cap counts already."""

    candidates: Sequence[Candidate]
    batches: Sequence[Batch]
    quota: Decimal
    weights: Mapping[Aim, int]
    as_of: date
    lot: Decimal = Decimal(1_000_000)
    threshold: Decimal = Decimal("1.1")
    plenty: Decimal = Decimal("2.2")  # coverage from which on more is no merit
    horizon_days: int = 365  # a deadline farther away is not urgent
    capital_cap: Decimal = ONE
    bonds: Decimal = ZERO
    as_capital: Decimal = ZERO
    fixed_in: frozenset[str] = frozenset()
    fixed_out: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """So much of a batch for a project."""

    candidate: str
    batch: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Why a project is left out. `others`: projects concerned; for `BETTER` what each would lose, and `cost` the share of the value lost."""

    candidate: str
    why: Why
    gates: tuple[str, ...] = ()
    others: tuple[tuple[str, Decimal], ...] = ()
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who gets what. `reached`: for each aim the share of the best thinkable (1 is the whole quota placed perfectly).

    `proven` is False where the search was cut off before the best was proven. `refused` are projects fixed in that
    cannot be in at all; `conflict` is a smallest set of projects fixed in that cannot be in together (nothing is proposed then).
    """

    parts: tuple[Part, ...]
    left_out: tuple[LeftOut, ...]
    reached: Mapping[Aim, Decimal]
    used: Decimal
    value: int
    proven: bool = True
    refused: tuple[LeftOut, ...] = ()
    conflict: tuple[str, ...] = ()

    @property
    def amounts(self) -> dict[str, Decimal]:
        """What each project gets in all."""
        sums: dict[str, Decimal] = {}
        for part in self.parts:
            sums[part.candidate] = sums.get(part.candidate, ZERO) + part.amount
        return sums


@dataclass(slots=True)
class _Frame:
    """The task in whole numbers."""

    task: Task
    eligible: dict[str, Candidate] = field(default_factory=dict)
    out: dict[str, LeftOut] = field(default_factory=dict)
    least: dict[str, int] = field(default_factory=dict)
    most: dict[str, int] = field(default_factory=dict)
    rooms: dict[str, int] = field(default_factory=dict)
    budget: int = 0
    count_value: int = 0
    aims: dict[tuple[str, str], dict[Aim, int]] = field(default_factory=dict)


def lots(amount: Decimal, lot: Decimal, *, up: bool = False) -> int:
    """Return how many whole lots are in an amount (or are needed for it)."""
    return int((amount / lot).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))


def fits(candidate: Candidate, batch: Batch) -> bool:
    """May the project have a bond of this batch? Not a longer one than it earns for."""
    if candidate.fitting is not None:
        return batch.id in candidate.fitting
    return batch.term_years <= candidate.longest_term


def thousandths(value: Decimal) -> int:
    """Return a fraction in whole thousandths, cut to 0 … 1."""
    return int((min(max(value, ZERO), ONE) * THOUSAND).to_integral_value(ROUND_FLOOR))


def merits(task: Task, candidate: Candidate, batch: Batch, best_leverage: Decimal) -> dict[Aim, int]:
    """Return the aims of a project in a batch, in thousandths (`COUNT` is not one of a lot)."""
    coverage = ((candidate.coverage or ZERO) - task.threshold) / (task.plenty - task.threshold)
    urgency = ZERO
    if candidate.deadline and batch.value_date <= candidate.deadline:
        urgency = 1 - Decimal((candidate.deadline - task.as_of).days) / task.horizon_days
    return {
        Aim.READINESS: thousandths(candidate.readiness),
        Aim.COVERAGE: thousandths(coverage),
        Aim.URGENCY: thousandths(urgency),
        Aim.SCORE: thousandths((candidate.score or ZERO) / 100),
        Aim.INVESTMENT: thousandths(candidate.leverage / best_leverage),
    }


def _frame(task: Task) -> _Frame:
    # The order in which things are given must not decide anything.
    task = replace(task, batches=sorted(task.batches, key=lambda batch: batch.id))
    frame = _Frame(task, budget=max(lots(task.quota, task.lot), 0))
    frame.rooms = {batch.id: max(lots(batch.available, task.lot), 0) for batch in task.batches}
    for candidate in sorted(task.candidates, key=lambda c: c.id):
        frame.most[candidate.id] = most = lots(candidate.limit, task.lot)
        frame.least[candidate.id] = least = max(lots(candidate.minimum, task.lot, up=True), 1)
        fitting = [batch for batch in task.batches if fits(candidate, batch)]
        room = min(frame.budget, sum(frame.rooms[batch.id] for batch in fitting))
        why = None
        if candidate.gates:
            why = Why.GATE
        elif candidate.coverage is None or candidate.coverage < task.threshold:
            why = Why.THRESHOLD
        elif not fitting:
            why = Why.TERM
        elif most < least:
            why = Why.LOT
        elif room < least:
            why = Why.SIZE
        if why:
            frame.out[candidate.id] = LeftOut(candidate.id, why, candidate.gates)
        else:
            frame.eligible[candidate.id] = candidate
    _leave_dependents(frame)
    total = frame.budget
    frame.count_value = max(THOUSAND * total // len(frame.eligible), 1) if frame.eligible else 1
    best = max((c.leverage for c in frame.eligible.values()), default=ONE) or ONE
    for candidate in frame.eligible.values():
        for batch in task.batches:
            if fits(candidate, batch):
                frame.aims[candidate.id, batch.id] = merits(task, candidate, batch, best)
    return frame


def _leave_dependents(frame: _Frame) -> None:
    """A project that needs one that cannot be in, or is no candidate, cannot be in either."""
    known = {candidate.id: candidate for candidate in frame.task.candidates}
    changed = True
    while changed:
        changed = False
        for candidate in list(frame.eligible.values()):
            missing = [n for n in candidate.needs if n not in frame.eligible or n in frame.task.fixed_out]
            if missing:
                lacks = tuple((need, ZERO) for need in missing)
                frame.out[candidate.id] = LeftOut(known[candidate.id].id, Why.DEPENDENCY, others=lacks)
                del frame.eligible[candidate.id]
                changed = True


def _model(frame: _Frame) -> Model:
    """Return the whole-number programme."""
    task = frame.task
    model = Model()
    weights = {aim: int(task.weights.get(aim, 0)) for aim in Aim}
    for candidate in frame.eligible.values():
        model.binary(("y", candidate.id), weights[Aim.COUNT] * frame.count_value)
    for (name, batch), aims in frame.aims.items():
        value = 1 + sum(weights[aim] * points for aim, points in aims.items())
        model.integer(("n", name, batch), min(frame.most[name], frame.rooms[batch], frame.budget), value)
    for name, candidate in frame.eligible.items():
        mine: dict[Column, int] = {("n", name, batch): 1 for owner, batch in frame.aims if owner == name}
        model.at_most({**mine, ("y", name): -frame.most[name]}, 0)
        model.at_most({**dict.fromkeys(mine, -1), ("y", name): frame.least[name]}, 0)
        for need in candidate.needs:
            model.at_most({("y", name): 1, ("y", need): -1}, 0)
    for batch in frame.rooms:
        taken: dict[Column, int] = {("n", name, b): 1 for name, b in frame.aims if b == batch}
        model.at_most(taken, frame.rooms[batch])
    model.at_most({("n", name, batch): 1 for name, batch in frame.aims}, frame.budget)
    if task.capital_cap < 1:
        model.at_most(*_capital(frame), label=CAPITAL)
    return model


def _capital(frame: _Frame) -> tuple[dict[Column, int], int]:
    """Σ capital share · bonds ≤ cap · all bonds, in ten-thousandths, the shares rounded up; above the cap already, nothing is added."""
    task, scale = frame.task, 10_000
    cap = int((task.capital_cap * scale).to_integral_value(ROUND_FLOOR))
    free = (cap * task.bonds - scale * task.as_capital) / task.lot
    if free < 0:
        cap, free = 0, ZERO
    row: dict[Column, int] = {}
    for name, batch in frame.aims:
        share = (frame.eligible[name].capital_share * scale).to_integral_value(ROUND_CEILING)
        row["n", name, batch] = int(share) - cap
    return row, int(free.to_integral_value(ROUND_FLOOR))


def _splits(frame: _Frame) -> dict[Column, int]:
    """What each batch of a project costs among equally good proposals: every split, a little more the worse its term fits."""
    batches = {batch.id: batch for batch in frame.task.batches}
    cost: dict[Column, int] = {}
    for name, batch in frame.aims:
        asked = frame.eligible[name].term_years
        cost["n", name, batch] = 100 + abs(batches[batch].term_years - asked)
    return cost


def propose(task: Task, *, explain: bool | Collection[str] = True) -> Proposal:
    """Return the best proposal, and why the others are left out.

    `explain` names the projects whose cost is found by forcing them in (True: all, False: none; then their `cost` is None).
    """
    frame = _frame(task)
    refused = tuple(frame.out[name] for name in sorted(task.fixed_in) if name in frame.out)
    wanted = sorted(name for name in task.fixed_in if name in frame.eligible and name not in task.fixed_out)
    model = _model(frame)
    for name in frame.eligible:
        if name in task.fixed_out:
            model.fix(("y", name), 0)
    for name in wanted:
        model.fix(("y", name), 1)
    solved = model.solve()
    if solved is None:
        return Proposal(
            (), (), dict.fromkeys(Aim, ZERO), ZERO, 0, refused=refused, conflict=_conflict(model, wanted)
        )
    solved = model.refine(solved, _splits(frame))
    parts = _parts(frame, solved)
    chosen = {part.candidate for part in parts}
    asked = frame.eligible.keys() if explain is True else (explain or ())
    left_out = []
    for candidate in sorted(task.candidates, key=lambda c: c.id):
        if candidate.id in chosen:
            continue
        if candidate.id in frame.out:
            left_out.append(frame.out[candidate.id])
        elif candidate.id in task.fixed_out:
            left_out.append(LeftOut(candidate.id, Why.FIXED))
        else:
            left_out.append(
                _why_not(frame, model, candidate.id, solved)
                if candidate.id in asked
                else LeftOut(candidate.id, Why.BETTER)
            )
    reached = _reached(frame, parts)
    used = sum((part.amount for part in parts), ZERO)
    return Proposal(parts, tuple(left_out), reached, used, solved.value, solved.proven, refused)


def _parts(frame: _Frame, solved: Solved) -> tuple[Part, ...]:
    order = {batch.id: (batch.value_date, batch.id) for batch in frame.task.batches}
    pairs = [pair for pair in frame.aims if solved.values[("n", *pair)]]
    pairs.sort(key=lambda pair: (pair[0], order[pair[1]]))
    return tuple(Part(name, batch, solved.values["n", name, batch] * frame.task.lot) for name, batch in pairs)


def _why_not(frame: _Frame, model: Model, name: str, best: Solved) -> LeftOut:
    """Say what taking a project in would cost: verified by solving once more with it fixed in."""
    forced = model.forced(("y", name))
    if forced is None:
        if model.forced(("y", name), without=CAPITAL) is not None:
            return LeftOut(name, Why.CAPITAL)
        together = sorted((frame.task.fixed_in & frame.eligible.keys()) | {*frame.eligible[name].needs})
        return LeftOut(name, Why.NO_ROOM, others=tuple((other, ZERO) for other in together))
    before, after = _amounts(frame, best), _amounts(frame, forced)
    losses = [(other, amount - after.get(other, ZERO)) for other, amount in before.items()]
    others = sorted(
        ((other, loss) for other, loss in losses if loss > 0), key=lambda item: (-item[1], item[0])
    )
    cost = Decimal(best.value - forced.value) / best.value if best.value else ZERO
    return LeftOut(name, Why.BETTER, others=tuple(others), cost=cost)


def _amounts(frame: _Frame, solved: Solved) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for part in _parts(frame, solved):
        sums[part.candidate] = sums.get(part.candidate, ZERO) + part.amount
    return sums


def _reached(frame: _Frame, parts: Sequence[Part]) -> dict[Aim, Decimal]:
    """Σ lots · aim ÷ (the whole quota at 1,000); for `COUNT` the share of the projects that could be chosen."""
    whole = Decimal(frame.budget * THOUSAND) or ONE
    reached = dict.fromkeys(Aim, ZERO)
    for part in parts:
        count = part.amount / frame.task.lot
        for aim, points in frame.aims[part.candidate, part.batch].items():
            reached[aim] += count * points / whole
    chosen = {part.candidate for part in parts}
    reached[Aim.COUNT] = Decimal(len(chosen)) / len(frame.eligible) if frame.eligible else ZERO
    return reached


def _conflict(model: Model, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return a smallest set of fixed projects that cannot be in together: none can be set free without the rest fitting."""
    core = list(wanted)
    for name in wanted:
        model.free(("y", name))
        if model.solve() is None:
            core.remove(name)  # without it there is still no way: it is not to blame
        else:
            model.fix(("y", name), 1)
    return tuple(core)
