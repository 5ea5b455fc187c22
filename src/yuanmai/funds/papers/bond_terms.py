"""What the rows of a bond ledger say together about each bond, and what is wrong with that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from yuanmai.common.money import yuan_text
from yuanmai.common.working_days import china
from yuanmai.core.figures.display import chinese
from yuanmai.core.workbooks.engine.result import Row, SheetReading
from yuanmai.core.workbooks.engine.text import key
from yuanmai.funds.engine.bonds.schedule import add_months
from yuanmai.funds.models import Repayment, Tranche
from yuanmai.funds.papers.reading import instalments_of
from yuanmai.funds.papers.stored import Faults, Stored, cell_of
from yuanmai.funds.reserve.rules import Rules

# Field of the sheet → attribute of a tranche.
ATTRIBUTES = {
    "bond_name": "name", "tranche_name": "batch_name", "issuer": "issuer", "tranche_amount": "amount", "rate": "rate",
    "term": "term_years", "tendered_on": "tendered_on", "value_date": "value_date", "repayment": "repayment",
    "frequency": "frequency", "schedule": "instalments",
}  # fmt: skip
NEEDED = {
    "rate": gettext_lazy("rate of interest"),
    "term": gettext_lazy("term"),
    "value_date": gettext_lazy("value date"),
}
MATURITY_SLACK = timedelta(days=10)


@dataclass
class Bond:
    """One bond of the file: the values its rows state, where each stands, and the stored tranche, if there is one."""

    mark: str
    stored: Tranche | None
    said: dict[str, Any] = field(default_factory=dict)  # attribute → value
    where: dict[str, tuple[SheetReading, Row]] = field(default_factory=dict)
    maturity: date | None = None
    first: tuple[SheetReading, Row] | None = None
    allotted: Decimal = Decimal(0)  # sum of the rows
    code: str = ""
    values: dict[str, Any] = field(default_factory=dict)  # what to store of a new bond, complete
    changes: dict[str, tuple[Any, Any]] = field(
        default_factory=dict
    )  # of a stored one: attribute → before, after


def value_of(attribute: str, value: Any) -> Any:
    """Return a cell's value as a tranche stores it."""
    if attribute in ("term_years", "frequency"):
        return int(value)
    return instalments_of(value) if attribute == "instalments" else value


def words(attribute: str, value: Any) -> str:
    """Return a value of a tranche in words, for sentences and differences."""
    if value is None or value == "" or value == []:
        return "—"
    if attribute == "amount":
        return yuan_text(value, chinese=chinese())
    if attribute == "rate":
        return f"{(Decimal(value) * 100).normalize():f}%"
    if attribute == "repayment":
        return str(dict(Repayment.choices).get(value, value))
    if attribute == "instalments":
        return "; ".join(f"{row['year']}: {Decimal(str(row['share'])) * 100:g}%" for row in value)
    return str(value)


def gather(readings: list[SheetReading], stored: Stored, faults: Faults) -> dict[str, Bond]:
    """Return the bonds of a file by their mark; rows that say different things of one bond are faults."""
    bonds: dict[str, Bond] = {}
    for reading in readings:
        for row in reading.rows:
            mark = mark_of(row, stored)
            if not mark:
                faults.at(reading, row, "bond_code", "bond.no_code", "", instead=("bond_name",))
                continue
            bond = bonds.get(mark)
            if bond is None:
                found = stored.tranches.find(row.get("bond_code"), row.get("bond_name"))
                bond = bonds[mark] = Bond(mark, found, first=(reading, row))
                bond.code = found.code if found else str(row.get("bond_code"))
            bond.allotted += row.get("allotted") or 0
            bond.maturity = bond.maturity or row.get("maturity")
            _state(bond, reading, row, faults)
    return bonds


def mark_of(row: Row, stored: Stored) -> str:
    """Return what tells a row's bond apart: its code, or the code of the stored bond of that name; '' without either."""
    if code := row.get("bond_code"):
        return key(str(code))
    found = stored.tranches.find(None, row.get("bond_name"))
    return key(found.code) if found else ""


def _state(bond: Bond, reading: SheetReading, row: Row, faults: Faults) -> None:
    for code, attribute in ATTRIBUTES.items():
        value = row.get(code)
        if value is None:
            continue
        value = value_of(attribute, value)
        before = bond.said.setdefault(attribute, value)
        where = bond.where.setdefault(attribute, (reading, row))
        if before != value and not (isinstance(value, str) and key(value) == key(str(before))):
            faults.at(
                reading, row, code, "bond.contradicts", words(attribute, value),
                first=cell_of(*where, code), other=words(attribute, before),
            )  # fmt: skip


