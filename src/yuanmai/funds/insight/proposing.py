"""Proposing how a quota is allotted: from what the user asks to the optimiser's task, and its answer in words."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from yuanmai.common.money import yuan_text
from yuanmai.core.figures import Query
from yuanmai.core.figures.display import chinese, display_value
from yuanmai.core.figures.model import Unit
from yuanmai.funds.engine.optimise import Aim, LeftOut, Proposal, Task, Why, propose
from yuanmai.funds.insight import pool
from yuanmai.funds.insight.pool import Entrant, Offer
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve.rules import rules_for
from yuanmai.funds.reserve.wording import GATE_NAMES

EXPLAINED = 40  # so many projects left out are tried again, fixed in, to say what they would cost
LOT = Decimal(1_000_000)
LEAST = Decimal("0.5")
WEIGHTS: dict[Aim, int] = {
    Aim.READINESS: 60,
    Aim.COVERAGE: 40,
    Aim.URGENCY: 40,
    Aim.SCORE: 50,
    Aim.COUNT: 20,
    Aim.INVESTMENT: 20,
}


@dataclass(frozen=True)
class Wish:
    """What the user asks for; None where nothing is said. `expected`: an issue to come as (amount, years, rate, day)."""

    pool: str = "reviewed"
    quota: Decimal | None = None
    lot: Decimal = LOT
    least: Decimal = LEAST
    batches: Collection[str] | None = None
    expected: tuple[Decimal, int, Decimal, date] | None = None
    weights: Mapping[Aim, int] = field(default_factory=lambda: dict(WEIGHTS))
    fixed_in: frozenset[str] = frozenset()
    fixed_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Answer:
    """The optimiser's answer with what it was asked about."""

    wish: Wish
    task: Task
    offers: tuple[Offer, ...]
    entrants: Mapping[str, Entrant]
    proposal: Proposal

    def name(self, uid: str) -> str:
        """Return the name of a reserve project."""
        entrant = self.entrants.get(uid)
        return entrant.reserve.name if entrant else _("a project outside this choice")


def aim_names() -> dict[Aim, str]:
    """Return the aims in words."""
    return {
        Aim.READINESS: _("Readiness"),
        Aim.COVERAGE: _("Coverage"),
        Aim.URGENCY: _("Urgency"),
        Aim.SCORE: _("Score of the review"),
        Aim.COUNT: _("Number of projects"),
        Aim.INVESTMENT: _("Investment pulled along"),
    }


def usual_issue(query: Query, org_id: int, demand: Decimal) -> tuple[Decimal, int, Decimal, date]:
    """Return the issue that is expected where no tranche has anything left: half of the demand, 20 years, in 60 days' time."""
    rules = rules_for(org_id, query.as_of, query.known_at)
    term = 20 if 20 in rules["permitted_terms"] else rules["permitted_terms"][-1]
    amount = (demand / 2 / LOT).to_integral_value(ROUND_CEILING) * LOT
    return amount, term, Decimal("0.03"), date.fromordinal(query.as_of.toordinal() + 60)


def answer(query: Query, org_id: int, wish: Wish) -> Answer:
    """Return the best proposal for what was asked; the number of queries does not depend on the number of projects."""
    rules = rules_for(org_id, query.as_of, query.known_at)
    real = pool.offers(query)
    offers = [offer for offer in real if wish.batches is None or offer.batch.id in wish.batches]
    if wish.expected and wish.expected[0] > 0:
        offers.append(pool.expected(*wish.expected, _("Expected issue"), rules))
    entrants = pool.entrants(query, wish.pool, offers, wish.least)
    available = sum((offer.batch.available for offer in offers), ZERO)
    task = Task(
        candidates=[entrant.candidate for entrant in entrants],
        batches=[offer.batch for offer in offers],
        quota=min(wish.quota, available) if wish.quota is not None else available,
        weights=wish.weights,
        as_of=query.as_of,
        lot=wish.lot,
        threshold=rules["coverage_threshold"],
        plenty=max(rules["coverage_upper"], rules["coverage_threshold"] + Decimal("0.1")),
        capital_cap=rules["capital_share_cap"],
        fixed_in=wish.fixed_in,
        fixed_out=wish.fixed_out,
    )
    largest = sorted(entrants, key=lambda entrant: (-entrant.candidate.limit, entrant.uid))[:EXPLAINED]
    proposal = propose(task, explain={entrant.uid for entrant in largest})
    return Answer(wish, task, tuple(offers), {entrant.uid: entrant for entrant in entrants}, proposal)


def money(amount: Decimal) -> str:
    """Return an amount in words."""
    return yuan_text(amount, chinese=chinese())


