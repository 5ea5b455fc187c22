"""The figures of projects and funds: worked cases, and what must hold of any facts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import Orgs, run_recording
from yuanmai.core.figures import (
    FIGURES,
    Query,
    Result,
    breakdown,
    evaluate,
    evaluate_many,
    get,
    rows,
    trend,
)
from yuanmai.core.figures.display import display
from yuanmai.core.scope import everywhere
from yuanmai.funds.actions import set_funding
from yuanmai.projects.figures import ahead
from yuanmai.projects.models import ProgressReport, Project, ProjectState
from yuanmai.projects.projection import difference, refold
from yuanmai.projects.recording import Entry

YI = Decimal(100_000_000)
OCTOBER = date(2022, 10, 31)
MARCH = date(2022, 3, 31)
ADDITIVE = ("projects.count", "projects.total_investment", "projects.planned_investment", "projects.investment_done", "projects.library_count", "projects.red_count", "projects.yellow_count", "projects.green_count", "projects.not_started", "funds.gap", "funds.secured")  # fmt: skip
PARTITIONS = ("kind", "category", "organisation", "responsible", "leader", "stage", "park", "light")


def ask(orgs: Orgs, day: date = MARCH, **filters: str) -> Query:
    return Query(orgs.below(orgs.city), day, None, tuple(sorted(filters.items())))


@pytest.mark.django_db
def test_ahead_is_computed_from_unrounded_values(
    orgs: Orgs, make_project: Any, in_scope: Any, english: None
) -> None:
    """629.0 ÷ 647.4 − 10/12 = +13.8 points; rounding first would say 13.9."""
    make_project(
        orgs.north,
        "All",
        plan=Decimal("647.4") * YI,
        total=Decimal(900) * YI,
        done=Decimal("629.0") * YI,
        as_of=OCTOBER,
    )
    with in_scope(orgs.city):
        result = evaluate("projects.ahead_points", ask(orgs, OCTOBER))
        assert result.value == Decimal("629.0") / Decimal("647.4") - Decimal(10) / Decimal(12)
        assert display(get("projects.ahead_points"), result) == "+13.8 points"
        assert evaluate("projects.time_progress", ask(orgs, OCTOBER)).value == Decimal(10) / Decimal(12)


@pytest.mark.django_db
def test_tanzhou(orgs: Orgs, make_project: Any, in_scope: Any) -> None:
    """12 projects, plan 11.61, done 2.90 (25.0 %), 4 of 5 started, 7 of 7 resumed, 3 above 1 billion (亿元)."""
    plans = [Decimal("0.96")] * 4 + [Decimal("0.96")] + [Decimal("0.97")] * 6 + [Decimal("0.99")]
    totals = [Decimal(10)] * 3 + [Decimal(5)] * 9
    done = [Decimal("0.29")] * 10 + [Decimal(0)] * 2
    for number in range(12):
        new = number < 5
        make_project(
            orgs.north, f"P{number}", kind="new_start" if new else "continuing", plan=plans[number] * YI,
            total=totals[number] * YI, done=done[number] * YI, started=new and number < 4, resumed=not new,
        )  # fmt: skip
    make_project(orgs.north, "Reserve", kind="reserve", plan=None, total=5 * YI)
    with in_scope(orgs.city):
        codes = ("projects.count", "projects.planned_investment", "projects.investment_done", "projects.completion_rate", "projects.start_rate", "projects.resumption_rate", "projects.over_1bn_count", "projects.not_started", "projects.reserve_count")  # fmt: skip
        values = {code: result.value for code, result in evaluate_many(codes, ask(orgs)).items()}
        assert values == {
            "projects.count": 12,
            "projects.planned_investment": Decimal("11.61") * YI,
            "projects.investment_done": Decimal("2.90") * YI,
            "projects.completion_rate": Decimal("290000000") / Decimal("1161000000"),
            "projects.start_rate": Decimal("0.8"),
            "projects.resumption_rate": 1,
            "projects.over_1bn_count": 3,
            "projects.not_started": 1,
            "projects.reserve_count": 1,
        }


@pytest.mark.django_db
def test_undefined_is_not_nought_and_more_than_all_is_not_clamped(
    orgs: Orgs, make_project: Any, in_scope: Any
) -> None:
    with in_scope(orgs.city):
        empty = evaluate_many(
            ("projects.completion_rate", "projects.start_rate", "projects.ahead_points"), ask(orgs)
        )
        assert {result.value for result in empty.values()} == {None}
    make_project(orgs.north, "A", plan=100, done=130)
    with in_scope(orgs.city):
        assert evaluate("projects.completion_rate", ask(orgs)).value == Decimal("1.3")
    assert (
        ahead({"projects.completion_rate": Result(None), "projects.time_progress": Result(Decimal(1))}).value
        is None
    )


@pytest.mark.django_db
def test_a_foreign_organisation_and_a_sub_project_do_not_count(
    orgs: Orgs, make_project: Any, in_scope: Any
) -> None:
    main = make_project(orgs.north, "Main")
    make_project(orgs.north, "Part", version={"parent": main})
    make_project(orgs.foreign, "Foreign")
    with in_scope(orgs.city):
        query = ask(orgs)
        assert evaluate("projects.count", query).value == 1
        assert evaluate("projects.subproject_count", query).value == 1
        foreign = Query((orgs.foreign.pk,), MARCH)
        assert evaluate("projects.count", foreign).value == 0


@pytest.mark.django_db
def test_heshan_by_source(
    orgs: Orgs, make_project: Any, make_user: Any, actor_of: Any, in_scope: Any
) -> None:
    """11.85 = 7.35 + 2.07 + 1.00 + 1.43 (亿元)."""
    project = make_project(orgs.north, "Park", total=Decimal("11.85") * YI)
    actor = actor_of(make_user("finance_officer", orgs.city))
    lines = [
        ("fiscal", "secured", "7.35"),
        ("special_bond", "issued", "2.07"),
        ("special_bond", "planned", "1.00"),
    ]
    with in_scope(actor):
        given_lines = [{"source": s, "security": sec, "amount": Decimal(a) * YI} for s, sec, a in lines]
        set_funding(actor, project, MARCH, given_lines)
        query = ask(orgs)
        parts = {
            code: evaluate(code, query).value
            for code in ("funds.secured", "funds.issued", "funds.planned", "funds.gap")
        }
        assert [value / YI for value in parts.values() if value is not None] == [
            Decimal("9.42"), Decimal("2.07"), Decimal("1"), Decimal("1.43"),
        ]  # fmt: skip
        by_source = {g.value: g.result.value for g in breakdown("funds.sources", query, "source")}
        assert by_source == {"fiscal": Decimal("7.35") * YI, "special_bond": Decimal("3.07") * YI}
        one = query.where(project=str(project.uid))
        assert evaluate("funds.gap", one).value == Decimal("1.43") * YI
        assert evaluate("funds.gap", query.where(project="nonsense")).value == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    "code", sorted(code for code in FIGURES if code.split(".")[0] in {"projects", "funds"})
)
def test_every_figure_opens_in_every_dimension(
    orgs: Orgs, make_project: Any, in_scope: Any, code: str
) -> None:
    project = make_project(
        orgs.north, "A", done=5, started=True, lists=["技改"], version={"category": "工业"}
    )
    figure = get(code)
    with in_scope(orgs.city):
        query = ask(orgs)
        for dimension in figure.dimensions:
            for group in breakdown(code, query, dimension.code):
                assert str(group.label)
                evaluate(code, query.where(**{dimension.code: group.value}))
        for condition in figure.conditions:
            value = str(project.uid) if condition.code == "project" else "yes"
            evaluate(code, query.where(**{condition.code: value}))
            assert str(condition.label(value))
        _figure, found = rows(code, query)
        if found is not None:
            assert len(list(found)) == len(found)
        assert trend(code, query)[-1] == (MARCH, evaluate(code, query))


cents = st.integers(0, 10**11).map(lambda n: Decimal(n) / 100)
drawn = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["new_start", "continuing", "reserve", ""]),
        "plan": st.one_of(st.none(), cents),
        "total": st.one_of(st.none(), cents),
        "done": st.one_of(st.none(), cents),
        "category": st.sampled_from(["", "工业", "交通"]),
        "south": st.booleans(),
        "started": st.booleans(),
    }
)


def record_drawn(orgs: Orgs, given_rows: list[dict[str, Any]]) -> None:
    for south in (False, True):
        org = orgs.south if south else orgs.north
        entries = [
            Entry(
                org.pk,
                version={"name": f"P{n}", "total_investment": d["total"], "category": d["category"]},
                plans=[{"year": 2022, "kind": d["kind"], "planned_investment": d["plan"]}],
                reports=[{"investment_done": d["done"], "started": d["started"], "effective_on": MARCH}],
            )
            for n, d in enumerate(given_rows)
            if d["south"] is south
        ]
        run_recording(org, entries, date(2022, 1, 1))


@pytest.mark.django_db
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(drawn, max_size=8))
def test_parts_and_rows_add_up_to_the_whole(
    orgs: Orgs, in_scope: Any, given_rows: list[dict[str, Any]]
) -> None:
    with transaction.atomic():
        record_drawn(orgs, given_rows)
        cache.clear()
        with in_scope(orgs.city):
            query = ask(orgs)
            for code in ADDITIVE:
                whole = evaluate(code, query).value
                for dimension in PARTITIONS:
                    parts = [group.result.value or 0 for group in breakdown(code, query, dimension)]
                    assert sum(parts, Decimal(0)) == whole, (code, dimension)
                _figure, found = rows(code, query)
                assert found is not None
                assert sum((row.numerator or Decimal(0) for row in found), Decimal(0)) == whole, code
            planned = [d for d in given_rows if d["kind"] != "reserve"]
            exact = sum((d["done"] or Decimal(0) for d in planned), Decimal(0))
            assert evaluate("projects.investment_done", query).value == exact
        transaction.set_rollback(True)
    cache.clear()


steps = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 11),
        st.sampled_from(["report", "plan", "version", "undo"]),
        st.integers(0, 500),
    ),
    min_size=1,
    max_size=4,
)


def _snapshot(orgs: Orgs, in_scope: Any, known_at: datetime | None) -> list[Any]:
    cache.clear()
    codes = (
        "projects.count",
        "projects.investment_done",
        "projects.planned_investment",
        "projects.red_count",
    )
    with in_scope(orgs.city):
        found = []
        for day in (date(2022, 2, 28), date(2022, 6, 30), date(2022, 12, 31)):
            query = Query(orgs.below(orgs.city), day, known_at)
            found.append(tuple(r.value for r in evaluate_many(codes, query).values()))
        return found


@pytest.mark.django_db
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps)
def test_what_was_known_never_changes_and_the_projection_can_be_rebuilt(
    orgs: Orgs, in_scope: Any, steps: list[Any]
) -> None:
    start = datetime(2022, 1, 1, tzinfo=UTC)
    with transaction.atomic():
        entries = [
            Entry(orgs.north.pk, version={"name": f"P{n}", "total_investment": Decimal(1000)}, plans=[{"year": 2022, "kind": "new_start", "planned_investment": Decimal(100)}])
            for n in range(3)
        ]  # fmt: skip
        projects = run_recording(orgs.north, entries, date(2022, 1, 1), start)
        past: list[tuple[datetime, list[Any]]] = []
        for number, (which, month, what, amount) in enumerate(steps, start=1):
            moment = start + timedelta(days=number)
            day, project, value = date(2022, month + 1, 28), projects[which], Decimal(amount)
            _do(orgs, project, what, day, value, moment)
            past.append((moment, _snapshot(orgs, in_scope, moment)))
        for earlier, known in past:
            assert _snapshot(orgs, in_scope, earlier) == known
        assert _snapshot(orgs, in_scope, None) == past[-1][1]
        with everywhere():
            ids = [project.pk for project in projects]
            assert [list(part) for part in difference(ids, start + timedelta(days=99))] == [[], []]
            now = {
                (s.project_id, s.effective_from, s.investment_done, s.name)
                for s in ProjectState.objects.current()
            }
            ProjectState.objects.all().delete()
            _refold(ids, start + timedelta(days=99))
            again = {
                (s.project_id, s.effective_from, s.investment_done, s.name)
                for s in ProjectState.objects.current()
            }
            assert again == now
        transaction.set_rollback(True)
    cache.clear()


def _do(orgs: Orgs, project: Project, what: str, day: date, value: Decimal, moment: datetime) -> None:
    entry = Entry(orgs.north.pk, project)
    if what == "report":
        entry.reports = [{"investment_done": value, "started": True}]
    elif what == "plan":
        entry.plans = [{"year": 2022, "kind": "continuing", "planned_investment": value}]
    elif what == "version":
        entry.version = {"name": f"V{value}", "total_investment": value}
    else:
        with everywhere():
            last = ProgressReport.objects.filter(project=project, retracted_at=None).order_by("-id").first()
            if last is not None:
                ProgressReport.objects.filter(pk=last.pk).update(retracted_at=moment)
                _refold([project.pk], moment)
        return
    run_recording(orgs.north, [entry], day, moment)


def _refold(ids: list[int], moment: datetime) -> None:
    from yuanmai.core.actions import Act, acting
    from yuanmai.core.policy import SYSTEM

    token = acting.set(Act(SYSTEM, "projects.create", "projects.edit", moment))
    try:
        refold(ids, moment)
    finally:
        acting.reset(token)
