"""The repayment calendars of a place's projects: the bond engine's payments against the income they expect.

A project is in when a tranche stands allotted to it. Its income is that of its newest reserve entry, in its latest version
(`PlanYear.Version`); bonds that are still to be issued stand in the calendar as planned.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from django.core.cache import cache

from yuanmai.common.working_days import china
from yuanmai.core.actions import acting
from yuanmai.core.audit.log import versions
from yuanmai.core.figures import Query
from yuanmai.funds.engine import calendar
from yuanmai.funds.engine.bonds.coverage import operation_day, statement
from yuanmai.funds.engine.bonds.terms import Plan
from yuanmai.funds.engine.calendar import Calendar, MonthRow
from yuanmai.funds.figures import facts
from yuanmai.funds.issuing.queries import tranches_of
from yuanmai.funds.issuing.service import OPERATING, PLANNED, engine_tranche, plans_of
from yuanmai.funds.models import Reserve, Tranche
from yuanmai.funds.queries import ZERO
from yuanmai.projects.queries import states


@dataclass(frozen=True)
class Repayer:
    """A project that repays: its name and address, its calendar, and the tranches by the code that the engine knows them by."""

    project_id: int
    uid: str
    name: str
    org: str
    reserve_uid: str
    calendar: Calendar
    tranches: dict[str, Tranche]


@dataclass(frozen=True)
class Payment:
    """What falls due on one day for one bond, of several projects; `planned` where the bond is not issued yet."""

    bond: str
    name: str
    tranche: Tranche | None
    due_on: date
    payment_day: date
    interest: Decimal
    principal: Decimal
    projects: tuple[tuple[str, Decimal], ...]
    planned: bool

    @property
    def amount(self) -> Decimal:
        """Interest and principal."""
        return self.interest + self.principal


@dataclass(frozen=True)
class YearSum:
    """A year of a place: sums, and how many projects have a gap in it. `balance` only for a single project."""

    year: int
    income: Decimal
    due: Decimal
    set_aside: Decimal
    bridged: Decimal
    gaps: int
    balance: Decimal | None


def repayers(query: Query) -> list[Repayer]:
    """Return the projects that repay, by name; kept until funds or projects change. The number of queries is constant."""
    if acting.get() is not None:  # what an action sees may be rolled back
        return _repayers(query)
    known = versions()
    question = blake2b(f"{query.org_ids}:{query.as_of}:{query.known_at}".encode(), digest_size=16).hexdigest()
    key = f"repayers:{known.get('funds', 0)}:{known.get('projects', 0)}:{known.get('people', 0)}:{question}"
    found: list[Repayer] | None = cache.get(key)
    if found is None:
        found = _repayers(query)
        cache.set(key, found)
    return found


def _repayers(query: Query) -> list[Repayer]:
    shares = tranches_of(query)
    newest: dict[int, Reserve] = {}
    rows: Any = facts.reserves(query).filter(project_id__in=list(shares))
    for reserve in sorted(rows, key=lambda row: (row.year, row.pk)):
        newest[reserve.project_id] = reserve
    plans = plans_of(newest.values(), OPERATING, query)
    named = (
        states(query)
        .filter(project_id__in=list(shares))
        .select_related("project", "org")
        .order_by("name", "id")
    )
    days = china()
    found = []
    for state in named:
        parts = shares[state.project_id]
        entry = newest.get(state.project_id)
        plan = plans[entry.pk] if entry else Plan(tuple(engine_tranche(share) for share in parts))
        found.append(
            Repayer(
                state.project_id,
                str(state.project.uid),
                state.name,
                state.org.label,
                str(entry.uid) if entry else "",
                calendar.calendar(statement(plan), days, operation_day(plan)),
                {share.tranche.code: share.tranche for share in parts},
            )
        )
    return found


def payments(found: Iterable[Repayer], *, planned: bool = True) -> list[Payment]:
    """Return the payments of several projects, those of one bond on one day together, in the order of the payment days."""
    groups: dict[tuple[date, str, date], list[tuple[Repayer, calendar.Due]]] = {}
    for repayer in found:
        for due in repayer.calendar.dues:
            if planned or due.bond in repayer.tranches:
                groups.setdefault((due.payment_day, due.bond, due.due_on), []).append((repayer, due))
    rows = []
    for (payment_day, bond, due_on), parts in sorted(groups.items(), key=lambda item: item[0]):
        tranche = parts[0][0].tranches.get(bond)
        rows.append(
            Payment(
                bond,
                tranche.name if tranche else bond.removeprefix(PLANNED),
                tranche,
                due_on,
                payment_day,
                sum((due.interest for _who, due in parts), ZERO),
                sum((due.principal for _who, due in parts), ZERO),
                tuple((repayer.name, due.amount) for repayer, due in parts),
                bond.startswith(PLANNED),
            )
        )
    return rows


def months(found: Iterable[Repayer]) -> tuple[MonthRow, ...]:
    """Return the months of several projects added up."""
    return calendar.together(repayer.calendar for repayer in found)


def years(found: Iterable[Repayer]) -> list[YearSum]:
    """Return the years of several projects added up; each project covers itself."""
    rows = list(found)
    sums: dict[int, list[calendar.YearRow]] = {}
    for repayer in rows:
        for year in repayer.calendar.years:
            sums.setdefault(year.year, []).append(year)
    return [
        YearSum(
            number,
            sum((part.income for part in parts), ZERO),
            sum((part.due for part in parts), ZERO),
            sum((part.set_aside for part in parts), ZERO),
            sum((part.bridged for part in parts), ZERO),
            sum(part.gap for part in parts),
            parts[0].balance if len(rows) == 1 else None,
        )
        for number, parts in sorted(sums.items())
    ]
