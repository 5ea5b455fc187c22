"""Races for the rest of a tranche, run inside a real installation by `test_concurrency.py`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from threading import Barrier
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Sum

from tests.conftest import run_recording
from tests.funds.issuing.conftest import new_reserve, new_tranche
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.issuing.actions import Line, allot, lend_on, redeem_early, state_quota
from yuanmai.funds.models import Allotment, EarlyRedemption, FundingState, OnLending, Tranche
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project
from yuanmai.projects.recording import Entry

DAY = date(2022, 3, 1)
MOST = Decimal(100_000_000)


def at_once(calls: list[Callable[[], Any]]) -> list[str]:
    """Run the calls at the same moment, each on a connection of its own; return ``done`` or ``refused`` for each."""
    together = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> str:
        try:
            with everywhere():
                connection.ensure_connection()
                together.wait(timeout=20)
                call()
        except ValidationError:
            return "refused"
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return sorted(pool.map(run, calls))


def two_projects(root: Organisation) -> list[Project]:
    """Two approved projects of an organisation."""
    projects = []
    for name in ("A", "B"):
        entry = Entry(
            root.pk,
            version={"name": name, "total_investment": MOST * 3, "effective_on": date(2022, 1, 1)},
        )
        (project,) = run_recording(root, [entry], date(2022, 1, 1))
        new_reserve(project, approved=MOST)
        projects.append(project)
    return projects


def give(project: Project, tranche: Tranche, amount: int) -> Callable[[], Any]:
    """Return a request for a part of a tranche."""
    return lambda: allot(SYSTEM, Tranche.objects.get(pk=tranche.pk), DAY, [Line(project, Decimal(amount))])


def run() -> dict[str, Any]:
    """Run every race on organisations of its own and return what came of it."""
    return {race.__name__: race(place(race.__name__)) for race in RACES}


def place(code: str) -> Organisation:
    """Return a new province."""
    return Organisation.add_root(code=code, name=code, kind="province")


def facts(projects: list[Project]) -> int:
    """Return what stands allotted to projects."""
    return int(Allotment.objects.filter(project__in=projects).aggregate(total=Sum("amount"))["total"])


def beyond_tranche(root: Organisation) -> dict[str, Any]:
    """60 + 60 of 100."""
    projects, tranche = two_projects(root), new_tranche(root, amount=MOST)
    answers = at_once([give(project, tranche, 60_000_000) for project in projects])
    tranche.refresh_from_db()
    sources = FundingState.objects.filter(project__in=projects).count()
    return {
        "answers": answers,
        "allotted": int(tranche.allotted),
        "facts": facts(projects),
        "sources": sources,
    }


def both_fit(root: Organisation) -> dict[str, Any]:
    """50 + 50 of 100."""
    projects, tranche = two_projects(root), new_tranche(root, amount=MOST)
    answers = at_once([give(project, tranche, 50_000_000) for project in projects])
    tranche.refresh_from_db()
    return {"answers": answers, "allotted": int(tranche.allotted)}


def quota(root: Organisation) -> dict[str, Any]:
    """60 + 60 of two tranches under a quota of 100."""
    state_quota(SYSTEM, root, 2022, MOST, date(2022, 1, 1))
    projects = two_projects(root)
    answers = at_once([give(project, new_tranche(root, amount=MOST), 60_000_000) for project in projects])
    return {"answers": answers, "facts": facts(projects)}


def lending(root: Organisation) -> dict[str, Any]:
    """60 + 60 of 100 passed on."""
    tranche = new_tranche(root, amount=MOST)
    below = [root.add_child(code=f"city-{n}", name=f"City {n}", kind="city") for n in range(2)]
    answers = at_once(
        [
            lambda to=city: lend_on(SYSTEM, tranche, root, to, Decimal(60_000_000), DAY)  # type: ignore[misc]
            for city in below
        ]
    )
    return {"answers": answers, "rows": OnLending.objects.filter(tranche=tranche).count()}


def redemption(root: Organisation) -> dict[str, Any]:
    """6 + 6 of 10 redeemed early."""
    tranche, (project, _other) = new_tranche(root, amount=MOST), two_projects(root)
    give(project, tranche, 10_000_000)()
    answers = at_once(
        [
            lambda: redeem_early(SYSTEM, tranche, date(2025, 1, 1), [(project, Decimal(6_000_000))])
            for _turn in range(2)
        ]
    )
    return {"answers": answers, "rows": EarlyRedemption.objects.filter(tranche=tranche).count()}


RACES = (beyond_tranche, both_fit, quota, lending, redemption)
