"""Steps of a reserve project that several tests take."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.funds.reserve.conftest import DAY, WAN, scores
from yuanmai.core.policy import SYSTEM
from yuanmai.funds.models import (
    Reserve,
    ReserveStep,
    Review,
)
from yuanmai.funds.reserve import actions

PAPER = {"document": "江发改〔2022〕12号"}


def review(
    actor: Any, reserve: Reserve, body: str, verdict: str = "pass", on: date = DAY, **more: Any
) -> Review:
    return actions.review_reserve(actor, reserve, body, on, more.pop("scores", scores()), verdict, **more)


def codes(reserve: Reserve) -> list[str]:
    return list(
        ReserveStep.objects.filter(reserve=reserve).order_by("id").values_list("transition", flat=True)
    )


def approved(reserve: Reserve, amount: Decimal = WAN * 6000) -> Reserve:
    review(SYSTEM, reserve, "finance")
    review(SYSTEM, reserve, "reform")
    actions.move_reserve(SYSTEM, reserve, "report", DAY, PAPER)
    return actions.move_reserve(SYSTEM, reserve, "approve", DAY, {"amount": amount, **PAPER})
