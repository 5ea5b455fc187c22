"""Many answers from one reading of the facts equal the answers one by one, on data made at random."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache

from tests.conftest import Orgs, run_recording
from yuanmai.core.figures import FIGURES, Facts, Query, evaluate_days, evaluate_many, evaluate_places
from yuanmai.core.figures.evaluate import month_ends
from yuanmai.projects.recording import Entry

pytestmark = pytest.mark.django_db

DAY = date(2022, 11, 20)
CODES = tuple(code for code in FIGURES if code.startswith(("projects.", "funds.")))


@pytest.fixture
def ledger(orgs: Orgs) -> Orgs:
    """A hundred projects with plans of two years and reports on any days, some of them entered late."""
    chance = random.Random(7)
    for org in (orgs.north, orgs.south):
        entries = []
        for number in range(50):
            reports = [
                {
                    "effective_on": date(2022, 1, 1) + timedelta(days=chance.randrange(0, 320)),
                    "investment_done": Decimal(chance.randrange(1, 10**9)) / 100,
                    "started": chance.random() < 0.5,
                    "resumed": chance.random() < 0.5,
                    "completed": chance.random() < 0.1,
                }
                for _ in range(chance.randrange(0, 4))
            ]
            plans = [
                {
                    "year": year,
                    "kind": chance.choice(["new_start", "continuing", "reserve", ""]),
                    "planned_investment": Decimal(chance.randrange(0, 10**9)) / 100,
                }
                for year in (2021, 2022)
                if chance.random() < 0.8
            ]
            entries.append(
                Entry(
                    org.pk,
                    version={
                        "name": f"{org.code}-{number}",
                        "category": chance.choice(["产业", "基础设施", ""]),
                        "total_investment": Decimal(chance.randrange(1, 3 * 10**9)),
                        "start_on": date(2022, chance.randrange(1, 13), 1),
                    },
                    plans=plans,
                    reports=reports,
                    lists={"市重点": True} if chance.random() < 0.5 else {},
                )
            )
        run_recording(org, entries, date(2021, 1, 1))
    return orgs


def _days(query: Query) -> list[Query]:
    return [query.on(day) for day in month_ends(query.as_of, query.as_of.month)]


def _one_by_one(codes: Any, queries: list[Query]) -> list[Any]:
    cache.clear()
    answers = [evaluate_many(codes, query) for query in queries]
    cache.clear()
    return answers


@pytest.mark.parametrize(
    "filters", [{}, {"category": "产业"}, {"list": "市重点", "started": "yes"}, {"light": "red"}], ids=str
)
def test_days_equal_the_days_one_by_one(ledger, in_scope, filters) -> None:
    codes = [code for code in CODES if code != "funds.sources"] if filters else list(CODES)
    codes = [c for c in codes if c != "projects.time_progress"] if filters else codes
    with in_scope(ledger.city):
        queries = _days(Query(ledger.below(ledger.city), DAY).where(**filters))
        expected = _one_by_one(codes, queries)
        assert evaluate_days(codes, queries) == expected
        assert evaluate_days(codes, queries) == expected, "and from memory"
    assert len({answers["projects.completion_rate"].value for answers in expected}) > 3


def test_days_as_known_at_moments(ledger, in_scope) -> None:
    """Some of what is known now was not known at the earlier moments."""
    from django.utils import timezone

    first = timezone.now()
    chance = random.Random(8)
    for step in range(3):
        run_recording(
            ledger.north,
            [
                Entry(
                    ledger.north.pk,
                    version={"name": f"late {step}-{n}"},
                    plans=[{"year": 2022, "kind": "new_start", "planned_investment": Decimal(1000)}],
                    reports=[
                        {"effective_on": date(2022, 3 * step + 1, 15), "investment_done": Decimal(chance.randrange(999))}
                    ],
                )
                for n in range(4)
            ],
            date(2022, 1, 1),
        )  # fmt: skip
    last = timezone.now()
    codes = [code for code in CODES if code.startswith("projects.")]
    with in_scope(ledger.city):
        days = _days(Query(ledger.below(ledger.city), DAY))
        width = (last - first) / (len(days) - 1)
        queries = [
            Query(q.org_ids, q.as_of, first - timedelta(days=1) if n == 0 else first + width * n)
            for n, q in enumerate(days)
        ]
        expected = _one_by_one(codes, queries)
        assert evaluate_days(codes, queries) == expected
    assert len({answers["projects.count"].value for answers in expected}) > 2
    assert expected[0]["projects.count"].value == 0, "nothing was known yet"


def test_the_year_s_edge_is_not_crossed_by_one_reading(ledger, in_scope) -> None:
    """The plan of a year counts in that year only."""
    with in_scope(ledger.city):
        queries = [Query(ledger.below(ledger.city), day) for day in month_ends(DAY, 14)]
        expected = _one_by_one(["projects.completion_rate", "projects.count"], queries)
        assert evaluate_days(["projects.completion_rate", "projects.count"], queries) == expected
    assert expected[0]["projects.count"] != expected[-1]["projects.count"]


def test_queries_do_not_grow_with_the_days(ledger, in_scope, django_assert_max_num_queries) -> None:
    with in_scope(ledger.city):
        queries = _days(Query(ledger.below(ledger.city), DAY))
        cache.clear()
        with django_assert_max_num_queries(5):  # versions, rules of lights (3), one reading
            evaluate_days(["projects.investment_done", "projects.completion_rate"], queries)


def test_places_equal_the_places_one_by_one(ledger, in_scope, django_assert_max_num_queries) -> None:
    codes = [code for code in CODES if code.startswith("projects.")]
    with in_scope(ledger.city):
        places = {
            "north": ledger.below(ledger.north),
            "south": ledger.below(ledger.south),
            "all": ledger.below(ledger.city),
        }
        query = Query(ledger.below(ledger.city), DAY)
        expected = {
            place: evaluate_many(codes, Query(tuple(ids), DAY)) for place, ids in places.items()
        }  # fmt: skip
        cache.clear()
        assert evaluate_places(codes, query, places) == expected
        cache.clear()
        with django_assert_max_num_queries(5):
            evaluate_places(["projects.count", "projects.completion_rate"], query, places)
    assert expected["north"]["projects.count"].value and expected["south"]["projects.count"].value


def test_only_facts_that_follow_the_span_are_read_at_once() -> None:
    """Lights change from day to day without a new row."""
    assert not any(
        figure.spanning for figure in FIGURES.values() if isinstance(figure, Facts) and figure.code.endswith(
            ("red_count", "yellow_count", "green_count")
        )
    )  # fmt: skip
