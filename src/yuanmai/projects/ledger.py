"""A key-project ledger beside the library: which row is which project, what would change, what contradicts itself.

Reads only, and a constant number of queries whatever the number of rows. `projects/workbooks.py` writes what stands here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from yuanmai.core.actions import Act
from yuanmai.core.findings import Found
from yuanmai.core.temporal import KNOWN_FOREVER
from yuanmai.core.workbooks.engine.faults import Fault
from yuanmai.core.workbooks.engine.result import Parsed, Row
from yuanmai.core.workbooks.engine.text import key
from yuanmai.core.workbooks.engine.totals import TotalCheck
from yuanmai.core.workbooks.kinds import Change, Plan
from yuanmai.people.actor import subtree_ids
from yuanmai.people.models import Organisation
from yuanmai.projects.models import Project, ProjectState

LEDGER_TOTAL = "projects.ledger_total"
LEDGER_ROW = "projects.ledger_row"

#: Sheet field → attribute of a project's version. Owner and park are names in the sheet and rows of registers here.
VERSION_TEXTS = {
    "name": "name", "code": "code", "category": "category", "responsible": "responsible", "leader": "leader",
    "content": "content", "address": "address",
}  # fmt: skip
VERSION_VALUES = {"start_on": "start_on", "finish_on": "finish_on", "total_investment": "total_investment"}
EXTRA = ("place", "next_steps", "remarks")
FLAGS = {
    "started": {"started": True},
    "not_started": {"started": False},
    "resumed": {"resumed": True},
    "not_resumed": {"resumed": False},
    "completed": {"completed": True},
}
STORED_COLUMNS = (
    "project_id", "project__uid", "org_id", "effective_from", "effective_until", "parent_id", "name", "code", "category",
    "kind", "owner__name", "responsible", "leader", "park__name", "start_on", "finish_on", "total_investment", "lists",
    "plan_year", "planned_investment", "investment_done", "done_total", "started", "resumed", "completed",
    "visible_progress", "visible_percent", "problems", "reported_on", "version__content", "version__address",
    "version__extra", "owner_id", "park_id", "version__stage", "version__site", "version__in_statistics",
)  # fmt: skip
AT = {name: position for position, name in enumerate(STORED_COLUMNS)}


class LedgerPart(Protocol):
    """Columns of the ledger that a room above keeps (funding by source). Registered in `PARTS`."""

    fields: tuple[str, ...]

    def stored(self, org_ids: Sequence[int], as_of: date) -> dict[int, dict[str, Decimal]]:
        """What is stored of these columns, by project id and field."""

    def record(
        self,
        act: Act,
        items: Sequence[tuple[Project, Mapping[str, Decimal]]],
        effective_on: date,
        batch: Any,
        *,
        new: bool,
    ) -> None:
        """Store values of many projects; `new`: nothing was known of them before."""

    def retract(self, act: Act, batch: Any) -> None:
        """Take back what a batch stored."""

    def later(self, batch: Any, project_ids: Iterable[int]) -> set[int]:
        """Projects of which something newer than the batch is stored."""


PARTS: list[LedgerPart] = []


@dataclass(slots=True)
class Wanted:
    """What a row says of its project, ready to be recorded. None means "not said" or "as it is"."""

    project_id: int | None
    version: dict[str, Any] | None = None
    owner: str | None = None
    park: str | None = None
    plan: dict[str, Any] | None = None
    report: dict[str, Any] | None = None
    lists: dict[str, bool] = field(default_factory=dict)
    parts: dict[str, Decimal] = field(default_factory=dict)
    parent: int | None = None  # position of the main project among the changes

    @property
    def anything(self) -> bool:
        """Whether there is something to record."""
        return bool(self.version or self.plan or self.report or self.lists or self.parts)


class Library:
    """What is stored of an organisation and all below it, found by code or by name."""

    def __init__(self, org_ids: Sequence[int], as_of: date) -> None:
        self.at: dict[int, tuple[Any, ...]] = {}
        self.last: dict[int, tuple[Any, ...]] = {}
        rows = (
            ProjectState.objects.filter(org_id__in=org_ids, known_until=KNOWN_FOREVER)
            .order_by("effective_from")
            .values_list(*STORED_COLUMNS)
        )
        for row in rows.iterator(chunk_size=2000):
            self.last[row[0]] = row
            if row[AT["effective_from"]] <= as_of < row[AT["effective_until"]]:
                self.at[row[0]] = row
        self.codes: dict[str, int] = {}
        self.names: dict[str, list[int]] = {}
        for pk, row in self.last.items():
            if row[AT["code"]]:
                self.codes.setdefault(key(row[AT["code"]]), pk)
            parent = self.last.get(row[AT["parent_id"]] or 0)
            mark = f"{key(parent[AT['name']])}/{key(row[AT['name']])}" if parent else key(row[AT["name"]])
            self.names.setdefault(mark, []).append(pk)
        self.parts: list[dict[int, dict[str, Decimal]]] = [part.stored(org_ids, as_of) for part in PARTS]

    def find(self, code: str | None, mark: str) -> int | None:
        """The stored project of a row: the code decides; a name counts only where the codes do not speak against it."""
        if code and (found := self.codes.get(key(code))):
            return found
        for pk in self.names.get(mark, ()):
            if not code or not self.last[pk][AT["code"]]:
                return pk
        return None


def org_ids_below(org_id: int) -> tuple[int, ...]:
    """Ids of an organisation and all below it."""
    path = Organisation.objects.values_list("path", flat=True).get(pk=org_id)
    return tuple(sorted(subtree_ids([path])[path]))


def as_of_of(parsed: Parsed, today: date) -> tuple[date, bool]:
    """The day a file speaks of, and whether it had to be assumed: the end of its year, at most today."""
    if parsed.period.as_of:
        return parsed.period.as_of, False
    if parsed.period.year:
        return min(today, date(parsed.period.year, 12, 31)), True
    return today, True


def compare(parsed: Parsed, org_id: int, today: date) -> Plan:
    """What taking over a ledger would change."""
    as_of, assumed = as_of_of(parsed, today)
    library = Library(org_ids_below(org_id), as_of)
    plan = Plan([], effective_on=as_of, assumed=assumed)
    for reading in parsed.sheets:
        base = len(plan.changes)
        columns = {c.field for c in reading.columns if c.field}
        lists = dict.fromkeys(reading.lists, True)
        for row in reading.rows:
            parent = base + row.parent if row.parent is not None else None
            plan.changes.append(
                _change(row, reading.sheet, parent, plan.changes, library, as_of, lists, columns)
            )
    plan.found = list(found_in(parsed, as_of))
    return plan


def _change(
    row: Row, sheet: str, parent: int | None, before: Sequence[Change], library: Library, as_of: date,
    lists: Mapping[str, bool], columns: set[str],
) -> Change:  # fmt: skip
    name = str(row.get("name") or "")
    mark = f"{key(before[parent].label)}/{key(name)}" if parent is not None else key(name)
    pk = library.find(row.get("code"), mark)
    stored = library.at.get(pk) if pk is not None else None
    wanted = Wanted(pk, parent=parent)
    diff: list[tuple[str, Any, Any]] = []
    _version(row, wanted, stored, library.last.get(pk) if pk is not None else None, diff)
    if parent is not None and wanted.version is not None and (above := before[parent].target_id) is not None:
        wanted.version["parent_id"] = above
    _plan(row, wanted, stored, as_of, diff)
    _report(row, wanted, stored, as_of, columns, diff)
    on_lists = {*lists, *(row.get("lists") or ())}
    have = set((stored[AT["lists"]] if stored else "").strip("|").split("|"))
    for code in sorted(on_lists - have):
        wanted.lists[code[:60]] = True
        diff.append(("lists", None, code))
    for part, kept in zip(PARTS, library.parts, strict=True):
        old = kept.get(pk, {}) if pk is not None else {}
        for code in part.fields:
            value = row.get(code)
            if value is not None and value != old.get(code, Decimal(0)):
                wanted.parts[code] = value
                diff.append((code, old.get(code), value))
    action = "created" if pk is None else "updated" if wanted.anything else "unchanged"
    return Change(
        row, sheet, action, name, pk, str(library.last[pk][1]) if pk is not None else "",
        tuple(diff) if pk is not None else (), wanted,
    )  # fmt: skip


def _version(row: Row, wanted: Wanted, stored: Any, last: Any, diff: list[tuple[str, Any, Any]]) -> None:
    """Attributes: a version restates everything, so what the sheet does not say is carried over."""
    source = stored or last
    values: dict[str, Any] = {}
    changed = source is None or stored is None
    for code, name in VERSION_TEXTS.items():
        column = f"version__{name}" if name in ("content", "address") else name
        old = source[AT[column]] if source else ""
        new = row.get(code)
        values[name] = old if new is None else new
        if new is not None and new != old:
            diff.append((code, old or None, new))
            changed = True
    for code, name in VERSION_VALUES.items():
        old = source[AT[name]] if source else None
        new = row.get(code)
        values[name] = old if new is None else new
        if new is not None and new != old:
            diff.append((code, old, new))
            changed = True
    for code, column in (("owner", "owner"), ("park", "park")):
        old = (source[AT[f"{column}__name"]] if source else None) or None
        new = row.get(code)
        if new is not None and new != old:
            diff.append((code, old, new))
            setattr(wanted, code, new)
            changed = True
        elif source:
            values[f"{column}_id"] = source[AT[f"{column}_id"]]
    extra = dict(source[AT["version__extra"]] or {}) if source else {}
    for code in EXTRA:
        new = row.get(code)
        if new is not None and new != extra.get(code):
            diff.append((code, extra.get(code), new))
            extra[code] = new
            changed = True
    if not changed:
        return
    values["extra"] = extra
    if source:
        for name in ("stage", "site", "in_statistics"):
            values[name] = source[AT[f"version__{name}"]]
        values["parent_id"] = source[AT["parent_id"]]
    wanted.version = values


def _plan(row: Row, wanted: Wanted, stored: Any, as_of: date, diff: list[tuple[str, Any, Any]]) -> None:
    """The year's plan; being on the ledger of a year is being on its plan, even without an amount."""
    same_year = stored is not None and stored[AT["plan_year"]] == as_of.year
    old_kind = stored[AT["kind"]] if same_year else ""
    old_amount = stored[AT["planned_investment"]] if same_year else None
    kind, amount = row.get("kind") or old_kind, row.get("planned_investment")
    amount = old_amount if amount is None else amount
    if same_year and kind == old_kind and amount == old_amount:
        return
    if kind != old_kind:
        diff.append(("kind", old_kind or None, kind))
    if amount != old_amount:
        diff.append(("planned_investment", old_amount, amount))
    wanted.plan = {"year": as_of.year, "kind": kind, "planned_investment": amount}


