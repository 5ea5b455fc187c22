"""One completion rate: what a project's row says is what the figure narrowed to that project says."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import AS_OF, Orgs
from yuanmai.core.figures import Query, Unit, evaluate, rows
from yuanmai.core.figures.display import display_value
from yuanmai.core.scope import everywhere
from yuanmai.projects.engine.lights import Facts, completion
from yuanmai.projects.engine.rates import COMPLETION, Rate
from yuanmai.projects.models import ProjectState
from yuanmai.projects.queries import states
from yuanmai.projects.tables import BY_KEY, completion_rate

RATE = "projects.completion_rate"
CASES = [
    # planned, done, the rate of both
    ("1000000", "250000", Decimal("0.25")),
    ("1000000", None, Decimal(0)),
    ("1000000", "0", Decimal(0)),
    ("0", "250000", None),
    ("0", "0", None),
    ("0", None, None),
    (None, "250000", None),
    (None, None, None),
    ("1000000", "3500000", Decimal("3.5")),  # far above the plan: never clamped to 1
    ("1000000", "-200000", Decimal("-0.2")),  # a correction below zero: never clamped to 0
    ("3", "1", Decimal(1) / Decimal(3)),
    ("0.03", "0.02", Decimal(2) / Decimal(3)),
    ("9999999999999.99", "0.01", Decimal("0.01") / Decimal("9999999999999.99")),
]


def both(project: Any, org_id: int) -> tuple[Decimal | None, Decimal | None]:
    """Return the rate of the project's row and that of the figure narrowed to the project."""
    query = Query((org_id,), AS_OF)
    state = states(query).get(project=project)
    narrowed = query.where(project=str(project.uid))
    figure = evaluate(RATE, narrowed)
    _figure, behind = rows(RATE, narrowed)
    assert behind is not None
    (row,) = behind  # the figure's one row adds what the state holds
    assert (row.numerator, row.denominator) == (figure.numerator, figure.denominator)
    assert row.numerator == (state.investment_done or 0)
    assert row.denominator == (state.planned_investment or 0)
    return completion_rate(state), figure.value


@pytest.mark.django_db
@pytest.mark.parametrize(("planned", "done", "expected"), CASES)
def test_row_and_figure_are_one_rate(
    orgs: Orgs, make_project: Any, planned: str | None, done: str | None, expected: Decimal | None
) -> None:
    project = make_project(orgs.north, plan=planned, done=done)
    with everywhere():
        row, figure = both(project, orgs.north.pk)
    assert row == figure == expected


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    planned=st.none() | st.decimals(0, 10**13, places=2),
    done=st.none() | st.decimals(0, 10**13, places=2),
)
def test_row_and_figure_agree_for_any_amounts(
    orgs: Orgs, make_project: Any, planned: Decimal | None, done: Decimal | None
) -> None:
    project = make_project(orgs.north, f"P {uuid4()}", plan=planned, done=done)
    with everywhere():
        row, figure = both(project, orgs.north.pk)
    assert row == figure
    assert (row is None) == (not planned)


@pytest.mark.django_db
def test_page_and_file_show_the_figures_rate(orgs: Orgs, make_project: Any, english: None) -> None:
    """The library's cell, its value for Excel and the figure's own display are one text and one number."""
    project = make_project(orgs.north, plan=3, done=1)
    with everywhere():
        state = ProjectState.objects.get(
            project=project, effective_from__lte=AS_OF, effective_until__gt=AS_OF
        )
        value = evaluate(RATE, Query((orgs.north.pk,), AS_OF).where(project=str(project.uid))).value
        column = BY_KEY["completion"]
        assert column.cell(state, "") == display_value(value, Unit.RATIO) == "33.3 %"
        assert column.value(state) == value


def test_lights_measure_the_same_rate() -> None:
    assert completion(Facts(planned=Decimal(3), done=Decimal(1))) == Fraction(1, 3)
    assert completion(Facts(planned=Decimal(3))) == 0
    assert completion(Facts(planned=Decimal(0), done=Decimal(1))) is None
    assert completion(Facts(done=Decimal(1))) is None


def test_a_rate_names_fields_that_exist() -> None:
    fields = {field.name for field in ProjectState._meta.get_fields()}
    assert {COMPLETION.numerator, COMPLETION.denominator} <= fields
    assert Rate("a", "b").of(Decimal(2), Decimal(4)) == Fraction(1, 2)
