"""Follow the yuan: from the place that issues to the tenant who works in what was built, in both directions (pure).

Money is laid out in *strands*: a sum that went one way, node by node, to where it ended or rests. What a node took in, gave on
and keeps are sums over the strands through it, so nothing is lost or doubled, and following a node is choosing its strands.

Amounts are recorded up to the payment. Behind it a share is computed where one thing pays for several, by a stated rule:
`QUANTITY` (planned quantities of one unit), `EQUAL` (quantities of different units cannot be added), `AREA` (of the units of a
building). Shares are whole cents and add up. Of what was paid for a work, that stands on the ground which its share of the contract
amount × measured ÷ planned quantity bears; the rest was paid ahead of the work.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

ZERO, CENT = Decimal(0), Decimal("0.01")

# The stages in their order; a node's key is "stage:…".
PLACE, TRANCHE, LENT, PROJECT, USE, CONTRACT, PAYMENT, WORK, BUILDING, TENANT = STAGES = (
    "place", "tranche", "lent", "project", "use", "contract", "payment", "work", "building", "tenant",
)  # fmt: skip
# Where money rests (``rest:…``), and where it comes from when the books do not say (``excess:…``).
UNALLOTTED, UNDISBURSED, UNPAID, UNRECORDED, UNBUILT, STANDING, UNLET = RESTS = (
    "unallotted", "undisbursed", "unpaid", "unrecorded", "unbuilt", "standing", "unlet",
)  # fmt: skip
REST, EXCESS = "rest", "excess"
BEYOND_TRANCHE, BEYOND_LENDING, BEYOND_ALLOTMENT = EXCESSES = ("tranche", "lending", "allotment")
QUANTITY, EQUAL, AREA = RULES = ("quantity", "equal", "area")


class Step(NamedTuple):
    """A node on the way of a strand; `rule` says how its share was found, empty where the amount is recorded."""

    node: str
    rule: str = ""


class Strand(NamedTuple):
    """A sum that went this way."""

    path: tuple[Step, ...]
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Issue:
    """A tranche: `amount` yuan, issued by or for the place `source`."""

    id: str
    source: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Lending:
    """Of a tranche, `amount` was lent on by the place `lender` to the place `borrower`."""

    tranche: str
    lender: str
    borrower: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Given:
    """A tranche's money for a project: allotted to it, and disbursed to it by the treasury."""

    tranche: str
    project: str
    allotted: Decimal
    disbursed: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid out of a tranche for a contract and a named use (empty: none was named)."""

    tranche: str
    project: str
    contract: str
    use: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Work:
    """A physical work quantity; without a contract it belongs to the contracts of its project that have no work of their own."""

    id: str
    project: str
    contract: str
    building: str
    unit: str
    planned: Decimal
    measured: Decimal


@dataclass(frozen=True, slots=True)
class Space:
    """A unit of a building and who uses it, empty where nobody does."""

    building: str
    tenant: str
    area: Decimal


@dataclass(frozen=True, slots=True)
class Books:
    """All that is recorded, in the order in which it happened: where more is given on than came in, the last comes from nowhere.

    `above` gives for each project its place and those above it, the nearest first; `contracts` the amount of each contract.
    """

    issues: Sequence[Issue]
    lendings: Sequence[Lending] = ()
    given: Sequence[Given] = ()
    paid: Sequence[Paid] = ()
    works: Sequence[Work] = ()
    spaces: Sequence[Space] = ()
    above: Mapping[str, Sequence[str]] = field(default_factory=dict)
    contracts: Mapping[str, tuple[str, Decimal]] = field(default_factory=dict)  # id → project, amount


def key(stage: str, *ids: str) -> str:
    """Return the key of a node."""
    return ":".join((stage, *ids))


def stage_of(node: str) -> str:
    """Return the stage of a node, `REST` or `EXCESS`."""
    return node.partition(":")[0]


def shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Divide an amount by weights into whole cents that add up: the largest remainders get the last cents, the first of equals first.

    What an amount has below the cent goes to the first part. Weights that are all 0 count alike.
    """
    whole = sum(weights, ZERO)
    if not whole:
        weights, whole = [Decimal(1)] * len(weights), Decimal(len(weights))
    exact = [amount * weight / whole for weight in weights]
    parts = [value.quantize(CENT, ROUND_FLOOR) for value in exact]
    left = amount - sum(parts, ZERO)
    order = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in order[: int(left / CENT)]:
        parts[index] += CENT
    parts[order[0]] += amount - sum(parts, ZERO)
    return parts


def _extend(strand: Strand, *steps: Step) -> Strand:
    return Strand((*strand.path, *steps), strand.amount)