def why_not(found: Answer, left: LeftOut) -> str:
    """Return in a sentence why a project is left out."""
    entrant = found.entrants[left.candidate]
    task = found.task
    if left.why is Why.GATE:
        names = ", ".join(str(GATE_NAMES[code]) for code in left.gates)
        return _("Hard gates not passed: %(gates)s") % {"gates": names}
    if left.why is Why.THRESHOLD:
        coverage = entrant.candidate.coverage
        if coverage is None:
            return _("No income plan, so no coverage")
        return _("Coverage %(value)s, below the threshold of %(limit)s") % {
            "value": display_value(coverage, Unit.TIMES),
            "limit": display_value(task.threshold, Unit.TIMES),
        }
    if left.why is Why.TERM:
        if not entrant.timely:
            return _("Every batch matures after its income ends")
        best = max((value for value in entrant.coverage_by_batch.values() if value is not None), default=None)
        return _("With the terms of the batches its coverage is %(value)s at most") % {
            "value": display_value(best, Unit.TIMES)
        }
    if left.why is Why.LOT:
        return _("What it may get, %(limit)s, holds no useful number of lots of %(lot)s") % {
            "limit": money(entrant.candidate.limit),
            "lot": money(task.lot),
        }
    if left.why is Why.SIZE:
        return _("The least useful amount, %(least)s, is more than quota and fitting batches hold") % {
            "least": money(entrant.candidate.minimum)
        }
    return _with_others(found, left)


def _with_others(found: Answer, left: LeftOut) -> str:
    others = ", ".join(f"“{found.name(other)}”" for other, _loss in left.others[:3])
    more = len(left.others) - 3
    if more > 0:
        others = _("%(names)s and %(n)d more") % {"names": others, "n": more}
    if left.why is Why.DEPENDENCY:
        return _("Needs %(others)s, which cannot be in") % {"others": others}
    if left.why is Why.FIXED:
        return _("You fixed it out")
    if left.why is Why.CAPITAL:
        return _("With it more than %(cap)s of the bonds would be project capital") % {
            "cap": display_value(found.task.capital_cap, Unit.RATIO)
        }
    if left.why is Why.NO_ROOM:
        return (
            _("What is fixed leaves no room: %(others)s") % {"others": others}
            if others
            else _("There is no room for it")
        )
    if left.cost is None:
        return _("Others serve the aims better")
    if not left.others:
        return _("Quota used up; taking it in would cost %(cost)s of the value") % {
            "cost": cost_text(left.cost)
        }
    lost = left.others[0]
    return _(
        "Quota used up by better ones: taking it in would cost %(cost)s of the value and take %(amount)s from %(others)s"
    ) % {
        "cost": cost_text(left.cost),
        "amount": money(sum((loss for _other, loss in left.others), ZERO)) if lost else "",
        "others": others,
    }


def cost_text(cost: Decimal) -> str:
    """Return a share of the value; a small one is not written as 0."""
    if 0 < cost < Decimal("0.0005"):
        return _("less than %(share)s") % {"share": display_value(Decimal("0.001"), Unit.RATIO)}
    return display_value(cost, Unit.RATIO)


def summary(found: Answer) -> str:
    """Return the answer in one sentence."""
    chosen = len(found.proposal.amounts)
    return ngettext(
        "%(n)d of %(all)d project gets %(used)s of %(quota)s.",
        "%(n)d of %(all)d projects get %(used)s of %(quota)s.",
        len(found.entrants),
    ) % {
        "n": chosen,
        "all": len(found.entrants),
        "used": money(found.proposal.used),
        "quota": money(found.task.quota),
    }


def parts_of(found: Answer) -> dict[str, list[tuple[Offer, Decimal]]]:
    """Return for each chosen project its parts of batches."""
    offers = {offer.batch.id: offer for offer in found.offers}
    result: dict[str, list[tuple[Offer, Decimal]]] = {}
    for part in found.proposal.parts:
        result.setdefault(part.candidate, []).append((offers[part.batch], part.amount))
    return result


def take_over(found: Answer) -> list[tuple[Offer, dict[str, Any], Decimal, int]]:
    """Return for each real batch what its allotment sheet is prefilled with, the sum, and how many projects cannot be taken over yet.

    The sheet names a project by its id and takes 10,000 yuan; only approved projects have a line in it.
    """
    rows = []
    for offer in found.offers:
        if offer.tranche is None:
            continue
        values: dict[str, Any] = {}
        total, waiting = ZERO, 0
        for part in found.proposal.parts:
            entrant = found.entrants[part.candidate]
            if part.batch != offer.batch.id:
                continue
            if not entrant.allottable:
                waiting += 1
                continue
            values[f"p{entrant.reserve.project_id}-amount"] = f"{(part.amount / 10_000).normalize():f}"
            total += part.amount
        if values or waiting:
            rows.append((offer, values, total, waiting))
    return rows


__all__ = ["Answer", "Wish", "aim_names", "answer", "parts_of", "summary", "take_over", "why_not"]