def _report(
    row: Row, wanted: Wanted, stored: Any, as_of: date, columns: set[str], diff: list[tuple[str, Any, Any]]
) -> None:
    """Progress: recorded when something differs, or when nothing was reported for that day yet."""
    said: dict[str, Any] = {}
    for code in ("investment_done", "done_total"):
        if row.get(code) is not None:
            said[code] = row.get(code)
    if row.get("visible_percent") is not None:
        said["visible_percent"] = (row.get("visible_percent") * 100).quantize(Decimal("0.01"))
    if row.get("visible_progress"):
        said["visible_progress"] = row.get("visible_progress")
    said.update(FLAGS.get(row.get("state") or "", {}))
    if not said and not row.get("problems"):
        return
    old_problems = stored[AT["problems"]] if stored else ""
    problems = (row.get("problems") or "") if "problems" in columns else old_problems
    reported = stored[AT["reported_on"]] if stored else None
    differs = reported != as_of
    for code, value in said.items():
        old = stored[AT[code]] if stored else None
        if reported is None and old in (False, ""):
            old = None
        if value != old:
            shown = (old and old / 100, value / 100) if code == "visible_percent" else (old, value)
            diff.append((code, *shown))
            differs = True
    if problems != old_problems:
        diff.append(("problems", old_problems or None, problems or None))
        differs = True
    if differs:
        if reported is not None and reported != as_of:
            diff.append(("reported_on", reported, as_of))
        wanted.report = {**said, "problems": problems}


