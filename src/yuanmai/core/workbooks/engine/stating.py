"""Rows that state sums: collected during the pass, checked when all rows are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from .book import Cell
from .columns import Column
from .convert import cell_decimals
from .match import canonical
from .result import Row
from .rows import Group, group_text, stated_amounts, stated_count
from .spec import KindSpec
from .text import a1, is_empty, squeeze
from .totals import Contributions, Stated, StatedValue, TotalCheck
from .units import MONEY_UNITS
from .values import ValueFault, as_written, parse_choice, parse_money, parse_percent


@dataclass(frozen=True, slots=True)
class _Raw:
    kind: str
    text: str
    line: int
    column: int
    cells: tuple[tuple[Column, Cell], ...]
    position: int
    group: int
    stack: tuple[int, ...]


class StatedRows:
    """Collects total, subtotal and group rows of one sheet."""

    def __init__(self, sheet: str, spec: KindSpec, columns: Sequence[Column]) -> None:
        self.sheet, self.spec = sheet, spec
        self.columns = [c for c in columns if c.field and ((f := spec.fields[c.field]).summed or f.check)]
        self.by_field = {c.field: c for c in self.columns}
        self.rows: list[_Raw] = []

    def add(
        self,
        kind: str,
        text: str,
        cells: Sequence[Cell],
        line: int,
        column: int,
        position: int,
        group: int,
        stack: Sequence[int],
    ) -> None:
        """Remember a row; `position` is the number of data rows before it."""
        kept = tuple((c, cell) for c in self.columns if not is_empty(cell := cells[c.index]))
        self.rows.append(_Raw(kind, text, line, column, kept, position, group, tuple(stack)))

    def check(
        self,
        rows: Sequence[Row],
        groups: Sequence[Group],
        layout: Mapping[str, int],
        decimals: Mapping[str, int],
    ) -> list[TotalCheck]:
        """Compare everything stated with the rows."""
        if not self.rows:
            return []
        have = {c.field for c in self.columns if c.field}
        amounts = {
            f: [row.values[layout[f]] for row in rows]
            for f in layout
            if self.spec.fields[f].summed and f in have
        }
        attributes = {
            r.field: [row.values[layout[r.field]] for row in rows]
            for r in self.spec.groups
            if r.by == "values"
        }
        shares = {f.code: f.check for f in self.spec.fields.values() if f.check}
        adding = Contributions(amounts, [row.parent is None for row in rows], attributes, shares)
        checks: list[TotalCheck] = []
        last_total = 0
        for raw in self.rows:
            values = tuple(self._values(raw, decimals))
            if values:
                stated = Stated(
                    self.sheet,
                    raw.line + 1,
                    raw.text,
                    self._spans(raw, groups, len(rows), last_total),
                    values,
                    self._only(raw),
                )
                checks.extend(adding.check(stated))
            if raw.kind != "group":
                last_total = raw.position
        return checks

    def _spans(
        self, raw: _Raw, groups: Sequence[Group], count: int, last_total: int
    ) -> tuple[tuple[int, int], ...]:
        if raw.kind == "group":
            group = groups[raw.group]
            return ((group.start, group.end if group.end >= 0 else count),)
        inner = [(groups[g].start, raw.position) for g in reversed(raw.stack)]
        closed = [(g.start, g.end if g.end >= 0 else count) for g in groups if g.start == raw.position]
        whole, since, page = (0, count), (last_total, raw.position), (0, raw.position)
        if raw.kind == "subtotal":
            following = [s for s in closed if s[1] > s[0]]
            return (
                (*inner, since, *following, page, whole)
                if inner and inner[0][1] > inner[0][0]
                else (since, *inner, *following, page, whole)
            )
        return (whole, since, *inner, page)

    def _only(self, raw: _Raw) -> tuple[str, object] | None:
        """'新开工项目小计' counts the projects of that kind wherever they stand."""
        if raw.kind == "group":
            return None
        plain = squeeze(raw.text)
        for word in ("合计", "总计", "共计", "小计"):
            head, found, _ = plain.partition(word)
            if found and 2 <= len(head) <= 16:
                for rule in self.spec.groups:
                    if rule.by == "values":
                        code = parse_choice(group_text(head), self.spec.fields[rule.field].values or {})
                        if code and not code.startswith("~"):
                            return (rule.field, code)
        return None

    def _values(self, raw: _Raw, decimals: Mapping[str, int]) -> list[StatedValue]:
        values: list[StatedValue] = []
        label_cell = a1(raw.line, raw.column)
        count = stated_count(raw.text)
        if count is not None:
            values.append(StatedValue("", label_cell, "", raw.text, Decimal(count), kind="count"))
        for column, cell in raw.cells:
            field = self.spec.fields[column.field or ""]
            try:
                if field.type == "money":
                    unit = MONEY_UNITS[column.unit or "元"]
                    amount = parse_money(cell, unit)
                    if amount is None:
                        continue
                    places = cell_decimals(cell)
                    if places is not None and not isinstance(cell, str) and unit > MONEY_UNITS["万元"]:
                        places = max(places, min(2, decimals.get(field.code, 0)))
                    own = isinstance(cell, str) and any(w in cell for w in ("亿", "万", "元"))
                    values.append(
                        StatedValue(
                            field.code,
                            a1(raw.line, column.index),
                            column.header,
                            as_written(cell),
                            amount,
                            unit,
                            None if own else places,
                        )
                    )
                elif field.check:
                    share = parse_percent(cell, fraction=column.fraction)
                    if share is not None:
                        values.append(
                            StatedValue(
                                field.code,
                                a1(raw.line, column.index),
                                column.header,
                                as_written(cell),
                                share.value,
                                percent=share,
                                kind="share",
                            )
                        )
            except ValueFault:
                continue
        have = {v.field for v in values}
        for word, number, unit_word in stated_amounts(raw.text):
            name = self._field_of(word)
            if name is None or name in have:
                continue
            unit = MONEY_UNITS[unit_word]
            values.append(
                StatedValue(
                    name,
                    label_cell,
                    self.by_field[name].header,
                    f"{word}{number}{unit_word}",
                    Decimal(number.replace(",", "")) * unit,
                    unit,
                    len(number.partition(".")[2]),
                )
            )
        return values

    def _field_of(self, word: str) -> str | None:
        form = canonical(word).key
        for code, column in self.by_field.items():
            if (
                code
                and self.spec.fields[code].type == "money"
                and any(canonical(s).key == form for s in self.spec.fields[code].synonyms)
            ):
                return column.field
        return None
