"""The one registry of figures: definition, value, breakdown, trend and the rows behind them.

``define_sum``/``define_ratio``/… register a figure once (in a room's `figures.py`); ``evaluate``, ``breakdown``,
``trend`` and ``rows`` answer for every face. Nothing else computes a figure.
"""

from yuanmai.core.figures.evaluate import Group, breakdown, evaluate, evaluate_many, rows, trend
from yuanmai.core.figures.model import (
    FIGURES,
    Calendar,
    Derived,
    Dimension,
    Facts,
    Figure,
    Query,
    Result,
    Unit,
    get,
    register,
)
from yuanmai.core.figures.together import evaluate_days, evaluate_places

__all__ = [
    "FIGURES",
    "Calendar",
    "Derived",
    "Dimension",
    "Facts",
    "Figure",
    "Group",
    "Query",
    "Result",
    "Unit",
    "breakdown",
    "evaluate",
    "evaluate_days",
    "evaluate_many",
    "evaluate_places",
    "get",
    "register",
    "rows",
    "trend",
]
