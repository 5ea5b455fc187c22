"""The quota optimiser against brute force, and what holds whatever is asked."""

import random
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yuanmai.funds.engine.optimise import Aim, Batch, Candidate, Task, Why, fits, lots, merits, propose

D = Decimal
DAY = date(2025, 1, 1)
LOT = D(1_000_000)
EVEN = dict.fromkeys(Aim, 50)


def candidate(name, limit=3, minimum=1, **more):
    """A good project; limit and minimum in lots."""
    plain = {
        "readiness": D("0.8"), "coverage": D("1.5"), "score": D(80), "deadline": None, "term_years": 20, "longest_term": 30,
    }  # fmt: skip
    return Candidate(name, limit * LOT, minimum * LOT, **{**plain, **more})


def batch(name, available=4, term=20, day=DAY):
    """A tranche with so many lots left."""
    return Batch(name, available * LOT, term, day)


def task(candidates, batches=None, quota=4, **more):
    """A quota of so many lots to be placed."""
    return Task(
        candidates, batches or [batch("b")], quota * LOT, more.pop("weights", EVEN), DAY, lot=LOT, **more
    )


def value(asked, plan):
    """What a plan {(candidate, batch): lots} is worth by the formula of the module, None where it breaks a rule."""
    eligible = {
        c.id: c
        for c in asked.candidates
        if not c.gates and c.coverage is not None and c.coverage >= asked.threshold
    }
    budget = lots(asked.quota, asked.lot)
    rooms = {b.id: b for b in asked.batches}
    sums = {
        name: sum(n for (c, _b), n in plan.items() if c == name) for name in {c.id for c in asked.candidates}
    }
    if sum(sums.values()) > budget or any(sums[name] and name not in eligible for name in sums):
        return None
    for b in asked.batches:
        if sum(n for (_c, name), n in plan.items() if name == b.id) * asked.lot > b.available:
            return None
    for name, got in sums.items():
        c = next(c for c in asked.candidates if c.id == name)
        if got and (
            got * asked.lot > c.limit
            or got * asked.lot < c.minimum
            or any(not sums.get(need) for need in c.needs)
        ):
            return None
    if any(n and not fits(eligible[c], rooms[b]) for (c, b), n in plan.items()):
        return None
    if any(sums[name] for name in asked.fixed_out) or any(not sums[name] for name in asked.fixed_in):
        return None
    spent = sum(sums[name] * asked.lot * eligible[name].capital_share for name in sums if sums[name])
    if asked.capital_cap < 1 and spent + asked.as_capital > asked.capital_cap * (
        asked.bonds + sum(sums.values()) * asked.lot
    ):
        return None
    return plan


