"""One sheet below its head: rows in one pass, then the checks of totals and shares."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .book import Cell, Sheet
from .checking import RowChecks, derive
from .columns import Column, assume_by_size, map_columns
from .convert import Converter, cell_decimals, converters, settle_state
from .dates import DateFault
from .fault_list import FaultList
from .headers import Header
from .identity import duplicates
from .lines import BLOCK_FIELDS, data_lines
from .match import Matcher
from .periods import Period, find_period
from .result import Row, SheetReading
from .rows import Classifier, Group, group_values, index_text, is_sub_index, outline_of, total_label
from .sampling import samples_of, unit_in_notes
from .spec import KindSpec
from .stating import StatedRows
from .text import a1, is_empty, key, squeeze
from .titles import lists_named, sheet_values
from .units import unit_in_text
from .values import ValueFault, percent_in_text

if TYPE_CHECKING:
    from .pipeline import Choices


def read_sheet(
    sheet: Sheet,
    header: Header,
    head: list[list[Cell]],
    spec: KindSpec,
    matcher: Matcher,
    file: str,
    choices: Choices,
) -> SheetReading:
    """Read one sheet whose head is known."""
    titles = [squeeze(c) for row in head[: header.top] for c in row if isinstance(c, str)]
    head_texts = [text for path in header.paths for text in path]
    period = find_period(titles, sheet.name, file, head_texts, choices.as_of)
    width = max(header.width, 1)
    samples = samples_of(sheet, header, width)
    unit = choices.unit or next((u for t in titles if (u := unit_in_text(t))), None)
    columns = map_columns(header, samples, spec, matcher, period, unit, choices.columns)
    if unit is None and any(c.unit_from == "assumed" for c in columns):
        unit = unit_in_notes(sheet, header)
        if unit:
            columns = [
                replace(c, unit=unit, unit_from="sheet") if c.unit_from == "assumed" else c for c in columns
            ]
        else:
            columns = assume_by_size(columns, samples)
    return _Reading(sheet, header, head, spec, columns, samples, titles, period, unit).read()


class _Reading:
    """The state of one pass over a sheet."""

    def __init__(
        self,
        sheet: Sheet,
        header: Header,
        head: list[list[Cell]],
        spec: KindSpec,
        columns: list[Column],
        samples: list[list[Cell]],
        titles: list[str],
        period: Period,
        unit: str | None,
    ) -> None:
        self.sheet, self.header, self.spec, self.columns = sheet, header, spec, columns
        self.period, self.unit, self.titles = period, unit, titles
        self.by_field: dict[str, Column] = {}
        for column in columns:
            if column.field:
                self.by_field.setdefault(column.field, column)
        self.layout = {
            code: i
            for i, code in enumerate(
                c for c, f in spec.fields.items() if f.type not in ("index", "date_range")
            )
        }
        self.converters = converters(columns, spec, self.layout, samples)
        self.width = max([header.width, *(c.index + 1 for c in columns)])
        self.faults = FaultList(sheet, columns, self.by_field, spec)
        self.rows: list[Row] = []
        self.named: dict[str, int] = {}
        self.groups: list[Group] = []
        self.stack: list[Group] = []
        self.row_groups: list[int] = []
        self.stated = StatedRows(sheet.name, spec, columns)
        name, index = self.by_field.get(spec.name_field), self.by_field.get("index")
        self.name = name.index if name else -1
        self.index = index.index if index else None
        self.checks = RowChecks(spec, self.faults.of_row)
        self._decimals: dict[str, int] = {}
        self.base = sheet_values(sheet.name, titles, spec)
        self.classifier = self._classifier(head, samples) if name else None

    def _classifier(self, head: list[list[Cell]], samples: list[list[Cell]]) -> Classifier:
        spec = self.spec
        types = {c.index: spec.fields[c.field] for c in self.columns if c.field}
        numeric = [i for i, f in types.items() if f.type in ("money", "number", "percent")]
        long_text = [i for i, f in types.items() if f.long]
        described = [
            i
            for i, f in types.items()
            if i not in numeric
            and f.code not in (spec.name_field, "index", "park", "remarks", "kind", "lists")
        ]
        indexed = False
        if self.index is not None:
            cells = [row[self.index] for row in samples if self.index < len(row)]
            indexed = bool(cells) and sum(not is_empty(c) for c in cells) * 2 >= len(cells)
        wide = frozenset(
            m.top
            for m in self.sheet.merges
            if m.top == m.bottom
            and m.top > self.header.bottom
            and m.right - m.left >= 2
            and m.left <= max(self.name, self.index or 0)
        )
        head_rows = head[self.header.top : self.header.bottom + 1]
        return Classifier(
            self.header,
            head_rows,
            spec,
            self.name,
            self.index,
            described,
            numeric,
            long_text,
            indexed,
            self.titles,
            wide,
        )

    # ----- the pass

    def read(self) -> SheetReading:
        """Read all rows, then close what is open and check what is stated."""
        if self.classifier is None:
            self.faults.no_column(self.spec.name_field, self.header.top)
            return self._result(())
        sparse = [c.index for f in BLOCK_FIELDS if (c := self.by_field.get(f))]
        keyed = [c.index for group in self.spec.row_key for f in group if (c := self.by_field.get(f))]
        keys = [index for index in keyed if index != self.name]
        for line, cells, spanning in data_lines(self.sheet, self.header, self.width, self.name, sparse, keys):
            if spanning and self.rows and self.rows[-1].line >= 0:
                self._continue_row(cells, line)
                continue
            kind = self.classifier.classify(cells, line)
            if kind.kind == "data":
                self._data(cells, line)
            elif kind.kind == "group":
                self._group(kind.text, cells, line, kind.column)
            elif kind.kind == "total":
                self._total(kind.text, cells, line, kind.column)
            elif kind.kind == "continuation" and self.rows:
                self._continue_row(cells, line)
        for group in self.stack:
            group.end = len(self.rows)
        self._duplicates()
        derive(self.rows, self.spec, self.period)
        for row in self.rows:
            self.checks.run(row)
        self.faults.look_up()
        checks = self.stated.check(self.rows, self.groups, self.layout, self._decimals)
        return self._result(tuple(checks))

    def _result(self, checks: tuple[Any, ...]) -> SheetReading:
        lists = lists_named((*self.titles, squeeze(self.sheet.name)))
        order = {c.index: c for c in self.columns}
        return SheetReading(
            self.sheet.name,
            self.header,
            tuple(order[i] for i in sorted(order)),
            self.period,
            self.unit,
            tuple(self.rows),
            checks,
            self.faults.ordered(),
            lists,
        )

    # ----- kinds of rows

    def _convert(self, cells: Sequence[Cell], line: int, values: list[Any], raw: dict[str, Any]) -> None:
        for converter in self.converters:
            cell = cells[converter.column.index]
            if cell is None:
                continue
            try:
                value = converter.read(cell)
            except (ValueFault, DateFault) as fault:
                params: Mapping[str, object] = fault.params if isinstance(fault, ValueFault) else {}
                self.faults.at(
                    fault.rule,
                    line,
                    converter.column,
                    cell,
                    converter.field.unknown
                    if fault.rule.endswith(".unknown")
                    else "warning"
                    if converter.field.check
                    else "error",
                    **params,
                )
                raw[converter.field.code] = cell
                continue
            if value is not None:
                self._store(converter, value, values, raw, cell, line)

    def _store(
        self, converter: Converter, value: Any, values: list[Any], raw: dict[str, Any], cell: Cell, line: int
    ) -> None:
        field = converter.field
        if field.type == "money":
            if value < 0:
                self.faults.at("number.negative", line, converter.column, cell)
                return
            if converter.column.unit and isinstance(cell, float) and cell != int(cell):
                decimals = cell_decimals(cell) or 0
                if decimals > self._decimals.get(field.code, 0):
                    self._decimals[field.code] = decimals
        elif field.type == "percent":
            top = field.maximum if field.maximum is not None else Decimal(10)
            if not 0 <= value.value <= top:
                self.faults.at(
                    "percent.range", line, converter.column, cell, "warning", maximum=str(top * 100)
                )
                return
            if not field.check:
                value = value.value
        elif field.type == "date_range":
            start, finish = value
            if start is not None:
                values[converter.slots[0]] = start
            if finish is not None:
                values[converter.slots[1]] = finish
            raw["period"] = cell
            return
        elif field.type == "tags" and values[converter.slots[0]]:
            value = (*values[converter.slots[0]], *value)
        elif field.type == "state" and values[converter.slots[0]] is not None and value[0] == "no":
            return
        values[converter.slots[0]] = value

    def _data(self, cells: Sequence[Cell], line: int) -> None:
        values: list[Any] = [None] * len(self.layout)
        raw: dict[str, Any] = {}
        self._convert(cells, line, values, raw)
        index = index_text(cells[self.index]) if self.index is not None else ""
        parent = self._parent(index, cells[self.name], values)
        for group in self.stack:
            for field, value in group.values.items():
                slot = self.layout[field]
                if values[slot] is None:
                    values[slot] = value
                elif field == "lists":
                    values[slot] = tuple(dict.fromkeys((*values[slot], *value)))  # type: ignore[misc]
        for field, value in self.base.items():
            if values[self.layout[field]] is None:
                values[self.layout[field]] = value
        row = Row(line, index, parent, values, self.layout)
        if values[self.layout[self.spec.name_field]] is None and self.spec.name_field not in raw:
            self.faults.at("name.missing", line, self.by_field[self.spec.name_field], cells[self.name])
        self._settle(row)
        self.named[key(str(row.get(self.spec.name_field) or ""))] = len(self.rows)
        self.rows.append(row)
        self.row_groups.append(self.stack[-1].number if self.stack else -1)

    def _settle(self, row: Row) -> None:
        layout, values = self.layout, row.values
        state = values[layout["state"]] if "state" in layout else None
        if isinstance(state, tuple):
            values[layout["state"]] = settle_state(state, values[layout["kind"]])
        if "visible_percent" in layout and values[layout["visible_percent"]] is None:
            text = values[layout["visible_progress"]]
            if text and "%" in squeeze(text):
                values[layout["visible_percent"]] = percent_in_text(text)

    def _parent(self, index: str, name: Cell, values: list[Any]) -> int | None:
        if not self.rows:
            return None
        last = len(self.rows) - 1
        above = self.rows[last].parent
        main = last if above is None else above
        given = values[self.layout["parent"]] if "parent" in self.layout else None
        if given:
            return self.named.get(key(str(given)))
        if index and is_sub_index(index, self.rows[main].index):
            return main
        if isinstance(name, str) and not index and self.index is not None:
            if re.match(r"^(其中|包括|含)[::]", squeeze(name)):
                slot = self.layout[self.spec.name_field]
                values[slot] = re.sub(r"^\s*(其中|包括|含)\s*[:：]\s*", "", str(values[slot]))
                return main
            if re.match(r"^(\u3000|  )+\S", name):
                return main
        return None

    def _continue_row(self, cells: Sequence[Cell], line: int) -> None:
        """A project that spans several rows: texts are joined, amounts added, the rest filled where empty."""
        values: list[Any] = [None] * len(self.layout)
        self._convert(cells, line, values, {})
        row = self.rows[-1]
        for field, slot in self.layout.items():
            new, old = values[slot], row.values[slot]
            if new is None:
                continue
            kind = self.spec.fields[field].type
            if old is None:
                row.values[slot] = new
            elif kind == "money":
                row.values[slot] = old + new
            elif kind == "text" and field != self.spec.name_field and str(new) not in str(old):
                row.values[slot] = f"{old}\n{new}" if self.spec.fields[field].long else f"{old}、{new}"
            elif kind == "tags":
                row.values[slot] = (*old, *new)
        self._settle(row)

    def _group(self, text: str, cells: Sequence[Cell], line: int, column: int) -> None:
        outline = outline_of(text)
        level = next((i for i, g in enumerate(self.stack) if g.outline == outline), None)
        if level is not None:
            for group in self.stack[level:]:
                group.end = len(self.rows)
            del self.stack[level:]
        group = Group(
            len(self.groups),
            line,
            text,
            outline,
            self.stack[-1].number if self.stack else None,
            len(self.rows),
        )
        group.values = group_values(text, self.spec)
        self.groups.append(group)
        self.stack.append(group)
        self.stated.add(
            "group", text, cells, line, column, len(self.rows), group.number, [g.number for g in self.stack]
        )

    def _total(self, text: str, cells: Sequence[Cell], line: int, column: int) -> None:
        self.stated.add(
            total_label(text) or "total",
            text,
            cells,
            line,
            column,
            len(self.rows),
            -1,
            [g.number for g in self.stack],
        )

    def _duplicates(self) -> None:
        code = self.by_field.get(self.spec.code_field)
        for row, first, field in duplicates(self.rows, self.spec, coded=code is not None):
            at = self.by_field.get(field) or self.by_field[self.spec.name_field]
            self.faults.at(
                "row.duplicate", row.line, at, row.get(at.field or ""), first=a1(first.line, at.index)
            )
