"""What a row below the head is: a project, a group, a total, a note, the head again, or nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from .book import Cell
from .headers import Header, is_column_numbers, text_of
from .spec import KindSpec
from .text import clean, is_empty, squeeze
from .units import unit_in_text
from .values import parse_choice

RowKind = Literal["blank", "data", "group", "total", "note", "header", "continuation"]

_TOTAL = re.compile(
    r"^(?P<head>.{0,20}?)(?:合计|总计|共计|小计|总合计|合计数|汇总|累计)(?:[::]|数)?(?P<tail>\d+(?:个|项|宗|家|件)?(?:项目)?|共?[(\[].*[)\]]|共\d+.{0,12})?[::]?$"
)
_SUB = re.compile(r"小计|本页")
_COUNT = re.compile(r"(?:共|合计|计)?(\d+)(?:个|项|宗|家|件)(?:重点)?(?:子)?(?:项目|工程)?")
_COUNT_PLAIN = re.compile(r"[(\[](\d+)[)\]]$")
_OUTLINE: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("part", re.compile(r"^第[一二三四五六七八九十]+[部类章节批]分?[、.::\s]*")),
    ("cn", re.compile(r"^[一二三四五六七八九十]{1,3}(?:[、.,\s::]|$)+")),
    ("cn_bracket", re.compile(r"^[(\[][一二三四五六七八九十]{1,3}[)\]][、.\s]*")),
    ("letter", re.compile(r"^[A-Z][、.)\s]+")),
    ("mark", re.compile(r"^[★●■◆▲※➤]+\s*")),
)
_ARABIC = re.compile(r"^(?:[(\[]?\d{1,3}[)\]]?[、.．]|[(\[]\d{1,3}[)\]])\s*(?=\D)")
_NOTE = re.compile(
    r"^[*※]?(注\d*[::、.\s]|注$|备注[::]|说明|填表|填报|制表|审核|审批|联系|附[注表件::]|单位负责人|负责人[::]|数据来源|资料来源|编制|抄送|打印|第\d+页|共\d+页|—\d+—|-\d+-|\d+[、.].{16,})"
)
_INDEX = re.compile(
    r"^[(\[]?\d{1,6}[)\]]?[.、]?$|^\d{1,5}([.\-]\d{1,4}){1,3}$|^[①-⑳]$|^[A-Za-z]{1,3}-?\d{1,5}$|^0\d{1,6}$"
)
_SUB_INDEX = re.compile(r"^(\d{1,5})[.\-](\d{1,4})$")
_BRACKET_INDEX = re.compile(r"^[(\[](\d{1,4})[)\]]$|^([①-⑳])$")
_AMOUNT_IN_TEXT = re.compile(
    r"(?P<word>[\u4e00-\u9fff年度本]{2,12}?)(?:为|约|共|:|：)?(?P<number>\d[\d,]*(?:\.\d+)?)(?P<unit>亿元|万元)"
)


@dataclass(slots=True)
class Group:
    """A group row and the projects under it: positions start ≤ i < end of the data rows."""

    number: int
    line: int
    text: str
    outline: str
    parent: int | None
    start: int
    end: int = -1
    values: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """A classified row: its kind, and for groups and totals the text that made it one and where it stands."""

    kind: RowKind
    text: str = ""
    column: int = 0
    index: str = ""


class Classifier:
    """Tells the rows of one sheet apart. `described` are the columns only a project fills (owner, dates, state …)."""

    def __init__(
        self,
        header: Header,
        head_rows: Sequence[Sequence[Cell]],
        spec: KindSpec,
        name: int,
        index: int | None,
        described: Sequence[int],
        numeric: Sequence[int],
        long_text: Sequence[int],
        indexed: bool,
        titles: Sequence[str],
        wide_merges: frozenset[int],
    ) -> None:
        self.header, self.spec, self.name, self.index = header, spec, name, index
        self.described, self.numeric, self.long_text = (
            frozenset(described),
            frozenset(numeric),
            frozenset(long_text),
        )
        self.indexed, self.wide_merges = indexed, wide_merges
        self.titles = {squeeze(t) for t in titles}
        self.heads = [
            {c: squeeze(text_of(v)) for c, v in enumerate(row) if v is not None} for row in head_rows
        ]
        self.head_names = {squeeze(text) for path in header.paths[name : name + 1] for text in path}
        self.any_word = any(
            rule.by == "rest" for rule in spec.groups
        )  # whatever stands there may head a group
        self.noting = False
        self.mapped = self.described | self.numeric | self.long_text

    def classify(self, cells: Sequence[Cell], line: int) -> Line:
        """Judge one row. `cells` is padded to the width of the head."""
        name = cells[self.name]
        if self.index is not None and isinstance(name, str) and _is_index(cells[self.index]):
            head = name if len(name) < 40 else ""
            total = "计" in head and total_label(head)
            if not total and squeeze(name) not in self.head_names:
                self.noting = False
                return Line("data")
        filled = [(c, v) for c, v in enumerate(cells) if v is not None]
        if not filled:
            return Line("blank")
        if self._is_head_again(cells, filled):
            return Line("header")
        if is_column_numbers(cells) and not isinstance(name, str):
            return Line("header")
        first, text = self._first_text(filled)
        if text and first <= max(self.name, self.index or 0) and total_label(text):
            return Line("total", text, first)
        if isinstance(name, str) and first != self.name and total_label(clean(name)):
            return Line("total", clean(name), self.name)
        return self._group_note_or_data(cells, filled, first, text, line)

    def _first_text(self, filled: Sequence[tuple[int, Cell]]) -> tuple[int, str]:
        for column, value in filled:
            if isinstance(value, str):
                return column, clean(value)
        return filled[0][0], ""

    def _group_note_or_data(
        self, cells: Sequence[Cell], filled: Sequence[tuple[int, Cell]], first: int, text: str, line: int
    ) -> Line:
        name = cells[self.name]
        described = any(c in self.described and not is_empty(v) for c, v in filled)
        alone = len(filled) == 1
        index_cell = cells[self.index] if self.index is not None else None
        if alone and text and (self._is_note(text) or (self.noting and not self._outline(text))):
            self.noting = True
            return Line("note", text)
        if text.startswith("注") and not described and self._is_note(text):
            self.noting = True
            return Line("note", text)
        if all(c in self.long_text for c, _ in filled):
            return Line("continuation")
        if (not described and text and first <= max(self.name, self.index or 0)) or (alone and text):
            label = text
            if (
                isinstance(index_cell, str)
                and isinstance(name, str)
                and first == self.index
                and first != self.name
            ):
                label = (
                    f"{text.rstrip('、.')}{'' if text[-1:] in ')]' else '、'}{clean(name)}"
                    if self._outline(text)
                    else text
                )
            if self._is_group(label, filled, first, index_cell, name, line):
                self.noting = False
                return Line("group", label, first)
        if is_empty(name):
            values = [c for c, v in filled if c in self.mapped and not is_empty(v)]
            if not values and not _is_index(index_cell):
                return Line("note", text)
            if alone and not _is_index(index_cell) and text:
                return Line("note", text)
            if not values or (len(values) == 1 and not _is_index(index_cell) and values[0] in self.long_text):
                return Line("blank")  # a number somebody prepared for the next project
        self.noting = False
        return Line("data")

    def _is_group(
        self,
        text: str,
        filled: Sequence[tuple[int, Cell]],
        first: int,
        index_cell: Cell,
        name: Cell,
        line: int,
    ) -> bool:
        only_numbers = all(
            c in self.numeric or isinstance(v, int | float) or c <= max(self.name, self.index or 0)
            for c, v in filled
        )
        if self._outline(text):
            return True
        if _is_index(index_cell) and not is_empty(name):
            return False
        if line in self.wide_merges and len(text) <= 60:
            return True
        if _ARABIC.match(text) and len(filled) == 1 and first != self.name:
            return True
        counted = bool(_COUNT.search(squeeze(text))) and bool(
            re.search(r"[(\[].*\d+.*[)\]]$|\d+(个|项|宗|家)(项目)?$", squeeze(text))
        )
        if counted and only_numbers:
            return True
        bare = group_text(text)
        for rule in self.spec.groups:
            if (
                rule.by == "values"
                and only_numbers
                and _equals_value(bare, self.spec.fields[rule.field].values or {})
            ):
                return True
        if first == self.name and not self.any_word and not group_values(text, self.spec):
            return False  # an entry of which only the name is known
        if self.indexed and is_empty(index_cell) and only_numbers:
            return len(text) <= 40
        return len(filled) == 1 and len(text) <= 40

    @staticmethod
    def _outline(text: str) -> str:
        for name, pattern in _OUTLINE:
            if pattern.match(text):
                return name
        return ""

    def _is_note(self, text: str) -> bool:
        plain = squeeze(text)
        return (
            bool(_NOTE.match(plain))
            or len(plain) > 60
            or plain in self.titles
            or bool(unit_in_text(plain))
            or plain.endswith(
                ("情况表", "一览表", "进度表", "台账", "汇总表", "计划表", "(续)", "续表", "明细表")
            )
        )

    def _is_head_again(self, cells: Sequence[Cell], filled: Sequence[tuple[int, Cell]]) -> bool:
        if not isinstance(filled[0][1], str) and not isinstance(filled[-1][1], str):
            return False
        for head in self.heads:
            if len(head) < 2:
                continue
            same = sum(1 for c, v in filled if isinstance(v, str) and head.get(c) == squeeze(v))
            if same >= 2 and same * 10 >= 6 * max(len(filled), 1):
                return True
        return False


def _is_index(cell: Cell) -> bool:
    if cell is None or isinstance(cell, bool):
        return False
    if isinstance(cell, int | float):
        return True
    return (
        isinstance(cell, str)
        and len(cell) < 14
        and bool(_INDEX.match(squeeze(cell)) or _INDEX.match(cell.strip()))
    )


def index_text(cell: Cell) -> str:
    """The running number as text: 1.0 → '1', '①' stays."""
    if isinstance(cell, str):
        return cell.strip()
    return text_of(cell)


def is_sub_index(text: str, last_main: str) -> bool:
    """Whether a running number is one level below the last main project's: '1.1' and '1-2' below '1'; '(1)', '①'."""
    plain = squeeze(text) if not re.match(r"[①-⑳]", text) else text
    match = _SUB_INDEX.match(plain)
    if match:
        return match[1].lstrip("0") == re.sub(r"\D", "", last_main).lstrip("0")
    return bool(_BRACKET_INDEX.match(plain)) and bool(re.fullmatch(r"\d+[.、]?", last_main))


