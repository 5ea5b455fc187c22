"""What a figure is: its definition and the query it answers.

Three makes of figure:

* :class:`Facts`: Σ numerator (÷ Σ denominator) over a queryset of facts. The same queryset gives the value, the
  breakdown and the rows, so they cannot disagree.
* :class:`Calendar`: a function of the date alone (time progress).
* :class:`Derived`: a function of other figures (points ahead of time progress).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from django.db.models import QuerySet
from django.db.models.expressions import Combinable

from yuanmai.core.policy import Text


class Unit(Enum):
    """What a value is measured in; decides how it is shown."""

    COUNT = "count"
    YUAN = "yuan"
    RATIO = "ratio"  # a fraction: 0.25 is shown as 25.0 %
    POINTS = "points"  # a difference of fractions: 0.138 is shown as +13.8 points
    SQUARE_METRES = "m2"
    METRES = "m"
    TIMES = "times"  # a multiple: 1.12 covers the debt service 1.12 times
    NUMBER = "number"


@dataclass(frozen=True)
class Query:
    """What is asked: for which organisations, as of which day, as known at which moment, filtered how.

    `org_ids` are the organisations of the chosen scope that the asker may see; `filters` are pairs of dimension code
    and value, sorted, so that equal questions are equal objects.

    With `since` (and `known_since`) facts are asked for a stretch of time: whatever held on some day from then to `as_of`.
    Only ``core.figures.together`` asks so, and only for facts that are marked `spanning`.
    """

    org_ids: tuple[int, ...]
    as_of: date
    known_at: datetime | None = None
    filters: tuple[tuple[str, str], ...] = ()
    since: date | None = None
    known_since: datetime | None = None

    def where(self, **filters: str) -> "Query":
        """Return the query narrowed by further dimension values."""
        return replace(self, filters=tuple(sorted({**dict(self.filters), **filters}.items())))

    def on(self, as_of: date) -> "Query":
        """Return the same question for another day."""
        return replace(self, as_of=as_of)

    @property
    def key(self) -> str:
        """Return a stable text of the question, for caches."""
        orgs = ",".join(map(str, sorted(self.org_ids)))
        return f"{orgs}|{self.as_of}|{self.known_at}|{self.filters}"


@dataclass(frozen=True)
class Result:
    """A figure's answer. `value` is exact and unrounded; None means undefined (a rate without a denominator)."""

    value: Decimal | None
    numerator: Decimal | None = None
    denominator: Decimal | None = None


@dataclass(frozen=True)
class Dimension:
    """A way to split a figure: `path` is the field (or expression) grouped by; `label` names a value for people.

    `narrow` turns a value into a filter of the facts where plain equality does not do (a tag in a list of tags).
    """

    code: str
    name: Text
    path: str | Combinable
    label: Callable[[Any], Text] = str
    narrow: Callable[[QuerySet[Any], str], QuerySet[Any]] | None = None
    values: Callable[[QuerySet[Any]], list[str]] | None = None  # for dimensions whose values overlap (tags)
    daily: bool = False  # the value of one row changes from day to day without a new row (lights)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure's definition, shown wherever it is opened."""

    code: str
    name: Text
    unit: Unit
    definition: Text
    source: Text
    grain: Text
    dimensions: tuple[Dimension, ...] = ()
    conditions: tuple[Dimension, ...] = ()  # filters that do not split: a search text, “behind”
    rooms: tuple[str, ...] = ()  # rooms whose changes may change it, besides its own
    higher_is_better: bool | None = None
    permission: str = ""
    live: bool = False  # follows what no action writes (whether devices are heard): kept for seconds only

    @property
    def room(self) -> str:
        """The room that owns the figure: the part of the code before the dot."""
        return self.code.split(".", 1)[0]

    def dimension(self, code: str) -> Dimension:
        """Return a dimension or condition by its code; raises `KeyError`."""
        for dimension in (*self.dimensions, *self.conditions):
            if dimension.code == code:
                return dimension
        raise KeyError(f"{self.code} has no dimension {code}")


@dataclass(frozen=True, kw_only=True)
class Facts(Figure):
    """Σ `numerator` ÷ Σ `denominator` (or Σ `numerator` alone) over the rows of ``facts(query)``.

    `numerator` and `denominator` are expressions over the facts. `row` turns one object of the queryset into what the
    drill-down shows: label, address, organisation and named columns.
    """

    facts: Callable[[Query], QuerySet[Any]]
    # The same rows with their own fields only, for sums that ask for no `daily` dimension: adding up needs neither order nor
    # relations nor what is computed for every row, and building those into a query costs more than running it.
    bare: Callable[[Query], QuerySet[Any]] | None = None
    numerator: Combinable
    denominator: Combinable | None = None
    places: int = 2  # decimal places that single contributions have: cents, whole projects
    # Rows are bitemporal and depend on the day asked for by nothing but what held on it, and on its year.
    spanning: bool = False
    org_path: str = (
        ""  # the field of a row that `org_ids` narrows, where a row counts for exactly that organisation
    )
    row: Callable[[Any], "RowView"] = field(default=lambda obj: RowView(str(obj), ""))


@dataclass(frozen=True)
class RowView:
    """One row behind a figure, ready to be shown."""

    label: str
    url: str
    columns: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Calendar(Figure):
    """A figure that follows from the date alone."""

    compute: Callable[[Query], Result]


@dataclass(frozen=True, kw_only=True)
class Derived(Figure):
    """A figure computed from others; its rows are those of the figure `rows_of`."""

    inputs: tuple[str, ...]
    combine: Callable[[Mapping[str, Result]], Result]
    rows_of: str


FIGURES: dict[str, Figure] = {}


def register(figure: Figure) -> Figure:
    """Add a figure to the registry; raises `ValueError` where the code is taken."""
    if figure.code in FIGURES:
        raise ValueError(f"figure {figure.code} is defined twice")
    FIGURES[figure.code] = figure
    return figure


def get(code: str) -> Figure:
    """Return a figure by its code; raises `KeyError` naming the code."""
    try:
        return FIGURES[code]
    except KeyError:
        raise KeyError(f"no figure has the code {code!r}") from None
