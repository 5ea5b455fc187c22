"""The bond engine: full tables of 10,000 projects, one project's stress grid, beside QuantLib doing the same debt service.

    python bench/bonds.py [--projects 10000] [--scenarios 10000]

Prints one JSON line per measurement: what, how many, seconds (wall), cpu_seconds, peak_rss_mb. Each measurement runs in a process of its
own on one core. QuantLib (doubles, C++) gives flows and their sums by year of the same tranches; rows, coverage and checks it does not
have. The sums of both are compared in the same run: the bench fails where they differ.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from yuanmai.funds.engine.bonds.coverage import statement
from yuanmai.funds.engine.bonds.schedule import flows, planned_principal
from yuanmai.funds.engine.bonds.stress import Factor, grid
from yuanmai.funds.engine.bonds.terms import Fees, Instalment, Loan, Plan, Repayment, Tranche, Year

FEES = Fees(Decimal("0.0008"), Decimal("0.000064"), Decimal("0.00005"))
KINDS = (Repayment.BULLET, Repayment.INSTALMENTS, Repayment.LEVEL_PAYMENT)


def make_tranche(chance: random.Random, name: str, kind: Repayment, year: int) -> Tranche:
    """30 years, half-yearly, issued on any day of a year; amounts of 万元."""
    first = date(year, 1, 1) + timedelta(days=chance.randrange(365))
    principal = Decimal(chance.randrange(1_000, 40_000))
    rate = Decimal(chance.randrange(170, 450)) / 10_000
    parts: tuple[Instalment, ...] = ()
    if kind is Repayment.INSTALMENTS:
        parts = tuple(Instalment(2 * number, principal / 10) for number in range(21, 31))
    return Tranche(name, principal, rate, first, 30, 2, kind, parts)


def make_plans(count: int) -> Iterator[Plan]:
    """The same plans for the same number: three tranches (bullet, instalments, level payment) × 30 years."""
    chance = random.Random(20240619)
    for _number in range(count):
        tranches = tuple(
            make_tranche(chance, kind.value, kind, 2024 + place) for place, kind in enumerate(KINDS)
        )
        issued = int(sum(entry.principal for entry in tranches))
        years = tuple(
            Year(
                year,
                Decimal(issued * chance.randrange(8, 14)) / 100,
                Decimal(issued) / 50,
                Decimal(issued) / 200,
            )
            for year in range(2026, 2057)
        )
        yield Plan(tranches, years=years, fees=FEES, operation_start=2026)


def report(what: str, count: int, wall: float, cpu: float, **more: object) -> None:
    """Print one line."""
    line = {
        "what": what,
        "count": count,
        "seconds": round(wall, 3),
        "cpu_seconds": round(cpu, 3),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps({**line, **more}, ensure_ascii=False), flush=True)


def measure_tables(options: argparse.Namespace) -> None:
    """From terms to flows, yearly service, rows and all ratios of every project."""
    plans = list(make_plans(options.projects))
    rows = flow_count = 0
    lowest = Decimal(1000)
    wall, cpu = time.perf_counter(), time.process_time()
    for plan in plans:
        found = statement(plan)
        rows += len(found.rows)
        flow_count += sum(len(entry) for entry in found.flows.values())
        value = found.coverage.all_interest.value
        lowest = lowest if value is None else min(lowest, value)
    report(
        "tables", len(plans), time.perf_counter() - wall, time.process_time() - cpu, flows=flow_count, rows=rows,
        lowest_coverage=float(lowest),
    )  # fmt: skip


def measure_stress(options: argparse.Namespace) -> None:
    """One project: coverage, lowest balance and gap years of a grid of two factors; a bond with level payment and a loan among it."""
    plan = next(make_plans(1))
    loan = Loan("loan", Decimal(5000), Decimal("0.0385"), 20, Repayment.LEVEL_PAYMENT, 2, first_year=2026)
    side = round(options.scenarios**0.5)
    steps = [Decimal(number - side // 2) / side for number in range(side)]
    plan = Plan(plan.tranches, (loan,), plan.years, plan.fees, plan.operation_start)
    for factors in (
        (Factor.REVENUE, Factor.OPERATING_COST),
        (Factor.REVENUE, Factor.RATE),
        (Factor.RATE, Factor.PRINCIPAL),
    ):
        wall, cpu = time.perf_counter(), time.process_time()
        found = grid(plan, factors[0], steps, factors[1], steps)
        report(
            f"stress {factors[0]} × {factors[1]}", side * side, time.perf_counter() - wall, time.process_time() - cpu,
            below_one=sum(1 for line in found.outcomes for entry in line if entry.coverage and entry.coverage < 1),
        )  # fmt: skip


def peer_service(tranche: Tranche, notionals: list[float]) -> dict[int, float]:
    """What QuantLib makes of a tranche: interest and principal by year."""
    import QuantLib as ql  # noqa: N813

    first = ql.Date(tranche.value_date.day, tranche.value_date.month, tranche.value_date.year)
    schedule = ql.Schedule(
        first, first + ql.Period(tranche.term_years, ql.Years), ql.Period(ql.Semiannual), ql.NullCalendar(), ql.Unadjusted,
        ql.Unadjusted, ql.DateGeneration.Forward, False,
    )  # fmt: skip
    count = ql.ActualActual(ql.ActualActual.ISMA, schedule)
    if tranche.repayment is Repayment.BULLET:
        bond: Any = ql.FixedRateBond(0, notionals[0], schedule, [float(tranche.rate)], count)
    else:
        bond = ql.AmortizingFixedRateBond(0, notionals, schedule, [float(tranche.rate)], count)
    years: dict[int, float] = defaultdict(float)
    for flow in bond.cashflows():
        years[flow.date().year()] += flow.amount()
    return years


def notionals_of(tranche: Tranche) -> list[float]:
    """The principal outstanding in each period, which QuantLib is given."""
    left, found = tranche.principal, []
    for part in planned_principal(tranche):
        found.append(float(left))
        left -= part
    return found


def measure_quantlib(options: argparse.Namespace) -> None:
    """QuantLib does the debt service by year of the same tranches; its sums are ours."""
    tranches = [tranche for plan in make_plans(options.peer) for tranche in plan.tranches]
    given = [(tranche, notionals_of(tranche)) for tranche in tranches]
    wall, cpu = time.perf_counter(), time.process_time()
    theirs = [peer_service(tranche, notionals) for tranche, notionals in given]
    taken = time.perf_counter() - wall, time.process_time() - cpu
    apart = 0.0
    for tranche, years in zip(tranches, theirs, strict=True):
        ours: dict[int, Decimal] = defaultdict(Decimal)
        for row in flows(tranche):
            ours[row.date.year] += row.interest + row.principal
        apart = max(apart, max(abs(float(ours[year]) - years[year]) for year in ours.keys() | years.keys()))
    assert apart < 1e-6, apart
    report("quantlib debt service", options.peer, *taken, largest_difference=apart)
    wall, cpu = time.perf_counter(), time.process_time()
    for tranche in tranches:
        by_year: dict[int, Decimal] = defaultdict(Decimal)
        for row in flows(tranche):
            by_year[row.date.year] += row.interest + row.principal
    report("the same by ours", options.peer, time.perf_counter() - wall, time.process_time() - cpu)


MEASURES = {"quantlib": measure_quantlib, "tables": measure_tables, "stress": measure_stress}


def main() -> None:
    """Measure each in its own process, all on one core."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--projects", type=int, default=10_000)
    parser.add_argument("--scenarios", type=int, default=10_000)
    parser.add_argument("--peer", type=int, help="projects for QuantLib; as many as --projects unless said")
    parser.add_argument("--only", choices=sorted(MEASURES))
    options = parser.parse_args()
    if options.peer is None:
        options.peer = options.projects
    if options.only:
        MEASURES[options.only](options)
        return
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    for name in MEASURES:
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--only", name], check=True)


if __name__ == "__main__":
    main()
