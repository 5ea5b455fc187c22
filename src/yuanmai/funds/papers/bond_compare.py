"""A bond ledger beside what is stored: its faults, and what taking it over would change. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from yuanmai.core.workbooks.engine.faults import Fault
from yuanmai.core.workbooks.engine.result import Parsed, Row, SheetReading
from yuanmai.core.workbooks.kinds import Change, Plan
from yuanmai.funds.papers.bond_terms import ATTRIBUTES, Bond, gather, judge, mark_of, words
from yuanmai.funds.papers.stored import Faults, ProjectRef, Stored, cell_of
from yuanmai.funds.queries import ZERO
from yuanmai.funds.reserve.rules import rules_for
from yuanmai.projects.ledger import as_of_of, found_in

CUMULATIVE = {"disbursed": "disbursed", "paid": "paid"}  # field of the sheet → kind of movement


@dataclass(slots=True)
class Wanted:
    """What a row changes: the bond it draws on, and by how much its three amounts differ from what is stored."""

    project: ProjectRef
    bond: Bond
    day: date  # the day from which the allotment counts
    allotted: Decimal = ZERO
    disbursed: Decimal = ZERO
    paid: Decimal = ZERO
    whole: Decimal = ZERO  # what the project is allotted of the bond, after it


def check(parsed: Parsed, org_id: int, today: date) -> Parsed:
    """Return the reading with the faults that only the whole file, the rules and what is stored can show."""
    stored = Stored(org_id)
    faults = Faults()
    bonds = gather(list(parsed.sheets), stored, faults)
    rules = rules_for(org_id, as_of_of(parsed, today)[0])
    for bond in bonds.values():
        judge(bond, stored, rules, faults)
    for reading in parsed.sheets:
        for row in reading.rows:
            if row.get("name") and stored.projects.find(row.get("code"), row.get("name")) is None:
                near = stored.projects.nearest(row.get("name"))
                faults.at(reading, row, "name", "bond.project_unknown", str(row.get("name")), nearest=near)
            if (rate := row.get("rate")) is not None and rate > rules["highest_rate"]:
                limit = words("rate", rules["highest_rate"])
                faults.at(reading, row, "rate", "bond.rate_too_high", words("rate", rate), limit=limit)
            if not row.get("allotted") and not _faulty(reading, row, "allotted"):
                said = "" if row.get("allotted") is None else "0"
                faults.at(reading, row, "allotted", "bond.no_amount", said)
    _twice(parsed, stored, faults)
    _within(parsed, bonds, stored, as_of_of(parsed, today)[0], faults)
    return _strict(parsed).with_faults(faults.found)


def _faulty(reading: SheetReading, row: Row, field: str) -> bool:
    return any(fault.row == row.line + 1 and fault.field == field for fault in reading.faults)


def _strict(parsed: Parsed) -> Parsed:
    """A rate that is out of any range stops the file: a bond cannot be computed without it."""

    def judged(fault: Fault) -> Fault:
        if fault.rule == "percent.range" and fault.field == "rate":
            negative = "-" in fault.value
            rule = "bond.rate_negative" if negative else "bond.rate_too_high"
            return replace(fault, rule=rule, severity="error", params={"limit": "30%"})
        return fault

    sheets = tuple(replace(s, faults=tuple(judged(fault) for fault in s.faults)) for s in parsed.sheets)
    return replace(parsed, sheets=sheets)


def _twice(parsed: Parsed, stored: Stored, faults: Faults) -> None:
    """The same project and bond, written once with a code and once by name, is the same row twice."""
    told = {(fault.sheet, fault.row) for fault in parsed.faults if fault.rule == "row.duplicate"}
    seen: dict[tuple[int, str], tuple[SheetReading, Row]] = {}
    for reading in parsed.sheets:
        for row in reading.rows:
            project = stored.projects.find(row.get("code"), row.get("name"))
            mark = mark_of(row, stored)
            if project is None or not mark:
                continue
            first = seen.setdefault((project.pk, mark), (reading, row))
            if first[1] is not row and (reading.sheet, row.line + 1) not in told:
                value = str(row.get("bond_code") or row.get("bond_name"))
                faults.at(
                    reading, row, "bond_code", "row.duplicate", value, first=cell_of(*first, "bond_code")
                )


def _within(parsed: Parsed, bonds: Mapping[str, Bond], stored: Stored, as_of: date, faults: Faults) -> None:
    """Nobody gets more than was issued: what others have, and what the rows say, within the bond's amount."""
    for bond in bonds.values():
        tranche = bond.stored
        amount = bond.said.get("amount")
        others = ZERO
        if tranche is not None:
            if amount is None and "amount" not in bond.changes:
                amount = tranche.amount
            # What projects that the file does not name have of the bond stays with them.
            named = sum(
                (stored.movements.sum("allotted", pair, date.max) for pair in _pairs(parsed, bond, stored)),
                ZERO,
            )
            others = tranche.allotted - named
        if amount is None or bond.first is None:
            continue
        whole = others + bond.allotted
        if whole > amount:
            reading, row = bond.first
            faults.at(
                reading, row, "allotted", "bond.over_tranche", words("amount", row.get("allotted")),
                allotted=words("amount", whole), code=bond.code, amount=words("amount", amount),
            )  # fmt: skip