def _pour(incoming: Iterable[Strand], wanted: Sequence[tuple[tuple[Step, ...], Decimal]]) -> list[Strand]:
    """Send what comes in on its ways, both in their order. Both sides have the same sum."""
    sent: list[Strand] = []
    queue = [(strand.path, strand.amount) for strand in incoming if strand.amount]
    for steps, amount in wanted:
        while amount and queue:
            path, there = queue[0]
            part = min(there, amount)
            sent.append(Strand((*path, *steps), part))
            amount -= part
            if part == there:
                queue.pop(0)
            else:
                queue[0] = (path, there - part)
    return sent


def _total(strands: Iterable[Strand]) -> Decimal:
    return sum((strand.amount for strand in strands), ZERO)


def strands(books: Books) -> list[Strand]:
    """Lay out all recorded money. The strands of each node take in exactly what they give on."""
    paid: dict[tuple[str, str], list[Paid]] = {}
    for payment in books.paid:
        if payment.amount > 0:
            paid.setdefault((payment.tranche, payment.project), []).append(payment)
    given = {(row.tranche, row.project): row for row in books.given}
    for pair in paid.keys() - given.keys():
        given[pair] = Given(*pair, ZERO)
    rows: dict[str, list[Given]] = {}
    for row in given.values():
        rows.setdefault(row.tranche, []).append(row)
    lendings: dict[str, list[Lending]] = {}
    for lending in books.lendings:
        lendings.setdefault(lending.tranche, []).append(lending)
    done: list[Strand] = []
    for issue in books.issues:
        source = Strand((Step(key(PLACE, issue.source)), Step(key(TRANCHE, issue.id))), issue.amount)
        mine = rows.get(issue.id, [])
        arrived = _lend([source], _Tree(lendings.get(issue.id, ())), "", mine, books, done)
        for row in mine:
            _spend(row, arrived.get(row.project, []), paid.get((row.tranche, row.project), []), done)
    return _build(done, books)


class _Tree:
    """The places to which a tranche was lent on: amounts, and who lends to whom ("" is the tranche itself)."""

    def __init__(self, lendings: Sequence[Lending]) -> None:
        self.amounts: dict[str, Decimal] = {}
        self.lender: dict[str, str] = {}
        for lending in lendings:
            self.amounts[lending.borrower] = self.amounts.get(lending.borrower, ZERO) + lending.amount
        for lending in lendings:
            known = lending.lender in self.amounts and lending.lender != lending.borrower
            self.lender.setdefault(lending.borrower, lending.lender if known else "")
        for borrower in self.lender:  # whoever lends in a circle borrows from the tranche
            seen, place = {borrower}, self.lender[borrower]
            while place and place not in seen:
                seen.add(place)
                place = self.lender[place]
            if place:
                self.lender[borrower] = ""

    def nearest(self, places: Sequence[str]) -> str:
        """Return the first of the places to which was lent, "" where none is."""
        return next((place for place in places if place in self.amounts), "")


def _lend(
    incoming: list[Strand], tree: _Tree, place: str, rows: Sequence[Given], books: Books, done: list[Strand]
) -> dict[str, list[Strand]]:
    """Return what arrives at each project from here downwards; what is not given on rests (in `done`).

    `incoming` ends at this node: the tranche ("") or a place to which it was lent on.
    """
    there, here = _total(incoming), incoming[0].path[-1]
    below = {
        borrower: amount for borrower, amount in tree.amounts.items() if tree.lender[borrower] == place and amount > 0
    }  # fmt: skip
    allotted = {
        row.project: row.allotted
        for row in rows
        if row.allotted > 0 and tree.nearest(books.above.get(row.project, ())) == place
    }
    wanted = sum((*below.values(), *allotted.values()), ZERO)
    if wanted > there:
        excess = Step(key(EXCESS, BEYOND_LENDING if place else BEYOND_TRANCHE))
        incoming = [*incoming, Strand((excess, here), wanted - there)]
    tranche = here.node.split(":")[1]  # tranche:ID or lent:ID:place
    lent = {borrower: Step(key(LENT, tranche, borrower)) for borrower in below}
    ways = [((lent[borrower],), amount) for borrower, amount in below.items()]
    ways += [((Step(key(PROJECT, project)),), amount) for project, amount in allotted.items()]
    ways.append(((Step(key(REST, UNALLOTTED)),), max(there - wanted, ZERO)))
    by_end: dict[str, list[Strand]] = {}
    for strand in _pour(incoming, ways):
        by_end.setdefault(strand.path[-1].node, []).append(strand)
    done += by_end.get(key(REST, UNALLOTTED), [])
    arrived = {project: by_end[key(PROJECT, project)] for project in allotted}
    for borrower in below:
        arrived |= _lend(by_end[lent[borrower].node], tree, borrower, rows, books, done)
    return arrived


