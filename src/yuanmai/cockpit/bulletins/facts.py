"""What a bulletin knows (pure): plain values, taken from the ledger before a sentence is written."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from yuanmai.cockpit.bulletins.period import Period

Amount = Decimal | None


@dataclass(frozen=True)
class Totals:
    """The figures of a set of projects; amounts in yuan, rates as fractions, None where undefined."""

    count: int
    total: Amount
    planned: Amount
    done: Amount
    completion: Amount
    ahead: Amount


@dataclass(frozen=True)
class Group:
    """The figures of one part (a category, an organisation)."""

    label: str
    totals: Totals


@dataclass(frozen=True)
class ProjectLine:
    """One project of the annex."""

    name: str
    kind: str
    kind_name: str
    category: str
    responsible: str
    leader: str
    total: Amount
    planned: Amount
    done: Amount
    completion: Amount
    started: bool
    resumed: bool
    completed: bool
    start_on: date | None
    visible: str
    problems: str
    light: str
    light_words: str
    lag: float


@dataclass(frozen=True)
class BlockerLine:
    """An open blocker."""

    project: str
    kind_name: str
    title: str
    body: str
    due_on: date | None
    overdue_days: int


@dataclass(frozen=True)
class Difference:
    """A stated total that the rows do not give; amounts in yuan."""

    label: str
    stated: Decimal
    computed: Decimal
    source: str


@dataclass(frozen=True)
class Funds:
    """Sources and gap of all main projects of the library; amounts in yuan."""

    secured: Decimal
    planned: Decimal
    gap: Decimal
    short_projects: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True)
class Facts:
    """Everything a bulletin says, before it is said."""

    org: str
    period: Period
    as_of: date
    known_at: datetime
    whole: Totals
    new_start: Totals
    continuing: Totals
    time_progress: Decimal
    start_rate: Amount
    started: int
    resumption_rate: Amount
    resumed: int
    over_1bn: int
    reserve_count: int
    reserve_total: Amount
    done_before: Amount
    categories: tuple[Group, ...]
    ranking: tuple[Group, ...]
    ranked_by: str
    projects: tuple[ProjectLine, ...]
    blockers: tuple[BlockerLine, ...]
    differences: tuple[Difference, ...]
    findings: tuple[str, ...]
    funds: Funds | None = None
    codes: dict[str, str] = field(default_factory=dict)

    @property
    def in_period(self) -> Amount:
        """Investment done in the period itself."""
        if self.whole.done is None:
            return None
        return self.whole.done - (self.done_before or Decimal(0))

    def lights(self, value: str) -> list[ProjectLine]:
        """Projects that show a light, the furthest behind first."""
        return sorted((p for p in self.projects if p.light == value), key=lambda p: (-p.lag, p.name))