def _pairs(parsed: Parsed, bond: Bond, stored: Stored) -> set[tuple[int, int]]:
    assert bond.stored is not None
    found = set()
    for row in parsed.rows:
        project = stored.projects.find(row.get("code"), row.get("name"))
        if project is not None and mark_of(row, stored) == bond.mark:
            found.add((project.pk, bond.stored.pk))
    return found


def compare(parsed: Parsed, org_id: int, today: date) -> Plan:
    """Return what taking over a bond ledger would change; rows with faults are left out."""
    as_of, assumed = as_of_of(parsed, today)
    stored, faults = Stored(org_id), Faults()
    bonds = gather(list(parsed.sheets), stored, faults)
    rules = rules_for(org_id, as_of)
    for bond in bonds.values():
        judge(bond, stored, rules, faults)
    plan = Plan([], effective_on=as_of, assumed=assumed)
    for reading in parsed.sheets:
        for row in reading.rows:
            plan.changes.append(_change(reading, row, bonds, stored, as_of))
    plan.found = list(found_in(parsed, as_of))
    return plan


def _change(
    reading: SheetReading, row: Row, bonds: Mapping[str, Bond], stored: Stored, as_of: date
) -> Change:
    project = stored.projects.find(row.get("code"), row.get("name"))
    bond = bonds.get(mark_of(row, stored))
    label = f"{row.get('name') or ''} · {bond.code if bond else ''}".strip(" ·")
    if project is None or bond is None:
        return Change(row, reading.sheet, "created", label)
    start: date | None = bond.said.get("value_date") or (
        bond.stored.value_date if bond.stored else bond.values.get("value_date")
    )
    day = min(as_of, start) if start else as_of
    wanted = Wanted(project, bond, day)
    diff: list[tuple[str, Any, Any]] = []
    pair = (project.pk, bond.stored.pk) if bond.stored else None
    known = pair in stored.movements.rows["allotted"] if pair else False
    before = stored.movements.sum("allotted", pair, max(as_of, start or as_of)) if pair else ZERO
    wanted.whole = row.get("allotted") or before
    wanted.allotted = wanted.whole - before
    if known and wanted.allotted:
        wanted.day = as_of
        diff.append(("allotted", before, wanted.whole))
    for code, kind in CUMULATIVE.items():
        value = row.get(code)
        if value is None:
            continue
        have = stored.movements.sum(kind, pair, as_of) if pair else ZERO
        if value != have:
            setattr(wanted, kind, value - have)
            diff.append((code, have, value))
    for code, attribute in ATTRIBUTES.items():
        if attribute in bond.changes and row.get(code) is not None:
            diff.append((code, *bond.changes[attribute]))
    action = "updated" if diff else "unchanged"
    if not known:
        action, diff = "created", []
    return Change(row, reading.sheet, action, label, project.pk, project.uid, tuple(diff), wanted)


def bonds_of(changes: Sequence[Change]) -> list[Bond]:
    """Return the bonds of some changes, each once, in the order of the file."""
    found = {id(c.payload.bond): c.payload.bond for c in changes if c.payload is not None}
    return list(found.values())
