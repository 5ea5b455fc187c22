"""What the wizard's pages show of a reading: rows with marked cells, checks, faults, columns. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from yuanmai.core.workbooks.engine.columns import Column
from yuanmai.core.workbooks.engine.faults import Fault
from yuanmai.core.workbooks.engine.match import path_key
from yuanmai.core.workbooks.engine.result import Parsed
from yuanmai.core.workbooks.engine.spec import NUMERIC
from yuanmai.core.workbooks.engine.totals import TotalCheck
from yuanmai.core.workbooks.kinds import Change, ImportKind, Plan, checked
from yuanmai.core.workbooks.models import ImportBatch
from yuanmai.core.workbooks.running import Options, read_batch, remembered
from yuanmai.core.workbooks.wording import fault_advice, fault_text, field_label, share

PER_PAGE = 50
SHOWN_FAULTS = 200
TONES = {"created": "success", "updated": "primary", "unchanged": "secondary"}
FILTERS = ("all", "faults", "created", "updated", "unchanged")


@dataclass(frozen=True)
class Cell:
    """One value of a row, marked when something is wrong with it or when it changes."""

    text: str
    css: str = ""
    title: str = ""

    number: bool = False  # stands right-aligned, as its head does


@dataclass(frozen=True)
class Line:
    """One row of the preview."""

    number: int
    sheet: str
    action: str
    tone: str
    label: str
    url: str
    cells: list[Cell]
    sub: bool


# A reading is made again for every page of the preview; the last few are kept in this process.
_KEPT: dict[tuple[Any, ...], Parsed] = {}
_KEEP = 3


def reading_of(batch: ImportBatch, kind: ImportKind) -> Parsed:
    """The batch's file as read with the decisions made so far. Raises BookError."""
    mapping = tuple(sorted((k, v or "") for k, v in remembered(batch.org_id, batch.kind).items()))
    options = repr(batch.summary.get("options"))
    mark = (batch.digest, batch.file_name, batch.kind, options, mapping)
    found = _KEPT.get(mark)
    if found is None:
        found = read_batch(batch, kind.spec)
        while len(_KEPT) >= _KEEP:
            _KEPT.pop(next(iter(_KEPT)), None)
        if len(found.rows) <= 30_000:
            _KEPT[mark] = found
    return checked(kind, found, batch.org_id)


def action_label(action: str) -> str:
    """New, changed or the same, in words."""
    return {"created": _("New"), "updated": _("Changed"), "unchanged": _("Unchanged")}[action]


def shown_fields(parsed: Parsed) -> list[str]:
    """Fields that stand in the file or follow from it, in the order of the sheet."""
    codes: list[str] = []
    for reading in parsed.sheets:
        for column in reading.columns:
            if column.field == "period":
                codes += ["start_on", "finish_on"]
            elif column.field and column.field != "index":
                codes.append(column.field)
    for code in ("kind", "park"):
        if any(row.get(code) is not None for r in parsed.sheets for row in r.rows[:50] if code in row.layout):
            codes.append(code)
    return list(dict.fromkeys(codes))


def is_number(kind: ImportKind, code: str) -> bool:
    """Whether a field holds amounts, shares or figures."""
    field = kind.spec.fields.get(code)
    return field is not None and field.type in NUMERIC


def choose(plan: Plan, parsed: Parsed, wanted: str) -> list[Change]:
    """The changes that a filter lets through."""
    if wanted == "faults":
        bad = {(fault.sheet, fault.row) for fault in parsed.faults}
        return [c for c in plan.changes if (c.sheet, c.row.line + 1) in bad]
    if wanted in TONES:
        return [c for c in plan.changes if c.action == wanted]
    return plan.changes


def lines_of(
    changes: Sequence[Change], fields: Sequence[str], parsed: Parsed, kind: ImportKind
) -> list[Line]:
    """The rows of one page of the preview."""
    rows = {(c.sheet, c.row.line + 1) for c in changes}
    wrong: dict[tuple[str, int, str], Fault] = {}
    for fault in parsed.faults:
        if (fault.sheet, fault.row) in rows:
            for code in ("start_on", "finish_on") if fault.field == "period" else (fault.field,):
                wrong.setdefault((fault.sheet, fault.row, code), fault)
    return [_line(change, fields, wrong, kind) for change in changes]


