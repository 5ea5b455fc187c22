"""A reserve project that passes every gate, and the people around it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.funds.files import attach_file
from yuanmai.funds.models import PlanYear, Reserve, ReserveItem
from yuanmai.funds.reserve import actions
from yuanmai.funds.reserve.rules import rules_for
from yuanmai.projects.models import Project

DAY = date(2022, 3, 31)
WAN = Decimal(10_000)
HEADINGS = ("necessity", "maturity", "sources", "income", "demand", "repayment", "targets", "others")


def application(**more: Any) -> dict[str, Any]:
    """100 million in all: 30 capital, 70 bonds over 15 years at 3.5 %."""
    return {
        "year": 2022,
        "field": "park_infrastructure",
        "sector": "infrastructure",
        "requested": WAN * 7000,
        "capital": WAN * 3000,
        "total_investment": WAN * 10_000,
        "term_years": 15,
        "rate": Decimal("0.035"),
        "construction_start": date(2022, 5, 1),
        "construction_end": date(2024, 4, 30),
        "operation_start": date(2024, 5, 1),
        **more,
    }


def plan(revenue: int = 900, years: int = 15) -> dict[int, dict[str, Decimal | None]]:
    """Two years of building, then income of `revenue` 万元 a year, cost a fifth of it."""
    rows: dict[int, dict[str, Decimal | None]] = {
        2022: {"investment": WAN * 6000, "capital": WAN * 2000, "bonds": WAN * 4000},
        2023: {"investment": WAN * 4000, "capital": WAN * 1000, "bonds": WAN * 3000},
    }
    for year in range(2024, 2024 + years):
        rows[year] = {"revenue": WAN * revenue, "operating_cost": WAN * revenue / 5, "tax": WAN * 10}
    return rows


def scores(value: int = 80) -> dict[str, dict[str, Any]]:
    return {code: {"score": Decimal(value), "opinion": ""} for code in HEADINGS}


@pytest.fixture(autouse=True)
def _home(settings: Any, tmp_path: Any) -> None:
    settings.HOME, settings.MEDIA_ROOT = tmp_path, tmp_path / "files"


@pytest.fixture
def project(orgs: Any, make_project: Any) -> Project:
    """A project of the north park, of 100 million."""
    return make_project(orgs.north, "北园污水管网", total=100_000_000)


@pytest.fixture
def enter(project: Project) -> Callable[..., Reserve]:
    """``enter(**attributes)``: the project in reserve, by the system."""

    def make(which: Project = project, on: date = DAY, **more: Any) -> Reserve:
        with everywhere():
            return actions.enter_reserve(SYSTEM, which, on, application(**more))

    return make


@pytest.fixture
def complete(enter: Callable[..., Reserve]) -> Callable[..., Reserve]:
    """``complete(**attributes)``: in reserve with plan, uses, checklist and files: it passes every hard gate."""

    def make(*, revenue: int = 1500, papers: bool = True, **more: Any) -> Reserve:
        reserve = enter(**more)
        with everywhere():
            actions.set_plan(SYSTEM, reserve, DAY, PlanYear.Version.PLAN, plan(revenue))
            uses = [{"name": "管网", "amount": reserve.requested, "capital_expenditure": True}]
            actions.set_uses(SYSTEM, reserve, DAY, uses)
            if papers:
                lines = {code: {"state": "done"} for code in rules_for(reserve.org_id, DAY)["checklist"]}
                actions.set_items(SYSTEM, reserve, DAY, lines)
                for item in ReserveItem.objects.filter(reserve=reserve, code__in=FILED):
                    paper = SimpleUploadedFile(f"{item.code}.pdf", b"%PDF-1.7 " + item.code.encode())
                    attach_file(SYSTEM, item, "offering", paper)
            reserve.refresh_from_db()
        return reserve

    return make


FILED = ("implementation_plan", "financial_report", "legal_opinion")


@pytest.fixture
def handed_in(complete: Callable[..., Reserve]) -> Callable[..., Reserve]:
    """A complete project that waits for its reviews."""

    def make(**more: Any) -> Reserve:
        reserve = complete(**more)
        with everywhere():
            return actions.move_reserve(SYSTEM, reserve, "submit", DAY, {})

    return make