def judge(bond: Bond, stored: Stored, rules: Rules, faults: Faults) -> None:
    """Check a bond against itself and against what is stored, and settle what would be written."""
    assert bond.first is not None
    _term(bond, rules, faults)
    tranche = bond.stored
    if tranche is None:
        _new(bond, rules, faults)
    elif stored.tranches.keeps(tranche):
        bond.changes = {
            name: (getattr(tranche, name), value)
            for name, value in bond.said.items()
            if not same(getattr(tranche, name), value)
        }
        if "amount" not in bond.said and tranche.batch_id is not None and bond.allotted > tranche.amount:
            # A tranche that an earlier ledger stated by its rows alone grows with them.
            bond.changes["amount"] = (tranche.amount, bond.allotted)
    else:
        _foreign(bond, tranche, faults)
    _schedule(bond, faults)


def same(stored: Any, said: Any) -> bool:
    """Whether a stored and a stated value are the same."""
    if isinstance(stored, list):
        return [(r["year"], Decimal(str(r["share"]))) for r in stored] == [
            (r["year"], Decimal(str(r["share"]))) for r in said
        ]
    return bool(stored == said)


def _fault(
    bond: Bond, faults: Faults, at: str, rule: str, severity: str = "error", /, **params: object
) -> None:
    attribute = ATTRIBUTES.get(at, at)
    reading, row = bond.where.get(attribute) or bond.first or (None, None)
    assert reading is not None and row is not None
    value = words(attribute, bond.said.get(attribute)) if attribute in bond.said else ""
    faults.at(reading, row, at, rule, value, severity, instead=("bond_code", "bond_name"), **params)


def _term(bond: Bond, rules: Rules, faults: Faults) -> None:
    term = bond.said.get("term_years")
    allowed = rules["permitted_terms"]
    if term is not None and term not in allowed:
        _fault(
            bond, faults, "term", "bond.term_unusual", "warning",
            value=term, allowed="、".join(str(number) for number in allowed),
        )  # fmt: skip


def _new(bond: Bond, rules: Rules, faults: Faults) -> None:
    """Complete a bond that is not stored yet: what follows from the rest is computed, the rest must be stated."""
    said = dict(bond.said)
    start, term, maturity = said.get("value_date"), said.get("term_years"), bond.maturity
    if start is None and (tender := said.get("tendered_on")) is not None:
        start = china().after(tender)
    if start is None and maturity is not None and term:
        start = add_months(maturity, -12 * term)
    if term is None and start is not None and maturity is not None:
        term = max(1, round((maturity - start).days / 365.25))
    said |= {"value_date": start, "term_years": term}
    for code, what in NEEDED.items():
        if said.get(ATTRIBUTES[code]) is None:
            _fault(bond, faults, code, "bond.needed", code=bond.code, what=str(what))
    if start is None or term is None:
        return
    if maturity is not None and abs(maturity - add_months(start, 12 * term)) > MATURITY_SLACK:
        _fault(
            bond,
            faults,
            "maturity",
            "bond.maturity_differs",
            "warning",
            computed=add_months(start, 12 * term),
        )
    if said.get("tendered_on") is None:
        day = start - timedelta(days=1)
        while not china().is_working(day):
            day -= timedelta(days=1)
        said["tendered_on"] = day
    said.setdefault("amount", bond.allotted)
    said.setdefault("name", said.get("batch_name") or _("Bond %(code)s") % {"code": bond.code})
    said.setdefault("repayment", Repayment.INSTALMENTS if said.get("instalments") else Repayment.BULLET)
    said.setdefault("frequency", rules.frequency(term))
    for name in ("issue_fee_rate", "registration_fee_rate", "redemption_fee_rate"):
        said[name] = rules[name]
    bond.values = said


def _foreign(bond: Bond, tranche: Tranche, faults: Faults) -> None:
    """A bond of a place above is only drawn on: what the row says of it is compared, never written."""
    for code, attribute in ATTRIBUTES.items():
        if attribute in bond.said and not same(getattr(tranche, attribute), bond.said[attribute]):
            _fault(
                bond, faults, code, "bond.differs", "warning",
                keeper=tranche.org.label, stored=words(attribute, getattr(tranche, attribute)),
            )  # fmt: skip


def _schedule(bond: Bond, faults: Faults) -> None:
    if not bond.values and bond.stored is None:
        return
    now: Mapping[str, Any] = bond.values or {
        **{name: getattr(bond.stored, name) for name in ("repayment", "instalments", "term_years")},
        **{name: after for name, (_before, after) in bond.changes.items()},
    }  # fmt: skip
    if not now or now.get("repayment") != Repayment.INSTALMENTS:
        return
    if not now.get("instalments"):
        _fault(bond, faults, "repayment", "bond.schedule_needed")
        return
    last = max(row["year"] for row in now["instalments"])
    if last > now["term_years"]:
        _fault(bond, faults, "schedule", "bond.schedule_beyond", year=last, term=now["term_years"])