def worth(asked, plan, count):
    """The objective, from the definition."""
    by_id = {c.id: c for c in asked.candidates}
    rooms = {b.id: b for b in asked.batches}
    inside = [c for c in asked.candidates if c.id in count]
    best = max((c.leverage for c in inside), default=D(1))
    each = max(1000 * lots(asked.quota, asked.lot) // len(inside), 1) if inside else 1
    total = 0
    for (name, b), n in plan.items():
        aims = merits(asked, by_id[name], rooms[b], best)
        total += n * (1 + sum(asked.weights.get(aim, 0) * points for aim, points in aims.items()))
    chosen = {name for (name, _b), n in plan.items() if n}
    return total + asked.weights.get(Aim.COUNT, 0) * each * len(chosen)


def brute(asked):
    """The best value of all plans there are."""
    count = {c.id for c in asked.candidates} - {
        left.candidate
        for left in propose(asked, explain=False).left_out
        if left.why in (Why.GATE, Why.THRESHOLD, Why.TERM, Why.LOT, Why.SIZE, Why.DEPENDENCY)
    }
    pairs = [(c.id, b.id) for c in asked.candidates for b in asked.batches]
    limits = [range(lots(c.limit, LOT) + 1) for c in asked.candidates for _b in asked.batches]
    best = None
    for numbers in product(*limits):
        plan = value(asked, dict(zip(pairs, numbers, strict=True)))
        if plan is not None:
            worthy = worth(asked, plan, count)
            best = worthy if best is None or worthy > best else best
    return best


def small_task(seed):
    """A random small task with every kind of rule in it."""
    rng = random.Random(seed)
    names = "abc"[: rng.randint(2, 3)]
    candidates = []
    for name in names:
        limit = rng.randint(1, 3)
        candidates.append(
            candidate(
                name,
                limit,
                rng.randint(0, limit),
                readiness=D(rng.randint(0, 100)) / 100,
                coverage=D(rng.randint(100, 240)) / 100,
                score=D(rng.randint(0, 100)),
                deadline=rng.choice([None, date(2025, 3, 1), date(2025, 12, 1)]),
                longest_term=rng.choice([10, 30]),
                capital_share=rng.choice([D(0), D("0.5"), D(1)]),
                leverage=D(rng.randint(100, 300)) / 100,
                gates=("negative_list",) if rng.random() < 0.1 else (),
                needs=(rng.choice(names),) if rng.random() < 0.3 else (),
            )
        )
    candidates = [replace(c, needs=tuple(n for n in c.needs if n != c.id)) for c in candidates]
    batches = [batch("x", rng.randint(1, 4), 10), batch("y", rng.randint(0, 3), 20, date(2025, 6, 1))]
    weights = {aim: rng.choice([0, 10, 50, 100]) for aim in Aim}
    return task(
        candidates, batches, rng.randint(1, 6), weights=weights, capital_cap=rng.choice([D(1), D("0.3")]),
        bonds=rng.choice([D(0), 5 * LOT]),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(40))
def test_no_plan_is_better_than_the_proposal(seed):
    asked = small_task(seed)
    found = propose(asked, explain=False)
    plan = {(part.candidate, part.batch): int(part.amount / LOT) for part in found.parts}
    assert value(asked, plan) is not None
    assert found.proven
    assert found.value == brute(asked)


@pytest.mark.parametrize("seed", range(12))
def test_the_cost_of_a_project_left_out_is_what_forcing_it_in_costs(seed):
    asked = small_task(seed)
    found = propose(asked)
    for left in found.left_out:
        forced = replace(asked, fixed_in=frozenset([left.candidate]))
        if left.why is Why.BETTER:
            assert left.cost == D(found.value - brute(forced)) / found.value
            assert left.cost >= 0
        elif left.why in (Why.NO_ROOM, Why.CAPITAL):
            assert brute(forced) is None


def test_two_good_ones_fill_the_quota_and_the_third_is_told_why():
    found = propose(
        task(
            [
                candidate("a", 2, 2, readiness=D("0.9")),
                candidate("b", 2, 2, readiness=D("0.8")),
                candidate("c", 2, 2, readiness=D("0.2")),
            ]
        )
    )
    assert found.amounts == {"a": 2 * LOT, "b": 2 * LOT}
    (left,) = found.left_out
    assert left.why is Why.BETTER
    assert left.others == (("b", 2 * LOT),)
    assert 0 < left.cost < 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"gates": ("negative_list",)}, Why.GATE),
        ({"coverage": D("1.09")}, Why.THRESHOLD),
        ({"coverage": None}, Why.THRESHOLD),
        ({"longest_term": 15}, Why.TERM),
        ({"limit": 0, "minimum": 0}, Why.LOT),
        ({"limit": 9, "minimum": 8}, Why.SIZE),
        ({"needs": ("nobody",)}, Why.DEPENDENCY),
    ],
)
def test_what_cannot_be_in_says_why(changes, why):
    found = propose(task([candidate("a"), candidate("z", **changes)]))
    assert [(left.candidate, left.why) for left in found.left_out] == [("z", why)]
    fixed = propose(task([candidate("a"), candidate("z", **changes)], fixed_in=frozenset("z")))
    assert [left.why for left in fixed.refused] == [why]
    assert fixed.amounts == found.amounts


def test_one_that_needs_another_comes_only_with_it():
    both = [candidate("a", 2, 2, readiness=D("0.1"), coverage=D("1.1")), candidate("b", 2, 2, needs=("a",))]
    assert propose(task(both)).amounts == {"a": 2 * LOT, "b": 2 * LOT}
    without = propose(task(both, fixed_out=frozenset("a")))
    assert {left.candidate: left.why for left in without.left_out} == {"a": Why.FIXED, "b": Why.DEPENDENCY}
    assert not without.parts
    chain = [*both, candidate("c", needs=("b",), gates=("x",)), candidate("d", needs=("c",))]
    assert {left.candidate: left.why for left in propose(task(chain)).left_out}["d"] is Why.DEPENDENCY


def test_fixed_projects_displace_better_ones_and_conflicts_are_named():
    pool = [candidate("a", 3, 3), candidate("b", 3, 3, readiness=D("0.1")), candidate("c", 1, 1)]
    assert propose(task(pool)).amounts == {"a": 3 * LOT, "c": LOT}
    fixed = propose(task(pool, fixed_in=frozenset("b")))
    assert fixed.amounts == {"b": 3 * LOT, "c": LOT}
    assert {left.candidate: left.why for left in fixed.left_out} == {"a": Why.NO_ROOM}
    both = propose(task(pool, fixed_in=frozenset("abc")))
    assert both.conflict == ("a", "b")
    assert not both.parts