def found_in(parsed: Parsed, as_of: date) -> Iterable[Found]:
    """The contradictions of a file as findings: totals that differ, shares and sources that do not fit."""
    for check in parsed.checks:
        if not check.ok:
            yield _of_check(check, parsed.file, as_of)
    for fault in parsed.faults:
        if fault.severity == "warning":
            yield _of_fault(fault, parsed.file, as_of)


def _of_check(check: TotalCheck, file: str, as_of: date) -> Found:
    computed = None if check.computed is None else str(check.computed)
    params = {
        "what": check.kind, "label": check.label, "sheet": check.sheet, "cell": check.cell, "column": check.column,
        "field": check.field, "stated": str(check.stated), "computed": computed, "rows": check.rows, "file": file,
        "written": check.written,
    }  # fmt: skip
    evidence: list[Mapping[str, Any]] = [
        {
            "label": f"{file} · {check.sheet}!{check.cell} {check.label}",
            "url": "",
            "value": str(check.stated),
        },
        {"label": "Σ", "url": "", "value": computed},
    ]
    mark = f"{as_of}|{key(check.label)}|{check.field or check.kind}|{check.cell}"[:200]
    return Found(LEDGER_TOTAL, mark, params, evidence)


def _of_fault(fault: Fault, file: str, as_of: date) -> Found:
    params = {
        "rule": fault.rule, "sheet": fault.sheet, "cell": fault.cell, "column": fault.column, "value": fault.value,
        "file": file, "params": {name: str(value) for name, value in fault.params.items()}, "field": fault.field,
    }  # fmt: skip
    evidence: list[Mapping[str, Any]] = [
        {"label": f"{file} · {fault.sheet}!{fault.cell} {fault.column}", "url": "", "value": fault.value}
    ]
    return Found(
        LEDGER_ROW, f"{as_of}|{fault.rule}|{fault.sheet}!{fault.cell}"[:200], params, evidence, "warning"
    )
