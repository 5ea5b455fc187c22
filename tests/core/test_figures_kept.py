"""What is kept of figures is given up exactly where something changed: never too little, and not the whole city's either."""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import AS_OF, Orgs
from yuanmai.core.audit.log import version_for
from yuanmai.core.figures import (
    FIGURES,
    Query,
    breakdown,
    evaluate_days,
    evaluate_many,
    evaluate_places,
    rows,
)
from yuanmai.core.figures.evaluate import month_ends
from yuanmai.core.policy import SYSTEM
from yuanmai.core.scope import everywhere
from yuanmai.projects.actions import plan_year, report_progress, undo_facts

pytestmark = pytest.mark.django_db

CODES = tuple(code for code in FIGURES if code.startswith("projects."))


def _everything(query: Query, orgs: Orgs) -> list[Any]:
    """Every way of asking for a figure."""
    days = [query.on(day) for day in month_ends(query.as_of, 3)]
    places = {org.pk: [org.pk] for org in (orgs.north, orgs.south)}
    return [
        evaluate_many(CODES, query),
        evaluate_days(CODES, days),
        evaluate_places(CODES, query, places),
        *(
            breakdown("projects.completion_rate", query, by)
            for by in ("kind", "category", "light", "organisation")
        ),
        len(rows("projects.count", query)[1] or ()),
    ]


def _afresh(query: Query, orgs: Orgs) -> list[Any]:
    """The same, with nothing kept; what was kept is still there afterwards."""
    kept = dict(cache._cache)  # type: ignore[attr-defined]
    expiry = dict(cache._expire_info)  # type: ignore[attr-defined]
    cache.clear()
    answer = _everything(query, orgs)
    cache.clear()
    cache._cache.update(kept)  # type: ignore[attr-defined]
    cache._expire_info.update(expiry)  # type: ignore[attr-defined]
    return answer


def test_what_is_kept_equals_what_is_computed_afresh_whatever_is_written(
    orgs: Orgs, make_project: Any
) -> None:
    """A random walk of local and general changes; after each one every answer equals the fresh one."""
    chance = random.Random(5)
    projects = [
        make_project(org, f"{org.code} {n}", plan=1000 * (n + 1), done=100, kind=kind)
        for org in (orgs.north, orgs.south)
        for n, kind in enumerate(("new_start", "continuing", "continuing"))
    ]
    facts: list[Any] = []
    seen = set()
    with everywhere():
        questions = [
            Query(orgs.below(org), AS_OF, filters=filters)
            for org in (orgs.city, orgs.north, orgs.south)
            for filters in ((), (("kind", "continuing"),))
        ]
        for step in range(8):
            what = chance.choice(("report", "report", "undo", "plan", "new")) if facts else "report"
            project = chance.choice(projects)
            if what == "report":
                values = {"investment_done": Decimal(chance.randrange(1, 9_000)), "started": True}
                facts += report_progress(SYSTEM, AS_OF, [(project, values)])
            elif what == "undo":
                undo_facts(SYSTEM, [facts.pop(chance.randrange(len(facts)))], "typed wrongly")
            elif what == "plan":
                plan = {"year": AS_OF.year, "kind": "continuing", "planned_investment": Decimal(step + 5_000)}
                plan_year(SYSTEM, project, date(AS_OF.year, 1, 1), plan)
            else:
                projects.append(
                    make_project(chance.choice((orgs.north, orgs.south)), plan=777 + step, done=step)
                )
            for query in questions:
                answer = _everything(query, orgs)
                assert answer == _afresh(query, orgs), (step, what, query)
                seen.add(str(answer[0]["projects.investment_done"].value))
    assert len(seen) > 8


def test_a_report_leaves_other_organisations_figures_alone(orgs: Orgs, make_project: Any) -> None:
    north, south = make_project(orgs.north, done=1), make_project(orgs.south, done=1)
    assert south
    here, there, city = (Query(orgs.below(org), AS_OF) for org in (orgs.north, orgs.south, orgs.city))
    with everywhere():
        for query in (here, there, city):
            evaluate_many(CODES, query)
        report_progress(SYSTEM, AS_OF, [(north, {"investment_done": Decimal(777)})])
        assert evaluate_many(CODES, here)["projects.investment_done"].value == 777
        with CaptureQueriesContext(connection) as asked:
            evaluate_many(CODES, there)
        assert not [q for q in asked.captured_queries if "projectstate" in q["sql"]]
        with CaptureQueriesContext(connection) as asked:
            assert evaluate_many(CODES, city)["projects.investment_done"].value == 778
        reading = [q["sql"] for q in asked.captured_queries if "projectstate" in q["sql"]]
        assert reading == [], "what the park adds was read for the park; the city's is the sum of its parts"


def test_versions_rise_for_the_organisation_alone(orgs: Orgs, make_project: Any) -> None:
    north = make_project(orgs.north)
    ids = {org.code: [org.pk] for org in (orgs.north, orgs.south)}
    with everywhere():
        before = {code: version_for(["projects"], org) for code, org in ids.items()}
        report_progress(SYSTEM, AS_OF, [(north, {"investment_done": Decimal(5)})])
        after = {code: version_for(["projects"], org) for code, org in ids.items()}
        assert after["south"] == before["south"]
        assert after["north"] > before["north"]
        assert version_for(["projects"], [orgs.north.pk, orgs.south.pk]) == after["north"]
        assert version_for(["people"], ids["north"]) == version_for(["people"], ids["south"])
        make_project(orgs.north)
        assert version_for(["projects"], ids["south"]) > after["south"], "not declared local: everywhere"