def total_label(text: str) -> str | None:
    """'total' or 'subtotal' when the text heads a row of sums ('合计(12个)', '新开工项目小计'), else None."""
    plain = squeeze(text)
    if "计" not in plain and "汇总" not in plain:
        return None
    match = _TOTAL.match(plain)
    if not match:
        return None
    if plain.startswith("累计") or match["head"].endswith(("累", "设", "统", "会", "审", "预")):
        return None
    return "subtotal" if _SUB.search(plain) else "total"


def stated_count(text: str) -> int | None:
    """The number of projects a label states: '合计(12个)' → 12."""
    plain = squeeze(text)
    match = _COUNT.search(plain) or _COUNT_PLAIN.search(plain)
    return int(match[1]) if match else None


def stated_amounts(text: str) -> list[tuple[str, str, str]]:
    """Amounts a group's label states: '(5个,总投资23.85亿元)' → [('总投资', '23.85', '亿元')]."""
    return [(m["word"], m["number"], m["unit"]) for m in _AMOUNT_IN_TEXT.finditer(squeeze(text))]


def outline_of(text: str) -> str:
    """Which numbering a group uses; groups of one numbering stand on one level."""
    return Classifier._outline(text) or ("arabic" if _ARABIC.match(text) else "plain")


def group_text(text: str) -> str:
    """A group's words without numbering, counts and amounts: '一、新开工项目(5个)' → '新开工项目'."""
    plain = clean(text)
    for _name, pattern in _OUTLINE:
        plain = pattern.sub("", plain, count=1)
    plain = _ARABIC.sub("", plain)
    plain = re.sub(r"[(\[][^()\[\]]*\d[^()\[\]]*[)\]]", "", plain)
    plain = re.sub(r"[,::、]?(共|计|合计)?\d+(个|项|宗|家|件)(项目)?.*$", "", plain)
    return re.sub(r"^[ :、,.]+|[ :、,.]+$", "", plain)


def _equals_value(bare: str, values: object) -> bool:
    from collections.abc import Mapping

    if not isinstance(values, Mapping):
        return False
    wanted = squeeze(bare)
    return any(wanted == word or wanted == f"{word}项目" for words in values.values() for word in words)


def group_values(text: str, spec: KindSpec) -> dict[str, object]:
    """The attribute a group row gives to the projects under it."""
    bare = group_text(text)
    if not bare:
        return {}
    short = re.sub(r"(类)?(重点)?(建设)?项目$", "", bare) or bare
    for rule in spec.groups:
        definition = spec.fields[rule.field]
        if rule.by == "values":
            code = parse_choice(bare, definition.values or {})
            if code and not code.startswith("~"):
                return {rule.field: code}
        elif rule.by == "suffix":
            for candidate in (bare, short):
                if candidate.endswith(rule.suffixes):
                    if definition.type == "tags":
                        return {rule.field: (re.sub(r"项目$", "", candidate),)}
                    return {rule.field: candidate}
        else:
            return {rule.field: short}
    return {}
