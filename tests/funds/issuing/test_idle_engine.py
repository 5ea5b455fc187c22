"""The time in which issued money must be spent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yuanmai.funds.engine import idle
from yuanmai.funds.engine.idle import Light, Stage

# A busy machine is no fault of what is tested.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
days = st.dates(date(2000, 1, 1), date(2100, 12, 31))
months = st.integers(1, 24)
amounts = st.decimals(Decimal("0.01"), Decimal("1e10"), places=2)


def stand(amount: int, spent: int, as_of: date) -> idle.Standing:
    """A batch issued on 2024-06-19 under Tianjin's rule."""
    return idle.standing(
        Decimal(amount),
        Decimal(spent),
        date(2024, 6, 19),
        as_of,
        months=6,
        take_back_months=12,
        short=Decimal("0.30"),
    )


def test_six_months_from_the_month_after_issue() -> None:
    found = stand(100, 0, date(2024, 6, 30))
    assert (found.begins, found.deadline) == (date(2024, 7, 1), date(2024, 12, 31))
    assert found.take_back == date(2025, 6, 30)
    assert found.light is Light.GREY and found.stage is Stage.RUNNING


def test_the_lights_follow_the_linear_expectation() -> None:
    day = date(2024, 9, 30)  # 92 of 184 days
    assert stand(100, 0, day).expected == Fraction(1, 2)
    assert stand(100, 50, day).light is Light.GREEN
    assert stand(100, 49, day).light is Light.YELLOW
    assert stand(100, 35, day).light is Light.YELLOW  # exactly 30 % short
    assert stand(100, 34, day).light is Light.RED


def test_what_is_left_after_the_deadline_is_idle_and_after_a_year_taken_back() -> None:
    assert stand(100, 90, date(2024, 12, 31)).stage is Stage.RUNNING
    assert stand(100, 90, date(2025, 1, 1)).stage is Stage.IDLE
    assert stand(100, 90, date(2025, 6, 30)).stage is Stage.IDLE
    back = stand(100, 90, date(2025, 7, 1))
    assert back.stage is Stage.TAKE_BACK and back.unspent == 10
    assert stand(100, 100, date(2030, 1, 1)).stage is Stage.SPENT
    assert stand(100, 120, date(2030, 1, 1)).unspent == 0


@patient
@given(days, months, days)
def test_one_column_tells_what_is_past_its_deadline(issued: date, n: int, as_of: date) -> None:
    assert (idle.deadline(issued, n) < as_of) == (issued <= idle.issued_until(as_of, n))


@patient
@given(days, months)
def test_the_expectation_rises_from_nothing_to_all(issued: date, n: int) -> None:
    start, end = idle.begins(issued), idle.deadline(issued, n)
    assert issued < start <= end
    assert idle.expected(issued, n, start - timedelta(days=1)) == 0
    assert idle.expected(issued, n, end) == 1
    shares = [idle.expected(issued, n, start + timedelta(days=k)) for k in range((end - start).days + 1)]
    assert shares == sorted(shares) and len(set(shares)) == len(shares)


@patient
@given(amounts, amounts, days, days, months, st.decimals(0, 1, places=2))
def test_spending_more_never_makes_it_worse(
    amount: Decimal, spent: Decimal, issued: date, as_of: date, n: int, short: Decimal
) -> None:
    order = [Light.RED, Light.YELLOW, Light.GREEN]

    def light(paid: Decimal) -> Light:
        return idle.standing(amount, paid, issued, as_of, months=n, take_back_months=n + 6, short=short).light

    less, more = light(spent), light(spent + 1)
    if less is Light.GREY:
        assert more is Light.GREY
    else:
        assert order.index(less) <= order.index(more)
    assert light(amount) in {Light.GREEN, Light.GREY}