def test_the_cap_on_capital_is_kept_and_named():
    pool = [candidate("a", 3, 3), candidate("b", 1, 1, capital_share=D(1))]
    assert "b" in propose(task(pool, capital_cap=D("0.3"))).amounts  # 1 of 4 is a quarter
    strict = propose(task(pool, capital_cap=D("0.2")))
    assert {left.candidate: left.why for left in strict.left_out} == {"b": Why.CAPITAL}
    spent = propose(task(pool, capital_cap=D("0.3"), bonds=10 * LOT, as_capital=9 * LOT))
    assert "b" not in spent.amounts  # above the cap already: it may not grow


def test_among_equals_one_batch_and_the_term_asked_for():
    pool = [candidate("a", 2, 2, term_years=15), candidate("b", 2, 2, term_years=20)]
    found = propose(task(pool, [batch("long", 2, 20), batch("short", 2, 15)]))
    assert [(part.candidate, part.batch, part.amount) for part in found.parts] == [
        ("a", "short", 2 * LOT), ("b", "long", 2 * LOT),
    ]  # fmt: skip


def test_an_urgent_project_gets_the_batch_in_time():
    pool = [candidate("a", 2, 2, deadline=date(2025, 2, 1)), candidate("b", 2, 2)]
    batches = [batch("early", 2, 20, date(2025, 1, 20)), batch("late", 2, 20, date(2025, 9, 1))]
    found = propose(task(pool, batches))
    assert {part.candidate: part.batch for part in found.parts} == {"a": "early", "b": "late"}


def test_nothing_to_decide():
    assert propose(task([])).parts == ()
    empty = propose(task([candidate("a")], quota=0))
    assert [left.why for left in empty.left_out] == [Why.SIZE]


numbers = st.integers(0, 100)


@st.composite
def tasks(draw):
    """Up to eight projects, three batches."""
    names = [f"p{n}" for n in range(draw(st.integers(1, 8)))]
    pool = []
    for name in names:
        limit = draw(st.integers(0, 40))
        pool.append(
            candidate(
                name, D(limit) + D(draw(numbers)) / 100, D(draw(st.integers(0, limit))),
                readiness=D(draw(numbers)) / 100, coverage=D(draw(st.integers(90, 240))) / 100, score=D(draw(numbers)),
                deadline=draw(st.sampled_from([None, date(2025, 4, 1), date(2026, 4, 1)])),
                longest_term=draw(st.sampled_from([10, 20, 30])), capital_share=D(draw(numbers)) / 100,
                leverage=1 + D(draw(numbers)) / 50, needs=tuple(draw(st.sets(st.sampled_from(names), max_size=1)) - {name}),
            )
        )  # fmt: skip
    batches = [
        batch(f"b{n}", D(draw(st.integers(0, 5000))) / 100, term, date(2025, 1 + n, 1))
        for n, term in enumerate((10, 20, 30))
    ]
    weights = {aim: draw(numbers) for aim in Aim}
    return task(
        pool,
        batches,
        D(draw(st.integers(0, 8000))) / 100,
        weights=weights,
        capital_cap=draw(st.sampled_from([D(1), D("0.3")])),
    )


@given(tasks())
@settings(max_examples=60, deadline=None)
def test_no_limit_is_ever_exceeded(asked):
    found = propose(asked)
    by_id = {c.id: c for c in asked.candidates}
    assert found.used == sum(part.amount for part in found.parts) <= asked.quota
    for room in asked.batches:
        assert sum(part.amount for part in found.parts if part.batch == room.id) <= room.available
    for name, amount in found.amounts.items():
        chosen = by_id[name]
        assert chosen.minimum <= amount <= chosen.limit
        assert chosen.coverage >= asked.threshold
        assert not chosen.gates
        assert set(chosen.needs) <= found.amounts.keys()
        assert amount % LOT == 0
    spent = sum(amount * by_id[name].capital_share for name, amount in found.amounts.items())
    assert asked.capital_cap == 1 or spent <= asked.capital_cap * found.used
    assert {left.candidate for left in found.left_out} | found.amounts.keys() == by_id.keys()


@given(tasks(), st.randoms())
@settings(max_examples=30, deadline=None)
def test_the_same_question_has_the_same_answer_in_any_order(asked, rng):
    shuffled = replace(
        asked,
        candidates=rng.sample(asked.candidates, len(asked.candidates)),
        batches=rng.sample(asked.batches, len(asked.batches)),
    )
    first, second, third = propose(asked), propose(asked), propose(shuffled)
    assert first == second
    assert third.value == first.value
    assert third == first


@given(tasks(), st.sampled_from(list(Aim)), st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_more_weight_on_an_aim_never_reaches_less_of_it(asked, aim, more):
    low, high = sorted((asked.weights[aim], more))
    before = propose(replace(asked, weights={**asked.weights, aim: low}), explain=False)
    after = propose(replace(asked, weights={**asked.weights, aim: high}), explain=False)
    assert after.reached[aim] >= before.reached[aim]
