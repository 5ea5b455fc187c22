"""The register of enterprises in a workbook against the stored one: whom a row means, what differs, what cannot be.

Reads only, and a constant number of queries whatever the number of rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Length, Substr
from rapidfuzz import fuzz, process

from yuanmai.core.workbooks.engine.faults import Fault
from yuanmai.core.workbooks.engine.result import Parsed, Row, SheetReading
from yuanmai.core.workbooks.engine.text import a1, key
from yuanmai.core.workbooks.engine.values import as_written
from yuanmai.core.workbooks.kinds import Change, Plan
from yuanmai.enterprises.models import Enterprise
from yuanmai.people.models import Organisation
from yuanmai.places.models import Park

TEXTS = ("name", "credit_code", "industry", "chain", "chain_role", "address", "contact", "phone", "note")


@dataclass(frozen=True)
class Wanted:
    """What a row says of its enterprise: the stored row's key, or None, and the values that differ (park as its key)."""

    pk: int | None
    values: dict[str, Any]


class Stored:
    """The register of one organisation with the retired entries, and the parks that its enterprises may sit in."""

    def __init__(self, org_id: int) -> None:
        rows = list(Enterprise.objects.filter(org_id=org_id).select_related("park").order_by("pk"))
        self.rows = {row.pk: row for row in rows}
        self.codes = {row.credit_code: row for row in rows if row.credit_code and row.retired_at is None}
        self.names: dict[str, Enterprise] = {}
        for row in sorted(rows, key=lambda r: (r.retired_at is not None, r.pk)):
            self.names.setdefault(key(row.name), row)
        self.parks: dict[str, Park] = {}
        for park in _parks(org_id):
            for word in (park.name, park.code):
                self.parks.setdefault(key(word), park)

    def find(self, row: Row) -> Enterprise | None:
        """Return the stored enterprise that a row means: the code decides, then the name."""
        code = row.get("credit_code")
        return self.codes.get(code) if code and code in self.codes else self._named(row)

    def _named(self, row: Row) -> Enterprise | None:
        return self.names.get(key(str(row.get("name") or "")))


def _parks(org_id: int) -> Iterator[Park]:
    """Parks of the organisation, of those below it and of those above it: a department's enterprises sit in its park."""
    path = Organisation.objects.values_list("path", flat=True).get(pk=org_id)
    above = Organisation.objects.annotate(own=F("path"), start=Substr(Value(path), 1, Length("path"))).filter(
        Q(start=F("path")) | Q(path__startswith=path)
    )
    return Park.objects.filter(org_id__in=above.values("pk")).order_by("pk").iterator()


def faults_against(parsed: Parsed, org_id: int) -> Iterator[Fault]:
    """Yield what only the stored register shows to be wrong: unknown parks, names and codes that are somebody else's."""
    stored = Stored(org_id)
    meant: dict[int, tuple[SheetReading, Row]] = {}
    for sheet in parsed.sheets:
        for row in sheet.rows:
            yield from _park_fault(sheet, row, stored)
            found = stored.find(row)
            if found is None:
                continue
            if found.pk in meant:
                first = meant[found.pk][1]
                yield _fault(sheet, row, "name", "row.duplicate", first=_cell(sheet, first, "name"))
                continue
            meant[found.pk] = (sheet, row)
            yield from _conflicts(sheet, row, found, stored)


def _conflicts(sheet: SheetReading, row: Row, found: Enterprise, stored: Stored) -> Iterator[Fault]:
    code, name = row.get("credit_code"), str(row.get("name") or "")
    if code and found.credit_code and found.credit_code != code:
        yield _fault(sheet, row, "credit_code", "credit_code.differs", stored=found.credit_code)
    other = stored.names.get(key(name))
    if other is not None and other.pk != found.pk:
        yield _fault(sheet, row, "name", "name.taken", stored=other.credit_code or "–")


def _park_fault(sheet: SheetReading, row: Row, stored: Stored) -> Iterator[Fault]:
    name = row.get("park")
    if name is None or key(name) in stored.parks:
        return
    known = sorted({park.name for park in stored.parks.values()})
    near = process.extractOne(str(name), known, scorer=fuzz.ratio)
    nearest = near[0] if near and near[1] >= 40 else known[0] if known else "–"
    yield _fault(sheet, row, "park", "park.unknown", nearest=nearest)


def _column(sheet: SheetReading, field: str) -> Any:
    named = {column.field: column for column in sheet.columns if column.field}
    return named.get(field) or named["name"]


def _cell(sheet: SheetReading, row: Row, field: str) -> str:
    return a1(row.line, _column(sheet, field).index)


def _fault(sheet: SheetReading, row: Row, field: str, rule: str, **params: object) -> Fault:
    column = _column(sheet, field)
    value = as_written(row.get(field))
    cell = a1(row.line, column.index)
    return Fault(rule, sheet.sheet, cell, column.header, value, row.line + 1, field, "error", params)


def compare(parsed: Parsed, org_id: int) -> Plan:
    """Return what taking over a register would change; cells that are empty say nothing and change nothing."""
    stored = Stored(org_id)
    plan = Plan([])
    for sheet in parsed.sheets:
        for row in sheet.rows:
            plan.changes.append(_change(sheet, row, stored))
    return plan


def _change(sheet: SheetReading, row: Row, stored: Stored) -> Change:
    found = stored.find(row)
    values: dict[str, Any] = {}
    diff: list[tuple[str, Any, Any]] = []
    for name in TEXTS:
        new, old = row.get(name), getattr(found, name) if found else ""
        if new is None or new == old or (name == "name" and found is not None and key(new) == key(old)):
            continue
        values[name] = new
        diff.append((name, old or None, new))
    park = stored.parks.get(key(str(row.get("park") or "")))
    if park is not None and (found is None or found.park_id != park.pk):
        values["park_id"] = park.pk
        diff.append(("park", found.park.name if found and found.park else None, park.name))
    back = found is not None and found.retired_at is not None
    action = "created" if found is None or back else "updated" if values else "unchanged"
    wanted = Wanted(found.pk if found else None, values)
    pk = found.pk if found else None
    return Change(
        row, sheet.sheet, action, str(row.get("name") or ""), pk, str(pk or ""),
        tuple(diff) if action == "updated" else (), wanted,
    )  # fmt: skip