def _spend(row: Given, arrived: list[Strand], paid: Sequence[Paid], done: list[Strand]) -> None:
    """Send what arrived at a project to its contracts; what is not paid or not disbursed rests."""
    project = Step(key(PROJECT, row.project))
    allotted = _total(arrived)
    spent = sum((payment.amount for payment in paid), ZERO)
    out = max(row.disbursed, spent)
    if out > allotted:
        arrived = [*arrived, Strand((Step(key(EXCESS, BEYOND_ALLOTMENT)), project), out - allotted)]
    ways: list[tuple[tuple[Step, ...], Decimal]] = []
    for payment in paid:
        use = key(USE, payment.use) if payment.use else key(USE, "none", row.project)
        steps = (Step(use), Step(key(CONTRACT, payment.contract)), Step(key(PAYMENT, payment.contract)))
        ways.append((steps, payment.amount))
    ways.append(((Step(key(REST, UNPAID)),), out - spent))
    ways.append(((Step(key(REST, UNDISBURSED)),), max(allotted - out, ZERO)))
    done += _pour(arrived, ways)


def _build(flowing: Sequence[Strand], books: Books) -> list[Strand]:
    """Carry payments on to the works, buildings and tenants that they paid for."""
    own: dict[str, list[Work]] = {}
    shared: dict[str, list[Work]] = {}
    for work in books.works:
        (own.setdefault(work.contract, []) if work.contract else shared.setdefault(work.project, [])).append(
            work
        )
    basis: dict[str, Decimal] = {}  # of the works without a contract: the contracts without works
    for contract, (project, amount) in books.contracts.items():
        if contract not in own:
            basis[project] = basis.get(project, ZERO) + amount
    spaces: dict[str, list[Space]] = {}
    for space in books.spaces:
        spaces.setdefault(space.building, []).append(space)
    done: list[Strand] = []
    room: dict[str, Decimal] = {}  # how much more of what is paid stands on the ground, by work
    for strand in flowing:
        end = strand.path[-1].node
        if stage_of(end) != PAYMENT:
            done.append(strand)
            continue
        contract = end.partition(":")[2]
        project, amount = books.contracts.get(contract, ("", ZERO))
        works = own.get(contract)
        if works is None:
            works, amount = shared.get(project, []), basis.get(project, ZERO)
        if not works:
            done.append(_extend(strand, Step(key(REST, UNRECORDED))))
            continue
        rule, weights = split_rule(works)
        if works[0].id not in room:
            for work, value in zip(works, shares(amount, weights), strict=True):
                done_share = min(work.measured / work.planned, Decimal(1)) if work.planned else ZERO
                room[work.id] = (value * done_share).quantize(CENT)
        for work, part in zip(works, shares(strand.amount, weights), strict=True):
            here = _extend(Strand(strand.path, part), Step(key(WORK, work.id), rule))
            stands = min(part, room[work.id])
            room[work.id] -= stands
            if stands:
                done += _settle(Strand(here.path, stands), work, spaces)
            if part > stands:
                done.append(Strand((*here.path, Step(key(REST, UNBUILT))), part - stands))
    return [strand for strand in done if strand.amount]


def split_rule(works: Sequence[Work]) -> tuple[str, list[Decimal]]:
    """Return how a payment is divided among works, and the weights; no rule where there is only one work."""
    if len(works) == 1:
        return "", [Decimal(1)]
    if len({work.unit for work in works}) == 1 and any(work.planned for work in works):
        return QUANTITY, [work.planned for work in works]
    return EQUAL, [Decimal(1)] * len(works)


def _settle(strand: Strand, work: Work, spaces: Mapping[str, Sequence[Space]]) -> list[Strand]:
    """Carry what stands on the ground on to the building and those who use it."""
    if not work.building:
        return [_extend(strand, Step(key(REST, STANDING)))]
    strand = _extend(strand, Step(key(BUILDING, work.building)))
    areas: dict[str, Decimal] = {}
    for space in spaces.get(work.building, ()):
        areas[space.tenant] = areas.get(space.tenant, ZERO) + space.area
    if not any(areas):
        return [_extend(strand, Step(key(REST, UNLET)))]
    rule = AREA if len(areas) > 1 else ""
    order = sorted(areas, key=lambda tenant: (tenant == "", tenant))
    parts = shares(strand.amount, [areas[tenant] for tenant in order])
    return [
        Strand((*strand.path, Step(key(TENANT, tenant) if tenant else key(REST, UNLET), rule)), part)
        for tenant, part in zip(order, parts, strict=True)
        if part
    ]