def _line(
    change: Change, fields: Sequence[str], wrong: Mapping[tuple[str, int, str], Fault], kind: ImportKind
) -> Line:
    line = change.row.line + 1
    before = {code: old for code, old, _new in change.diff}
    cells = []
    for code in fields:
        value = change.row.get(code)
        text, number = kind.show(code, value), is_number(kind, code)
        fault = wrong.get((change.sheet, line, code))
        if fault is not None:
            css = "table-danger" if fault.severity == "error" else "table-warning"
            title = f"{fault_text(fault)} {fault_advice(fault)}"
            cells.append(Cell(fault.value or text, css, title, number))
        elif code in before and value is not None:
            cells.append(
                Cell(
                    text,
                    "table-info",
                    _("before: %(value)s") % {"value": kind.show(code, before[code])},
                    number,
                )
            )
        else:
            cells.append(Cell(text, number=number))
    return Line(
        line, change.sheet, action_label(change.action), TONES[change.action], change.label,
        kind.url_of(change.uid) if change.uid else "", cells, change.row.parent is not None,
    )  # fmt: skip


def fault_lines(faults: Sequence[Fault]) -> list[dict[str, Any]]:
    """Faults as the pages list them."""
    return [
        {
            "sheet": f.sheet, "cell": f.cell, "column": f.column, "value": f.value, "text": fault_text(f),
            "advice": fault_advice(f), "tone": "danger" if f.severity == "error" else "warning",
        }
        for f in faults[:SHOWN_FAULTS]
    ]  # fmt: skip


def check_lines(checks: Sequence[TotalCheck], kind: ImportKind) -> list[dict[str, Any]]:
    """Stated totals beside the computed ones, the contradicting ones first."""

    def show(check: TotalCheck, value: Any) -> str:
        if value is None:
            return "—"
        if check.kind == "count":
            return str(int(value))
        return share(value) if check.kind == "share" else kind.show(check.field, value)

    ordered = sorted(checks, key=lambda c: (c.ok, c.row))
    return [
        {
            "ok": c.ok, "cell": c.cell, "sheet": c.sheet, "label": c.label,
            "column": _("Number of rows") if c.kind == "count" else c.column,
            "stated": show(c, c.stated), "computed": show(c, c.computed),
            "difference": "" if c.ok or c.kind != "sum" else kind.show(c.field, c.difference),
        }
        for c in ordered
    ]  # fmt: skip


def column_lines(
    parsed: Parsed, kind: ImportKind, options: Options, left_out: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    """Columns of the (first) sheet with what they were taken for, unknown ones first. `left_out`: remembered decisions."""
    spec = kind.spec
    lines = []
    for column in parsed.sheets[0].columns:
        if not column.header and not column.samples:
            continue
        ignored = column.field is None and (
            options.columns.get(column.index, "") is None or left_out.get(path_key(column.path), "") is None
        )
        lines.append(
            {
                "index": column.index,
                "letter": column.letter,
                "header": column.header or "—",
                "samples": column.samples[:4],
                "field": column.field or ("-" if ignored else ""),
                "status": _status(column, ignored),
                "unit": column.unit if column.unit_from else "",
                "unit_assumed": column.unit_from == "assumed",
                "suggestions": [
                    (c.field, field_label(spec, c.field)) for c in column.suggestions if column.field is None
                ],
            }
        )
    return sorted(lines, key=lambda line: (line["status"][0] != "unknown", line["index"]))


def _status(column: Column, ignored: bool) -> tuple[str, str, str]:
    if ignored:
        return ("ignored", _("Left out"), "secondary")
    if column.field is None:
        return ("unknown", _("Not recognised"), "warning")
    if column.how in ("remembered", "chosen"):
        return ("chosen", _("Your decision"), "primary")
    if column.confidence >= 0.95:
        return ("sure", _("Recognised"), "success")
    return ("likely", _("Likely, please check"), "info")
