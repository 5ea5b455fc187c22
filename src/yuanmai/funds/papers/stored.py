"""What is stored that ledgers of bonds and payments are compared with; a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from rapidfuzz import fuzz, process

from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.workbooks.engine.faults import Fault
from yuanmai.core.workbooks.engine.result import Row, SheetReading
from yuanmai.core.workbooks.engine.text import a1, key
from yuanmai.funds.models import Allotment, Disbursement, Payment, Tranche
from yuanmai.funds.queries import ZERO
from yuanmai.people.models import Organisation
from yuanmai.projects.ledger import org_ids_below
from yuanmai.projects.models import ProjectState

Pair = tuple[int, int]
NEAR = 45  # likeness in percent from which a name is offered as what may be meant
OFFERED = 3


@dataclass(frozen=True, slots=True)
class ProjectRef:
    """A stored project as ledgers name it."""

    pk: int
    uid: str
    org_id: int
    name: str


class Projects:
    """The projects of an organisation and all below it, found by code or by name."""

    def __init__(self, org_ids: Sequence[int]) -> None:
        self.codes: dict[str, ProjectRef] = {}
        self.names: dict[str, ProjectRef] = {}
        self.spelt: dict[str, str] = {}
        rows = (
            ProjectState.objects.filter(org_id__in=org_ids, known_until=KNOWN_FOREVER)
            .order_by("parent_id", "effective_from")
            .values_list("project_id", "project__uid", "org_id", "name", "code")
        )
        for pk, uid, org_id, name, code in rows:
            found = ProjectRef(pk, str(uid), org_id, name)
            if code:
                self.codes.setdefault(key(code), found)
            self.names.setdefault(key(name), found)
            self.spelt.setdefault(key(name), name)

    def find(self, code: str | None, name: str | None) -> ProjectRef | None:
        """Return the project of a row: the code decides; where it is unknown, the whole name."""
        if code and (found := self.codes.get(key(code))):
            return found
        return self.names.get(key(name)) if name else None

    def nearest(self, name: str | None) -> str:
        """Return the names that come nearest, quoted; a dash where nothing is like it."""
        found = process.extract(
            key(name or ""), list(self.spelt), scorer=fuzz.WRatio, limit=OFFERED, score_cutoff=NEAR
        )
        return "、".join(f"“{self.spelt[mark]}”" for mark, _score, _n in found) or "—"


class Tranches:
    """The bonds that an organisation keeps, or draws on: its own, those of the organisations above and below it."""

    def __init__(self, org_id: int, org_ids: Sequence[int]) -> None:
        path = Organisation.objects.values_list("path", flat=True).get(pk=org_id)
        step = int(Organisation.steplen)
        above = [path[:end] for end in range(step, len(path), step)]
        ids = [*Organisation.objects.filter(path__in=above).values_list("pk", flat=True), *org_ids]
        rows = Tranche.objects.filter(org_id__in=ids, retracted_at=None).select_related("org")
        self.org_id, self.below = org_id, frozenset(org_ids)
        self.codes: dict[str, Tranche] = {}
        self.names: dict[str, Tranche] = {}
        # The organisation's own first, then the nearest above, then those below.
        order = sorted(
            rows, key=lambda t: (t.org_id != org_id, not path.startswith(t.org.path), -len(t.org.path), t.pk)
        )
        for row in order:
            self.codes.setdefault(key(row.code), row)
            self.names.setdefault(key(row.name), row)

    def find(self, code: str | None, name: str | None) -> Tranche | None:
        """Return the bond of a row: by its code, else by its whole name."""
        if code:
            return self.codes.get(key(code))
        return self.names.get(key(name)) if name else None

    def keeps(self, tranche: Tranche) -> bool:
        """Whether the organisation, or one below it, keeps the bond: others change only what they keep themselves."""
        return tranche.org_id in self.below


class Movements:
    """Allotted, disbursed and paid per project and tranche, as they stand by a day."""

    def __init__(self, org_ids: Sequence[int]) -> None:
        self.rows: dict[str, dict[Pair, list[tuple[date, Decimal]]]] = {}
        for name, model in (("allotted", Allotment), ("disbursed", Disbursement), ("paid", Payment)):
            found: dict[Pair, list[tuple[date, Decimal]]] = defaultdict(list)
            facts: Any = model.objects.filter(project__org_id__in=org_ids, retracted_at=None).order_by()
            for project, tranche, day, amount in facts.values_list(
                "project_id", "tranche_id", "effective_on", "amount"
            ):
                found[project, tranche].append((day, amount))
            self.rows[name] = found

    def sum(self, name: str, pair: Pair, day: date) -> Decimal:
        """Return the sum of a kind of movement of a pair up to a day."""
        return sum((amount for on, amount in self.rows[name].get(pair, ()) if on <= day), ZERO)

    def of_tranche(self, name: str, tranche_id: int) -> Decimal:
        """Return the sum of a kind of movement out of a tranche, all projects of the organisation."""
        return sum(
            (a for (_p, t), rows in self.rows[name].items() if t == tranche_id for _d, a in rows), ZERO
        )


class Stored:
    """Everything that a ledger is compared with."""

    def __init__(self, org_id: int) -> None:
        self.org_ids = org_ids_below(org_id)
        self.projects = Projects(self.org_ids)
        self.tranches = Tranches(org_id, self.org_ids)
        self.movements = Movements(self.org_ids)


class Faults:
    """Collects the faults of a workbook, each at the cell of its field."""

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def at(
        self, reading: SheetReading, row: Row, field: str, rule: str, value: str, severity: str = "error",
        /,
        *,
        instead: Iterable[str] = (), **params: object,
    ) -> None:  # fmt: skip
        """Note a fault at the cell of a field; where the sheet has no such column, of one of `instead`."""
        columns = {c.field: c for c in reading.columns if c.field}
        column = next((columns[name] for name in (field, *instead, "name") if name in columns), None)
        index = column.index if column else 0
        header = column.header if column else ""
        self.found.append(
            Fault(
                rule, reading.sheet, a1(row.line, index), header, value, row.line + 1,
                (column.field or "") if column else "", severity, params,  # type: ignore[arg-type]
            )
        )  # fmt: skip


def cell_of(reading: SheetReading, row: Row, field: str) -> str:
    """Return the address of a field's cell with its sheet, for a sentence that points at it."""
    index = next((c.index for c in reading.columns if c.field == field), 0)
    return f"{reading.sheet}!{a1(row.line, index)}"
